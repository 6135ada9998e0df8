import type { Layer, PickingInfo } from '@deck.gl/core';
import type { PickInfo } from './types';
import type { FeaturePickingInfo } from './layers/city-tile-layer';
import type { Sensor } from './layers/sensor-layers';
import type { Link, Node } from './layers/network-layers';
import type { OverlayScene } from './overlay-scene';
import { SCHEME } from './layers/scheme-layers';
import type { Tree } from './layers/tree-layer';
import type { LayerSpec } from './spec';

const SUFFIX = /-(glow-wide|glow|line|node|disc|mark|halo|ring|pulse|cluster|count)$/;

const text = (v: unknown): string | null => (v === null || v === undefined || v === '' ? null : String(v));

/** What deck.gl picked, in the words of the pages; null when it is nothing that can be chosen. */
export function toPickInfo(info: PickingInfo | null, specs: LayerSpec[], scheme: OverlayScene | null = null): PickInfo | null {
  const layer = info?.layer as Layer | null | undefined;
  if (!info?.picked || !layer) return null;
  const layerId = layer.id.replace(SUFFIX, '');
  const role = specs.find((s) => s.id === layerId)?.role;
  const [lon = 0, lat = 0] = info.coordinate ?? [];
  const base = { layerId, lngLat: [lon, lat] as [number, number], x: info.x, y: info.y, datastreamId: null };
  if (layer.id.startsWith(`${SCHEME}-`)) {
    const found = scheme?.picked(info.object);
    return found ? { ...base, kind: 'object', layerId: SCHEME, ...found } : null;
  }
  const { feature } = info as FeaturePickingInfo;
  if (feature) return { ...base, kind: 'object', id: feature.id, properties: feature.properties };
  const object: unknown = info.object;
  if (!object || typeof object !== 'object') return null;
  if (role === 'trees') {
    const t = object as Tree;
    return { ...base, kind: 'tree', id: t.id, properties: t.properties };
  }
  if (role === 'sensors') {
    const s = ((object as { d?: Sensor }).d ?? object) as Sensor;
    if (!s.stream) return null;
    const properties = { ...s.stream } as Record<string, unknown>;
    return { ...base, kind: 'sensor', id: s.id, properties, datastreamId: s.id };
  }
  if (role === 'network') {
    const { feature: f } = object as Link | Node;
    const kind = layer.id.endsWith('-node') ? 'node' : 'link';
    return { ...base, kind, id: f.id, properties: f.properties, datastreamId: text(f.properties['datastream_id']) };
  }
  return null;
}
