import type { Layer } from '@deck.gl/core';
import { PathStyleExtension } from '@deck.gl/extensions';
import { PathLayer } from '@deck.gl/layers';
import { SimpleMeshLayer } from '@deck.gl/mesh-layers';
import { Matrix4 } from '@math.gl/core';
import type { LonLat, ProfilePoint } from '../scheme/types';
import { withAlpha, type Tokens } from './tokens';
import { LocalFrame } from './local-frame';
import type { CityTileLayer } from './layers/city-tile-layer';
import { geometry } from './layers/tile-content';
import type { Prepared } from './overlay';
import type { Relief } from './relief';
import { CITY_EXTENSIONS } from './shading/extension';
import { Kind } from './shading/shader';

const STEP_M = 0.5;
const STEPS_MAX = 1200;
const STANDS_M = 0.3;

type Xy = readonly [number, number];

/** Highest point over each step of a line, above the floor that it is measured from (pure). */
export class Profile {
  readonly tops: Float32Array;
  readonly step_m: number;

  constructor(readonly length_m: number, readonly floor_m = 0) {
    const steps = Math.max(1, Math.min(STEPS_MAX, Math.ceil(length_m / STEP_M)));
    this.step_m = length_m / steps;
    this.tops = new Float32Array(steps + 1);
  }

  /** Takes in what a triangle, three points of six or nine numbers x y z, cuts out of the line from `a` to `b`. */
  add(corners: readonly (readonly [number, number, number])[], a: Xy, b: Xy): void {
    const l = Math.hypot(b[0] - a[0], b[1] - a[1]);
    const [ux, uy] = [(b[0] - a[0]) / l, (b[1] - a[1]) / l];
    const side = corners.map((p) => (p[0] - a[0]) * -uy + (p[1] - a[1]) * ux);
    const ends: [number, number][] = [];
    corners.forEach((p, i) => {
      const k = (i + 1) % corners.length;
      const q = corners[k] ?? p;
      const [s, t] = [side[i] ?? 0, side[k] ?? 0];
      if (s > 0 === t > 0) return;
      const f = s / (s - t);
      const along = (c: readonly [number, number, number]): number => (c[0] - a[0]) * ux + (c[1] - a[1]) * uy;
      ends.push([along(p) + (along(q) - along(p)) * f, p[2] + (q[2] - p[2]) * f]);
    });
    const [from, to] = ends.sort((p, q) => p[0] - q[0]);
    if (!from || !to) return;
    // The scale of the line's own metres and of the triangle's differ by a trifle.
    const k = this.length_m / l;
    const first = Math.max(0, Math.ceil((from[0] * k) / this.step_m));
    const last = Math.min(this.tops.length - 1, Math.floor((to[0] * k) / this.step_m));
    for (let i = first; i <= last; i++) {
      const f = to[0] > from[0] ? ((i * this.step_m) / k - from[0]) / (to[0] - from[0]) : 0;
      this.tops[i] = Math.max(this.tops[i] ?? 0, from[1] + (to[1] - from[1]) * f);
    }
  }

  /** Heights of the city, where the map's zero is at `zero_m`. */
  points(zero_m = 0): ProfilePoint[] {
    return [...this.tops].map((top_m, i) => ({ distance_m: i * this.step_m, height_m: top_m + this.floor_m + zero_m }));
  }
}

/** The city's skyline over a line, by the tiles that are loaded and by what a scheme puts there; `floor_m` is under all ground. */
export function cutThrough(line: readonly [LonLat, LonLat], tiles: readonly CityTileLayer[], scheme: Prepared | null, floor_m = 0): Profile {
  const own = new LocalFrame([line[0][0], line[0][1]]);
  const end = own.toMetres(line[1]);
  const profile = new Profile(Math.hypot(end[0], end[1]), floor_m);
  const none: ReadonlySet<string> = new Set();
  const hidden = scheme?.hidden ?? none;
  for (const layer of tiles) {
    for (const { tile, content } of layer.selectedTiles()) {
      const at = tile.content;
      if (!at) continue;
      const frame = new LocalFrame(at.cartographicOrigin.slice(0, 2) as [number, number]);
      const up_m = (at.cartographicOrigin[2] ?? 0) - floor_m;
      const m = new Matrix4(at.modelMatrix);
      const moved = (i: number): [number, number, number] => {
        const [x, y, z] = m.transformAsPoint([...content.positions.subarray(i * 3, i * 3 + 3)]) as number[];
        return [x ?? 0, y ?? 0, (z ?? 0) + up_m];
      };
      const rows = new Set(content.ids.flatMap((id, row) => (hidden.has(id) ? [row] : [])));
      const [a, b] = [frame.toMetres(line[0]), frame.toMetres(line[1])];
      each(content.order, content.featureIds.length, (i, j, k) => {
        if (!rows.has(content.featureIds[i] ?? -1)) profile.add([moved(i), moved(j), moved(k)], a, b);
      });
    }
  }
  if (scheme) {
    const { positions } = scheme.solid;
    const [a, b] = [scheme.frame.toMetres(line[0]), scheme.frame.toMetres(line[1])];
    const corner = (i: number): [number, number, number] => [positions[i * 3] ?? 0, positions[i * 3 + 1] ?? 0, (positions[i * 3 + 2] ?? 0) - floor_m];
    for (let i = 0; i + 2 < positions.length / 3; i += 3) profile.add([corner(i), corner(i + 1), corner(i + 2)], a, b);
  }
  return profile;
}

function each(order: ArrayLike<number> | null, vertices: number, visit: (i: number, j: number, k: number) => void): void {
  const n = order?.length ?? vertices;
  const at = (i: number): number => (order ? (order[i] ?? 0) : i);
  for (let i = 0; i + 2 < n; i += 3) visit(at(i), at(i + 1), at(i + 2));
}

/** The cut faces, filled as drawings do, and the line on the ground. */
export function sectionLayers(line: readonly [LonLat, LonLat], profile: Profile, relief: Relief, tokens: Tokens, version: number): Layer[] {
  const frame = new LocalFrame([line[0][0], line[0][1]]);
  const end = frame.toMetres(line[1]);
  const at = (i: number): Xy => [(end[0] * i) / (profile.tops.length - 1), (end[1] * i) / (profile.tops.length - 1)];
  const corners: number[] = [];
  for (let i = 0; i + 1 < profile.tops.length; i++) {
    const [h, k] = [profile.tops[i] ?? 0, profile.tops[i + 1] ?? 0];
    if (h < STANDS_M || k < STANDS_M) continue;
    const [p, q] = [at(i), at(i + 1)];
    corners.push(p[0], p[1], 0, q[0], q[1], 0, q[0], q[1], k, p[0], p[1], 0, q[0], q[1], k, p[0], p[1], h);
  }
  const ink = tokens.get('map-label');
  const positions = new Float32Array(corners);
  const out: Layer[] = [];
  if (positions.length) {
    out.push(
      new SimpleMeshLayer({
        id: `section-face-${version}`,
        data: [0],
        mesh: geometry(positions, new Float32Array(positions.length).fill(0.577)) as never,
        getPosition: [0, 0, 0],
        getColor: ink,
        coordinateSystem: 'meter-offsets' as never,
        coordinateOrigin: [line[0][0], line[0][1], profile.floor_m],
        material: { unlit: true } as never,
        extensions: CITY_EXTENSIONS,
        parameters: { cullMode: 'none' },
        ...({ cityKind: Kind.flat } as object),
      }),
    );
  }
  out.push(
    new PathLayer<readonly LonLat[]>({
      id: 'section-line',
      data: [line],
      getPath: (l) => relief.along(l.map(([lon, lat]) => [lon, lat])) as never,
      getColor: withAlpha(ink, 0.9),
      widthUnits: 'pixels',
      getWidth: 2,
      extensions: [...CITY_EXTENSIONS, new PathStyleExtension({ dash: true })],
      parameters: { depthCompare: 'always', depthWriteEnabled: false },
      updateTriggers: { getColor: ink.join() },
      ...({ cityKind: Kind.flat, getDashArray: [14, 5], dashUnits: 'pixels' } as object),
    }),
  );
  return out;
}
