import { describe, expect, it } from 'vitest';
import { nearestStop, nextStop, stopHeight } from './phone';

describe('the sheet', () => {
  it('has three stops: 164, 48 percent, and all but the top 80', () => {
    expect(['peek', 'half', 'full'].map((stop) => stopHeight(stop as 'peek', 844))).toEqual([164, 405, 764]);
  });

  it('leaves map to see in a low window', () => {
    expect(stopHeight('peek', 240)).toBeLessThan(164);
    expect(stopHeight('full', 240)).toBeLessThan(240);
  });

  it('steps through all stops by button', () => {
    expect([nextStop('peek'), nextStop('half'), nextStop('full')]).toEqual(['half', 'full', 'peek']);
  });

  it('snaps a dragged height to the nearest stop', () => {
    expect(nearestStop(200, 844)).toBe('peek');
    expect(nearestStop(360, 844)).toBe('half');
    expect(nearestStop(700, 844)).toBe('full');
  });
});
