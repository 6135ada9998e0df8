/**
 * What happens on the Plan page: reads the schemes, follows the one in hand, sends edits, and keeps map,
 * link and state in step. The only place of the page that talks to the server about schemes.
 */
import { LiveSocket } from '../live/socket';
import { codeOf } from '../state/api';
import { failed, loading, ready, valueOf } from '../state/model';
import { Store } from '../state/store';
import { EditRefused, type EditRequest, type SchemeApi } from '../scheme/api';
import { BASE, type Edit, type EditAnswer, type Reading, type Scheme, type SchemeObject, type SchemeOverlay } from '../scheme/types';
import { t } from '../i18n/index';
import type { PlanCity } from './city';
import { colourKey, redoSteps, treeOf, undoSteps, withEdits, type Branch } from './log';
import { writePlanLink } from './link';
import { Outbox, readUnsent } from './outbox';
import { afterEdit, lockedBy, peopleAfter, planLinkOf, readingsAfter, schemeOf, type LiveItem, type PlanState } from './plan-state';
import type { Keeper } from './token';

const ANONYMOUS = 'planner';
const LIST_EVERY_MS = 20_000;
const GREET_EVERY_MS = 8_000;
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

export class Plan {
  readonly store: Store<PlanState>;
  readonly outbox: Outbox;
  private live: LiveSocket | null = null;
  private timers: ReturnType<typeof setInterval>[] = [];
  private readonly soonTimers = new Map<string, ReturnType<typeof setTimeout>>();
  private asked = 0;
  private checked = '';

  constructor(state: PlanState, readonly city: PlanCity, readonly doors: PlanDoors) {
    this.store = new Store(state);
    this.outbox = new Outbox(doors.api, doors.tab);
    city.planLink = (query) => writePlanLink(planLinkOf(this.state), query);
    this.store.subscribe((now, before) => this.follow(now, before));
    city.store.subscribe((now, before) => {
      if (now.selection !== before.selection) this.selectionChanged();
    });
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

  start(): void {
    void this.readSchemes();
    void this.readLists();
    this.timers.push(setInterval(() => { if (!document.hidden) void this.readSchemes(); }, LIST_EVERY_MS), setInterval(() => this.greet(), GREET_EVERY_MS));
  }

  stop(): void {
    this.live?.stop();
    for (const timer of this.timers) clearInterval(timer);
    this.city.stop();
  }

  // --- reading -------------------------------------------------------------

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

  private async readLists(): Promise<void> {
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

  private async readObjects(id: string, run: number): Promise<void> {
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
  private checkBaseline(now: PlanState): void {
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
  private soon(what: string, work: () => void, wait_ms = SOON_MS): void {
    if (this.soonTimers.has(what)) return;
    this.soonTimers.set(what, setTimeout(() => {
      this.soonTimers.delete(what);
      work();
    }, wait_ms));
  }

  private afresh(id: string): void {
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

  private takeEdits(edits: readonly Edit[]): void {
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

  private greet(): void {
    const { current, token } = this.state;
    if (!current || !token || document.hidden) return;
    const { selection } = this.city.state;
    void this.api.greet(current, this.doors.who, selection ? [selection.id] : []).catch(() => undefined);
  }

  private selectionChanged(): void {
    this.store.set({ inspected: null });
    this.soon('greet', () => this.greet());
    void this.inspect();
  }

  // --- edits ---------------------------------------------------------------

  get locked(): ReturnType<typeof lockedBy> {
    return lockedBy(this.state);
  }

  /** Send an edit; the answer is null where it was not taken, and then the page says why. */
  async edit(request: EditRequest, key?: string): Promise<EditAnswer | null> {
    const { current, phaseFor } = this.state;
    if (!current || this.locked) {
      if (this.locked === 'no-token') this.store.set({ dialog: { kind: 'token', refused: false } });
      return null;
    }
    const run = this.asked;
    this.store.set({ sending: this.state.sending + 1, refused: null });
    const outcome = await this.outbox.send(current, phaseFor === null ? request : { phase_year: phaseFor, ...request }, key);
    this.store.set({ sending: this.state.sending - 1, unsent: this.unsent });
    if (outcome.kind === 'done') {
      if (run === this.asked) this.done(outcome.answer);
      return outcome.answer;
    }
    if (run === this.asked) this.notDone(request, outcome);
    return null;
  }

  private notDone(request: EditRequest, outcome: Exclude<Awaited<ReturnType<Outbox['send']>>, { kind: 'done' }>): void {
    if (outcome.kind === 'refused' && outcome.error.conflicts.length > 0) this.store.set({ dialog: { kind: 'conflict', request, conflicts: outcome.error.conflicts } });
    else if (outcome.kind === 'refused') this.store.set({ refused: { code: outcome.error.code, findings: outcome.error.findings } });
    else this.failedWith(outcome.code);
  }

  /** What was sent and not heard of; it may be sent again. */
  private get unsent(): PlanState['unsent'] {
    return readUnsent(this.doors.tab, this.state.current);
  }

  drop(key: string): void {
    this.outbox.discard(key);
    this.store.set({ unsent: this.unsent });
  }

  failedWith(code: string): void {
    if (code === 'planner-token' || code === 'unauthorized') this.store.set({ dialog: { kind: 'token', refused: true } });
    else this.store.set({ refused: { code, findings: [] } });
  }

  private done(answer: EditAnswer): void {
    this.store.set({ objects: this.state.phase === null && this.state.at === null ? afterEdit(this.state.objects, answer) : this.state.objects, saved_ms: Date.now(), at: null, refused: null });
    this.takeEdits([answer.edit]);
    this.putScheme(answer.scheme);
    if (this.state.phase !== null && this.state.current) void this.readObjects(this.state.current, this.asked);
    if (this.state.current) this.afresh(this.state.current);
    this.store.set({ turn: this.state.turn + 1, inspected: null });
    void this.inspect();
  }

  /** Take back what an author did last, all steps of a pull at once; or the edits that are named, the newest first. */
  async undo(steps: readonly number[] = undoSteps(this.log, this.author)): Promise<void> {
    await this.walkLog(steps, (id, sequence) => this.api.undo(id, sequence));
  }

  async redo(steps: readonly number[] = redoSteps(this.log, this.author)): Promise<void> {
    await this.walkLog(steps, (id, sequence) => this.api.redo(id, sequence));
  }

  private async walkLog(steps: readonly number[], ask: (id: string, sequence: number) => Promise<EditAnswer>): Promise<void> {
    const { current } = this.state;
    if (steps.length === 0 || this.locked || !current || this.state.sending > 0) return;
    const run = this.asked;
    this.store.set({ sending: this.state.sending + 1 });
    try {
      for (const sequence of steps) {
        const answer = await ask(current, sequence);
        if (run !== this.asked) break;
        this.done(answer);
      }
    } catch (error) {
      if (error instanceof EditRefused && error.conflicts.length > 0) this.store.set({ refused: { code: error.code, findings: [] } });
      else this.failedWith(codeOf(error));
    } finally {
      this.store.set({ sending: this.state.sending - 1 });
    }
  }

  get log(): readonly Edit[] {
    return valueOf(this.state.log) ?? [];
  }

  /** Look at the scheme as of one of its edits; null: as of now. */
  lookAt(sequence: number | null): void {
    const head = schemeOf(this.state)?.head ?? 0;
    this.store.set({ at: sequence === null || sequence >= head ? null : sequence });
  }

  // --- the thing in hand ---------------------------------------------------

  objectOf(id: string): SchemeObject | null {
    return this.state.objects?.items.find((item) => item.id === id) ?? null;
  }

  /** What a scheme would know of the selected building of the base: asked by an edit that is tried only. */
  private async inspect(): Promise<void> {
    const id = this.city.state.selection?.kind === 'object' ? this.city.state.selection.id : null;
    const { current } = this.state;
    if (!id || !current || this.locked || this.objectOf(id)) return;
    try {
      const tried = await this.api.try(current, { kind: 'building.solar', target: id, params: { solar_share: 0.001 } });
      const object = tried.objects.find((o) => o.id === id) ?? null;
      if (object && this.city.state.selection?.id === id) this.store.set({ inspected: { id, object: { ...object, properties: { ...object.properties, solar_share: 0 } } } });
    } catch {
      // It is no building, or it is gone: the card of the city says what is known of it.
    }
  }

  /** The selected object as the scheme has it. */
  get selected(): SchemeObject | null {
    const id = this.city.state.selection?.kind === 'object' ? this.city.state.selection.id : null;
    if (id === null) return null;
    return this.objectOf(id) ?? (this.state.inspected?.id === id ? this.state.inspected.object : null);
  }

  overlay(): SchemeOverlay | null {
    const { current, objects, phase } = this.state;
    const { tree } = this;
    const branch = tree.find((b) => b.scheme.id === current);
    if (!branch || !objects || current === null) return null;
    return { scheme: current, letter: branch.label, colour_index: 'abcd'.indexOf(colourKey(branch, tree)), objects: objects.items, hidden: new Set(objects.hidden), phase };
  }

  private follow(now: PlanState, before: PlanState): void {
    if (now.objects !== before.objects || now.current !== before.current || now.schemes !== before.schemes) this.draw(now, before);
    if ((now.at !== before.at || now.phase !== before.phase) && now.current && now.current === before.current) void this.readObjects(now.current, this.asked);
    if (now.against !== before.against && now.current && now.current === before.current) {
      this.store.set({ readings: loading });
      void this.readImpact(now.current);
    }
    this.checkBaseline(now);
    if (now.token !== before.token) {
      void this.readSchemes();
      if (now.current) this.open(now.current, now.at);
    }
    const linked = ['current', 'at', 'against', 'phase'] as const;
    if (linked.some((key) => now[key] !== before[key])) history.replaceState(null, '', this.city.link('/plan'));
  }

  private draw(now: PlanState, before: PlanState): void {
    // A new list of schemes changes a drawing only by its letter and colour.
    if (now.objects === before.objects && now.current === before.current && before.schemes.state === 'ready') return;
    this.city.map?.setOverlay?.(this.overlay());
  }
}
