import type { SchemeObject, SchemeOverlay } from '../scheme/types';
import type { Place, Position } from './features';
import { polygonsOf, linesOf, pointOf } from './features';
import { LocalFrame } from './local-frame';
import { massMesh, type Mass, type MassMesh } from './massing-mesh';
import type { ModelMesh } from './model-mesh';
import { panelMesh, type PanelMesh } from './panel-mesh';
import { Relief } from './relief';

/** What a scheme's overlay comes to before any layer is made (pure). */
export interface OverlayArea {
  readonly object: SchemeObject;
  readonly rings: Place[][];
}
export interface OverlayLine {
  readonly object: SchemeObject;
  readonly path: Place[];
}
export interface OverlayPoint {
  readonly object: SchemeObject;
  readonly position: Place;
}

export interface Prepared {
  readonly frame: LocalFrame;
  /** The ground that it stands on. */
  readonly relief: Relief;
  /** Buildings that stand, and those that are gone, in the order of their meshes' masses. */
  readonly buildings: readonly SchemeObject[];
  readonly solid: MassMesh;
  /** Solar panels on the roofs of the buildings that stand, by the same masses. */
  readonly panels: PanelMesh;
  readonly ghosts: readonly SchemeObject[];
  readonly ghost: MassMesh;
  readonly areas: readonly OverlayArea[];
  readonly lines: readonly OverlayLine[];
  readonly trees: readonly OverlayPoint[];
  readonly points: readonly OverlayPoint[];
  /** Objects of the base that are not drawn. */
  readonly hidden: ReadonlySet<string>;
  readonly byId: ReadonlyMap<string, SchemeObject>;
}

/** What stands by a year: an object of a later phase is not there yet, and the base stands in its place. */
export function inPhase(overlay: SchemeOverlay): { objects: SchemeObject[]; hidden: Set<string> } {
  const { phase } = overlay;
  const later = (o: SchemeObject): boolean => phase !== null && o.phase_year !== null && o.phase_year > phase;
  const hidden = new Set(overlay.hidden);
  for (const o of overlay.objects) if (later(o)) hidden.delete(o.id);
  return { objects: overlay.objects.filter((o) => !later(o)), hidden };
}

export const isTree = (o: SchemeObject): boolean => o.type === 'SolitaryVegetationObject';
export const isStreet = (o: SchemeObject): boolean => o.type === 'Road';
export const isBuilding = (o: SchemeObject): boolean => o.type === 'Building';
export const isPark = (o: SchemeObject): boolean => o.type === 'PlantCover';

/** Paint order on the ground: land use, then parks. */
const groundRank = (o: SchemeObject): number => (isPark(o) ? 1 : 0);

/** Reads a GeoJSON geometry with the helpers for features. */
const featureOf = (o: SchemeObject): { id: string; properties: Record<string, unknown>; geometry: { type: string; coordinates: unknown } | null } => ({
  id: o.id,
  properties: {},
  geometry: o.geometry && 'coordinates' in o.geometry ? o.geometry : null,
});

/** Gives a model by its id; null while it is not here. */
export type Models = (id: string) => ModelMesh | null;

/** A model carried to where its building stands, in metres of the frame. */
function placedModel(o: SchemeObject, frame: LocalFrame, ground_m: number, models: Models): ModelMesh | undefined {
  const mesh = o.model ? models(o.model.id) : null;
  if (!mesh || !o.model) return undefined;
  const [x0, y0] = frame.toMetres([o.model.origin[0], o.model.origin[1]]);
  const [xn, yn] = frame.toMetres([o.model.north[0], o.model.north[1]]);
  // The model's own north as it lies here; its east is a quarter turn to the right of that.
  const [nx, ny] = [(xn - x0) / o.model.north_m, (yn - y0) / o.model.north_m];
  const points = new Float32Array(mesh.points.length);
  for (let i = 0; i < points.length; i += 3) {
    const [x, y] = [mesh.points[i] ?? 0, mesh.points[i + 1] ?? 0];
    points[i] = x0 + x * ny + y * nx;
    points[i + 1] = y0 - x * nx + y * ny;
    points[i + 2] = (mesh.points[i + 2] ?? 0) + ground_m;
  }
  return { ...mesh, points };
}

const noModels: Models = () => null;

export function massOf(o: SchemeObject, rings: readonly (readonly Position[])[], frame: LocalFrame, models: Models = noModels, relief = Relief.FLAT): Mass {
  const ground_m = relief.drawn(o.ground_m ?? 0);
  const storeys = o.storeys ?? [];
  const roof = o.roof ?? { type: 'flat', height_m: 0 };
  const stacked_m = storeys.reduce((sum, [h]) => sum + h, 0) + roof.height_m;
  return {
    rings: rings.map((ring) => ring.map((p) => frame.toMetres(p))),
    ground_m,
    height_m: storeys.length ? stacked_m : (o.height_m ?? 0),
    storeys,
    roof,
    model: placedModel(o, frame, ground_m, models),
  };
}

function originOf(objects: readonly SchemeObject[]): Position {
  for (const o of objects) {
    const at = pointOf(featureOf(o));
    if (at) return at;
  }
  return [0, 0];
}

export function prepare(overlay: SchemeOverlay, models: Models = noModels, relief = Relief.FLAT): Prepared {
  const { objects, hidden } = inPhase(overlay);
  const frame = new LocalFrame(originOf(objects));
  const [masses, ghostMasses]: [Mass[], Mass[]] = [[], []];
  const [buildings, ghosts]: [SchemeObject[], SchemeObject[]] = [[], []];
  const areas: OverlayArea[] = [];
  const lines: OverlayLine[] = [];
  const trees: OverlayPoint[] = [];
  const points: OverlayPoint[] = [];
  for (const object of objects) {
    const feature = featureOf(object);
    const polygons = polygonsOf(feature);
    if (isBuilding(object)) {
      const gone = object.change === 'demolished';
      for (const rings of polygons) {
        (gone ? ghostMasses : masses).push(massOf(object, rings, frame, models, relief));
        (gone ? ghosts : buildings).push(object);
      }
      continue;
    }
    for (const rings of polygons) areas.push({ object, rings: rings.map((ring) => relief.along(ring)) });
    for (const path of linesOf(feature)) lines.push({ object, path: relief.along(path) });
    const position = feature.geometry?.type === 'Point' ? pointOf(feature) : null;
    if (position) (isTree(object) ? trees : points).push({ object, position: relief.on(position) });
  }
  areas.sort((a, b) => groundRank(a.object) - groundRank(b.object));
  const byId = new Map(objects.map((o) => [o.id, o]));
  const solar = masses.map((_, i) => Number(buildings[i]?.properties['solar_share']) || 0);
  const panels = panelMesh(masses, solar, frame.origin[1] < 0 ? -1 : 1);
  return { frame, relief, buildings, solid: massMesh(masses), panels, ghosts, ghost: massMesh(ghostMasses, true), areas, lines, trees, points, hidden, byId };
}

/** Where an object's label or callout stands: the middle of its place, and its top. */
export function topOf(o: SchemeObject, relief = Relief.FLAT): [number, number, number] | null {
  const at = pointOf(featureOf(o));
  return at ? [at[0], at[1], isBuilding(o) ? relief.drawn(o.ground_m ?? 0) + (o.height_m ?? 0) : relief.at(at)] : null;
}

/** The facts of an object as a pick tells them; words as the base's own. */
export function factsOf(o: SchemeObject, letter: string): Record<string, unknown> {
  return {
    id: o.id,
    type: o.type,
    name: o.name,
    height_m: o.height_m,
    ground_m: o.ground_m,
    storeys: o.storeys?.length ?? null,
    use: o.storeys?.[0]?.[1] ?? null,
    land_use: o.land_use,
    scheme: letter,
    scheme_change: o.change,
  };
}

/** Letters wear the three colours of schemes in turn: B, C, D, then B again. */
export function massToken(letter: string, colourIndex: number): string {
  const known = ['b', 'c', 'd'];
  const own = letter.toLowerCase();
  if (known.includes(own)) return `scheme-${own}-mass`;
  return `scheme-${known[(((colourIndex - 1) % 3) + 3) % 3] ?? 'b'}-mass`;
}

/** What tells two overlays' objects apart: kind of change, place, height, storeys' uses. */
export const sameObject = (a: SchemeObject, b: SchemeObject): boolean =>
  a.change === b.change &&
  JSON.stringify([a.geometry, a.ground_m, a.height_m, a.storeys, a.roof, a.land_use, a.properties, a.model]) ===
    JSON.stringify([b.geometry, b.ground_m, b.height_m, b.storeys, b.roof, b.land_use, b.properties, b.model]);
