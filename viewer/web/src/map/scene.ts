import type { Layer, WebMercatorViewport } from '@deck.gl/core';
import { SolidPolygonLayer } from '@deck.gl/layers';
import type { ColourBy, Datastream, FeatureInView, LayerPhase, Rgba, ViewState } from './types';
import { withAlpha, type Tokens } from './tokens';
import { attributeColour, commonRange, groundColour, noData } from './palette';
import { LiveStore } from './live';
import type { LayerSpec } from './spec';
import { loadFeatures, pointOf, SourceError, type Feature, type Position } from './features';
import { CityTileLayer, type TilePaint } from './layers/city-tile-layer';
import { treeLayer, treesOf, type Tree } from './layers/tree-layer';
import { linksOf, networkLayers, nodeLayer, nodesOf, type Link, type NetworkInput, type Node } from './layers/network-layers';
import { LEVEL, SENSOR_CLUSTER_ZOOM, sensorLayers, type Sensor } from './layers/sensor-layers';
import { labelLayers, labelSources, placeLabels, type LabelSource } from './layers/label-layers';
import { chooseLabels, type Frame, type LabelCandidate } from './labels';
import { clusterPoints } from './cluster';
import { plainLayer } from './layers/plain-layer';
import { drawMarks } from './layers/marks';
import { CITY_EXTENSIONS } from './shading/extension';
import { Kind } from './shading/shader';

interface Loaded {
  phase: LayerPhase;
  features: Feature[];
  trees?: Tree[];
  links?: Link[];
  nodes?: Node[];
  labels?: LabelSource[];
}

export interface SceneView {
  view: ViewState;
  viewport: WebMercatorViewport | null;
  frame: Frame;
}

/** Zoom from which a layer is worth drawing when the spec does not say. */
const DEFAULT_MIN_ZOOM: Partial<Record<LayerSpec['role'], number>> = { trees: 14.8, buildings: 12.5 };
/** Far ground is drawn with simplified streets, which show their corners early; far buildings are blocks and do not. */
const SCREEN_ERROR_PX = { ground: 2, buildings: 6 } as const;
const PLANE_HALF_DEG = 0.6;
/** What lies this far outside the screen may still reach into it: a street, a pipe. */
const OUTSIDE_PX = 200;

/** Everything drawn: the spec's layers, their data, and the state that colours them. */
export class Scene {
  specs: LayerSpec[] = [];
  readonly live = new LiveStore();
  colourBy: ColourBy = null;
  selectedId: string | null = null;
  hoverId: string | null = null;
  language = 'en';
  tileRevision = 0;
  private readonly visible = new Map<string, boolean>();
  private readonly loaded = new Map<string, Loaded>();
  private abort = new AbortController();
  private paintKey = '';
  private paint: TilePaint | null = null;
  private groundPaint: TilePaint | null = null;
  private marks: HTMLCanvasElement | null = null;
  private shownLabels: LabelCandidate[] = [];
  private readonly tiles = new Map<string, CityTileLayer>();
  /** The last instances that deck.gl gave a state: it takes a frame until the newest have one. */
  private readonly stated = new Map<string, CityTileLayer>();

  constructor(
    private tokens: Tokens,
    private readonly changed: () => void,
    private readonly report: (layerId: string, phase: LayerPhase, detail: string) => void,
  ) {}

  setSpecs(specs: LayerSpec[]): void {
    this.stop();
    this.abort = new AbortController();
    this.specs = specs;
    this.loaded.clear();
    for (const s of specs) if (!this.visible.has(s.id)) this.visible.set(s.id, s.visible);
    this.ensureData();
  }

  setTokens(tokens: Tokens): void {
    this.tokens = tokens;
    this.marks = null;
    this.paintKey = '';
    this.groundPaint = null;
  }

  setVisible(id: string, visible: boolean): void {
    this.visible.set(id, visible);
    this.ensureData();
    this.changed();
  }

  isVisible(id: string): boolean {
    return this.visible.get(id) ?? true;
  }

  stop(): void {
    this.abort.abort();
  }

  /** True when nothing that is shown is still on its way. */
  get settled(): boolean {
    const waiting = this.specs.some((s) => this.isVisible(s.id) && this.loaded.get(s.id)?.phase === 'loading');
    return !waiting && [...this.tiles.values()].every((t) => !t.props.visible || !t.state || t.isLoaded);
  }

  /** The building layers as they are drawn now. */
  get tileLayers(): CityTileLayer[] {
    this.keepStated();
    return [...this.stated.values()].filter((t) => t.props.role === 'buildings');
  }

  private keepStated(): void {
    for (const [id, layer] of this.tiles) if (layer.state) this.stated.set(id, layer);
  }

  /** Asks again for a layer that failed. */
  retry(id: string): void {
    this.loaded.delete(id);
    this.ensureData();
  }

  relabel(): void {
    for (const s of this.specs) {
      const l = this.loaded.get(s.id);
      if (s.role === 'labels' && l) l.labels = labelSources(l.features, s.id, this.language);
    }
    this.changed();
  }

  private setPhase(id: string, phase: LayerPhase, detail = ''): void {
    const l = this.loaded.get(id);
    if (l && l.phase !== phase) l.phase = phase;
    this.report(id, phase, detail);
    this.changed();
  }

  private ensureData(): void {
    for (const s of this.specs) {
      if (this.loaded.has(s.id) || !this.isVisible(s.id)) continue;
      this.loaded.set(s.id, { phase: 'loading', features: [] });
      this.report(s.id, 'loading', '');
      const { signal } = this.abort;
      this.fetchLayer(s, signal).catch((error: unknown) => {
        if (signal.aborted) return;
        this.setPhase(s.id, 'failed', error instanceof SourceError ? error.detail : 'network');
      });
    }
  }

  private async fetchLayer(s: LayerSpec, signal: AbortSignal): Promise<void> {
    if (s.role === 'ground' || s.role === 'buildings') {
      // The tileset is asked for here first: deck.gl swallows a tileset that is missing.
      const response = await fetch(String(s.data), { signal });
      if (!response.ok) throw new SourceError(`http_${response.status}`);
      const l = this.loaded.get(s.id);
      if (l) l.phase = 'ready';
      this.changed();
      return;
    }
    const features = await loadFeatures(s.data, signal);
    // One page of each is enough: names of a large city are more than there is room for.
    for (const source of s.hints.sources ?? []) features.push(...(await loadFeatures(source, signal, 1)));
    const nodes = s.hints.nodes ? await loadFeatures(s.hints.nodes, signal) : [];
    if (signal.aborted) return;
    const l: Loaded = { phase: 'loading', features };
    if (s.role === 'trees') l.trees = treesOf(features);
    if (s.role === 'network') {
      l.links = linksOf(features);
      l.nodes = nodesOf(nodes);
    }
    if (s.role === 'labels') l.labels = labelSources(features, s.id, this.language);
    this.loaded.set(s.id, l);
    this.setPhase(s.id, features.length ? 'ready' : 'empty', String(features.length));
  }

  sensorsOf(id: string): Sensor[] {
    const out: Sensor[] = [];
    for (const f of this.loaded.get(id)?.features ?? []) {
      const position = pointOf(f);
      const p = f.properties;
      const known = [f.id, p['datastream_id'], p['id']].map((k) => this.live.stream(String(k ?? ''))).find(Boolean);
      const stream = known ?? ({ ...p, id: String(p['datastream_id'] ?? p['id'] ?? f.id) } as unknown as Datastream);
      if (position) out.push({ id: stream.id, position, stream });
    }
    return out;
  }

  /** Place of a sensor, node, tree or the middle of a link; null when no layer holds it. */
  positionOf(id: string): Position | null {
    for (const s of this.specs) {
      const l = this.loaded.get(s.id);
      const found =
        (s.role === 'sensors' ? this.sensorsOf(s.id).find((d) => d.id === id)?.position : undefined) ??
        l?.nodes?.find((d) => d.feature.id === id)?.position ??
        l?.trees?.find((d) => d.id === id)?.position;
      if (found) return found;
      const path = l?.links?.find((d) => d.feature.id === id)?.path;
      if (path) return path[Math.floor(path.length / 2)] ?? null;
    }
    return null;
  }

  sensorsInView(viewport: WebMercatorViewport): FeatureInView[] {
    const out: FeatureInView[] = [];
    for (const s of this.specs) {
      if (s.role !== 'sensors' || !this.isVisible(s.id)) continue;
      for (const d of this.sensorsOf(s.id)) {
        const [x = -1, y = -1] = viewport.project(d.position);
        if (x < 0 || y < 0 || x > viewport.width || y > viewport.height) continue;
        const properties = { ...d.stream } as unknown as Record<string, unknown>;
        out.push({ id: d.id, kind: 'sensor', layerId: s.id, lngLat: d.position, x, y, properties });
      }
    }
    return out;
  }

  /** True where a datastream colours something that this view shows. */
  isDrawn(d: Datastream, viewport: WebMercatorViewport | null, zoom: number): boolean {
    const shown = this.specs.some((s) => {
      if (!this.isVisible(s.id) || zoom < (s.hints.min_zoom ?? DEFAULT_MIN_ZOOM[s.role] ?? 0)) return false;
      if (s.role === 'buildings') return d.object_id !== null && this.colourBy?.attribute === 'live';
      return s.role === 'sensors' || (s.role === 'network' && d.network_id !== null);
    });
    if (!shown || !viewport || !d.location) return shown;
    const [x = 0, y = 0] = viewport.project([d.location[0], d.location[1]]);
    return x > -OUTSIDE_PX && y > -OUTSIDE_PX && x < viewport.width + OUTSIDE_PX && y < viewport.height + OUTSIDE_PX;
  }

  private get liveProperty(): string | undefined {
    return this.colourBy?.attribute === 'live' ? this.colourBy.observed_property : undefined;
  }

  /** Range of the live colours: chosen, or common to the property; null leaves each datastream its own. */
  get liveRange(): [number, number] | null {
    if (this.colourBy?.attribute !== 'live') return null;
    return this.colourBy.range ?? commonRange(this.live.all(), this.colourBy.observed_property);
  }

  private buildingPaint(): TilePaint {
    const c = this.colourBy;
    const key = JSON.stringify([this.selectedId, this.hoverId, c, c?.attribute === 'live' ? this.live.version : 0]);
    if (this.paint && key === this.paintKey) return this.paint;
    this.paintKey = key;
    const { tokens, selectedId, hoverId } = this;
    const plain = tokens.get('bldg-default');
    const range = this.liveRange;
    const dataColour = (id: string, value: (name: string) => unknown): Rgba => {
      if (!c) return plain;
      if (c.attribute !== 'live') return attributeColour(c.attribute, value(c.attribute), tokens);
      const d = this.live.forObject(id, c.observed_property);
      // A building nobody measures is not missing data: it stays as it is.
      if (!d) return plain;
      const state = this.live.state(d);
      return state === 'ok' || state === 'out' ? this.live.colour(d, tokens, range) : noData(tokens);
    };
    this.paint = {
      colourOf: (content, row) => {
        const id = content.ids[row] ?? '';
        if (id === selectedId) return tokens.get('bldg-selected');
        if (id === hoverId) return tokens.get('bldg-hover');
        return dataColour(id, (name) => content.columns[name]?.[row]);
      },
      edge: withAlpha(tokens.get('bldg-edge'), 0.32),
      contact: [20, 18, 14, Math.round(255 * 0.2)],
      selectedId,
      selectedEdge: tokens.get('bldg-selected-edge'),
    };
    return this.paint;
  }

  private paintGround(): TilePaint {
    const { tokens } = this;
    this.groundPaint ??= {
      colourOf: (content, row) => groundColour(content.columns['kind']?.[row], tokens),
      edge: [0, 0, 0, 0],
      contact: [0, 0, 0, 0],
      selectedId: null,
      selectedEdge: [0, 0, 0, 0],
    };
    return this.groundPaint;
  }

  /** Layers in painting order: ground and plane, networks on them, city, then marks and labels. */
  layers(v: SceneView): Layer[] {
    const ground: Layer[] = [];
    const flat: Layer[] = [];
    const city: Layer[] = [];
    const marks: Layer[] = [];
    const labels: LabelSource[] = [];
    this.keepStated();
    this.tiles.clear();
    this.live.commit();
    for (const s of this.specs) {
      const l = this.loaded.get(s.id);
      if (!l || l.phase === 'failed') continue;
      const minZoom = s.hints.min_zoom ?? DEFAULT_MIN_ZOOM[s.role] ?? 0;
      const visible = this.isVisible(s.id) && v.view.zoom >= minZoom;
      if (s.role === 'ground' && l.phase !== 'loading') ground.push(this.tileLayer(s, visible));
      else if (s.role === 'buildings' && l.phase !== 'loading') city.push(this.tileLayer(s, visible));
      else if (s.role === 'trees' && l.trees) city.push(treeLayer(s.id, l.trees, this.tokens, visible));
      else if (s.role === 'network') {
        const input = this.networkInput(s.id, l, visible, v.view.zoom);
        flat.push(...networkLayers(input));
        if (input.nodes.length) marks.push(nodeLayer(input));
      } else if (s.role === 'sensors') marks.push(...this.sensors(s, visible, v));
      else if (s.role === 'labels' && visible) labels.push(...(l.labels ?? []));
      else if (s.role === 'polygons' || s.role === 'lines') flat.push(plainLayer(s, l.features, this.tokens, visible));
    }
    // The plane lies behind the ground in depth: drawn after it, only what is bare is shaded.
    return [...ground, this.plane(v.view), ...flat, ...city, ...marks, ...this.labels(labels, v)];
  }

  private plane(view: ViewState): Layer {
    // Recentred in steps: a polygon many kilometres wide loses precision far from its middle.
    const x = Math.round(view.longitude / 0.1) * 0.1;
    const y = Math.round(view.latitude / 0.1) * 0.1;
    const d = PLANE_HALF_DEG;
    return new SolidPolygonLayer<Position[]>({
      id: 'plane',
      data: [[[x - d, y - d], [x + d, y - d], [x + d, y + d], [x - d, y + d]]],
      getPolygon: (p) => p,
      getFillColor: this.tokens.get('map-ground'),
      parameters: { depthCompare: 'less-equal', depthWriteEnabled: false },
      extensions: CITY_EXTENSIONS,
      updateTriggers: { getFillColor: this.tokens.get('map-ground').join() },
      ...({ cityKind: Kind.plane } as object),
    });
  }

  private tileLayer(s: LayerSpec, visible: boolean): CityTileLayer {
    const role = s.role === 'ground' ? 'ground' : 'buildings';
    const url = String(s.data);
    const layer = new CityTileLayer({
      id: s.id,
      data: this.tileRevision ? `${url}${url.includes('?') ? '&' : '?'}v=${this.tileRevision}` : url,
      role,
      paint: role === 'ground' ? this.paintGround() : this.buildingPaint(),
      visible,
      pickable: role === 'buildings',
      extensions: CITY_EXTENSIONS,
      cityKind: role === 'ground' ? Kind.ground : Kind.building,
      // Everything is served uncompressed by this server: no worker and no decoder from elsewhere.
      loadOptions: {
        core: { worker: false },
        tileset: { throttleRequests: false, maximumScreenSpaceError: SCREEN_ERROR_PX[role], memoryAdjustedScreenSpaceError: false },
      } as never,
      onTilesetLoad: () => this.setPhase(s.id, 'ready'),
      onTileLoad: () => this.changed(),
      onTileError: (_tile, _url, message) => {
        this.report(s.id, 'failed', String(message));
      },
    });
    this.tiles.set(s.id, layer);
    return layer;
  }

  private networkInput(id: string, l: Loaded, visible: boolean, zoom: number): NetworkInput {
    return {
      id,
      links: l.links ?? [],
      nodes: l.nodes ?? [],
      visible,
      live: this.live,
      property: this.liveProperty,
      range: this.liveProperty === undefined ? null : this.liveRange,
      tokens: this.tokens,
      selectedId: this.selectedId,
      zoom,
    };
  }

  private sensors(s: LayerSpec, visible: boolean, v: SceneView): Layer[] {
    const sensors = this.sensorsOf(s.id);
    const { viewport } = v;
    const gather = v.view.zoom < SENSOR_CLUSTER_ZOOM && viewport;
    const clusters = gather
      ? clusterPoints(
          sensors.map((d) => {
            const [x = 0, y = 0] = viewport.project(d.position);
            return { id: d.id, x, y, lngLat: d.position, level: LEVEL[this.live.state(d.stream)] };
          }),
        )
      : null;
    this.marks ??= drawMarks(this.tokens);
    return sensorLayers({
      id: s.id,
      sensors,
      clusters,
      visible,
      live: this.live,
      property: this.liveProperty,
      range: this.liveProperty === undefined ? null : this.liveRange,
      tokens: this.tokens,
      marks: this.marks,
      selectedId: this.selectedId,
      hoverId: this.hoverId,
    });
  }

  private labels(sources: LabelSource[], v: SceneView): Layer[] {
    if (v.viewport) {
      const shown = new Set(this.shownLabels.map((l) => l.id));
      this.shownLabels = chooseLabels(placeLabels(sources, v.viewport, v.view.zoom), v.frame, shown);
    }
    return labelLayers('label', this.shownLabels, this.tokens, v.viewport);
  }
}
