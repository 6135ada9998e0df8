import { earcut } from '@math.gl/polygon';
import type { ModelMesh } from './model-mesh';
import { bendsOf, facetOf, heightOn, planesOf, roofAt, type Plane, type Point } from './roof';

/** Buildings of a scheme as triangles, edges and contact shadows (pure). Metres east, north and up; z is up. */
export interface Mass {
  /** The outline first, then its holes; turned and closed in any way. */
  readonly rings: readonly (readonly Point[])[];
  readonly ground_m: number;
  /** With the roof. */
  readonly height_m: number;
  /** Height and use, the lowest first. */
  readonly storeys: readonly (readonly [number, string])[];
  readonly roof: { readonly type: string; readonly height_m: number };
  /** The body where it is a model's, where it stands: drawn in place of walls and roof. */
  readonly model?: ModelMesh | undefined;
}

/** Storeys of one use in one mass: what is coloured and picked as one. */
export interface Run {
  readonly mass: number;
  readonly use: string | null;
}

export interface MassMesh {
  readonly positions: Float32Array;
  readonly normals: Float32Array;
  /** Row of `runs`, per vertex. */
  readonly rows: Float32Array;
  /** Storeys above the ground times `STOREY_M`: where the shader draws its lines. */
  readonly heights: Float32Array;
  readonly runs: readonly Run[];
  readonly edges: { readonly positions: Float32Array; readonly masses: Float32Array };
  readonly skirt: { readonly positions: Float32Array; readonly alphas: Float32Array };
}

/** Storey height that the shader's lines are spaced by. */
export const STOREY_M = 3.2;
export const SKIRT_M = 5;
/** Walls that meet at less than this have no edge between them. */
const CREASE_DEG = 14;
const MITRE_MAX = 2.5;

interface Band {
  readonly from_m: number;
  readonly to_m: number;
  readonly from_level: number;
  readonly to_level: number;
  readonly row: number;
}

const signedArea = (ring: readonly Point[]): number =>
  ring.reduce((sum, a, i) => {
    const b = ring[(i + 1) % ring.length] ?? a;
    return sum + a[0] * b[1] - b[0] * a[1];
  }, 0) / 2;

/** Rings without repeated points, the outline counter-clockwise and holes clockwise: what is built is on the left. */
export function oriented(rings: readonly (readonly Point[])[]): Point[][] {
  return rings.flatMap((ring, i) => {
    const clean = ring.filter((p, k) => {
      const next = ring[(k + 1) % ring.length] ?? p;
      return Math.hypot(next[0] - p[0], next[1] - p[1]) > 1e-4;
    });
    if (clean.length < 3) return [];
    return [signedArea(clean) > 0 === (i === 0) ? clean : clean.reverse()];
  });
}

/** Equal storeys of one use are drawn as one band of wall. */
function bandsOf(mass: Mass, runs: Run[], index: number): Band[] {
  const wall_m = Math.max(0, mass.height_m - mass.roof.height_m);
  const storeys = mass.storeys.length ? mass.storeys : [[wall_m, null] as const];
  const levels = (height_m: number): number => (mass.storeys.length ? 1 : Math.max(1, Math.round(height_m / STOREY_M)));
  const out: Band[] = [];
  let [z, level] = [0, 0];
  let [lastHeight_m, lastUse]: [number, string | null | undefined] = [-1, undefined];
  for (const [height_m, use] of storeys) {
    const before = out.at(-1);
    const to = { to_m: z + height_m, to_level: level + levels(height_m) };
    if (before && lastHeight_m === height_m && lastUse === use) out[out.length - 1] = { ...before, ...to };
    else {
      if (lastUse !== use || runs.at(-1)?.mass !== index) runs.push({ mass: index, use });
      out.push({ from_m: z, from_level: level, ...to, row: runs.length - 1 });
    }
    [lastHeight_m, lastUse] = [height_m, use];
    z = to.to_m;
    level = to.to_level;
  }
  return out;
}

/** Triangles of a footprint, counter-clockwise. */
export function trianglesOf(rings: readonly (readonly Point[])[]): [Point, Point, Point][] {
  const flat = rings.flat();
  const holes: number[] = [];
  rings.slice(0, -1).reduce((n, ring) => {
    holes.push(n + ring.length);
    return n + ring.length;
  }, 0);
  const order = earcut(flat.flatMap((p) => [p[0], p[1]]), holes.length ? holes : undefined, 2);
  const out: [Point, Point, Point][] = [];
  for (let i = 0; i + 2 < order.length; i += 3) {
    const [a, b, c] = [flat[order[i] ?? 0], flat[order[i + 1] ?? 0], flat[order[i + 2] ?? 0]];
    if (!a || !b || !c) continue;
    out.push(signedArea([a, b, c]) > 0 ? [a, b, c] : [a, c, b]);
  }
  return out;
}

class Builder {
  constructor(private readonly outline: boolean) {}

  readonly positions: number[] = [];
  readonly normals: number[] = [];
  readonly rows: number[] = [];
  readonly heights: number[] = [];
  readonly edges: number[] = [];
  readonly edgeMasses: number[] = [];
  readonly skirt: number[] = [];
  readonly alphas: number[] = [];
  readonly runs: Run[] = [];

  add(mass: Mass, index: number): void {
    const rings = oriented(mass.rings);
    const outer = rings[0];
    if (!outer) return;
    const bands = bandsOf(mass, this.runs, index);
    const top = bands.at(-1);
    if (!top) return;
    if (mass.model && !this.outline) {
      this.model(mass.model, mass, bands, index);
      for (const ring of rings) this.contact(ring, mass.ground_m);
      return;
    }
    const planes = planesOf(mass.roof.type, mass.roof.height_m, outer);
    const eaves_m = mass.ground_m + top.to_m;
    for (const ring of rings) {
      ring.forEach((a, i) => this.wall(a, ring[(i + 1) % ring.length] ?? a, mass.ground_m, bands, planes));
      this.ringEdges(ring, mass.ground_m, eaves_m, planes, index);
      this.contact(ring, mass.ground_m);
    }
    this.roof(rings, eaves_m, planes, top, index);
  }

  /** A model's own faces, flat; each face belongs to the storeys that its middle lies in. */
  private model(model: ModelMesh, mass: Mass, bands: readonly Band[], index: number): void {
    const top = bands.at(-1);
    if (!top) return;
    const at = (i: number): [number, number, number] => [model.points[i * 3] ?? 0, model.points[i * 3 + 1] ?? 0, model.points[i * 3 + 2] ?? 0];
    const levels = top.to_level / Math.max(top.to_m, 1e-6);
    for (let i = 0; i + 2 < model.faces.length; i += 3) {
      const [a, b, c] = [at(model.faces[i] ?? 0), at(model.faces[i + 1] ?? 0), at(model.faces[i + 2] ?? 0)];
      const [u, v] = [[b[0] - a[0], b[1] - a[1], b[2] - a[2]] as const, [c[0] - a[0], c[1] - a[1], c[2] - a[2]] as const];
      const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]] as const;
      const l = Math.hypot(...n);
      if (l < 1e-9) continue;
      const middle_m = (a[2] + b[2] + c[2]) / 3 - mass.ground_m;
      const { row } = bands.find((band) => middle_m < band.to_m) ?? top;
      for (const p of [a, b, c]) this.corner([p[0], p[1]], p[2], [n[0] / l, n[1] / l, n[2] / l], row, Math.max(0, p[2] - mass.ground_m) * levels);
    }
    for (let i = 0; i + 1 < model.edges.length; i += 2) {
      const [a, b] = [at(model.edges[i] ?? 0), at(model.edges[i + 1] ?? 0)];
      this.edge([a[0], a[1]], a[2], [b[0], b[1]], b[2], index);
    }
  }

  private corner(p: Point, z: number, normal: readonly number[], row: number, level: number): void {
    this.positions.push(p[0], p[1], z);
    this.normals.push(normal[0] ?? 0, normal[1] ?? 0, normal[2] ?? 1);
    this.rows.push(row);
    this.heights.push(level * STOREY_M);
  }

  private wall(a: Point, b: Point, ground_m: number, bands: readonly Band[], planes: readonly Plane[]): void {
    const l = Math.hypot(b[0] - a[0], b[1] - a[1]);
    if (l < 1e-6) return;
    const n = [(b[1] - a[1]) / l, (a[0] - b[0]) / l, 0];
    for (const { from_m, to_m, from_level, to_level, row } of bands) {
      const [z0, z1] = [ground_m + from_m, ground_m + to_m];
      this.corner(a, z0, n, row, from_level);
      this.corner(b, z0, n, row, from_level);
      this.corner(b, z1, n, row, to_level);
      this.corner(a, z0, n, row, from_level);
      this.corner(b, z1, n, row, to_level);
      this.corner(a, z1, n, row, to_level);
    }
    const top = bands.at(-1);
    if (!top) return;
    const eaves_m = ground_m + top.to_m;
    const bends = bendsOf(a, b, planes);
    for (let i = 0; i + 1 < bends.length; i++) {
      const [p, q] = [bends[i] ?? a, bends[i + 1] ?? b];
      const [hp, hq] = [roofAt(planes, p), roofAt(planes, q)];
      if (hp < 1e-4 && hq < 1e-4) continue;
      // No storey lines above the eaves: the level stays half-way between two lines.
      const level = top.to_level + 0.5;
      for (const [at, z] of [[p, eaves_m], [q, eaves_m], [q, eaves_m + hq], [p, eaves_m], [q, eaves_m + hq], [p, eaves_m + hp]] as const) {
        this.corner(at, z, n, top.row, level);
      }
    }
  }

  private roof(rings: Point[][], eaves_m: number, planes: readonly Plane[], top: Band, index: number): void {
    for (const triangle of trianglesOf(rings)) {
      planes.forEach((plane, k) => {
        const facet = planes.length > 1 ? facetOf(triangle, planes, k) : [...triangle];
        const l = Math.hypot(plane.a, plane.b, 1);
        const n = [-plane.a / l, -plane.b / l, 1 / l];
        const z = (p: Point): number => eaves_m + Math.max(0, heightOn(plane, p));
        for (let i = 1; i + 1 < facet.length; i++) {
          for (const p of [facet[0], facet[i], facet[i + 1]]) if (p) this.corner(p, z(p), n, top.row, top.to_level + 0.5);
        }
        this.ridges(facet, plane, planes.slice(k + 1), z, index);
      });
    }
  }

  /** Where two planes meet there is an edge; each is drawn from one side only. */
  private ridges(facet: readonly Point[], own: Plane, others: readonly Plane[], z: (p: Point) => number, index: number): void {
    facet.forEach((p, i) => {
      const q = facet[(i + 1) % facet.length] ?? p;
      const meets = (o: Plane): boolean => [p, q].every((at) => Math.abs(heightOn(own, at) - heightOn(o, at)) < 1e-4);
      if (others.some(meets)) this.edge(p, z(p), q, z(q), index);
    });
  }

  private edge(a: Point, za: number, b: Point, zb: number, index: number): void {
    if (Math.hypot(b[0] - a[0], b[1] - a[1], zb - za) < 1e-3) return;
    this.edges.push(a[0], a[1], za, b[0], b[1], zb);
    this.edgeMasses.push(index, index);
  }

  private ringEdges(ring: readonly Point[], ground_m: number, eaves_m: number, planes: readonly Plane[], index: number): void {
    ring.forEach((p, i) => {
      const before = ring[(i + ring.length - 1) % ring.length] ?? p;
      const next = ring[(i + 1) % ring.length] ?? p;
      const turn = Math.abs(Math.atan2(next[1] - p[1], next[0] - p[0]) - Math.atan2(p[1] - before[1], p[0] - before[0]));
      const angle = (Math.min(turn, 2 * Math.PI - turn) * 180) / Math.PI;
      if (this.outline) this.edge(p, ground_m, next, ground_m, index);
      else if (angle > CREASE_DEG) this.edge(p, ground_m, p, eaves_m + roofAt(planes, p), index);
      const bends = bendsOf(p, next, planes);
      for (let k = 0; k + 1 < bends.length; k++) {
        const [a, b] = [bends[k] ?? p, bends[k + 1] ?? next];
        this.edge(a, eaves_m + roofAt(planes, a), b, eaves_m + roofAt(planes, b), index);
      }
    });
  }

  /** A rim of dark on the ground, away from the walls. */
  private contact(ring: readonly Point[], ground_m: number): void {
    const outside = ring.map((p, i) => mitred(ring[(i + ring.length - 1) % ring.length] ?? p, p, ring[(i + 1) % ring.length] ?? p, SKIRT_M));
    ring.forEach((a, i) => {
      const k = (i + 1) % ring.length;
      const [b, c, d] = [ring[k] ?? a, outside[k] ?? a, outside[i] ?? a];
      for (const [p, alpha] of [[a, 1], [d, 0], [c, 0], [a, 1], [c, 0], [b, 1]] as const) {
        this.skirt.push(p[0], p[1], ground_m);
        this.alphas.push(alpha);
      }
    });
  }
}

/** A corner moved out of the solid on its left by a distance from both walls. */
export function mitred(before: Point, at: Point, next: Point, distance_m: number): Point {
  const unit = (a: Point, b: Point): Point => {
    const l = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1;
    return [(b[1] - a[1]) / l, (a[0] - b[0]) / l];
  };
  const [n1, n2] = [unit(before, at), unit(at, next)];
  const [x, y] = [n1[0] + n2[0], n1[1] + n2[1]];
  const l = Math.hypot(x, y);
  if (l < 1e-6) return [at[0] + n1[0] * distance_m, at[1] + n1[1] * distance_m];
  const scale = Math.min(MITRE_MAX, 2 / l) / l;
  return [at[0] + x * scale * distance_m, at[1] + y * scale * distance_m];
}

/** `outline`: edges along the ground and the eaves alone, for what is only a memory of a building. */
export function massMesh(masses: readonly Mass[], outline = false): MassMesh {
  const b = new Builder(outline);
  masses.forEach((mass, i) => b.add(mass, i));
  return {
    positions: new Float32Array(b.positions),
    normals: new Float32Array(b.normals),
    rows: new Float32Array(b.rows),
    heights: new Float32Array(b.heights),
    runs: b.runs,
    edges: { positions: new Float32Array(b.edges), masses: new Float32Array(b.edgeMasses) },
    skirt: { positions: new Float32Array(b.skirt), alphas: new Float32Array(b.alphas) },
  };
}
