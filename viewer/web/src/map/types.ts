/** What the pages and the map say to each other. Positions are WGS 84 degrees, screen points CSS pixels. */

export interface ViewState {
  longitude: number;
  latitude: number;
  zoom: number;
  pitch: number;
  bearing: number;
}

export type PickKind = 'object' | 'sensor' | 'link' | 'node' | 'tree';

export interface PickInfo {
  layerId: string;
  /** Object id, datastream id (sensors) or feature id (links, nodes, trees). */
  id: string;
  kind: PickKind;
  lngLat: [number, number];
  x: number;
  y: number;
  properties: Record<string, unknown>;
  datastreamId: string | null;
}

export type LayerPhase = 'loading' | 'ready' | 'failed' | 'empty';

export interface LiveValue {
  /** Datastream id. */
  id: string;
  /** Phenomenon time, ISO 8601. */
  t: string;
  v: number;
  q: 'ok' | 'limit_min' | 'limit_max';
  stale?: boolean;
}

/** The part of a datastream description the map draws by. */
export interface Datastream {
  id: string;
  name?: { en: string; zh: string };
  observed_property: string;
  unit?: string;
  location: readonly [number, number] | null;
  object_id: string | null;
  network_id: string | null;
  element_id: string | null;
  limit_min?: number | null;
  limit_max?: number | null;
  range?: readonly [number, number] | null;
  latest?: { phenomenon_time: string; result: number } | null;
}

export type ColourBy =
  | { attribute: 'height_m' | 'year' | 'use' }
  /** Hours of sun, once there is a survey of them. */
  | { attribute: 'sun_hours' }
  | { attribute: 'live'; observed_property?: string; range?: [number, number] }
  | null;

export interface SunDirection {
  azimuth_deg: number;
  altitude_deg: number;
}

export type Theme = 'light' | 'dark';
export type Quality = 'full' | 'fast';
export type Rgba = [number, number, number, number];

/** A city object of the loaded tiles that is in view. */
export interface FeatureInView {
  id: string;
  kind: PickKind;
  layerId: string;
  lngLat: [number, number];
  x: number;
  y: number;
  properties: Record<string, unknown>;
}

/** The detail of a failed `map` whose graphics the browser took away. */
export const CONTEXT_LOST = 'context-lost';

export interface CityMapOptions {
  onPick?: (info: PickInfo | null) => void;
  onHover?: (info: PickInfo | null) => void;
  onViewChange?: (view: ViewState) => void;
  /** All layers loaded, nothing moving, last frame drawn. */
  onIdle?: () => void;
  onLayerState?: (layerId: string, phase: LayerPhase, detail: string) => void;
  quality?: Quality;
  theme?: Theme;
  /** Accessible name of the canvas. */
  label?: string;
  /** The language the labels are drawn in; names of the other language stay in the card. */
  language?: 'en' | 'zh';
}
