/**
 * What a link holds: view, layers, colour, selection, sun, language, theme. Pure: text in, text out.
 *
 * A value that cannot be read is left out; a link never breaks a page.
 */
import type { Lang } from '../i18n/index';
import type { Bounds } from './model';

export interface View {
  readonly longitude: number;
  readonly latitude: number;
  readonly zoom: number;
  readonly pitch: number;
  readonly bearing: number;
}

export type ColourAttribute = 'height_m' | 'year' | 'use' | 'live';
export const COLOUR_ATTRIBUTES: readonly ColourAttribute[] = ['height_m', 'year', 'use', 'live'];

export type Selection =
  | { readonly kind: 'object'; readonly id: string }
  | { readonly kind: 'datastream'; readonly id: string }
  | { readonly kind: 'element'; readonly network: string; readonly id: string };

export interface SunTime {
  /** ISO date in the city's calendar. */
  readonly date: string;
  /** Minutes since midnight on the city's clock. */
  readonly minutes: number;
}

export type Theme = 'light' | 'dark';

export interface Link {
  readonly view?: View;
  /** Layers that are not as the specification has them: id to visible. */
  readonly layers: Readonly<Record<string, boolean>>;
  readonly colourBy: ColourAttribute | null;
  readonly selection: Selection | null;
  readonly sun: SunTime | null;
  readonly lang?: Lang;
  readonly theme?: Theme;
  /** What the map showed when the table was opened. */
  readonly bbox?: Bounds;
  readonly set?: 'buildings' | 'sensors';
}

const finite = (text: string): number | undefined => {
  const value = Number(text);
  return text.trim() !== '' && Number.isFinite(value) ? value : undefined;
};

const numbers = (text: string | null, count: number): number[] | undefined => {
  const values = (text ?? '').split(',').map(finite);
  return values.length === count && values.every((v) => v !== undefined) ? (values as number[]) : undefined;
};

function readView(text: string | null): View | undefined {
  const v = numbers(text, 5);
  if (!v) return undefined;
  const [longitude, latitude, zoom, pitch, bearing] = v as [number, number, number, number, number];
  const sane = Math.abs(longitude) <= 180 && Math.abs(latitude) <= 85 && zoom >= 0 && zoom <= 24 && pitch >= 0 && pitch <= 85;
  return sane ? { longitude, latitude, zoom, pitch, bearing } : undefined;
}

function readSun(text: string | null): SunTime | null {
  const m = /^(\d{4}-(\d{2})-(\d{2}))T(\d{2}):(\d{2})$/.exec(text ?? '');
  if (!m) return null;
  const [month, dayNumber, hour, minute] = [Number(m[2]), Number(m[3]), Number(m[4]), Number(m[5])];
  if (month < 1 || month > 12 || dayNumber < 1 || dayNumber > 31 || hour > 23 || minute > 59) return null;
  return { date: m[1] ?? '', minutes: hour * 60 + minute };
}

function readSelection(query: URLSearchParams): Selection | null {
  const object = query.get('sel');
  if (object) return { kind: 'object', id: object };
  const sensor = query.get('sensor');
  if (sensor) return { kind: 'datastream', id: sensor };
  const element = query.get('element') ?? '';
  const slash = element.indexOf('/');
  return slash > 0 && slash < element.length - 1 ? { kind: 'element', network: element.slice(0, slash), id: element.slice(slash + 1) } : null;
}

export function readLink(search: string): Link {
  const query = new URLSearchParams(search);
  const layers: Record<string, boolean> = {};
  for (const id of (query.get('on') ?? '').split(',').filter(Boolean)) layers[id] = true;
  for (const id of (query.get('off') ?? '').split(',').filter(Boolean)) layers[id] = false;
  const by = query.get('by');
  const language = query.get('lang');
  const theme = query.get('theme');
  const set = query.get('set');
  const view = readView(query.get('v'));
  const box = numbers(query.get('bbox'), 4) as Bounds | undefined;
  return {
    layers,
    colourBy: COLOUR_ATTRIBUTES.find((name) => name === by) ?? null,
    selection: readSelection(query),
    sun: readSun(query.get('sun')),
    ...(view ? { view } : {}),
    ...(language === 'en' || language === 'zh' ? { lang: language } : {}),
    ...(theme === 'light' || theme === 'dark' ? { theme } : {}),
    ...(box && box[0] < box[2] && box[1] < box[3] ? { bbox: box } : {}),
    ...(set === 'buildings' || set === 'sensors' ? { set } : {}),
  };
}

const two = (n: number): string => String(n).padStart(2, '0');
const trim = (n: number, digits: number): string => String(Number(n.toFixed(digits)));

export function writeLink(link: Link): string {
  const query = new URLSearchParams();
  if (link.view) {
    const v = link.view;
    query.set('v', [trim(v.longitude, 6), trim(v.latitude, 6), trim(v.zoom, 2), trim(v.pitch, 1), trim(v.bearing, 1)].join(','));
  }
  const ids = (visible: boolean): string => Object.keys(link.layers).filter((id) => link.layers[id] === visible).sort().join(',');
  if (ids(true)) query.set('on', ids(true));
  if (ids(false)) query.set('off', ids(false));
  if (link.colourBy) query.set('by', link.colourBy);
  if (link.selection?.kind === 'object') query.set('sel', link.selection.id);
  if (link.selection?.kind === 'datastream') query.set('sensor', link.selection.id);
  if (link.selection?.kind === 'element') query.set('element', `${link.selection.network}/${link.selection.id}`);
  if (link.sun) query.set('sun', `${link.sun.date}T${two(Math.floor(link.sun.minutes / 60))}:${two(link.sun.minutes % 60)}`);
  if (link.bbox) query.set('bbox', link.bbox.map((n) => trim(n, 6)).join(','));
  if (link.set) query.set('set', link.set);
  if (link.lang) query.set('lang', link.lang);
  if (link.theme) query.set('theme', link.theme);
  // Kept readable: these are legal in a query, and a link is read by people.
  return query.toString().replaceAll('%2C', ',').replaceAll('%3A', ':').replaceAll('%2F', '/');
}
