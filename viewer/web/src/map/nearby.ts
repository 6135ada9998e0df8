import type { WebMercatorViewport } from '@deck.gl/core';
import { Matrix4, Vector3 } from '@math.gl/core';
import type { CityTileLayer, Tile } from './layers/city-tile-layer';
import type { TileContent } from './layers/tile-content';
import { polygonsOf, type Position } from './features';
import { LocalFrame } from './local-frame';
import type { Prepared } from './overlay';
import { Surroundings, type Point3, type Upright } from './sight';

interface Named extends Upright {
  readonly id: string;
}

/** The buildings that are drawn now, as far as they stand in the way: gathered anew when others are drawn. */
export class Nearby {
  private frame: LocalFrame | null = null;
  private key = '';
  private scheme: Prepared | null = null;
  private surroundings = new Surroundings([]);
  private readonly ofTile = new WeakMap<TileContent, readonly Named[]>();

  look(layers: readonly CityTileLayer[], scheme: Prepared | null): void {
    const drawn: [Tile, TileContent][] = [];
    for (const layer of layers) {
      if (!layer.props.visible || !layer.state) continue;
      for (const { tile, content } of layer.selectedTiles()) drawn.push([tile, content]);
    }
    const key = drawn.map(([tile]) => tile.contentUrl ?? tile.id).sort().join();
    if (key === this.key && scheme === this.scheme) return;
    this.key = key;
    this.scheme = scheme;
    const found: Upright[] = [];
    for (const [tile, content] of drawn) found.push(...this.uprightsOf(tile, content).filter((one) => !scheme?.hidden.has(one.id)));
    this.surroundings = new Surroundings([...found, ...this.ofScheme(scheme)]);
  }

  /** A test of whether the city hides a place, in degrees and metres, from where this view looks. */
  hidesFrom(viewport: WebMercatorViewport): (at: Point3) => boolean {
    const { frame, surroundings } = this;
    const eye = frame ? viewport.unprojectPosition(viewport.cameraPosition) : null;
    if (!frame || !eye) return () => false;
    const place = ([lon, lat, up]: Point3): Point3 => [...frame.toMetres([lon, lat]), up];
    const from = place([eye[0] ?? 0, eye[1] ?? 0, eye[2] ?? 0]);
    return (at) => surroundings.hides(place(at), from);
  }

  private uprightsOf(tile: Tile, content: TileContent): readonly Named[] {
    const known = this.ofTile.get(content);
    const raw = tile.content;
    if (known || !raw) return known ?? [];
    const [lon = 0, lat = 0, up = 0] = raw.cartographicOrigin;
    const own = new LocalFrame([lon, lat]);
    const frame = (this.frame ??= own);
    const turn = new Matrix4(raw.modelMatrix) as unknown as number[];
    const found: Named[] = [];
    for (let row = 0; row < content.rows; row++) {
      const [ax = NaN, ay = 0, az = 0] = content.anchors.subarray(row * 3, row * 3 + 3);
      const radius_m = Math.sqrt((content.areas[row] ?? 0) / Math.PI);
      if (!Number.isFinite(ax) || !(radius_m > 0)) continue;
      const m = new Vector3(ax, ay, az).transformAsPoint(turn);
      const [x, y] = frame.toMetres(own.toLngLat([m.x, m.y]));
      found.push({ id: content.ids[row] ?? '', x, y, radius_m, top_m: up + m.z });
    }
    this.ofTile.set(content, found);
    return found;
  }

  private *ofScheme(scheme: Prepared | null): Generator<Upright> {
    const { frame } = this;
    for (const o of scheme?.buildings ?? []) {
      if (!frame || !scheme || !o.geometry || !('coordinates' in o.geometry)) continue;
      for (const [ring = []] of polygonsOf({ id: o.id, properties: {}, geometry: o.geometry })) {
        const points = ring.map((p) => frame.toMetres(p));
        const disc = discOf(points);
        if (disc) yield { ...disc, top_m: scheme.relief.drawn(o.ground_m) + o.height_m };
      }
    }
  }
}

/** The disc of the area of a ring, at its middle. */
function discOf(ring: readonly Position[]): { x: number; y: number; radius_m: number } | null {
  const [x0, y0] = ring[0] ?? [0, 0];
  let [twice, x, y] = [0, 0, 0];
  for (let i = 0; i + 1 < ring.length; i++) {
    const [ax = 0, ay = 0] = ring[i] ?? [];
    const [bx = 0, by = 0] = ring[i + 1] ?? [];
    const part = (ax - x0) * (by - y0) - (bx - x0) * (ay - y0);
    twice += part;
    x += (ax + bx - 2 * x0) * part;
    y += (ay + by - 2 * y0) * part;
  }
  return twice === 0 ? null : { x: x0 + x / (3 * twice), y: y0 + y / (3 * twice), radius_m: Math.sqrt(Math.abs(twice) / 2 / Math.PI) };
}
