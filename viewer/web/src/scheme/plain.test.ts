import { afterEach, describe, expect, it } from 'vitest';
import { isKey, setLang, wordFor } from '../i18n/index';
import { fit, ringArea } from './area';
import { builtOf, builtSentence, cardLine, sentences } from './plain';
import { isSchemeObject } from './show-state';
import type { Reading, SchemeObject } from './types';

afterEach(() => setLang('en'));

/** A square of metres at 60° north: an independent measure of the earth by its degrees. */
const square = (side: number): GeoJSON.Polygon => {
  const dy = side / 111_195;
  const dx = dy / Math.cos((60 * Math.PI) / 180);
  return { type: 'Polygon', coordinates: [[[24, 60], [24 + dx, 60], [24 + dx, 60 + dy], [24, 60 + dy], [24, 60]]] };
};

const object = (change: Partial<SchemeObject>): SchemeObject => ({
  id: 'sabcdefgh:b/1', type: 'Building', change: 'added', geometry: square(20), ground_m: 0, height_m: 18, storeys: [], roof: { type: 'flat', height_m: 0 }, land_use: null, phase_year: null, name: null, properties: {}, ...change,
});
const storeys = (n: number): SchemeObject['storeys'] => Array.from({ length: n }, () => [3, 'residential'] as const);

const OBJECTS = [
  object({ storeys: storeys(5) }), object({ storeys: storeys(14) }), object({ change: 'demolished' }),
  object({ type: 'PlantCover', geometry: square(145) }), object({ type: 'SolitaryVegetationObject', storeys: null as never }), object({ type: 'Road', change: 'changed', properties: { closed: true } }),
];

describe('what a scheme builds', () => {
  it('is counted by kind', () => {
    const built = builtOf(OBJECTS);
    expect(built).toMatchObject({ buildings: { added: 2, changed: 0, demolished: 1 }, storeys: [5, 14], parks: 1, trees: 1, streetsClosed: 1 });
    expect(built.park_m2).toBeGreaterThan(145 * 145 * 0.995);
    expect(built.park_m2).toBeLessThan(145 * 145 * 1.005);
  });

  it('is one sentence in both languages', () => {
    expect(builtSentence(builtOf(OBJECTS))).toBe('2 new buildings of 5 to 14 storeys, 1 building removed, a new park of 2.1 ha, 1 tree planted, 1 street closed.');
    setLang('zh');
    expect(builtSentence(builtOf(OBJECTS))).toBe('新建 2 栋（5 至 14 层），拆除 1 栋，新建公园 2.1 公顷，植树 1 株，封闭道路 1 条。');
    expect(builtSentence(builtOf([]))).toBe('无新建或拆除。');
  });

  it('takes holes off its area', () => {
    const outer = square(100).coordinates[0] ?? [];
    const hole = square(50).coordinates[0] ?? [];
    const area = ringArea({ type: 'Polygon', coordinates: [outer, hole] });
    expect(Math.abs(area - 7_500)).toBeLessThan(50);
    expect(ringArea({ type: 'Point', coordinates: [0, 0] })).toBe(0);
  });
});

const homes = { id: 'people.dwellings', unit: '{dwelling}', quality: 'modelled', state: 'ready', delta: 728 } as unknown as Reading;

describe('a card', () => {
  it('says homes and storeys', () => {
    expect(cardLine([homes], builtOf(OBJECTS))).toBe('+728 homes, 5–14 storeys');
    setLang('zh');
    expect(cardLine([homes], builtOf(OBJECTS))).toBe('+728 套，5 至 14 层');
  });

  it('says what there is', () => {
    expect(cardLine([], builtOf([object({ type: 'PlantCover', geometry: square(145) })]))).toBe('2.1 ha of park');
    expect(cardLine([], null)).toBe('');
  });
});

describe('sentences', () => {
  it('tell what moved enough to be seen', () => {
    const park = { id: 'people.access_park', unit: '1', quality: 'modelled', state: 'ready', delta: 0.001 } as unknown as Reading;
    expect(sentences([homes, park])).toEqual(['728 more homes.']);
    expect(sentences([{ ...homes, delta: -5 }])).toEqual(['5 fewer homes.']);
    expect(sentences([{ ...homes, state: 'pending' }])).toEqual([]);
  });

  it('there are for every indicator that has a name, both ways', () => {
    for (const id of ['land.floor_area', 'land.green_ratio', 'people.jobs', 'light.homes_sun', 'sky.view_factor', 'carbon.embodied', 'cost.construction']) {
      expect(wordFor('indicator', id)).toBeDefined();
      expect([isKey(`plain.${id}.more`), isKey(`plain.${id}.less`)]).toEqual([true, true]);
    }
  });
});

describe('the camera', () => {
  it('comes closer to what is smaller', () => {
    const large = fit([24, 60, 24.01, 60.01], 800, 600);
    const small = fit([24, 60, 24.002, 60.002], 800, 600);
    expect(small.zoom).toBeGreaterThan(large.zoom);
    expect(large.centre[0]).toBeCloseTo(24.005, 6);
  });
});

it('ids of schemes are told from those of the city', () => {
  expect(['s2wmvm2gb:b/1', 'helsinki:way/1', 'base'].map(isSchemeObject)).toEqual([true, false, false]);
});
