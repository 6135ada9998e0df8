/**
 * What happens with schemes on the public page: reads what is published, draws what is compared,
 * keeps link and map in step. It talks to the server and to the pair of maps; panels read its store.
 */
import { codeOf } from '../state/api';
import type { Explore } from '../state/explore';
import { failed, ready, valueOf, type Loadable } from '../state/model';
import { Store } from '../state/store';
import type { View } from '../state/url';
import { knownZone } from '../state/zone';
import type { SchemeApi } from './api';
import { fit, type Box } from './area';
import type { PairedMap } from './paired-map';
import type { CompareMode } from './panes';
import { againstOf, chosen, impactKey, objectsKey, offered, overlayOf, schemeLink, schemeOf, settled, spokenOf, type ShowState } from './show-state';
import { step, stopTime, sunOf, viewOf } from './tour';
import { BASE, type Change } from './types';

const AGAIN_MS = 2_000;
const RETRY_MS = 5_000;
const AGAIN_MAX = 60;

/** A view is composed for about this width; a narrower one stands further back. */
const COMPOSED_PX = 560;
const BACK_MAX = 1.2;
const FIRST_FRAME_MS = 100;
const FIRST_FRAME_TRIES = 150;

const narrower = (width: number): number => Math.max(-BACK_MAX, Math.min(0, Math.log2(Math.max(1, width) / COMPOSED_PX)));

type Reader = Pick<SchemeApi, 'schemes' | 'objects' | 'impact' | 'light'>;

export class SchemeShow {
  readonly store: Store<ShowState>;
  pair: PairedMap | null = null;
  /** Whether the first view is the page's own: then it turns to what is compared. */
  private turned: boolean;
  private tourTimer: ReturnType<typeof setTimeout> | null = null;
  private drawnSides: readonly unknown[] = [];
  private readonly asked = new Set<string>();

  constructor(state: ShowState, private readonly api: Reader, private readonly page: Explore) {
    this.store = new Store(state);
    this.turned = page.state.view !== null;
    page.linkMore = () => {
      const schemes = schemeLink(this.state);
      return schemes ? { schemes } : {};
    };
    page.onEpoch = () => this.readAgain();
    this.store.subscribe((now, before) => this.follow(now, before));
  }

  get state(): ShowState {
    return this.store.get();
  }

  /** Begin: the maps are there. */
  start(pair: PairedMap | null): void {
    this.pair = pair;
    void this.read();
    document.addEventListener('visibilitychange', this.seen);
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.seen);
    if (this.tourTimer) clearTimeout(this.tourTimer);
  }

  private readonly seen = (): void => {
    if (!document.hidden) void this.read();
  };

  readAgain(): void {
    this.asked.clear();
    this.store.set({ objects: {}, impact: {}, light: {} });
    void this.read();
  }

  // --- reading -------------------------------------------------------------

  async read(): Promise<void> {
    try {
      const before = valueOf(this.state.schemes);
      const list = offered(await this.api.schemes());
      // What was published anew is read anew; what stands as it was is kept.
      if (before && JSON.stringify(before) === JSON.stringify(list)) return this.need();
      if (before) {
        this.asked.clear();
        this.store.set({ objects: {}, impact: {}, light: {} });
      }
      this.store.set({ schemes: ready(list), ...settled(this.state, list) });
      this.need();
      this.turnOnce();
      if (this.state.tour) this.show(this.state.tour.stop);
    } catch (error) {
      if (this.state.schemes.state !== 'ready') this.store.set({ schemes: failed(codeOf(error)) });
      setTimeout(() => void this.read(), RETRY_MS);
    }
  }

  /** Asks for all that is to be shown and is not known yet. */
  private need(): void {
    const { state } = this;
    const list = valueOf(state.schemes) ?? [];
    for (const scheme of list) {
      this.readObjects(scheme.id, null);
      if (state.phase !== null && (scheme.id === state.left || scheme.id === state.right)) this.readObjects(scheme.id, state.phase);
      this.readImpact(scheme.id, BASE);
    }
    const spoken = spokenOf(state);
    if (spoken && spoken.against !== BASE) this.readImpact(spoken.scheme.id, spoken.against);
    if (spoken && this.page.state.selection?.kind === 'object') this.readLight(spoken.scheme.id);
  }

  private readObjects(id: string, phase: number | null): void {
    const key = objectsKey(id, phase);
    void this.once(`objects ${key}`, () => this.api.objects(id, phase === null ? {} : { phase }), (value) => this.store.set({ objects: { ...this.state.objects, [key]: value } }));
  }

  private readImpact(id: string, against: string, tries = 0): void {
    const key = impactKey(id, against);
    const name = `impact ${key}`;
    void this.once(name, () => this.api.impact(id, against), (value) => {
      this.store.set({ impact: { ...this.state.impact, [key]: value } });
      const known = valueOf(value);
      const head = schemeOf(this.state, id)?.head ?? 0;
      const waiting = known?.items.some((reading) => reading.state === 'pending') || (known && known.sequence < head);
      if (!waiting || tries >= AGAIN_MAX) return;
      setTimeout(() => {
        this.asked.delete(name);
        this.readImpact(id, against, tries + 1);
      }, AGAIN_MS);
    });
  }

  readLight(id: string): void {
    void this.once(`light ${id}`, () => this.api.light(id), (value) => this.store.set({ light: { ...this.state.light, [id]: value } }));
  }

  private async once<T>(name: string, ask: () => Promise<T>, put: (value: Loadable<T>) => void): Promise<void> {
    if (this.asked.has(name)) return;
    this.asked.add(name);
    try {
      put(ready(await ask()));
    } catch (error) {
      put(failed(codeOf(error)));
      setTimeout(() => this.asked.delete(name), RETRY_MS);
    }
  }

  // --- what a person does --------------------------------------------------

  choose(id: string): void {
    this.store.set({ ...chosen(this.state, id), about: false, openReading: null });
    if (this.state.tour) this.endTour();
  }

  against(left: string): void {
    this.store.set(againstOf(this.state.right, left, valueOf(this.state.schemes) ?? []));
  }

  setMode(mode: CompareMode): void {
    this.store.set({ mode });
  }

  setPosition(position: number): void {
    this.store.set({ position });
  }

  setPhase(phase: number | null): void {
    this.store.set({ phase });
  }

  setDrawn(part: Change, on: boolean): void {
    this.store.set({ drawn: { ...this.state.drawn, [part]: on } });
  }

  toggleReading(id: string): void {
    this.store.set({ openReading: this.state.openReading === id ? null : id });
  }

  /** Bring all of a scheme into view: as its tour begins, else as its extent has it. */
  frame(id: string, animate = true): void {
    const stop = schemeOf(this.state, id)?.tour[0];
    const view = stop && viewOf(stop.view);
    if (view) return this.look(view, animate);
    const box = schemeOf(this.state, id)?.bbox;
    const free = this.pair?.freeSize();
    if (!box || !free) return;
    const { centre, zoom } = fit(box as Box, free.width, free.height);
    this.page.map?.centreOn(centre, zoom, animate);
  }

  /** A view whose middle is the middle of what is free of panels, and right of the divider. */
  private look(view: View, animate: boolean): void {
    const { map } = this.page;
    if (!map) return;
    const now = map.getView();
    map.setView({ pitch: view.pitch, bearing: view.bearing }, false);
    map.centreOn([view.longitude, view.latitude], view.zoom + narrower(this.pair?.freeSize().width ?? COMPOSED_PX), false);
    const to = map.getView();
    if (!animate) return;
    map.setView(now, false);
    map.setView(to, true);
  }

  private turnOnce(tries = 0): void {
    const spoken = spokenOf(this.state);
    if (this.turned || !spoken || this.page.state.spec.state !== 'ready') return;
    // Before its first frame the map does not know its own middle.
    if (this.pair && !this.pair.unproject(1, 1) && tries < FIRST_FRAME_TRIES) {
      setTimeout(() => this.turnOnce(tries + 1), FIRST_FRAME_MS);
      return;
    }
    this.turned = true;
    // What is free for the scheme depends on what it is compared with.
    this.pair?.setCompare(this.state.mode, this.state.position);
    this.frame(spoken.scheme.id, false);
  }

  // --- tour ----------------------------------------------------------------

  startTour(): void {
    this.store.set({ tour: { stop: 0, auto: false } });
    this.show(0);
  }

  endTour(): void {
    if (this.tourTimer) clearTimeout(this.tourTimer);
    this.store.set({ tour: null });
  }

  tourBy(by: number): void {
    const stops = spokenOf(this.state)?.scheme.tour ?? [];
    const { tour } = this.state;
    if (!tour || stops.length === 0) return;
    const next = step(tour, stops.length, by);
    this.store.set({ tour: next });
    this.show(next.stop);
  }

  autoTour(on: boolean): void {
    const { tour } = this.state;
    if (!tour) return;
    this.store.set({ tour: { ...tour, auto: on } });
    this.wait();
  }

  private show(index: number): void {
    const stops = spokenOf(this.state)?.scheme.tour ?? [];
    const stop = stops[Math.min(index, stops.length - 1)];
    if (!stop) return this.store.set({ tour: null });
    const view = viewOf(stop.view);
    if (view) {
      this.turned = true;
      this.look(view, true);
    }
    this.page.setSun(sunOf(stop, knownZone(valueOf(this.page.state.city)?.time_zone ?? 'UTC')));
    this.wait();
  }

  /** The next stop comes by itself once this one can have been read. */
  private wait(): void {
    if (this.tourTimer) clearTimeout(this.tourTimer);
    const { tour } = this.state;
    const stop = spokenOf(this.state)?.scheme.tour[tour?.stop ?? 0];
    if (tour?.auto && stop) this.tourTimer = setTimeout(() => this.tourBy(1), stopTime(stop, this.page.state.lang));
  }

  // --- drawing -------------------------------------------------------------

  /** The specification of the view is there: the camera may be turned. */
  viewReady(): void {
    this.turnOnce();
  }

  /** Something was selected: what it loses is asked for. */
  selectionChanged(): void {
    this.need();
  }

  draw(): void {
    const { state } = this;
    if (!this.pair) return;
    const sides = [state.left, state.right, state.objects, state.schemes, state.phase, state.drawn];
    if (sides.every((value, i) => Object.is(value, this.drawnSides[i]))) return;
    this.drawnSides = sides;
    this.pair.setSides(overlayOf(state, state.left), overlayOf(state, state.right));
  }

  private follow(now: ShowState, before: ShowState): void {
    this.draw();
    if (now.left !== before.left || now.right !== before.right || now.phase !== before.phase || now.mode !== before.mode) this.need();
    const keys = ['left', 'right', 'mode', 'position', 'phase', 'tour'] as const;
    if (keys.some((key) => !Object.is(now[key], before[key]))) this.page.relink();
  }
}
