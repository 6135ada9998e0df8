/**
 * Edits on their way: one after the other, each with a key of its own. What was sent and not heard of
 * is kept in the tab's storage and offered again; the key sees to it that it is never applied twice.
 */
import { codeOf, RequestFailed } from '../state/api';
import { EditRefused, type EditRequest, type SchemeApi } from '../scheme/api';
import type { EditAnswer } from '../scheme/types';
import type { Unsent } from './plan-state';
import type { Keeper } from './token';

const KEY = 'cim.plan.unsent';

export type Outcome =
  | { readonly kind: 'done'; readonly answer: EditAnswer }
  | { readonly kind: 'refused'; readonly error: EditRefused }
  | { readonly kind: 'failed'; readonly code: string };

const isUnsent = (item: Partial<Unsent> | null): item is Unsent => typeof item?.scheme === 'string' && typeof item.key === 'string' && typeof item.request?.kind === 'string';

function readAll(keeper: Keeper): readonly Unsent[] {
  try {
    const found = JSON.parse(keeper.getItem(KEY) ?? '[]') as unknown;
    return Array.isArray(found) ? (found as (Partial<Unsent> | null)[]).filter(isUnsent) : [];
  } catch {
    return [];
  }
}

function writeAll(keeper: Keeper, items: readonly Unsent[]): void {
  if (items.length === 0) keeper.removeItem(KEY);
  else keeper.setItem(KEY, JSON.stringify(items));
}

/** The oldest edit of a scheme of which nothing was heard, else the oldest of any. */
export function readUnsent(keeper: Keeper, scheme: string | null = null): Unsent | null {
  const all = readAll(keeper);
  return all.find((item) => item.scheme === scheme) ?? all[0] ?? null;
}

/** Whether an answer says for sure that the server has taken, or will never take, the edit. */
const isFinal = (error: unknown): boolean => error instanceof RequestFailed && error.status >= 400 && error.status < 500 && error.status !== 401 && error.status !== 408 && error.status !== 429;

export class Outbox {
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly api: Pick<SchemeApi, 'edit'>, private readonly keeper: Keeper, private readonly newKey: () => string = () => crypto.randomUUID()) {}

  send(scheme: string, request: EditRequest, key = this.newKey()): Promise<Outcome> {
    const next = this.last.then(() => this.post({ scheme, request, key }));
    this.last = next;
    return next;
  }

  private async post(item: Unsent): Promise<Outcome> {
    writeAll(this.keeper, [...readAll(this.keeper).filter((one) => one.key !== item.key), item]);
    try {
      const answer = await this.api.edit(item.scheme, item.request, item.key);
      this.discard(item.key);
      return { kind: 'done', answer };
    } catch (error) {
      if (isFinal(error)) this.discard(item.key);
      return error instanceof EditRefused ? { kind: 'refused', error } : { kind: 'failed', code: codeOf(error) };
    }
  }

  /** Forget an edit: it was taken, it never will be, or it is not wanted any more. */
  discard(key: string): void {
    writeAll(this.keeper, readAll(this.keeper).filter((one) => one.key !== key));
  }
}
