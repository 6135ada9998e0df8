import { describe, expect, it } from 'vitest';
import type { Edit, EditAnswer, Reading, Scheme, SchemeObject } from '../scheme/types';
import { conflictNote } from './edit-words';
import { changeOf, colourKey, contradictedEdits, historyRows, marked, nextRedo, nextUndo, redoSteps, staleBy, treeOf, undoSteps, withEdits } from './log';
import { afterEdit, initialPlan, lockedBy, peopleAfter, readingsAfter, type PlanState } from './plan-state';
import { ready } from '../state/model';

const edit = (sequence: number, more: Partial<Edit> = {}): Edit => ({
  sequence, id: `s/${sequence}`, kind: 'building.use', title: { code: 'building.use', params: {} }, targets: ['t'], changes: [], author: 'Lin', at: new Date(sequence * 1000).toISOString(),
  phase_year: null, undoes: null, undone: false, findings: [], ...more,
});
const storeys = (n: number): Edit['changes'][number]['new'] => Array.from({ length: n }, () => [3, 'office'] as const);
const pull = (sequence: number, from: number, to: number): Edit => edit(sequence, { kind: 'building.height', changes: [{ target: 't', field: 'storeys', old: storeys(from), new: storeys(to) }] });
const scheme = (id: string, parent: string, index: number, more: Partial<Scheme> = {}): Scheme => ({
  id, name: { en: id, zh: id }, summary: { en: '', zh: '' }, letter: 'ABCDE'[index] ?? 'B', colour_index: index, parent, baseline_version: 1, state: 'draft', version: null, edit_count: 0, head: 3,
  author: 'Lin', created_at: `2026-01-0${index}`, updated_at: '2026-01-01', stale_baseline: false, bbox: null, counts: { added: 0, changed: 0, demolished: 0 }, tour: [], phases: [], ...more,
});

describe('undo and redo', () => {
  const log = [edit(1), edit(2, { author: 'Chen' }), edit(3)];

  it('take back the last edit of the same author', () => {
    expect(nextUndo(log, 'Lin')?.sequence).toBe(3);
    expect(nextUndo(log, 'Chen')?.sequence).toBe(2);
    expect(nextUndo(log, 'Wei')).toBeNull();
  });

  it('pass over what is undone, and put it back', () => {
    const undone = marked([...log, edit(4, { kind: 'undo', undoes: 3 })]);
    expect(undone[2]?.undone).toBe(true);
    expect(nextUndo(undone, 'Lin')?.sequence).toBe(1);
    expect(nextRedo(undone, 'Lin')?.sequence).toBe(4);
    const redone = marked([...undone, edit(5, { kind: 'redo', undoes: 4 })]);
    expect(redone[2]?.undone).toBe(false);
    expect(nextRedo(redone, 'Lin')).toBeNull();
  });

  it('forget what was undone once there is a new edit', () => {
    expect(nextRedo(marked([...log, edit(4, { kind: 'undo', undoes: 3 }), edit(5)]), 'Lin')).toBeNull();
  });

  it('take a pull back as a whole, the newest step first, and put it back the oldest first', () => {
    const pulled = [edit(1), pull(2, 5, 7), pull(3, 7, 9), pull(4, 9, 12)];
    expect(undoSteps(pulled, 'Lin')).toEqual([4, 3, 2]);
    const undone = marked([...pulled, edit(5, { kind: 'undo', undoes: 4 }), edit(6, { kind: 'undo', undoes: 3 }), edit(7, { kind: 'undo', undoes: 2 })]);
    expect(undoSteps(undone, 'Lin')).toEqual([1]);
    expect(redoSteps(undone, 'Lin')).toEqual([2, 3, 4]);
  });
});

describe('the history', () => {
  it('shows the newest first, without what undo itself wrote', () => {
    const rows = historyRows(marked([edit(1), edit(2), edit(3, { kind: 'undo', undoes: 2 })]));
    expect(rows.map((r) => [r.last.sequence, r.state])).toEqual([[2, 'undone'], [1, 'current']]);
  });

  it('makes one row of a pull, with what was before its first step', () => {
    const [row] = historyRows([pull(2, 5, 7), pull(3, 7, 9)]);
    expect(row?.steps).toHaveLength(2);
    expect(row && (changeOf(row, 'storeys')?.old as unknown[]).length).toBe(5);
    expect(row && (changeOf(row, 'storeys')?.new as unknown[]).length).toBe(9);
  });

  it('keeps apart what another hand, another thing or another time did', () => {
    expect(historyRows([pull(1, 5, 6), { ...pull(2, 6, 7), author: 'Chen' }])).toHaveLength(2);
    expect(historyRows([pull(1, 5, 6), { ...pull(2, 6, 7), targets: ['u'] }])).toHaveLength(2);
    expect(historyRows([pull(1, 5, 6), { ...pull(2, 6, 7), at: new Date(60_000).toISOString() }])).toHaveLength(2);
  });

  it('marks what conflicts', () => {
    expect(historyRows([edit(1), edit(2)], new Set([1])).map((r) => r.state)).toEqual(['current', 'conflict']);
  });

  it('finds the standing edit that a newer baseline contradicts, and says what there is to choose', () => {
    const other = edit(3, { changes: [{ target: 'u', field: 'storeys', old: 1, new: 2 }] });
    const log = marked([pull(1, 5, 7), pull(2, 7, 9), other, pull(4, 9, 3), edit(5, { kind: 'undo', undoes: 4 })]);
    const conflict = { target: 't', field: 'storeys', base: storeys(5), ours: storeys(9), theirs: storeys(4) };
    const found = contradictedEdits(log, [conflict, { target: 'u', field: 'exists', base: true, ours: true, theirs: false }, { target: 'gone', field: 'name', base: '', ours: 'a', theirs: 'b' }]);
    expect([...found.keys()]).toEqual([2, 3]);
    expect(historyRows(log, new Set(found.keys())).map((r) => [r.last.sequence, r.state])).toEqual([[4, 'undone'], [3, 'conflict'], [2, 'conflict']]);
    expect(conflictNote(conflict)).toBe('Baseline is now 12 m: choose 12 m or 27 m');
    expect([...found.values()].map(conflictNote)[1]).toBe('Gone from the new baseline: choose');
    expect(conflictNote({ ...conflict, field: 'footprint' })).toBe('The baseline has changed: choose');
  });

  it('takes edits in any order and once', () => {
    expect(withEdits([edit(1)], [edit(3), edit(2), edit(3)]).map((e) => e.sequence)).toEqual([1, 2, 3]);
  });
});

describe('the tree of schemes', () => {
  const schemes = [scheme('c', 'base', 2), scheme('b', 'base', 1), scheme('b1', 'b', 3), scheme('lost', 'gone', 4)];

  it('puts branches under their parents with numbers of their own', () => {
    expect(treeOf(schemes).map((b) => [b.label, b.depth])).toEqual([['B', 0], ['B.1', 1], ['C', 0], ['E', 0]]);
  });

  it('gives a branch the colour of the scheme it came from', () => {
    const tree = treeOf(schemes);
    expect(tree.map((b) => colourKey(b, tree))).toEqual(['b', 'b', 'c', 'b']);
  });
});

describe('the page of a scheme', () => {
  const start = (more: Partial<PlanState> = {}): PlanState => ({ ...initialPlan({ scheme: 'b', at: null, against: 'base', phase: null }, { token: 't', author: '', views: [], unsent: null }), schemes: ready([scheme('b', 'base', 1)]), ...more });

  it('is locked without scheme, without token, and in the past', () => {
    expect(lockedBy(start())).toBeNull();
    expect(lockedBy(start({ current: null }))).toBe('no-scheme');
    expect(lockedBy(start({ token: null }))).toBe('no-token');
    expect(lockedBy(start({ at: 2 }))).toBe('past');
    expect(lockedBy(start({ at: 3 }))).toBeNull();
  });

  it('replaces what an edit touched and drops what it took', () => {
    const object = (id: string, height_m: number): SchemeObject => ({ id, type: 'Building', change: 'added', geometry: null, ground_m: 0, height_m, storeys: [], roof: { type: 'flat', height_m: 0 }, land_use: null, phase_year: null, name: null, properties: {} });
    const answer: EditAnswer = { edit: edit(2, { targets: ['a', 'c'] }), findings: [], scheme: scheme('b', 'base', 1), objects: [object('a', 20)], hidden: ['x'], gone: ['c'] };
    const after = afterEdit({ sequence: 1, items: [object('a', 10), object('b', 5), object('c', 1)], hidden: [] }, answer);
    expect(after.items.map((o) => [o.id, o.height_m])).toEqual([['b', 5], ['a', 20]]);
    expect(after.hidden).toEqual(['x']);
    expect(after.sequence).toBe(2);
  });

  it('never puts an older reading over a newer one, and keeps a value while it is worked out anew', () => {
    const reading = (sequence: number, value: number | null, state: Reading['state'] = 'ready'): Reading => ({ id: 'people.dwellings', value, unit: '1', base: 0, delta: 0, target: null, interval: null, quality: 'modelled', method: 'm', inputs: [], sources: [], factors: [], state, sequence, verdict: null, breakdown: null });
    expect(readingsAfter([reading(5, 50)], [reading(4, 40)])[0]?.value).toBe(50);
    expect(readingsAfter([reading(5, 50)], [reading(6, 60)])[0]?.value).toBe(60);
    expect(readingsAfter([reading(5, 50)], [reading(6, null, 'pending')])[0]).toMatchObject({ value: 50, state: 'pending', sequence: 5 });
    expect(staleBy(5, 8)).toBe(3);
  });

  it('knows who else is there, without oneself', () => {
    const here = peopleAfter([], [{ id: 'presence/1', author: 'Chen', selection: ['a'] }, { id: 'presence/me', author: 'Lin', selection: [] }], true, 'me');
    expect(here.map((p) => p.author)).toEqual(['Chen']);
    expect(peopleAfter(here, [{ id: 'presence/1', removed: true }], false, 'me')).toEqual([]);
    expect(peopleAfter(here, [{ id: 'objects', sequence: 3 }], false, 'me')).toBe(here);
  });
});
