/** Branch, name, publish, withdraw, merge, rebase: what is done to schemes as a whole. */
import { codeOf } from '../state/api';
import { t } from '../i18n/index';
import type { Choices } from '../scheme/api';
import { sendPreview } from '../scheme/preview';
import type { Conflict, Words } from '../scheme/types';
import { valueOf } from '../state/model';
import type { Plan } from './plan';
import type { Joining } from './plan-state';
import { isToken, keepAuthor, keepToken } from './token';

export const conflictKey = (c: Conflict): string => `${c.target}|${c.field}`;

/** Whether every conflict has its choice. */
export const allChosen = (joining: Joining): boolean => joining.conflicts.every((c) => conflictKey(c) in joining.choices);

export class JoiningDesk {
  constructor(private readonly plan: Plan) {}

  private async attempt(work: () => Promise<void>): Promise<void> {
    this.plan.store.set({ dialogFailed: null });
    try {
      await work();
    } catch (error) {
      const code = codeOf(error);
      if (code === 'planner-token') this.plan.store.set({ dialog: { kind: 'token', refused: true } });
      else this.plan.store.set({ dialogFailed: code });
    }
  }

  close = (): void => this.plan.store.set({ dialog: null, dialogFailed: null });

  enter(token: string, author: string): void {
    const { doors, store } = this.plan;
    if (token !== '' && !isToken(token)) {
      store.set({ dialog: { kind: 'token', refused: true } });
      return;
    }
    if (token !== '') keepToken(token, doors.tab);
    keepAuthor(author, doors.kept);
    store.set({ ...(token === '' ? {} : { token }), author, dialog: null });
  }

  branch(name: Words, parent: string): Promise<void> {
    return this.attempt(async () => {
      const scheme = await this.plan.api.create(name, parent);
      this.plan.putScheme(scheme);
      this.close();
      this.plan.open(scheme.id);
    });
  }

  rename(name: Words, summary: Words): Promise<void> {
    return this.attempt(async () => {
      this.plan.putScheme(await this.plan.api.rename(this.id, { name, summary }));
      this.close();
    });
  }

  publish(): Promise<void> {
    return this.attempt(async () => {
      const { id } = this;
      const { version } = await this.plan.api.publish(id);
      void this.picture(id);
      await this.plan.readSchemes();
      this.close();
      this.plan.city.say(t('plan.published', { n: version }));
    });
  }

  /** What the planner sees becomes the picture of a shared link; without one the link tells its words. */
  private async picture(id: string): Promise<void> {
    const { map, state } = this.plan.city;
    const { token } = this.plan.state;
    if (!map?.toImage || token === null) return;
    try {
      await sendPreview(id, await map.toImage([...(valueOf(state.city)?.attributions ?? [])]), token);
    } catch {
      // The scheme is published all the same.
    }
  }

  withdraw(): Promise<void> {
    return this.attempt(async () => {
      this.plan.putScheme(await this.plan.api.withdraw(this.id));
      await this.plan.readSchemes();
      this.close();
    });
  }

  /** Merge another scheme in, or move to the newest baseline; what cannot be joined is asked about. */
  join(kind: 'merge' | 'rebase', from: string, choices: Choices): Promise<void> {
    const put = (patch: Partial<Joining>): void => {
      const { dialog } = this.plan.state;
      if (dialog?.kind === kind) this.plan.store.set({ dialog: { kind, joining: { ...dialog.joining, ...patch } } });
    };
    put({ from, choices, busy: true });
    return this.attempt(async () => {
      const answer = kind === 'merge' ? await this.plan.api.merge(this.id, from, choices) : await this.plan.api.rebase(this.id, choices);
      put({ conflicts: answer.conflicts, busy: false, done: answer.merged });
      if (!answer.merged) return;
      await this.plan.readSchemes();
      this.plan.refresh();
      this.close();
      this.plan.city.say(t(kind === 'merge' ? 'plan.merged' : 'plan.rebased'));
    }).finally(() => put({ busy: false }));
  }

  private get id(): string {
    return this.plan.state.current ?? '';
  }
}
