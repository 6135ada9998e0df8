/**
 * What happens on the Explore page: reads the city, keeps map, link and state in step, and carries
 * out what a person asks for. The only place of the page that talks to the server and to the map.
 */
import { setLang, t, word, type Lang } from '../i18n/index';
import { LiveSocket } from '../live/socket';
import type { LiveState } from '../live/machine';
import { CONTEXT_LOST, type LiveValue, type SunDirection } from '../map/types';
import type { ColourBy, MapFactory, MapPort, PickInfo } from '../ui/map-port';
import { codeOf, wasAborted, type Api } from './api';
import { isSchemeObject } from '../scheme/show-state';
import { Camera, Walker } from './camera';
import { DayPlayer } from './day-player';
import { isStale, layerRows, linkOf, streamOf, TOPICS, type ExploreState, type SheetStop, type SheetTab } from './explore-state';
import { failed, idle, loading, ready, valueOf, type City } from './model';
import { rememberInView } from './in-view';
import { Store } from './store';
import { writeLink, type ColourAttribute, type Link, type Selection, type SunTime, type View } from './url';
import { instantOf, knownZone, wallOf } from './zone';

export interface SunMath {
  direction(at: Date, longitude: number, latitude: number): SunDirection;
  times(at: Date, longitude: number, latitude: number): { readonly sunrise: Date | null; readonly noon: Date; readonly sunset: Date | null };
}

const RETRY_MS = 3_000;
const LINK_EVERY_MS = 400;
const VIEW_EVERY_MS = 100;

export class Explore {
  readonly store: Store<ExploreState>;
  map: MapPort | null = null;
  private live: LiveSocket | null = null;
  private timers: ReturnType<typeof setInterval>[] = [];
  private readonly silent = new Set<string>();
  private objectAsked: AbortController | null = null;
  private linkTimer: ReturnType<typeof setTimeout> | null = null;
  private langChosen: boolean;
  /** Whether the link selects something and says no view: the map goes there once both are known. */
  private seeking = false;
  private viewTimer: ReturnType<typeof setTimeout> | null = null;
  /** What else a link of this page carries. */
  linkMore: () => Partial<Link> = () => ({});
  /** Told that the server is another run of itself: what was read is to be read again. */
  onEpoch: () => void = () => undefined;
  readonly camera = new Camera(() => this.map);
  readonly walker = new Walker(() => this.map, (text) => this.speak(text));
  readonly day = new DayPlayer({
    sun: () => this.state.sun,
    setSun: (sun) => this.setSun(sun),
    today: () => wallOf(new Date(), knownZone(valueOf(this.state.city)?.time_zone ?? 'UTC')).date,
    isPlaying: () => this.state.playing,
    setPlaying: (playing) => this.store.set({ playing }),
  });

  constructor(state: ExploreState, private readonly api: Api, readonly sun: SunMath, private readonly liveAddress: string, langChosen: boolean) {
    this.store = new Store(state);
    this.langChosen = langChosen;
    this.store.subscribe((now, before) => this.follow(now, before));
  }

  get state(): ExploreState {
    return this.store.get();
  }

  /** Begin: draw the map into the container, read the city, open the live feed. */
  start(container: HTMLElement, createMap: MapFactory): void {
    try {
      this.map = createMap(container, {
        onPick: (info) => this.picked(info),
        onHover: (info) => this.map?.hover(info?.kind === 'object' ? info.id : null),
        onViewChange: () => this.viewMoved(),
        onIdle: () => undefined,
        onLayerState: (id, phase, detail) => this.store.set(detail === CONTEXT_LOST ? { mapFailed: 'lost' } : { layers: this.state.layers.map((row) => (row.id === id ? { ...row, phase, detail } : row)) }),
      }, { theme: this.state.theme, language: this.state.lang });
      if (this.state.view) this.map.setView(this.state.view, false);
      else this.seeking = this.state.selection?.kind === 'object';
      this.map.setTheme(this.state.theme);
    } catch {
      this.store.set({ mapFailed: 'start' });
    }
    this.timers.push(setInterval(() => this.tick(), 1_000));
    void this.readCity();
    void this.readView();
    void this.readStreams();
    if (this.state.selection) this.showSelection(this.state.selection);
    this.live = new LiveSocket(this.liveAddress, TOPICS, {
      onState: (state, ids) => this.heard(state, ids),
      onItems: () => undefined,
      onEvent: (topic, event) => { if (topic === 'tiles' && schemeOf(event) === 'base') void this.tilesChanged(); },
      onEpoch: () => void this.readAgain(),
    });
    this.live.start();
  }

  /** Once a second: ages go on, and a sensor that fell silent is shown so. */
  private tick(): void {
    const now_ms = Date.now();
    this.store.set({ now_ms });
    const silent: LiveValue[] = [];
    for (const { id, period_s } of valueOf(this.state.streams) ?? []) {
      const value = this.state.live.values.get(id);
      if (!value || this.silent.has(id) || !isStale(value.received_ms, now_ms, period_s)) continue;
      this.silent.add(id);
      silent.push({ ...value, stale: true });
    }
    if (silent.length > 0) this.map?.setLive(silent);
  }

  /** The camera moves with every frame; the page need not. */
  private viewMoved(): void {
    this.viewTimer ??= setTimeout(() => {
      this.viewTimer = null;
      if (this.map) this.store.set({ view: this.map.getView() });
    }, VIEW_EVERY_MS);
  }

  stop(): void {
    this.day.play(false);
    this.live?.stop();
    for (const timer of this.timers) clearInterval(timer);
    this.map?.finalize();
    this.map = null;
  }

  // --- reading -------------------------------------------------------------

  async readCity(): Promise<void> {
    try {
      this.store.set({ city: ready(await this.api.city()) });
      this.lightUp();
    } catch (error) {
      if (this.state.city.state !== 'ready') this.store.set({ city: failed(codeOf(error)) });
      setTimeout(() => void this.readCity(), RETRY_MS);
    }
  }

  async readView(): Promise<void> {
    if (this.state.spec.state !== 'ready') this.store.set({ spec: loading });
    try {
      const spec = await this.api.view('explore');
      this.store.set({ spec: ready(spec), layers: layerRows(spec, this.state.layerChoices, this.state.layers) });
      this.map?.setSpec(spec);
      for (const row of this.state.layers) this.map?.setLayerVisible(row.id, row.visible);
      this.colourMap();
      this.seek();
    } catch (error) {
      if (this.state.spec.state !== 'ready') this.store.set({ spec: failed(codeOf(error)) });
      setTimeout(() => { if (this.state.spec.state === 'failed') void this.readView(); }, RETRY_MS);
    }
  }

  async readStreams(): Promise<void> {
    try {
      const streams = await this.api.datastreams();
      this.store.set({ streams: ready(streams) });
      this.map?.setDatastreams(streams);
      this.colourMap();
      const stream = streamOf(this.state.selection, streams);
      if (stream) void this.readHistory(stream.id);
    } catch (error) {
      if (this.state.streams.state !== 'ready') this.store.set({ streams: failed(codeOf(error)) });
      setTimeout(() => { if (this.state.streams.state === 'failed') void this.readStreams(); }, RETRY_MS);
    }
  }

  /** Another run of the server: everything that was read from the last one is read again. */
  private async readAgain(): Promise<void> {
    this.onEpoch();
    await Promise.all([this.readCity(), this.readView(), this.readStreams(), this.tilesChanged()]);
    if (this.state.selection?.kind === 'object') void this.readObject(this.state.selection.id);
  }

  private async tilesChanged(): Promise<void> {
    await this.readCity();
    this.map?.reloadTiles();
    const city = valueOf(this.state.city);
    if (city) this.say(t('map.reloaded', { n: city.baseline_version }));
  }

  async readObject(id: string): Promise<void> {
    this.objectAsked?.abort();
    const asked = new AbortController();
    this.objectAsked = asked;
    this.store.set({ object: loading });
    try {
      const object = await this.api.object(id, asked.signal);
      this.store.set({ object: ready(object) });
      this.seek();
      for (const stream of object.datastreams) void this.readHistory(stream.id);
      this.speak(t('map.selected', { name: object.name ?? word('type', object.type) }));
    } catch (error) {
      if (!wasAborted(error)) this.store.set({ object: failed(codeOf(error)) });
    }
  }

  async readHistory(id: string): Promise<void> {
    const put = (value: ExploreState['histories'][string]): void => this.store.set({ histories: { ...this.state.histories, [id]: value } });
    const before = this.state.histories[id];
    if (before?.state !== 'ready') put(loading);
    const stream = valueOf(this.state.streams)?.find((s) => s.id === id) ?? valueOf(this.state.object)?.datastreams.find((s) => s.id === id);
    const last = this.state.live.values.get(id)?.t ?? stream?.latest?.phenomenon_time;
    const to = last ? Date.parse(last) : Date.now();
    try {
      put(ready(await this.api.observations(id, new Date(to - this.state.hours * 3_600_000).toISOString(), new Date(to + 60_000).toISOString())));
    } catch (error) {
      put(failed(codeOf(error)));
    }
  }

  // --- live ----------------------------------------------------------------

  private heard(state: LiveState, ids: readonly string[]): void {
    const before = this.state.live.status;
    this.store.set({ live: state });
    for (const id of ids) this.silent.delete(id);
    if (ids.length > 0) this.map?.setLive(ids.flatMap((id) => state.values.get(id) ?? []));
    if (before === 'live' && (state.status === 'reconnecting' || state.status === 'offline')) this.say(t('live.lost'));
    if ((before === 'reconnecting' || before === 'offline') && state.status === 'live') this.say(t('live.back'));
  }

  // --- what a person does --------------------------------------------------

  select(selection: Selection | null, picked: Readonly<Record<string, unknown>> | null = null): void {
    this.store.set({ selection, picked, object: idle, openFacts: new Set(), allFacts: false, tab: 'details', rightOpen: true, ...(selection && this.state.sheet === 'peek' ? { sheet: 'half' as const } : {}) });
    this.showSelection(selection);
  }

  private showSelection(selection: Selection | null): void {
    this.map?.select(selection?.id ?? null);
    if (selection?.kind === 'object' && !isSchemeObject(selection.id)) void this.readObject(selection.id);
    else {
      this.objectAsked?.abort();
      const stream = streamOf(selection, valueOf(this.state.streams) ?? []);
      if (stream) void this.readHistory(stream.id);
    }
  }

  private picked(info: PickInfo | null): void {
    this.walker.end();
    if (!info) this.select(null);
    else if (info.kind === 'object') this.select({ kind: 'object', id: info.id }, info.properties);
    else if (info.kind === 'sensor') this.select({ kind: 'datastream', id: info.datastreamId ?? info.id }, info.properties);
    else if (info.kind === 'link' || info.kind === 'node') {
      const network = String(info.properties['network_id'] ?? 'network');
      this.select({ kind: 'element', network, id: String(info.properties['element_id'] ?? info.id) }, info.properties);
    }
  }

  private seek(): void {
    if (!this.seeking || this.state.spec.state !== 'ready' || this.state.object.state !== 'ready') return;
    this.seeking = false;
    this.zoomToSelection();
  }

  zoomToSelection(): void {
    const object = valueOf(this.state.object);
    const stream = streamOf(this.state.selection, valueOf(this.state.streams) ?? []);
    const at = object?.centroid ?? stream?.location;
    if (at) this.camera.zoomTo(at[0], at[1]);
  }

  /** The city as the specification first shows it. */
  home(): void {
    const first = valueOf(this.state.spec)?.initialViewState as Partial<View> | undefined;
    const city = valueOf(this.state.city);
    if (first) this.map?.setView(first, true);
    else if (city) this.map?.setView({ longitude: city.origin.lon, latitude: city.origin.lat, bearing: 0 }, true);
  }

  setLayer(id: string, visible: boolean): void {
    this.store.set({ layerChoices: { ...this.state.layerChoices, [id]: visible }, layers: this.state.layers.map((row) => (row.id === id ? { ...row, visible } : row)) });
    this.map?.setLayerVisible(id, visible);
  }

  retryLayer(id: string): void {
    this.store.set({ layers: this.state.layers.map((row) => (row.id === id ? { ...row, phase: 'loading' } : row)) });
    this.map?.retryLayer(id);
  }

  setColour(attribute: ColourAttribute | null): void {
    this.store.set({ colourBy: attribute });
    this.colourMap();
  }

  private colourMap(): void {
    this.map?.setColourBy(this.state.colourBy ? this.colourOf(this.state.colourBy) : null);
  }

  /** The property that most sensors on buildings observe; live colour shows that one. */
  liveProperty(): string | undefined {
    const counts = new Map<string, number>();
    for (const s of valueOf(this.state.streams) ?? []) if (s.object_id) counts.set(s.observed_property, (counts.get(s.observed_property) ?? 0) + 1);
    return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
  }

  colourOf(attribute: ColourAttribute): NonNullable<ColourBy> {
    const property = this.liveProperty();
    return attribute === 'live' ? { attribute, ...(property ? { observed_property: property } : {}) } : { attribute };
  }

  setSun(sun: SunTime | null): void {
    this.store.set({ sun, ...(sun ? {} : { playing: false }) });
    this.lightUp();
  }

  private lightUp(): void {
    const { sun } = this.state;
    const city = valueOf(this.state.city);
    this.map?.setSun(sun && city ? this.sunAt(city, sun) : null);
  }

  sunAt(city: City, sun: SunTime): SunDirection {
    return this.sun.direction(instantOf(sun.date, sun.minutes, knownZone(city.time_zone)), city.origin.lon, city.origin.lat);
  }

  setLanguage(next: Lang): void {
    this.langChosen = true;
    setLang(next);
    this.store.set({ lang: next });
  }

  setTheme(theme: ExploreState['theme']): void {
    this.store.set({ theme, themeChosen: true });
  }

  setHours(hours: number): void {
    this.store.set({ hours });
    for (const id of Object.keys(this.state.histories)) void this.readHistory(id);
  }

  toggleFact(name: string): void {
    const open = new Set(this.state.openFacts);
    if (!open.delete(name)) open.add(name);
    this.store.set({ openFacts: open });
  }

  setSheet(sheet: SheetStop, tab?: SheetTab): void {
    this.store.set({ sheet, ...(tab ? { tab } : {}) });
  }

  takeWalked(): void {
    const feature = this.walker.current();
    if (feature) this.select({ kind: 'object', id: feature.id }, feature.properties);
  }

  // --- links ---------------------------------------------------------------

  link(page: string): string {
    const query = writeLink({ ...linkOf(this.state, { lang: this.langChosen }), ...this.linkMore() });
    return `${page}${query ? `?${query}` : ''}`;
  }

  /** The same set as a table: what is in view goes along. */
  openTable(): void {
    const features = (this.map?.featuresInView() ?? []).filter((f) => f.kind === 'object');
    location.assign(rememberInView(this.link('/table'), features));
  }

  async share(): Promise<void> {
    history.replaceState(null, '', this.link(location.pathname));
    try {
      await navigator.clipboard.writeText(location.href);
      this.say(t('bar.share.copied'));
    } catch {
      this.say(t('bar.share.failed'));
    }
  }

  /** Say something once, where a person reads it and where a screen reader hears it. */
  say(notice: string): void {
    this.store.set({ notice, spoken: notice });
  }

  private speak(spoken: string): void {
    this.store.set({ spoken });
  }

  private follow(now: ExploreState, before: ExploreState): void {
    if (now.theme !== before.theme) this.map?.setTheme(now.theme);
    if (now.lang !== before.lang) this.map?.setLanguage(now.lang);
    const keys = ['view', 'layerChoices', 'colourBy', 'selection', 'sun', 'lang', 'theme'] as const;
    if (!keys.every((key) => Object.is(now[key], before[key]))) this.relink();
  }

  /** The address follows what is shown, a few times a second at most. */
  relink(): void {
    this.linkTimer ??= setTimeout(() => {
      this.linkTimer = null;
      if (!this.state.playing) history.replaceState(null, '', this.link(location.pathname));
    }, LINK_EVERY_MS);
  }
}

/** The scheme whose tiles an event of the tiles' topic is about. */
function schemeOf(event: unknown): string {
  return (event as { data?: { scheme?: string } }).data?.scheme ?? 'base';
}
