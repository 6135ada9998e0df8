/** Reading the log of a scheme and the tree of schemes; pure. */
import type { Conflict, Edit, FieldChange, Json, Scheme } from '../scheme/types';
import { BASE } from '../scheme/types';

const OF_THE_LOG = new Set(['undo', 'redo']);
/** Steps of one pull: the same thing, by the same hand, with no longer pause between them. */
const PULL_MS = 8_000;

/** The last edit of an author that stands; what Undo takes back. */
export function nextUndo(log: readonly Edit[], author: string): Edit | null {
  return log.findLast((edit) => edit.author === author && !edit.undone && !OF_THE_LOG.has(edit.kind) && edit.kind !== 'rebase') ?? null;
}

/** The last undo of an author that stands and that no new edit of theirs has followed. */
export function nextRedo(log: readonly Edit[], author: string): Edit | null {
  for (const edit of log.toReversed()) {
    if (edit.author !== author) continue;
    if (!OF_THE_LOG.has(edit.kind)) return null;
    if (edit.kind === 'undo' && !edit.undone) return edit;
  }
  return null;
}

/** The log with each edit marked that a later one takes back and none has put back. */
export function marked(log: readonly Edit[]): Edit[] {
  const taken = new Set<number>();
  for (const edit of log.toReversed()) if (edit.undoes !== null && !taken.has(edit.sequence)) taken.add(edit.undoes);
  return log.map((edit) => (edit.undone === taken.has(edit.sequence) ? edit : { ...edit, undone: taken.has(edit.sequence) }));
}

/** The log with some edits put in or replaced, in order. */
export function withEdits(log: readonly Edit[], edits: readonly Edit[]): Edit[] {
  const by = new Map(log.map((edit) => [edit.sequence, edit]));
  for (const edit of edits) by.set(edit.sequence, edit);
  return marked([...by.values()].sort((a, b) => a.sequence - b.sequence));
}

/** A row of the history: an edit, or the steps of one pull. */
export interface Row {
  readonly last: Edit;
  readonly steps: readonly Edit[];
  readonly state: 'current' | 'done' | 'undone' | 'conflict';
}

const sameHand = (a: Edit, b: Edit): boolean =>
  a.kind === b.kind && a.author === b.author && a.undone === b.undone && a.kind === 'building.height' && a.targets.join() === b.targets.join() && Date.parse(b.at) - Date.parse(a.at) <= PULL_MS;

/** The history as it is shown, newest first. What undo and redo themselves wrote is not shown: it is seen in the edits. */
export function historyRows(log: readonly Edit[], conflicting: ReadonlySet<number> = new Set()): Row[] {
  const groups: Edit[][] = [];
  for (const edit of log) {
    if (OF_THE_LOG.has(edit.kind)) continue;
    const open = groups.at(-1);
    const before = open?.at(-1);
    if (open && before && sameHand(before, edit)) open.push(edit);
    else groups.push([edit]);
  }
  const current = groups.findLast((steps) => !steps.at(-1)?.undone)?.at(-1)?.sequence;
  return groups.toReversed().flatMap((steps) => {
    const last = steps.at(-1);
    if (!last) return [];
    const state = steps.some((e) => conflicting.has(e.sequence)) ? 'conflict' : last.undone ? 'undone' : last.sequence === current ? 'current' : 'done';
    return [{ last, steps, state }];
  });
}

/** The standing edits that a newer baseline contradicts: the last one of each field, or of a thing that is gone. */
export function contradictedEdits(log: readonly Edit[], conflicts: readonly Conflict[]): ReadonlyMap<number, Conflict> {
  const found = new Map<number, Conflict>();
  for (const conflict of conflicts) {
    const of = (edit: Edit): boolean => edit.changes.some((c) => c.target === conflict.target && (conflict.field === 'exists' || c.field === conflict.field));
    const edit = log.findLast((e) => !e.undone && !OF_THE_LOG.has(e.kind) && of(e));
    if (edit && !found.has(edit.sequence)) found.set(edit.sequence, conflict);
  }
  return found;
}

/** The steps that Undo takes back: all of the last pull, the newest first. */
export function undoSteps(log: readonly Edit[], author: string): number[] {
  const last = nextUndo(log, author);
  const row = last && historyRows(log).find((r) => r.steps.some((e) => e.sequence === last.sequence));
  return row ? row.steps.map((e) => e.sequence).reverse() : [];
}

/** The steps that Redo puts back: all of the pull that was undone last, the oldest first. */
export function redoSteps(log: readonly Edit[], author: string): number[] {
  const undone = nextRedo(log, author)?.undoes;
  const row = undone === undefined || undone === null ? undefined : historyRows(log).find((r) => r.steps.some((e) => e.sequence === undone));
  return row ? row.steps.map((e) => e.sequence) : [];
}

/** What a row changed of one field, from before its first step to after its last. */
export function changeOf(row: Row, field: string): FieldChange | null {
  const first = row.steps[0]?.changes.find((c) => c.field === field);
  const last = row.last.changes.find((c) => c.field === field);
  return first && last ? { ...last, old: first.old } : null;
}

export const storeysIn = (value: Json): readonly (readonly [number, string])[] =>
  Array.isArray(value) ? value.flatMap((s: Json) => (Array.isArray(s) && typeof s[0] === 'number' && typeof s[1] === 'string' ? [[s[0], s[1]] as const] : [])) : [];

export const sumHeights = (storeys: readonly (readonly [number, string])[]): number => Math.round(storeys.reduce((sum, [height]) => sum + height, 0) * 1000) / 1000;

/** A scheme in the tree, and how deep it is a branch of others. */
export interface Branch {
  readonly scheme: Scheme;
  readonly depth: number;
  /** `B`, and `B.1` for the first branch of B. */
  readonly label: string;
}

/** Parents before their branches, each set in the order in which they were made. */
export function treeOf(schemes: readonly Scheme[]): Branch[] {
  const known = new Set(schemes.map((s) => s.id));
  const under = new Map<string, Scheme[]>();
  for (const scheme of schemes) {
    const parent = known.has(scheme.parent) ? scheme.parent : BASE;
    under.set(parent, [...(under.get(parent) ?? []), scheme]);
  }
  const rows: Branch[] = [];
  const walk = (parent: string, depth: number, prefix: string): void => {
    (under.get(parent) ?? []).toSorted((a, b) => a.created_at.localeCompare(b.created_at) || a.id.localeCompare(b.id)).forEach((scheme, i) => {
      const label = depth === 0 ? scheme.letter : `${prefix}.${i + 1}`;
      rows.push({ scheme, depth, label });
      walk(scheme.id, depth + 1, label);
    });
  };
  walk(BASE, 0, '');
  return rows;
}

/** The place of a letter in the palette: a branch wears the colour of the scheme that it came from. */
export function colourKey(branch: Branch, tree: readonly Branch[]): 'a' | 'b' | 'c' | 'd' {
  const root = branch.depth === 0 ? branch : tree.slice(0, tree.indexOf(branch)).findLast((b) => b.depth === 0) ?? branch;
  return (['b', 'c', 'd'] as const)[(Math.max(1, root.scheme.colour_index) - 1) % 3] ?? 'b';
}

/** Edits since a reading was worked out; 0 where it is fresh. */
export const staleBy = (sequence: number, head: number): number => Math.max(0, head - sequence);
