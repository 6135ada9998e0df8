/**
 * Numbers, units, dates and ages as the pages write them, in both languages: thousands with a comma,
 * a true minus, a space before a unit but none before a percent sign, tabular figures by CSS.
 */
import { lang, t, wordFor } from './index';

const MINUS = '−';

/** Several things said in one breath. */
export const listed = (parts: readonly string[]): string => parts.join(lang() === 'zh' ? '，' : ', ');

/** Group thousands by a comma and round to `digits` decimals. */
export function number(value: number, digits = 0): string {
  if (!Number.isFinite(value)) return '–';
  const fixed = Math.abs(value).toFixed(digits);
  const [whole = '0', rest] = fixed.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const zero = Number(fixed) === 0;
  return `${value < 0 && !zero ? MINUS : ''}${grouped}${rest ? `.${rest}` : ''}`;
}

/** Decimals that the method deserves, by unit (after conversion for the reader). */
const DIGITS: Readonly<Record<string, number>> = {
  'm': 1, 'L/s': 1, 'pu': 3, '%': 1, 'kW': 0, 'km/h': 0, 'veh/h': 0, '{veh}/h': 0, 'm2': 0, 'm3': 0, 'deg': 0, 'Cel': 1,
};

export interface Shown {
  /** The value as the reader's unit wants it. */
  readonly value: number;
  readonly unit: string;
  readonly digits: number;
}

/** Convert from the unit of the wire to the reader's: m³/s becomes L/s, a dam's worth of m² becomes ha. */
export function forReader(value: number, unit: string | null | undefined): Shown {
  if (unit === 'm3/s') return { value: value * 1000, unit: 'L/s', digits: Math.abs(value) >= 0.1 ? 0 : 1 };
  if (unit === 'm2' && Math.abs(value) >= 10_000) return { value: value / 10_000, unit: 'ha', digits: 1 };
  if (unit === 'kW' && Math.abs(value) < 10) return { value, unit, digits: 1 };
  const code = unit ?? '';
  return { value, unit: code, digits: DIGITS[code] ?? (Number.isInteger(value) ? 0 : 2) };
}

/** The unit as text: `m³`, `L/s`, `辆/h`. */
export const unitText = (unit: string): string => (unit === 'ha' ? (lang() === 'zh' ? '公顷' : 'ha') : wordFor('unit', unit) ?? unit);

/** A number without its unit, rounded as the unit deserves. */
export function figure(value: number, unit?: string | null): string {
  const shown = forReader(value, unit);
  return number(shown.value, shown.digits);
}

/** The unit in which `figure` wrote the value. */
export const figureUnit = (value: number, unit?: string | null): string => unitText(forReader(value, unit).unit);

/** Value and unit: `46.8 m`, `31.5%`. */
export function quantity(value: number, unit?: string | null): string {
  const text = figureUnit(value, unit);
  return `${figure(value, unit)}${text === '' ? '' : text === '%' || text === '°' ? text : ` ${text}`}`;
}

/** An interval without a repeated unit: `10.2 to 15.4 m`. */
export function interval(lo: number, hi: number, unit?: string | null): string {
  return t('info.interval', { lo: figure(lo, unit), hi: quantity(hi, unit) });
}

/** A four-digit year is a name, not an amount: no comma. */
export const year = (value: number): string => String(Math.round(value));

const formats = new Map<string, Intl.DateTimeFormat>();

/** The parts of a date in a zone. The formats are kept: making one takes longer than using it. */
function parts(date: Date, zone: string, options: Intl.DateTimeFormatOptions): Readonly<Record<string, string>> {
  const key = `${zone} ${JSON.stringify(options)}`;
  const format = formats.get(key) ?? new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', ...options });
  formats.set(key, format);
  return Object.fromEntries(format.formatToParts(date).map((part) => [part.type, part.value]));
}

/** `14:36` in the city's time zone. */
export function clock(date: Date, zone: string): string {
  const p = parts(date, zone, { hour: '2-digit', minute: '2-digit' });
  return `${p['hour']}:${p['minute']}`;
}

/** `22 Nov 2026` or `2026-11-22`. */
export function day(date: Date, zone: string): string {
  if (lang() === 'zh') {
    const p = parts(date, zone, { year: 'numeric', month: '2-digit', day: '2-digit' });
    return `${p['year']}-${p['month']}-${p['day']}`;
  }
  const p = parts(date, zone, { year: 'numeric', month: 'short', day: 'numeric' });
  return `${p['day']} ${(p['month'] ?? '').slice(0, 3)} ${p['year']}`;
}

/** `22 Nov 2026, 14:36`. */
export const dayAndClock = (date: Date, zone: string): string => `${day(date, zone)}${lang() === 'zh' ? ' ' : ', '}${clock(date, zone)}`;

/** Day and month of an ISO date: `21 Jun`, `6 月 21 日`. */
export function dayOfYear(isoDate: string): string {
  const [, month = '1', dayNumber = '1'] = isoDate.split('-');
  if (lang() === 'zh') return `${Number(month)} 月 ${Number(dayNumber)} 日`;
  const names = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  return `${Number(dayNumber)} ${names[Number(month) - 1] ?? ''}`;
}

/** `15:10` of minutes since midnight. */
export function minuteClock(minutes: number): string {
  const whole = ((Math.round(minutes) % 1440) + 1440) % 1440;
  return `${String(Math.floor(whole / 60)).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`;
}

/** Age up to 60 min (`4 s ago`), then the clock. */
export function age(atMs: number, nowMs: number, zone: string): string {
  const seconds = Math.max(0, Math.round((nowMs - atMs) / 1000));
  if (seconds < 1) return t('age.now');
  if (seconds < 60) return t('age.seconds', { n: seconds });
  if (seconds < 3600) return t('age.minutes', { n: Math.floor(seconds / 60) });
  return clock(new Date(atMs), zone);
}

/** A span of time: `5 s`, `12 min`. */
export function span(seconds: number): string {
  return seconds < 120 ? t('span.seconds', { n: Math.round(seconds) }) : t('span.minutes', { n: Math.round(seconds / 60) });
}
