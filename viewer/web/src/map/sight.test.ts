import { describe, expect, it } from 'vitest';
import { Surroundings, type Upright } from './sight';

const tower = (extra: Partial<Upright> = {}): Upright => ({ x: 0, y: 0, radius_m: 20, top_m: 100, ...extra });

describe('what hides a place', () => {
  // The eye is south and at 45 degrees: a roof of 100 m hides what lies up to 100 m behind its far side.
  const eye = [0, -10_000, 10_000] as const;
  it('hides what lies behind it, as far as its height reaches', () => {
    const city = new Surroundings([tower()]);
    expect([10, 30, 60, 110, 120, 200].map((y) => city.hides([0, y, 0], eye))).toEqual([false, true, true, true, false, false]);
  });
  it('hides nothing before it or beside it', () => {
    const city = new Surroundings([tower()]);
    expect(city.hides([0, -30, 0], eye)).toBe(false);
    expect(city.hides([25, 40, 0], eye)).toBe(false);
  });
  it('does not hide what is higher', () => {
    const city = new Surroundings([tower()]);
    expect([0, 40, 59, 90].map((z) => city.hides([0, 60, z], eye))).toEqual([true, true, false, false]);
  });
  it('hides nothing from an eye straight above', () => {
    expect(new Surroundings([tower()]).hides([0, 30, 0], [0, 30, 500])).toBe(false);
  });
  it('finds what stands in another cell, and large things in all of theirs', () => {
    expect(new Surroundings([tower({ x: 300, y: 300, top_m: 500 })]).hides([300, 700, 0], [300, -10_000, 10_000])).toBe(true);
    expect(new Surroundings([tower({ radius_m: 400, top_m: 300 })]).hides([-300, 330, 0], [-300, -10_000, 10_000])).toBe(true);
  });
});
