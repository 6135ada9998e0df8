/**
 * What happens on the Plan page: reads the schemes, follows the one in hand, sends edits, and keeps map,
 * link and state in step. The only place of the page that talks to the server about schemes.
 */
import { codeOf } from '../state/api';
import { loading, valueOf } from '../state/model';
import { EditRefused, type EditRequest } from '../scheme/api';
import type { Edit, EditAnswer, SchemeObject, SchemeOverlay } from '../scheme/types';
import type { PlanCity } from './city';
import { colourKey, redoSteps, undoSteps } from './log';
import { writePlanLink } from './link';
import { Outbox, readUnsent } from './outbox';
import { PlanReading, type PlanDoors } from './plan-reading';
import { afterEdit, lockedBy, planLinkOf, schemeOf, type PlanState } from './plan-state';

export type { PlanDoors } from './plan-reading';

const LIST_EVERY_MS = 20_000;
const GREET_EVERY_MS = 8_000;

export class Plan extends PlanReading {
  readonly outbox: Outbox;
  private timers: ReturnType<typeof setInterval>[] = [];

  constructor(state: PlanState, city: PlanCity, doors: PlanDoors) {
    super(state, city, doors);
    this.outbox = new Outbox(doors.api, doors.tab);
    city.planLink = (query) => writePlanLink(planLinkOf(this.state), query);
    this.store.subscribe((now, before) => this.follow(now, before));
    city.store.subscribe((now, before) => {
      if (now.selection !== before.selection) this.selectionChanged();
    });
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
