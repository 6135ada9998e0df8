/** Where a point that is drawn should be: on a corner, an edge, a right angle, a whole metre. Pure; metres. */
import { distance, onSegment, type Xy } from './frame';

export type SnapKind = 'start' | 'corner' | 'edge' | 'angle' | 'grid' | 'free';

export interface Snapped {
  readonly point: Xy;
  readonly kind: SnapKind;
  /** Lines that say what it lies on. */
  readonly guides: readonly (readonly [Xy, Xy])[];
}

export interface Targets {
  readonly corners: readonly Xy[];
  readonly edges: readonly (readonly [Xy, Xy])[];
}

export interface Asked {
  readonly targets: Targets;
  /** What has been drawn so far. */
  readonly points: readonly Xy[];
  /** How near is near: some pixels, in metres. */
  readonly reach_m: number;
  readonly grid_m: number;
}

const ANGLE_DEG = 7;
const GUIDE_M = 400;

const nearest = (p: Xy, points: readonly Xy[], reach_m: number): Xy | null => {
  let best: Xy | null = null;
  let least = reach_m;
  for (const q of points) {
    const d = distance(p, q);
    if (d <= least) {
      best = q;
      least = d;
    }
  }
  return best;
};

const unit = (a: Xy, b: Xy): Xy | null => {
  const d = distance(a, b);
  return d < 1e-6 ? null : [(b[0] - a[0]) / d, (b[1] - a[1]) / d];
};

/** Directions that a drawn side takes gladly: along and across what is drawn already, of the edge it starts on, east and north. */
function directions(asked: Asked, last: Xy): Xy[] {
  const found: Xy[] = [];
  const add = (d: Xy | null): void => {
    if (d) found.push(d, [-d[1], d[0]], [-d[0], -d[1]], [d[1], -d[0]]);
  };
  const { points } = asked;
  const before = points.at(-2);
  if (before) add(unit(before, last));
  const [first, second] = points;
  if (first && second) add(unit(first, second));
  const edge = asked.targets.edges.find(([a, b]) => distance(last, onSegment(last, a, b)) < 0.05);
  if (edge) add(unit(edge[0], edge[1]));
  if (points.length === 1 && !edge) add([1, 0]);
  return found;
}

function along(p: Xy, asked: Asked): Snapped | null {
  const last = asked.points.at(-1);
  if (!last) return null;
  const d = unit(last, p);
  if (!d) return null;
  const near = directions(asked, last)
    .map((way) => ({ way, cos: way[0] * d[0] + way[1] * d[1] }))
    .sort((a, b) => b.cos - a.cos)[0];
  if (!near || near.cos < Math.cos((ANGLE_DEG * Math.PI) / 180)) return null;
  const { way } = near;
  let reach = distance(last, p) * near.cos;
  const guides: (readonly [Xy, Xy])[] = [];
  // Level with the first corner: the side that closes the ring is then at a right angle too.
  const first = asked.points[0];
  const level = first && asked.points.length >= 2 ? (first[0] - last[0]) * way[0] + (first[1] - last[1]) * way[1] : null;
  if (first && level !== null && level > 0.5 && Math.abs(level - reach) <= asked.reach_m) {
    reach = level;
    guides.push([first, [last[0] + way[0] * reach, last[1] + way[1] * reach]]);
  } else if (asked.grid_m > 0) reach = Math.max(asked.grid_m, Math.round(reach / asked.grid_m) * asked.grid_m);
  const point: Xy = [last[0] + way[0] * reach, last[1] + way[1] * reach];
  return { point, kind: 'angle', guides: [[last, [last[0] + way[0] * Math.max(reach, GUIDE_M / 10), last[1] + way[1] * Math.max(reach, GUIDE_M / 10)]], ...guides] };
}

export function snap(p: Xy, asked: Asked): Snapped {
  const { points, targets, reach_m, grid_m } = asked;
  const start = points[0];
  if (start && points.length >= 3 && distance(p, start) <= reach_m) return { point: start, kind: 'start', guides: [] };
  const corner = nearest(p, targets.corners, reach_m);
  if (corner) return { point: corner, kind: 'corner', guides: [] };
  const right = along(p, asked);
  let edge: { readonly point: Xy; readonly of: readonly [Xy, Xy] } | null = null;
  let least = reach_m;
  for (const of of targets.edges) {
    const point = onSegment(p, of[0], of[1]);
    const d = distance(p, point);
    if (d < least) {
      edge = { point, of };
      least = d;
    }
  }
  if (edge) return { point: edge.point, kind: 'edge', guides: [edge.of] };
  if (right) return right;
  if (grid_m > 0) {
    const last = points.at(-1);
    const d = last ? unit(last, p) : null;
    // A whole length is worth more than a whole coordinate once there is a point to measure from.
    if (last && d) {
      const whole = Math.max(grid_m, Math.round(distance(last, p) / grid_m) * grid_m);
      return { point: [last[0] + d[0] * whole, last[1] + d[1] * whole], kind: 'grid', guides: [] };
    }
    return { point: [Math.round(p[0] / grid_m) * grid_m, Math.round(p[1] / grid_m) * grid_m], kind: 'grid', guides: [] };
  }
  return { point: p, kind: 'free', guides: [] };
}

/** What a drawing may snap to: the corners and sides of rings around a place. */
export function targetsOf(rings: readonly (readonly Xy[])[], around: Xy, reach_m: number): Targets {
  const corners: Xy[] = [];
  const edges: (readonly [Xy, Xy])[] = [];
  for (const ring of rings) {
    ring.forEach((a, i) => {
      const b = ring[(i + 1) % ring.length] ?? a;
      if (distance(a, around) <= reach_m) corners.push(a);
      if (a !== b && distance(around, onSegment(around, a, b)) <= reach_m) edges.push([a, b]);
    });
  }
  return { corners, edges };
}
