import type { Layer, WebMercatorViewport } from '@deck.gl/core';
import { SolidPolygonLayer } from '@deck.gl/layers';
import { Matrix4 } from '@math.gl/core';
import type { ColourBy, Datastream, FeatureInView, LayerPhase, ViewState } from './types';
import type { Tokens } from './tokens';
import { LiveStore } from './live';
import type { Motion } from './motion';
import type { Relief } from './relief';
import type { LayerSpec } from './spec';
import { LayerSources, type Loaded } from './layer-sources';
import type { Place, Position } from './features';
import { CityPaint, CONTACT } from './paint';
import { OverlayScene } from './overlay-scene';
import { Extras } from './extras';
import { AlarmRings } from './alarms';
import { CityTileLayer, readerOf } from './layers/city-tile-layer';
import { refineBySight, type Traverser } from './layers/refinement';
import { treeLayer, type Tree } from './layers/tree-layer';
import { networkLayers, nodeLayer, type NetworkInput } from './layers/network-layers';
import { LEVEL, MARK_ROOM_PX, SENSOR_CLUSTER_ZOOM, sensorLayers, type Sensor } from './layers/sensor-layers';
import type { LabelSource } from './layers/label-layers';
import { LabelScene } from './label-scene';
import type { Frame, Obstacle } from './labels';
import { clusterPoints, type Cluster } from './cluster';
import { plainLayer } from './layers/plain-layer';
import { drawMarks } from './layers/marks';
import { CITY_EXTENSIONS } from './shading/extension';
import { Kind } from './shading/shader';

export interface SceneView {
  metresPerPixel: number;
  view: ViewState;
  viewport: WebMercatorViewport | null;
  frame: Frame;
}

/** Zoom from which a layer is worth drawing when the spec does not say. */
const DEFAULT_MIN_ZOOM: Partial<Record<LayerSpec['role'], number>> = { trees: 14.8, buildings: 12.5 };
/** Far ground is drawn with simplified streets, which show their corners early; far buildings are blocks and do not. */
const SCREEN_ERROR_PX = { ground: 2, buildings: 6 } as const;
/**
 * Tiles out of view are let go beyond this, the oldest first: what a flight through a city may hold. Arrays in the page
 * are counted; with those on the graphics card it is twice as much, which stays below 300 MB.
 */
export const TILE_CACHE_MB = { ground: 40, buildings: 100 } as const;
/** A tileset that waits for tiles to be drawn walks its tree again and again: no more often than this, about a frame. */
const WALK_MS = 16;
const PLANE_HALF_DEG = 0.6;
/** What lies this far outside the screen may still reach into it: a street, a pipe. */
const OUTSIDE_PX = 200;

/** Room that a gathered count takes on the screen, half of it. */
const CLUSTER_ROOM_PX = 17;

/** Everything drawn: the spec's layers, their sources, and the state that colours them. */
export class Scene {
  readonly live = new LiveStore();
  readonly paint: CityPaint;
  private tileRevision = 0;
  readonly overlay = new OverlayScene();
  readonly extras = new Extras();
  private steady: Layer[] = [];
  private readonly sources: LayerSources;
  private readonly rings = new AlarmRings();
  private marks: HTMLCanvasElement | null = null;
  private pulsing = false;
  private stood: { of: Tree[]; hidden: ReadonlySet<string>; trees: Tree[] } | null = null;
  private readonly lefts = new Map<string, { of: unknown; hidden: ReadonlySet<string>; left: unknown }>();
  private readonly labels = new LabelScene();
  private readonly tiles = new Map<string, CityTileLayer>();
  /** The last instances that deck.gl gave a state: it takes a frame until the newest have one. */
  private readonly stated = new Map<string, CityTileLayer>();

  constructor(
    private tokens: Tokens,
    private readonly changed: () => void,
    private readonly report: (layerId: string, phase: LayerPhase, detail: string) => void,
  ) {
    this.paint = new CityPaint(tokens, this.live);
    this.sources = new LayerSources(this.live, changed, report);
  }

  get specs(): LayerSpec[] {
    return this.sources.specs;
  }

  setSpecs(specs: LayerSpec[]): void {
    this.sources.setSpecs(specs);
  }

  get colourBy(): ColourBy {
    return this.paint.colourBy;
  }

  set colourBy(by: ColourBy) {
    this.paint.colourBy = by;
  }

  get motion(): Motion {
    return this.paint.motion;
  }

  set motion(motion: Motion) {
    this.paint.motion = motion;
  }

  set language(language: string) {
    this.sources.language = language;
  }

  setTokens(tokens: Tokens): void {
    this.tokens = tokens;
    this.marks = null;
    this.paint.setTokens(tokens);
  }

  setVisible(id: string, visible: boolean): void {
    this.sources.setVisible(id, visible);
  }

  isVisible(id: string): boolean {
    return this.sources.isVisible(id);
  }

  stop(): void {
    this.sources.stop();
  }

  /** True when nothing that is shown is still on its way. */
  get settled(): boolean {
    this.keepStated();
    const tiles = [...this.tiles].filter(([, layer]) => layer.props.visible).map(([id]) => this.stated.get(id));
    return !this.sources.waiting && !this.overlay.models.waiting && tiles.every((layer) => layer?.isSettled);
  }

  /** The layers show something that moves by itself: they are described anew for the next frame. */
  get moving(): boolean {
    return this.pulsing;
  }

  /** Tile content that the page holds now, buildings and ground: bytes of arrays, and of how many tiles. */
  get held(): { readonly bytes: number; readonly tiles: number } {
    this.keepStated();
    const all = [...this.stated.values()].map((layer) => layer.held);
    return { bytes: all.reduce((sum, one) => sum + one.bytes, 0), tiles: all.reduce((sum, one) => sum + one.tiles, 0) };
  }

  get relief(): Relief {
    return this.sources.relief;
  }

  /** The building layers as they are drawn now. */
  get tileLayers(): CityTileLayer[] {
    this.keepStated();
    return [...this.stated.values()].filter((t) => t.props.role === 'buildings');
  }

  private keepStated(): void {
    for (const [id, layer] of this.tiles) if (layer.state) this.stated.set(id, layer);
  }

  /** Shows other tiles, of the same address. */
  async renewTiles(): Promise<void> {
    await this.sources.renew();
    this.tileRevision++;
  }

  /** Asks again for a layer that failed. */
  retry(id: string): void {
    this.sources.retry(id);
  }

  relabel(): void {
    this.sources.relabel();
  }

  /** Place of a sensor, node, tree or the middle of a link; null when no layer holds it. */
  positionOf(id: string): Place | null {
    return this.sources.positionOf(id);
  }

  sensorsInView(viewport: WebMercatorViewport): FeatureInView[] {
    const out: FeatureInView[] = [];
    for (const s of this.specs) {
      if (s.role !== 'sensors' || !this.isVisible(s.id)) continue;
      for (const d of this.sources.sensorsOf(s.id)) {
        const [x = -1, y = -1] = viewport.project(d.position);
        if (x < 0 || y < 0 || x > viewport.width || y > viewport.height) continue;
        const properties = { ...d.stream } as unknown as Record<string, unknown>;
        out.push({ id: d.id, kind: 'sensor', layerId: s.id, lngLat: [d.position[0], d.position[1]], x, y, properties });
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

  /** Layers in painting order: ground and plane, networks on them, city, then marks and labels. */
  layers(v: SceneView): Layer[] {
    const ground: Layer[] = [];
    const flat: Layer[] = [];
    const city: Layer[] = [];
    const marks: Layer[] = [];
    const labels: LabelSource[] = [];
    const obstacles: Obstacle[] = [];
    this.keepStated();
    this.tiles.clear();
    this.live.commit();
    this.pulsing = false;
    const { relief } = this.sources;
    this.overlay.setRelief(relief);
    this.extras.setRelief(relief);
    this.paint.hidden = this.overlay.hidden;
    this.paint.comparing = this.overlay.comparing;
    for (const s of this.specs) {
      const l = this.sources.get(s.id);
      if (!l || l.phase === 'failed') continue;
      const minZoom = s.hints.min_zoom ?? DEFAULT_MIN_ZOOM[s.role] ?? 0;
      const visible = this.isVisible(s.id) && v.view.zoom >= minZoom;
      if (s.role === 'ground' && l.phase !== 'loading') ground.push(this.tileLayer(s, visible));
      else if (s.role === 'buildings' && l.phase !== 'loading') city.push(this.tileLayer(s, visible));
      else if (s.role === 'trees' && l.trees) city.push(treeLayer(s.id, this.standing(l.trees), this.tokens, visible));
      else if (s.role === 'network') {
        const input = this.networkInput(s.id, l, visible, v.view.zoom);
        flat.push(...networkLayers(input));
        if (input.nodes.length) marks.push(nodeLayer(input));
      } else if (s.role === 'sensors') marks.push(...this.sensors(s, visible, v, obstacles));
      else if (s.role === 'labels' && visible) labels.push(...(l.labels ?? []));
      else if (s.role === 'polygons' || s.role === 'lines') flat.push(plainLayer(s, l.features, relief, this.tokens, visible));
    }
    // The plane lies behind the ground in depth: drawn after it, only what is bare is shaded.
    const scheme = this.overlay.layers(this.paint, this.tokens, CONTACT);
    this.steady = [
      ...ground,
      this.plane(v.view),
      ...scheme.ground,
      ...flat,
      ...scheme.below,
      ...city,
      ...scheme.bodies,
      ...scheme.above,
      ...scheme.marks,
      ...this.extras.layers(this.tokens, this.paint.hoverId),
      ...marks,
      ...this.labels.layers(this.overlay.labels(labels), { viewport: v.viewport, zoom: v.view.zoom, frame: v.frame }, obstacles, { tiles: this.tileLayers, scheme: this.overlay.content, relief, tokens: this.tokens }),
    ];
    return this.withDraft(v);
  }

  /** The layers as they were last, under what is being drawn: one step of a pointer changes nothing else. */
  withDraft(v: Pick<SceneView, 'viewport'> & { metresPerPixel: number }): Layer[] {
    return [...this.steady, ...this.extras.draft.layers(this.tokens, v.viewport, v.metresPerPixel)];
  }

  /** Trees that a scheme leaves standing: the same list while they are the same. */
  private standing(trees: Tree[]): Tree[] {
    const { hidden } = this.overlay;
    if (this.stood?.of === trees && this.stood.hidden === hidden) return this.stood.trees;
    const left = hidden.size ? trees.filter((t) => !hidden.has(t.id)) : trees;
    this.stood = { of: trees, hidden, trees: left.length === trees.length ? trees : left };
    return this.stood.trees;
  }

  /** What a scheme leaves of a network: the same list while it is the same. */
  private left<T extends { feature: { id: string } }>(key: string, list: T[]): T[] {
    const { hidden } = this.overlay;
    const before = this.lefts.get(key);
    if (before?.of === list && before.hidden === hidden) return before.left as T[];
    const left = hidden.size ? list.filter((one) => !hidden.has(one.feature.id)) : list;
    const kept = left.length === list.length ? list : left;
    this.lefts.set(key, { of: list, hidden, left: kept });
    return kept;
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
      // A fragment is no part of what is asked for: tiles that stay are the ones that the browser has.
      data: this.tileRevision ? `${url}#${this.tileRevision}` : url,
      role,
      paint: role === 'ground' ? this.paint.groundPaint() : this.paint.buildings(),
      visible,
      pickable: role === 'buildings',
      extensions: CITY_EXTENSIONS,
      cityKind: role === 'ground' ? Kind.ground : Kind.building,
      // Everything is served uncompressed by this server: no worker and no decoder from elsewhere.
      loadOptions: {
        core: { worker: false },
        tileset: { throttleRequests: false, debounceTime: WALK_MS, maximumScreenSpaceError: role === 'buildings' ? (s.hints.screen_error_px ?? SCREEN_ERROR_PX.buildings) : SCREEN_ERROR_PX.ground, memoryAdjustedScreenSpaceError: false, maximumMemoryUsage: TILE_CACHE_MB[role], contentLoader: readerOf(role), modelMatrix: new Matrix4(this.sources.relief.lowering()) },
      } as never,
      onTilesetLoad: (tileset) => {
        refineBySight((tileset as unknown as { _traverser: Traverser })._traverser);
        this.sources.setPhase(s.id, 'ready');
      },
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
      links: this.left(`${id} links`, l.links ?? []),
      nodes: this.left(`${id} nodes`, l.nodes ?? []),
      visible,
      live: this.live,
      property: this.paint.liveProperty,
      range: this.paint.liveProperty === undefined ? null : this.paint.liveRange,
      tokens: this.tokens,
      selectedId: this.paint.selectedId,
      zoom,
      fade_ms: this.motion.slow_ms,
    };
  }

  private sensors(s: LayerSpec, visible: boolean, v: SceneView, obstacles: Obstacle[]): Layer[] {
    const sensors = this.sources.sensorsOf(s.id);
    const clusters = v.view.zoom < SENSOR_CLUSTER_ZOOM && v.viewport ? this.gathered(sensors, v.viewport) : null;
    if (visible && v.viewport) obstacles.push(...obstaclesOf(sensors, clusters, v.viewport));
    const now_ms = performance.now();
    if (visible) this.rings.update(sensors.filter((d) => this.live.state(d.stream) === 'out').map((d) => d.id), now_ms);
    this.pulsing ||= visible && !clusters && this.motion.rings && this.rings.moving(now_ms);
    this.marks ??= drawMarks(this.tokens);
    const { liveProperty, selectedId, hoverId } = this.paint;
    return sensorLayers({
      id: s.id,
      sensors,
      clusters,
      visible,
      live: this.live,
      property: liveProperty,
      range: liveProperty === undefined ? null : this.paint.liveRange,
      tokens: this.tokens,
      marks: this.marks,
      selectedId,
      hoverId,
      rings: this.motion.rings ? this.rings : null,
      now_ms,
      fade_ms: this.motion.slow_ms,
    });
  }

  private gathered(sensors: Sensor[], viewport: WebMercatorViewport): Cluster[] {
    return clusterPoints(
      sensors.map((d) => {
        const [x = 0, y = 0] = viewport.project(d.position);
        return { id: d.id, x, y, lngLat: d.position, level: LEVEL[this.live.state(d.stream)] };
      }),
    );
  }
}

/** What the marks of sensors cover on the screen. */
function obstaclesOf(sensors: Sensor[], clusters: Cluster[] | null, viewport: WebMercatorViewport): Obstacle[] {
  if (clusters) return clusters.map(({ x, y }) => ({ x, y, radius: CLUSTER_ROOM_PX }));
  return sensors.map((d) => {
    const [x = 0, y = 0] = viewport.project(d.position);
    return { x, y, radius: MARK_ROOM_PX };
  });
}
