import { html, nothing, svg, type TemplateResult } from 'lit';
import { lang, problemText, t, tn, word, wordFor, type MessageKey } from '../i18n/index';
import { listed, number } from '../i18n/format';
import { valueOf } from '../state/model';
import { BASE, type Factor, type Reading } from '../scheme/types';
import { bulletOf, deltaText, shownOf, valueText } from '../scheme/reading';
import { icon, mark } from '../ui/icons';
import type { PlanCtx } from './context';
import { colourKey, staleBy } from './log';

/** Those that a planner watches, first; the rest unfolds. */
const FIRST = ['people.dwellings', 'land.floor_area', 'land.floor_area_ratio', 'land.building_density', 'land.green_ratio', 'light.homes_sun', 'people.open_space_per_head', 'cost.construction', 'carbon.embodied'];
const SHOWN_MIN = 8;

/** The short name where there is one, else the one that the server gives. */
export const titleOf = (ctx: Pick<PlanCtx, 's'>, id: string): string => wordFor('indicator', id) ?? ctx.s.indicators.find((one) => one.id === id)?.title[lang()] ?? id;

function bullet(reading: Reading, key: string): TemplateResult {
  const b = bulletOf(reading);
  if (!b) return html`<svg class="bul" aria-hidden="true"><rect y="6" width="100%" height="6" rx="3" class="track"/></svg>`;
  const pc = (share: number): string => `${(share * 100).toFixed(2)}%`;
  const [from, to] = [Math.min(b.zero, b.value), Math.max(b.zero, b.value)];
  return html`<svg class="bul ${key}" aria-hidden="true">
    <rect y="6" width="100%" height="6" rx="3" class="track"/><rect x=${pc(from)} y="6" width=${pc(to - from)} height="6" rx="3" class="val"/>
    ${b.interval ? svg`<rect x=${pc(b.interval[0])} y="2.5" width=${pc(b.interval[1] - b.interval[0])} height="13" rx="3" class="band"/><rect x=${pc(b.interval[0])} y="4" width="1.5" height="10" class="val"/><rect x=${pc(b.interval[1])} y="4" width="1.5" height="10" class="val"/>` : nothing}
    ${b.base === null ? nothing : svg`<circle cx=${pc(b.base)} cy="9" r="4" class="base"/>`}
    ${b.targets.map((at) => svg`<rect x=${pc(at)} y="0" width="2" height="18" class="target"/>`)}
  </svg>`;
}

function targetText(reading: Reading): string | null {
  const { target } = reading;
  if (!target) return null;
  const one = (sign: string, value: number): string => `${sign} ${valueText(reading, value)}`;
  return listed([target.min === undefined ? '' : one('≥', target.min), target.max === undefined ? '' : one('≤', target.max)].filter(Boolean));
}

function factorLine(factor: Factor): TemplateResult {
  const unit = factor.unit === '1' ? '' : ` ${word('planUnit', factor.unit)}`;
  const digits = (value: number): string => number(value, Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 1 ? 1 : 3);
  return html`<li><div class="row between"><span class="trunc">${word('factor', factor.id)}</span><span class="n">${digits(factor.value)}${unit}</span></div>
    <div class="xs dim">${factor.low === null || factor.high === null || factor.low === factor.high ? nothing : html`${t('info.interval', { lo: digits(factor.low), hi: digits(factor.high) })}. `}${factor.source}</div></li>`;
}

/** The graph around a reading: what goes in, how it is made, what comes out. */
function graph(ctx: PlanCtx, reading: Reading): TemplateResult {
  const inputs = reading.inputs.map((id) => (id.includes('.') ? titleOf(ctx, id) : word('planInput', id)));
  const h = Math.max(2, inputs.length) * 26;
  return html`<div class="graph" role="img" aria-label=${t('plan.why.graph', { from: listed(inputs), to: titleOf(ctx, reading.id) })}>
    <ul aria-hidden="true">${inputs.map((name) => html`<li class="tag">${name}</li>`)}</ul>
    <svg viewBox="0 0 60 ${h}" preserveAspectRatio="none" aria-hidden="true">${inputs.map((_, i) => svg`<path d="M0 ${((i + 0.5) * h) / inputs.length}C34 ${((i + 0.5) * h) / inputs.length} 26 ${h / 2} 60 ${h / 2}"/>`)}</svg>
    <span class="tag info" aria-hidden="true">${titleOf(ctx, reading.id)}</span>
  </div>`;
}

function why(ctx: PlanCtx, reading: Reading): TemplateResult {
  const target = targetText(reading);
  const breakdown = (reading.breakdown ?? []).slice(0, 6);
  return html`<div class="why" id="why-${reading.id}" data-testid="why">
    <p class="xs mid">${t(`quality.${reading.quality}` as MessageKey)}${reading.interval ? html`, ${t('info.interval', { lo: shownOf(reading, reading.interval[0]).text, hi: valueText(reading, reading.interval[1]) })}` : nothing}. ${reading.scope === 'site' ? t('plan.why.site') : t('plan.why.city')}</p>
    ${reading.base === null ? nothing : html`<p class="xs mid">${t('plan.why.base', { value: valueText(reading, reading.base) })}</p>`}
    ${target ? html`<p class="xs mid">${t('plan.why.target', { limit: target })}: ${reading.target?.source ?? ''}</p>` : nothing}
    ${graph(ctx, reading)}
    ${breakdown.length > 0 ? html`<ul class="xs kvs">${breakdown.map((one) => html`<li class="row between"><span class="trunc">${word('planKey', one.key)}</span><span class="n">${one.value === null ? '–' : valueText({ ...reading, ...(one.unit ? { id: one.key, unit: one.unit } : {}) }, one.value)}</span></li>`)}</ul>` : nothing}
    ${reading.factors.length > 0 ? html`<h3>${t('plan.why.factors')}</h3><ul class="factors">${reading.factors.map(factorLine)}</ul>` : nothing}
    ${reading.sources.length > 0 ? html`<h3>${t('plan.why.sources')}</h3><ul class="xs mid">${reading.sources.map((source) => html`<li>${source}</li>`)}</ul>` : nothing}
    <button type="button" class="link xs" @click=${() => ctx.do.store.set({ dialog: { kind: 'method', name: reading.method } })}>${t('plan.why.method')}</button>
  </div>`;
}

function row(ctx: PlanCtx, reading: Reading, key: string): TemplateResult {
  const open = ctx.s.why === reading.id;
  const behind = staleBy(reading.sequence, ctx.scheme?.head ?? 0);
  const stale = reading.state === 'pending' || behind > 0;
  const verdict = reading.verdict;
  const name = html`<span class="name">${verdict === 'fail' || verdict === 'discuss' ? mark(verdict, 'xs') : nothing}<span>${titleOf(ctx, reading.id)}</span></span>`;
  const toggle = (): void => ctx.do.store.set({ why: open ? null : reading.id });
  let cells: TemplateResult;
  if (reading.state === 'failed') cells = html`<span class="wide xs fail-text">${t('plan.numbers.failedOne')}</span>`;
  else if (reading.value === null) cells = reading.state === 'pending' ? html`<span class="sk line n"></span><span></span><span class="sk bar"></span>` : html`<span class="wide xs dim">${t('plan.numbers.none')}</span>`;
  else {
    const figure = shownOf(reading, reading.value, true);
    cells = html`<span class="n strong">${figure.text}${figure.unit === '%' ? '%' : figure.unit ? html` <span class="u">${figure.unit}</span>` : nothing}</span>
      <span class="n xs mid">${reading.delta === null ? nothing : deltaText(reading, reading.delta, true)}</span>${bullet(reading, key)}`;
  }
  return html`<li class="it-row ${open ? 'open' : ''} ${stale ? 'stale' : ''}" data-testid="reading-${reading.id}" data-state=${reading.state} data-sequence=${reading.sequence}>
    <button type="button" class="it" aria-expanded=${open} aria-controls=${open ? `why-${reading.id}` : nothing} title=${t('plan.why')} @click=${toggle}>
      ${name}${cells}<span class="sr">. ${t('plan.why')}</span>
      ${stale && reading.value !== null ? html`<span class="late xs">${behind > 0 ? tn('plan.numbers.stale', behind, String(behind)) : t('plan.numbers.running')}</span>` : nothing}
    </button>
    ${open ? why(ctx, reading) : nothing}
  </li>`;
}

const skeleton = html`<ul aria-busy="true">${Array.from({ length: 6 }, () => html`<li class="it-row"><div class="it"><span class="sk line"></span><span class="sk line n"></span><span></span><span class="sk bar"></span></div></li>`)}</ul>`;

function againstSwitch(ctx: PlanCtx): TemplateResult {
  const parent = ctx.tree.find((b) => b.scheme.id === ctx.scheme?.parent);
  const option = (id: string, label: string): TemplateResult => html`<button type="button" aria-pressed=${ctx.s.against === id} @click=${() => ctx.do.store.set({ against: id })}>${t('plan.vs', { name: label })}</button>`;
  return html`<div class="seg small" role="group" aria-label=${t('plan.against')}>${option(BASE, 'A')}${parent ? option(parent.scheme.id, parent.label) : nothing}</div>`;
}

export function ordered(readings: readonly Reading[]): Reading[] {
  const rank = (id: string): number => (FIRST.includes(id) ? FIRST.indexOf(id) : FIRST.length);
  return readings.map((r, i) => ({ r, i })).sort((a, b) => rank(a.r.id) - rank(b.r.id) || a.i - b.i).map(({ r }) => r);
}

export function numbers(ctx: PlanCtx): TemplateResult {
  const { readings, allReadings } = ctx.s;
  const list = ordered(valueOf(readings) ?? []);
  const shown = allReadings ? list : list.slice(0, Math.max(SHOWN_MIN, list.findIndex((r) => r.id === ctx.s.why) + 1));
  const key = ctx.branch ? colourKey(ctx.branch, ctx.tree) : 'b';
  const body =
    readings.state === 'failed'
      ? html`<div class="sec state">${mark('fail')}<div><p>${t('plan.numbers.failed')}</p><p class="xs dim">${problemText(readings.code)}</p><button type="button" class="link" @click=${() => void ctx.do.readImpact(ctx.scheme?.id ?? '')}>${t('panel.retry')}</button></div></div>`
      : readings.state !== 'ready'
        ? skeleton
        : html`<ul>${shown.map((reading) => row(ctx, reading, key))}</ul>
          ${list.length > shown.length || allReadings ? html`<div class="more-row"><button type="button" class="link xs" @click=${() => ctx.do.store.set({ allReadings: !allReadings })}>${allReadings ? t('info.less') : t('plan.numbers.more', { n: list.length - shown.length })}${icon(allReadings ? 'up' : 'down', 's')}</button></div>` : nothing}`;
  return html`<section class="numbers" aria-label=${t('plan.numbers')}>
    <div class="ph div"><h2 class="grow">${t('plan.numbers')}</h2>${againstSwitch(ctx)}</div>
    ${body}
    <p class="legendline xs dim">${t('plan.numbers.legend')}</p>
  </section>`;
}
