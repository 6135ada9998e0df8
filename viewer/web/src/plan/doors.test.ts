import { describe, expect, it } from 'vitest';
import { RequestFailed } from '../state/api';
import { EditRefused, type EditRequest } from '../scheme/api';
import type { EditAnswer } from '../scheme/types';
import { readPlanLink, readViews, withView, writePlanLink, writeViews } from './link';
import { Outbox, readUnsent } from './outbox';
import { guarded, isToken, keepToken, takeToken, tokenInHash, type Keeper } from './token';
import { distance, frameAt } from './shape/frame';
import { TOOL_KEYS, tabStop } from './strip';
import { moveParams } from './tools/move';
import { networkParams } from './tools/network';
import { ELEMENTS } from './tools/network-elements';
import { pulled } from './tools/push';
import { wantedText } from './dialogs';
import { blocksOf } from './methods';

const memory = (): Keeper & { readonly held: Map<string, string> } => {
  const held = new Map<string, string>();
  return { held, getItem: (k) => held.get(k) ?? null, setItem: (k, v) => void held.set(k, v), removeItem: (k) => void held.delete(k) };
};
const TOKEN = 'rmUkxPk4od3XxmtZdWWi9LcDHXBR7qYp';

describe('the planner token', () => {
  it('is taken from the address, kept for the tab, and leaves the address', () => {
    const tab = memory();
    const replaced: string[] = [];
    expect(takeToken({ hash: `#token=${TOKEN}`, pathname: '/plan', search: '?scheme=b' }, tab, (url) => replaced.push(url))).toBe(TOKEN);
    expect(replaced).toEqual(['/plan?scheme=b']);
    expect(takeToken({ hash: '', pathname: '/plan', search: '' }, tab, (url) => replaced.push(url))).toBe(TOKEN);
    expect(replaced).toHaveLength(1);
  });

  it('that cannot be one is not kept, and leaves the address all the same', () => {
    const tab = memory();
    const replaced: string[] = [];
    expect(takeToken({ hash: '#token=x&map', pathname: '/plan', search: '' }, tab, (url) => replaced.push(url))).toBeNull();
    expect(replaced).toEqual(['/plan#map=']);
    expect(tab.held.size).toBe(0);
    expect(isToken('<script>')).toBe(false);
    expect(tokenInHash('#a=1').rest).toBe('#a=1');
  });

  it('may be lost by a browser that keeps nothing, which breaks no page', () => {
    const broken = guarded(() => { throw new Error('refused'); });
    keepToken(TOKEN, broken);
    expect(broken.getItem('x')).toBeNull();
  });
});

describe('an edit on its way', () => {
  const request: EditRequest = { kind: 'tree.add', params: {} };
  const answer = {} as EditAnswer;

  it('is kept until the server has answered, and offered again with the same key', async () => {
    const tab = memory();
    const keys: (string | undefined)[] = [];
    let fail = true;
    const outbox = new Outbox({ edit: async (_id, _edit, key) => { keys.push(key); if (fail) throw new RequestFailed('unreachable', 0); return answer; } }, tab, () => 'k1');
    expect(await outbox.send('b', request)).toEqual({ kind: 'failed', code: 'unreachable' });
    const unsent = readUnsent(tab);
    expect(unsent).toEqual({ scheme: 'b', request, key: 'k1' });
    fail = false;
    expect((await outbox.send('b', request, unsent?.key)).kind).toBe('done');
    expect(keys).toEqual(['k1', 'k1']);
    expect(readUnsent(tab)).toBeNull();
  });

  it('that was refused or is in conflict is not offered again; both sides are told', async () => {
    const tab = memory();
    const conflicts = [{ target: 't', field: 'storeys', base: 1, ours: 2, theirs: 3 }];
    const outbox = new Outbox({ edit: async () => { throw new EditRefused('edit-conflict', 409, [], conflicts); } }, tab);
    const outcome = await outbox.send('b', request);
    expect(outcome.kind === 'refused' && outcome.error.conflicts).toEqual(conflicts);
    expect(readUnsent(tab)).toBeNull();
  });

  it('is not thrown away because the token was missing or the server was busy', async () => {
    for (const status of [401, 429, 503]) {
      const tab = memory();
      await new Outbox({ edit: async () => { throw new RequestFailed('x', status); } }, tab).send('b', request);
      expect([status, readUnsent(tab)?.request.kind]).toEqual([status, 'tree.add']);
    }
  });

  it('waits for the one before it', async () => {
    const order: string[] = [];
    let open: () => void = () => undefined;
    const gate = new Promise<void>((go) => { open = go; });
    const outbox = new Outbox({ edit: async (_id, edit) => { order.push(`begin ${edit.kind}`); if (edit.kind === 'a') await gate; order.push(`end ${edit.kind}`); return answer; } }, memory());
    const both = Promise.all([outbox.send('b', { kind: 'a', params: {} }), outbox.send('b', { kind: 'b', params: {} })]);
    await Promise.resolve();
    open();
    await both;
    expect(order).toEqual(['begin a', 'end a', 'begin b', 'end b']);
  });

  it('that cannot be read is no edit', () => {
    const tab = memory();
    tab.setItem('cim.plan.unsent', '{"scheme":3}');
    expect(readUnsent(tab)).toBeNull();
    tab.setItem('cim.plan.unsent', 'x');
    expect(readUnsent(tab)).toBeNull();
  });
});

describe('links and views', () => {
  it('come back as they were written', () => {
    const link = { scheme: 'sdum4l5fa', at: 12, against: 's2agzezdx', phase: 2030 };
    expect(readPlanLink(`?${writePlanLink(link, 'v=1,2,3')}`)).toEqual(link);
    expect(writePlanLink({ scheme: null, at: null, against: 'base', phase: null }, '')).toBe('');
  });

  it('leave out what cannot be read', () => {
    expect(readPlanLink('?scheme=../x&edit=-1&year=99999&against=%00')).toEqual({ scheme: null, at: null, against: 'base', phase: null });
  });

  it('keep named views, the newest of a name', () => {
    const kept = memory();
    writeViews(withView(withView([], { name: 'a', query: '1' }), { name: 'a', query: '2' }), kept);
    expect(readViews(kept)).toEqual([{ name: 'a', query: '2' }]);
    kept.setItem('cim.plan.views', '{"x":1}');
    expect(readViews(kept)).toEqual([]);
  });
});

describe('an edit in conflict', () => {
  it('says what was asked for where the server has no value of it', () => {
    expect(wantedText({ kind: 'building.storeys', params: { count: 9, storey_height_m: 3.2 } })).toBe('9 storeys');
    expect(wantedText({ kind: 'building.use', params: { use: 'office' } })).toBe('Offices');
    expect(wantedText({ kind: 'street.close', params: {} })).toBe('Closed');
  });
});

describe('a pull', () => {
  it('comes to whole storeys, or to a tenth of a metre without snapping', () => {
    expect(pulled(16, 3.9, 3.2, 0, false)).toBe(19.2);
    expect(pulled(16, 3.94, 3.2, 0, true)).toBe(19.9);
    expect(pulled(19, 3.3, 3.2, 3, false)).toBe(22.2);
  });

  it('ends above the ground and below the sky', () => {
    expect(pulled(16, -900, 3.2, 0, false)).toBe(3.2);
    expect(pulled(16, 9_000, 3.2, 0, true)).toBe(600);
  });
});

describe('a move', () => {
  const ring = [[24.94, 60.17], [24.9404, 60.17], [24.9404, 60.1702], [24.94, 60.1702]] as const;

  it('is told by its ends, as long as it was on the map', () => {
    const { from, to, rotation_deg } = moveParams(ring, { east: 12, north: -5, turn: 0 });
    const way = frameAt(from as [number, number]).to(to as [number, number]);
    expect([way[0].toFixed(3), way[1].toFixed(3), rotation_deg]).toEqual(['12.000', '-5.000', undefined]);
    expect(distance([0, 0], frameAt([24.9402, 60.1701]).to(from as [number, number]))).toBeLessThan(0.01);
  });

  it('that only turns names no ends, and turns clockwise', () => {
    expect(moveParams(ring, { east: 0, north: 0, turn: 30 })).toEqual({ rotation_deg: -30 });
  });
});

describe('an element of a network', () => {
  const line = [[24.94, 60.17], [24.95, 60.17]] as const;

  it('is sent with its line or place, in the units of the wire', () => {
    expect(networkParams({ element: 'main', diameter_mm: 250, capacity: 9 }, line)).toEqual({ element: 'main', network_id: 'water', axis: [[24.94, 60.17], [24.95, 60.17]], diameter_m: 0.25 });
    expect(networkParams({ element: 'pump', diameter_mm: 250, capacity: 40 }, line)).toEqual({ element: 'pump', network_id: 'water', place: [24.94, 60.17], capacity: 0.04 });
    expect(networkParams({ element: 'substation', diameter_mm: 250, capacity: null }, line)).toEqual({ element: 'substation', network_id: 'power', place: [24.94, 60.17] });
  });

  it('needs what it stands on', () => {
    expect(networkParams({ element: 'feeder', diameter_mm: 1, capacity: null }, line.slice(0, 1))).toBeNull();
    for (const element of Object.keys(ELEMENTS)) expect(networkParams({ element, diameter_mm: 1, capacity: null }, [])).toBeNull();
  });
});

describe('the tools by keyboard', () => {
  it('have keys of their own', () => {
    const keys = Object.values(TOOL_KEYS);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('are come to by Tab, also where the one in hand is disabled', () => {
    expect([tabStop('draw', false), tabStop('draw', true), tabStop('measure', true)]).toEqual(['draw', 'select', 'measure']);
  });
});

describe('a page of a method', () => {
  it('is read as headings, paragraphs, items and code', () => {
    expect(blocksOf('# A\n\nb\nc\n- d\n  e\n```\nf\n```\n').map((b) => [b.kind, b.text])).toEqual([['h', 'A'], ['p', 'b c'], ['li', 'd e'], ['code', 'f']]);
  });
});
