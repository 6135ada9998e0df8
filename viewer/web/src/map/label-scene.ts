import type { Layer, WebMercatorViewport } from '@deck.gl/core';
import { labelLayers, placeLabels, type LabelSource } from './layers/label-layers';
import type { CityTileLayer } from './layers/city-tile-layer';
import { chooseLabels, textWidth, type Frame, type LabelCandidate, type Obstacle } from './labels';
import { Nearby } from './nearby';
import type { Prepared } from './overlay';
import type { Relief } from './relief';
import type { Point3 } from './sight';
import type { Tokens } from './tokens';

/** Parts of a name, from its middle, of which most have to be in sight. */
const PARTS = [-0.7, 0, 0.7] as const;

/** The names on the map: which are shown, and where. */
export class LabelScene {
  private shown: LabelCandidate[] = [];
  private readonly nearby = new Nearby();

  layers(
    sources: LabelSource[],
    view: { viewport: WebMercatorViewport | null; zoom: number; frame: Frame },
    obstacles: readonly Obstacle[],
    city: { tiles: readonly CityTileLayer[]; scheme: Prepared | null; relief: Relief; tokens: Tokens },
  ): Layer[] {
    const { viewport, zoom, frame } = view;
    if (viewport) {
      this.nearby.look(city.tiles, city.scheme);
      const shown = new Set(this.shown.map((l) => l.id));
      const hides = this.nearby.hidesFrom(viewport);
      const placed = placeLabels(sources, viewport, zoom, city.relief);
      this.shown = chooseLabels(placed, frame, shown, obstacles, (label) => isHidden(label, viewport, hides));
    }
    return labelLayers('label', this.shown, city.tokens, viewport);
  }
}

/** Whether the city hides more of a name than it leaves in sight. The names of districts float above it. */
function isHidden(label: LabelCandidate, viewport: WebMercatorViewport, hides: (at: Point3) => boolean): boolean {
  if (label.style === 'district') return false;
  const z = label.height_m;
  if (label.room_px === Infinity) return hides([label.lngLat[0], label.lngLat[1], z]);
  const half = textWidth(label.text, label.size_px) / 2;
  const turn = (label.angle_deg * Math.PI) / 180;
  const hidden = PARTS.filter((part) => {
    const [lon = 0, lat = 0] = viewport.unproject([label.x + part * half * Math.cos(turn), label.y - part * half * Math.sin(turn)], { targetZ: z });
    return hides([lon, lat, z]);
  });
  return hidden.length * 2 > PARTS.length;
}
