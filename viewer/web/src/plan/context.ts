import { html, type TemplateResult } from 'lit';
import type { Ctx } from '../ui/context';
import type { Bench } from './bench';
import { colourKey, type Branch } from './log';
import type { Plan } from './plan';
import type { PlanState } from './plan-state';
import type { Scheme } from '../scheme/types';

/** What every part of the plan page is drawn from. */
export interface PlanCtx {
  readonly s: PlanState;
  readonly do: Plan;
  readonly bench: Bench;
  /** The city under it, as on Explore. */
  readonly city: Ctx;
  readonly tree: readonly Branch[];
  readonly scheme: Scheme | null;
  readonly branch: Branch | null;
}

/** A scheme's identity: its letter on its colour; a branch's is that of the scheme it came from. */
export function schemeKey(branch: Branch, tree: readonly Branch[]): TemplateResult {
  return html`<span class="key ${colourKey(branch, tree)}" aria-hidden="true">${branch.label.split('.')[0]}</span>`;
}

export const baseKey = html`<span class="key a" aria-hidden="true">A</span>`;
