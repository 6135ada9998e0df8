/** What the Plan page reads of schemes, and what it hears of them while one is in hand. */
import { LiveSocket } from '../live/socket';
import { codeOf } from '../state/api';
import { failed, loading, ready, valueOf } from '../state/model';
import { Store } from '../state/store';
import type { SchemeApi } from '../scheme/api';
import { BASE, type Edit, type Reading, type Scheme } from '../scheme/types';
import { t } from '../i18n/index';
import type { PlanCity } from './city';
import { treeOf, withEdits, type Branch } from './log';
import { readUnsent } from './outbox';
import { peopleAfter, readingsAfter, schemeOf, type LiveItem, type PlanState } from './plan-state';
import type { Keeper } from './token';

const ANONYMOUS = 'planner';
const SOON_MS = 250;

export interface PlanDoors {
  readonly api: SchemeApi;
  readonly liveAddress: string;
  /** Lasts as long as the tab. */
  readonly tab: Keeper;
  /** Lasts. */
  readonly kept: Keeper;
  /** This tab among those who look at a scheme. */
  readonly who: string;
}

export class PlanReading {
  readonly store: Store<PlanState>;
  protected live: LiveSocket | null = null;
  private readonly soonTimers = new Map<string, ReturnType<typeof setTimeout>>();
  /** Counts what was taken in hand: answers about an earlier scheme are no longer wanted. */
  protected asked = 0;
  private checked = '';

  constructor(state: PlanState, readonly city: PlanCity, readonly doors: PlanDoors) {
    this.store = new Store(state);
  }

  get state(): PlanState {
    return this.store.get();
  }

  get api(): SchemeApi {
    return this.doors.api;
  }

  /** The name that edits of this page carry. */
  get author(): string {
    return this.state.author || ANONYMOUS;
  }

  get tree(): readonly Branch[] {
    return treeOf(valueOf(this.state.schemes) ?? []);
  }

  async readSchemes(): Promise<void> {
    try {
      const schemes = await this.api.schemes();
      this.store.set({ schemes: ready(schemes), offline: false });
      const { current } = this.state;
      const lost = current !== null && !schemes.some((s) => s.id === current);
      if (lost) this.state.token === null ? this.store.set({ objects: null }) : this.open(null); // A linked draft opens once the token is there.
      else if (current !== null && this.state.log.state === 'idle') this.open(current, this.state.at);
    } catch (error) {
      if (this.state.schemes.state !== 'ready') this.store.set({ schemes: failed(codeOf(error)) });
      this.store.set({ offline: codeOf(error) === 'unreachable' });
    }
  }

  protected async readLists(): Promise<void> {
    const [indicators, massings] = await Promise.allSettled([this.api.indicators(), this.api.massings()]);
    this.store.set({ indicators: indicators.status === 'fulfilled' ? indicators.value : [], massings: massings.status === 'fulfilled' ? massings.value : [] });
  }

  /** Take a scheme in hand; null: the city as it is. */
  open(id: string | null, at: number | null = null): void {
    const run = ++this.asked;
    this.live?.stop();
    this.live = null;
    this.store.set({
      current: id, at, objects: null, log: id ? loading : { state: 'idle' }, readings: id ? loading : { state: 'idle' }, findings: id ? loading : { state: 'idle' },
      people: [], contradicted: [], unsent: readUnsent(this.doors.tab, id), refused: null, shownFinding: null, inspected: null, saved_ms: null, compare: null, phase: null,
    });
    if (id === null) return;
    this.refresh();
    this.live = new LiveSocket(this.doors.liveAddress, [`schemes/${id}`], {
      onState: (state) => this.store.set({ offline: state.status === 'offline' || state.status === 'reconnecting' }),
      onItems: (_topic, items, whole) => { if (run === this.asked) this.heard(id, items as readonly LiveItem[], whole); },
      onEvent: () => undefined,
      onEpoch: () => { if (run === this.asked) this.open(id, this.state.at); },
    }, () => (this.state.token ? { token: this.state.token } : null));
    this.live.start();
    this.greet();
  }

  /** Read the scheme in hand anew; what is shown stays until the answers are here. */
  refresh(): void {
    const { current } = this.state;
    if (current === null) return;
    const run = this.asked;
    void this.readLog(current, run);
    void this.readObjects(current, run);
    void this.readImpact(current, run);
    void this.readFindings(current, run);
  }

  /** Bring what a scheme changes into view. */
  show(scheme: Scheme): void {
    const box = scheme.bbox;
    if (!box) return;
    const view = this.city.map?.getView();
    const width = Math.max(box[2] - box[0], 2 * (box[3] - box[1]), 1e-4);
    if (view) this.city.map?.centreOn([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2], Math.min(17.2, Math.log2((360 * 0.55) / width)), true);
  }

  private async readLog(id: string, run: number): Promise<void> {
    await this.take(run, this.api.edits(id), (log) => this.store.set({ log: ready(withEdits(valueOf(this.state.log) ?? [], log)) }), (code) => this.store.set({ log: failed(code) }));
  }

  protected async readObjects(id: string, run: number): Promise<void> {
    const { at, phase } = this.state;
    await this.take(run, this.api.objects(id, { ...(at === null ? {} : { sequence: at }), ...(phase === null ? {} : { phase }) }), (objects) => {
      if (this.state.at === at && this.state.phase === phase) this.store.set({ objects });
    }, () => undefined);
  }

  async readImpact(id: string, run = this.asked): Promise<void> {
    const { against } = this.state;
    await this.take(run, this.api.impact(id, against), (answer) => {
      if (this.state.against === against) this.store.set({ readings: ready(readingsAfter(valueOf(this.state.readings) ?? [], answer.items)) });
    }, (code) => { if (this.state.readings.state !== 'ready') this.store.set({ readings: failed(code) }); });
  }

  private async readFindings(id: string, run: number): Promise<void> {
    await this.take(run, this.api.findings(id), (items) => this.store.set({ findings: ready(items) }), (code) => { if (this.state.findings.state !== 'ready') this.store.set({ findings: failed(code) }); });
  }

  /** A baseline that has gone on: which edits does it contradict? Asked again after every edit. */
  protected checkBaseline(now: PlanState): void {
    const scheme = schemeOf(now);
    const key = scheme?.stale_baseline && now.token !== null ? `${this.asked} ${scheme.id}@${scheme.head}` : '';
    if (key === this.checked) return;
    this.checked = key;
    if (key === '' || !scheme) this.store.set({ contradicted: [] });
    else void this.take(this.asked, this.api.contradictions(scheme.id), (contradicted) => { if (this.checked === key) this.store.set({ contradicted }); }, () => undefined);
  }

  /** What is asked for counts only while the same scheme is in hand. */
  private async take<T>(run: number, answer: Promise<T>, use: (value: T) => void, otherwise: (code: string) => void): Promise<void> {
    try {
      const value = await answer;
      if (run === this.asked) use(value);
    } catch (error) {
      if (run === this.asked) otherwise(codeOf(error));
    }
  }

  /** Once, a moment from now, however often it is asked for. */
  protected soon(what: string, work: () => void, wait_ms = SOON_MS): void {
    if (this.soonTimers.has(what)) return;
    this.soonTimers.set(what, setTimeout(() => {
      this.soonTimers.delete(what);
      work();
    }, wait_ms));
  }

  protected afresh(id: string): void {
    const run = this.asked;
    this.soon('findings', () => void this.readFindings(id, run));
    if (this.state.against !== BASE) this.soon('impact', () => void this.readImpact(id, run), 2 * SOON_MS);
  }

  // --- what others do ------------------------------------------------------

  private heard(id: string, items: readonly LiveItem[], whole: boolean): void {
    const edits = items.flatMap((item): Edit[] => (item.edit ? [item.edit] : []));
    const readings = items.flatMap((item): Reading[] => (item.reading ? [item.reading] : []));
    for (const item of items) if (item.scheme) this.putScheme(item.scheme);
    if (edits.length > 0) this.takeEdits(edits);
    if (readings.length > 0) {
      if (this.state.against === BASE) this.store.set({ readings: ready(readingsAfter(valueOf(this.state.readings) ?? [], readings)) });
      else this.afresh(id);
    }
    this.store.set({ people: peopleAfter(this.state.people, items, whole, this.doors.who) });
    const objects = items.find((item) => item.id === 'objects');
    if (objects?.sequence !== undefined && this.state.at === null && objects.sequence > (this.state.objects?.sequence ?? -1)) {
      const run = this.asked;
      this.soon('objects', () => void this.readObjects(id, run), 60);
      this.afresh(id);
    }
  }

  protected takeEdits(edits: readonly Edit[]): void {
    const log = valueOf(this.state.log) ?? [];
    const known = new Set(log.map((e) => e.sequence));
    this.store.set({ log: ready(withEdits(log, edits)) });
    const other = edits.findLast((e) => !known.has(e.sequence) && e.author !== this.author);
    if (other && known.size > 0) this.city.say(t('plan.otherEdited', { name: other.author }));
  }

  putScheme(scheme: Scheme): void {
    const schemes = valueOf(this.state.schemes) ?? [];
    const known = schemes.find((s) => s.id === scheme.id);
    if (known && known.head > scheme.head) return;
    this.store.set({ schemes: ready(known ? schemes.map((s) => (s.id === scheme.id ? scheme : s)) : [...schemes, scheme]) });
  }

  protected greet(): void {
    const { current, token } = this.state;
    if (!current || !token || document.hidden) return;
    const { selection } = this.city.state;
    void this.api.greet(current, this.doors.who, selection ? [selection.id] : []).catch(() => undefined);
  }
}
