import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../i18n/index';
import { spokenOf } from '../scheme/show-state';
import { said } from '../scheme/tour';
import type { PublicCtx as Ctx } from './context';
import { icon } from './icons';

/** The stop that is shown: title, text, and the way on. It stands where the sun dock does. */
export function tourCard(ctx: Ctx, phone = false): TemplateResult | typeof nothing {
  const stops = spokenOf(ctx.c)?.scheme.tour ?? [];
  const { tour } = ctx.c;
  const stop = stops[tour?.stop ?? -1];
  if (!tour || !stop) return nothing;
  const last = tour.stop === stops.length - 1;
  const text = said(stop.text, ctx.s.lang);
  const small = phone ? 'touch' : '';
  return html`<section class="tour ${phone ? '' : 'dock'}" data-testid="tour" aria-label=${t('tour.title')}>
    <div class="row"><span class="xs dim grow">${t('tour.count', { i: tour.stop + 1, n: stops.length })}</span><button type="button" class="btn quiet sm ico" aria-label=${t('tour.end')} data-testid="tour-end" @click=${() => ctx.show.endTour()}>${icon('x')}</button></div>
    <div aria-live="polite"><h3>${said(stop.title, ctx.s.lang)}</h3>${text ? html`<p class="mid">${text}</p>` : nothing}</div>
    <div class="row tour-b">
      <ol class="dots" aria-hidden="true">${stops.map((_, i) => html`<li class=${i === tour.stop ? 'now' : i < tour.stop ? 'past' : ''}></li>`)}</ol><span class="grow"></span>
      <button type="button" class="btn soft ico round ${small}" aria-pressed=${tour.auto} aria-label=${t(tour.auto ? 'tour.pause' : 'tour.play')} title=${t(tour.auto ? 'tour.pause' : 'tour.play')} ?disabled=${last} @click=${() => ctx.show.autoTour(!tour.auto)}>${icon(tour.auto ? 'pause' : 'play')}</button>
      <button type="button" class="btn ${small}" data-testid="tour-back" ?disabled=${tour.stop === 0} @click=${() => ctx.show.tourBy(-1)}>${t('tour.back')}</button>
      <button type="button" class="btn pri ${small}" data-testid="tour-next" @click=${() => (last ? ctx.show.endTour() : ctx.show.tourBy(1))}>${t(last ? 'tour.last' : 'tour.next')}</button>
    </div>
  </section>`;
}
