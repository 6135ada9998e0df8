import { COORDINATE_SYSTEM } from '@deck.gl/core';
import { JSONConfiguration, JSONConverter } from '@deck.gl/json';

/**
 * A pydeck spec becomes descriptions of layers, never layers: the map draws them with its own classes. Only classes on
 * the list are known; expressions (`@@=`) and functions are refused, so a spec is data and cannot run.
 */
export type LayerRole = 'ground' | 'buildings' | 'trees' | 'network' | 'sensors' | 'labels' | 'lines' | 'polygons';

export interface LayerHints {
  title?: string;
  legend?: string;
  generated?: boolean;
  visible?: boolean;
  min_zoom?: number;
  /** How far what stands for the near may be off on the screen, where the city asks for more than usual. */
  screen_error_px?: number;
  /** Where the heights of the ground are, of a city that is not flat. */
  heights?: string;
  /** Collection of the nodes that belong to a network's links. */
  nodes?: string;
  /** More collections whose names a layer of labels writes. */
  sources?: string[];
}

export interface LayerSpec {
  id: string;
  type: string;
  role: LayerRole;
  data: string | object;
  hints: LayerHints;
  visible: boolean;
  props: Record<string, unknown>;
}

export interface MapSpec {
  view: Partial<Record<'longitude' | 'latitude' | 'zoom' | 'pitch' | 'bearing', number>>;
  layers: LayerSpec[];
  bbox: [number, number, number, number] | null;
}

export type SpecErrorCode =
  | 'spec_expression_refused'
  | 'spec_function_refused'
  | 'spec_class_refused'
  | 'spec_source_refused'
  | 'spec_invalid';

export class SpecError extends Error {
  constructor(
    readonly code: SpecErrorCode,
    readonly params: Record<string, string>,
  ) {
    super(`${code} ${JSON.stringify(params)}`);
    this.name = 'SpecError';
  }
}

const ROLES: Record<string, LayerRole> = {
  Tile3DLayer: 'buildings',
  CityTile3DLayer: 'buildings',
  SimpleMeshLayer: 'trees',
  TreeLayer: 'trees',
  PathLayer: 'network',
  ScatterplotLayer: 'sensors',
  TextLayer: 'labels',
  PolygonLayer: 'polygons',
  LineLayer: 'lines',
};

/** Stands in for every allowed class: keeps what the spec said. */
class Described {
  constructor(readonly props: Record<string, unknown>) {}
}

const classOf = (type: string): typeof Described =>
  class extends Described {
    readonly type = type;
  };

const CLASSES = Object.fromEntries([...Object.keys(ROLES), 'MapView'].map((type) => [type, classOf(type)]));

const MAX_DEPTH = 40;
const DEPTH_KEY = /^__(proto|defineGetter|defineSetter)/;

function inspect(node: unknown, path: string, depth: number): void {
  if (depth > MAX_DEPTH) throw new SpecError('spec_invalid', { path });
  if (typeof node === 'function') throw new SpecError('spec_function_refused', { path });
  if (typeof node === 'string') {
    if (node.startsWith('@@=')) throw new SpecError('spec_expression_refused', { path });
    return;
  }
  if (node === null || typeof node !== 'object') return;
  for (const [key, value] of Object.entries(node)) {
    const at = `${path}/${key}`;
    if (key === '@@function' || DEPTH_KEY.test(key)) throw new SpecError('spec_function_refused', { path: at });
    if (key === '@@type' && !Object.hasOwn(CLASSES, String(value))) {
      throw new SpecError('spec_class_refused', { path: at, type: String(value) });
    }
    inspect(value, at, depth + 1);
  }
}

/** Data may come from this server only: a path, or inline features. */
function checkSource(value: unknown, path: string): string | object {
  if (typeof value === 'string') {
    if (!value.startsWith('/') || value.startsWith('//')) throw new SpecError('spec_source_refused', { path });
    return value;
  }
  if (value !== null && typeof value === 'object') return value;
  throw new SpecError('spec_source_refused', { path });
}

function refuseExpression(): never {
  throw new SpecError('spec_expression_refused', { path: '' });
}

const finite = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v);

export function readSpec(spec: unknown): MapSpec {
  if (spec === null || typeof spec !== 'object') throw new SpecError('spec_invalid', { path: '' });
  inspect(spec, '', 0);
  const converter = new JSONConverter({
    configuration: new JSONConfiguration({
      classes: CLASSES as never,
      enumerations: { COORDINATE_SYSTEM },
      constants: {},
      functions: {},
      convertFunction: refuseExpression as never,
    }),
  });
  const converted = converter.convert(spec as never) as Record<string, unknown>;
  const raw = converted['layers'];
  if (!Array.isArray(raw)) throw new SpecError('spec_invalid', { path: '/layers' });
  const seen = new Set<string>();
  const layers = raw.map((entry: unknown, i): LayerSpec => {
    const path = `/layers/${i}`;
    if (!(entry instanceof Described)) throw new SpecError('spec_invalid', { path });
    const layer = describe(entry as Described & { type: string }, path);
    if (seen.has(layer.id)) throw new SpecError('spec_invalid', { path: `${path}/id` });
    seen.add(layer.id);
    return layer;
  });
  const initial = (converted['initialViewState'] ?? converted['initial_view_state'] ?? {}) as Record<string, unknown>;
  const view: MapSpec['view'] = {};
  for (const key of ['longitude', 'latitude', 'zoom', 'pitch', 'bearing'] as const) {
    const v = initial[key];
    if (finite(v)) view[key] = v;
  }
  const cim = (converted['cim'] ?? {}) as Record<string, unknown>;
  const bbox = converted['bbox'] ?? cim['bbox'];
  const four = Array.isArray(bbox) && bbox.length === 4 && bbox.every(finite);
  return { view, layers, bbox: four ? (bbox as [number, number, number, number]) : null };
}

function describe(entry: Described & { type: string }, path: string): LayerSpec {
  const { id, data, cim, visible, ...props } = entry.props;
  if (typeof id !== 'string' || id === '') throw new SpecError('spec_invalid', { path: `${path}/id` });
  const hints = (cim ?? {}) as LayerHints;
  const source = checkSource(data, `${path}/data`);
  if (hints.nodes !== undefined) checkSource(hints.nodes, `${path}/cim/nodes`);
  if (hints.heights !== undefined) checkSource(hints.heights, `${path}/cim/heights`);
  if (hints.sources !== undefined && !Array.isArray(hints.sources)) throw new SpecError('spec_invalid', { path: `${path}/cim/sources` });
  hints.sources?.forEach((one, i) => checkSource(one, `${path}/cim/sources/${i}`));
  let role = ROLES[entry.type] ?? 'lines';
  const isGround = id === 'ground' || hints.legend === 'ground' || (typeof source === 'string' && /\/ground\//.test(source));
  if (role === 'buildings' && isGround) role = 'ground';
  const shown = typeof visible === 'boolean' ? visible : (hints.visible ?? true);
  return { id, type: entry.type, role, data: source, hints, visible: shown, props };
}
