/** Metres around a place, east and north, and back to degrees. Good to a millimetre within a few hundred metres; pure. */
import type { LonLat } from '../../scheme/types';

export type Xy = readonly [number, number];

// WGS 84
const A_M = 6_378_137;
const E2 = 0.00669437999014;

export interface Frame {
  readonly to: (place: LonLat) => Xy;
  readonly from: (xy: Xy) => LonLat;
}

/** Metres of a degree of longitude and latitude, by the radii of curvature at that latitude. */
export function frameAt(origin: LonLat): Frame {
  const phi = (origin[1] * Math.PI) / 180;
  const w = 1 - E2 * Math.sin(phi) ** 2;
  const east = ((A_M / Math.sqrt(w)) * Math.cos(phi) * Math.PI) / 180;
  const north = (((A_M * (1 - E2)) / w ** 1.5) * Math.PI) / 180;
  return {
    to: ([lon, lat]) => [(lon - origin[0]) * east, (lat - origin[1]) * north],
    from: ([x, y]) => [origin[0] + x / east, origin[1] + y / north],
  };
}

export const distance = (a: Xy, b: Xy): number => Math.hypot(b[0] - a[0], b[1] - a[1]);
export const middle = (a: Xy, b: Xy): Xy => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];

/** Degrees clockwise from north, 0 to 360. */
export const bearing = (a: Xy, b: Xy): number => ((Math.atan2(b[0] - a[0], b[1] - a[1]) * 180) / Math.PI + 360) % 360;

/** The point at a length and a bearing from another. */
export function step(from: Xy, length_m: number, bearing_deg: number): Xy {
  const a = (bearing_deg * Math.PI) / 180;
  return [from[0] + length_m * Math.sin(a), from[1] + length_m * Math.cos(a)];
}

/** Signed area of a ring that need not repeat its first point, m²; positive counter-clockwise. */
export function area(ring: readonly Xy[]): number {
  let twice = 0;
  ring.forEach((p, i) => {
    const q = ring[(i + 1) % ring.length] ?? p;
    twice += p[0] * q[1] - q[0] * p[1];
  });
  return twice / 2;
}

export const length = (line: readonly Xy[]): number => line.slice(1).reduce((sum, p, i) => sum + distance(line[i] ?? p, p), 0);

export function centroid(ring: readonly Xy[]): Xy {
  const a = area(ring);
  if (Math.abs(a) < 1e-9) return ring.length === 0 ? [0, 0] : [ring.reduce((s, p) => s + p[0], 0) / ring.length, ring.reduce((s, p) => s + p[1], 0) / ring.length];
  let x = 0;
  let y = 0;
  ring.forEach((p, i) => {
    const q = ring[(i + 1) % ring.length] ?? p;
    const cross = p[0] * q[1] - q[0] * p[1];
    x += (p[0] + q[0]) * cross;
    y += (p[1] + q[1]) * cross;
  });
  return [x / (6 * a), y / (6 * a)];
}

export function inside(point: Xy, ring: readonly Xy[]): boolean {
  let is = false;
  ring.forEach((a, i) => {
    const b = ring[(i + 1) % ring.length] ?? a;
    if (a[1] > point[1] !== b[1] > point[1] && point[0] < ((b[0] - a[0]) * (point[1] - a[1])) / (b[1] - a[1]) + a[0]) is = !is;
  });
  return is;
}

/** The nearest point of a segment. */
export function onSegment(p: Xy, a: Xy, b: Xy): Xy {
  const d: Xy = [b[0] - a[0], b[1] - a[1]];
  const l2 = d[0] ** 2 + d[1] ** 2;
  if (l2 === 0) return a;
  const s = Math.min(1, Math.max(0, ((p[0] - a[0]) * d[0] + (p[1] - a[1]) * d[1]) / l2));
  return [a[0] + s * d[0], a[1] + s * d[1]];
}

/** Whether two sides of a ring that are not neighbours meet. */
export function crossesItself(ring: readonly Xy[]): boolean {
  const n = ring.length;
  const turn = (a: Xy, b: Xy, c: Xy): number => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
  for (let i = 0; i < n; i++) {
    for (let j = i + 2; j < n; j++) {
      if (i === 0 && j === n - 1) continue;
      const [a, b, c, d] = [ring[i], ring[(i + 1) % n], ring[j], ring[(j + 1) % n]];
      if (!a || !b || !c || !d) continue;
      if (turn(a, b, c) * turn(a, b, d) < 0 && turn(c, d, a) * turn(c, d, b) < 0) return true;
    }
  }
  return false;
}

/** A rectangle around a place, turned clockwise from north: length along its bearing's right. */
export function rectangle(middleAt: Xy, length_m: number, width_m: number, bearing_deg: number): Xy[] {
  return turned([[-length_m / 2, -width_m / 2], [length_m / 2, -width_m / 2], [length_m / 2, width_m / 2], [-length_m / 2, width_m / 2]], [0, 0], bearing_deg).map((p) => [p[0] + middleAt[0], p[1] + middleAt[1]] as const);
}

/** Points turned clockwise around a place. */
export function turned(points: readonly Xy[], around: Xy, clockwise_deg: number): Xy[] {
  const a = (-clockwise_deg * Math.PI) / 180;
  const [c, s] = [Math.cos(a), Math.sin(a)];
  return points.map(([x, y]) => [around[0] + (x - around[0]) * c - (y - around[1]) * s, around[1] + (x - around[0]) * s + (y - around[1]) * c] as const);
}
