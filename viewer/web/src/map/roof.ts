/**
 * Roofs over any footprint (pure). A roof is the least of a few planes laid over the footprint's smallest box: convex
 * parts of the footprint, one for each plane, meet in ridges and hips without gaps. Metres.
 */
export type Point = readonly [number, number];

/** Height over the eaves at (x, y): a x + b y + c. */
export interface Plane {
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

export interface Box {
  readonly centre: Point;
  /** Unit vector of the longer side. */
  readonly along: Point;
  readonly half_m: Point;
}

export const heightOn = (p: Plane, at: Point): number => p.a * at[0] + p.b * at[1] + p.c;

/** Height of the roof over the eaves at a place. */
export const roofAt = (planes: readonly Plane[], at: Point): number => Math.max(0, Math.min(...planes.map((p) => heightOn(p, at))));

/** The smallest box round a ring that has a side along one of the ring's own. */
export function boxOf(ring: readonly Point[]): Box {
  let best: Box = { centre: ring[0] ?? [0, 0], along: [1, 0], half_m: [0, 0] };
  let least = Infinity;
  ring.forEach((a, i) => {
    const b = ring[(i + 1) % ring.length] ?? a;
    const l = Math.hypot(b[0] - a[0], b[1] - a[1]);
    if (l < 1e-6) return;
    const u: Point = [(b[0] - a[0]) / l, (b[1] - a[1]) / l];
    let [u0, u1, v0, v1] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const p of ring) {
      const s = p[0] * u[0] + p[1] * u[1];
      const t = p[1] * u[0] - p[0] * u[1];
      u0 = Math.min(u0, s);
      u1 = Math.max(u1, s);
      v0 = Math.min(v0, t);
      v1 = Math.max(v1, t);
    }
    const [w, h] = [u1 - u0, v1 - v0];
    if (w * h >= least - 1e-9) return;
    least = w * h;
    const [s, t] = [(u0 + u1) / 2, (v0 + v1) / 2];
    const centre: Point = [s * u[0] - t * u[1], s * u[1] + t * u[0]];
    best = w >= h ? { centre, along: u, half_m: [w / 2, h / 2] } : { centre, along: [-u[1], u[0]], half_m: [h / 2, w / 2] };
  });
  return best;
}

/** The planes of a roof; one level plane for a flat one and for kinds that are not known. */
export function planesOf(type: string, height_m: number, ring: readonly Point[]): Plane[] {
  const level: Plane[] = [{ a: 0, b: 0, c: Math.max(0, height_m) }];
  if (!(height_m > 0) || type === 'flat' || ring.length < 3) return level;
  const { centre, along, half_m } = boxOf(ring);
  const [length, width] = half_m;
  if (!(length > 0) || !(width > 0)) return level;
  const across: Point = [-along[1], along[0]];
  // Rises from the border of the box, `reach` metres up to the full height.
  const rising = (direction: Point, border_m: number, reach_m: number): Plane => {
    const slope = height_m / reach_m;
    const at = direction[0] * centre[0] + direction[1] * centre[1];
    return { a: direction[0] * slope, b: direction[1] * slope, c: slope * (border_m - at) };
  };
  const back = (d: Point): Point => [-d[0], -d[1]];
  const sides = [rising(across, width, width), rising(back(across), width, width)];
  if (type === 'gabled') return sides;
  if (type === 'hipped') return [...sides, rising(along, length, width), rising(back(along), length, width)];
  if (type === 'pyramidal') return [...sides, rising(along, length, length), rising(back(along), length, length)];
  if (type === 'shed') return [rising(across, width, 2 * width)];
  return level;
}

/** The part of a convex polygon where `p` is no more than `q`. */
function under(polygon: readonly Point[], p: Plane, q: Plane): Point[] {
  const out: Point[] = [];
  polygon.forEach((a, i) => {
    const b = polygon[(i + 1) % polygon.length] ?? a;
    const da = heightOn(q, a) - heightOn(p, a);
    const db = heightOn(q, b) - heightOn(p, b);
    if (da >= -1e-9) out.push(a);
    if ((da > 1e-9 && db < -1e-9) || (da < -1e-9 && db > 1e-9)) {
      const t = da / (da - db);
      out.push([a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t]);
    }
  });
  return out;
}

/** The part of a convex polygon over which one plane is the roof. */
export function facetOf(polygon: readonly Point[], planes: readonly Plane[], index: number): Point[] {
  const own = planes[index];
  let part = [...polygon];
  if (!own) return [];
  planes.forEach((other, i) => {
    if (i !== index && part.length > 2) part = under(part, own, other);
  });
  return part.length > 2 ? part : [];
}

/** The places of a wall's top where the roof bends, from one end to the other, both included. */
export function bendsOf(a: Point, b: Point, planes: readonly Plane[]): Point[] {
  const cuts: number[] = [];
  for (let i = 0; i < planes.length; i++) {
    for (let j = i + 1; j < planes.length; j++) {
      const [p, q] = [planes[i], planes[j]];
      if (!p || !q) continue;
      const da = heightOn(p, a) - heightOn(q, a);
      const db = heightOn(p, b) - heightOn(q, b);
      if (da * db < 0) cuts.push(da / (da - db));
    }
  }
  const at = (t: number): Point => [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t];
  const inner = cuts.filter((t) => t > 1e-6 && t < 1 - 1e-6).sort((s, t) => s - t);
  return [a, ...inner.map(at), b];
}
