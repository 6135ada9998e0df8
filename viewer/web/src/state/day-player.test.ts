import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DayPlayer } from './day-player';
import type { SunTime } from './url';

function stage(sun: SunTime | null): { player: DayPlayer; minutes: number[]; isPlaying: () => boolean; stop: () => void } {
  let playing = false;
  let now = sun;
  const minutes: number[] = [];
  const player = new DayPlayer({
    sun: () => now,
    setSun: (next) => { now = next; minutes.push(next.minutes); },
    today: () => '2026-06-21',
    isPlaying: () => playing,
    setPlaying: (on) => { playing = on; },
  });
  return { player, minutes, isPlaying: () => playing, stop: () => { playing = false; } };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('matchMedia', () => ({ matches: false }));
});
afterEach(() => { vi.useRealTimers(); vi.unstubAllGlobals(); });

describe('playing the day', () => {
  it('goes from the first minute to the last in steps of five, then stops', () => {
    const { player, minutes, isPlaying } = stage(null);
    player.play(true, 300, 330);
    vi.advanceTimersByTime(10_000);
    expect(minutes).toEqual([305, 310, 315, 320, 325]);
    expect(isPlaying()).toBe(false);
  });

  it('goes on from where the sun stands, and from the beginning at the end of the day', () => {
    const going = stage({ date: '2026-03-20', minutes: 320 });
    going.player.play(true, 300, 330);
    vi.advanceTimersByTime(80);
    expect(going.minutes).toEqual([325]);
    const over = stage({ date: '2026-03-20', minutes: 328 });
    over.player.play(true, 300, 330);
    vi.advanceTimersByTime(80);
    expect(over.minutes).toEqual([305]);
  });

  it('takes calm steps where motion is unwanted, and ends when somebody takes the sun away', () => {
    vi.stubGlobal('matchMedia', () => ({ matches: true }));
    const { player, minutes, stop } = stage(null);
    player.play(true, 0, 1435);
    vi.advanceTimersByTime(2_000);
    expect(minutes).toEqual([30, 60]);
    stop();
    vi.advanceTimersByTime(5_000);
    expect(minutes).toEqual([30, 60]);
  });
});
