import type { Datastream, LiveValue, Rgba } from './types';
import { liveColour } from './palette';
import type { Tokens } from './tokens';

export type LiveState = 'ok' | 'out' | 'stale' | 'none';

/** Latest value of every datastream, and which datastream speaks for which object or network element. */
export class LiveStore {
  /** Goes up with every change; layers use it as their update trigger. */
  version = 0;
  private readonly streams = new Map<string, Datastream>();
  private readonly values = new Map<string, LiveValue>();
  private readonly byObject = new Map<string, Datastream[]>();
  private readonly byElement = new Map<string, Datastream[]>();

  setDatastreams(list: Iterable<Datastream>): void {
    this.streams.clear();
    this.byObject.clear();
    this.byElement.clear();
    const push = (m: Map<string, Datastream[]>, key: string, d: Datastream): void => {
      const all = m.get(key);
      if (all) all.push(d);
      else m.set(key, [d]);
    };
    for (const d of list) {
      this.streams.set(d.id, d);
      if (d.object_id) push(this.byObject, d.object_id, d);
      if (d.network_id && d.element_id) push(this.byElement, `${d.network_id}/${d.element_id}`, d);
      if (d.latest && !this.values.has(d.id)) {
        this.values.set(d.id, { id: d.id, t: d.latest.phenomenon_time, v: d.latest.result, q: judge(d, d.latest.result) });
      }
    }
    this.version++;
  }

  /** True when something changed. */
  set(values: Iterable<LiveValue>): boolean {
    let changed = false;
    for (const v of values) {
      const old = this.values.get(v.id);
      if (old && old.v === v.v && old.q === v.q && !!old.stale === !!v.stale && old.t === v.t) continue;
      this.values.set(v.id, v);
      changed = true;
    }
    if (changed) this.version++;
    return changed;
  }

  all(): Iterable<Datastream> {
    return this.streams.values();
  }

  stream(id: string): Datastream | undefined {
    return this.streams.get(id);
  }

  value(id: string): LiveValue | undefined {
    return this.values.get(id);
  }

  private choose(list: Datastream[] | undefined, property: string | undefined): Datastream | undefined {
    if (!list) return undefined;
    return property === undefined ? list[0] : list.find((d) => d.observed_property === property);
  }

  forObject(id: string, property?: string): Datastream | undefined {
    return this.choose(this.byObject.get(id), property);
  }

  /** The datastream a network feature names, else one bound to its element. */
  forElement(props: Record<string, unknown>, property?: string): Datastream | undefined {
    const named = this.streams.get(String(props['datastream_id'] ?? ''));
    if (named && (property === undefined || named.observed_property === property)) return named;
    return this.choose(this.byElement.get(`${String(props['network_id'])}/${String(props['element_id'])}`), property) ?? named;
  }

  state(d: Datastream | undefined): LiveState {
    const v = d && this.values.get(d.id);
    if (!v) return 'none';
    if (v.stale) return 'stale';
    return v.q === 'ok' ? 'ok' : 'out';
  }

  colour(d: Datastream | undefined, tokens: Tokens, range?: [number, number] | null): Rgba {
    const v = d && this.values.get(d.id);
    if (!d || !v || v.stale) return tokens.get('status-stale');
    if (v.q !== 'ok') return tokens.get('alarm-1');
    return liveColour(v.v, range ?? d.range, tokens);
  }
}

function judge(d: Datastream, v: number): LiveValue['q'] {
  if (typeof d.limit_min === 'number' && v < d.limit_min) return 'limit_min';
  if (typeof d.limit_max === 'number' && v > d.limit_max) return 'limit_max';
  return 'ok';
}
