import { afterEach, describe, expect, it, vi } from 'vitest';
import { EditRefused, type EditRequest, type SchemeApi } from '../scheme/api';
import type { EditAnswer, Scheme } from '../scheme/types';
import { RequestFailed } from '../state/api';
import { ready } from '../state/model';
import { Store } from '../state/store';
import type { PlanCity } from './city';
import { readUnsent } from './outbox';
import { Plan } from './plan';
import { initialPlan } from './plan-state';
import type { Keeper } from './token';

const memory = (): Keeper => {
  const held = new Map<string, string>();
  return { getItem: (k) => held.get(k) ?? null, setItem: (k, v) => void held.set(k, v), removeItem: (k) => void held.delete(k) };
};
const scheme = { id: 'b', letter: 'B', parent: 'base', head: 0, stale_baseline: false, created_at: '', colour_index: 1, phases: [] } as unknown as Scheme;
const request = (kind: string): EditRequest => ({ kind, params: {} });

/** A life of the page: the tab's storage lasts, all else begins anew. */
function life(tab: Keeper, server: (request: EditRequest, key: string) => void): { readonly plan: Plan } {
  const nothing = async (): Promise<never> => { throw new RequestFailed('unreachable', 0); };
  const answer = (sequence: number): EditAnswer => ({ edit: { sequence, kind: 'tree.add', author: 'planner', targets: [], changes: [], undoes: null, undone: false }, findings: [], scheme: { ...scheme, head: sequence }, objects: [], hidden: [] }) as unknown as EditAnswer;
  let head = 0;
  const api = {
    edit: async (_id: string, edit: EditRequest, key: string) => {
      server(edit, key);
      return answer(++head);
    },
    findings: nothing, impact: nothing, objects: nothing, try: nothing,
  } as unknown as SchemeApi;
  const city = { store: new Store({ selection: null }), state: { selection: null }, map: null, say: () => undefined, link: () => '/plan' } as unknown as PlanCity;
  const start = initialPlan({ scheme: 'b', at: null, against: 'base', phase: null }, { token: 't', author: '', views: [], unsent: readUnsent(tab, 'b') });
  return { plan: new Plan({ ...start, schemes: ready([scheme]) }, city, { api, liveAddress: '', tab, kept: memory(), who: 'me' }) };
}

afterEach(() => void vi.useRealTimers());

describe('an edit of which nothing was heard', () => {
  const offline = (): never => { throw new RequestFailed('unreachable', 0); };

  it('is offered after a reload, goes with its first key, and is then forgotten', async () => {
    vi.useFakeTimers();
    const tab = memory();
    const sent: string[] = [];
    await life(tab, (_edit, key) => { sent.push(key); offline(); }).plan.edit(request('tree.add'));
    const { plan } = life(tab, (_edit, key) => void sent.push(key));
    const item = plan.state.unsent;
    expect(item?.request.kind).toBe('tree.add');
    await plan.edit(item?.request ?? request('x'), item?.key);
    expect(sent).toEqual([item?.key, item?.key]);
    expect(plan.state.unsent).toBeNull();
    expect(life(tab, () => undefined).plan.state.unsent).toBeNull();
  });

  it('is offered at once, without a reload, and again where it fails again', async () => {
    vi.useFakeTimers();
    const { plan } = life(memory(), offline);
    await plan.edit(request('tree.add'));
    const item = plan.state.unsent;
    expect(item).not.toBeNull();
    await plan.edit(item?.request ?? request('x'), item?.key);
    expect(plan.state.unsent).toEqual(item);
  });

  it('outlives the edits that are made after it', async () => {
    vi.useFakeTimers();
    const tab = memory();
    await life(tab, offline).plan.edit(request('tree.add'));
    const { plan } = life(tab, () => undefined);
    await plan.edit(request('park.add'));
    expect(plan.state.unsent?.request.kind).toBe('tree.add');
    expect(life(tab, () => undefined).plan.state.unsent?.request.kind).toBe('tree.add');
  });

  it('is dropped on request, or once the server refuses it', async () => {
    vi.useFakeTimers();
    const tab = memory();
    await life(tab, offline).plan.edit(request('tree.add'));
    const refusing = life(tab, () => { throw new EditRefused('edit-refused', 422, [], []); }).plan;
    const item = refusing.state.unsent;
    await refusing.edit(item?.request ?? request('x'), item?.key);
    expect(refusing.state.unsent).toBeNull();
    await life(tab, offline).plan.edit(request('park.add'));
    const { plan } = life(tab, () => undefined);
    plan.drop(plan.state.unsent?.key ?? '');
    expect([plan.state.unsent, readUnsent(tab)]).toEqual([null, null]);
  });
});
