import { describe, expect, it } from 'vitest';
import { backoff, initial, OFFLINE_ATTEMPTS, RESUME_EVERY_MS, SILENCE_MS, step, type Effect, type Input, type LiveState } from './machine';
import { changesOf, parseFrame, type ServerFrame } from './frames';

const T0 = Date.parse('2026-11-22T12:00:00Z');
const change = (id: string, second: number, v: number): object => ({ id, t: new Date(T0 + second * 1000).toISOString(), v, q: 'ok' });
const snapshot = (offset: number, state: object[] = [], epoch = 'e1'): ServerFrame => ({ op: 'snapshot', topic: 'observations', epoch, offset, state });
const delta = (offset: number, changes: object[], from?: number): ServerFrame => ({ op: 'delta', topic: 'observations', offset, changes, ...(from === undefined ? {} : { from }) });

class Run {
  state: LiveState = initial(['observations', 'tiles']);
  effects: readonly Effect[] = [];
  at = T0;

  do(input: Input): this {
    const out = step(this.state, input);
    this.state = out.state;
    this.effects = out.effects;
    return this;
  }

  frame(frame: ServerFrame, after = 100): this {
    this.at += after;
    return this.do({ kind: 'frame', at: this.at, frame });
  }

  open(): this {
    return this.do({ kind: 'open', at: this.at });
  }

  closed(): this {
    return this.do({ kind: 'closed', at: this.at });
  }

  tick(after: number): this {
    this.at += after;
    return this.do({ kind: 'tick', at: this.at });
  }

  get sent(): unknown[] {
    return this.effects.filter((e) => e.kind === 'send').map((e) => e.frame);
  }

  value(id: string): number | undefined {
    return this.state.values.get(id)?.v;
  }
}

const live = (): Run => new Run().open().frame(snapshot(5, [change('a', 0, 1), change('b', 0, 2)]));

describe('a connection', () => {
  it('asks for every topic from the beginning', () => {
    expect(new Run().open().sent).toEqual([{ op: 'subscribe', topic: 'observations' }, { op: 'subscribe', topic: 'tiles' }]);
  });

  it('is live with the first snapshot', () => {
    const run = live();
    expect(run.state.status).toBe('live');
    expect(run.value('b')).toBe(2);
    expect(run.effects).toEqual([{ kind: 'values', ids: ['a', 'b'] }]);
  });

  it('takes the next delta', () => {
    const run = live().frame(delta(6, [change('a', 1, 9)]));
    expect(run.value('a')).toBe(9);
    expect(run.state.topics['observations']?.position).toEqual({ epoch: 'e1', offset: 6 });
    expect(run.effects).toEqual([{ kind: 'values', ids: ['a'] }]);
  });

  it('tells how far it is behind from what the server says', () => {
    const run = live();
    run.frame({ op: 'heartbeat', at: new Date(run.at).toISOString() }, 400);
    expect(run.state.lag_ms).toBe(400);
    run.frame({ op: 'heartbeat', at: '1999-01-01T00:00:00Z' });
    expect(run.state.lag_ms).toBe(400);
  });
});

describe('order', () => {
  it('drops what was already applied', () => {
    const run = live().frame(delta(6, [change('a', 1, 9)])).frame(delta(6, [change('a', 1, 5)])).frame(delta(4, [change('a', 2, 7)]));
    expect(run.value('a')).toBe(9);
    expect(run.effects).toEqual([]);
    expect(run.state.topics['observations']?.position?.offset).toBe(6);
  });

  it('never replaces a value by an older one', () => {
    const run = live().frame(delta(6, [change('a', 8, 9)])).frame(delta(7, [change('a', 3, 4)]));
    expect(run.value('a')).toBe(9);
  });

  it('accepts a backlog that the server collapsed and says so', () => {
    const run = live().frame(delta(20, [change('a', 9, 9)], 5));
    expect(run.sent).toEqual([]);
    expect(run.state.topics['observations']?.position?.offset).toBe(20);
  });
});

describe('a gap', () => {
  it('is asked about from the last certain offset, while values go on', () => {
    const run = live().tick(RESUME_EVERY_MS).frame(delta(8, [change('a', 3, 7)]));
    expect(run.sent).toEqual([{ op: 'subscribe', topic: 'observations', since: { epoch: 'e1', offset: 5 } }]);
    expect(run.state.status).toBe('catching-up');
    expect(run.value('a')).toBe(7);
    expect(run.state.topics['observations']?.position?.offset).toBe(5);
  });

  it('is not asked about with every frame', () => {
    const run = live().tick(RESUME_EVERY_MS).frame(delta(8, [change('a', 3, 7)])).frame(delta(9, [change('a', 4, 8)]));
    expect(run.sent).toEqual([]);
    run.frame(delta(10, [change('a', 5, 8)]), RESUME_EVERY_MS);
    expect(run.sent).toHaveLength(1);
  });

  it('is closed by what was missed', () => {
    const run = live().tick(RESUME_EVERY_MS).frame(delta(8, [change('a', 3, 7)]));
    run.frame(delta(6, [change('b', 1, 4)])).frame(delta(7, [change('b', 2, 5)])).frame(delta(8, [change('a', 3, 7)]));
    expect(run.state.status).toBe('live');
    expect(run.value('b')).toBe(5);
    expect(run.state.topics['observations']?.position?.offset).toBe(8);
  });

  it('is closed by a fresh snapshot', () => {
    const run = live().tick(RESUME_EVERY_MS).frame(delta(8, [change('a', 3, 7)])).frame(snapshot(12, [change('a', 9, 1), change('c', 9, 3)]));
    expect(run.state.status).toBe('live');
    expect([...run.state.values.keys()]).toEqual(['a', 'c']);
  });
});

describe('coming back', () => {
  it('resumes where it was', () => {
    const run = live().closed();
    expect(run.state.status).toBe('reconnecting');
    expect(run.value('a')).toBe(1);
    expect(run.effects).toEqual([{ kind: 'reconnect', after_ms: 500 }]);
    expect(run.open().sent).toContainEqual({ op: 'subscribe', topic: 'observations', since: { epoch: 'e1', offset: 5 } });
    run.frame(delta(6, [change('a', 1, 3)]));
    expect(run.state.status).toBe('live');
  });

  it('keeps the age of a value that did not change', () => {
    const run = live();
    const received = run.state.values.get('a')?.received_ms;
    run.closed().open().frame(snapshot(9, [change('a', 0, 1), change('b', 5, 6)]), 5_000);
    expect(run.state.values.get('a')?.received_ms).toBe(received);
    expect(run.state.values.get('b')?.received_ms).toBe(run.at);
  });

  it('reads the city again when the server is another run', () => {
    const run = live().closed().open().frame(snapshot(1, [change('z', 0, 1)], 'e2'));
    expect(run.effects[0]).toEqual({ kind: 'epoch', epoch: 'e2' });
    expect([...run.state.values.keys()]).toEqual(['z']);
    expect(run.state.topics['tiles']?.position).toBeNull();
    expect(run.state.status).toBe('live');
  });

  it('starts over on a reset, all topics or one', () => {
    const run = live().frame({ op: 'reset', topic: 'observations', reason: 'expired' });
    expect(run.sent).toEqual([{ op: 'subscribe', topic: 'observations' }]);
    expect(live().frame({ op: 'reset' }).sent).toHaveLength(2);
  });

  it('calls silence a lost connection, once', () => {
    const run = live().tick(SILENCE_MS - 1);
    expect(run.effects).toEqual([]);
    run.tick(2);
    expect(run.effects.map((e) => e.kind)).toEqual(['close', 'reconnect']);
    expect(run.state.status).toBe('reconnecting');
    expect(run.tick(5_000).effects).toEqual([]);
  });

  it('gives up a connection that opens or is asked for and then says nothing, as often as it takes', () => {
    const run = live().closed();
    for (const attempts of [2, 3]) {
      run.do({ kind: 'dial', at: run.at }).open().tick(SILENCE_MS + 1);
      expect(run.effects.map((e) => e.kind)).toEqual(['close', 'reconnect']);
      expect(run.state.attempts).toBe(attempts);
    }
    run.do({ kind: 'dial', at: run.at }).tick(SILENCE_MS + 1);
    expect(run.effects).toEqual([{ kind: 'close' }, { kind: 'reconnect', after_ms: 4_000 }]);
    expect(run.state.status).toBe('offline');
    expect(run.tick(60_000).effects).toEqual([]);
    expect(run.open().frame(delta(6, [])).state.status).toBe('live');
  });

  it('is not silent while heartbeats come', () => {
    expect(live().frame({ op: 'heartbeat' }, 6_000).tick(6_000).effects).toEqual([]);
  });

  it('says offline after some attempts, and goes on trying', () => {
    const run = live();
    for (let i = 0; i < OFFLINE_ATTEMPTS; i += 1) run.closed();
    expect(run.state.status).toBe('offline');
    expect(run.effects).toHaveLength(1);
    run.open().frame(delta(6, []));
    expect(run.state.status).toBe('live');
  });

  it('waits longer each time, up to a limit', () => {
    const waits = [0, 1, 2, 3, 4, 5, 9].map((n) => backoff(n, 0.5));
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
    expect(backoff(0, 0)).toBeLessThan(backoff(0, 1));
  });
});

describe('other topics', () => {
  it('hand on an event once', () => {
    const run = live().frame({ op: 'snapshot', topic: 'tiles', epoch: 'e1', offset: 2, state: [] });
    run.frame({ op: 'event', topic: 'tiles', offset: 3, event: { baseline_version: 4 } });
    expect(run.effects).toEqual([{ kind: 'event', topic: 'tiles', event: { baseline_version: 4 } }]);
    run.frame({ op: 'event', topic: 'tiles', offset: 3, event: { baseline_version: 4 } });
    expect(run.effects).toEqual([]);
  });

  it('that the server refuses leave the others live', () => {
    const run = live().frame({ op: 'error', code: 'not-found', topic: 'tiles' });
    expect(run.state.status).toBe('live');
    expect(run.state.topics['tiles']?.refused).toBe(true);
  });
});

describe('bytes from outside', () => {
  it.each(['', '{', '[]', 'null', '{"op":"boom"}', '{"op":"delta","topic":"x","offset":-1,"changes":[]}', '{"op":"snapshot","topic":"x"}', '{"op":"delta","topic":"x","offset":1.5,"changes":[]}'])('that are not a frame are dropped: %s', (text) => {
    expect(parseFrame(text)).toBeNull();
  });

  it('keep only readable changes', () => {
    expect(changesOf([null, 3, { id: 'a' }, { id: 'a', t: 'x', v: 'y' }, { id: 'a', t: 'x', v: 1 }])).toEqual([{ id: 'a', t: 'x', v: 1, q: 'ok' }]);
  });
});
