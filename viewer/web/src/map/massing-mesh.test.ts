import { describe, expect, it } from 'vitest';
import { massMesh, mitred, oriented, STOREY_M, trianglesOf, type Mass } from './massing-mesh';
import { boxOf, planesOf, roofAt, type Point } from './roof';

const square: Point[] = [[0, 0], [20, 0], [20, 10], [0, 10]];
const mass = (more: Partial<Mass> = {}): Mass => ({
  rings: [square],
  ground_m: 5,
  height_m: 9,
  storeys: [[3, 'retail'], [3, 'residential'], [3, 'residential']],
  roof: { type: 'flat', height_m: 0 },
  ...more,
});

/** Volume between the mesh and z = 0, by the divergence theorem; a closed mesh without floor on `ground_m` 0. */
function volumeOf(m: ReturnType<typeof massMesh>): number {
  const p = m.positions;
  let v = 0;
  for (let i = 0; i < p.length; i += 9) {
    const [ax = 0, ay = 0, az = 0, bx = 0, by = 0, bz = 0, cx = 0, cy = 0, cz = 0] = p.subarray(i, i + 9);
    v += (ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)) / 6;
  }
  return v;
}

describe('massMesh', () => {
  it.each<[string, number, number]>([
    ['flat', 0, 20 * 10 * 9],
    ['gabled', 4, 20 * 10 * 9 + 20 * 10 * 4 / 2],
    ['shed', 4, 20 * 10 * 9 + 20 * 10 * 4 / 2],
    ['pyramidal', 6, 20 * 10 * 9 + 20 * 10 * 6 / 3],
    // Ridge of 10 m: a gable of that length and two half pyramids.
    ['hipped', 4, 20 * 10 * 9 + 10 * 10 * 4 / 2 + 10 * 10 * 4 / 3],
  ])('%s roof encloses its volume', (type, height_m, volume) => {
    const roof = { type, height_m };
    expect(volumeOf(massMesh([mass({ ground_m: 0, height_m: 9 + height_m, roof })]))).toBeCloseTo(volume, 2);
  });

  it('a courtyard is not built over, whatever the turn of its ring', () => {
    const hole: Point[] = [[5, 3], [15, 3], [15, 7], [5, 7], [5, 3]];
    for (const ring of [hole, [...hole].reverse()]) {
      expect(volumeOf(massMesh([mass({ ground_m: 0, rings: [square, ring] })]))).toBeCloseTo((200 - 40) * 9, 2);
    }
  });

  it('every normal leaves the solid and has length one', () => {
    const { positions: p, normals: n } = massMesh([mass({ roof: { type: 'hipped', height_m: 3 }, height_m: 12 })]);
    for (let i = 0; i < p.length; i += 9) {
      const at = (k: number): number[] => [p[i + k] ?? 0, p[i + k + 1] ?? 0, p[i + k + 2] ?? 0];
      const [a, b, c] = [at(0), at(3), at(6)];
      const u = [0, 1, 2].map((k) => (b[k] ?? 0) - (a[k] ?? 0));
      const v = [0, 1, 2].map((k) => (c[k] ?? 0) - (a[k] ?? 0));
      const cross = [0, 1, 2].map((k) => (u[(k + 1) % 3] ?? 0) * (v[(k + 2) % 3] ?? 0) - (u[(k + 2) % 3] ?? 0) * (v[(k + 1) % 3] ?? 0));
      const area = Math.hypot(...cross);
      if (area < 1e-6) continue;
      const facing = cross.reduce((s, x, k) => s + (x / area) * (n[i + k] ?? 0), 0);
      expect(facing).toBeCloseTo(1, 3);
    }
  });

  it('storeys of one use are one row, and are drawn at their own heights', () => {
    const m = massMesh([mass({ storeys: [[5, 'retail'], [3, 'office'], [3, 'office']], height_m: 11 })]);
    expect(m.runs).toEqual([{ mass: 0, use: 'retail' }, { mass: 0, use: 'office' }]);
    const levels = new Map<number, number>();
    for (let i = 0; i < m.rows.length; i++) {
      if (Math.abs(m.normals[i * 3 + 2] ?? 0) < 0.1) levels.set((m.positions[i * 3 + 2] ?? 0) - 5, (m.heights[i] ?? 0) / STOREY_M);
    }
    expect([...levels].map(([z, l]) => [z, Math.round(l * 100) / 100]).sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0))).toEqual([[0, 0], [5, 1], [11, 3]]);
  });

  it('gives nothing for a footprint that is none', () => {
    expect(massMesh([mass({ rings: [] }), mass({ rings: [[[0, 0], [1, 1]]] })]).positions).toHaveLength(0);
  });

  it('an outline has no edges but those along the ground and the eaves', () => {
    const { positions } = massMesh([mass()], true).edges;
    const levels = new Set<number>();
    for (let i = 0; i < positions.length; i += 6) {
      expect(positions[i + 2]).toBe(positions[i + 5]);
      levels.add(positions[i + 2] ?? 0);
    }
    expect([...levels].sort((a, b) => a - b)).toEqual([5, 14]);
  });

  it('keeps rows apart when one mass has no shape', () => {
    const m = massMesh([mass({ rings: [] }), mass()]);
    expect(m.runs.every((run) => run.mass === 1)).toBe(true);
  });
});

describe('footprints', () => {
  it('triangles cover the area once', () => {
    const l: Point[] = [[0, 0], [10, 0], [10, 4], [4, 4], [4, 10], [0, 10]];
    const area = trianglesOf(oriented([l])).reduce((s, [a, b, c]) => s + ((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2, 0);
    expect(area).toBeCloseTo(100 - 36, 6);
  });
  it('a corner moves out by the distance from both walls', () => {
    expect([...mitred([0, 0], [20, 0], [20, 10], 5)]).toEqual([expect.closeTo(25, 9), expect.closeTo(-5, 9)]);
  });
  it('the box of a turned rectangle is the rectangle', () => {
    const turn = (p: Point): Point => [p[0] * Math.cos(0.6) - p[1] * Math.sin(0.6), p[0] * Math.sin(0.6) + p[1] * Math.cos(0.6)];
    const box = boxOf(square.map(turn));
    expect([...box.half_m]).toEqual([expect.closeTo(10, 6), expect.closeTo(5, 6)]);
  });
  it('a roof is nowhere below the eaves or above its height', () => {
    const planes = planesOf('hipped', 4, square);
    for (let x = -2; x <= 22; x++) for (let y = -2; y <= 12; y++) {
      const h = roofAt(planes, [x, y]);
      expect(h >= 0 && h <= 4 + 1e-9).toBe(true);
    }
    expect(roofAt(planes, [10, 5])).toBeCloseTo(4, 6);
  });
});
