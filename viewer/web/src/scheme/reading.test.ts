import { afterEach, describe, expect, it } from 'vitest';
import { setLang } from '../i18n/index';
import { bulletOf, changeText, decimalsOf, deltaText, headline, qualityText, rounded, shownOf, targetText, valueText } from './reading';
import type { Reading } from './types';

afterEach(() => setLang('en'));

const reading = (change: Partial<Reading>): Reading => ({
  id: 'people.dwellings', unit: '{dwelling}', value: 1968, base: 1240, delta: 728, target: null, interval: null, quality: 'recorded', method: 'people.md', inputs: [], sources: [], factors: [],
  state: 'ready', sequence: 1, verdict: null, breakdown: null, ...change,
});

describe('a value', () => {
  it.each<[Partial<Reading>, number, string, string]>([
    [{}, 1968, '1,968 homes', '1,968 套'],
    [{ quality: 'modelled' }, 43_218, '43,200 homes', '43,200 套'],
    [{ id: 'land.green_ratio', unit: '1' }, 0.3154, '31.5%', '31.5%'],
    [{ id: 'land.floor_area_ratio', unit: '1', quality: 'modelled' }, 2.15492, '2.15', '2.15'],
    [{ id: 'light.homes_sun', unit: '%' }, 71.11, '71.1%', '71.1%'],
    [{ id: 'land.height_max', unit: 'm' }, 20.5, '20.5 m', '20.5 m'],
    [{ id: 'land.floor_area', unit: 'm2' }, 31_392, '3.14 ha', '3.14 公顷'],
    [{ id: 'cost.construction', unit: 'CNY', quality: 'modelled' }, 87_145_259, '87.1 million CNY', '8,710 万元'],
    [{ id: 'light.neighbours_losing', unit: '1' }, 7, '7 buildings', '7 栋'],
  ])('of %j is written with the digits it deserves', (about, value, en, zh) => {
    expect(valueText(reading(about), value)).toBe(en);
    setLang('zh');
    expect(valueText(reading(about), value)).toBe(zh);
  });

  it.each<[Partial<Reading>, number, string, string]>([
    [{ quality: 'modelled' }, 43_218, '43,200', ''],
    [{ id: 'people.access_park', unit: '1' }, 0.3154, '31.5', '%'],
    [{ id: 'light.neighbours_losing', unit: '1' }, 7, '7', ''],
    [{ id: 'carbon.embodied', unit: 't', quality: 'modelled' }, 43_218, '43,200', 't CO₂'],
    [{ id: 'cost.construction', unit: 'CNY', quality: 'modelled' }, 87_145_259, '87.1', 'M CNY'],
  ])('of %j has the same figure in a narrow column, and no word that its name says', (about, value, text, unit) => {
    expect(shownOf(reading(about), value, true)).toEqual({ text, unit });
    expect(shownOf(reading(about), value).text).toBe(text);
  });

  it('keeps three figures that mean something', () => {
    expect([rounded(43_218), rounded(0.4321), rounded(-1234), rounded(0)]).toEqual([43_200, 0.4321, -1230, 0]);
    expect([decimalsOf(0.5), decimalsOf(5.43), decimalsOf(54.3), decimalsOf(5430)]).toEqual([2, 2, 1, 0]);
  });
});

describe('a change', () => {
  it('is signed, and in points where it is a share', () => {
    expect(deltaText(reading({}), 728)).toBe('+728');
    expect(deltaText(reading({}), -64)).toBe('−64');
    expect(deltaText(reading({ id: 'light.homes_sun', unit: '%' }), -7)).toBe('−7.0 pts');
    setLang('zh');
    expect(deltaText(reading({ id: 'land.green_ratio', unit: '1' }), -0.07)).toBe('−7.0 个百分点');
  });

  it('keeps its scale in a narrow column', () => {
    const cost = reading({ id: 'cost.construction', unit: 'CNY', quality: 'modelled' });
    expect([deltaText(cost, 87_145_259), deltaText(cost, 87_145_259, true)]).toEqual(['+87.1 million', '+87.1 M']);
    setLang('zh');
    expect(deltaText(reading({ id: 'land.green_ratio', unit: '1' }), -0.07, true)).toBe('−7.0');
  });

  it('that rounds to nothing is none', () => {
    expect(deltaText(reading({ id: 'land.green_ratio', unit: '1' }), 0.0001)).toBe('no change');
  });

  it('has no sign in a sentence', () => {
    expect(changeText(reading({}), -64)).toBe('64');
    expect(changeText(reading({ id: 'land.height_max', unit: 'm' }), 10.9)).toBe('10.9 m');
  });
});

describe('what is said beside it', () => {
  it('is the interval of the change where that is known, else of the value', () => {
    expect(qualityText(reading({ quality: 'modelled', interval: [2400, 22_500], delta_interval: [202, 491] }))).toBe('change modelled, +202 to +491');
    expect(qualityText(reading({ quality: 'modelled', interval: [1010, 1260] }))).toBe('modelled, 1,010 to 1,260');
    expect(qualityText(reading({}))).toBe('from the records');
  });

  it('is the limit without zeros that say nothing', () => {
    expect(targetText(reading({ target: { min: 1800, source: '' } }))).toBe('target ≥ 1,800');
    expect(targetText(reading({ id: 'land.green_ratio', unit: '1', target: { min: 0.3, source: '' } }))).toBe('target ≥ 30%');
    expect(targetText(reading({ id: 'land.floor_area_ratio', unit: '1', target: { max: 3.5, source: '' } }))).toBe('limit ≤ 3.5');
    expect(targetText(reading({}))).toBe('');
  });
});

describe('a bar', () => {
  it('begins at zero and holds all its marks', () => {
    const bar = bulletOf(reading({ target: { min: 1800, source: '' }, interval: [1900, 2100] }));
    expect(bar?.zero).toBe(0);
    const marks = [bar?.value, bar?.base, ...(bar?.interval ?? []), ...(bar?.targets ?? [])].map(Number);
    for (const mark of marks) expect(mark).toBeGreaterThan(0);
    for (const mark of marks) expect(mark).toBeLessThan(1);
    expect(bar?.base).toBeLessThan(bar?.value ?? 0);
  });

  it('goes both ways from zero where something is negative', () => {
    const bar = bulletOf(reading({ value: -64, base: 20 }));
    expect(bar?.zero).toBeGreaterThan(0);
    expect(bar?.value).toBeLessThan(bar?.zero ?? 0);
  });

  it('is empty without a value and stands still at nothing', () => {
    expect(bulletOf(reading({ value: null }))).toBeNull();
    expect(bulletOf(reading({ value: 0, base: 0 }))?.value).toBe(0);
  });
});

describe('what is shown first', () => {
  it('is what people ask and what is wrong', () => {
    const all = ['people.dwellings', 'people.jobs', 'land.height_mean', 'land.green_ratio', 'sky.view_factor', 'people.open_space_per_head'].map((id) => reading({ id, verdict: id === 'land.green_ratio' ? 'fail' : null }));
    const ids = headline(all).map((one) => one.id);
    expect(ids).toContain('land.green_ratio');
    expect(ids[0]).toBe('people.dwellings');
    expect(ids.length).toBeLessThan(all.length);
  });
});
