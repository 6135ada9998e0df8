import type { Datastream, LiveValue, Rgba } from './types';
import { liveColour, share } from './palette';
import type { Tokens } from './tokens';

export type LiveState = 'ok' | 'out' | 'stale' | 'none';

/** Steps of the colour ramp that the eye tells apart; a value that stays within one is not drawn again. */
const VISIBLE_STEPS = 32;

/** Latest value of every datastream, and which datastream speaks for which object or network element. */
export class LiveStore {
  /** Goes up with every change that can be seen; layers use it as their update trigger. */
  version = 0;
  /** Goes up with every list of datastreams. */
  streamsVersion = 0;
  private seen = true;
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
    this.streamsVersion++;
  }

  /**
   * Takes values. True when one of them now looks different and `drawn` says that its datastream is on the screen;
   * what changed elsewhere is drawn with the next frame that is due for another reason.
   */
  set(values: Iterable<LiveValue>, drawn: (d: Datastream) => boolean = () => true): boolean {
    let changed = false;
    for (const v of values) {
      const d = this.streams.get(v.id);
      const before = this.look(d, this.values.get(v.id));
      this.values.set(v.id, v);
      if (before === this.look(d, v)) continue;
      this.seen = false;
      changed ||= d === undefined || drawn(d);
    }
    return changed;
  }

  /** Called when the layers are described anew: from here on they show every value taken so far. */
  commit(): void {
    if (!this.seen) this.version++;
    this.seen = true;
  }

  /** What a value looks like: equal looks need no new frame. */
  private look(d: Datastream | undefined, v: LiveValue | undefined): string {
    if (!v) return '';
    const t = share(v.v, d?.range);
    return `${v.stale ? 's' : v.q}${t === null ? '' : Math.round(t * VISIBLE_STEPS)}`;
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
