/** The thin shell around the live machine: one WebSocket, one timer, the page's clock. */
import { parseFrame, type ClientFrame } from './frames';
import { initial, step, type Effect, type Input, type LiveState } from './machine';

export interface LiveListener {
  /** Something in the state has changed; `ids` are the sensors with a new value. */
  onState(state: LiveState, ids: readonly string[]): void;
  onItems(topic: string, items: readonly unknown[], whole: boolean): void;
  onEvent(topic: string, event: unknown): void;
  /** The server is another run: what was read from it before may no longer hold. */
  onEpoch(epoch: string): void;
}

const TICK_MS = 1_000;

export const liveAddress = (page: { protocol: string; host: string }): string => `${page.protocol === 'https:' ? 'wss' : 'ws'}://${page.host}/live`;

export class LiveSocket {
  private state: LiveState;
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setInterval> | null = null;
  private retry: ReturnType<typeof setTimeout> | null = null;
  private stopped = false;

  /** `filter` goes with every subscription, e.g. the token that opens a topic. */
  constructor(private readonly address: string, topics: readonly string[], private readonly listener: LiveListener, private readonly filter: () => object | null = () => null) {
    this.state = initial(topics);
  }

  start(): void {
    this.stopped = false;
    this.timer = setInterval(() => this.take({ kind: 'tick', at: Date.now() }), TICK_MS);
    // A phone that wakes up, or a network that comes back, need not wait for the next attempt.
    addEventListener('online', this.soon);
    document.addEventListener('visibilitychange', this.soon);
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    if (this.timer) clearInterval(this.timer);
    if (this.retry) clearTimeout(this.retry);
    removeEventListener('online', this.soon);
    document.removeEventListener('visibilitychange', this.soon);
    this.drop();
  }

  private readonly soon = (): void => {
    if (!this.socket && !document.hidden && !this.stopped) this.connect();
  };

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private connect(): void {
    if (this.retry) clearTimeout(this.retry);
    this.retry = null;
    this.drop();
    const socket = new WebSocket(this.address, 'cim.v1+json');
    this.socket = socket;
    this.take({ kind: 'dial', at: Date.now() });
    socket.onopen = () => this.take({ kind: 'open', at: Date.now() });
    socket.onmessage = (message: MessageEvent) => {
      const frame = typeof message.data === 'string' ? parseFrame(message.data) : null;
      if (frame) this.take({ kind: 'frame', at: Date.now(), frame });
    };
    socket.onclose = () => {
      this.socket = null;
      this.take({ kind: 'closed', at: Date.now() });
    };
  }

  private take(input: Input): void {
    const out = step(this.state, input, Math.random());
    const changed = out.state !== this.state;
    this.state = out.state;
    const ids: string[] = [];
    for (const effect of out.effects) this.carryOut(effect, ids);
    if (changed) this.listener.onState(this.state, ids);
  }

  private dressed(frame: ClientFrame): ClientFrame {
    const filter = frame.op === 'subscribe' ? this.filter() : null;
    return frame.op === 'subscribe' && filter ? { ...frame, filter } : frame;
  }

  private carryOut(effect: Effect, ids: string[]): void {
    switch (effect.kind) {
      case 'send':
        if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(this.dressed(effect.frame)));
        break;
      case 'close':
        this.drop();
        break;
      case 'reconnect':
        if (!this.stopped) this.retry = setTimeout(() => this.connect(), effect.after_ms);
        break;
      case 'values':
        ids.push(...effect.ids);
        break;
      case 'items':
        this.listener.onItems(effect.topic, effect.items, effect.whole);
        break;
      case 'event':
        this.listener.onEvent(effect.topic, effect.event);
        break;
      case 'epoch':
        this.listener.onEpoch(effect.epoch);
        break;
    }
  }
}
