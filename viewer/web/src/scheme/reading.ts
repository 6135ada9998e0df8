/**
 * A reading in words and in figures: the digits that its method deserves, its change in points where it
 * is a share, its interval and its limit. Pure.
 */
import { forReader, number, unitText } from '../i18n/format';
import { lang, t, word, wordFor } from '../i18n/index';
import type { Reading, Verdict } from './types';

/** Ratios of one that are told as parts of a hundred. */
const SHARES: ReadonlySet<string> = new Set([
  'land.building_density', 'land.green_ratio', 'people.access_park', 'people.access_school', 'people.access_transit', 'people.street_connection', 'sky.view_factor', 'sky.landmark_visibility',
]);
const COUNTS: ReadonlySet<string> = new Set(['light.neighbours_losing']);
const SIGNIFICANT = 3;

export interface Shown {
  readonly text: string;
  readonly unit: string;
}

type About = Pick<Reading, 'id' | 'unit' | 'quality'>;

export const isShare = (about: Pick<Reading, 'id' | 'unit'>): boolean => about.unit === '%' || (about.unit === '1' && SHARES.has(about.id));

export const indicatorName = (id: string): string => wordFor('indicator', id) ?? word('indicator', id.slice(id.indexOf('.') + 1));

/** Decimals that leave `digits` figures that mean something, and never more than two. */
export function decimalsOf(value: number, digits = SIGNIFICANT): number {
  const size = Math.abs(value);
  if (size === 0) return 0;
  return Math.min(2, Math.max(0, digits - 1 - Math.floor(Math.log10(size))));
}

/** To three figures that mean something: 43,218 is 43,200. */
export function rounded(value: number, digits = SIGNIFICANT): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const step = 10 ** (Math.floor(Math.log10(Math.abs(value))) - digits + 1);
  return step <= 1 ? value : Math.round(value / step) * step;
}

/** Large amounts of money by what people say: millions, or 万 and 亿; in a narrow column by a letter. */
function money(value: number, unit: string, narrow: boolean): Shown {
  const steps: readonly (readonly [number, string])[] = lang() === 'zh' ? [[1e8, '亿'], [1e4, '万']] : narrow ? [[1e9, 'bn '], [1e6, 'M ']] : [[1e9, 'billion '], [1e6, 'million ']];
  const step = steps.find(([size]) => Math.abs(value) >= size);
  const shown = step ? value / step[0] : value;
  return { text: number(rounded(shown), step ? decimalsOf(shown) : 0), unit: `${step?.[1] ?? ''}${unitText(unit)}` };
}

/**
 * A value and its unit, apart: the unit is written smaller. In a narrow column beside the indicator's name
 * what is counted is not said again.
 */
export function shownOf(about: About, value: number, narrow = false): Shown {
  const { id, unit } = about;
  const said = narrow && (isShare(about) || unit.startsWith('{') || COUNTS.has(id));
  const counted = said ? (isShare(about) ? '%' : '') : wordFor('counted', id);
  if (isShare(about)) return { text: number(unit === '%' ? value : value * 100, 1), unit: counted ?? '%' };
  if (unit === 'CNY' || /^[A-Z]{3}$/.test(unit)) return money(value, unit, narrow);
  if (unit === '1' && !COUNTS.has(id)) return { text: number(value, 2), unit: '' };
  const reader = forReader(value, unit);
  const modelled = about.quality === 'modelled';
  const whole = unit.startsWith('{') || COUNTS.has(id);
  const digits = whole ? 0 : unit === 'm' || unit === 'h' ? 1 : decimalsOf(reader.value);
  return { text: number(modelled ? rounded(reader.value) : reader.value, digits), unit: counted ?? unitText(reader.unit) };
}

const joined = ({ text, unit }: Shown): string => (unit === '' ? text : unit.startsWith('%') ? `${text}${unit}` : `${text} ${unit}`);

export const valueText = (about: About, value: number): string => joined(shownOf(about, value));

const sign = (value: number): string => (value > 0 ? '+' : '');

/** Nothing that would be seen after rounding. */
export const isZero = (text: string): boolean => !/[1-9]/.test(text);

/** A change with its sign and without the unit; of shares in points. */
export function deltaText(about: About, delta: number, narrow = false): string {
  if (isShare(about)) {
    const points = number(about.unit === '%' ? delta : delta * 100, 1);
    return isZero(points) ? t('changes.none') : t(narrow ? 'reading.points.short' : 'reading.points', { n: `${sign(delta)}${points}` });
  }
  const shown = shownOf(about, delta, narrow);
  if (isZero(shown.text)) return t('changes.none');
  const scale = /^(billion |million |bn |M |亿|万)/.exec(shown.unit)?.[0].trim() ?? (shown.unit === unitText('ha') ? shown.unit : '');
  return `${sign(delta)}${shown.text}${scale ? ` ${scale}` : ''}`;
}

/** A signed figure for an interval of changes. */
const deltaFigure = (about: About, delta: number): string => {
  const shown = shownOf(about, delta);
  return `${isZero(shown.text) ? '' : sign(delta)}${shown.text}`;
};

/** The size of a change with its unit, for a sentence. */
export function changeText(about: About, delta: number): string {
  if (isShare(about)) {
    const points = number(Math.abs(about.unit === '%' ? delta : delta * 100), 1);
    return t('reading.points', { n: points });
  }
  const shown = shownOf(about, Math.abs(delta));
  // A sentence names what is counted itself.
  return about.unit.startsWith('{') || COUNTS.has(about.id) ? shown.text : joined(shown);
}

/** How it is known, and between which bounds. */
export function qualityText(reading: Reading): string {
  if (reading.quality === 'modelled') {
    // The change is known far better than the whole city is.
    if (reading.delta_interval) {
      const [lo, hi] = reading.delta_interval;
      return t('reading.modelledChange', { lo: deltaFigure(reading, lo), hi: deltaFigure(reading, hi) });
    }
    if (!reading.interval) return t('reading.modelledOnly');
    const [lo, hi] = reading.interval;
    return t('reading.modelled', { lo: shownOf(reading, lo).text, hi: shownOf(reading, hi).text });
  }
  return reading.quality === 'measured' ? t('reading.measured') : reading.quality === 'generated' ? t('reading.generated') : t('reading.recorded');
}

export function targetText(reading: Reading): string {
  const { target } = reading;
  // A limit is exact: its zeros say nothing.
  const exact = (value: number): string => shownOf(reading, value).text.replace(/\.(\d*?)0+$/, (_, kept: string) => (kept ? `.${kept}` : ''));
  const short = (value: number): string => (isShare(reading) ? `${exact(value)}%` : exact(value));
  if (target?.min !== undefined && target.max !== undefined) return t('reading.between', { lo: short(target.min), hi: short(target.max) });
  if (target?.min !== undefined) return t('reading.min', { n: short(target.min) });
  return target?.max !== undefined ? t('reading.max', { n: short(target.max) }) : '';
}

export const verdictText = (verdict: Verdict): string => t(`reading.${verdict}`);

export interface Bullet {
  /** Shares of the width, 0 to 1. */
  readonly zero: number;
  readonly value: number;
  readonly base: number | null;
  readonly interval: readonly [number, number] | null;
  readonly targets: readonly number[];
}

const HEADROOM = 1.18;

/** Where things stand on a reading's bar, which begins at zero. */
export function bulletOf(reading: Reading): Bullet | null {
  const { value, base, target } = reading;
  const change = reading.delta_interval;
  const interval = change && base !== null ? ([base + change[0], base + change[1]] as const) : reading.interval;
  if (value === null) return null;
  const limits = [target?.min, target?.max].filter((limit) => limit !== undefined);
  const all = [value, ...(base === null ? [] : [base]), ...(interval ?? []), ...limits];
  const least = Math.min(0, ...all);
  const most = Math.max(0, ...all);
  // A share has a natural end; other bars end a little behind their last mark.
  const whole = reading.unit === '%' ? 100 : 1;
  const end = isShare(reading) && most > whole * 0.4 ? whole : most * HEADROOM;
  const begin = least * HEADROOM;
  if (end <= begin) return { zero: 0, value: 0, base: null, interval: null, targets: [] };
  const at = (x: number): number => Math.min(1, Math.max(0, (x - begin) / (end - begin)));
  return { zero: at(0), value: at(value), base: base === null ? null : at(base), interval: interval && [at(interval[0]), at(interval[1])], targets: limits.map(at) };
}

/** What a resident asks first; then what is not as it should be; then the rest by group. */
const FIRST = ['people.dwellings', 'people.open_space_per_head', 'light.homes_sun', 'people.access_park', 'land.floor_area_ratio', 'carbon.embodied'] as const;
const GROUPS = ['people', 'light', 'land', 'sky', 'carbon', 'cost'] as const;
const rank = (list: readonly string[], item: string): number => (list.indexOf(item) + list.length + 1) % (list.length + 1);

export function ordered(readings: readonly Reading[]): Reading[] {
  const severity = (reading: Reading): number => (reading.verdict === 'fail' ? 0 : reading.verdict === 'discuss' ? 1 : 2);
  const group = (id: string): string => id.slice(0, id.indexOf('.'));
  return [...readings].sort((a, b) => rank(FIRST, a.id) - rank(FIRST, b.id) || severity(a) - severity(b) || rank(GROUPS, group(a.id)) - rank(GROUPS, group(b.id)) || a.id.localeCompare(b.id));
}

/** Readings that a panel shows before it is asked for more: what people ask first and what is wrong. */
export function headline(readings: readonly Reading[], most = 4): Reading[] {
  const known = ordered(readings).filter((reading) => reading.state !== 'ready' || reading.value !== null);
  const wrong = known.filter((reading) => reading.verdict === 'fail' || reading.verdict === 'discuss');
  const first = known.filter((reading) => !wrong.includes(reading)).slice(0, Math.max(2, most - wrong.length));
  const chosen = new Set([...first, ...wrong].slice(0, Math.max(most, first.length + Math.min(wrong.length, 3))));
  return known.filter((reading) => chosen.has(reading));
}
