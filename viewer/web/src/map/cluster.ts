/** Gathers marks that lie close together on the screen. */
import type { Place } from './features';

export interface ClusterPoint {
  id: string;
  x: number;
  y: number;
  lngLat: Place;
  /** Higher is worse. */
  level: number;
}

export interface Cluster {
  ids: string[];
  x: number;
  y: number;
  lngLat: Place;
  /** Worst level inside. */
  level: number;
}

/** Groups by a grid of `cell` pixels; a cluster stands at the mean of its members. */
export function clusterPoints(points: Iterable<ClusterPoint>, cell = 64): Cluster[] {
  const cells = new Map<string, ClusterPoint[]>();
  for (const p of points) {
    const key = `${Math.floor(p.x / cell)},${Math.floor(p.y / cell)}`;
    const group = cells.get(key);
    if (group) group.push(p);
    else cells.set(key, [p]);
  }
  return [...cells.values()].map((group) => {
    const mean = (get: (p: ClusterPoint) => number): number => group.reduce((s, p) => s + get(p), 0) / group.length;
    const [lon, lat, up_m] = [0, 1, 2].map((axis) => mean((p) => p.lngLat[axis] ?? 0)) as [number, number, number];
    return {
      ids: group.map((p) => p.id),
      x: mean((p) => p.x),
      y: mean((p) => p.y),
      lngLat: up_m ? [lon, lat, up_m] : [lon, lat],
      level: Math.max(...group.map((p) => p.level)),
    };
  });
}
