/** The networks of the city around the middle of the map: which there are, and the elements that can be changed. */
import type { Api } from '../state/api';
import type { Feature } from '../state/model';
import type { Json, LonLat, SchemeObject } from '../scheme/types';
import { lineOf } from './geojson';
import { distance, frameAt, onSegment } from './shape/frame';

export type ElementKind = 'main' | 'pump' | 'tank' | 'feeder' | 'substation';

export interface NetworkElement {
  readonly id: string;
  readonly element: ElementKind;
  readonly network: string;
  readonly name: string | null;
  /** The line, or the place alone. */
  readonly at: readonly LonLat[];
  readonly diameter_m: number | null;
  readonly capacity: number | null;
  readonly closed: boolean;
}

const KINDS: Readonly<Record<string, ElementKind>> = { pipe: 'main', pump: 'pump', tank: 'tank', line: 'feeder', transformer: 'substation' };
const TYPES: Readonly<Record<string, ElementKind>> = { '+Main': 'main', '+Pump': 'pump', '+Tank': 'tank', '+Feeder': 'feeder', '+Substation': 'substation' };
const COLLECTION = /^(.+)-(links|nodes)$/;
/** Lines of these are changed by tools of their own. */
const OTHERS = new Set(['street']);

const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);
const pointOf = (geometry: unknown): LonLat[] => {
  const g = geometry as GeoJSON.Geometry | null;
  return g?.type === 'Point' ? [[g.coordinates[0] ?? 0, g.coordinates[1] ?? 0]] : [];
};

/** An element as the city has it; null for what is no target of edits: junctions, valves, windings of a transformer. */
export function elementOf(feature: Feature): NetworkElement | null {
  const p = feature.properties;
  const element = KINDS[String(p['kind'])];
  const line = lineOf(feature.geometry);
  if (!element || (element === 'substation' && line.length > 0)) return null;
  const middle = line[line.length >> 1];
  const at = element === 'pump' && middle ? [middle] : line.length ? line : pointOf(feature.geometry);
  return { id: feature.id, element, network: String(p['network_id'] ?? ''), name: typeof p['name'] === 'string' && p['name'] ? p['name'] : null, at, diameter_m: number(p['diameter_m']), capacity: number(p['capacity'] ?? p['capacity_m3']), closed: false };
}

/** An element as the scheme has it. */
export function schemeElement(o: SchemeObject): NetworkElement | null {
  const element = TYPES[o.type];
  if (!element || o.change === 'demolished') return null;
  const p = o.properties as Readonly<Record<string, Json>>;
  const line = lineOf(o.geometry);
  return { id: o.id, element, network: String(p['network_id'] ?? ''), name: o.name, at: line.length ? line : pointOf(o.geometry), diameter_m: number(p['diameter_m']), capacity: number(p['capacity']), closed: p['closed'] === true };
}

export class Networks {
  /** Networks by id, with the kinds of element that they have somewhere near. */
  private known = new Map<string, Set<ElementKind>>();
  private elements: readonly NetworkElement[] = [];
  private names: Promise<readonly string[]> | null = null;

  constructor(private readonly api: Pick<Api, 'features' | 'collections'>) {}

  async read(bbox: readonly number[]): Promise<void> {
    try {
      this.names ??= this.api.collections();
      const collections = (await this.names).filter((name) => !OTHERS.has(COLLECTION.exec(name)?.[1] ?? 'street'));
      const answers = await Promise.all(collections.map((name) => this.api.features(name, bbox)));
      this.elements = answers.flatMap((answer) => answer.features.map(elementOf)).filter((e): e is NetworkElement => e !== null);
      for (const { network, element } of this.elements) this.known.set(network, (this.known.get(network) ?? new Set()).add(element));
    } catch {
      this.names = null;
    }
  }

  /** The networks that an element can belong to: those that have lines of its sort; by default the usual one alone. */
  of(along: ElementKind, usual: string): readonly string[] {
    const found = [...this.known].filter(([, kinds]) => kinds.has(along)).map(([id]) => id).sort();
    return found.length ? found : [usual];
  }

  /** Elements as the scheme has them: its own in place of the city's, without what it has taken away. */
  all(items: readonly SchemeObject[]): NetworkElement[] {
    const touched = new Set(items.map((o) => o.id));
    return [...this.elements.filter((e) => !touched.has(e.id)), ...items.map(schemeElement).filter((e): e is NetworkElement => e !== null)];
  }

  nearest(items: readonly SchemeObject[], place: LonLat, reach_m: number): NetworkElement | null {
    const frame = frameAt(place);
    let best: NetworkElement | null = null;
    let least = reach_m;
    for (const element of this.all(items)) {
      const line = element.at.map(frame.to);
      const first = line[0];
      if (!first) continue;
      // What stands at a point lies on a line too: the point is meant.
      const d = line.length === 1 ? distance([0, 0], first) / 2 : Math.min(...line.slice(1).map((b, i) => distance([0, 0], onSegment([0, 0], line[i] ?? b, b))));
      if (d < least) [best, least] = [element, d];
    }
    return best;
  }
}
