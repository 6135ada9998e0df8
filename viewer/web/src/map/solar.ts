import { heightOn, planesOf, boxOf, type Plane, type Point } from './roof';
import { oriented, type Mass } from './massing-mesh';
import { topOf } from './model-top';

/** Panels on a roof (pure): four corners each, counter-clockwise from above, metres. */
export type Panel = readonly (readonly [number, number, number])[];

const MODULE_M = { along: 2, across: 1.1 } as const;
const GAP_M = 0.16;
const RIM_M = 0.7;
const ABOVE_M = 0.28;
const PANELS_MAX = 1200;
/** What a model's roof may bend under a panel, metres; how steep it may be, and what is still level, metres a metre. */
const BENT_M = 0.15;
const STEEP = 1.2;
const LEVEL = 0.05;

const inside = (p: Point, ring: readonly Point[]): boolean => {
  let odd = false;
  for (let i = 0, k = ring.length - 1; i < ring.length; k = i++) {
    const [a, b] = [ring[i] ?? p, ring[k] ?? p];
    if (a[1] > p[1] !== b[1] > p[1] && p[0] < ((b[0] - a[0]) * (p[1] - a[1])) / (b[1] - a[1]) + a[0]) odd = !odd;
  }
  return odd;
};

const toWall = (p: Point, a: Point, b: Point): number => {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const t = Math.max(0, Math.min(1, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(p[0] - a[0] - dx * t, p[1] - a[1] - dy * t);
};

const onRoof = (p: Point, rings: readonly (readonly Point[])[]): boolean =>
  rings.every((ring, i) => inside(p, ring) === (i === 0) && ring.every((a, k) => toWall(p, a, ring[(k + 1) % ring.length] ?? a) >= RIM_M));

interface Place {
  readonly row: number;
  readonly panel: Panel;
  /** How much the roof rises to the north under it. */
  readonly north: number;
}

/** A panel over four places, counter-clockwise from above; null where the roof bends under it, or there is none. */
type Laid = (corners: readonly Point[]) => Omit<Place, 'row'> | null;

const areaOf = (ring: readonly Point[]): number =>
  Math.abs(ring.reduce((sum, a, i) => sum + a[0] * (ring[(i + 1) % ring.length] ?? a)[1] - (ring[(i + 1) % ring.length] ?? a)[0] * a[1], 0)) / 2;

/** The plane that is the roof over all of these places; -1 where it bends between them. */
function planeUnder(planes: readonly Plane[], corners: readonly Point[]): number {
  const lowest = (p: Point): number => planes.reduce((best, plane, i) => (heightOn(plane, p) < heightOn(planes[best] ?? plane, p) - 1e-9 ? i : best), 0);
  const first = lowest(corners[0] ?? [0, 0]);
  return corners.every((p) => lowest(p) === first) ? first : -1;
}

/** Panels on the planes of a roof that was drawn. */
function onPlanes(mass: Mass, planes: readonly Plane[]): Laid {
  const eaves_m = mass.ground_m + Math.max(0, mass.height_m - mass.roof.height_m);
  return (corners) => {
    const plane = planes[planeUnder(planes, corners)];
    return plane ? { north: plane.b, panel: corners.map((p) => [p[0], p[1], eaves_m + Math.max(0, heightOn(plane, p)) + ABOVE_M] as const) } : null;
  };
}

/** Panels on whatever of a model is flat enough: their corners and their middle lie in one plane that is not steep. */
function onModel(top: (p: Point) => number | null): Laid {
  return (corners) => {
    const z = corners.map(top);
    const [a, b, c, d] = z;
    const [p, q, , r] = corners;
    if (a == null || b == null || c == null || d == null || !p || !q || !r) return null;
    const middle = top([(q[0] + r[0]) / 2, (q[1] + r[1]) / 2]);
    if (middle === null || Math.abs(a + c - b - d) > BENT_M || Math.abs((a + c) / 2 - middle) > BENT_M) return null;
    const [ux, uy, vx, vy] = [q[0] - p[0], q[1] - p[1], r[0] - p[0], r[1] - p[1]];
    const area = ux * vy - uy * vx;
    const east = ((b - a) * vy - (d - a) * uy) / area;
    const north = ((d - a) * ux - (b - a) * vx) / area;
    if (Math.hypot(east, north) > STEEP) return null;
    return { north, panel: corners.map((at, i) => [at[0], at[1], (z[i] ?? 0) + ABOVE_M] as const) };
  };
}

/**
 * Panels over a share of a roof, in rows along its longer side. On a flat roof the rows are spread over all of it;
 * on a pitched one the side that looks most to the equator is filled first.
 */
export function panelsOf(mass: Mass, share: number, south: number): Panel[] {
  const rings = oriented(mass.rings);
  const outer = rings[0];
  if (!outer || !(share > 0)) return [];
  const planes = planesOf(mass.roof.type, mass.roof.height_m, outer);
  const laid = mass.model ? onModel(topOf(mass.model)) : onPlanes(mass, planes);
  const wanted_m2 = Math.min(1, share) * (areaOf(outer) - rings.slice(1).reduce((s, r) => s + areaOf(r), 0));
  const { centre, along, half_m } = boxOf(outer);
  // A very large roof has larger modules: they stay panels to the eye, and few enough to draw.
  const scale = Math.max(1, Math.sqrt(wanted_m2 / (MODULE_M.along * MODULE_M.across) / PANELS_MAX));
  const [long, deep] = [MODULE_M.along * scale, MODULE_M.across * scale];
  const at = (s: number, t: number): Point => [centre[0] + along[0] * s - along[1] * t, centre[1] + along[1] * s + along[0] * t];
  const places: Place[] = [];
  const rows = Math.floor((2 * half_m[1] - 2 * RIM_M) / (deep + GAP_M));
  const columns = Math.floor((2 * half_m[0] - 2 * RIM_M) / (long + GAP_M));
  for (let row = 0; row < rows; row++) {
    const t = (row - (rows - 1) / 2) * (deep + GAP_M);
    for (let column = 0; column < columns; column++) {
      const s = (column - (columns - 1) / 2) * (long + GAP_M);
      const corners = ([[-1, -1], [1, -1], [1, 1], [-1, 1]] as const).map(([a, b]) => at(s + (a * long) / 2, t + (b * deep) / 2));
      const place = corners.every((p) => onRoof(p, rings)) ? laid(corners) : null;
      if (place) places.push({ ...place, row });
    }
  }
  const wanted = Math.min(places.length, Math.round(wanted_m2 / (long * deep)));
  const isPitched = mass.model ? places.some((p) => Math.abs(p.north) > LEVEL) : planes.length > 1;
  return (isPitched ? facing(places, south).slice(0, wanted) : spread(places, wanted)).map((p) => p.panel);
}

function facing(places: readonly Place[], south: number): Place[] {
  // A roof that rises to the north looks south.
  return [...places].sort((p, q) => (q.north - p.north) * south || p.row - q.row);
}

/** Whole rows at even distances; the last one is what is left. */
function spread(places: readonly Place[], wanted: number): Place[] {
  const byRow = new Map<number, Place[]>();
  for (const p of places) byRow.set(p.row, [...(byRow.get(p.row) ?? []), p]);
  const rows = [...byRow.values()];
  const part = places.length ? wanted / places.length : 0;
  const order = rows.map((row, i) => ({ row, chosen: Math.floor((i + 1) * part + 1e-9) > Math.floor(i * part + 1e-9) }));
  return [...order.filter((r) => r.chosen), ...order.filter((r) => !r.chosen)].flatMap((r) => r.row).slice(0, wanted);
}
