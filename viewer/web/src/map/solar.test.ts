import { describe, expect, it } from 'vitest';
import type { Mass } from './massing-mesh';
import { panelMesh } from './panel-mesh';
import type { Point } from './roof';
import { panelsOf, type Panel } from './solar';

const square: Point[] = [[0, 0], [40, 0], [40, 20], [0, 20]];
const mass = (more: Partial<Mass> = {}): Mass => ({ rings: [square], ground_m: 5, height_m: 9, storeys: [[9, 'office']], roof: { type: 'flat', height_m: 0 }, ...more });
const area = (panels: readonly Panel[]): number =>
  panels.reduce((sum, [a = [0, 0, 0], b = a, , d = a]) => sum + Math.hypot(b[0] - a[0], b[1] - a[1]) * Math.hypot(d[0] - a[0], d[1] - a[1]), 0);

describe('solar panels', () => {
  it('cover the share of a flat roof, a hand over it', () => {
    for (const share of [0.1, 0.3, 0.6]) {
      const panels = panelsOf(mass(), share, 1);
      expect(area(panels)).toBeCloseTo(share * 800, -0.5);
      expect(panels.every((p) => p.every((c) => Math.abs(c[2] - 14.28) < 1e-9))).toBe(true);
    }
  });
  it('a roof that is all panels keeps its rim', () => {
    const panels = panelsOf(mass(), 1, 1);
    expect(area(panels)).toBeLessThan(800);
    expect(area(panels)).toBeGreaterThan(500);
    expect(panels.flat().every((c) => c[0] >= 0.7 && c[0] <= 39.3 && c[1] >= 0.7 && c[1] <= 19.3)).toBe(true);
  });
  it('none lie over a courtyard', () => {
    const hole: Point[] = [[10, 5], [30, 5], [30, 15], [10, 15]];
    const panels = panelsOf(mass({ rings: [square, hole] }), 1, 1);
    expect(panels.length).toBeGreaterThan(50);
    expect(panels.flat().some((c) => c[0] > 10 && c[0] < 30 && c[1] > 5 && c[1] < 15)).toBe(false);
  });
  it('fill the side that looks to the equator first', () => {
    const gabled = mass({ height_m: 13, roof: { type: 'gabled', height_m: 4 } });
    const middle = (p: Panel): number => p.reduce((s, c) => s + c[1], 0) / 4;
    expect(panelsOf(gabled, 0.3, 1).every((p) => middle(p) < 10)).toBe(true);
    expect(panelsOf(gabled, 0.3, -1).every((p) => middle(p) > 10)).toBe(true);
  });
  it('lie in the slope, above the roof', () => {
    const { positions, normals, runs } = panelMesh([mass({ height_m: 13, roof: { type: 'gabled', height_m: 4 } })], [0.3], 1);
    expect(runs).toEqual([{ mass: 0, use: null }]);
    expect(positions[2]).toBeGreaterThan(14);
    expect(normals[1]).toBeCloseTo(-4 / Math.hypot(4, 10), 4);
  });
  it('nothing where nothing is asked for, or nothing fits', () => {
    expect(panelsOf(mass(), 0, 1)).toEqual([]);
    expect(panelsOf(mass({ rings: [[[0, 0], [2, 0], [2, 2], [0, 2]]] }), 1, 1)).toEqual([]);
    expect(panelMesh([mass()], [0], 1).positions.length).toBe(0);
  });
  it('a very large roof is drawn with few, larger ones', () => {
    const wide = mass({ rings: [[[0, 0], [300, 0], [300, 200], [0, 200]]] });
    expect(panelsOf(wide, 0.8, 1).length).toBeLessThan(1400);
  });
  it('lie on what of a model is a roof', () => {
    // A tower of 20 m by 10 m, 30 m high, beside a lower hall of 20 m by 10 m whose roof rises from 6 m to 9 m northwards.
    const points = new Float32Array([0, 0, 35, 20, 0, 35, 20, 10, 35, 0, 10, 35, 20, 0, 11, 40, 0, 11, 40, 10, 14, 20, 10, 14]);
    const model = { points, faces: new Uint32Array([0, 1, 2, 0, 2, 3, 4, 5, 6, 4, 6, 7]), edges: new Uint32Array() };
    const body = mass({ rings: [[[0, 0], [40, 0], [40, 10], [0, 10]]], height_m: 30, model });
    const all = panelsOf(body, 1, 1);
    const [high, low] = [all.filter((p) => (p[0]?.[0] ?? 0) < 20), all.filter((p) => (p[0]?.[0] ?? 0) >= 20)];
    expect(high.length).toBeGreaterThan(30);
    expect(high.every((p) => p.every((c) => Math.abs(c[2] - 35.28) < 1e-4))).toBe(true);
    expect(low.length).toBeGreaterThan(30);
    expect(low.every((p) => p.every((c) => Math.abs(c[2] - (11.28 + 0.3 * c[1])) < 1e-4))).toBe(true);
    // None bridges the step, and the slope to the south comes first.
    expect(all.every((p) => Math.max(...p.map((c) => c[2])) - Math.min(...p.map((c) => c[2])) < 1)).toBe(true);
    expect(panelsOf(body, 0.2, 1).every((p) => (p[0]?.[0] ?? 0) >= 20)).toBe(true);
    expect(panelsOf(body, 0.2, -1).every((p) => (p[0]?.[0] ?? 0) < 20)).toBe(true);
  });
  it('none where a model is not, or is a spire', () => {
    const spire = { points: new Float32Array([0, 0, 5, 40, 0, 5, 20, 20, 90]), faces: new Uint32Array([0, 1, 2]), edges: new Uint32Array() };
    expect(panelsOf(mass({ model: spire }), 1, 1)).toEqual([]);
    expect(panelsOf(mass({ model: { ...spire, faces: new Uint32Array() } }), 1, 1)).toEqual([]);
  });
});
