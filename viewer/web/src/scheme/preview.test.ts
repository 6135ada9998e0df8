import { describe, expect, it } from 'vitest';
import { cover } from './preview';

describe('a preview', () => {
  it('takes the middle of a wider or higher picture', () => {
    expect(cover(2000, 630, 1200, 630)).toEqual([400, 0, 1200, 630]);
    expect(cover(1200, 1000, 1200, 630)).toEqual([0, 185, 1200, 630]);
  });

  it('takes all of a picture of its own shape', () => {
    const [x, y, w, h] = cover(600, 315, 1200, 630);
    expect([x, y]).toEqual([0, 0]);
    expect(w / h).toBeCloseTo(1200 / 630, 6);
  });
});
