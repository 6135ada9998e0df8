/** The map of the city as it is: camera, layers, live values, picks. `CityMap` adds what schemes need. */
import type { Deck, MapView, PickingInfo, WebMercatorViewport } from '@deck.gl/core';
import type {
  CityMapOptions,
  ColourBy,
  Datastream,
  FeatureInView,
  LiveValue,
  PickInfo,
  Quality,
  SunDirection,
  Theme,
  ViewState,
} from './types';
import { CONTEXT_LOST } from './types';
import { Tokens } from './tokens';
import { clampView, Flight, sameView, parseDuration, PITCH_MAX, reducedMotion, ZOOM_MAX, ZOOM_MIN } from './camera';
import { createCanvas, createDeck, isDue, pixelRatio, showLayers } from './deck-view';
import { motionOf } from './motion';
import { CityEffect, DEFAULT_SUN } from './shading/effect';
import { legendFor, type Legend } from './palette';
import { readSpec } from './spec';
import { Scene } from './scene';
import { toPickInfo } from './picking';
import { objectsInView, positionOfObject } from './locate';
import { composeImage } from './export-image';
import { PointerWatch } from './pointer';
import { Cadence } from './cadence';
import { IdleWatch } from './idle-watch';
import type { Frame } from './labels';

const START: ViewState = { longitude: 0, latitude: 0, zoom: 16, pitch: 50, bearing: 18 };
const METRES_PER_DEGREE = 111_320;
/** Layers are looked at again this often while the camera moves. */
const REFRESH_MS = 120;
const PICK_RADIUS_PX = 4;
/** How far the ground steps back while buildings carry a data colour. */
const QUIET = 0.35;
const SETTLE_FRAMES = 4;
/** The camera counts as moving for this long after its last step. */
const MOVING_MS = 180;

export class MapBase {
  protected readonly deck: Deck<MapView>;
  protected readonly scene: Scene;
  protected readonly effect: CityEffect;
  protected readonly flight: Flight;
  protected readonly canvas: HTMLCanvasElement;
  protected quality: Quality;
  protected tokens: Tokens;
  protected view: ViewState = START;
  protected bbox: [number, number, number, number] | null = null;
  protected padding: Frame['padding'] = { left: 0, right: 0, top: 0, bottom: 0 };
  protected readonly pointer: PointerWatch;
  protected readonly cadence = new Cadence(() => this.refresh());
  protected hovered: string | null = null;
  /** The cursor of a tool in hand. */
  protected cursor: string | null = null;
  protected moved_ms = 0;
  protected refreshTimer = 0;
  protected refreshFrame = 0;
  protected readonly idle = new IdleWatch(
    () => !this.refreshFrame && !this.refreshTimer && !this.flight.active && !this.effect.settling && !isDue(this.deck) && this.scene.settled,
    () => this.options.onIdle?.(),
  );
  protected repaint = false;
  protected closed = false;

  constructor(
    protected readonly container: HTMLElement,
    protected readonly options: CityMapOptions = {},
  ) {
    this.tokens = Tokens.of(container);
    const theme = options.theme ?? 'light';
    this.quality = options.quality ?? (new URLSearchParams(location.search).get('quality') === 'fast' ? 'fast' : 'full');
    this.effect = new CityEffect([0, 0], this.tokens, theme, this.quality);
    this.scene = new Scene(
      this.tokens,
      () => this.refresh(),
      (id, phase, detail) => options.onLayerState?.(id, phase, detail),
    );
    this.scene.language = options.language ?? 'en';
    this.scene.motion = motionOf(this.tokens, this.quality);
    this.flight = new Flight((view) => this.applyView(view));
    this.canvas = createCanvas(container);
    this.canvas.addEventListener('webglcontextlost', () => {
      if (!this.closed) options.onLayerState?.('map', 'failed', CONTEXT_LOST);
    });
    this.setLabel(options.label ?? 'City map');
    this.deck = this.createDeck();
    this.pointer = new PointerWatch(this.canvas, {
      tap: (x, y) => this.options.onPick?.(this.pickAt(x, y)),
      hover: (at) => this.hoverAt(at),
      moving: () => this.flight.active || performance.now() - this.moved_ms < MOVING_MS,
    });
    this.paintBackground();
  }

  protected createDeck(): Deck<MapView> {
    return createDeck(this.canvas, this.effect, this.view, this.quality, {
      moved: (view) => {
        this.flight.stop();
        this.applyView(view);
      },
      refresh: () => this.refresh(),
      beforeRender: () => this.cadence.begin(),
      afterRender: () => this.afterRender(),
      failed: (message) => this.options.onLayerState?.('map', 'failed', message),
      cursor: () => this.cursor ?? (this.hovered === null ? 'grab' : 'pointer'),
    });
  }

  /** Takes a pydeck spec. Throws `SpecError` and changes nothing when the spec is refused. */
  setSpec(spec: object): void {
    const read = readSpec(spec);
    this.scene.setSpecs(read.layers);
    const first = this.view === START;
    const view = { ...this.view, ...read.view };
    this.effect.setOrigin([view.longitude, view.latitude]);
    if (read.bbox) this.setCityBounds(read.bbox, [view.longitude, view.latitude]);
    if (first) this.applyView(view);
    this.refresh();
  }

  /** The surveyed rectangle, degrees: the ground melts away at its border and the camera stays near it. */
  setCityBounds(bbox: [number, number, number, number], origin?: [number, number]): void {
    this.bbox = bbox;
    const at = origin ?? [(bbox[0] + bbox[2]) / 2, (bbox[1] + bbox[3]) / 2];
    this.effect.setOrigin(at);
    const ky = METRES_PER_DEGREE;
    const kx = ky * Math.cos((at[1] * Math.PI) / 180);
    this.effect.bounds = [(bbox[0] - at[0]) * kx, (bbox[1] - at[1]) * ky, (bbox[2] - at[0]) * kx, (bbox[3] - at[1]) * ky];
    this.refresh(true);
  }

  setView(view: Partial<ViewState>, animate = false): void {
    const to = clampView({ ...this.view, ...view }, this.bbox);
    // Two maps that follow each other come to rest: the view that is there already is no change.
    if (!this.flight.active && sameView(to, this.view)) return;
    const span = animate && !reducedMotion() ? parseDuration(this.tokens.text('motion-camera'), 900) : 0;
    if (span > 0) this.flight.start(this.view, to, span);
    else {
      this.flight.stop();
      this.applyView(to);
    }
  }

  getView(): ViewState {
    return { ...this.view };
  }

  /** Brings a place to the middle of what the panels leave free. */
  centreOn(lngLat: readonly [number, number], zoom: number, animate = false): void {
    const { left, right, top, bottom } = this.padding;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const [longitude, latitude] = lngLat;
    const to = clampView({ ...this.view, longitude, latitude, zoom }, null);
    const there = this.deck.isInitialized && this.deck.getViews()[0]?.makeViewport({ width, height, viewState: to as never });
    const middle = [(left + width - right) / 2, (top + height - bottom) / 2];
    const shifted = there ? (there as WebMercatorViewport).panByPosition([longitude, latitude], middle) : {};
    this.setView({ ...to, ...shifted }, animate);
  }

  /** Reads every colour again; the caller has set the theme on the page before. */
  setTheme(theme: Theme): void {
    this.tokens = Tokens.of(this.container);
    this.effect.setTheme(this.tokens, theme);
    this.scene.setTokens(this.tokens);
    this.scene.motion = motionOf(this.tokens, this.quality);
    this.refresh(true);
  }

  /** Null puts the sun back where the drawings have it. */
  setSun(sun: SunDirection | null): void {
    this.effect.sun = sun ?? DEFAULT_SUN;
    this.refresh(true);
  }

  setColourBy(colourBy: ColourBy): void {
    this.scene.colourBy = colourBy;
    this.quieten();
  }

  /** The ground goes a step quieter while buildings carry colours that say something. */
  protected quieten(): void {
    const { overlay, paint, colourBy } = this.scene;
    this.effect.quiet = overlay.comparing || paint.sunHours || colourBy ? QUIET : 0;
    this.refresh(true);
  }

  /** Swatches and steps of a colouring, by default of the one that is on. */
  legendFor(colourBy: ColourBy = this.scene.colourBy): Legend | null {
    if (colourBy?.attribute !== 'live') return legendFor(colourBy, this.tokens);
    const property = colourBy.observed_property;
    const one = [...this.scene.live.all()].find((d) => property === undefined || d.observed_property === property);
    const before = this.scene.colourBy;
    this.scene.colourBy = colourBy;
    const range = this.scene.paint.liveRange;
    this.scene.colourBy = before;
    return legendFor(colourBy, this.tokens, range, one?.unit ?? null);
  }

  select(id: string | null): void {
    if (this.scene.paint.selectedId === id) return;
    this.scene.paint.selectedId = id;
    this.refresh();
  }

  hover(id: string | null): void {
    if (this.scene.paint.hoverId === id) return;
    this.scene.paint.hoverId = id;
    this.refresh();
  }

  setLayerVisible(layerId: string, visible: boolean): void {
    this.scene.setVisible(layerId, visible);
  }

  /** Loads a layer that failed once more. */
  retryLayer(layerId: string): void {
    this.scene.retry(layerId);
  }

  setDatastreams(list: Iterable<Datastream>): void {
    this.scene.live.setDatastreams(list);
    this.refresh();
  }

  setLive(values: Iterable<LiveValue>): void {
    const { viewport, scene } = this;
    if (scene.live.set(values, (d) => scene.isDrawn(d, viewport, this.view.zoom))) this.cadence.ask();
  }

  /** Holds the map's live colours still, for a picture; the values go on. */
  pauseLive(on: boolean): void {
    this.cadence.pause(on);
  }

  setLanguage(language: 'en' | 'zh'): void {
    this.scene.language = language;
    this.scene.relabel();
  }

  /** Space taken by panels, CSS pixels: labels keep out of it. */
  setPadding(padding: Partial<Frame['padding']>): void {
    this.padding = { ...this.padding, ...padding };
    this.refresh();
  }

  setLabel(label: string): void {
    this.canvas.setAttribute('aria-label', label);
  }

  project(lngLat: [number, number], height_m = 0): [number, number] {
    const [x = 0, y = 0] = this.viewport?.project([lngLat[0], lngLat[1], this.scene.relief.at(lngLat) + height_m]) ?? [];
    return [x, y];
  }

  /** Longitude and latitude of the ground under a screen point. */
  unproject(x: number, y: number): [number, number] | null {
    const { viewport } = this;
    return viewport && this.scene.relief.under((height_m) => {
      const [lon, lat] = viewport.unproject([x, y], { targetZ: height_m });
      return lon === undefined || lat === undefined ? null : [lon, lat];
    });
  }

  pickAt(x: number, y: number): PickInfo | null {
    return this.deck.isInitialized ? this.read(this.deck.pickObject({ x, y, radius: PICK_RADIUS_PX })) : null;
  }

  /** Screen point of an object's roof, a sensor, node, link or tree; null while it is not loaded. */
  screenPositionOf(id: string): [number, number] | null {
    const { viewport, scene } = this;
    if (!viewport) return null;
    const at = scene.overlay.positionOf(id) ?? positionOfObject(scene.tileLayers, viewport, id) ?? scene.positionOf(id);
    if (!at) return null;
    const [x = 0, y = 0] = viewport.project(at);
    return [x, y];
  }

  /** Objects of the loaded tiles, and sensors, whose place is on the screen; top left first. */
  featuresInView(): FeatureInView[] {
    const { viewport, scene } = this;
    if (!viewport) return [];
    const all = scene.isVisible('buildings') ? objectsInView(scene.tileLayers, viewport) : [];
    const objects = all.filter((f) => !scene.overlay.hidden.has(f.id));
    return [...scene.overlay.inView(viewport), ...objects, ...scene.sensorsInView(viewport)].sort((a, b) => a.y - b.y || a.x - b.x);
  }

  reloadTiles(): void {
    void this.scene.renewTiles().then(() => this.refresh());
  }

  setQuality(quality: Quality): void {
    this.quality = quality;
    this.scene.motion = motionOf(this.tokens, quality);
    this.effect.setQuality(quality);
    this.deck.setProps({ useDevicePixels: pixelRatio(quality) });
    this.refresh(true);
  }

  /** The view as a PNG; the lines of the caption (attribution, "generated") are written into it with the scale. */
  async toImage(caption: string[] = []): Promise<Blob> {
    // The shadow map takes a few frames to stand after a change.
    for (let i = 0; i === 0 || (i < SETTLE_FRAMES && this.effect.settling); i++) this.deck.redraw('image');
    // Same task as the redraw: the drawing buffer is gone afterwards.
    return composeImage(this.canvas, this.tokens, caption, this.metresPerPixel());
  }

  /** Metres a CSS pixel covers at the middle of the screen. */
  metresPerPixel(): number {
    return (METRES_PER_DEGREE * 360 * Math.cos((this.view.latitude * Math.PI) / 180)) / (512 * 2 ** this.view.zoom);
  }

  /** All that is shown is loaded and drawn, and nothing moves. */
  get isIdle(): boolean {
    return this.idle.isIdle;
  }

  /** Frames' shadow maps drawn so far; for tests. */
  get shadowRenders(): number {
    return this.effect.shadowRenders;
  }

  finalize(): void {
    this.closed = true;
    this.flight.stop();
    this.pointer.stop();
    this.cadence.stop();
    clearTimeout(this.refreshTimer);
    this.idle.stop();
    cancelAnimationFrame(this.refreshFrame);
    this.scene.stop();
    this.deck.finalize();
    this.canvas.remove();
  }

  protected get viewport(): WebMercatorViewport | null {
    return this.deck.isInitialized ? ((this.deck.getViewports()[0] as WebMercatorViewport | undefined) ?? null) : null;
  }

  protected read(info: PickingInfo | null): PickInfo | null {
    const pick = toPickInfo(info, this.scene.specs, this.scene.overlay);
    const at = pick && this.unproject(pick.x, pick.y);
    return pick && at ? { ...pick, lngLat: at } : pick;
  }

  protected hoverAt(at: readonly [number, number] | null): void {
    const pick = at ? this.pickAt(at[0], at[1]) : null;
    const id = pick?.id ?? null;
    if (id === this.hovered) return;
    this.hovered = id;
    this.options.onHover?.(pick);
  }

  protected applyView(view: ViewState): void {
    const { longitude, latitude, zoom, pitch, bearing } = clampView(view, this.bbox);
    this.view = { longitude, latitude, zoom, pitch, bearing };
    this.moved_ms = performance.now();
    const limits = { minZoom: ZOOM_MIN, maxZoom: ZOOM_MAX, maxPitch: PITCH_MAX, minPitch: 0 };
    this.deck.setProps({ viewState: { ...this.view, ...limits } as never });
    this.options.onViewChange?.(this.getView());
    this.idle.stir();
    // Labels and counts follow the camera a few times a second; the frame itself needs no new layers.
    this.refreshTimer ||= window.setTimeout(() => {
      this.refreshTimer = 0;
      this.refresh();
    }, REFRESH_MS);
  }

  /** Describes the layers anew, at most once a frame; deck.gl finds out what changed. */
  protected refresh(light = false): void {
    this.idle.stir();
    // deck.gl draws again by itself when layers changed; a change of light it cannot see.
    this.repaint ||= light;
    if (this.closed || this.refreshFrame) return;
    this.refreshFrame = requestAnimationFrame(() => {
      this.refreshFrame = 0;
      if (this.closed) return;
      const frame: Frame = { width: this.canvas.clientWidth, height: this.canvas.clientHeight, padding: this.padding };
      showLayers(this.deck, this.scene.layers({ metresPerPixel: this.metresPerPixel(), view: this.view, viewport: this.viewport, frame }));
      if (!this.repaint) return;
      this.repaint = false;
      this.deck.redraw('light');
    });
  }

  protected paintBackground(): void {
    this.container.style.backgroundColor = 'var(--map-sky)';
  }

  protected afterRender(): void {
    this.cadence.end();
    if (this.scene.moving) this.refresh();
    this.idle.watch();
  }
}
