import type { Mass, MassMesh } from './massing-mesh';
import { panelsOf } from './solar';

export type PanelMesh = Pick<MassMesh, 'positions' | 'normals' | 'rows' | 'heights' | 'runs'>;

/** The panels of all roofs as triangles (pure); `south` is 1 where the sun stands in the south, -1 where in the north. */
export function panelMesh(masses: readonly Mass[], shares: readonly number[], south: number): PanelMesh {
  const positions: number[] = [];
  const normals: number[] = [];
  const rows: number[] = [];
  const heights: number[] = [];
  const runs: { mass: number; use: null }[] = [];
  masses.forEach((mass, i) => {
    const panels = panelsOf(mass, shares[i] ?? 0, south);
    if (!panels.length) return;
    runs.push({ mass: i, use: null });
    for (const [a, b, c, d] of panels) {
      if (!a || !b || !c || !d) continue;
      const [u, v] = [[b[0] - a[0], b[1] - a[1], b[2] - a[2]] as const, [d[0] - a[0], d[1] - a[1], d[2] - a[2]] as const];
      const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]] as const;
      const l = Math.hypot(...n) || 1;
      for (const p of [a, b, c, a, c, d]) {
        positions.push(p[0], p[1], p[2]);
        normals.push(n[0] / l, n[1] / l, n[2] / l);
        rows.push(runs.length - 1);
        heights.push(p[2] - mass.ground_m);
      }
    }
  });
  return { positions: new Float32Array(positions), normals: new Float32Array(normals), rows: new Float32Array(rows), heights: new Float32Array(heights), runs };
}
