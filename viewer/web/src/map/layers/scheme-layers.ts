import type { GetPickingInfoParams, Layer, PickingInfo } from '@deck.gl/core';
import { PathStyleExtension, type PathStyleExtensionProps } from '@deck.gl/extensions';
import { LineLayer, PathLayer, ScatterplotLayer, SolidPolygonLayer } from '@deck.gl/layers';
import type { SchemeObject } from '../../scheme/types';
import type { Rgba } from '../types';
import { mixColour, withAlpha } from '../tokens';
import type { Place, Position } from '../features';
import { isStreet, type OverlayArea, type OverlayLine, type OverlayPoint, type Prepared } from '../overlay';
import { areaColour, buildingColour, edgeColour, ghostColour, isChanged, massColour, outlineColour, panelColour, type OverlayPaint } from '../overlay-paint';
import type { MassMesh } from '../massing-mesh';
import type { PanelMesh } from '../panel-mesh';
import { CITY_EXTENSIONS } from '../shading/extension';
import { Kind } from '../shading/shader';
import { FeatureMeshLayer, SkirtLayer } from './mesh-layers';
import { geometry } from './tile-content';

/** Layer ids of a scheme begin so; a pick of one names the object by its layer's own list. */
export const SCHEME = 'scheme';

const ON_GROUND = { depthCompare: 'always', depthWriteEnabled: false } as const;
const THROUGH = { depthCompare: 'less-equal', depthWriteEnabled: false, cullMode: 'back' } as const;
const UNLIT = { unlit: true } as never;
const DASHED = [...CITY_EXTENSIONS, new PathStyleExtension({ dash: true })];
const STREET_M = 8;

/** A mesh of masses: a pick of any of its rows is a pick of the mass's object. */
class MassLayer extends FeatureMeshLayer {
  static override layerName = 'MassLayer';

  override getPickingInfo(params: GetPickingInfoParams): PickingInfo {
    const info = super.getPickingInfo(params);
    const { objectOf } = this.props as unknown as { objectOf: (row: number) => SchemeObject | null };
    return { ...info, object: info.picked ? objectOf(info.index) : null };
  }
}

export interface SchemeDrawing {
  readonly prepared: Prepared;
  /** Told apart in the ids of layers: buffers are made anew when it changes. */
  readonly version: number;
  readonly paint: OverlayPaint;
  readonly contact: Rgba;
  readonly fade_ms: number;
  readonly colours: { readonly solid: Uint8Array; readonly panels: Uint8Array; readonly ghost: Uint8Array };
}

export function coloursOf(mesh: Pick<MassMesh, 'runs'>, colour: (mass: number, run: MassMesh['runs'][number]) => Rgba): Uint8Array {
  const out = new Uint8Array(mesh.runs.length * 4);
  mesh.runs.forEach((run, row) => out.set(colour(run.mass, run), row * 4));
  return out;
}

export function schemeColours(prepared: Prepared, paint: OverlayPaint): SchemeDrawing['colours'] {
  const none: Rgba = [0, 0, 0, 0];
  const of = (list: readonly SchemeObject[], i: number, colour: (o: SchemeObject) => Rgba): Rgba => {
    const o = list[i];
    return o ? colour(o) : none;
  };
  return {
    solid: coloursOf(prepared.solid, (mass, run) => of(prepared.buildings, mass, (o) => buildingColour(paint, o, run))),
    panels: coloursOf(prepared.panels, (mass) => of(prepared.buildings, mass, (o) => panelColour(paint, o))),
    ghost: coloursOf(prepared.ghost, (mass) => of(prepared.ghosts, mass, (o) => ghostColour(paint, o))),
  };
}

const placed = (d: SchemeDrawing): object => ({
  coordinateSystem: 'meter-offsets' as const,
  coordinateOrigin: [...d.prepared.frame.origin, 0],
  extensions: CITY_EXTENSIONS,
});
const single = { data: [0], getPosition: [0, 0, 0] as [number, number, number], material: UNLIT };

function bodyLayer(d: SchemeDrawing, id: string, mesh: PanelMesh, objects: readonly SchemeObject[], colours: Uint8Array, kind: number): Layer {
  return new MassLayer({
    ...placed(d),
    ...single,
    id: `${SCHEME}-${id}-${d.version}`,
    mesh: geometry(mesh.positions, mesh.normals) as never,
    getColor: [255, 255, 255],
    featureColours: colours,
    featureIds: mesh.rows,
    heights: mesh.heights,
    orders: new Float32Array(mesh.rows.length),
    fade_ms: d.fade_ms,
    pickable: true,
    cityKind: kind,
    cityFloors: 1.25,
    parameters: kind === Kind.ghost ? THROUGH : {},
    ...({ objectOf: (row: number) => objects[mesh.runs[row]?.mass ?? -1] ?? null } as object),
  });
}

function linesLayer(d: SchemeDrawing, id: string, mesh: MassMesh, colour: (mass: number) => Rgba, width: (mass: number) => number, kind: number): Layer {
  const { positions, masses } = mesh.edges;
  const count = masses.length / 2;
  const colours = new Uint8Array(count * 4);
  const widths = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const mass = masses[i * 2] ?? 0;
    colours.set(colour(mass), i * 4);
    widths[i] = width(mass);
  }
  return new LineLayer({
    ...placed(d),
    id: `${SCHEME}-${id}-${d.version}`,
    pickable: false,
    data: {
      length: count,
      attributes: {
        getSourcePosition: { value: positions, size: 3, stride: 24, offset: 0 },
        getTargetPosition: { value: positions, size: 3, stride: 24, offset: 12 },
        getColor: { value: colours, size: 4, type: 'unorm8' },
        getWidth: { value: widths, size: 1 },
      },
    },
    cityKind: kind,
    parameters: { depthWriteEnabled: false },
  } as never);
}

/** Buildings that are added, changed and gone; edges over them. */
export function schemeMasses(d: SchemeDrawing): { below: Layer[]; bodies: Layer[]; above: Layer[] } {
  const { solid, ghost, buildings, ghosts } = d.prepared;
  const below: Layer[] = [];
  const bodies: Layer[] = [];
  const above: Layer[] = [];
  const of = (list: readonly SchemeObject[], mass: number, colour: (o: SchemeObject) => Rgba): Rgba => {
    const o = list[mass];
    return o ? colour(o) : [0, 0, 0, 0];
  };
  if (solid.runs.length) {
    const up = new Float32Array(solid.skirt.positions.length).map((_, i) => (i % 3 === 2 ? 1 : 0));
    below.push(
      new SkirtLayer({
        ...placed(d),
        ...single,
        id: `${SCHEME}-contact-${d.version}`,
        mesh: geometry(solid.skirt.positions, up) as never,
        alphas: solid.skirt.alphas,
        getColor: d.contact,
        cityKind: Kind.contact,
        parameters: ON_GROUND,
      }),
    );
    bodies.push(bodyLayer(d, 'body', solid, buildings, d.colours.solid, Kind.building));
    if (d.prepared.panels.runs.length) bodies.push(bodyLayer(d, 'panel', d.prepared.panels, buildings, d.colours.panels, Kind.building));
    const strong = (mass: number): number => {
      const o = buildings[mass];
      return o?.id === d.paint.selectedId ? 2.2 : o && isChanged(d.paint, o) ? 1.8 : 1;
    };
    above.push(linesLayer(d, 'edge', solid, (m) => of(buildings, m, (o) => edgeColour(d.paint, o)), strong, Kind.edge));
  }
  if (ghost.runs.length) {
    above.push(bodyLayer(d, 'gone', ghost, ghosts, d.colours.ghost, Kind.ghost));
    const edge = (o: SchemeObject): Rgba => (o.id === d.paint.selectedId ? d.paint.tokens.get('bldg-selected') : d.paint.tokens.get('bldg-demolished'));
    above.push(linesLayer(d, 'gone-edge', ghost, (m) => of(ghosts, m, edge), () => 1.6, Kind.dashed));
  }
  return { below, bodies, above };
}

const widthOf = (o: SchemeObject): number => Number(o.properties['width_m']) || (Number(o.properties['lanes']) || 0) * 3.25 || STREET_M;
const closed = (l: OverlayLine): boolean => l.object.properties['closed'] === true;

/** What a scheme paints on the ground: land use, parks, streets, lines of networks. */
export function schemeGround(d: SchemeDrawing): Layer[] {
  const { areas, lines } = d.prepared;
  const { paint } = d;
  const { tokens } = paint;
  const trigger = [paint.selectedId, paint.hoverId, tokens.text('map-sky')].join('|');
  const shared = (id: string, kind: number): object => ({
    id: `${SCHEME}-${id}-${d.version}`,
    parameters: ON_GROUND,
    extensions: CITY_EXTENSIONS,
    updateTriggers: { getFillColor: trigger, getColor: trigger, getWidth: trigger },
    ...({ cityKind: kind } as object),
  });
  const streets = lines.filter((l) => isStreet(l.object) && l.object.change !== 'demolished');
  const pipes = lines.filter((l) => !isStreet(l.object) && l.object.change !== 'demolished' && !closed(l));
  // Shut, a main or feeder is broken; taken away, it is dashed too: its rim tells which.
  const shutPipes = lines.filter((l) => !isStreet(l.object) && l.object.change !== 'demolished' && closed(l));
  const gone = lines.filter((l) => l.object.change === 'demolished');
  const out: Layer[] = [];
  const outlines: OverlayLine[] = areas.flatMap((a) => a.rings.map((ring) => ({ object: a.object, path: closedRing(ring) })));
  if (areas.length) {
    out.push(
      new SolidPolygonLayer<OverlayArea>({ ...shared('area', Kind.ground), data: areas, pickable: true, getPolygon: (a) => a.rings as never, getFillColor: (a) => areaColour(paint, a.object) }),
    );
  }
  const path = (id: string, kind: number, data: readonly OverlayLine[], more: object): Layer =>
    new PathLayer<OverlayLine>({ ...shared(id, kind), data, getPath: (l) => l.path, widthUnits: 'meters', jointRounded: true, pickable: true, ...more });
  if (streets.length) {
    // Shut to traffic a street keeps its kerbs, and its surface is crossed out.
    const rim = (l: OverlayLine): Rgba => (closed(l) ? tokens.get('bldg-demolished') : outlineColour(paint, l.object));
    out.push(
      path('street-rim', Kind.ground, streets, { getWidth: (l: OverlayLine) => widthOf(l.object) + 1.6, widthMinPixels: 4, getColor: rim }),
      path('street', Kind.ground, streets, { getWidth: (l: OverlayLine) => widthOf(l.object), widthMinPixels: 2, getColor: tokens.get('map-road-arterial') }),
    );
    const shut = streets.filter(closed);
    if (shut.length) {
      const stripe = withAlpha(tokens.get('bldg-demolished'), 0.85);
      out.push(path('street-shut', Kind.hatched, shut, { getWidth: (l: OverlayLine) => widthOf(l.object), widthMinPixels: 3, getColor: stripe, cityStripe: [4, 0.12] }));
    }
    out.push(...arrows(d, streets, shared('street-way', Kind.flat)));
  }
  const dashes = (id: string, data: readonly OverlayLine[], width: number, colour: (l: OverlayLine) => Rgba): Layer =>
    new PathLayer<OverlayLine, PathStyleExtensionProps<OverlayLine>>({
      ...shared(id, Kind.flat),
      data,
      extensions: DASHED,
      getPath: (l: OverlayLine) => l.path,
      widthUnits: 'pixels',
      getWidth: width,
      getColor: colour,
      getDashArray: [7, 4.5],
      dashUnits: 'pixels',
      pickable: true,
    } as never);
  if (gone.length) out.push(dashes('gone-line', gone, 3, () => tokens.get('bldg-demolished')));
  if (shutPipes.length) {
    out.push(path('pipe-shut', Kind.flat, shutPipes, { widthUnits: 'pixels', getWidth: 7, getColor: (l: OverlayLine) => withAlpha(outlineColour(paint, l.object), 0.35) }));
    out.push(dashes('pipe-broken', shutPipes, 3.5, () => tokens.get('bldg-demolished')));
  }
  if (pipes.length) out.push(path('pipe', Kind.flat, pipes, { widthUnits: 'pixels', getWidth: 4, getColor: (l: OverlayLine) => outlineColour(paint, l.object) }));
  const [kept, taken] = [outlines.filter((l) => l.object.change !== 'demolished'), outlines.filter((l) => l.object.change === 'demolished')];
  if (kept.length) out.push(path('area-rim', Kind.flat, kept, { widthUnits: 'pixels', pickable: false, getWidth: (l: OverlayLine) => (l.object.id === paint.selectedId ? 3 : 1.6), getColor: (l: OverlayLine) => outlineColour(paint, l.object) }));
  if (taken.length) out.push(dashes('area-gone', taken, 1.8, () => tokens.get('bldg-demolished')));
  return out;
}

const closedRing = (ring: Place[]): Place[] => {
  const [first, last] = [ring[0], ring.at(-1)];
  return first && last && (first[0] !== last[0] || first[1] !== last[1]) ? [...ring, first] : ring;
};

/** One-way streets carry arrow heads along their axis. */
function arrows(d: SchemeDrawing, streets: readonly OverlayLine[], shared: object): Layer[] {
  const { frame, relief } = d.prepared;
  const heads: { object: SchemeObject; path: Place[] }[] = [];
  for (const { object, path } of streets) {
    const way = object.properties['oneway'];
    if (way !== 'forward' && way !== 'backward') continue;
    for (let i = 0; i + 1 < path.length; i++) {
      const [a, b] = [frame.toMetres(path[i] ?? [0, 0]), frame.toMetres(path[i + 1] ?? [0, 0])];
      const l = Math.hypot(b[0] - a[0], b[1] - a[1]);
      const [ux, uy] = way === 'forward' ? [(b[0] - a[0]) / l, (b[1] - a[1]) / l] : [(a[0] - b[0]) / l, (a[1] - b[1]) / l];
      for (let s = 15; s < l; s += 30) {
        const at: Position = [a[0] + ((b[0] - a[0]) * s) / l, a[1] + ((b[1] - a[1]) * s) / l];
        const wing = (side: number): Position => frame.toLngLat([at[0] - ux * 3 - uy * side * 1.8, at[1] - uy * 3 + ux * side * 1.8]);
        heads.push({ object, path: relief.along([wing(1), frame.toLngLat(at), wing(-1)]) });
      }
    }
  }
  const colour = withAlpha(mixColour(massColour(d.paint), [0, 0, 0, 255], 0.35), 0.9);
  return heads.length ? [new PathLayer({ ...shared, data: heads, getPath: (h) => h.path, widthUnits: 'meters', getWidth: 0.7, widthMinPixels: 1.5, getColor: colour })] : [];
}

/** Pumps, tanks, substations: what a scheme puts at a point of a network. */
export function schemePoints(d: SchemeDrawing): Layer[] {
  const { points } = d.prepared;
  if (!points.length) return [];
  const { paint } = d;
  return [
    new ScatterplotLayer<OverlayPoint>({
      id: `${SCHEME}-point-${d.version}`,
      data: points,
      pickable: true,
      radiusUnits: 'pixels',
      lineWidthUnits: 'pixels',
      stroked: true,
      billboard: true,
      getPosition: (p) => p.position,
      getRadius: (p) => (p.object.id === paint.selectedId ? 9 : 7),
      getLineWidth: 2.5,
      getFillColor: (p) => (p.object.change === 'demolished' || p.object.properties['closed'] === true ? withAlpha(paint.tokens.get('color-surface'), 0.6) : outlineColour(paint, p.object)),
      getLineColor: (p) => (p.object.change === 'demolished' || p.object.properties['closed'] === true ? paint.tokens.get('bldg-demolished') : paint.tokens.get('color-surface')),
      parameters: ON_GROUND,
      updateTriggers: { getFillColor: [paint.selectedId, paint.hoverId], getRadius: paint.selectedId },
    }),
  ];
}
