import { describe, expect, it } from 'vitest';
import { cutPlane } from './shading/effect';
import { nearest, wallsOf } from './snapping';
import { Profile } from './section';
import { heightOnVertical } from './vertical';
import { sameView } from './camera';

describe('heightOnVertical', () => {
  // An eye 100 m up, 100 m south of the anchor: the ray to 40 m over the anchor meets the ground beyond it.
  it('finds the height that was aimed at', () => {
    const eye = [0, -100, 100] as const;
    const target = [0, 0, 40] as const;
    const at = (z: number): [number, number] => {
      const t = (eye[2] - z) / (eye[2] - target[2]);
      return [eye[0] + (target[0] - eye[0]) * t, eye[1] + (target[1] - eye[1]) * t];
    };
    expect(heightOnVertical(at(0), at(20), 20, [0, 0])).toBeCloseTo(40, 9);
    expect(heightOnVertical(at(0), at(20), 20, at(0))).toBeCloseTo(0, 9);
  });
  it('knows none from straight above', () => expect(heightOnVertical([5, 5], [5, 5], 20, [5, 5])).toBe(0));
});

describe('cutPlane', () => {
  const outside = (plane: number[], x: number, y: number): boolean => (plane[0] ?? 0) * x + (plane[1] ?? 0) * y + (plane[2] ?? 0) > 0;
  it.each([[0, -50], [0, 50]])('leaves out the side of an eye at %s, %s', (x, y) => {
    const plane = cutPlane([[-10, 0], [10, 0]], [x, y, 80]);
    expect(outside(plane, 3, y / 10)).toBe(true);
    expect(outside(plane, 3, -y / 10)).toBe(false);
  });
});

describe('Profile', () => {
  it('takes the highest surface over each step, and the ground elsewhere', () => {
    const p = new Profile(40);
    const roof = (x0: number, x1: number, z: number): void => {
      p.add([[x0, -5, z], [x1, -5, z], [x1, 5, z]], [0, 0], [40, 0]);
      p.add([[x0, -5, z], [x1, 5, z], [x0, 5, z]], [0, 0], [40, 0]);
    };
    roof(10, 20, 12);
    roof(15, 30, 8);
    const at = (d: number): number => p.points().reduce((best, q) => (Math.abs(q.distance_m - d) < Math.abs(best.distance_m - d) ? q : best)).height_m;
    expect([5, 12, 17, 25, 35].map(at)).toEqual([0, 12, 12, 8, 0]);
  });
  it('follows a slope', () => {
    const p = new Profile(10);
    p.add([[0, -1, 0], [10, -1, 10], [10, 3, 10]], [0, 0], [10, 0]);
    const steep = p.points().find((q) => q.distance_m === 9.5);
    expect(steep?.height_m).toBeCloseTo(9.5, 5);
  });
  it('passes over what lies beside the line', () => {
    const p = new Profile(10);
    p.add([[0, 1, 5], [10, 1, 5], [5, 9, 5]], [0, 0], [10, 0]);
    expect(Math.max(...p.tops)).toBe(0);
  });
});

describe('snapping', () => {
  // Corners stand on the walls of a square; a ridge hangs between none.
  const identity = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  const edges = new Float32Array([0, 0, 0, 0, 0, 9, 10, 0, 0, 10, 0, 9, 0, 0, 9, 10, 0, 9, 0, 5, 12, 10, 5, 12]);
  it('keeps walls and leaves ridges', () => expect([...wallsOf(edges, identity)]).toEqual([0, 0, 10, 0]));
  it.each([
    [[1, 1], 2, 'corner', [0, 0]],
    [[5, 1], 2, 'edge', [5, 0]],
    [[5, 3], 2, null, null],
  ] as const)('at %s within %s', (at, reach, kind, place) => {
    const found = nearest(at, [0, 0, 10, 0], reach);
    expect(found?.kind ?? null).toBe(kind);
    expect(found ? [...found.at] : null).toEqual(place);
  });
});

describe('sameView', () => {
  const view = { longitude: 24.9, latitude: 60.1, zoom: 16, pitch: 50, bearing: 0 };
  it('knows a view from its neighbour', () => {
    expect(sameView(view, { ...view })).toBe(true);
    expect(sameView(view, { ...view, bearing: 0.001 })).toBe(false);
  });
});
