import { describe, expect, it } from 'vitest';
import { Relief } from './relief';

/** A plane that rises by 1 m a hundredth of a degree to the east, by 2 m to the north, from 100 m on. */
const SLOPE = {
  west: 8, south: 47, east: 8.02, north: 47.01, columns: 3, rows: 2, step_m: 0.1,
  heights: [1000, 1010, 1020, 1020, 1030, 1040],
};

describe('the ground', () => {
  const relief = Relief.of(SLOPE);
  it('has its middle height at the zero of the map', () => {
    expect([relief.zero_m, relief.lowest_m]).toEqual([expect.closeTo(102), expect.closeTo(-2)]);
    expect(relief.at([8, 47])).toBeCloseTo(-2);
    expect(relief.drawn(112)).toBeCloseTo(10);
  });
  it('is bilinear between its nodes, and goes on beyond them', () => {
    expect(relief.at([8.01, 47])).toBeCloseTo(-1);
    expect(relief.at([8.015, 47.005])).toBeCloseTo(-2 + 1.5 + 1);
    expect(relief.at([8.02, 47.01])).toBeCloseTo(2);
    expect(relief.at([9, 48])).toBeCloseTo(2);
    expect(relief.at([7, 46])).toBeCloseTo(-2);
  });
  it('puts places and lines on it', () => {
    expect(relief.on([8.02, 47])).toEqual([8.02, 47, expect.closeTo(0)]);
    expect(relief.along([[8, 47], [8.02, 47.01]]).map((p) => p[2])).toEqual([expect.closeTo(-2), expect.closeTo(2)]);
  });
  it('is the same ground only where nothing is another', () => {
    expect(relief.equals(Relief.of({ ...SLOPE, heights: [...SLOPE.heights] }))).toBe(true);
    expect(relief.equals(Relief.of({ ...SLOPE, heights: [1000, 1010, 1020, 1020, 1030, 1041] }))).toBe(false);
    expect(relief.equals(Relief.of({ ...SLOPE, west: 7.9 }))).toBe(false);
    expect([relief.equals(Relief.FLAT), Relief.FLAT.equals(relief), Relief.FLAT.equals(Relief.of(null))]).toEqual([false, false, true]);
  });
  it('is found under a look from the side', () => {
    // A ray that moves 0.001 degrees east for a metre of height.
    const place = relief.under((h) => [8.01 + h * 0.001, 47]);
    expect(place?.[0]).toBeCloseTo(8.01 + 0.001 * relief.at(place ?? [0, 0]), 6);
    expect(relief.under(() => null)).toBeNull();
  });
});

describe('a flat city', () => {
  it('is left as it is', () => {
    const flat = Relief.FLAT;
    expect([flat.isFlat, flat.at([8, 47]), flat.drawn(7), flat.zero_m, flat.lowest_m]).toEqual([true, 0, 7, 0, 0]);
    expect(flat.on([8, 47])).toEqual([8, 47]);
    expect(flat.under((h) => [8 + h, 47])).toEqual([8, 47]);
  });
  it('is what stands for a document that cannot be', () => {
    for (const wrong of [null, {}, { ...SLOPE, rows: 3 }, { ...SLOPE, step_m: 0 }, { ...SLOPE, east: 8 }, { ...SLOPE, heights: [1, 2, 3, 4, 5, NaN] }]) {
      expect(Relief.of(wrong).isFlat).toBe(true);
    }
  });
});
