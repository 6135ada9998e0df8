/** How a reading is written: the digits its method deserves, and a unit that a person reads. Pure. */
import { number } from '../i18n/format';
import { lang, t, wordFor } from '../i18n/index';
import type { Reading } from '../scheme/types';

/** Ratios that are told as shares of a hundred. */
const SHARES = /^(people\.access_|people\.street_connection|land\.building_density|land\.green_ratio|light\.\w*share|sky\.\w*share)/;

export interface Figure {
  readonly text: string;
  readonly unit: string;
}

const isShare = (id: string, unit: string): boolean => unit === '1' && SHARES.test(id);

/** Three figures that mean something, however large. */
function short(value: number): Figure {
  const size = Math.abs(value);
  const steps: readonly (readonly [number, string])[] = lang() === 'zh' ? [[1e8, '亿'], [1e4, '万']] : [[1e9, 'bn'], [1e6, 'M']];
  const step = steps.find(([from]) => size >= from);
  if (!step) return { text: number(value, size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2), unit: '' };
  const shown = value / step[0];
  return { text: number(shown, Math.abs(shown) >= 100 ? 0 : Math.abs(shown) >= 10 ? 1 : 2), unit: step[1] };
}

/** A value without the words of its unit beyond what the row says anyway. */
export function figureOf(id: string, unit: string, value: number): Figure {
  if (isShare(id, unit)) return { text: number(value * 100, 1), unit: '%' };
  if (unit === '%') return { text: number(value, 1), unit: '%' };
  if (unit === '1') return { text: number(value, 2), unit: '' };
  if (unit === 'm2' && Math.abs(value) >= 10_000) return { text: number(value / 10_000, Math.abs(value) >= 1e6 ? 0 : 1), unit: t('plan.unit.ha') };
  if (unit === 'm2') return { text: number(value), unit: 'm²' };
  if (unit === 'm' || unit === 'h') return { text: number(value, 1), unit: wordFor('unit', unit) ?? unit };
  if (unit.startsWith('{') && !unit.includes('/')) return { text: number(value), unit: '' };
  const figure = short(value);
  const word = wordFor('planUnit', unit) ?? wordFor('unit', unit) ?? unit.replace(/[{}]/g, '');
  return { text: figure.text, unit: [figure.unit, word].filter(Boolean).join(lang() === 'zh' ? '' : ' ') };
}

const joined = (figure: Figure): string => (figure.unit === '' ? figure.text : figure.unit === '%' ? `${figure.text}%` : `${figure.text} ${figure.unit}`);

export const readingText = (id: string, unit: string, value: number): string => joined(figureOf(id, unit, value));

/** A change with its sign; of shares in points. */
export function deltaText(id: string, unit: string, delta: number, narrow = false): string {
  const sign = delta > 0 ? '+' : '';
  if (isShare(id, unit) || unit === '%') return t(narrow ? 'plan.points.short' : 'plan.points', { n: `${sign}${number(unit === '%' ? delta : delta * 100, 1)}` });
  const figure = figureOf(id, unit, delta);
  if (Number(figure.text.replace(/[^\d.]/g, '')) === 0) return '0';
  const unitOf = /^(bn|M|亿|万)/.exec(figure.unit)?.[0] ?? (unit === 'm2' && figure.unit !== 'm²' ? figure.unit : '');
  return `${sign}${figure.text}${unitOf ? ` ${unitOf}` : ''}`;
}

export interface Bullet {
  /** Shares of the width, 0 to 1. */
  readonly value: number;
  readonly base: number | null;
  readonly interval: readonly [number, number] | null;
  readonly target: number | null;
  readonly from: number;
}

/** Where things stand on a reading's bar, which begins at zero. */
export function bulletOf(reading: Reading): Bullet | null {
  if (reading.value === null) return null;
  const target = reading.target?.min ?? reading.target?.max ?? null;
  const all = [reading.value, reading.base ?? 0, target ?? 0, ...(reading.interval ?? [])];
  const low = Math.min(0, ...all);
  const top = Math.max(...all);
  // The bar is as long as it must be and a little more, so that the largest mark is not at its end.
  const high = isShare(reading.id, reading.unit) && top <= 1 ? 1 : low + (Math.max(top, 0) - low) * 1.18;
  if (high <= low) return { value: 0, base: null, interval: null, target: null, from: 0 };
  const at = (value: number): number => Math.min(1, Math.max(0, (value - low) / (high - low)));
  return { value: at(reading.value), from: at(0), base: reading.base === null ? null : at(reading.base), interval: reading.interval ? [at(reading.interval[0]), at(reading.interval[1])] : null, target: target === null ? null : at(target) };
}
