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

export function readUnsent(keeper: Keeper): Unsent | null {
  try {
    const found = JSON.parse(keeper.getItem(KEY) ?? 'null') as Unsent | null;
    return found && typeof found.scheme === 'string' && typeof found.key === 'string' && typeof found.request?.kind === 'string' ? found : null;
  } catch {
    return null;
  }
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
    this.keeper.setItem(KEY, JSON.stringify(item));
    try {
      const answer = await this.api.edit(item.scheme, item.request, item.key);
      this.keeper.removeItem(KEY);
      return { kind: 'done', answer };
    } catch (error) {
      if (isFinal(error)) this.keeper.removeItem(KEY);
      return error instanceof EditRefused ? { kind: 'refused', error } : { kind: 'failed', code: codeOf(error) };
    }
  }

  discard(): void {
    this.keeper.removeItem(KEY);
  }
}
