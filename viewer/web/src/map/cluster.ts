/** Gathers marks that lie close together on the screen. */
export interface ClusterPoint {
  id: string;
  x: number;
  y: number;
  lngLat: [number, number];
  /** Higher is worse. */
  level: number;
}

export interface Cluster {
  ids: string[];
  x: number;
  y: number;
  lngLat: [number, number];
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
    return {
      ids: group.map((p) => p.id),
      x: mean((p) => p.x),
      y: mean((p) => p.y),
      lngLat: [mean((p) => p.lngLat[0]), mean((p) => p.lngLat[1])],
      level: Math.max(...group.map((p) => p.level)),
    };
  });
}
