import type { Layer } from '@deck.gl/core';
import { PathStyleExtension, type PathStyleExtensionProps } from '@deck.gl/extensions';
import { PathLayer, ScatterplotLayer } from '@deck.gl/layers';
import type { Rgba } from '../types';
import { withAlpha, type Tokens } from '../tokens';
import { linesOf, pointOf, type Feature, type Place } from '../features';
import type { LiveState, LiveStore } from '../live';
import { CITY_EXTENSIONS } from '../shading/extension';
import { Kind } from '../shading/shader';
import { STEADY } from './steady-size';

export interface Link {
  feature: Feature;
  path: Place[];
  /** 3 to 5 px by size of the pipe, cable or road. */
  width_px: number;
}

export interface Node {
  feature: Feature;
  position: Place;
}

export interface NetworkInput {
  id: string;
  links: Link[];
  nodes: Node[];
  visible: boolean;
  live: LiveStore;
  property: string | undefined;
  range: [number, number] | null;
  tokens: Tokens;
  selectedId: string | null;
  zoom: number;
  /** How long a change of colour takes. */
  fade_ms: number;
}

const ON_GROUND = { depthCompare: 'always', depthWriteEnabled: false } as const;

const finite = (v: unknown): number | null => {
  const n = Number(v);
  return v !== null && v !== undefined && Number.isFinite(n) && n > 0 ? n : null;
};

export function linksOf(features: Feature[]): Link[] {
  const rank = (p: Record<string, unknown>): number | null =>
    finite(p['diameter_m']) ?? finite(p['capacity_veh_h']) ?? finite(p['lanes']) ?? finite(p['rated_current_a']);
  const sizes = features.map((f) => rank(f.properties)).filter((v): v is number => v !== null);
  const lo = Math.min(...sizes);
  const span = Math.max(...sizes) - lo;
  return features.flatMap((feature) => {
    const size = rank(feature.properties);
    const width_px = size === null || !(span > 0) ? 4 : 3 + (2 * (size - lo)) / span;
    return linesOf(feature).map((path) => ({ feature, path, width_px }));
  });
}

export function nodesOf(features: Feature[]): Node[] {
  return features.flatMap((feature) => {
    const position = pointOf(feature);
    return position ? [{ feature, position }] : [];
  });
}

/** What nothing is measured on is there, and quiet. */
const UNMEASURED_ALPHA = 0.45;
const UNMEASURED_WIDTH = 0.5;

function streamColour(n: NetworkInput, f: Feature): Rgba {
  const d = n.live.forElement(f.properties, n.property);
  if (n.live.state(d) === 'none') return withAlpha(n.tokens.get('status-stale'), UNMEASURED_ALPHA);
  // A common range belongs to its property; any other datastream is judged by its own.
  return n.live.colour(d, n.tokens, d?.observed_property === n.property ? n.range : null);
}

/** Dash and gap in pixels: a line that has gone silent is broken, and says so without its colour. */
export const DASH_STALE: readonly [number, number] = [9, 7];
const SOLID: readonly [number, number] = [1, 0];
export const dashOf = (state: LiveState): readonly [number, number] => (state === 'stale' ? DASH_STALE : SOLID);

const LINE_EXTENSIONS = [...CITY_EXTENSIONS, new PathStyleExtension({ dashMode: 'path' })];

/** Colours change over a moment; null where nothing is to move. */
export const fading = (fade_ms: number, ...accessors: string[]): object | null =>
  fade_ms > 0 ? Object.fromEntries(accessors.map((name) => [name, { duration: fade_ms }])) : null;

/** Soft glow, surface rim and line of a network, on the ground and under the buildings. */
export function networkLayers(n: NetworkInput): Layer[] {
  const { live, tokens } = n;
  const stream = (f: Feature): ReturnType<LiveStore['forElement']> => live.forElement(f.properties, n.property);
  const colour = (f: Feature): Rgba => streamColour(n, f);
  const alarmed = (f: Feature): boolean => live.state(stream(f)) === 'out';
  const trigger = [live.version, n.property, n.range?.join(), n.selectedId, tokens.text('map-sky')].join('|');
  const shared = {
    data: n.links,
    getPath: (l: Link) => l.path,
    widthUnits: 'pixels' as const,
    jointRounded: true,
    capRounded: true,
    visible: n.visible,
    parameters: ON_GROUND,
    extensions: CITY_EXTENSIONS,
    transitions: fading(n.fade_ms, 'getColor') as never,
    updateTriggers: { getColor: trigger, getWidth: trigger, getDashArray: trigger },
    ...({ cityKind: Kind.flat } as object),
  };
  const scale = Math.max(0.6, Math.min(1.4, 1 + (n.zoom - 16) * 0.2));
  const silent = (f: Feature): boolean => live.state(stream(f)) === 'none';
  const stale = (f: Feature): boolean => live.state(stream(f)) === 'stale';
  const emphasis = (f: Feature): number => (alarmed(f) ? 1.6 : silent(f) ? UNMEASURED_WIDTH : 1);
  const width = (l: Link): number => l.width_px * emphasis(l.feature) + (l.feature.id === n.selectedId ? 3 : 0);
  const glow = (l: Link, alpha: number): Rgba => withAlpha(colour(l.feature), silent(l.feature) || stale(l.feature) ? 0 : alpha);
  return [
    new PathLayer<Link>({
      ...shared,
      id: `${n.id}-glow-wide`,
      getWidth: (l) => width(l) + 13,
      widthScale: scale,
      getColor: (l) => glow(l, 0.12),
    }),
    new PathLayer<Link>({
      ...shared,
      id: `${n.id}-glow`,
      getWidth: (l) => width(l) + 6,
      widthScale: scale,
      getColor: (l) => glow(l, 0.26),
    }),
    new PathLayer<Link, PathStyleExtensionProps<Link>>({
      ...shared,
      id: `${n.id}-line`,
      pickable: true,
      extensions: LINE_EXTENSIONS,
      capRounded: false,
      getDashArray: (l) => dashOf(live.state(stream(l.feature))),
      dashUnits: 'pixels',
      dashGapPickable: true,
      getWidth: width,
      widthScale: scale,
      getColor: (l) => (l.feature.id === n.selectedId ? tokens.get('bldg-selected') : colour(l.feature)),
    }),
  ];
}

/** Nodes are points with a surface rim; like the lines they lie on the ground, but stay visible over the city. */
export function nodeLayer(n: NetworkInput): Layer {
  const { live, tokens } = n;
  const trigger = [live.version, n.property, n.range?.join(), n.selectedId, tokens.text('map-sky')].join('|');
  const stale = (d: Node): boolean => live.state(live.forElement(d.feature.properties, n.property)) === 'stale';
  return new ScatterplotLayer<Node>({
    id: `${n.id}-node`,
    data: n.nodes,
    visible: n.visible && n.zoom >= 14.5,
    pickable: true,
    radiusUnits: 'pixels',
    lineWidthUnits: 'pixels',
    stroked: true,
    filled: true,
    billboard: true,
    getPosition: (d) => d.position,
    getRadius: (d) => (d.feature.id === n.selectedId ? 7 : 4),
    getLineWidth: 2,
    // Silent: a hollow ring, so that it is told apart without its colour.
    getLineColor: (d) => (d.feature.id === n.selectedId ? tokens.get('bldg-selected') : stale(d) ? tokens.get('status-stale') : tokens.get('color-surface')),
    getFillColor: (d) => (stale(d) ? withAlpha(tokens.get('color-surface'), 0.7) : streamColour(n, d.feature)),
    extensions: STEADY,
    transitions: fading(n.fade_ms, 'getFillColor') as never,
    parameters: ON_GROUND,
    updateTriggers: { getFillColor: trigger, getLineColor: trigger, getRadius: trigger },
  });
}
