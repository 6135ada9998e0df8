import { t, word } from '../i18n/index';
import type { FeatureInView, MapPort } from '../ui/map-port';

const ZOOM_TO = 17.2;
const PAN_SHARE = 0.22;
const WALK_MAX = 40;

/** What keys and buttons ask of the camera. */
export class Camera {
  constructor(private readonly map: () => MapPort | null) {}

  zoomTo(longitude: number, latitude: number): void {
    const map = this.map();
    map?.centreOn([longitude, latitude], Math.max(map.getView().zoom, ZOOM_TO), true);
  }

  move(change: Partial<Record<'zoom' | 'bearing', number>>): void {
    const map = this.map();
    const view = map?.getView();
    if (view) map?.setView({ zoom: view.zoom + (change.zoom ?? 0), bearing: view.bearing + (change.bearing ?? 0) }, true);
  }

  /** Move by a share of the screen, along what the screen calls right and up. */
  pan(right: number, up: number): void {
    const map = this.map();
    const view = map?.getView();
    if (!view) return;
    const turn = (view.bearing * Math.PI) / 180;
    const step = (360 / 2 ** view.zoom) * PAN_SHARE;
    const east = right * Math.cos(turn) + up * Math.sin(turn);
    const north = up * Math.cos(turn) - right * Math.sin(turn);
    map?.setView({ longitude: view.longitude + east * step, latitude: view.latitude + north * step * Math.cos((view.latitude * Math.PI) / 180) }, true);
  }

  northUp(): void {
    this.map()?.setView({ bearing: 0 }, true);
  }
}

/** Walks the buildings in view by keyboard, nearest to the middle first. The list is fixed while it lasts. */
export class Walker {
  private list: readonly FeatureInView[] = [];
  private at = -1;

  constructor(private readonly map: () => MapPort | null, private readonly say: (text: string) => void) {}

  /** One further; false where there is none, so that the focus can leave the map. */
  go(by: 1 | -1): boolean {
    if (this.at < 0) this.list = this.nearest();
    const feature = this.list[this.at + by];
    if (!feature) {
      this.end();
      return false;
    }
    this.at += by;
    this.map()?.hover(feature.id);
    const name = feature.properties['name'];
    const use = feature.properties['use'];
    this.say(t('map.walk', { i: this.at + 1, n: this.list.length, name: typeof name === 'string' && name ? name : word('use', typeof use === 'string' && use ? use : 'yes') }));
    return true;
  }

  current(): FeatureInView | undefined {
    return this.list[this.at];
  }

  /** Stop walking; true if a walk was on. */
  end(): boolean {
    const was = this.at >= 0;
    this.at = -1;
    if (was) this.map()?.hover(null);
    return was;
  }

  private nearest(): FeatureInView[] {
    const far = (f: FeatureInView): number => Math.hypot(f.x - innerWidth / 2, f.y - innerHeight / 2);
    return [...(this.map()?.featuresInView() ?? [])]
      .filter((f) => f.kind === 'object')
      .sort((a, b) => far(a) - far(b) || a.id.localeCompare(b.id))
      .slice(0, WALK_MAX);
  }
}
