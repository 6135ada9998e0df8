import { idle, loading, type Loadable } from '../state/model';
import type { Choices, EditRequest } from '../scheme/api';
import type { Conflict, Edit, EditAnswer, Finding, IndicatorInfo, Massing, Reading, Scheme, SchemeObject, SchemeObjects } from '../scheme/types';
import { BASE } from '../scheme/types';
import type { PlanLink, SavedView } from './link';

export const TOOLS = ['select', 'draw', 'massing', 'model', 'push', 'move', 'demolish', 'paint', 'split', 'park', 'tree', 'street', 'network', 'measure', 'section'] as const;
export type ToolId = (typeof TOOLS)[number];

/** Somebody who looks at the same scheme. */
export interface Person {
  readonly who: string;
  readonly author: string;
  readonly selection: readonly string[];
}

/** An edit that was to be sent and of which nothing was heard. */
export interface Unsent {
  readonly scheme: string;
  readonly request: EditRequest;
  readonly key: string;
}

/** Both sides of what cannot be joined, and what has been chosen so far. */
export interface Joining {
  readonly from: string;
  readonly conflicts: readonly Conflict[];
  readonly choices: Choices;
  readonly busy: boolean;
  readonly done: boolean;
}

export type Dialog =
  | { readonly kind: 'token'; readonly refused: boolean }
  | { readonly kind: 'branch'; readonly parent: string }
  | { readonly kind: 'rename' }
  | { readonly kind: 'publish' | 'withdraw' | 'views' | 'keys' }
  | { readonly kind: 'merge' | 'rebase'; readonly joining: Joining }
  | { readonly kind: 'conflict'; readonly request: EditRequest; readonly conflicts: readonly Conflict[] }
  | { readonly kind: 'method'; readonly name: string };

export type CompareMode = 'swipe' | 'split' | 'table';

export interface PlanState {
  readonly token: string | null;
  readonly author: string;
  readonly schemes: Loadable<readonly Scheme[]>;
  /** The scheme in hand; null: the city as it is. */
  readonly current: string | null;
  readonly log: Loadable<readonly Edit[]>;
  /** What a newer baseline contradicts of the scheme in hand. */
  readonly contradicted: readonly Conflict[];
  /** The scheme is looked at as of this edit, not as of now. */
  readonly at: number | null;
  readonly objects: SchemeObjects | null;
  readonly readings: Loadable<readonly Reading[]>;
  readonly against: string;
  readonly findings: Loadable<readonly Finding[]>;
  readonly shownFinding: string | null;
  readonly allFindings: boolean;
  readonly allReadings: boolean;
  /** The reading whose making is told. */
  readonly why: string | null;
  /** Where the menu of a scheme is open: its corner, CSS pixels from left and bottom. */
  readonly more: { readonly left: number; readonly bottom: number } | null;
  readonly indicators: readonly IndicatorInfo[];
  readonly massings: readonly Massing[];
  readonly tool: ToolId;
  /** Counts what a tool changes in itself, so that it is drawn again. */
  readonly turn: number;
  readonly phase: number | null;
  /** The year that new edits are marked with. */
  readonly phaseFor: number | null;
  readonly people: readonly Person[];
  readonly sending: number;
  readonly saved_ms: number | null;
  /** Why the last edit was not taken. */
  readonly refused: { readonly code: string; readonly findings: readonly Finding[] } | null;
  readonly unsent: Unsent | null;
  readonly dialog: Dialog | null;
  readonly dialogFailed: string | null;
  readonly compare: { readonly mode: CompareMode; readonly with: string } | null;
  /** Where the divider of a swipe stands, 0 to 1. */
  readonly divider: number;
  readonly views: readonly SavedView[];
  readonly sunSurvey: boolean;
  readonly difference: boolean;
  readonly sunDock: boolean;
  readonly inspected: Inspected | null;
  readonly offline: boolean;
}

/** A building of the base as a scheme would have it: what a tried edit says of it. */
export interface Inspected {
  readonly id: string;
  readonly object: SchemeObject | null;
}

export function initialPlan(link: PlanLink, start: { token: string | null; author: string; views: readonly SavedView[]; unsent: Unsent | null }): PlanState {
  return {
    ...start,
    schemes: loading,
    current: link.scheme,
    log: idle,
    contradicted: [],
    at: link.at,
    objects: null,
    readings: idle,
    against: link.against,
    findings: idle,
    shownFinding: null,
    allFindings: false,
    allReadings: false,
    why: null,
    more: null,
    indicators: [],
    massings: [],
    tool: 'select',
    turn: 0,
    phase: link.phase,
    phaseFor: null,
    people: [],
    sending: 0,
    saved_ms: null,
    refused: null,
    dialog: null,
    dialogFailed: null,
    compare: null,
    divider: 0.5,
    sunSurvey: false,
    difference: false,
    sunDock: false,
    inspected: null,
    offline: false,
  };
}

export const planLinkOf = (s: PlanState): PlanLink => ({ scheme: s.current, at: s.at, against: s.against, phase: s.phase });

export const schemeOf = (s: PlanState, id: string | null = s.current): Scheme | null =>
  (id === null || id === BASE || s.schemes.state !== 'ready' ? null : s.schemes.value.find((scheme) => scheme.id === id)) ?? null;

/** Objects after an edit: what it touched is replaced, what it took from sight is gone. */
export function afterEdit(objects: SchemeObjects | null, answer: EditAnswer): SchemeObjects {
  const touched = new Set([...answer.edit.targets, ...(answer.gone ?? [])]);
  const kept = (objects?.items ?? []).filter((item) => !touched.has(item.id));
  return { sequence: answer.edit.sequence, items: [...kept, ...answer.objects], hidden: answer.hidden };
}

/** Why nothing can be edited now; null where it can. */
export function lockedBy(s: PlanState): 'no-scheme' | 'no-token' | 'past' | 'withdrawn' | null {
  const scheme = schemeOf(s);
  if (!scheme) return 'no-scheme';
  if (s.token === null) return 'no-token';
  if (s.at !== null && s.at < scheme.head) return 'past';
  return null;
}

export interface LiveItem {
  readonly id: string;
  readonly removed?: boolean;
  readonly scheme?: Scheme;
  readonly edit?: Edit;
  readonly reading?: Reading;
  readonly sequence?: number;
  readonly author?: string;
  readonly selection?: readonly string[];
}

/** The people after some items of the topic. */
export function peopleAfter(people: readonly Person[], items: readonly LiveItem[], whole: boolean, me: string): readonly Person[] {
  const mine = items.filter((item) => item.id.startsWith('presence/'));
  if (mine.length === 0 && !whole) return people;
  const by = new Map(whole ? [] : people.map((p) => [p.who, p]));
  for (const item of mine) {
    const who = item.id.slice('presence/'.length);
    if (item.removed || who === me) by.delete(who);
    else by.set(who, { who, author: item.author ?? '', selection: item.selection ?? [] });
  }
  return [...by.values()];
}

/** Readings after some came: one is replaced only by what counts as many edits in. */
export function readingsAfter(readings: readonly Reading[], news: readonly Reading[]): readonly Reading[] {
  const by = new Map(news.map((r) => [r.id, r]));
  const known = new Set(readings.map((r) => r.id));
  return [
    ...readings.map((old) => {
      const fresh = by.get(old.id);
      // What is being worked out again keeps its last value on the screen.
      if (!fresh || fresh.sequence < old.sequence) return old;
      return fresh.state === 'pending' && fresh.value === null && old.value !== null ? { ...old, state: 'pending' as const } : fresh;
    }),
    ...news.filter((r) => !known.has(r.id)),
  ];
}
