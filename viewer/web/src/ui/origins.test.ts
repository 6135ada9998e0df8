import { beforeEach, describe, expect, it } from 'vitest';
import { setLang } from '../i18n/index';
import type { Attribute, CityObject } from '../state/model';
import { disagreement, joinedOf, saidText } from './origins';

const attribute = (name: string, value: Attribute['value'], unit: string | null): Attribute => ({ name, value, unit, quality: 'recorded', interval: null, method: null, source: 'models' });
const known = [{ dataset: 'models', title: 'City catalogue' }, { dataset: 'old', title: 'Footprints, 2003' }];
const object: Pick<CityObject, 'attributes' | 'conflicts'> = {
  attributes: [attribute('height_m', 31.04, 'm'), attribute('parcel_id', '0502', null)],
  conflicts: [
    { attribute: 'height_m', kept: { value: 31.04, dataset: 'models' }, other: { value: 28, dataset: 'old' } },
    { attribute: 'height_m', kept: { value: 31.04, dataset: 'models' }, other: { value: 30.5, dataset: 'survey' } },
    { attribute: 'parcel_id', kept: { value: '0502', dataset: 'models' }, other: { value: ['1', '2'], dataset: 'old' } },
  ],
};

beforeEach(() => setLang('en'));

describe('where sources disagree', () => {
  it('is one sentence, in the unit of what is shown, for every other source', () => {
    expect(disagreement(object, 'height_m', known)).toBe('from City catalogue; Footprints, 2003 says 28.0 m; survey says 30.5 m');
    setLang('zh');
    expect(disagreement(object, 'height_m', known)).toBe('取自City catalogue；Footprints, 2003记为 28.0 m；survey记为 30.5 m');
  });

  it('says nothing of what they agree on, and anything of what they do not', () => {
    expect(disagreement(object, 'year_of_construction', known)).toBe('');
    expect(disagreement(object, 'parcel_id', known)).toContain('["1","2"]');
  });

  it('keeps the unit of a fact that the card does not show', () => {
    expect(saidText({ attributes: [], conflicts: [] }, 'height_m', 12)).toBe('12.0 m');
  });
});

it('gathers the parts that one source gives, with the largest share; who was here first comes first', () => {
  const source = (id: string, dataset: string, match: string, overlap: number | null) => ({ id, dataset, match, overlap, iou: null });
  const rows = joinedOf([source('a:1', 'a', 'part', 0.2), source('a:2', 'a', 'part', 0.7), source('b:9', 'b', 'first', null), source('a:3', 'a', 'overlap', null)]);
  expect(rows).toEqual([
    { dataset: 'b', match: 'first', ids: ['b:9'], overlap: null },
    { dataset: 'a', match: 'part', ids: ['a:1', 'a:2'], overlap: 0.7 },
    { dataset: 'a', match: 'overlap', ids: ['a:3'], overlap: null },
  ]);
});
