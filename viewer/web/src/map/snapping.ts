import type { WebMercatorViewport } from '@deck.gl/core';
import { Matrix4 } from '@math.gl/core';
import type { LonLat } from '../scheme/types';
import { LocalFrame } from './local-frame';
import type { CityTileLayer } from './layers/city-tile-layer';
import type { TileContent } from './layers/tile-content';
import type { Prepared } from './overlay';

export interface Snap {
  readonly lngLat: LonLat;
  readonly kind: 'corner' | 'edge';
}

type Xy = readonly [number, number];
const SAME_M = 0.05;

/** The walls of a tile as seen from above, four numbers each: level edges that end at a corner of walls on both sides. */
export function wallsOf(edges: Float32Array, matrix: readonly number[]): Float32Array {
  const m = new Matrix4([...matrix]);
  const key = (x: number, y: number): string => `${Math.round(x / SAME_M)},${Math.round(y / SAME_M)}`;
  const corners = new Set<string>();
  const level: number[] = [];
  for (let i = 0; i + 5 < edges.length; i += 6) {
    const [ax = 0, ay = 0, az = 0] = m.transformAsPoint([...edges.subarray(i, i + 3)]) as number[];
    const [bx = 0, by = 0, bz = 0] = m.transformAsPoint([...edges.subarray(i + 3, i + 6)]) as number[];
    if (Math.hypot(bx - ax, by - ay) < SAME_M) corners.add(key(ax, ay));
    else if (Math.abs(bz - az) < 0.02 * Math.hypot(bx - ax, by - ay)) level.push(ax, ay, bx, by);
  }
  const out: number[] = [];
  for (let i = 0; i < level.length; i += 4) {
    const [ax = 0, ay = 0, bx = 0, by = 0] = level.slice(i, i + 4);
    if (corners.has(key(ax, ay)) && corners.has(key(bx, by))) out.push(ax, ay, bx, by);
  }
  return new Float32Array(out);
}

/** The nearest corner within reach, else the nearest place on a wall; a corner wins wherever both are within reach. */
export function nearest(at: Xy, walls: ArrayLike<number>, reach_m: number): { at: Xy; kind: Snap['kind']; distance_m: number } | null {
  let corner: { at: Xy; d: number } | null = null;
  let edge: { at: Xy; d: number } | null = null;
  for (let i = 0; i + 3 < walls.length; i += 4) {
    const [ax, ay, bx, by] = [walls[i] ?? 0, walls[i + 1] ?? 0, walls[i + 2] ?? 0, walls[i + 3] ?? 0];
    const [dx, dy] = [bx - ax, by - ay];
    const t = Math.max(0, Math.min(1, ((at[0] - ax) * dx + (at[1] - ay) * dy) / (dx * dx + dy * dy || 1)));
    const [ex, ey] = [ax + dx * t, ay + dy * t];
    const d = Math.hypot(at[0] - ex, at[1] - ey);
    if (d > reach_m) continue;
    if (!edge || d < edge.d) edge = { at: [ex, ey], d };
    for (const p of [[ax, ay], [bx, by]] as const) {
      const c = Math.hypot(at[0] - p[0], at[1] - p[1]);
      if (c <= reach_m && (!corner || c < corner.d)) corner = { at: p, d: c };
    }
  }
  const found = corner ?? edge;
  return found ? { at: found.at, kind: corner ? 'corner' : 'edge', distance_m: found.d } : null;
}

/** Corners and walls of the buildings that are loaded and of the scheme. */
export class Snapper {
  private readonly walls = new WeakMap<TileContent, Float32Array>();

  private wallsOf(content: TileContent, edges: Float32Array, matrix: readonly number[]): Float32Array {
    let found = this.walls.get(content);
    if (!found) this.walls.set(content, (found = wallsOf(edges, matrix)));
    return found;
  }

  find(at: LonLat, reach_m: number, tiles: readonly CityTileLayer[], scheme: Prepared | null, viewport: WebMercatorViewport | null): Snap | null {
    if (!viewport) return null;
    let best: (Snap & { d: number }) | null = null;
    const take = (frame: LocalFrame, walls: ArrayLike<number>): void => {
      const found = nearest(frame.toMetres(at), walls, reach_m);
      if (!found) return;
      // Corners before edges, then the nearest.
      const d = found.distance_m + (found.kind === 'corner' ? 0 : reach_m);
      if (!best || d < best.d) best = { lngLat: frame.toLngLat(found.at), kind: found.kind, d };
    };
    for (const layer of tiles) {
      for (const { tile, content } of layer.selectedTiles()) {
        const place = tile.content;
        if (place && content.edges) take(new LocalFrame(place.cartographicOrigin.slice(0, 2) as [number, number]), this.wallsOf(content, content.edges.positions, place.modelMatrix));
      }
    }
    if (scheme) take(scheme.frame, footprintWalls(scheme));
    const found = best as (Snap & { d: number }) | null;
    return found && { lngLat: found.lngLat, kind: found.kind };
  }
}

/** Walls of the scheme's masses, from the edges of their tops. */
function footprintWalls(scheme: Prepared): number[] {
  const { positions } = scheme.solid.edges;
  const out: number[] = [];
  for (let i = 0; i + 5 < positions.length; i += 6) {
    const [ax, ay, az, bx, by, bz] = [...positions.subarray(i, i + 6)] as [number, number, number, number, number, number];
    if (Math.hypot(bx - ax, by - ay) > SAME_M && Math.abs(bz - az) < SAME_M) out.push(ax, ay, bx, by);
  }
  return out;
}
