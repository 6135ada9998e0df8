import type { WebMercatorViewport } from '@deck.gl/core';
import { Matrix4, Vector3 } from '@math.gl/core';
import type { FeatureInView } from './types';
import type { CityTileLayer, Tile } from './layers/city-tile-layer';
import { rowOf, type TileContent } from './layers/tile-content';

/** Where a feature of a tile stands: longitude, latitude, and the height of its top in metres. */
export function anchorOf(
  tile: Tile,
  content: TileContent,
  row: number,
  viewport: WebMercatorViewport,
): [number, number, number] | null {
  const at = tile.content;
  if (!at) return null;
  const [x, y, z] = content.anchors.subarray(row * 3, row * 3 + 3);
  if (x === undefined || y === undefined || z === undefined || !Number.isFinite(x)) return null;
  const m = new Vector3(x, y, z).transformAsPoint(new Matrix4(at.modelMatrix) as unknown as number[]);
  const [lon, lat, up] = viewport.addMetersToLngLat(at.cartographicOrigin as [number, number, number], [m.x, m.y, m.z]);
  return [lon ?? 0, lat ?? 0, up ?? m.z];
}

const onScreen = (x: number, y: number, v: WebMercatorViewport): boolean => x >= 0 && y >= 0 && x <= v.width && y <= v.height;

export function objectsInView(layers: CityTileLayer[], viewport: WebMercatorViewport): FeatureInView[] {
  const out: FeatureInView[] = [];
  const seen = new Set<string>();
  for (const layer of layers) {
    if (!layer.props.visible || !layer.state) continue;
    for (const { tile, content } of layer.selectedTiles()) {
      for (let row = 0; row < content.rows; row++) {
        const id = content.ids[row] ?? '';
        const at = seen.has(id) ? null : anchorOf(tile, content, row, viewport);
        if (!at) continue;
        const [x = 0, y = 0] = viewport.project(at);
        if (!onScreen(x, y, viewport)) continue;
        seen.add(id);
        out.push({ id, kind: 'object', layerId: layer.id, lngLat: [at[0], at[1]], x, y, properties: rowOf(content, row) });
      }
    }
  }
  return out;
}

export function positionOfObject(
  layers: CityTileLayer[],
  viewport: WebMercatorViewport,
  id: string,
): [number, number, number] | null {
  for (const layer of layers) {
    if (!layer.state) continue;
    for (const { tile, content } of layer.selectedTiles()) {
      const row = content.ids.indexOf(id);
      if (row >= 0) return anchorOf(tile, content, row, viewport);
    }
  }
  return null;
}
