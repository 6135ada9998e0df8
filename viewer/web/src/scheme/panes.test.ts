import { describe, expect, it } from 'vitest';
import { clampShare, dividerAt, panesOf, shareAt } from './panes';

const FREE = { left: 300, right: 364 };

describe('two maps in one window', () => {
  it('are one map where nothing is compared', () => {
    expect(panesOf(1440, 'one', 0.5, FREE)).toEqual({ left: null, right: { x: 0, width: 1440, cutLeft: 0, cutRight: 0 }, divider: null });
  });

  it.each([0, 0.25, 0.5, 1])('meet at the divider without a gap at %d', (share) => {
    const { left, right, divider } = panesOf(1440, 'swipe', share, FREE);
    expect([left?.width, right.width]).toEqual([1440, 1440]);
    expect(1440 - (left?.cutRight ?? 0)).toBe(divider);
    expect(right.cutLeft).toBe(divider);
  });

  it('show the same place in the middle of each half', () => {
    const { left, right, divider } = panesOf(1440, 'split', 0.5, FREE);
    expect(divider).toBe(688);
    expect((left?.x ?? 0) + (left?.width ?? 0) / 2).toBe((300 + 688) / 2);
    expect(right.x + right.width / 2).toBe((688 + 1076) / 2);
  });

  it('cover the whole window side by side', () => {
    const { left, right } = panesOf(1440, 'split', 0.5, FREE);
    expect([(left?.x ?? 0) + (left?.cutLeft ?? 0), (left?.x ?? 0) + (left?.width ?? 0) - (left?.cutRight ?? 0)]).toEqual([0, 688]);
    expect([right.x + right.cutLeft, right.x + right.width - right.cutRight]).toEqual([688, 1440]);
  });
});

describe('the divider', () => {
  it('stays clear of the panels', () => {
    expect(dividerAt(1440, FREE, 0)).toBeGreaterThan(300);
    expect(dividerAt(1440, FREE, 1)).toBeLessThan(1440 - 364);
  });

  it.each([0, 0.3, 0.5, 0.99, 1])('is found again where it was put: %d', (share) => {
    expect(shareAt(1440, FREE, dividerAt(1440, FREE, share))).toBeCloseTo(share, 2);
  });

  it('has a place in a window that the panels fill', () => {
    expect(dividerAt(320, { left: 300, right: 300 }, 0.5)).toBe(324);
    expect(shareAt(320, { left: 300, right: 300 }, 10)).toBe(0.5);
  });

  it('takes no nonsense', () => {
    expect([clampShare(Number.NaN), clampShare(-2), clampShare(7)]).toEqual([0.5, 0, 1]);
  });
});
