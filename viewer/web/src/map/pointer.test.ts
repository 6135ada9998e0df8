import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Cadence, liveGap } from './cadence';
import { hoverWait, PointerWatch } from './pointer';

const at = (x: number, y: number, extra: object = {}): object => ({ pointerId: 1, pointerType: 'mouse', button: 0, buttons: 0, clientX: x, clientY: y, offsetX: x, offsetY: y, ...extra });

describe('a pointer', () => {
  let canvas: EventTarget;
  const taps: [number, number][] = [];
  const hovers: unknown[] = [];
  let moving = false;
  const send = (type: string, values: object): void => {
    canvas.dispatchEvent(Object.assign(new Event(type), values));
  };

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('window', globalThis);
    canvas = new EventTarget();
    taps.length = hovers.length = 0;
    moving = false;
    new PointerWatch(canvas as HTMLCanvasElement, { tap: (x, y) => taps.push([x, y]), hover: (p) => hovers.push(p), moving: () => moving });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('taps however long it was held', () => {
    send('pointerdown', at(10, 10));
    vi.advanceTimersByTime(20_000);
    send('pointerup', at(12, 11));
    send('click', at(12, 11));
    expect(taps).toEqual([[12, 11]]);
  });

  it('does not tap after it was dragged, even back to where it began', () => {
    send('pointerdown', at(10, 10));
    send('pointermove', at(60, 10, { buttons: 1 }));
    send('pointermove', at(10, 10, { buttons: 1 }));
    send('pointerup', at(10, 10));
    send('click', at(10, 10));
    expect(taps).toEqual([]);
  });

  it('lets a finger tremble, but not two fingers tap', () => {
    send('pointerdown', at(10, 10, { pointerType: 'touch' }));
    send('pointerup', at(20, 14, { pointerType: 'touch' }));
    send('click', at(20, 14));
    send('pointerdown', at(10, 10, { pointerType: 'touch' }));
    send('pointerdown', at(90, 10, { pointerType: 'touch', pointerId: 2 }));
    send('click', at(90, 10));
    expect(taps).toEqual([[20, 14]]);
  });

  it('hovers where it rests, not while the camera moves', () => {
    moving = true;
    send('pointermove', at(5, 5));
    send('pointermove', at(6, 6));
    vi.advanceTimersByTime(500);
    expect(hovers).toEqual([]);
    moving = false;
    vi.advanceTimersByTime(500);
    expect(hovers).toEqual([[6, 6]]);
    send('pointerleave', at(0, 0));
    expect(hovers.at(-1)).toBeNull();
  });

  it('hovers the less often the more it costs', () => {
    expect(hoverWait(2)).toBe(60);
    expect(hoverWait(500)).toBe(3_000);
  });
});

describe('live frames', () => {
  it('rest three times as long as a slow frame took, and not after a quick one', () => {
    expect([liveGap(16), liveGap(500), liveGap(800)]).toEqual([0, 0, 2_400]);
  });

  it('are drawn once for many requests, none while paused, one afterwards', () => {
    vi.useFakeTimers();
    vi.stubGlobal('window', globalThis);
    let drawn = 0;
    const cadence = new Cadence(() => drawn++);
    cadence.ask();
    cadence.ask();
    vi.advanceTimersByTime(10);
    expect(drawn).toBe(1);
    cadence.pause(true);
    cadence.ask();
    vi.advanceTimersByTime(5_000);
    expect(drawn).toBe(1);
    cadence.pause(false);
    vi.advanceTimersByTime(10);
    expect(drawn).toBe(2);
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });
});
