import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../i18n/index';
import { icon } from '../ui/icons';
import type { PlanCtx } from './context';
import { numberField } from './fields';

/** Years by which parts of a scheme stand, and the sun study: what is looked at, when. */
export function timeline(ctx: PlanCtx): TemplateResult {
  const { scheme, s } = ctx;
  const years = [...(scheme?.phases ?? [])].sort((a, b) => a - b);
  const first = years[0];
  const last = years.at(-1);
  const thisYear = new Date(ctx.city.s.now_ms).getFullYear();
  const slider =
    first === undefined || last === undefined
      ? html`<span class="xs dim grow">${t('plan.phase.none')}</span>`
      : html`<span class="xs mid nowrap">${t('plan.phase')}</span><input class="grow" type="range" data-testid="phase" min=${first - 1} max=${last + 1} step="1" .value=${String(s.phase ?? last + 1)} aria-label=${t('plan.phase')} aria-valuetext=${s.phase === null ? t('plan.phase.all') : String(s.phase)} @input=${(e: Event) => { const year = Number((e.target as HTMLInputElement).value); ctx.do.store.set({ phase: year > last ? null : year }); }}>
        <span class="when">${s.phase ?? t('plan.phase.all')}</span>`;
  return html`<section class="dock years ${s.sunDock ? 'up' : ''}" aria-label=${t('plan.phase')}>
    <button type="button" class="btn quiet sm" data-testid="sun-study" aria-pressed=${s.sunDock} @click=${() => ctx.do.store.set({ sunDock: !s.sunDock })}>${icon('sun', 's')}${t('plan.sun')}</button>
    ${scheme && s.sunDock ? html`<button type="button" class="btn quiet sm" data-testid="sun-survey" aria-pressed=${s.sunSurvey} @click=${() => ctx.do.store.set({ sunSurvey: !s.sunSurvey })}>${t('plan.sun.survey')}</button>` : nothing}
    ${scheme ? html`<span class="vr"></span>${slider}` : nothing}
    ${scheme && !ctx.do.locked ? numberField({ label: t('plan.phase.for'), value: s.phaseFor, min: thisYear - 5, max: thisYear + 80, digits: 0, placeholder: '–', testid: 'phase-for', set: (year) => ctx.do.store.set({ phaseFor: Math.round(year) }) }) : nothing}
    ${s.phaseFor === null ? nothing : html`<button type="button" class="btn quiet sm ico" aria-label=${t('plan.phase.clear')} @click=${() => ctx.do.store.set({ phaseFor: null })}>${icon('x', 's')}</button>`}
  </section>`;
}
