/** A tour: stops of title, text, view and sun, in an order. Pure; the pages move the camera by it. */
import type { Bilingual } from '../state/model';
import type { SunTime, View } from '../state/url';
import { instantOf, wallOf } from '../state/zone';
import type { TourStop } from './types';

export const STOPS_MAX = 50;
export const TITLE_MAX = 120;
export const TEXT_MAX = 2_000;
/** How long a stop is shown before the next, by its words; and at least, at most. */
const READ_MS_PER_CHARACTER = 55;
const STOP_MS_MIN = 5_000;
const STOP_MS_MAX = 20_000;

/** The camera of a stop; null where it cannot be read. */
export function viewOf(text: string): View | null {
  const [longitude, latitude, zoom, pitch = 50, bearing = 0] = text.split(',').map(Number);
  const all = [longitude, latitude, zoom, pitch, bearing];
  if (longitude === undefined || latitude === undefined || zoom === undefined || !all.every((value) => Number.isFinite(value))) return null;
  const sane = Math.abs(longitude) <= 180 && Math.abs(latitude) <= 85 && zoom >= 0 && zoom <= 24 && pitch >= 0 && pitch <= 85;
  return sane ? { longitude, latitude, zoom, pitch, bearing } : null;
}

const trim = (value: number, digits: number): string => String(Number(value.toFixed(digits)));

export const viewText = (view: View): string => [trim(view.longitude, 6), trim(view.latitude, 6), trim(view.zoom, 2), trim(view.pitch, 1), trim(view.bearing, 1)].join(',');

/** Date and time of a stop's sun on the city's clock. */
export function sunOf(stop: TourStop, zone: string): SunTime | null {
  const at = stop.sun === null ? NaN : Date.parse(stop.sun);
  return Number.isNaN(at) ? null : wallOf(new Date(at), zone);
}

export const sunText = (sun: SunTime | null, zone: string): string | null => (sun === null ? null : instantOf(sun.date, sun.minutes, zone).toISOString());

const EMPTY: Bilingual = { en: '', zh: '' };

export const newStop = (view: View, sun: SunTime | null, zone: string): TourStop => ({ title: EMPTY, text: EMPTY, view: viewText(view), sun: sunText(sun, zone) });

/** What a stop says in a language, or in the other where it says nothing in this one. */
export const said = (words: Bilingual, lang: 'en' | 'zh'): string => words[lang] || words[lang === 'en' ? 'zh' : 'en'];

export const withStop = (stops: readonly TourStop[], stop: TourStop): readonly TourStop[] => (stops.length >= STOPS_MAX ? stops : [...stops, stop]);
export const withoutStop = (stops: readonly TourStop[], index: number): readonly TourStop[] => stops.filter((_, i) => i !== index);
export const changedStop = (stops: readonly TourStop[], index: number, change: Partial<TourStop>): readonly TourStop[] => stops.map((stop, i) => (i === index ? { ...stop, ...change } : stop));

/** The stop one place up (-1) or down (1); nothing happens at the ends. */
export function movedStop(stops: readonly TourStop[], index: number, by: -1 | 1): readonly TourStop[] {
  const to = index + by;
  const [one, other] = [stops[index], stops[to]];
  if (!one || !other) return stops;
  return stops.map((stop, i) => (i === index ? other : i === to ? one : stop));
}

/** Milliseconds that a person needs for a stop. */
export function stopTime(stop: TourStop, lang: 'en' | 'zh'): number {
  const length = said(stop.title, lang).length + said(stop.text, lang).length;
  // A Chinese character holds about what three letters do.
  return Math.min(STOP_MS_MAX, Math.max(STOP_MS_MIN, STOP_MS_MIN + length * READ_MS_PER_CHARACTER * (lang === 'zh' ? 3 : 1)));
}

export interface TourState {
  readonly stop: number;
  readonly auto: boolean;
}

/** The next or the last stop; going on by itself ends at the last one. */
export function step(state: TourState, count: number, by: number): TourState {
  const stop = Math.min(count - 1, Math.max(0, state.stop + by));
  return { stop, auto: state.auto && stop < count - 1 };
}
