/** What the pages ask of the map. `map/city-map.ts` is one; the tests hand in a fake. */
import type { Draft, LonLat, PointerTool, ProfilePoint, SchemeOverlay, Witness } from '../scheme/types';
import type { ViewSpec } from '../state/model';
import type { Legend } from '../map/palette';
import type { ColourBy, Datastream, FeatureInView, LayerPhase, LiveValue, PickInfo, SunDirection, Theme, ViewState } from '../map/types';

export type { Legend, LegendItem } from '../map/palette';
export type { ColourBy, FeatureInView, LayerPhase, PickInfo, ViewState } from '../map/types';

export interface MapCallbacks {
  onPick(info: PickInfo | null): void;
  onHover(info: PickInfo | null): void;
  onViewChange(view: ViewState): void;
  onIdle(): void;
  onLayerState(layerId: string, phase: LayerPhase, detail: string): void;
}

export interface MapPort {
  setSpec(spec: ViewSpec): void;
  setView(view: Partial<ViewState>, animate?: boolean): void;
  getView(): ViewState;
  /** Brings a place to the middle of what the panels leave free. */
  centreOn(lngLat: readonly [number, number], zoom: number, animate?: boolean): void;
  /** The place on the ground under a screen point. */
  unproject?(x: number, y: number): readonly [number, number] | null;
  setTheme(theme: Theme): void;
  setSun(sun: SunDirection | null): void;
  setColourBy(by: ColourBy): void;
  legendFor(by: ColourBy): Legend | null;
  select(id: string | null): void;
  hover(id: string | null): void;
  setLayerVisible(id: string, visible: boolean): void;
  setDatastreams(list: Iterable<Datastream>): void;
  setLive(values: Iterable<LiveValue>): void;
  featuresInView(): readonly FeatureInView[];
  screenPositionOf(id: string): readonly [number, number] | null;
  reloadTiles(): void;
  retryLayer(id: string): void;
  setLanguage(lang: 'en' | 'zh'): void;
  /** Space taken by panels, CSS pixels: labels keep out of it. */
  setPadding(padding: Partial<Record<'left' | 'right' | 'top' | 'bottom', number>>): void;
  /** The accessible name of the canvas. */
  setLabel(label: string): void;
  /** What a scheme adds, changes and takes away, over the city as it is. */
  setOverlay?(overlay: SchemeOverlay | null): void;
  /** What is being drawn or pulled. */
  setDraft?(draft: Draft | null): void;
  /** While a tool is set, pointer events go to it first. */
  setTool?(tool: PointerTool | null): void;
  /** Metres above the ground, on the vertical over `anchor`, of a point of the screen. */
  heightAt?(x: number, y: number, anchor: LonLat): number;
  setWitnesses?(items: readonly Witness[]): void;
  /** Cut: what is in front of the line is not drawn. */
  setSection?(line: readonly [LonLat, LonLat] | null): void;
  sectionProfile?(line: readonly [LonLat, LonLat]): readonly ProfilePoint[];
  /** Colours by what differs between the overlay and another one. */
  setDifference?(on: boolean, other: SchemeOverlay | null): void;
  /** Colours buildings by their hours of sun. */
  setSunSurvey?(hours: ReadonlyMap<string, number> | null): void;
  /** The view as a PNG, with the lines of a caption written into it. */
  toImage?(caption?: string[]): Promise<Blob>;
  finalize(): void;
}

export type MapFactory = (container: HTMLElement, callbacks: MapCallbacks, options: { readonly theme: Theme; readonly language: 'en' | 'zh' }) => MapPort;
