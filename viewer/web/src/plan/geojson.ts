/** The corners of what the server sends as GeoJSON. Pure. */
import type { LonLat } from '../scheme/types';

const open = (ring: readonly LonLat[]): readonly LonLat[] => {
  const [first, last] = [ring[0], ring.at(-1)];
  return first && last && ring.length > 1 && first[0] === last[0] && first[1] === last[1] ? ring.slice(0, -1) : ring;
};

/** The rings of a polygon, the first polygon of several; none for anything else. */
export function ringsOf(geometry: unknown): readonly (readonly LonLat[])[] {
  const g = geometry as GeoJSON.Geometry | null;
  if (g?.type === 'Polygon') return g.coordinates.map((ring) => open(ring.map((p): LonLat => [p[0] ?? 0, p[1] ?? 0])));
  if (g?.type === 'MultiPolygon') return (g.coordinates[0] ?? []).map((ring) => open(ring.map((p): LonLat => [p[0] ?? 0, p[1] ?? 0])));
  return [];
}

/** The corners of a line, the first line of several; none for anything else. */
export function lineOf(geometry: unknown): readonly LonLat[] {
  const g = geometry as GeoJSON.Geometry | null;
  if (g?.type === 'LineString') return g.coordinates.map((p): LonLat => [p[0] ?? 0, p[1] ?? 0]);
  return g?.type === 'MultiLineString' ? (g.coordinates[0] ?? []).map((p): LonLat => [p[0] ?? 0, p[1] ?? 0]) : [];
}
