import { html, nothing, type TemplateResult } from 'lit';
import { problemText, t, word, type MessageKey } from '../i18n/index';
import { icon, mark } from '../ui/icons';
import type { PlanCtx } from './context';
import { findingRow } from './findings';
import { planIcon } from './icons';
import { TOOLS, type ToolId } from './plan-state';

export const TOOL_KEYS: Readonly<Record<ToolId, string>> = {
  select: 'V', draw: 'D', massing: 'G', model: 'O', push: 'P', move: 'W', demolish: 'X', paint: 'U', split: 'Y', park: 'K', tree: 'T', street: 'R', network: 'N', measure: 'L', section: 'C',
};

export const toolName = (id: ToolId): string => t(`plan.tool.${id}` as MessageKey);
const NEEDS_NOTHING: ReadonlySet<ToolId> = new Set(['select', 'measure', 'section']);

/** The one tool that Tab comes to, arrows lead on from it: never one that is disabled, which no key reaches. */
export const tabStop = (inHand: ToolId, locked: boolean): ToolId => (locked && !NEEDS_NOTHING.has(inHand) ? 'select' : inHand);

/** Arrows walk along the tools, as in any toolbar. */
function walk(event: KeyboardEvent): void {
  const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
  if (by === 0) return;
  const buttons = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLButtonElement>('button:not([disabled])')];
  const next = buttons[(buttons.indexOf(event.target as HTMLButtonElement) + by + buttons.length) % buttons.length];
  event.preventDefault();
  event.stopPropagation();
  next?.focus();
}

function refusal(ctx: PlanCtx): TemplateResult | typeof nothing {
  const { refused } = ctx.s;
  if (!refused) return nothing;
  const dismiss = html`<button type="button" class="btn quiet sm ico" aria-label=${t('plan.dismiss')} @click=${() => ctx.do.store.set({ refused: null })}>${icon('x', 's')}</button>`;
  return html`<div class="refusal" role="alert" data-testid="refused">
    <div class="row">${mark('fail')}<span class="grow">${refused.findings.length > 0 ? t('plan.refused') : problemText(refused.code)}</span>${dismiss}</div>
    ${refused.findings.length > 0 ? html`<ul>${refused.findings.slice(0, 3).map((f) => findingRow(ctx, f))}</ul>` : nothing}
  </div>`;
}

function unsent(ctx: PlanCtx): TemplateResult | typeof nothing {
  const item = ctx.s.unsent;
  if (!item || item.scheme !== ctx.s.current || ctx.s.sending > 0) return nothing;
  return html`<div class="refusal" role="status" data-testid="unsent"><div class="row">${mark('discuss')}<span class="grow">${t('plan.unsent', { what: word('edit', item.request.kind).replace(/\s*\{\w+\}/g, '') })}</span>
    <button type="button" class="btn sm pri" data-testid="unsent-send" @click=${() => void ctx.do.edit(item.request, item.key)}>${t('plan.unsent.send')}</button>
    <button type="button" class="btn sm" data-testid="unsent-drop" @click=${() => ctx.do.drop(item.key)}>${t('plan.unsent.drop')}</button></div></div>`;
}

function lockLine(ctx: PlanCtx): TemplateResult | typeof nothing {
  const why = ctx.do.locked;
  if (!why || why === 'withdrawn') return nothing;
  const act =
    why === 'no-token'
      ? html`<button type="button" class="link xs" @click=${() => ctx.do.store.set({ dialog: { kind: 'token', refused: false } })}>${t('plan.token.enter')}</button>`
      : why === 'past'
        ? html`<button type="button" class="link xs" @click=${() => ctx.do.lookAt(null)}>${t('plan.past.now')}</button>`
        : nothing;
  return html`<div class="lockline xs" data-testid="locked">${t(`plan.locked.${why}` as MessageKey)} ${act}</div>`;
}

export function toolStrip(ctx: PlanCtx): TemplateResult {
  const locked = ctx.do.locked !== null;
  const { id, tool } = ctx.bench;
  const stop = tabStop(id, locked);
  const button = (one: ToolId): TemplateResult => html`<button type="button" data-testid="tool-${one}" aria-label=${toolName(one)} title="${toolName(one)} (${TOOL_KEYS[one]})" aria-pressed=${id === one} tabindex=${stop === one ? 0 : -1} ?disabled=${locked && !NEEDS_NOTHING.has(one)} @click=${() => ctx.bench.choose(one)}>${planIcon(one as never)}</button>`;
  return html`<div class="strip">
    <div class="ctl h toolbar" role="toolbar" aria-label=${t('plan.tools')} @keydown=${walk}>${TOOLS.map(button)}</div>
    <div class="toolcard">
      <div class="hintline xs" data-testid="hint"><b class="strong">${toolName(id)}</b> ${t(tool.hint)}</div>
      ${lockLine(ctx)}
      ${locked && !NEEDS_NOTHING.has(id) ? nothing : tool.card(ctx)}
      ${unsent(ctx)}${refusal(ctx)}
    </div>
  </div>`;
}
