/** GeoJSON as the server sends it, and a source that tells how it fares. */
export type Position = [number, number];

/** A position and, where that is not the map's zero, how high the map draws it, metres. */
export type Place = Position | [number, number, number];

export interface Feature {
  id: string;
  properties: Record<string, unknown>;
  geometry: { type: string; coordinates: unknown } | null;
}

export class SourceError extends Error {
  constructor(readonly detail: string) {
    super(detail);
    this.name = 'SourceError';
  }
}

function toFeature(raw: unknown, index: number): Feature | null {
  if (raw === null || typeof raw !== 'object') return null;
  const f = raw as { id?: unknown; properties?: unknown; geometry?: unknown };
  const properties = (f.properties ?? {}) as Record<string, unknown>;
  const id = String(f.id ?? properties['id'] ?? index);
  return { id, properties, geometry: (f.geometry ?? null) as Feature['geometry'] };
}

export function featuresOf(body: unknown): Feature[] {
  const list = Array.isArray(body) ? body : (body as { features?: unknown[] } | null)?.features;
  if (!Array.isArray(list)) throw new SourceError('not_a_feature_collection');
  return list.map(toFeature).filter((f): f is Feature => f !== null);
}

const PAGES_MAX = 50;

export async function loadFeatures(source: string | object, signal: AbortSignal, pages = PAGES_MAX): Promise<Feature[]> {
  if (typeof source !== 'string') return featuresOf(source);
  const out: Feature[] = [];
  let url: string | null = source;
  // A collection larger than one page names the next one.
  for (let page = 0; url && page < pages; page++) {
    const response: Response = await fetch(url, { signal, headers: { accept: 'application/geo+json, application/json' } });
    if (!response.ok) throw new SourceError(`http_${response.status}`);
    const body = (await response.json()) as { links?: { rel?: string; href?: string }[] };
    out.push(...featuresOf(body));
    const next: string | undefined = body.links?.find((l) => l.rel === 'next')?.href;
    url = next ? new URL(next, location.href).href : null;
    if (url && new URL(url).origin !== location.origin) url = null;
  }
  return out;
}

/** The lines of a LineString or MultiLineString, none for other geometry. */
export function linesOf(f: Feature): Position[][] {
  if (f.geometry?.type === 'LineString') return [f.geometry.coordinates as Position[]];
  if (f.geometry?.type === 'MultiLineString') return f.geometry.coordinates as Position[][];
  return [];
}

/** A point to stand for the feature: the point itself, or the middle of the geometry's box. */
export function pointOf(f: Feature): Position | null {
  if (!f.geometry) return null;
  if (f.geometry.type === 'Point') {
    const [x, y] = f.geometry.coordinates as Position;
    return [x, y];
  }
  let [w, s, e, n] = [Infinity, Infinity, -Infinity, -Infinity];
  const walk = (c: unknown): void => {
    if (!Array.isArray(c)) return;
    if (typeof c[0] === 'number' && typeof c[1] === 'number') {
      w = Math.min(w, c[0]);
      e = Math.max(e, c[0]);
      s = Math.min(s, c[1]);
      n = Math.max(n, c[1]);
    } else c.forEach(walk);
  };
  walk(f.geometry.coordinates);
  return e >= w ? [(w + e) / 2, (s + n) / 2] : null;
}

/** Rings of a Polygon or MultiPolygon, one entry per polygon. */
export function polygonsOf(f: Feature): Position[][][] {
  if (f.geometry?.type === 'Polygon') return [f.geometry.coordinates as Position[][]];
  if (f.geometry?.type === 'MultiPolygon') return f.geometry.coordinates as Position[][][];
  return [];
}
