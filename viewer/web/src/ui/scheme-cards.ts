import { html, nothing, type TemplateResult } from 'lit';
import { lang, t, tn, type MessageKey } from '../i18n/index';
import { number } from '../i18n/format';
import { baselinesText, mixedBaselines, type OnBaseline } from '../scheme/baselines';
import { key } from '../scheme/key';
import { COMPARE_MODES, type CompareMode } from '../scheme/panes';
import { builtOf, cardLine } from '../scheme/plain';
import { impactKey, letterOf, objectsKey, schemeOf, spokenOf, yearsOf } from '../scheme/show-state';
import { BASE, type Scheme } from '../scheme/types';
import { loading, valueOf } from '../state/model';
import type { PublicCtx as Ctx } from './context';
import { icon, mark, type IconName } from './icons';

const MODE_ICONS: Readonly<Record<CompareMode, IconName>> = { one: 'single', swipe: 'swipe', split: 'side' };

export const hasSchemes = (ctx: Ctx): boolean => (valueOf(ctx.c.schemes) ?? []).length > 0;

export const nameOf = (ctx: Ctx, id: string): string => (id === BASE ? t('schemes.base') : schemeOf(ctx.c, id)?.name[lang()] ?? id);

/** What a scheme comes to in one line, from its readings and from what it builds. */
export function lineOf(ctx: Ctx, scheme: Scheme): string {
  const readings = valueOf(ctx.c.impact[impactKey(scheme.id, BASE)] ?? loading)?.items ?? [];
  const objects = valueOf(ctx.c.objects[objectsKey(scheme.id, null)] ?? loading);
  const line = cardLine(readings, objects ? builtOf(objects.items) : null);
  const { added, changed, demolished } = scheme.counts;
  if (line || added > 0) return line || tn('schemes.added', added, number(added));
  return demolished > 0 ? tn('built.demolished', demolished, number(demolished)) : tn('built.changed', changed, number(changed));
}

function baseLine(ctx: Ctx): string {
  for (const scheme of valueOf(ctx.c.schemes) ?? []) {
    const homes = valueOf(ctx.c.impact[impactKey(scheme.id, BASE)] ?? loading)?.items.find((reading) => reading.id === 'people.dwellings');
    if (homes?.base) return t('schemes.base.homes', { n: number(homes.base) });
  }
  return t('schemes.base.detail');
}

/** The baseline that a scheme stands on; of the city as it is, the newest. */
const onBaseline = (ctx: Ctx, id: string): OnBaseline => ({ letter: letterOf(ctx.c, id), baseline_version: id === BASE ? (valueOf(ctx.s.city)?.baseline_version ?? null) : (schemeOf(ctx.c, id)?.baseline_version ?? null) });

/** Said where the two sides of a comparison stand on different baselines. */
export function baselineNote(ctx: Ctx): TemplateResult | typeof nothing {
  const mixed = ctx.c.mode === 'one' ? null : mixedBaselines([onBaseline(ctx, ctx.c.left), onBaseline(ctx, ctx.c.right)]);
  return mixed ? html`<p class="xs discuss-text" data-testid="mixed-baselines">${mark('discuss', 'xs')} ${t('compare.baselines', { list: baselinesText(mixed, lang() === 'zh' ? '，' : ', ') })}</p>` : nothing;
}

function card(ctx: Ctx, id: string, large: boolean): TemplateResult {
  const { c } = ctx;
  const scheme = schemeOf(c, id);
  const two = c.mode !== 'one';
  const place = id === c.right ? (two ? 'right' : 'shown') : two && id === c.left ? 'left' : null;
  const letter = letterOf(c, id);
  const summary = scheme?.summary[lang()] ?? '';
  const own = onBaseline(ctx, id);
  const apart = scheme !== undefined && mixedBaselines([own, onBaseline(ctx, BASE)]) !== null;
  return html`<li><button type="button" class="sch ${large ? 'large' : ''}" data-testid="scheme-${letter}" aria-pressed=${place === null ? 'false' : 'true'} @click=${() => ctx.show.choose(id)}>
    ${key(letter, scheme?.colour_index ?? 0)}
    <span class="grow"><span class="nam"><span class="sr">${letter} </span>${nameOf(ctx, id)}</span><span class="det">${scheme ? lineOf(ctx, scheme) : baseLine(ctx)}${apart ? html` <span class="dim nowrap">${t('schemes.onBaseline', { n: own.baseline_version ?? 0 })}</span>` : nothing}</span>${summary && large ? html`<span class="det say">${summary}</span>` : nothing}</span>
    ${large && scheme ? html`<img class="thumb" src="/api/v1/schemes/${encodeURIComponent(id)}/preview.png" alt="" width="96" height="60" loading="lazy" @error=${(e: Event) => (e.target as HTMLElement).remove()}>` : nothing}
    ${place === null ? nothing : large && !two ? html`<span class="on">${icon('check', 'l')}<span class="sr">${t('schemes.shown')}</span></span>` : html`<span class="tag">${t(`schemes.${place}`)}</span>`}
  </button></li>`;
}

const skeleton = (): TemplateResult => html`<ul class="schs" aria-busy="true">${[1, 2, 3].map(() => html`<li class="sch"><span class="sk box"></span><span class="grow"><span class="sk line"></span><span class="sk line"></span></span></li>`)}</ul>`;

export function schemeCards(ctx: Ctx, large = false): TemplateResult {
  const { schemes } = ctx.c;
  if (schemes.state === 'failed') return html`<div class="state sec">${mark('fail')}<div><p>${t('schemes.failed')}</p><button type="button" class="link" @click=${() => void ctx.show.read()}>${t('panel.retry')}</button></div></div>`;
  if (schemes.state !== 'ready') return skeleton();
  return html`<ul class="schs">${[BASE, ...schemes.value.map((scheme) => scheme.id)].map((id) => card(ctx, id, large))}</ul>`;
}

export function modeSwitch(ctx: Ctx, modes: readonly CompareMode[] = COMPARE_MODES): TemplateResult {
  return html`<div class="seg wide" role="group" aria-label=${t('compare.mode')}>${modes.map((mode) => html`<button type="button" aria-pressed=${ctx.c.mode === mode} data-testid="mode-${mode}" @click=${() => ctx.show.setMode(mode)}>${icon(MODE_ICONS[mode], 's')}${t(`compare.${mode}`)}</button>`)}</div>`;
}

/** What the right side is compared with, and where the divider stands: nothing needs a drag. */
export function compareFields(ctx: Ctx): TemplateResult | typeof nothing {
  const { c } = ctx;
  if (c.mode === 'one') return nothing;
  const others = [BASE, ...(valueOf(c.schemes) ?? []).map((scheme) => scheme.id)].filter((id) => id !== c.right);
  return html`<div class="row cmpf">
    <label class="grow"><span class="xs mid">${t('schemes.compareWith')}</span><select class="field grow" data-testid="against" @change=${(e: Event) => ctx.show.against((e.target as HTMLSelectElement).value)}>${others.map((id) => html`<option value=${id} .selected=${id === c.left}>${letterOf(c, id)} ${nameOf(ctx, id)}</option>`)}</select></label>
    ${c.mode === 'swipe' ? html`<label><span class="xs mid">${t('compare.position')}</span><span class="row tight"><input type="number" class="field pos" data-testid="swipe-position" min="0" max="100" step="1" .value=${String(Math.round(c.position * 100))} @change=${(e: Event) => ctx.show.setPosition(Math.min(100, Math.max(0, Number((e.target as HTMLInputElement).value))) / 100)}><span class="xs mid">%</span></span></label>` : nothing}
  </div>`;
}

/** The years by which the parts of a scheme stand: a slider with a button at either end. */
export function phaseSlider(ctx: Ctx): TemplateResult | typeof nothing {
  const years = yearsOf(ctx.c);
  const first = years[0];
  if (first === undefined) return nothing;
  // Before the first year nothing stands; after the last all does.
  const stops: readonly (number | null)[] = [first - 1, ...years.slice(0, -1), null];
  const known = ctx.c.phase === null ? stops.length - 1 : stops.findLastIndex((year) => year !== null && year <= (ctx.c.phase ?? 0));
  const index = Math.max(0, known);
  const name = (at: number): string => (at === 0 ? t('phase.today') : stops[at] === null ? String(years.at(-1)) : String(stops[at]));
  const go = (at: number): void => ctx.show.setPhase(stops[Math.min(stops.length - 1, Math.max(0, at))] ?? null);
  const spoken: MessageKey = index === 0 ? 'phase.today' : stops[index] === null ? 'phase.all' : 'phase.value';
  return html`<div class="phase" role="group" aria-label=${t('phase.title')}>
    <div class="row between"><span class="xs mid">${t('phase.title')}</span><span class="strong" data-testid="phase-year">${name(index)}</span></div>
    <div class="row tight"><button type="button" class="btn sm ico" aria-label=${t('phase.earlier')} ?disabled=${index === 0} @click=${() => go(index - 1)}>${icon('left')}</button>
      <input type="range" class="grow" data-testid="phase-slider" min="0" max=${stops.length - 1} step="1" .value=${String(index)} aria-label=${t('phase.title')} aria-valuetext=${t(spoken, { year: name(index) })} @input=${(e: Event) => go(Number((e.target as HTMLInputElement).value))}>
      <button type="button" class="btn sm ico" aria-label=${t('phase.later')} ?disabled=${index === stops.length - 1} @click=${() => go(index + 1)}>${icon('right')}</button></div>
    <div class="ticks xs dim" aria-hidden="true">${stops.map((_, at) => html`<span>${name(at)}</span>`)}</div>
  </div>`;
}

/** The section of the left panel. */
export function schemesSection(ctx: Ctx, close: TemplateResult): TemplateResult | typeof nothing {
  if (ctx.c.schemes.state === 'ready' && !hasSchemes(ctx)) return nothing;
  return html`<div class="ph"><h2 class="grow">${t('schemes.title')}</h2>${hasSchemes(ctx) ? html`<button type="button" class="btn quiet sm" data-testid="about" aria-pressed=${ctx.c.about} title=${t('schemes.about.hint')} @click=${() => { ctx.show.store.set({ about: !ctx.c.about }); ctx.do.store.set({ rightOpen: true }); }}>${icon('info', 's')}${t('schemes.about')}</button>` : nothing}${close}</div>`;
}

export function schemesBody(ctx: Ctx): TemplateResult | typeof nothing {
  if (ctx.c.schemes.state === 'ready' && !hasSchemes(ctx)) return nothing;
  return html`${schemeCards(ctx)}${hasSchemes(ctx) ? html`<div class="sec cmps">${modeSwitch(ctx)}${compareFields(ctx)}${baselineNote(ctx)}${phaseSlider(ctx)}</div>` : nothing}`;
}

/** Chips of the phone: one tap, one scheme. */
export function schemeChips(ctx: Ctx): TemplateResult {
  const ids = [BASE, ...(valueOf(ctx.c.schemes) ?? []).map((scheme) => scheme.id)];
  return html`<div class="chips" role="group" aria-label=${t('schemes.title')}>${ids.map((id) => html`<button type="button" class="chip" data-testid="chip-${letterOf(ctx.c, id)}" aria-pressed=${id === ctx.c.right} @click=${() => ctx.show.choose(id)}>${key(letterOf(ctx.c, id), schemeOf(ctx.c, id)?.colour_index ?? 0)}<span class="sr">${letterOf(ctx.c, id)} </span>${id === BASE ? t('schemes.base.short') : nameOf(ctx, id)}</button>`)}</div>`;
}

/** The cards of the sheet, with the one action that belongs to them. */
export function schemesSheet(ctx: Ctx): TemplateResult {
  const spoken = spokenOf(ctx.c);
  const { mode } = ctx.c;
  const b = spoken?.scheme.letter ?? '';
  return html`<div class="schsheet">${schemeCards(ctx, true)}
    ${spoken ? html`<button type="button" class="btn touch wide" data-testid="compare-now" aria-pressed=${mode !== 'one'} @click=${() => ctx.show.setMode(mode === 'one' ? 'swipe' : 'one')}>${icon(mode === 'one' ? 'swipe' : 'single')}${mode === 'one' ? t('schemes.compareNow', { b, a: letterOf(ctx.c, ctx.c.left === ctx.c.right ? BASE : ctx.c.left) }) : t('schemes.compareEnd', { b })}</button>` : nothing}
    ${compareFields(ctx)}${baselineNote(ctx)}${phaseSlider(ctx)}</div>`;
}
