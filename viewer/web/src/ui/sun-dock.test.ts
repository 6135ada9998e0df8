import { describe, expect, it } from 'vitest';
import { waiting, type SunDay } from './sun-dock';

const day = (sunrise: number | null, sunset: number | null, polar: SunDay['polar'] = null): SunDay => ({
  sunrise, sunset, noon: 720, from: 0, to: 1435, altitude: () => 10, polar,
});

describe('without a choice the knob waits', () => {
  it('in the afternoon while the sun is up', () => expect(waiting(day(360, 1080))).toBe(900));
  it('halfway to a sunset that is earlier, on a step of the slider', () => expect(waiting(day(398, 813))).toBe(765));
  it('in the afternoon where the sun neither rises nor sets', () => {
    expect(waiting(day(null, null, 'day'))).toBe(900);
    expect(waiting(day(null, null, 'night'))).toBe(900);
  });
});
