import type { ModelMesh } from './model-mesh';
import type { Point } from './roof';

const CELL_M = 3;
/** Cells in which one triangle is noted; one that covers more is looked at each time. */
const CELLS_MAX = 4096;

/** How high a model reaches over a place, in its own heights; null where it is not. */
export function topOf(model: Pick<ModelMesh, 'points' | 'faces'>): (p: Point) => number | null {
  const { points, faces } = model;
  const cells = new Map<string, number[]>();
  const everywhere: number[] = [];
  const coordinate = (vertex: number, axis: number): number => points[(faces[vertex] ?? 0) * 3 + axis] ?? 0;
  for (let t = 0; t + 2 < faces.length; t += 3) {
    const xs = [coordinate(t, 0), coordinate(t + 1, 0), coordinate(t + 2, 0)].map((v) => Math.floor(v / CELL_M));
    const ys = [coordinate(t, 1), coordinate(t + 1, 1), coordinate(t + 2, 1)].map((v) => Math.floor(v / CELL_M));
    const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    if ((x1 - x0 + 1) * (y1 - y0 + 1) > CELLS_MAX) {
      everywhere.push(t);
      continue;
    }
    for (let x = x0; x <= x1; x++) for (let y = y0; y <= y1; y++) {
      const key = `${x},${y}`;
      const cell = cells.get(key);
      if (cell) cell.push(t);
      else cells.set(key, [t]);
    }
  }
  return ([x, y]) => {
    let top: number | null = null;
    for (const t of [...(cells.get(`${Math.floor(x / CELL_M)},${Math.floor(y / CELL_M)}`) ?? []), ...everywhere]) {
      const [ax, ay, bx, by, cx, cy] = [coordinate(t, 0), coordinate(t, 1), coordinate(t + 1, 0), coordinate(t + 1, 1), coordinate(t + 2, 0), coordinate(t + 2, 1)];
      const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
      if (Math.abs(area) < 1e-9) continue;
      const v = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area;
      const w = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area;
      if (v < -1e-6 || w < -1e-6 || v + w > 1 + 1e-6) continue;
      const z = coordinate(t, 2) * (1 - v - w) + coordinate(t + 1, 2) * v + coordinate(t + 2, 2) * w;
      if (top === null || z > top) top = z;
    }
    return top;
  };
}
