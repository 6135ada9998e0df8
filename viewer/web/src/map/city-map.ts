/**
 * The map of the city. One object, no framework:
 *
 *   const map = new CityMap(container, { onPick, onHover, onViewChange, onIdle, onLayerState });
 *   map.setSpec(await (await fetch('/api/v1/views/explore.json')).json());   // SpecError when refused
 *   map.setDatastreams(items); map.setLive(values);                          // patches colours, never the spec
 *   map.setColourBy({ attribute: 'height_m' }); map.legendFor();             // the legend's swatches
 *
 * Colours come from the design tokens on the container: set `data-theme` on the root first, then call `setTheme`.
 * The container needs a size; the map fills it and follows it. Panels: `setPadding`, so that no label lies under one.
 */
import type { Draft, LonLat, PointerTool, ProfilePoint, SchemeOverlay, Witness } from '../scheme/types';
import type { CityMapOptions } from './types';
import { showLayers } from './deck-view';
import { MapBase } from './map-base';
import { cutThrough } from './section';
import { Snapper, type Snap } from './snapping';
import { LocalFrame } from './local-frame';
import { ToolWatch } from './tool-watch';
import { heightOnVertical } from './vertical';

export type * from './types';
export { SpecError } from './spec';
export type { Legend, LegendItem } from './palette';

/** Two points of a ray through the screen are taken this far apart in height. */
const RAY_SPAN_M = 20;

export class CityMap extends MapBase {
  private readonly tools = new ToolWatch(this.container, this.canvas, {
    lngLatAt: (x, y) => this.unproject(x, y),
    pickAt: (x, y) => this.pickAt(x, y),
  });
  private readonly snapper = new Snapper();
  private draftFrame = 0;

  constructor(container: HTMLElement, options: CityMapOptions = {}) {
    super(container, options);
    this.scene.overlay.watchModels(() => {
      if (this.closed) return;
      this.recut();
      this.refresh(true);
    });
  }

  /** What a scheme adds, changes and takes away, over the city as it is; null is the city alone. */
  setOverlay(overlay: SchemeOverlay | null): void {
    if (!this.scene.overlay.set(overlay)) return;
    this.recut();
    this.refresh(true);
  }

  /** Colours by what differs between the overlay and another one. */
  setDifference(on: boolean, other: SchemeOverlay | null): void {
    this.scene.overlay.setOther(other, on);
    this.quieten();
  }

  /** Colours buildings by their hours of sun; `legendFor({ attribute: 'sun_hours' })` tells the steps. */
  setSunSurvey(hours: ReadonlyMap<string, number> | null): void {
    this.scene.paint.sunHours = hours;
    this.quieten();
  }

  /** What is being drawn or pulled. Cheap: only this changes, and at most once a frame. */
  setDraft(draft: Draft | null): void {
    const { extras } = this.scene;
    if (draft === extras.draft.draft) return;
    extras.draft.draft = draft;
    this.draftFrame ||= requestAnimationFrame(() => {
      this.draftFrame = 0;
      // A refresh that is due draws it too.
      if (this.closed || this.refreshFrame) return;
      this.idle.stir();
      showLayers(this.deck, this.scene.withDraft({ viewport: this.viewport, metresPerPixel: this.metresPerPixel() }));
    });
  }

  /** While a tool is set, the pointer goes to it first; what it takes moves neither camera nor selection. */
  setTool(tool: PointerTool | null): void {
    this.tools.set(tool);
    this.cursor = tool?.cursor ?? null;
  }

  /** Metres above the ground, on the vertical over `anchor`, of a point of the screen. */
  heightAt(x: number, y: number, anchor: LonLat): number {
    const { viewport } = this;
    if (!viewport) return 0;
    const ground_m = this.scene.relief.at(anchor);
    const frame = new LocalFrame([anchor[0], anchor[1]]);
    const at = (up_m: number): [number, number] => {
      const [lon = 0, lat = 0] = viewport.unproject([x, y], { targetZ: ground_m + up_m });
      return frame.toMetres([lon, lat]);
    };
    return heightOnVertical(at(0), at(RAY_SPAN_M), RAY_SPAN_M, [0, 0]);
  }

  /** The corner or wall nearest to a place, among the buildings that are loaded and the scheme's. */
  snapTo(lngLat: LonLat, radius_px: number): Snap | null {
    const { scene, viewport } = this;
    return this.snapper.find(lngLat, radius_px * this.metresPerPixel(), scene.tileLayers, scene.overlay.content, viewport);
  }

  /** The failing parts of findings, drawn where they are; `hover` with one's id lifts it through the city. */
  setWitnesses(items: readonly Witness[]): void {
    this.scene.extras.witnesses = items;
    this.refresh();
  }

  /** Cut: what stands between the line and the eye is not drawn, and the cut faces are filled. */
  setSection(line: readonly [LonLat, LonLat] | null): void {
    this.effect.cut = line;
    this.scene.extras.cut(line, line && this.profile(line));
    this.refresh(true);
  }

  sectionProfile(line: readonly [LonLat, LonLat]): ProfilePoint[] {
    return this.profile(line).points(this.scene.relief.zero_m);
  }

  override finalize(): void {
    this.tools.stop();
    cancelAnimationFrame(this.draftFrame);
    super.finalize();
  }

  private profile(line: readonly [LonLat, LonLat]): ReturnType<typeof cutThrough> {
    return cutThrough(line, this.scene.tileLayers, this.scene.overlay.content, this.scene.relief.lowest_m);
  }

  private recut(): void {
    const line = this.scene.extras.cutting;
    if (line) this.scene.extras.cut(line, this.profile(line));
  }
}
