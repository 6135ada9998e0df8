/**
 * The live protocol as a pure machine: something happens, out come a new state, frames to send and
 * effects to carry out. No socket, no clock, no timer in here; `at` is milliseconds, handed in.
 *
 * Promises it keeps:
 * - an offset is taken once: what was already applied is dropped, whatever order it comes in;
 * - a gap is never glossed over: the machine holds the last offset that is certain and asks for what
 *   followed it. Values are kept by the later phenomenon time, so applying across a gap harms nothing;
 * - another epoch is another run of the server: old values go, and the city is read again.
 */
import { changesOf, type Change, type ClientFrame, type Position, type ServerFrame } from './frames';

export const SILENCE_MS = 10_000;
export const OFFLINE_ATTEMPTS = 4;
/** Not more often than this is the same gap asked about. */
export const RESUME_EVERY_MS = 2_000;
const BACKOFF_MS = [500, 1_000, 2_000, 4_000, 8_000, 15_000] as const;
const CATCH_UP_MIN = 50;

export type Status = 'connecting' | 'live' | 'reconnecting' | 'catching-up' | 'offline';

export interface Value extends Change {
  /** When it arrived, by the clock of this page. */
  readonly received_ms: number;
}

export interface TopicState {
  readonly position: Position | null;
  /** Somewhere after `position` something is missing and has been asked for. */
  readonly gap: boolean;
  readonly asked_ms: number;
  /** The server does not know this topic: not asked for again until the next connection. */
  readonly refused: boolean;
}

export interface LiveState {
  readonly status: Status;
  readonly topics: Readonly<Record<string, TopicState>>;
  readonly values: ReadonlyMap<string, Value>;
  readonly epoch: string | null;
  readonly lastFrame_ms: number | null;
  /** Since when the present connection, or the attempt at one, has said nothing; null while there is neither. */
  readonly silentSince_ms: number | null;
  readonly lastValue_ms: number | null;
  /** Between the server's clock and the screen, where the server says when it spoke. */
  readonly lag_ms: number | null;
  readonly attempts: number;
  readonly missed: number;
}

export type Input =
  | { readonly kind: 'dial'; readonly at: number }
  | { readonly kind: 'open'; readonly at: number }
  | { readonly kind: 'frame'; readonly at: number; readonly frame: ServerFrame }
  | { readonly kind: 'closed'; readonly at: number }
  | { readonly kind: 'tick'; readonly at: number };

export type Effect =
  | { readonly kind: 'send'; readonly frame: ClientFrame }
  | { readonly kind: 'close' }
  | { readonly kind: 'reconnect'; readonly after_ms: number }
  | { readonly kind: 'values'; readonly ids: readonly string[] }
  | { readonly kind: 'items'; readonly topic: string; readonly items: readonly unknown[]; readonly whole: boolean }
  | { readonly kind: 'event'; readonly topic: string; readonly event: unknown }
  | { readonly kind: 'epoch'; readonly epoch: string };

export interface Step {
  readonly state: LiveState;
  readonly effects: readonly Effect[];
}

const FRESH: TopicState = { position: null, gap: false, asked_ms: 0, refused: false };

export function initial(topics: readonly string[]): LiveState {
  return {
    status: 'connecting',
    topics: Object.fromEntries(topics.map((topic) => [topic, FRESH])),
    values: new Map(),
    epoch: null,
    lastFrame_ms: null,
    silentSince_ms: null,
    lastValue_ms: null,
    lag_ms: null,
    attempts: 0,
    missed: 0,
  };
}

const subscribe = (topic: string, position: Position | null): Effect => ({
  kind: 'send',
  frame: position ? { op: 'subscribe', topic, since: position } : { op: 'subscribe', topic },
});

const withTopic = (state: LiveState, topic: string, patch: Partial<TopicState>): LiveState => ({
  ...state,
  topics: { ...state.topics, [topic]: { ...(state.topics[topic] ?? FRESH), ...patch } },
});

/** Waiting time before attempt `n`; `jitter` in 0..1 is handed in, so that a crowd does not return at once. */
export function backoff(attempts: number, jitter: number): number {
  const base = BACKOFF_MS[Math.min(attempts, BACKOFF_MS.length - 1)] ?? 15_000;
  return Math.round(base * (0.75 + 0.5 * jitter));
}

function applyChanges(state: LiveState, changes: readonly Change[], at: number): { state: LiveState; ids: string[] } {
  const values = new Map(state.values);
  const ids: string[] = [];
  for (const change of changes) {
    const before = values.get(change.id);
    if (before && Date.parse(before.t) > Date.parse(change.t)) continue;
    values.set(change.id, { ...change, received_ms: at });
    ids.push(change.id);
  }
  return ids.length === 0 ? { state, ids } : { state: { ...state, values, lastValue_ms: at }, ids };
}

function lagOf(frame: ServerFrame, at: number, before: number | null): number | null {
  if (!('at' in frame) || !frame.at) return before;
  const lag = at - Date.parse(frame.at);
  // A clock that is set wrong says nothing about the delay.
  return Number.isFinite(lag) && Math.abs(lag) < 60_000 ? Math.max(0, lag) : before;
}

function changeEpoch(state: LiveState, epoch: string): Step {
  if (state.epoch === null) return { state: { ...state, epoch }, effects: [] };
  if (state.epoch === epoch) return { state, effects: [] };
  const topics = Object.fromEntries(Object.keys(state.topics).map((topic) => [topic, { ...FRESH, refused: state.topics[topic]?.refused ?? false }]));
  return { state: { ...state, epoch, values: new Map(), topics }, effects: [{ kind: 'epoch', epoch }] };
}

function snapshot(before: LiveState, frame: Extract<ServerFrame, { op: 'snapshot' }>, at: number): Step {
  const turned = changeEpoch(before, frame.epoch);
  const effects: Effect[] = [...turned.effects];
  let state = withTopic(turned.state, frame.topic, { position: { epoch: frame.epoch, offset: frame.offset }, gap: false, refused: false });
  if (frame.topic === 'observations') {
    const changes = changesOf(frame.state);
    const applied = applyChanges({ ...state, values: new Map() }, changes, at);
    // A snapshot says nothing about when an unchanged value came: its age goes on.
    const values = new Map(applied.state.values);
    for (const [id, value] of values) {
      const old = state.values.get(id);
      if (old && old.t === value.t) values.set(id, old);
    }
    state = { ...applied.state, values };
    effects.push({ kind: 'values', ids: applied.ids });
  } else {
    effects.push({ kind: 'items', topic: frame.topic, items: frame.state, whole: true });
  }
  return { state, effects };
}

/** Where a numbered frame stands to what is held: already applied, next in line, or after a gap. */
function place(topic: TopicState, frame: { readonly epoch?: string; readonly from?: number; readonly offset: number }): 'old' | 'next' | 'gap' {
  if (!topic.position) return 'gap';
  if (frame.epoch !== undefined && frame.epoch !== topic.position.epoch) return 'gap';
  if (frame.offset <= topic.position.offset) return 'old';
  const follows = frame.from ?? frame.offset - 1;
  return follows <= topic.position.offset ? 'next' : 'gap';
}

function numbered(before: LiveState, frame: Extract<ServerFrame, { op: 'delta' | 'event' }>, at: number): Step {
  const topic = before.topics[frame.topic] ?? FRESH;
  const where = place(topic, frame);
  if (where === 'old') return { state: before, effects: [] };
  const effects: Effect[] = [];
  let state = before;
  if (where === 'next' && topic.position) {
    state = withTopic(state, frame.topic, { position: { epoch: topic.position.epoch, offset: frame.offset }, gap: false });
  } else if (at - topic.asked_ms >= RESUME_EVERY_MS) {
    state = withTopic(state, frame.topic, { gap: true, asked_ms: at });
    effects.push(subscribe(frame.topic, topic.position));
  }
  if (frame.op === 'event') {
    effects.push({ kind: 'event', topic: frame.topic, event: frame.event });
  } else if (frame.topic === 'observations') {
    const applied = applyChanges(state, changesOf(frame.changes), at);
    state = applied.state;
    effects.push({ kind: 'values', ids: applied.ids });
  } else {
    effects.push({ kind: 'items', topic: frame.topic, items: frame.changes, whole: false });
  }
  return { state, effects };
}

function reset(before: LiveState, topic: string | undefined, at: number): Step {
  const topics = topic === undefined ? Object.keys(before.topics) : [topic];
  let state = before;
  for (const name of topics) state = withTopic(state, name, { position: null, gap: true, asked_ms: at });
  return { state, effects: topics.map((name) => subscribe(name, null)) };
}

function refuse(before: LiveState, frame: Extract<ServerFrame, { op: 'error' }>): Step {
  if (frame.topic === undefined) return { state: before, effects: [] };
  return { state: withTopic(before, frame.topic, { refused: true, gap: false }), effects: [] };
}

function frameStep(before: LiveState, frame: ServerFrame, at: number): Step {
  switch (frame.op) {
    case 'snapshot':
      return snapshot(before, frame, at);
    case 'delta':
    case 'event':
      return numbered(before, frame, at);
    case 'reset':
      return reset(before, frame.topic, at);
    case 'error':
      return refuse(before, frame);
    default:
      return { state: before, effects: [] };
  }
}

function settle(step: Step, missed: number): Step {
  const main = step.state.topics['observations'];
  const catching = main !== undefined && main.gap;
  const status: Status = catching ? 'catching-up' : main && !main.position && !main.refused ? step.state.status : 'live';
  const count = catching ? step.state.missed + missed : missed >= CATCH_UP_MIN ? missed : 0;
  return { ...step, state: { ...step.state, status, missed: count } };
}

function down(before: LiveState, after_ms: number): Step {
  const attempts = before.attempts + 1;
  const status: Status = attempts >= OFFLINE_ATTEMPTS ? 'offline' : before.lastFrame_ms === null ? 'connecting' : 'reconnecting';
  return { state: { ...before, status, attempts, silentSince_ms: null, lag_ms: null }, effects: [{ kind: 'reconnect', after_ms }] };
}

/** One thing happens. `jitter` in 0..1 spreads the waiting times of many pages. */
export function step(before: LiveState, input: Input, jitter = 0.5): Step {
  switch (input.kind) {
    case 'dial':
      return { state: { ...before, silentSince_ms: input.at }, effects: [] };
    case 'open': {
      const topics = Object.fromEntries(Object.entries(before.topics).map(([name, topic]) => [name, { ...topic, gap: topic.position !== null, asked_ms: input.at, refused: false }]));
      const state: LiveState = { ...before, topics, lastFrame_ms: input.at, silentSince_ms: input.at, missed: 0 };
      return { state, effects: Object.entries(before.topics).map(([name, topic]) => subscribe(name, topic.position)) };
    }
    case 'frame': {
      const heard: LiveState = { ...before, lastFrame_ms: input.at, silentSince_ms: input.at, attempts: 0, lag_ms: lagOf(input.frame, input.at, before.lag_ms) };
      const missed = input.frame.op === 'delta' ? input.frame.changes.length : 0;
      return settle(frameStep(heard, input.frame, input.at), missed);
    }
    case 'closed':
      return down(before, backoff(before.attempts, jitter));
    case 'tick': {
      // A server that hangs takes connections and says nothing: that ends an attempt too, not only what was live.
      if (before.silentSince_ms === null || input.at - before.silentSince_ms <= SILENCE_MS) return { state: before, effects: [] };
      const stopped = down(before, backoff(before.attempts, jitter));
      return { state: stopped.state, effects: [{ kind: 'close' }, ...stopped.effects] };
    }
  }
}
