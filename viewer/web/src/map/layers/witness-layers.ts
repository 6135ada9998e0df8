import type { Layer } from '@deck.gl/core';
import { PathLayer, ScatterplotLayer, SolidPolygonLayer } from '@deck.gl/layers';
import type { Verdict, Witness } from '../../scheme/types';
import type { Rgba } from '../types';
import { linesOf, polygonsOf, type Feature, type Place, type Position } from '../features';
import type { Relief } from '../relief';
import { withAlpha, type Tokens } from '../tokens';
import { CITY_EXTENSIONS } from '../shading/extension';
import { Kind } from '../shading/shader';

const TOKEN: Record<Verdict, string> = { fail: 'status-fail', discuss: 'status-discuss', pass: 'status-pass' };
const OVER = { depthCompare: 'always', depthWriteEnabled: false } as const;
const VERDICTS = ['pass', 'discuss', 'fail'] as const;
const SLICE_M_MIN = 0.05;

interface Part {
  readonly witness: Witness;
  /** As the map draws it, at its lower end. */
  readonly rings: [number, number, number][][];
}
interface Path {
  readonly witness: Witness;
  readonly path: [number, number, number][];
}

const asFeature = (w: Witness, geometry: GeoJSON.Geometry): Feature => ({ id: w.id, properties: {}, geometry: 'coordinates' in geometry ? geometry : null });
const simple = (g: GeoJSON.Geometry): GeoJSON.Geometry[] => (g.type === 'GeometryCollection' ? g.geometries.flatMap(simple) : [g]);

/** The failing part itself: a slice of a building, a strip or a spot on the ground. What the pointer is on is lifted through the city. */
export function witnessLayers(items: readonly Witness[], relief: Relief, tokens: Tokens, hoverId: string | null): Layer[] {
  if (!items.length) return [];
  const colour = (w: Witness, alpha: number): Rgba => withAlpha(tokens.get(TOKEN[w.verdict]), alpha);
  const slices: Part[] = [];
  const ground: Part[] = [];
  const paths: Path[] = [];
  const points: { witness: Witness; position: Place }[] = [];
  for (const witness of items) {
    for (const geometry of simple(witness.geometry)) {
      const feature = asFeature(witness, geometry);
      const sliced = witness.to_m - witness.from_m > SLICE_M_MIN;
      for (const rings of polygonsOf(feature)) {
        // What is sliced is a building: it stands on one level.
        const stands_m = sliced ? relief.at(rings[0]?.[0] ?? [0, 0]) : null;
        const at = (p: Position, up_m: number): [number, number, number] => [p[0], p[1], (stands_m ?? relief.at(p)) + up_m];
        (sliced ? slices : ground).push({ witness, rings: rings.map((ring) => ring.map((p) => at(p, witness.from_m))) });
        for (const ring of rings) {
          const closed: Position[] = [...ring, ring[0] ?? [0, 0]];
          for (const up_m of sliced ? [witness.from_m, witness.to_m] : [witness.from_m]) paths.push({ witness, path: closed.map((p) => at(p, up_m)) });
        }
      }
      for (const line of linesOf(feature)) paths.push({ witness, path: line.map((p) => [p[0], p[1], relief.at(p) + witness.from_m]) });
      const spots = geometry.type === 'Point' ? [geometry.coordinates] : geometry.type === 'MultiPoint' ? geometry.coordinates : [];
      for (const p of spots) points.push({ witness, position: relief.on([p[0] ?? 0, p[1] ?? 0]) });
    }
  }
  const lifted = (w: Witness): boolean => w.id === hoverId;
  const trigger = { getFillColor: [hoverId, tokens.text('map-sky')], getColor: [hoverId, tokens.text('map-sky')] };
  const out: Layer[] = [];
  const split = <T extends { witness: Witness }>(list: readonly T[]): [string, readonly T[], boolean][] => [
    ['', list.filter((p) => !lifted(p.witness)), false],
    ['-lifted', list.filter((p) => lifted(p.witness)), true],
  ];
  for (const [suffix, data, up] of split(ground)) {
    if (!data.length) continue;
    out.push(
      new SolidPolygonLayer<Part>({
        id: `witness-ground${suffix}`,
        data,
        getPolygon: (p) => p.rings as never,
        getFillColor: (p) => colour(p.witness, 0.85),
        extensions: CITY_EXTENSIONS,
        parameters: up ? OVER : { depthWriteEnabled: false },
        updateTriggers: trigger,
        ...({ cityKind: Kind.hatched, cityStripe: [3.2, 0.3] } as object),
      }),
    );
  }
  for (const [suffix, data, up] of split(slices)) {
    for (const verdict of VERDICTS) {
      const own = data.filter((p) => p.witness.verdict === verdict);
      if (own.length) out.push(sliceLayer(`witness-slice-${verdict}${suffix}`, own, withAlpha(tokens.get(TOKEN[verdict]), up ? 0.75 : 0.95), up));
    }
  }
  for (const [suffix, data, up] of split(paths)) {
    if (!data.length) continue;
    out.push(
      new PathLayer<Path>({
        id: `witness-line${suffix}`,
        data,
        getPath: (p) => p.path as never,
        getColor: (p) => colour(p.witness, 1),
        widthUnits: 'pixels',
        getWidth: up ? 3 : 2,
        billboard: true,
        extensions: CITY_EXTENSIONS,
        parameters: up ? OVER : { depthWriteEnabled: false },
        updateTriggers: trigger,
        ...({ cityKind: Kind.edge } as object),
      }),
    );
  }
  if (points.length) {
    out.push(
      new ScatterplotLayer<(typeof points)[number]>({
        id: 'witness-point',
        data: points,
        getPosition: (p) => p.position,
        getRadius: 6,
        radiusUnits: 'pixels',
        lineWidthUnits: 'pixels',
        stroked: true,
        billboard: true,
        getLineWidth: 2,
        getFillColor: (p) => colour(p.witness, 1),
        getLineColor: tokens.get('color-surface'),
        parameters: OVER,
        updateTriggers: trigger,
      }),
    );
  }
  return out;
}

/** A slice of a building, a hair in front of the walls that it lies in. */
const sliceLayer = (id: string, data: Part[], colour: Rgba, up: boolean): Layer =>
  new SolidPolygonLayer<Part>({
    id,
    data,
    extruded: true,
    getPolygon: (p) => p.rings as never,
    getElevation: (p) => p.witness.to_m - p.witness.from_m,
    material: false,
    extensions: CITY_EXTENSIONS,
    parameters: up ? OVER : { depthCompare: 'less-equal', depthWriteEnabled: true },
    ...({ cityKind: Kind.slice, cityTint: colour } as object),
  });
