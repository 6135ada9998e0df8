import { describe, expect, it } from 'vitest';
import type { Datastream, Feature } from '../state/model';
import { csv, geojson } from './download';
import { cells, filtered, NO_FILTER, rowsOf, sorted, usesOf, within, type Row } from './table-model';

const feature = (id: string, properties: Feature['properties']): Feature => ({ type: 'Feature', id, geometry: null, properties });
const rows = rowsOf(
  [
    feature('h:way/2', { function: 'school', height_m: 13, storeys_above_ground: 4, name: 'Norssi', quality: 'recorded' }),
    feature('h:way/10', { function: 'yes', height_m: null }),
    feature('h:way/1', { function: 'school', height_m: 7.25, year_of_construction: 1912 }),
  ],
  [{ id: 's', object_id: 'h:way/2' } as unknown as Datastream],
);
const ids = (list: readonly Row[]): string[] => list.map((r) => r.id);

describe('rows', () => {
  it('hold what the features say, and count their sensors', () => {
    expect(rows[0]).toEqual({ id: 'h:way/2', name: 'Norssi', use: 'school', storeys: 4, height_m: 13, quality: 'recorded', year: null, sensors: 1 });
    expect(cells.height(rows[1] as Row)).toBe('–');
    expect(cells.year(rows[2] as Row)).toBe('1912');
  });

  it('sort by value, what is missing last both ways', () => {
    expect(ids(sorted(rows, (r) => r.height_m, false))).toEqual(['h:way/1', 'h:way/2', 'h:way/10']);
    expect(ids(sorted(rows, (r) => r.height_m, true))).toEqual(['h:way/2', 'h:way/1', 'h:way/10']);
  });

  it('sort ids as people count', () => {
    expect(ids(sorted(rows, (r) => r.id, false))).toEqual(['h:way/1', 'h:way/2', 'h:way/10']);
  });

  it('are filtered by text, use and source of height', () => {
    expect(ids(filtered(rows, { ...NO_FILTER, text: 'NORS' }))).toEqual(['h:way/2']);
    expect(ids(filtered(rows, { ...NO_FILTER, use: 'school' }))).toHaveLength(2);
    expect(ids(filtered(rows, { ...NO_FILTER, quality: 'recorded' }))).toEqual(['h:way/2']);
    expect(usesOf(rows)).toEqual(['school', 'yes']);
  });

  it('know the box of the map', () => {
    expect(within([24.94, 60.17], [24.93, 60.16, 24.95, 60.18])).toBe(true);
    expect(within([24.96, 60.17], [24.93, 60.16, 24.95, 60.18])).toBe(false);
  });
});

describe('a CSV', () => {
  const body = (value: string): string => csv(['a'], [[value]]).split('\r\n')[1] ?? '';

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '＝1+1'])('does not let a spreadsheet run %j', (text) => {
    expect(body(text).replace(/^"/, '').startsWith("'")).toBe(true);
  });

  it('leaves numbers as numbers', () => {
    expect(csv(['a', 'b'], [[-3.5, null]])).toBe('\uFEFFa,b\r\n-3.5,\r\n');
  });

  it('quotes what needs quotes', () => {
    expect(body('a "b", c')).toBe('"a ""b"", c"');
    expect(body('x')).toBe('x');
  });
});

describe('a GeoJSON', () => {
  it('carries its attribution', () => {
    expect(JSON.parse(geojson([], ['© OpenStreetMap contributors']))).toEqual({ type: 'FeatureCollection', attribution: '© OpenStreetMap contributors', features: [] });
  });
});
