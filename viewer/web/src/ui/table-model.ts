/** The table as a pure function: rows in, filtered and sorted rows out. */
import { word } from '../i18n/index';
import { number, year } from '../i18n/format';
import type { AttributeValue, Bounds, Datastream, Feature } from '../state/model';

export interface Row {
  readonly id: string;
  readonly name: string;
  /** OSM use code; `null` where the source has none. */
  readonly use: string | null;
  readonly storeys: number | null;
  readonly height_m: number | null;
  readonly quality: string | null;
  readonly year: number | null;
  readonly sensors: number;
}

export interface SensorRow {
  readonly id: string;
  readonly stream: Datastream;
  readonly value: number | null;
}

export type SortKey = 'id' | 'name' | 'use' | 'storeys' | 'height_m' | 'quality' | 'year' | 'sensors';
export interface Sort<K extends string = SortKey> {
  readonly key: K;
  readonly down: boolean;
}

export interface Filter {
  readonly text: string;
  readonly use: string;
  readonly quality: string;
}

export const NO_FILTER: Filter = { text: '', use: '', quality: '' };

const numberOf = (value: AttributeValue | undefined): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);
const textOf = (value: AttributeValue | undefined): string | null => (typeof value === 'string' && value !== '' ? value : null);

export function rowsOf(features: readonly Feature[], streams: readonly Datastream[]): Row[] {
  const sensors = new Map<string, number>();
  for (const s of streams) if (s.object_id) sensors.set(s.object_id, (sensors.get(s.object_id) ?? 0) + 1);
  return features.map((f) => ({
    id: f.id,
    name: textOf(f.properties['name']) ?? '',
    use: textOf(f.properties['function']) ?? textOf(f.properties['use']),
    storeys: numberOf(f.properties['storeys_above_ground']),
    height_m: numberOf(f.properties['height_m']),
    quality: textOf(f.properties['height_m_quality']) ?? textOf(f.properties['quality']),
    year: numberOf(f.properties['year_of_construction']),
    sensors: sensors.get(f.id) ?? 0,
  }));
}

/** Compares by value; what is missing comes last, whichever way the column is sorted. Ties go by id. */
export function compare<T>(a: T, b: T, down: boolean, tie: number): number {
  const missing = (v: T): boolean => v === null || v === '' || v === undefined;
  if (missing(a) || missing(b)) return missing(a) && missing(b) ? tie : missing(a) ? 1 : -1;
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
  return order === 0 ? tie : down ? -order : order;
}

export function sorted<R extends { readonly id: string }>(rows: readonly R[], value: (row: R) => unknown, down: boolean): R[] {
  return [...rows].sort((a, b) => compare(value(a), value(b), down, a.id.localeCompare(b.id, undefined, { numeric: true })));
}

export function filtered(rows: readonly Row[], filter: Filter): Row[] {
  const wanted = filter.text.trim().toLocaleLowerCase();
  return rows.filter((row) => {
    if (filter.use && (row.use ?? '') !== filter.use) return false;
    if (filter.quality && row.quality !== filter.quality) return false;
    return wanted === '' || [row.id, row.name, row.use ?? '', row.use ? word('use', row.use) : ''].some((text) => text.toLocaleLowerCase().includes(wanted));
  });
}

/** Uses that occur, the most frequent first. */
export function usesOf(rows: readonly Row[]): string[] {
  const counts = new Map<string, number>();
  for (const row of rows) if (row.use) counts.set(row.use, (counts.get(row.use) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([use]) => use);
}

export const within = (at: readonly [number, number], box: Bounds): boolean => at[0] >= box[0] && at[0] <= box[2] && at[1] >= box[1] && at[1] <= box[3];

/** Cells as the table writes them. */
export const cells = {
  storeys: (row: Row): string => (row.storeys === null ? '–' : number(row.storeys)),
  height: (row: Row): string => (row.height_m === null ? '–' : number(row.height_m, 1)),
  year: (row: Row): string => (row.year === null ? '–' : year(row.year)),
  use: (row: Row): string => (row.use ? word('use', row.use) : '–'),
} as const;

/** The middle of a geometry's box, lon/lat; enough to point a camera at. */
export function centreOf(geometry: unknown): [number, number] | null {
  const xs: number[] = [];
  const ys: number[] = [];
  const walk = (node: unknown): void => {
    if (!Array.isArray(node)) return;
    if (typeof node[0] === 'number' && typeof node[1] === 'number') {
      xs.push(node[0]);
      ys.push(node[1]);
    } else node.forEach(walk);
  };
  walk((geometry as { coordinates?: unknown } | null | undefined)?.coordinates);
  if (xs.length === 0) return null;
  return [(Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2];
}
