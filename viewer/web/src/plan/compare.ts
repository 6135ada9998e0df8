import { html, nothing, type TemplateResult } from 'lit';
import { lang, problemText, t } from '../i18n/index';
import { codeOf } from '../state/api';
import { BASE, type Comparison, type Reading, type Scheme } from '../scheme/types';
import { deltaText, valueText } from '../scheme/reading';
import { baselinesText, mixedBaselines } from '../scheme/baselines';
import { valueOf } from '../state/model';
import { icon, mark } from '../ui/icons';
import { baseKey, schemeKey, type PlanCtx } from './context';
import type { CompareMode } from './plan-state';
import { nameOf } from './schemes-panel';
import { titleOf } from './numbers';

const MODES: readonly CompareMode[] = ['swipe', 'split', 'table'];

let kept: { readonly key: string; readonly answer: Comparison | null; readonly code: string | null } | null = null;

function asked(ctx: PlanCtx, ids: readonly string[]): typeof kept {
  const heads = ids.map((id) => `${id}@${ctx.tree.find((b) => b.scheme.id === id)?.scheme.head ?? 0}`);
  const key = heads.join();
  if (kept?.key === key) return kept;
  kept = { key, answer: null, code: null };
  const put = (answer: Comparison | null, code: string | null): void => {
    if (kept?.key === key) kept = { key, answer, code };
    ctx.bench.changed();
  };
  ctx.do.api.compare(ids).then((answer) => put(answer, null), (error: unknown) => put(null, codeOf(error)));
  return kept;
}

function head(ctx: PlanCtx, scheme: Scheme | typeof BASE | { readonly id: string }): TemplateResult {
  const id = typeof scheme === 'string' ? scheme : scheme.id;
  const branch = ctx.tree.find((b) => b.scheme.id === id);
  return html`<th scope="col"><span class="row tight thr">${branch ? html`${schemeKey(branch, ctx.tree)}${branch.depth > 0 ? `${branch.label} ` : ''}${nameOf(branch.scheme)}` : html`${baseKey}${t('plan.existing')}`}</span></th>`;
}

function cell(reading: Reading | null, first: boolean): TemplateResult {
  if (!reading || reading.value === null) return html`<td class="n dim">–</td>`;
  return html`<td class="n"><span class="strong">${reading.verdict === 'fail' ? mark('fail', 'xs') : nothing}${valueText(reading, reading.value)}</span>${first || reading.delta === null ? nothing : html`<span class="xs mid delta">${deltaText(reading, reading.delta)}</span>`}</td>`;
}

function table(ctx: PlanCtx, ids: readonly string[]): TemplateResult {
  const found = asked(ctx, ids);
  if (found?.code) return html`<p class="sec state">${mark('fail')}${problemText(found.code)}</p>`;
  if (!found?.answer) return html`<div class="sec" aria-busy="true">${[1, 2, 3, 4, 5].map(() => html`<p class="sk line tall"></p>`)}</div>`;
  return html`<div class="ctable" tabindex="0" role="region" aria-label=${t('plan.compare.table')}><table class="dt"><thead><tr><th scope="col">${t('plan.numbers')}</th>${found.answer.schemes.map((s) => head(ctx, s))}</tr></thead>
    <tbody>${found.answer.rows.map((row) => html`<tr><th scope="row">${titleOf(ctx, row.id)}</th>${row.readings.map((r, i) => cell(r, i === 0))}</tr>`)}</tbody></table></div>`;
}

/** Schemes beside each other: two maps with one camera, or all numbers in a table. */
export function comparePane(ctx: PlanCtx): TemplateResult | typeof nothing {
  const { compare } = ctx.s;
  const { scheme } = ctx;
  if (!compare || !scheme) return nothing;
  const other = ctx.tree.find((b) => b.scheme.id === compare.with);
  const set = (patch: Partial<typeof compare>): void => ctx.do.store.set({ compare: { ...compare, ...patch } });
  const mode = (one: CompareMode): TemplateResult => html`<button type="button" aria-pressed=${compare.mode === one} data-testid="compare-${one}" @click=${() => set({ mode: one })}>${t(`plan.compare.${one}`)}</button>`;
  const ids = compare.mode === 'table' ? [BASE, ...ctx.tree.filter((b) => b.scheme.id === scheme.id || b.scheme.id === compare.with || b.depth === 0).map((b) => b.scheme.id)].slice(0, 8) : [];
  const city = valueOf(ctx.city.s.city)?.baseline_version ?? null;
  const sides = ids.length ? ids : [compare.with, scheme.id];
  const mixed = mixedBaselines(sides.map((id) => {
    const branch = ctx.tree.find((b) => b.scheme.id === id);
    return { letter: branch?.label ?? 'A', baseline_version: branch?.scheme.baseline_version ?? city };
  }));
  return html`<div class="cbar" data-testid="compare-bar">
      <label class="row tight xs"><span class="mid nowrap">${t('plan.compare.with')}</span><select class="field" data-testid="compare-with" @change=${(e: Event) => set({ with: (e.target as HTMLSelectElement).value })}><option value=${BASE} .selected=${!other}>A ${t('plan.existing')}</option>${ctx.tree.filter((b) => b.scheme.id !== scheme.id).map((b) => html`<option value=${b.scheme.id} .selected=${b.scheme.id === compare.with}>${b.label} ${nameOf(b.scheme)}</option>`)}</select></label>
      <div class="seg" role="group" aria-label=${t('plan.compare')}>${MODES.map(mode)}</div>
      ${compare.mode === 'table' ? nothing : html`<button type="button" class="btn sm" data-testid="difference" aria-pressed=${ctx.s.difference} @click=${() => ctx.do.store.set({ difference: !ctx.s.difference })}>${t('plan.difference')}</button>`}
      <a class="btn sm" data-testid="report" href="/plan/report?schemes=base,${[compare.with, scheme.id].filter((id) => id !== BASE).join(',')}&lang=${lang()}">${t('plan.report')}</a>
      <button type="button" class="btn quiet sm ico" aria-label=${t('plan.compare.end')} @click=${() => ctx.do.store.set({ compare: null })}>${icon('x', 's')}</button>
      ${mixed ? html`<span class="tag discuss" data-testid="mixed-baselines" title=${t('compare.baselines', { list: baselinesText(mixed, ', ') })}>${mark('discuss', 'xs')}${t('plan.baseline', { n: baselinesText(mixed, ', ') })}</span>` : nothing}
    </div>
    ${compare.mode === 'table' ? html`<section class="panel cpanel" aria-label=${t('plan.compare.table')}>${table(ctx, ids)}</section>` : nothing}`;
}
