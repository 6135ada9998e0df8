import { html, nothing, type TemplateResult } from 'lit';
import { lang, t } from '../i18n/index';
import { COLOUR_ATTRIBUTES, type ColourAttribute } from '../state/url';
import type { SheetStop, SheetTab } from '../state/explore-state';
import { peekLine } from './city-card';
import type { PublicCtx as Ctx } from './context';
import { cssom } from './cssom';
import { icon } from './icons';
import { changesSheet } from './changes-panel';
import { details } from './info-panel';
import { hasSchemes, lineOf, schemeChips, schemesSheet } from './scheme-cards';
import { key } from '../scheme/key';
import { spokenOf } from '../scheme/show-state';
import { tourCard } from './tour-view';
import { colourBy, layerList } from './layer-panel';
import { liveBadge } from './live-badge';
import { sunDock } from './sun-dock';
import { themeButton } from './top-bar';

export const PEEK_PX = 164;
const TOP_PX = 80;
const STOPS: readonly SheetStop[] = ['peek', 'half', 'full'];
const tabsOf = (ctx: Ctx): readonly SheetTab[] => (hasSchemes(ctx) ? ['schemes', 'numbers', 'details', 'layers', 'sun'] : ['details', 'layers', 'sun']);
const tabName = (tab: SheetTab): string => (tab === 'schemes' || tab === 'numbers' ? t(tab === 'schemes' ? 'schemes.title' : 'schemes.numbers') : t(`panel.${tab}`));

/** Height of a stop in a window. */
export function stopHeight(stop: SheetStop, windowHeight: number): number {
  return stop === 'peek' ? Math.min(PEEK_PX, windowHeight * 0.6) : stop === 'half' ? Math.round(windowHeight * 0.48) : windowHeight - Math.min(TOP_PX, windowHeight * 0.12);
}

/** The stop that a dragged height is nearest to. */
export function nearestStop(height: number, windowHeight: number): SheetStop {
  return [...STOPS].sort((a, b) => Math.abs(stopHeight(a, windowHeight) - height) - Math.abs(stopHeight(b, windowHeight) - height))[0] ?? 'half';
}

export const nextStop = (stop: SheetStop): SheetStop => STOPS[(STOPS.indexOf(stop) + 1) % STOPS.length] ?? 'half';

let drag: { readonly y: number; readonly height: number; moved: boolean } | null = null;

function grip(ctx: Ctx): TemplateResult {
  const sheet = (e: Event): HTMLElement | null => (e.currentTarget as HTMLElement).closest('.sheet');
  const start = (e: PointerEvent): void => {
    drag = { y: e.clientY, height: sheet(e)?.offsetHeight ?? 0, moved: false };
    (e.currentTarget as HTMLElement).setPointerCapture(e.pointerId);
  };
  const height = (e: PointerEvent): number => Math.min(innerHeight - 40, Math.max(90, (drag?.height ?? 0) + (drag?.y ?? 0) - e.clientY));
  const move = (e: PointerEvent): void => {
    if (!drag || (!drag.moved && Math.abs(e.clientY - drag.y) < 6)) return;
    drag.moved = true;
    const element = sheet(e);
    element?.classList.add('dragging');
    if (element) element.style.height = `${height(e)}px`;
  };
  const end = (e: PointerEvent): void => {
    const element = sheet(e);
    element?.classList.remove('dragging');
    if (drag?.moved && element) {
      const stop = nearestStop(height(e), innerHeight);
      element.style.height = `${stopHeight(stop, innerHeight)}px`;
      ctx.do.setSheet(stop);
    }
  };
  const click = (): void => {
    if (!drag?.moved) ctx.do.setSheet(nextStop(ctx.s.sheet));
    drag = null;
  };
  return html`<button type="button" class="grab" data-testid="sheet-grip" aria-label=${t('sheet.size', { stop: t(`sheet.${ctx.s.sheet}`) })} @pointerdown=${start} @pointermove=${move} @pointerup=${end} @pointercancel=${end} @click=${click}><i></i></button>`;
}

function body(ctx: Ctx): TemplateResult {
  if (ctx.c.tour) return tourCard(ctx, true) as TemplateResult;
  if (ctx.s.sheet === 'peek') {
    const spoken = ctx.s.selection ? null : spokenOf(ctx.c);
    if (spoken) return html`<div class="peek">${key(spoken.scheme.letter, spoken.scheme.colour_index)}<div class="grow"><div class="strong trunc">${spoken.scheme.name[lang()]}</div><div class="mid two">${lineOf(ctx, spoken.scheme)}</div></div></div>`;
    const line = peekLine(ctx);
    return html`<div class="peek"><div class="grow"><div class="strong trunc">${line.title}</div><div class="mid two">${line.detail}</div></div>${ctx.s.selection ? html`<button type="button" class="btn ico touch quiet" aria-label=${t('panel.close')} @click=${() => ctx.do.select(null)}>${icon('x')}</button>` : nothing}</div>`;
  }
  if (ctx.s.tab === 'schemes' && hasSchemes(ctx)) return schemesSheet(ctx);
  if (ctx.s.tab === 'numbers' && hasSchemes(ctx)) return changesSheet(ctx);
  if (ctx.s.tab === 'layers') {
    return html`<div class="sec">${layerList(ctx)}</div><div class="ph div"><h2>${t('panel.colourBy')}</h2></div><div class="sec">${colourBy(ctx, 'colour-by-sheet')}</div>
      <div class="sec row wrap"><a class="btn touch grow" href=${ctx.do.link('/table')} data-testid="table-link" @click=${(e: Event) => { e.preventDefault(); ctx.do.openTable(); }}>${icon('table')}${t('bar.table')}</a><button type="button" class="btn touch grow" data-testid="share" @click=${() => void ctx.do.share()}>${icon('share')}${t('bar.share')}</button>${themeButton(ctx.s.theme, themeActions(ctx), 'touch')}</div>`;
  }
  if (ctx.s.tab === 'sun') return html`<div class="sec">${sunDock(ctx, true)}</div>`;
  return html`<div class="card" data-testid="info-panel">${details(ctx)}</div>`;
}

const themeActions = (ctx: Ctx): Parameters<typeof themeButton>[1] => ({
  setLanguage: (value) => ctx.do.setLanguage(value),
  setTheme: (value) => ctx.do.setTheme(value),
  share: () => void ctx.do.share(),
});

export function phoneTop(ctx: Ctx, search: TemplateResult): TemplateResult {
  const other = lang() === 'zh' ? 'en' : 'zh';
  const chip = (value: ColourAttribute | null): TemplateResult => html`<button type="button" class="chip" aria-pressed=${ctx.s.colourBy === value} @click=${() => ctx.do.setColour(value)}>${t(value === null ? 'colour.none' : `colour.${value}`)}</button>`;
  return html`<div class="top">${search}
      <button type="button" class="rnd" lang=${other === 'zh' ? 'zh-CN' : 'en'} data-testid="lang-${other}" aria-label=${other === 'zh' ? '切换到中文' : 'EN, switch to English'} @click=${() => ctx.do.setLanguage(other)}>${other === 'zh' ? '中' : 'EN'}</button>
      <button type="button" class="rnd" aria-label=${t('panel.layers')} @click=${() => ctx.do.setSheet(ctx.s.sheet === 'peek' ? 'half' : ctx.s.sheet, 'layers')}>${icon('layers', 'l')}</button>
    </div>
    ${ctx.s.sheet === 'full' ? nothing : html`${hasSchemes(ctx) ? schemeChips(ctx) : html`<div class="chips" role="group" aria-label=${t('panel.colourBy')}>${chip(null)}${COLOUR_ATTRIBUTES.map(chip)}</div>`}
      <div class="lifted">${liveBadge(ctx.s.live, ctx.s.now_ms, ctx.zone)}</div>`}`;
}

export function sheet(ctx: Ctx): TemplateResult {
  const height = `${stopHeight(ctx.s.sheet, innerHeight)}px`;
  const TABS = tabsOf(ctx);
  const focusTab = (e: KeyboardEvent): void => {
    if (e.key !== 'ArrowLeft' && e.key !== 'ArrowRight') return;
    e.preventDefault();
    const next = TABS[(TABS.indexOf(ctx.s.tab) + (e.key === 'ArrowRight' ? 1 : TABS.length - 1)) % TABS.length] ?? 'details';
    ctx.do.setSheet(ctx.s.sheet === 'peek' ? 'half' : ctx.s.sheet, next);
    (e.currentTarget as HTMLElement).querySelector<HTMLElement>(`#tab-${next}`)?.focus();
  };
  return html`<section class="sheet" ${cssom({ height })} aria-label=${t('sheet.label')} data-stop=${ctx.s.sheet}>
    ${grip(ctx)}
    <div class="nav" role="tablist" @keydown=${focusTab}>${TABS.map((tab) => html`<button type="button" role="tab" id="tab-${tab}" aria-controls="sheet-body" aria-selected=${ctx.s.tab === tab} tabindex=${ctx.s.tab === tab ? 0 : -1} @click=${() => ctx.do.setSheet(ctx.s.sheet === 'peek' ? 'half' : ctx.s.sheet, tab)}>${tabName(tab)}</button>`)}</div>
    <div class="body" id="sheet-body" role="tabpanel" tabindex="-1" aria-labelledby="tab-${ctx.s.tab}">${body(ctx)}</div>
  </section>`;
}
