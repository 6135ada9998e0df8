import { describe, expect, it } from 'vitest';
import { chartOf, gapsOf, joinReadings, niceTicks, usualStep, type Reading } from './series';

const minute = 60_000;
const every = (count: number, skip: (i: number) => boolean = () => false): Reading[] =>
  Array.from({ length: count }, (_, i) => ({ at_ms: i * minute, value: i % 7 })).filter((_, i) => !skip(i));
const box = { width: 320, height: 120, left: 30, right: 10, top: 10, bottom: 20 };

describe('a gap', () => {
  it('is found where readings are missing, and only there', () => {
    expect(gapsOf(every(60))).toEqual([]);
    expect(gapsOf(every(60, (i) => i >= 20 && i < 40))).toEqual([{ from_ms: 19 * minute, to_ms: 40 * minute }]);
  });

  it('is never bridged by the line', () => {
    const chart = chartOf(every(60, (i) => i >= 20 && i < 40), [], 0, 59 * minute, box);
    expect(chart.path.match(/M/g)).toHaveLength(2);
    expect(chart.gaps).toHaveLength(1);
    expect(chart.gaps[0]?.width).toBeCloseTo((280 * 21) / 59, 3);
  });

  it('needs more than one reading', () => {
    expect(gapsOf([])).toEqual([]);
    expect(usualStep([{ at_ms: 1, value: 1 }])).toBe(0);
  });
});

describe('the axis', () => {
  it('has round steps that reach around the values', () => {
    expect(niceTicks(3.2, 58, 3)).toEqual([0, 20, 40, 60]);
    expect(niceTicks(0.98, 1.02, 3)).toEqual([0.98, 1, 1.02]);
    expect(niceTicks(5, 5, 3)[0]).toBeLessThanOrEqual(5);
  });

  it('holds the limit and the usual range too', () => {
    const chart = chartOf(every(10), [28], 0, 9 * minute, box);
    expect(chart.hi).toBeGreaterThanOrEqual(28);
    expect(chart.y(chart.hi)).toBeCloseTo(10);
    expect(chart.y(chart.lo)).toBeCloseTo(100);
  });
});

describe('joining', () => {
  it('keeps each time once, the later word last, within the window', () => {
    const joined = joinReadings([{ at_ms: 1, value: 1 }, { at_ms: 5, value: 5 }], [{ at_ms: 5, value: 6 }, { at_ms: 9, value: 9 }, { at_ms: Number.NaN, value: 0 }], 2);
    expect(joined).toEqual([{ at_ms: 5, value: 6 }, { at_ms: 9, value: 9 }]);
  });
});
