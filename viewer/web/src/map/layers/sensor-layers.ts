import type { Layer } from '@deck.gl/core';
import { IconLayer, ScatterplotLayer, TextLayer } from '@deck.gl/layers';
import type { Datastream, Rgba } from '../types';
import { withAlpha, type Tokens } from '../tokens';
import type { Place } from '../features';
import type { LiveStore, LiveState } from '../live';
import type { Cluster } from '../cluster';
import { RING_REST_PX, type AlarmRings, type Ring } from '../alarms';
import { MARK_MAPPING, type MarkName } from './marks';
import { fading } from './network-layers';
import { STEADY } from './steady-size';

export interface Sensor {
  id: string;
  position: Place;
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
  /** When each alarm came up; null where nothing is to move. */
  rings: AlarmRings | null;
  now_ms: number;
  /** How long a change of colour takes. */
  fade_ms: number;
}

/** Below this zoom sensors gather into counts. */
export const SENSOR_CLUSTER_ZOOM = 15;
export const LEVEL: Record<LiveState, number> = { ok: 0, none: 0, stale: 1, out: 2 };

const ABOVE = { depthCompare: 'always', depthWriteEnabled: false } as const;

const DISC_PX = 5.5;
const DISC_CHOSEN_PX = 7;
const MARK_SIZE_PX = { alarm: 24, stale: 18 } as const;
/** Half the room that a mark takes on the screen: labels keep out of it. */
export const MARK_ROOM_PX = 8;

export function sensorLayers(s: SensorInput): Layer[] {
  if (s.clusters) return clusterLayers(s, s.clusters);
  const { live, tokens } = s;
  const state = (d: Sensor): LiveState => live.state(d.stream);
  const isDisc = (d: Sensor): boolean => state(d) === 'ok' || state(d) === 'none';
  const marks = (['out', 'stale'] as const).flatMap((one) =>
    s.sensors.filter((d) => state(d) === one).map((d) => ({ d, icon: (one === 'out' ? 'alarm' : 'stale') as MarkName })),
  );
  const surface = tokens.get('color-surface');
  const trigger = `${live.version}|${s.selectedId}|${s.hoverId}|${surface.join()}|${s.range?.join() ?? ''}`;
  const fill = (d: Sensor): Rgba =>
    state(d) === 'none' ? tokens.get('bldg-nodata') : live.colour(d.stream, tokens, d.stream.observed_property === s.property ? s.range : null);
  const common = { visible: s.visible, parameters: ABOVE, extensions: STEADY, billboard: true };
  const disc = { ...common, radiusUnits: 'pixels' as const, lineWidthUnits: 'pixels' as const, getPosition: (d: Sensor) => d.position };
  return [
    ...ringLayers(s, disc),
    new ScatterplotLayer<Sensor>({
      ...disc,
      id: `${s.id}-halo`,
      data: s.sensors.filter((d) => d.id === s.selectedId),
      getRadius: 15,
      getFillColor: withAlpha(tokens.get('bldg-selected'), 0.3),
      updateTriggers: { getFillColor: surface.join() },
    }),
    new ScatterplotLayer<Sensor>({
      ...disc,
      id: `${s.id}-disc`,
      // All of them, so that each keeps its place among the colours that fade; another mark's disc has no size.
      data: s.sensors,
      pickable: true,
      stroked: true,
      getRadius: (d) => (!isDisc(d) ? 0 : d.id === s.hoverId || d.id === s.selectedId ? DISC_CHOSEN_PX : DISC_PX),
      getLineWidth: (d) => (isDisc(d) ? 2 : 0),
      getLineColor: surface,
      getFillColor: fill,
      transitions: fading(s.fade_ms, 'getFillColor') as never,
      updateTriggers: { getFillColor: trigger, getLineColor: trigger, getRadius: trigger, getLineWidth: trigger },
    }),
    new IconLayer<{ d: Sensor; icon: MarkName }>({
      ...common,
      id: `${s.id}-mark`,
      data: marks,
      pickable: true,
      iconAtlas: s.marks as never,
      iconMapping: MARK_MAPPING as never,
      sizeUnits: 'pixels',
      getPosition: (m) => m.d.position,
      getIcon: (m) => m.icon,
      getSize: (m) => MARK_SIZE_PX[m.icon],
    }),
  ];
}

/** A still ring around every alarm, and one that widens around a new one. */
function ringLayers(s: SensorInput, disc: object): Layer[] {
  const { live, tokens, rings, now_ms } = s;
  const alarmed = s.sensors.filter((d) => live.state(d.stream) === 'out');
  const colour = tokens.get('alarm-1');
  const moving = rings?.moving(now_ms) === true;
  const ring = (id: string, radius: (d: Sensor) => number, alpha: (d: Sensor) => number, width: number, trigger: string): Layer =>
    new ScatterplotLayer<Sensor>({
      ...disc,
      id: `${s.id}-${id}`,
      data: alarmed,
      getPosition: (d) => d.position,
      stroked: true,
      filled: false,
      getRadius: radius,
      getLineWidth: width,
      getLineColor: (d) => withAlpha(colour, alpha(d)),
      updateTriggers: { getRadius: trigger, getLineColor: `${trigger}|${colour.join()}` },
    });
  const still = ring('ring', () => RING_REST_PX, () => 0.9, 2, '');
  if (!moving || !rings) return [still];
  const at = (d: Sensor): Ring => rings.ring(d.id, now_ms);
  return [still, ring('pulse', (d) => at(d).radius_px, (d) => at(d).alpha * 0.8, 1.5, String(Math.round(now_ms)))];
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
      extensions: STEADY,
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
      extensions: STEADY,
      parameters: ABOVE,
      updateTriggers: { getColor: trigger },
    }),
  ];
}
