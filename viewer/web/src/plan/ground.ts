/** What stands and lies around: outlines to snap to, parcels to paint, streets to close. Read when a tool needs it. */
import type { Api } from '../state/api';
import type { Feature } from '../state/model';
import type { LonLat } from '../scheme/types';
import { distance, frameAt, inside, onSegment, type Frame, type Xy } from './shape/frame';
import { targetsOf, type Targets } from './shape/snap';
import { lineOf, ringsOf } from './geojson';
import { Networks } from './networks';
import type { Plan } from './plan';

const NEAR_M = 250;
const HALF_M = 900;

export interface Outline {
  readonly id: string;
  readonly rings: readonly (readonly LonLat[])[];
  readonly height_m: number;
  readonly name: string | null;
}

export interface Parcel extends Outline {
  readonly land_use: string;
}

export interface Street {
  readonly id: string;
  readonly line: readonly LonLat[];
  readonly name: string | null;
  readonly lanes: number | null;
  readonly oneway: string;
  readonly closed: boolean;
}

const text = (value: unknown): string | null => (typeof value === 'string' && value ? value : null);
const count = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);

export function outlineOf(feature: Feature): Outline {
  return { id: feature.id, rings: ringsOf(feature.geometry), height_m: count(feature.properties['height_m']) ?? 10, name: text(feature.properties['name']) };
}

export function streetOf(feature: Feature): Street {
  const p = feature.properties;
  const way = String(p['oneway'] ?? 'no');
  return { id: feature.id, line: lineOf(feature.geometry), name: text(p['name']), lanes: count(p['lanes']) ?? (Number(p['lanes']) || null), oneway: way === 'yes' || way === 'true' ? 'forward' : way === '-1' ? 'backward' : way === 'forward' || way === 'backward' ? way : 'no', closed: false };
}

export class Ground {
  private buildings: Outline[] = [];
  private parcelsRead: Parcel[] = [];
  private streetsRead: Street[] = [];
  private at: LonLat | null = null;
  private reading = false;
  readonly networks: Networks;

  constructor(private readonly plan: Plan, private readonly api: Pick<Api, 'features' | 'collections'>) {
    this.networks = new Networks(api);
  }

  /** Read what lies around the middle of the map, unless it is known. */
  wake(): void {
    const view = this.plan.city.map?.getView();
    if (!view || this.reading) return;
    const here: LonLat = [view.longitude, view.latitude];
    if (this.at && distance([0, 0], frameAt(this.at).to(here)) < HALF_M / 2) return;
    this.reading = true;
    void this.read(here).finally(() => { this.reading = false; });
  }

  private async read(here: LonLat): Promise<void> {
    const frame = frameAt(here);
    const [low, high] = [frame.from([-HALF_M, -HALF_M]), frame.from([HALF_M, HALF_M])];
    const bbox = [low[0], low[1], high[0], high[1]];
    const [buildings, parcels, streets] = await Promise.allSettled(['buildings', 'parcels', 'streets'].map((name) => this.api.features(name, bbox)));
    if (buildings?.status === 'fulfilled') this.buildings = buildings.value.features.map(outlineOf);
    if (parcels?.status === 'fulfilled') this.parcelsRead = parcels.value.features.map((f) => ({ ...outlineOf(f), land_use: text(f.properties['land_use']) ?? '' }));
    if (streets?.status === 'fulfilled') this.streetsRead = streets.value.features.map(streetOf);
    this.at = here;
    if (this.plan.state.tool === 'network') await this.networks.read(bbox);
    this.plan.store.set({ turn: this.plan.state.turn + 1 });
  }

  /** The networks are read when the tool that needs them is first in hand. */
  async wakeNetworks(): Promise<void> {
    const view = this.plan.city.map?.getView();
    if (!view) return;
    const frame = frameAt([view.longitude, view.latitude]);
    const [low, high] = [frame.from([-HALF_M, -HALF_M]), frame.from([HALF_M, HALF_M])];
    await this.networks.read([low[0], low[1], high[0], high[1]]);
    this.plan.store.set({ turn: this.plan.state.turn + 1 });
  }

  private get hidden(): ReadonlySet<string> {
    return new Set(this.plan.state.objects?.hidden ?? []);
  }

  /** Outlines of buildings as the scheme has them. */
  outlines(): Outline[] {
    const hidden = this.hidden;
    const made = (this.plan.state.objects?.items ?? []).filter((o) => o.type === 'Building' && o.change !== 'demolished');
    const ids = new Set(made.map((o) => o.id));
    return [...this.buildings.filter((b) => !hidden.has(b.id) && !ids.has(b.id)), ...made.map((o) => ({ id: o.id, rings: ringsOf(o.geometry), height_m: o.height_m, name: o.name }))];
  }

  parcels(): Parcel[] {
    const items = (this.plan.state.objects?.items ?? []).filter((o) => o.type === '+Parcel');
    const ids = new Set(items.map((o) => o.id));
    return [...this.parcelsRead.filter((p) => !ids.has(p.id)), ...items.filter((o) => o.change !== 'demolished').map((o) => ({ id: o.id, rings: ringsOf(o.geometry), height_m: 0, name: o.name, land_use: o.land_use ?? '' }))];
  }

  streets(): Street[] {
    const items = (this.plan.state.objects?.items ?? []).filter((o) => o.type === 'Road');
    const ids = new Set(items.map((o) => o.id));
    const made = items.filter((o) => o.change !== 'demolished').map((o): Street => {
      const p = o.properties;
      return { id: o.id, line: lineOf(o.geometry), name: o.name, lanes: count(p['lanes']), oneway: text(p['oneway']) ?? 'no', closed: p['closed'] === true };
    });
    return [...this.streetsRead.filter((s) => !ids.has(s.id)), ...made];
  }

  /** Corners and edges near a place. */
  targets(frame: Frame, around: Xy): Targets {
    const rings: Xy[][] = [];
    for (const outline of [...this.outlines(), ...this.parcels()]) {
      const first = outline.rings[0]?.[0];
      if (!first || distance(frame.to(first), around) > NEAR_M) continue;
      for (const ring of outline.rings) rings.push(ring.map(frame.to));
    }
    return targetsOf(rings, around, NEAR_M);
  }

  private at_(list: readonly Outline[], place: LonLat): Outline | null {
    const frame = frameAt(place);
    return list.find((o) => {
      const [outer, ...holes] = o.rings.map((ring) => ring.map(frame.to));
      return outer !== undefined && inside([0, 0], outer) && !holes.some((hole) => inside([0, 0], hole));
    }) ?? null;
  }

  buildingAt(place: LonLat): Outline | null {
    return this.at_(this.outlines(), place);
  }

  parcelAt(place: LonLat): Parcel | null {
    return this.at_(this.parcels(), place) as Parcel | null;
  }

  streetAt(place: LonLat, reach_m: number): Street | null {
    const frame = frameAt(place);
    let best: Street | null = null;
    let least = reach_m;
    for (const street of this.streets()) {
      const line = street.line.map(frame.to);
      line.slice(1).forEach((b, i) => {
        const d = distance([0, 0], onSegment([0, 0], line[i] ?? b, b));
        if (d < least) {
          best = street;
          least = d;
        }
      });
    }
    return best;
  }
}
