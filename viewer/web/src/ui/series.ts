/**
 * Geometry of a small time series, pure: readings in, paths out. Units: the reader's (already
 * converted), milliseconds, CSS pixels. A gap is where readings are further apart than three times
 * their usual distance; it is drawn as a block and never bridged by a line.
 */
export interface Reading {
  readonly at_ms: number;
  readonly value: number;
}

export interface Box {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface Chart {
  readonly path: string;
  readonly gaps: readonly { readonly x: number; readonly width: number }[];
  readonly ticksY: readonly { readonly y: number; readonly value: number }[];
  readonly ticksX: readonly { readonly x: number; readonly at_ms: number }[];
  readonly last: { readonly x: number; readonly y: number } | null;
  readonly y: (value: number) => number;
  readonly lo: number;
  readonly hi: number;
}

const GAP_FACTOR = 3;

/** Round bounds and a step that a person reads easily: 1, 2, 2.5 or 5 times a power of ten. */
export function niceTicks(lo: number, hi: number, count: number): number[] {
  const span = hi - lo || Math.abs(hi) || 1;
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 2.5, 5, 10].find((m) => m * power >= raw * 0.999) ?? 10) * power;
  const first = Math.floor(lo / step + 1e-9) * step;
  const ticks: number[] = [];
  for (let i = 0; i < 20; i += 1) {
    const value = Number((first + i * step).toPrecision(12));
    ticks.push(value);
    if (value >= hi - step * 1e-6) break;
  }
  return ticks;
}

/** The usual distance between readings: their median. */
export function usualStep(readings: readonly Reading[]): number {
  const steps = readings.slice(1).map((r, i) => r.at_ms - (readings[i]?.at_ms ?? 0)).sort((a, b) => a - b);
  return steps[Math.floor(steps.length / 2)] ?? 0;
}

export function gapsOf(readings: readonly Reading[]): { readonly from_ms: number; readonly to_ms: number }[] {
  const usual = usualStep(readings);
  if (usual <= 0) return [];
  return readings.slice(1).flatMap((r, i) => {
    const before = readings[i];
    return before && r.at_ms - before.at_ms > usual * GAP_FACTOR ? [{ from_ms: before.at_ms, to_ms: r.at_ms }] : [];
  });
}

/** Times on the axis at round quarters, halves or whole hours. */
function timeTicks(from: number, to: number, count: number): number[] {
  const step = [5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((m) => m * 60_000).find((ms) => (to - from) / ms <= count) ?? 86_400_000;
  const ticks: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push(at);
  return ticks;
}

export function chartOf(readings: readonly Reading[], reach: readonly number[], from_ms: number, to_ms: number, box: Box): Chart {
  const values = [...readings.map((r) => r.value), ...reach];
  const ticks = niceTicks(Math.min(...values), Math.max(...values), 3);
  const lo = ticks[0] ?? 0;
  const hi = ticks.at(-1) ?? 1;
  const w = box.width - box.left - box.right;
  const h = box.height - box.top - box.bottom;
  const x = (at: number): number => box.left + (w * (at - from_ms)) / Math.max(1, to_ms - from_ms);
  const y = (value: number): number => box.top + h * (1 - (value - lo) / (hi - lo || 1));
  const gaps = gapsOf(readings);
  const breaks = new Set(gaps.map((g) => g.to_ms));
  const path = readings.map((r, i) => `${i === 0 || breaks.has(r.at_ms) ? 'M' : 'L'}${x(r.at_ms).toFixed(1)} ${y(r.value).toFixed(1)}`).join('');
  const end = readings.at(-1);
  return {
    path,
    gaps: gaps.map((g) => ({ x: x(g.from_ms), width: x(g.to_ms) - x(g.from_ms) })),
    ticksY: ticks.map((value) => ({ y: y(value), value })),
    ticksX: timeTicks(from_ms, to_ms, 4).map((at_ms) => ({ x: x(at_ms), at_ms })),
    last: end ? { x: x(end.at_ms), y: y(end.value) } : null,
    y,
    lo,
    hi,
  };
}

/** Earlier readings and those that came live, in order, each time once, within the window. */
export function joinReadings(earlier: readonly Reading[], live: readonly Reading[], from_ms: number): Reading[] {
  const byTime = new Map<number, Reading>();
  for (const r of [...earlier, ...live]) if (Number.isFinite(r.at_ms) && r.at_ms >= from_ms) byTime.set(r.at_ms, r);
  return [...byTime.values()].sort((a, b) => a.at_ms - b.at_ms);
}
