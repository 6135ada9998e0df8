import { html, nothing, type TemplateResult } from 'lit';
import { lang, t, word } from '../i18n/index';
import { age, dayAndClock, figure, figureUnit, span } from '../i18n/format';
import { isStale } from '../state/explore-state';
import { valueOf, type Datastream } from '../state/model';
import type { Ctx } from './context';
import { mark, type Mark } from './icons';
import { hoursSwitch, timeSeries } from './time-series';

interface Now {
  readonly value: number | null;
  readonly phenomenon: string | null;
  readonly received_ms: number | null;
  readonly stale: boolean;
}

/** The latest value of a sensor: live if it came, else what the list said. */
export function latestOf(ctx: Ctx, stream: Datastream): Now {
  const live = ctx.s.live.values.get(stream.id);
  if (!live) return { value: stream.latest?.result ?? null, phenomenon: stream.latest?.phenomenon_time ?? null, received_ms: null, stale: false };
  return { value: live.v, phenomenon: live.t, received_ms: live.received_ms, stale: isStale(live.received_ms, ctx.s.now_ms, stream.period_s) };
}

/** Where a value stands to its limits: a shape, then words. */
export function standing(stream: Pick<Datastream, 'limit_min' | 'limit_max'>, value: number | null): { readonly mark: Mark; readonly text: string } | null {
  if (value === null || (stream.limit_min === null && stream.limit_max === null)) return null;
  if (stream.limit_min !== null && value < stream.limit_min) return { mark: 'fail', text: t('sensor.below') };
  if (stream.limit_max !== null && value > stream.limit_max) return { mark: 'fail', text: t('sensor.above') };
  return { mark: 'pass', text: t('sensor.within') };
}

function ageLine(ctx: Ctx, now: Now): TemplateResult {
  if (now.received_ms === null) return html`<span class="xs dim">${now.phenomenon ? dayAndClock(new Date(now.phenomenon), ctx.zone) : ''}</span>`;
  if (now.stale) {
    return html`<span class="tag stale">${mark('stale', 'xs')}${t('sensor.stale', { age: span((ctx.s.now_ms - now.received_ms) / 1000) })}</span>`;
  }
  return html`<span class="xs dim">${age(now.received_ms, ctx.s.now_ms, ctx.zone)}</span>`;
}

/** Value, unit, standing, age and history of one sensor. */
export function sensorBlock(ctx: Ctx, stream: Datastream, head: boolean): TemplateResult {
  const now = latestOf(ctx, stream);
  const stand = now.stale ? null : standing(stream, now.value);
  const speed = valueOf(ctx.s.city)?.simulation?.speed;
  return html`<section class="ind" data-testid="sensor-${stream.id}" aria-label=${stream.name[lang()]}>
    ${head ? html`<div class="t"><button type="button" class="plain grow trunc strong" title=${t('sensor.show', { name: stream.name[lang()] })} @click=${() => ctx.do.select({ kind: 'datastream', id: stream.id })}>${stream.name[lang()]}</button>${stand ? html`<span class="tag ${stand.mark}">${mark(stand.mark, 'xs')}${stand.text}</span>` : nothing}</div>` : nothing}
    <div class="v">
      ${now.value === null
        ? html`<span class="mid">${t('sensor.noValue')}</span>`
        : html`<span class="big ${now.stale ? 'dim' : ''}" data-testid="sensor-value">${figure(now.value, stream.unit)}</span><span class="u">${figureUnit(now.value, stream.unit)}</span>`}
      <span class="grow"></span>
      ${!head && stand ? html`<span class="tag ${stand.mark}">${mark(stand.mark, 'xs')}${stand.text}</span>` : nothing}
      ${ageLine(ctx, now)}
    </div>
    ${timeSeries(ctx, stream)}
    <div class="f"><span>${t('sensor.what', { property: word('property', stream.observed_property), quality: t(`quality.${stream.quality}`) })}</span>${hoursSwitch(ctx)}</div>
    ${speed && speed !== 1 ? html`<p class="xs dim note">${t('sensor.simulated', { speed })}${now.phenomenon ? html` ${t('sensor.clock', { t: dayAndClock(new Date(now.phenomenon), ctx.zone) })}` : nothing}</p>` : nothing}
  </section>`;
}
