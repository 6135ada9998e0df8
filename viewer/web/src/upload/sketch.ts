/** The outlines that a look found, as the map draws what a scheme adds. Pure. */
import type { SchemeObject, SchemeOverlay } from '../scheme/types';
import type { SketchFeature } from './types';

const NONE: ReadonlySet<string> = new Set();

/** Areas lie on the ground with their rims, lines as lines, points as points: nothing has a height yet. */
function typeFor(geometry: GeoJSON.Geometry): string {
  if (/Polygon/.test(geometry.type)) return '+Parcel';
  return /LineString/.test(geometry.type) ? '+Main' : '+Pump';
}

export function objectsOf(features: readonly SketchFeature[]): SchemeObject[] {
  return features.flatMap((f): SchemeObject[] => {
    const { geometry } = f;
    if (!geometry || geometry.type === 'GeometryCollection') return [];
    // Of several parts each stands for itself.
    const parts: GeoJSON.Geometry[] =
      geometry.type === 'MultiPoint' ? geometry.coordinates.map((coordinates) => ({ type: 'Point', coordinates })) : [geometry];
    return parts.map((part, i) => ({
      id: i === 0 ? f.id : `${f.id}#${i}`, type: typeFor(part), change: 'added', geometry: part, ground_m: 0, height_m: 0, storeys: [],
      roof: { type: 'flat', height_m: 0 }, land_use: null, phase_year: null, name: null, properties: {},
    }));
  });
}

export const sketchOverlay = (features: readonly SketchFeature[]): SchemeOverlay => ({ scheme: 'upload', letter: 'B', colour_index: 1, objects: objectsOf(features), hidden: NONE, phase: null });

/** Longitude, latitude and zoom that bring a box into view. */
export function viewOf(bbox: readonly [number, number, number, number], width_px: number, height_px: number): { readonly at: readonly [number, number]; readonly zoom: number } {
  const [w, s, e, n] = bbox;
  const middle = (s + n) / 2;
  const squeeze = Math.max(0.05, Math.cos((middle * Math.PI) / 180));
  const wide = Math.log2((360 * width_px) / (512 * Math.max(e - w, 1e-5)));
  const high = Math.log2((360 * squeeze * height_px) / (512 * Math.max(n - s, 1e-5)));
  return { at: [(w + e) / 2, middle], zoom: Math.max(3, Math.min(17, Math.min(wide, high) - 0.35)) };
}
