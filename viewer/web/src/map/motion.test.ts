import { describe, expect, it } from 'vitest';
import { AlarmRings, ringAt, RING_REST_PX, RING_TURN_MS, RING_TURNS } from './alarms';
import { ColourFade } from './layers/fade';
import { dashOf } from './layers/network-layers';
import { orderOf } from './layers/tile-content';

describe('rings of alarms', () => {
  it('widen and fade three times and then stay still', () => {
    let falls = 0;
    for (let t = 0; t < 6 * RING_TURN_MS; t += 50) {
      const [a, b] = [ringAt(t), ringAt(t + 50)];
      if (a && b && b.radius_px < a.radius_px) falls++;
      if (a && b && b.radius_px > a.radius_px) expect(b.alpha).toBeLessThan(a.alpha);
    }
    expect(falls).toBe(RING_TURNS - 1);
    expect(ringAt(RING_TURNS * RING_TURN_MS)).toBeNull();
  });

  it('start with each alarm, not with each value, and anew when it comes back', () => {
    const rings = new AlarmRings();
    rings.update(['a'], 0);
    rings.update(['a'], 2000);
    expect(rings.moving(RING_TURNS * RING_TURN_MS + 1)).toBe(false);
    expect(rings.ring('a', 9000).radius_px).toBe(RING_REST_PX);
    rings.update([], 9000);
    rings.update(['a'], 10_000);
    expect(rings.moving(10_100)).toBe(true);
  });
});

describe('fading colours', () => {
  const bytes = (v: number) => new Uint8Array([v, v, v, 255]);

  it('go from what is shown to what shall be, once', () => {
    const fade = new ColourFade();
    fade.show(bytes(0), 0, 400);
    expect([fade.step(0), fade.active]).toEqual([bytes(0), false]);
    fade.show(bytes(200), 1000, 400);
    const half = fade.step(1200)?.[0] ?? 0;
    expect(half).toBeGreaterThan(100);
    expect(half).toBeLessThan(200);
    expect(fade.active).toBe(true);
    expect(fade.step(1400)).toEqual(bytes(200));
    expect([fade.active, fade.step(1500)]).toEqual([false, null]);
  });

  it('are there at once where nothing is to move', () => {
    const fade = new ColourFade();
    fade.show(bytes(0), 0, 0);
    fade.show(bytes(9), 10, 0);
    expect(fade.step(10)).toEqual(bytes(9));
  });

  it('turn round from where they are', () => {
    const fade = new ColourFade();
    fade.show(bytes(0), 0, 0);
    fade.show(bytes(200), 0, 400);
    const there = fade.step(100)?.[0] ?? 0;
    fade.show(bytes(0), 100, 400);
    expect(fade.step(100)?.[0]).toBe(there);
  });
});

it('breaks the line of what has gone silent, and of nothing else', () => {
  expect(dashOf('stale')[1]).toBeGreaterThan(0);
  for (const state of ['ok', 'out', 'none'] as const) expect(dashOf(state)[1]).toBe(0);
});

it('puts the smaller of two that fill one space in front, and never leaves a tie', () => {
  expect(orderOf(3502, 'a:1')).toBeLessThan(orderOf(4400, 'a:1'));
  expect(orderOf(500, 'a:way/1')).not.toBe(orderOf(500, 'a:relation/2'));
  expect(orderOf(Number.NaN, 'a')).toBeGreaterThanOrEqual(0);
  expect(orderOf(1e6, 'a')).toBeLessThan(3e-4);
});
