import { describe, expect, it } from 'vitest';
import { sunPosition, sunTimes } from './sun';

// Expected values from the NREL SPA algorithm (pvlib 0.16), an independent and finer method: degrees, no refraction.
const POSITIONS: [string, number, number, number, number][] = [
  ['2026-06-21T12:00:00Z', 24.945, 60.17, 215.846, 49.496],
  ['2026-12-21T10:30:00Z', 24.945, 60.17, 182.711, 6.356],
  ['2026-03-20T14:00:00Z', -71.06, 42.36, 125.942, 32.752],
  ['2026-11-22T14:36:00Z', 4.48, 51.92, 223.704, 7.073],
  ['2000-01-01T00:00:00Z', 139.75, 35.68, 140.146, 19.591],
  ['2026-09-23T03:00:00Z', 151.21, -33.87, 329.601, 52.161],
  ['2026-06-21T18:00:00Z', 24.945, 60.17, 302.287, 8.97],
];

// Rise and set: the instants at which SPA has the sun at -0.833 degrees.
const TIMES: [string, number, number, string, string, string][] = [
  ['2026-06-21T10:00:00Z', 24.945, 60.17, '2026-06-21T00:53:58Z', '2026-06-21T10:22:01Z', '2026-06-21T19:50:04Z'],
  ['2026-12-21T10:00:00Z', 24.945, 60.17, '2026-12-21T07:23:47Z', '2026-12-21T10:18:15Z', '2026-12-21T13:12:43Z'],
  ['2026-03-20T17:00:00Z', -71.06, 42.36, '2026-03-20T10:47:25Z', '2026-03-20T16:51:37Z', '2026-03-20T22:56:33Z'],
  ['2026-09-23T02:00:00Z', 151.21, -33.87, '2026-09-22T19:43:57Z', '2026-09-23T01:47:41Z', '2026-09-23T07:51:56Z'],
];

describe('sunPosition', () => {
  it.each(POSITIONS)('agrees with SPA to 0.03 degrees at %s', (at, lon, lat, azimuth, altitude) => {
    const p = sunPosition(new Date(at), lon, lat);
    expect(Math.abs(p.azimuth_deg - azimuth)).toBeLessThan(0.03);
    expect(Math.abs(p.geometric_altitude_deg - altitude)).toBeLessThan(0.03);
  });

  it('lifts a low sun by refraction and leaves a high one', () => {
    const low = sunPosition(new Date('2026-12-21T10:30:00Z'), 24.945, 60.17);
    const lift = low.altitude_deg - low.geometric_altitude_deg;
    expect(lift).toBeGreaterThan(0.1);
    expect(lift).toBeLessThan(0.2);
    const high = sunPosition(new Date('2026-06-21T10:22:00Z'), 24.945, 60.17);
    expect(high.altitude_deg - high.geometric_altitude_deg).toBeLessThan(0.02);
  });
});

describe('sunTimes', () => {
  it.each(TIMES)('agrees with SPA to half a minute on %s', (at, lon, lat, rise, noon, set) => {
    const t = sunTimes(new Date(at), lon, lat);
    const off_s = (a: Date | null, b: string): number => Math.abs((a?.getTime() ?? NaN) - Date.parse(b)) / 1000;
    expect(off_s(t.sunrise, rise)).toBeLessThan(30);
    expect(off_s(t.noon, noon)).toBeLessThan(30);
    expect(off_s(t.sunset, set)).toBeLessThan(30);
  });

  it('has no sunrise in the polar night and no sunset in the polar day', () => {
    expect(sunTimes(new Date('2026-12-21T12:00:00Z'), 25, 70).sunrise).toBeNull();
    expect(sunTimes(new Date('2026-06-21T12:00:00Z'), 25, 70).sunset).toBeNull();
  });
});
