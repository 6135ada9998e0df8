import type { Layer } from '@deck.gl/core';
import { IconLayer, ScatterplotLayer, TextLayer } from '@deck.gl/layers';
import type { Datastream, Rgba } from '../types';
import { withAlpha, type Tokens } from '../tokens';
import type { LiveStore, LiveState } from '../live';
import type { Cluster } from '../cluster';
import { MARK_MAPPING, type MarkName } from './marks';

export interface Sensor {
  id: string;
  position: [number, number];
  stream: Datastream;
}

export interface SensorInput {
  id: string;
  sensors: Sensor[];
  /** Set below the zoom where sensors gather into counts. */
  clusters: Cluster[] | null;
  visible: boolean;
  live: LiveStore;
  property: string | undefined;
  range: [number, number] | null;
  tokens: Tokens;
  marks: HTMLCanvasElement;
  selectedId: string | null;
  hoverId: string | null;
}

/** Below this zoom sensors gather into counts. */
export const SENSOR_CLUSTER_ZOOM = 15;
export const LEVEL: Record<LiveState, number> = { ok: 0, none: 0, stale: 1, out: 2 };

const ABOVE = { depthCompare: 'always', depthWriteEnabled: false } as const;

export function sensorLayers(s: SensorInput): Layer[] {
  if (s.clusters) return clusterLayers(s, s.clusters);
  const { live, tokens } = s;
  const of = (state: LiveState): Sensor[] => s.sensors.filter((d) => live.state(d.stream) === state);
  const marks = (['out', 'stale'] as const).flatMap((state) =>
    of(state).map((d) => ({ d, icon: (state === 'out' ? 'alarm' : 'stale') as MarkName })),
  );
  const discs = [...of('ok'), ...of('none')];
  const surface = tokens.get('color-surface');
  const trigger = `${live.version}|${s.selectedId}|${s.hoverId}|${surface.join()}|${s.range?.join() ?? ''}`;
  const chosen = s.sensors.filter((d) => d.id === s.selectedId);
  return [
    new ScatterplotLayer<Sensor>({
      id: `${s.id}-halo`,
      data: chosen,
      visible: s.visible,
      radiusUnits: 'pixels',
      billboard: true,
      getPosition: (d) => d.position,
      getRadius: 15,
      getFillColor: withAlpha(tokens.get('bldg-selected'), 0.3),
      parameters: ABOVE,
      updateTriggers: { getFillColor: surface.join() },
    }),
    new ScatterplotLayer<Sensor>({
      id: `${s.id}-disc`,
      data: discs,
      visible: s.visible,
      pickable: true,
      radiusUnits: 'pixels',
      lineWidthUnits: 'pixels',
      stroked: true,
      billboard: true,
      getPosition: (d) => d.position,
      getRadius: (d) => (d.id === s.hoverId || d.id === s.selectedId ? 7 : 5.5),
      getLineWidth: 2,
      getLineColor: surface,
      getFillColor: (d) => (live.state(d.stream) === 'none' ? tokens.get('bldg-nodata') : live.colour(d.stream, tokens, d.stream.observed_property === s.property ? s.range : null)),
      parameters: ABOVE,
      updateTriggers: { getFillColor: trigger, getLineColor: trigger, getRadius: trigger },
    }),
    new IconLayer<{ d: Sensor; icon: MarkName }>({
      id: `${s.id}-mark`,
      data: marks,
      visible: s.visible,
      pickable: true,
      iconAtlas: s.marks as never,
      iconMapping: MARK_MAPPING as never,
      sizeUnits: 'pixels',
      getPosition: (m) => m.d.position,
      getIcon: (m) => m.icon,
      getSize: (m) => (m.icon === 'alarm' ? 24 : 18),
      parameters: ABOVE,
    }),
  ];
}

function clusterLayers(s: SensorInput, clusters: Cluster[]): Layer[] {
  const { tokens } = s;
  const fill = (c: Cluster): Rgba =>
    c.level >= 2 ? tokens.get('alarm-1') : c.level === 1 ? tokens.get('status-stale') : tokens.get('color-surface');
  const ink = (c: Cluster): Rgba =>
    c.level >= 2 ? tokens.get('alarm-1-on') : c.level === 1 ? tokens.get('color-surface') : tokens.get('color-text');
  const trigger = `${s.live.version}|${tokens.text('color-surface')}`;
  return [
    new ScatterplotLayer<Cluster>({
      id: `${s.id}-cluster`,
      data: clusters,
      visible: s.visible,
      radiusUnits: 'pixels',
      lineWidthUnits: 'pixels',
      stroked: true,
      billboard: true,
      getPosition: (c) => c.lngLat,
      getRadius: (c) => 11 + Math.min(6, Math.log2(c.ids.length)),
      getLineWidth: 2,
      getFillColor: fill,
      getLineColor: (c) => (c.level === 0 ? tokens.get('color-border-strong') : tokens.get('color-surface')),
      parameters: ABOVE,
      updateTriggers: { getFillColor: trigger, getLineColor: trigger },
    }),
    new TextLayer<Cluster>({
      id: `${s.id}-count`,
      data: clusters,
      visible: s.visible,
      getPosition: (c) => c.lngLat,
      getText: (c) => String(c.ids.length),
      getSize: 12,
      getColor: ink,
      fontFamily: tokens.text('font-ui') || 'sans-serif',
      fontWeight: 600,
      parameters: ABOVE,
      updateTriggers: { getColor: trigger },
    }),
  ];
}
