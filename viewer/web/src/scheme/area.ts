/** Areas and boxes of what a scheme draws, from degrees; good to a few parts in a thousand at the size of a site. Pure. */
const EARTH_M = 6_371_008.8;
const RADIANS = Math.PI / 180;

type Ring = readonly (readonly number[])[];

function area(ring: Ring): number {
  const first = ring[0];
  if (!first || ring.length < 3) return 0;
  const scale = Math.cos((first[1] ?? 0) * RADIANS) * (EARTH_M * RADIANS) ** 2;
  let twice = 0;
  for (let i = 0; i < ring.length; i++) {
    const [x0 = 0, y0 = 0] = ring[i] ?? [];
    const [x1 = 0, y1 = 0] = ring[(i + 1) % ring.length] ?? [];
    // About the first corner: differences of degrees keep their figures.
    twice += (x0 - (first[0] ?? 0)) * (y1 - (first[1] ?? 0)) - (x1 - (first[0] ?? 0)) * (y0 - (first[1] ?? 0));
  }
  return (Math.abs(twice) / 2) * scale;
}

/** Square metres of a polygon without its holes; 0 for what has no area. */
export function ringArea(geometry: GeoJSON.Geometry | null): number {
  const polygon = ([outer, ...holes]: readonly Ring[]): number => Math.max(0, area(outer ?? []) - holes.reduce((sum, hole) => sum + area(hole), 0));
  if (geometry?.type === 'Polygon') return polygon(geometry.coordinates);
  if (geometry?.type === 'MultiPolygon') return geometry.coordinates.reduce((sum, one) => sum + polygon(one), 0);
  return 0;
}

/** West, south, east, north. */
export type Box = readonly [number, number, number, number];

const METRES_PER_DEGREE = 111_320;
const TILE_PX = 512;

/** The middle of a box and the zoom at which it fills the larger part of a free space of CSS pixels. */
export function fit(box: Box, width: number, height: number): { readonly centre: readonly [number, number]; readonly zoom: number } {
  const [w, s, e, n] = box;
  const latitude = (s + n) / 2;
  const shrink = Math.cos(latitude * RADIANS);
  const metres = Math.max((e - w) * METRES_PER_DEGREE * shrink, (n - s) * METRES_PER_DEGREE, 60);
  const room = Math.max(120, Math.min(width, height * 1.3)) * 0.7;
  const zoom = Math.log2((METRES_PER_DEGREE * 360 * shrink * room) / (TILE_PX * metres));
  return { centre: [(w + e) / 2, latitude], zoom: Math.min(17.6, Math.max(13.5, zoom)) };
}
