import type { Layer, WebMercatorViewport } from '@deck.gl/core';
import { ScatterplotLayer } from '@deck.gl/layers';
import type { SchemeObject, SchemeOverlay } from '../scheme/types';
import type { FeatureInView, Rgba } from './types';
import { mixColour, type Tokens } from './tokens';
import type { LabelSource } from './layers/label-layers';
import { landUseCode } from './palette';
import { ModelShelf } from './model-mesh';
import { factsOf, isBuilding, prepare, topOf, type OverlayPoint, type Prepared } from './overlay';
import { massColour, type OverlayPaint } from './overlay-paint';
import { SCHEME, schemeColours, schemeGround, schemeMasses, schemePoints, type SchemeDrawing } from './layers/scheme-layers';
import { treeLayer, type Tree } from './layers/tree-layer';
import type { Place } from './features';
import { Relief } from './relief';
import type { CityPaint } from './paint';

const NONE: ReadonlySet<string> = new Set();
const TREE_M = { height: 8, crown: 5 } as const;
/** What only the other scheme has is drawn as what is gone, in that scheme's name. */
const OTHER = 'other';

export interface OverlayLayers {
  ground: Layer[];
  below: Layer[];
  bodies: Layer[];
  above: Layer[];
  marks: Layer[];
}

let versions = 0;

/** A scheme over the city: what is drawn of it, and what of the city is not. */
export class OverlayScene {
  overlay: SchemeOverlay | null = null;
  readonly models = new ModelShelf();
  private relief = Relief.FLAT;
  private prepared: Prepared | null = null;
  private other: SchemeOverlay | null = null;
  private others: ReadonlyMap<string, SchemeObject> | null = null;
  private version = 0;
  private paintKey = '';
  private painted: { layers: OverlayLayers; tokens: Tokens } | null = null;
  private trees: Tree[] = [];

  /** Calls `changed` when a model has come that the overlay shows. */
  watchModels(changed: () => void): void {
    this.models.changed = () => {
      this.build();
      changed();
    };
  }

  /** Takes an overlay; false where it is drawn as the last one was. */
  set(overlay: SchemeOverlay | null): boolean {
    const before = this.overlay;
    this.overlay = overlay;
    if (overlay === before || (overlay && before && sameOverlay(overlay, before))) return false;
    this.build();
    return true;
  }

  /** Stands the scheme on another ground. */
  setRelief(relief: Relief): void {
    if (relief === this.relief) return;
    this.relief = relief;
    this.build();
  }

  setOther(other: SchemeOverlay | null, on: boolean): void {
    this.other = on ? other : null;
    this.others = on ? new Map((other?.objects ?? []).map((o) => [o.id, o])) : null;
    this.build();
  }

  get comparing(): boolean {
    return this.others !== null;
  }

  /** Objects of the base that are not drawn; the same set until the overlay changes. */
  get hidden(): ReadonlySet<string> {
    return this.prepared?.hidden ?? NONE;
  }

  get content(): Prepared | null {
    return this.prepared;
  }

  private build(): void {
    this.version = ++versions;
    this.painted = null;
    this.own = null;
    this.prepared = this.overlay ? prepare(this.withOthers(this.overlay), this.models.get, this.relief) : null;
    this.trees = (this.prepared?.trees ?? []).filter((t) => t.object.change !== 'demolished').map(treeOf);
  }

  /** While two schemes are compared, what only the other one builds is shown as absent here. */
  private withOthers(overlay: SchemeOverlay): SchemeOverlay {
    if (!this.other) return overlay;
    const own = new Set(overlay.objects.map((o) => o.id));
    const absent = this.other.objects.filter((o) => !own.has(o.id) && o.change !== 'demolished');
    const objects = absent.map((o): SchemeObject => ({ ...o, change: 'demolished', properties: { ...o.properties, [OTHER]: true } }));
    return { ...overlay, objects: [...overlay.objects, ...objects] };
  }

  layers(city: CityPaint, tokens: Tokens, contact: Rgba): OverlayLayers {
    const { prepared, overlay } = this;
    if (!prepared || !overlay) return { ground: [], below: [], bodies: [], above: [], marks: [] };
    const { colourBy, selectedId, hoverId, sunHours } = city;
    const paint: OverlayPaint = { overlay, tokens, colourBy, selectedId, hoverId, sunHours, other: this.others };
    const key = JSON.stringify([colourBy, this.shown(selectedId), this.shown(hoverId)]);
    // The same layers until something of theirs changed: deck.gl then has nothing to compare.
    if (this.painted && key === this.paintKey && this.painted.tokens === tokens && this.hours === sunHours) return this.painted.layers;
    this.paintKey = key;
    this.hours = sunHours;
    const drawing: SchemeDrawing = {
      prepared,
      version: this.version,
      paint,
      contact,
      fade_ms: city.motion.fast_ms,
      colours: schemeColours(prepared, paint),
    };
    const layers = { ground: schemeGround(drawing), ...schemeMasses(drawing), marks: schemePoints(drawing) };
    layers.above.push(...this.treeLayers(prepared, paint));
    this.painted = { layers, tokens };
    return layers;
  }

  private hours: ReadonlyMap<string, number> | null = null;
  private own: LabelSource[] | null = null;

  private shown(id: string | null): string | null {
    return id !== null && this.prepared?.byId.has(id) ? id : null;
  }

  private treeLayers(prepared: Prepared, paint: OverlayPaint): Layer[] {
    const { tokens } = paint;
    const out: Layer[] = [];
    if (this.trees.length) out.push(treeLayer(`${SCHEME}-tree-${this.version}`, this.trees, tokens, true, mixColour(tokens.get('map-tree'), massColour(paint), 0.45)));
    const felled = prepared.trees.filter((t) => t.object.change === 'demolished');
    if (!felled.length) return out;
    out.push(
      new ScatterplotLayer<OverlayPoint>({
        id: `${SCHEME}-felled-${this.version}`,
        data: felled,
        getPosition: (t) => t.position,
        getRadius: (t) => (Number(t.object.properties['crown_diameter_m']) || TREE_M.crown) / 2,
        filled: false,
        stroked: true,
        lineWidthUnits: 'pixels',
        getLineWidth: 1.6,
        getLineColor: tokens.get('bldg-demolished'),
        pickable: true,
        parameters: { depthCompare: 'always', depthWriteEnabled: false },
      }),
    );
    return out;
  }

  /** Names over the city: none of what is gone, those of what is changed on its new roof, and the scheme's own. */
  labels(sources: LabelSource[]): LabelSource[] {
    const { prepared } = this;
    if (!prepared) return sources;
    const stays = (s: LabelSource): LabelSource | null => {
      const o = prepared.byId.get(s.id);
      if (!o) return prepared.hidden.has(s.id) ? null : s;
      return o.change === 'demolished' ? null : { ...s, height_m: isBuilding(o) ? (o.height_m ?? s.height_m) : s.height_m };
    };
    this.own ??= ownLabels(prepared);
    return [...sources.map(stays).filter((s): s is LabelSource => s !== null), ...this.own];
  }


  objectOf(id: string): SchemeObject | null {
    return this.prepared?.byId.get(id) ?? null;
  }

  /** The object that a layer of this scheme was picked at. */
  picked(object: unknown): { id: string; properties: Record<string, unknown> } | null {
    const o = ((object as { object?: SchemeObject } | null)?.object ?? object) as { id?: string } | null;
    const found = o?.id === undefined ? null : this.objectOf(o.id);
    return found ? { id: found.id, properties: factsOf(found, this.overlay?.letter ?? '') } : null;
  }

  positionOf(id: string): [number, number, number] | null {
    const found = this.objectOf(id);
    return found ? topOf(found, this.relief) : null;
  }

  inView(viewport: WebMercatorViewport): FeatureInView[] {
    const out: FeatureInView[] = [];
    for (const o of this.prepared?.byId.values() ?? []) {
      const at = topOf(o, this.relief);
      if (!at) continue;
      const [x = -1, y = -1] = viewport.project(at);
      if (x < 0 || y < 0 || x > viewport.width || y > viewport.height) continue;
      out.push({ id: o.id, kind: 'object', layerId: SCHEME, lngLat: [at[0], at[1]], x, y, properties: factsOf(o, this.overlay?.letter ?? '') });
    }
    return out;
  }
}

/** Land use is always written with its code; what a scheme adds has its name. */
function ownLabels(prepared: Prepared): LabelSource[] {
  const out: LabelSource[] = [];
  const base = { rank: 3, minZoom: 14.5, height_m: 0 };
  for (const { object, rings } of prepared.areas) {
    const code = object.type === '+Parcel' && object.change !== 'demolished' ? landUseCode(object.land_use) : null;
    const at = middleOf(rings[0] ?? []);
    if (at && code) out.push({ ...base, id: `${object.id}#code`, text: code, style: 'place', line: [at] });
    else if (at && object.change === 'added' && object.name) out.push({ ...base, id: object.id, text: object.name, style: 'green', line: [at] });
  }
  for (const object of prepared.buildings) {
    const at = object.change === 'added' && object.name ? topOf(object) : null;
    if (at && object.name) out.push({ ...base, id: object.id, text: object.name, style: 'building', line: [[at[0], at[1]]], height_m: object.height_m });
  }
  return out;
}

const middleOf = (ring: readonly Place[]): [number, number] | null =>
  ring.length ? [ring.reduce((s, p) => s + p[0], 0) / ring.length, ring.reduce((s, p) => s + p[1], 0) / ring.length] : null;

/** The same lists, told of the same scheme: nothing that is drawn differs. */
const sameOverlay = (a: SchemeOverlay, b: SchemeOverlay): boolean =>
  a.scheme === b.scheme && a.letter === b.letter && a.colour_index === b.colour_index && a.phase === b.phase && a.objects === b.objects && a.hidden === b.hidden;

function treeOf({ object, position }: OverlayPoint): Tree {
  const { properties: p } = object;
  const crown_m = Number(p['crown_diameter_m']) || TREE_M.crown;
  const height_m = object.height_m || Number(p['height_m']) || TREE_M.height;
  const tone = ((Math.abs(Math.round(position[0] * 1e7)) * 31 + Math.abs(Math.round(position[1] * 1e7)) * 17) % 1000) / 1000;
  return { id: object.id, position, height_m, radius_m: crown_m / 2, tone, properties: {} };
}
