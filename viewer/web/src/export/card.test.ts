import { describe, expect, it } from 'vitest';
import { datasetOf, factsOf } from './card';
import type { Dataset } from '../state/model';
import { WORDS } from './words';

const row = { id: 'a:1', type: 'Building', name: null, height_m: 12.8, storeys: 4, year: null, use: 'school', roof: null, modelled: 1, ground_m: 3.5 };

describe('the facts of a row', () => {
  it('are those that it knows, in the order of the card', () => {
    expect(factsOf(row, false).map((f) => [f.name, f.value, f.unit])).toEqual([
      ['function', 'school', null],
      ['height_m', 12.8, 'm'],
      ['storeys_above_ground', 4, null],
      ['ground_height_m', 3.5, 'm'],
    ]);
  });

  it('say that a height is modelled', () => {
    const quality = (modelled: number): string | undefined => factsOf({ ...row, modelled }, true).find((f) => f.name === 'height_m')?.quality;
    expect([quality(1), quality(0)]).toEqual(['modelled', 'recorded']);
  });

  it('leave out the level of a flat ground', () => {
    expect(factsOf(row, true).some((f) => f.name === 'ground_height_m')).toBe(false);
  });
});

describe('the source of a fact', () => {
  const datasets = ['hel', 'helsinki', 'helsinki-sample'].map((dataset) => ({ id: dataset, dataset }) as Dataset);

  it('is the dataset that the id begins with, whole', () => {
    expect(datasetOf({ datasets }, 'helsinki:way/1')?.dataset).toBe('helsinki');
    expect(datasetOf({ datasets }, 'helsinki-sample:parcel/1')?.dataset).toBe('helsinki-sample');
    expect(datasetOf({ datasets }, 'elsewhere:1')).toBeUndefined();
  });
});

describe('the words of the page', () => {
  it('take the same parameters in both languages', () => {
    const holes = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map((m) => m[0]).sort();
    expect(Object.keys(WORDS.zh)).toEqual(Object.keys(WORDS.en));
    for (const key of Object.keys(WORDS.en) as (keyof typeof WORDS.en)[]) expect([key, holes(WORDS.zh[key])]).toEqual([key, holes(WORDS.en[key])]);
  });
});
