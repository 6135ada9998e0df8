import { html, nothing, type TemplateResult } from 'lit';
import { lang, problemText, t, tn } from '../i18n/index';
import { number } from '../i18n/format';
import { colourOf, key } from '../scheme/key';
import { builtOf, builtSentence, sentences } from '../scheme/plain';
import { headline, ordered } from '../scheme/reading';
import { bulletKey, readingBlock, readingSkeleton } from '../scheme/reading-view';
import { impactKey, letterOf, objectsKey, spokenOf } from '../scheme/show-state';
import type { Reading } from '../scheme/types';
import { loading, valueOf } from '../state/model';
import type { PublicCtx as Ctx } from './context';
import { icon, mark } from './icons';

/** What the scheme comes to, in sentences. */
export function inShort(ctx: Ctx, readings: readonly Reading[]): TemplateResult | typeof nothing {
  const spoken = spokenOf(ctx.c);
  if (!spoken) return nothing;
  const objects = valueOf(ctx.c.objects[objectsKey(spoken.scheme.id, ctx.c.phase)] ?? loading);
  const summary = spoken.scheme.summary[lang()];
  return html`<div class="short" data-testid="in-short">
    ${summary ? html`<p class="lead">${summary}</p>` : nothing}
    ${objects ? html`<p>${builtSentence(builtOf(objects.items))}</p>` : html`<span class="sk line"></span>`}
    ${readings.length > 0 ? html`<ul class="says">${sentences(readings, 4).map((text) => html`<li>${text}</li>`)}</ul>` : nothing}
  </div>`;
}

function numbers(ctx: Ctx, readings: readonly Reading[]): TemplateResult {
  const spoken = spokenOf(ctx.c);
  if (!spoken) return html``;
  const colour = colourOf(spoken.scheme.colour_index);
  const shown = ctx.c.allNumbers ? ordered(readings) : headline(readings);
  const rest = readings.length - shown.length;
  const behind = (reading: Reading): number => Math.max(0, spoken.scheme.head - reading.sequence);
  return html`${shown.map((reading) => readingBlock(reading, {
    baseLetter: letterOf(ctx.c, spoken.against), colour, behind: behind(reading), open: ctx.c.openReading === reading.id, toggle: () => ctx.show.toggleReading(reading.id),
  }))}
  <div class="sec more-row"><div class="row between">${rest > 0 || ctx.c.allNumbers ? html`<button type="button" class="link" data-testid="more-numbers" aria-expanded=${ctx.c.allNumbers} @click=${() => ctx.show.store.set({ allNumbers: !ctx.c.allNumbers })}>${ctx.c.allNumbers ? t('changes.less') : t('changes.more', { n: number(rest) })}</button>` : html`<span></span>`}<a class="link" href=${tableHref(ctx)}>${t('changes.all')}</a></div><p class="xs dim">${t('changes.level')}</p></div>`;
}

export const tableHref = (ctx: Ctx): string => {
  const link = ctx.do.link('/table');
  return `${link}${link.includes('?') ? '&' : '?'}set=schemes`;
};

/** Sentences and numbers of the scheme that is looked at. */
export function changesBody(ctx: Ctx): TemplateResult {
  const spoken = spokenOf(ctx.c);
  if (!spoken) return html``;
  const impact = ctx.c.impact[impactKey(spoken.scheme.id, spoken.against)] ?? loading;
  if (impact.state === 'failed') return html`<div class="sec"><div class="state">${mark('fail')}<div><p>${t('changes.failed')}</p><p class="xs dim">${problemText(impact.code)}</p><button type="button" class="link" @click=${() => ctx.show.readAgain()}>${t('panel.retry')}</button></div></div></div>`;
  const readings = valueOf(impact)?.items;
  return html`<div class="sec">${inShort(ctx, readings ?? [])}${tourButton(ctx)}</div>${readings ? numbers(ctx, readings) : html`<div aria-busy="true">${[1, 2, 3, 4].map(readingSkeleton)}</div>`}`;
}

function tourButton(ctx: Ctx): TemplateResult | typeof nothing {
  const stops = spokenOf(ctx.c)?.scheme.tour.length ?? 0;
  if (stops === 0 || ctx.c.tour) return nothing;
  return html`<button type="button" class="btn tourb" data-testid="tour-start" @click=${() => ctx.show.startTour()}>${icon('route')}${t('tour.start')}<span class="dim">${tn('tour.stops', stops, number(stops))}</span></button>`;
}

export function changesPanel(ctx: Ctx): TemplateResult | typeof nothing {
  const spoken = spokenOf(ctx.c);
  if (!spoken) return nothing;
  const { scheme } = spoken;
  const base = letterOf(ctx.c, spoken.against);
  return html`<aside class="panel changes" data-testid="changes-panel" aria-label=${t('changes.title', { letter: scheme.letter })} tabindex="-1">
    <div class="ph"><h2 class="grow trunc">${t('changes.title', { letter: scheme.letter })}</h2>${bulletKey(base, scheme.letter, colourOf(scheme.colour_index))}<button type="button" class="btn quiet sm ico" aria-label=${t('schemes.zoom')} title=${t('schemes.zoom')} data-testid="zoom-scheme" @click=${() => ctx.show.frame(scheme.id)}>${icon('zoom')}</button></div>
    <div class="scroll">${changesBody(ctx)}</div>
  </aside>`;
}

/** The head of the numbers in the sheet: whose they are. */
export function changesSheet(ctx: Ctx): TemplateResult {
  const spoken = spokenOf(ctx.c);
  if (!spoken) return html`<p class="sec mid">${t('schemes.base.detail')}</p>`;
  const base = letterOf(ctx.c, spoken.against);
  return html`<div class="sec row">${key(spoken.scheme.letter, spoken.scheme.colour_index)}<div class="grow"><div class="strong">${spoken.scheme.name[lang()]}</div>${bulletKey(base, spoken.scheme.letter, colourOf(spoken.scheme.colour_index))}</div></div>${changesBody(ctx)}`;
}
