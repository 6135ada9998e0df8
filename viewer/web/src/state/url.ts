/**
 * What a link holds: view, schemes, layers, colour, selection, sun, language, theme. Pure: text in, text out.
 *
 * A value that cannot be read is left out; a link never breaks a page.
 */
import type { Lang } from '../i18n/index';
import { COMPARE_MODES, type CompareMode } from '../scheme/panes';
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

/** Which schemes are shown, and how. */
export interface SchemeLink {
  readonly left: string;
  readonly right: string;
  readonly mode?: CompareMode;
  /** Share of the free width, 0 to 1. */
  readonly position?: number;
  readonly phase?: number;
  /** Stop of the tour, from 0. */
  readonly stop?: number;
}

export interface Link {
  readonly schemes?: SchemeLink;
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
  readonly set?: 'buildings' | 'sensors' | 'schemes';
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
  const object = query.get('sel') ?? query.get('select');
  if (object) return { kind: 'object', id: object };
  const sensor = query.get('sensor');
  if (sensor) return { kind: 'datastream', id: sensor };
  const element = query.get('element') ?? '';
  const slash = element.indexOf('/');
  return slash > 0 && slash < element.length - 1 ? { kind: 'element', network: element.slice(0, slash), id: element.slice(slash + 1) } : null;
}

const SCHEME_ID = /^(base|s[a-z2-7]{8})$/;

const whole = (text: string | null, least: number, most: number): number | undefined => {
  const value = finite(text ?? '');
  return value !== undefined && Number.isInteger(value) && value >= least && value <= most ? value : undefined;
};

/** `schemes=left,right`; one id alone stands right, beside the city as it is. */
function readSchemes(query: URLSearchParams): SchemeLink | undefined {
  const ids = (query.get('schemes') ?? '').split(',').filter(Boolean);
  if (ids.length === 0 || ids.length > 2 || !ids.every((id) => SCHEME_ID.test(id))) return undefined;
  const mode = COMPARE_MODES.find((name) => name === query.get('mode'));
  const position = whole(query.get('pos'), 0, 100);
  const phase = whole(query.get('phase'), 0, 9_999);
  const stop = whole(query.get('stop'), 1, 99);
  return {
    left: ids.length === 2 ? ids[0] ?? 'base' : 'base',
    right: ids[ids.length - 1] ?? 'base',
    ...(mode ? { mode } : {}),
    ...(position === undefined ? {} : { position: position / 100 }),
    ...(phase === undefined ? {} : { phase }),
    ...(stop === undefined ? {} : { stop: stop - 1 }),
  };
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
  const schemes = readSchemes(query);
  return {
    ...(schemes ? { schemes } : {}),
    layers,
    colourBy: COLOUR_ATTRIBUTES.find((name) => name === by) ?? null,
    selection: readSelection(query),
    sun: readSun(query.get('sun')),
    ...(view ? { view } : {}),
    ...(language === 'en' || language === 'zh' ? { lang: language } : {}),
    ...(theme === 'light' || theme === 'dark' ? { theme } : {}),
    ...(box && box[0] < box[2] && box[1] < box[3] ? { bbox: box } : {}),
    ...(set === 'buildings' || set === 'sensors' || set === 'schemes' ? { set } : {}),
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
  if (link.schemes) {
    const { left, right, mode, position, phase, stop } = link.schemes;
    query.set('schemes', `${left},${right}`);
    if (mode) query.set('mode', mode);
    if (position !== undefined) query.set('pos', String(Math.round(position * 100)));
    if (phase !== undefined) query.set('phase', String(phase));
    if (stop !== undefined) query.set('stop', String(stop + 1));
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
