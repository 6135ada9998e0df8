import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { attributeColour, commonRange, groundColour, HEIGHT_STEPS_M, legendFor, liveColour, noData, ramp, share, stepIndex, useClass } from './palette';
import { GROUND_RANK } from './layers/tile-content';
import { parseColour, Tokens, toCss } from './tokens';
import type { Datastream, Rgba } from './types';

const NAMED: Record<string, string> = {
  '--seq-1': '#fde725', '--seq-2': '#90d743', '--seq-3': '#35b779', '--seq-4': '#21918c',
  '--seq-5': '#31688e', '--seq-6': '#443983', '--seq-7': '#440154',
  '--bldg-nodata': '#d8d5cf', '--bldg-default': '#f4f1eb', '--alarm-1': '#a8201a',
  '--use-07-residential': '#f8e27c', '--use-08-public': '#e59ac0',
};
const tokens = new Tokens((name) => NAMED[name] ?? '');

describe('parseColour', () => {
  it.each<[string, Rgba | null]>([
    ['#fde725', [253, 231, 37, 255]],
    [' #abc ', [170, 187, 204, 255]],
    ['rgb(179 24 47 / 0.30)', [179, 24, 47, 77]],
    ['rgba(1, 2, 3, 0.5)', [1, 2, 3, 128]],
    ['rgb(1 2 3 / 50%)', [1, 2, 3, 128]],
    ['red', null],
    ['', null],
  ])('%s', (text, expected) => expect(parseColour(text)).toEqual(expected));

  it('survives a round trip through CSS', () => expect(parseColour(toCss([9, 8, 7, 51]))).toEqual([9, 8, 7, 51]));
});

describe('steps and ramps', () => {
  it('puts a value on a border into the upper step', () => {
    expect(stepIndex(HEIGHT_STEPS_M, 12)).toBe(2);
    expect(stepIndex(HEIGHT_STEPS_M, 11.99)).toBe(1);
    expect(stepIndex(HEIGHT_STEPS_M, -3)).toBe(0);
    expect(stepIndex(HEIGHT_STEPS_M, 400)).toBe(6);
  });

  it('interpolates between stops and holds the ends', () => {
    const stops: Rgba[] = [[0, 0, 0, 255], [100, 200, 50, 255], [200, 0, 0, 255]];
    expect(ramp(stops, 0.25)).toEqual([50, 100, 25, 255]);
    expect(ramp(stops, -1)).toEqual([0, 0, 0, 255]);
    expect(ramp(stops, 2)).toEqual([200, 0, 0, 255]);
    expect(ramp(stops, NaN)).toEqual([0, 0, 0, 255]);
  });

  it('knows no share without a range', () => {
    expect(share(5, null)).toBeNull();
    expect(share(5, [3, 3])).toBeNull();
    expect(share(5, [0, 20])).toBe(0.25);
  });
});

describe('attribute colours', () => {
  it('draws missing heights as missing', () => {
    for (const v of [null, undefined, NaN, -9999, '12']) expect(attributeColour('height_m', v, tokens)).toEqual(noData(tokens));
    expect(attributeColour('year', 65535, tokens)).toEqual(noData(tokens));
    expect(noData(tokens)[3]).toBeLessThan(192);
  });

  it('colours a known height by its step', () => {
    expect(attributeColour('height_m', 20, tokens)).toEqual([33, 145, 140, 255]);
  });

  it.each([
    ['apartments', 'residential'], ['school', 'public'], ['retail', 'commercial'], ['train_station', 'transport'],
    ['warehouse', 'industry'], ['castle', 'other'], ['yes', null], ['', null], [null, null],
  ])('sorts the use %s into %s', (value, expected) => expect(useClass(value)).toBe(expected));
});

describe('legend', () => {
  it('shows the colours the city is painted with', () => {
    const legend = legendFor({ attribute: 'height_m' }, tokens);
    const fifty = legend?.items.find((i) => i.from !== undefined && i.from <= 50 && (i.to ?? Infinity) > 50);
    expect(fifty?.colour).toBe(toCss(attributeColour('height_m', 50, tokens)));
    expect(legend?.items.at(-1)).toMatchObject({ code: 'no_data', hatch: true });
    expect(legend?.unit).toBe('m');
  });

  it('carries the range of live values', () => {
    const legend = legendFor({ attribute: 'live', observed_property: 'pressure_head' }, tokens, [10, 60], 'm');
    expect(legend).toMatchObject({ kind: 'ramp', range: [10, 60], unit: 'm' });
    expect(legend?.items[0]?.colour).toBe(toCss(liveColour(10, [10, 60], tokens)));
    expect(legend?.items[6]?.colour).toBe(toCss(liveColour(60, [10, 60], tokens)));
    expect(legend?.items.some((i) => i.code === 'out_of_limits')).toBe(true);
  });

  it('is empty without a colouring', () => expect(legendFor(null, tokens)).toBeNull());
});

it('takes the widest range of one property only', () => {
  const d = (property: string, range: [number, number]): Datastream =>
    ({ id: '', observed_property: property, location: null, object_id: null, network_id: null, element_id: null, range });
  const list = [d('flow', [0, 9]), d('pressure_head', [20, 50]), d('pressure_head', [10, 40])];
  expect(commonRange(list, 'pressure_head')).toEqual([10, 50]);
  expect(commonRange(list, 'voltage')).toBeNull();
});

it('has a colour for every kind of ground', () => {
  const asked: string[] = [];
  const spy = new Tokens((name) => (asked.push(name), '#000'));
  for (const kind of Object.keys(GROUND_RANK)) groundColour(kind, spy);
  expect(asked).toContain('--map-road-motorway');
  expect(asked).toContain('--map-water');
  const css = readFileSync(new URL('./palette.ts', import.meta.url), 'utf8');
  for (const kind of Object.keys(GROUND_RANK)) expect(css).toContain(`  ${kind}: 'map-`);
});

it('a colour that was not there yet is not remembered as missing', () => {
  const page: Record<string, string> = {};
  const late = new Tokens((name) => page[name] ?? '');
  expect(late.get('map-sky')).toEqual([255, 0, 255, 255]);
  page['--map-sky'] = '#eef1f2';
  expect(late.get('map-sky')).toEqual([238, 241, 242, 255]);
});
