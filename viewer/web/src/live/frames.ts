/** The frames of `cim.v1+json`. Whatever is not one of them is dropped, never thrown over. */

export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

export type ClientFrame =
  | { readonly op: 'subscribe'; readonly topic: string; readonly filter?: unknown; readonly since?: Position; readonly max_rate_hz?: number }
  | { readonly op: 'unsubscribe'; readonly topic: string }
  | { readonly op: 'ping' };

export type ServerFrame =
  | { readonly op: 'snapshot'; readonly topic: string; readonly epoch: string; readonly offset: number; readonly state: readonly unknown[]; readonly at?: string }
  | { readonly op: 'delta'; readonly topic: string; readonly epoch?: string; readonly from?: number; readonly offset: number; readonly changes: readonly unknown[]; readonly at?: string }
  | { readonly op: 'event'; readonly topic: string; readonly epoch?: string; readonly offset: number; readonly event: unknown }
  | { readonly op: 'reset'; readonly topic?: string; readonly reason?: string }
  | { readonly op: 'heartbeat'; readonly at?: string }
  | { readonly op: 'pong'; readonly at?: string }
  | { readonly op: 'error'; readonly code: string; readonly topic?: string };

/** A value of a sensor as topic `observations` carries it. */
export interface Change {
  readonly id: string;
  /** Phenomenon time, ISO. */
  readonly t: string;
  readonly v: number;
  readonly q: 'ok' | 'limit_min' | 'limit_max';
}

type Raw = Readonly<Record<string, unknown>>;
const isRaw = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isOffset = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function isFrame(raw: Raw): boolean {
  switch (raw['op']) {
    case 'snapshot':
      return isText(raw['topic']) && isText(raw['epoch']) && isOffset(raw['offset']) && Array.isArray(raw['state']);
    case 'delta':
      return isText(raw['topic']) && isOffset(raw['offset']) && Array.isArray(raw['changes']);
    case 'event':
      return isText(raw['topic']) && isOffset(raw['offset']);
    case 'reset':
    case 'heartbeat':
    case 'pong':
      return true;
    case 'error':
      return isText(raw['code']);
    default:
      return false;
  }
}

export function parseFrame(text: string): ServerFrame | null {
  try {
    const raw: unknown = JSON.parse(text);
    return isRaw(raw) && isFrame(raw) ? (raw as unknown as ServerFrame) : null;
  } catch {
    return null;
  }
}

/** The changes of a frame that can be read as observations. */
export function changesOf(items: readonly unknown[]): Change[] {
  return items.flatMap((item) => {
    if (!isRaw(item) || !isText(item['id']) || !isText(item['t']) || typeof item['v'] !== 'number' || !Number.isFinite(item['v'])) return [];
    const q = item['q'];
    return [{ id: item['id'], t: item['t'], v: item['v'], q: q === 'limit_min' || q === 'limit_max' ? q : 'ok' }];
  });
}
