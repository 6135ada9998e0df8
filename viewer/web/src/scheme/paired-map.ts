import type { MapCallbacks, MapFactory, MapPort, ViewState } from '../ui/map-port';
import { panesOf, type CompareMode, type Pane, type Panes } from './panes';
import type { SchemeOverlay } from './types';

export interface PairHooks {
  /** The containers of the maps: after (right) and before (left). */
  readonly right: HTMLElement;
  readonly left: HTMLElement;
  /** Told where the maps lie, each time they are laid out. */
  laid(panes: Panes): void;
}

/** A sheet that comes up by more than this takes the middle with it. */
const RISEN_PX = 100;

type Call = (map: MapPort) => void;
type Padding = Parameters<MapPort['setPadding']>[0];

/**
 * Two maps that a page treats as one: the same city, light and camera, another scheme in each.
 *
 * The right map is always there; the left one is made when it is first compared and ended when it is
 * not. What was last asked of the maps is kept, so that a new left map begins where the right one stands.
 */
export class PairedMap implements MapPort {
  readonly right: MapPort;
  left: MapPort | null = null;
  /** Where the right map's own screen begins, CSS pixels of the page's map. */
  private offset = 0;
  private mode: CompareMode = 'one';
  private share = 0.5;
  private padding: Required<Padding> = { left: 0, right: 0, top: 0, bottom: 0 };
  /** The same of the right map, in its own pane. */
  private shown: Required<Padding> = this.padding;
  private paneWidth = 0;
  /** One map follows the other: what it tells of its camera is no news. */
  private following = false;
  private readonly kept = new Map<string, Call>();
  private readonly live = new Map<string, Parameters<MapPort['setLive']>[0] extends Iterable<infer V> ? V : never>();
  private leftOverlay: SchemeOverlay | null = null;

  constructor(
    private readonly hooks: PairHooks,
    private readonly factory: MapFactory,
    private readonly callbacks: MapCallbacks,
    private readonly options: Parameters<MapFactory>[2],
  ) {
    this.right = factory(hooks.right, { ...callbacks, onViewChange: (view) => this.moved(view, 'right'), onPick: (info) => callbacks.onPick(info && { ...info, x: info.x + this.offset }) }, options);
  }

  setCompare(mode: CompareMode, share: number): void {
    const seen = mode === this.mode ? null : this.middle();
    this.mode = mode;
    this.share = share;
    this.compare(mode !== 'one');
    this.lay();
    this.bringBack(seen);
  }

  /** The place in the middle of what is free. */
  private middle(): readonly [number, number] | null {
    const width = this.hooks.right.parentElement?.clientWidth ?? 0;
    const height = this.hooks.right.parentElement?.clientHeight ?? 0;
    if (width === 0 || !this.right.unproject) return null;
    const { left, right, top, bottom } = this.shown;
    return this.right.unproject((left + this.paneWidth - right) / 2, (top + height - bottom) / 2);
  }

  /** What a person looked at stays in the middle when the middle moves. */
  private bringBack(place: readonly [number, number] | null): void {
    if (place) this.right.centreOn(place, this.right.getView().zoom, false);
  }

  /** Puts the maps where the mode and the panels want them; to be called when the container's size changed. */
  lay(): void {
    const width = this.hooks.right.parentElement?.clientWidth ?? 0;
    if (width === 0) return;
    const panes = panesOf(width, this.mode, this.share, this.padding);
    this.offset = panes.right.x;
    place(this.hooks.right, panes.right);
    this.shown = this.within(panes.right, width);
    this.paneWidth = panes.right.width;
    this.right.setPadding(this.shown);
    if (panes.left) {
      place(this.hooks.left, panes.left);
      this.left?.setPadding(this.within(panes.left, width));
    }
    this.hooks.left.hidden = panes.left === null;
    this.hooks.laid(panes);
  }

  /** What of a pane is not to be read: what is cut off, and what lies under the panels. */
  private within(pane: Pane, width: number): Required<Padding> {
    return {
      ...this.padding,
      left: Math.max(pane.cutLeft, this.padding.left - pane.x),
      right: Math.max(pane.cutRight, pane.x + pane.width - (width - this.padding.right)),
    };
  }

  /** The size of what the panels leave free for one map. */
  freeSize(): { readonly width: number; readonly height: number } {
    const { left, right, top, bottom } = this.padding;
    const { clientWidth = 0, clientHeight = 0 } = this.hooks.right.parentElement ?? {};
    const width = clientWidth - left - right;
    const part = this.mode === 'split' ? 0.5 : this.mode === 'swipe' ? Math.max(0.3, 1 - this.share) : 1;
    return { width: width * part, height: clientHeight - top - bottom };
  }

  setPadding(padding: Padding): void {
    const laid = this.paneWidth > 0;
    const risen = Math.abs((padding.bottom ?? 0) - this.padding.bottom) > RISEN_PX;
    const seen = laid && risen ? this.middle() : null;
    this.padding = { ...this.padding, ...padding };
    this.lay();
    this.bringBack(seen);
  }

  /** Makes or ends the left map. */
  private compare(on: boolean): void {
    if (on === (this.left !== null)) return;
    if (!on) {
      this.left?.finalize();
      this.left = null;
      return;
    }
    // Its layers are those of the right map; that it is gone itself is its own news.
    const whole: MapCallbacks['onLayerState'] = (id, phase, detail) => { if (id === 'map') this.callbacks.onLayerState(id, phase, detail); };
    const quiet: MapCallbacks = { ...this.callbacks, onIdle: () => undefined, onLayerState: whole, onViewChange: (view) => this.moved(view, 'left') };
    const left = this.factory(this.hooks.left, quiet, this.options);
    // No call reaches the map through `both` before it has what the right one has.
    for (const call of this.kept.values()) call(left);
    left.setLive(this.live.values());
    left.setOverlay?.(this.leftOverlay);
    this.left = left;
    this.following = true;
    left.setView(this.right.getView(), false);
    this.following = false;
  }

  /** What each side shows of a scheme. */
  setSides(left: SchemeOverlay | null, right: SchemeOverlay | null): void {
    this.leftOverlay = left;
    this.left?.setOverlay?.(left);
    this.right.setOverlay?.(right);
  }

  private moved(view: ViewState, from: 'left' | 'right'): void {
    if (this.following) return;
    this.following = true;
    if (from === 'right') this.left?.setView(view, false);
    else this.right.setView(view, false);
    this.following = false;
    this.callbacks.onViewChange(view);
  }

  private both(key: string, call: Call): void {
    this.kept.set(key, call);
    call(this.right);
    if (this.left) call(this.left);
  }

  setSpec: MapPort['setSpec'] = (spec) => this.both('spec', (map) => map.setSpec(spec));
  setTheme: MapPort['setTheme'] = (theme) => this.both('theme', (map) => map.setTheme(theme));
  setSun: MapPort['setSun'] = (sun) => this.both('sun', (map) => map.setSun(sun));
  setColourBy: MapPort['setColourBy'] = (by) => this.both('colour', (map) => map.setColourBy(by));
  select: MapPort['select'] = (id) => this.both('select', (map) => map.select(id));
  hover: MapPort['hover'] = (id) => this.both('hover', (map) => map.hover(id));
  setLayerVisible: MapPort['setLayerVisible'] = (id, visible) => this.both(`layer ${id}`, (map) => map.setLayerVisible(id, visible));
  setLanguage: MapPort['setLanguage'] = (lang) => this.both('language', (map) => map.setLanguage(lang));
  setLabel: MapPort['setLabel'] = (label) => this.both('label', (map) => map.setLabel(label));
  setSection: NonNullable<MapPort['setSection']> = (line) => this.both('section', (map) => map.setSection?.(line));

  setDatastreams(list: Parameters<MapPort['setDatastreams']>[0]): void {
    const all = [...list];
    this.both('streams', (map) => map.setDatastreams(all));
  }

  setLive(values: Parameters<MapPort['setLive']>[0]): void {
    const all = [...values];
    for (const value of all) this.live.set(value.id, value);
    this.right.setLive(all);
    this.left?.setLive(all);
  }

  // The right map leads, the left one follows by `moved`.
  setView: MapPort['setView'] = (view, animate) => this.right.setView(view, animate);
  unproject = (x: number, y: number): readonly [number, number] | null => this.right.unproject?.(x - this.offset, y) ?? null;
  getView: MapPort['getView'] = () => this.right.getView();
  centreOn: MapPort['centreOn'] = (at, zoom, animate) => this.right.centreOn(at, zoom, animate);
  legendFor: MapPort['legendFor'] = (by) => this.right.legendFor(by);
  featuresInView: MapPort['featuresInView'] = () => this.right.featuresInView();

  screenPositionOf(id: string): readonly [number, number] | null {
    const at = this.right.screenPositionOf(id);
    return at && [at[0] + this.offset, at[1]];
  }

  reloadTiles(): void {
    this.right.reloadTiles();
    this.left?.reloadTiles();
  }

  retryLayer(id: string): void {
    this.right.retryLayer(id);
    this.left?.retryLayer(id);
  }

  // What is drawn, measured and judged belongs to the scheme on the right.
  toImage = (caption?: string[]): Promise<Blob> => this.right.toImage?.(caption) ?? Promise.reject(new Error('This map makes no pictures.'));
  setOverlay: NonNullable<MapPort['setOverlay']> = (overlay) => this.right.setOverlay?.(overlay);
  setDraft: NonNullable<MapPort['setDraft']> = (draft) => this.right.setDraft?.(draft);
  setTool: NonNullable<MapPort['setTool']> = (tool) => this.right.setTool?.(tool);
  heightAt: NonNullable<MapPort['heightAt']> = (x, y, anchor) => this.right.heightAt?.(x, y, anchor) ?? 0;
  setWitnesses: NonNullable<MapPort['setWitnesses']> = (items) => this.right.setWitnesses?.(items);
  sectionProfile: NonNullable<MapPort['sectionProfile']> = (line) => this.right.sectionProfile?.(line) ?? [];
  setDifference: NonNullable<MapPort['setDifference']> = (on, other) => this.right.setDifference?.(on, other);
  setSunSurvey: NonNullable<MapPort['setSunSurvey']> = (hours) => this.right.setSunSurvey?.(hours);

  finalize(): void {
    this.compare(false);
    this.right.finalize();
  }
}

function place(element: HTMLElement, pane: Pane): void {
  const { style } = element;
  style.left = `${pane.x}px`;
  style.width = `${pane.width}px`;
  // What is cut off neither shows nor takes the pointer.
  style.clipPath = pane.cutLeft > 0 || pane.cutRight > 0 ? `inset(0 ${pane.cutRight}px 0 ${pane.cutLeft}px)` : '';
}
