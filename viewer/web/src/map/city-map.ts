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
import type { SchemeOverlay } from '../scheme/types';
import { MapBase } from './map-base';

export type * from './types';
export { SpecError } from './spec';
export type { Legend, LegendItem } from './palette';

export class CityMap extends MapBase {
  /** What a scheme adds, changes and takes away, over the city as it is; null is the city alone. */
  setOverlay(overlay: SchemeOverlay | null): void {
    this.scene.overlay.set(overlay);
    this.refresh(true);
  }

  /** Colours by what differs between the overlay and another one. */
  setDifference(on: boolean, other: SchemeOverlay | null): void {
    this.scene.overlay.setOther(other, on);
    this.effect.quiet = on || this.scene.colourBy ? 0.35 : 0;
    this.refresh(true);
  }

  /** Colours buildings by their hours of sun. */
  setSunSurvey(hours: ReadonlyMap<string, number> | null): void {
    this.scene.paint.sunHours = hours;
    this.effect.quiet = hours || this.scene.colourBy ? 0.35 : 0;
    this.refresh(true);
  }
}
