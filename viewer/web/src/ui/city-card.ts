import { html, nothing, type TemplateResult } from 'lit';
import { lang, t, word } from '../i18n/index';
import { number } from '../i18n/format';
import { valueOf, type City } from '../state/model';
import type { Ctx } from './context';
import { localName } from './facts';
import { icon, mark } from './icons';

const figureBox = (label: string, value: number | undefined): TemplateResult => html`<div><span class="n">${value === undefined ? '–' : number(value)}</span><span class="xs dim">${label}</span></div>`;

function count(city: City, ...types: string[]): number | undefined {
  const found = types.filter((type) => city.counts[type] !== undefined);
  return found.length > 0 ? found.reduce((sum, type) => sum + (city.counts[type] ?? 0), 0) : undefined;
}

/** Whom to thank for a dataset, and on what terms; what was generated from another is said by its tag. */
const credit = (d: City['datasets'][number]): string => [d.generated ? '' : d.attribution || d.source_file, d.licence].filter(Boolean).join(', ');

/** What stands in the panel while nothing is selected: the city itself and where it comes from. */
export function cityCard(ctx: Ctx): TemplateResult {
  const { city } = ctx.s;
  const close = html`<button type="button" class="btn quiet sm ico" aria-label=${t('panel.close')} title="${t('panel.close')} (])" @click=${() => ctx.do.store.set({ rightOpen: false })}>${icon('x')}</button>`;
  if (city.state === 'failed') {
    return html`<div class="ph"><h2 class="grow">${t('city.about')}</h2>${close}</div><div class="sec"><div class="state">${mark('fail')}<div><p>${t('city.failed')}</p><p class="xs dim">${t('city.failed.hint')}</p></div></div></div>`;
  }
  const value = valueOf(city);
  if (!value) {
    return html`<div class="ph"><h2 class="grow">${t('city.about')}</h2>${close}</div><div class="sec" aria-busy="true"><div class="figures">${[1, 2, 3].map(() => html`<div><span class="sk num"></span><span class="sk line"></span></div>`)}</div><div class="sk para"></div></div>`;
  }
  const ground = value.ground === 'flat' ? t('city.ground.flat') : value.ground === 'interpolated' ? t('city.ground.interpolated') : value.ground;
  return html`<div class="ph"><h2 class="grow trunc">${value.title[lang()]}</h2>${close}</div>
    <div class="scroll">
      <div class="sec">
        <div class="figures">
          ${figureBox(t('city.buildings'), count(value, 'Building'))}
          ${figureBox(t('city.sensors'), valueOf(ctx.s.streams)?.length)}
          ${figureBox(t('city.trees'), count(value, 'SolitaryVegetationObject', 'Tree'))}
        </div>
        <p class="mid lead">${t('city.lead')}</p>
      </div>
      <div class="sec">
        <h3>${t('city.datasets')}</h3>
        <ul class="datasets">${value.datasets.map((d) => html`<li><span class="grow"><span class="trunc">${d.title}</span><span class="xs dim trunc">${credit(d)}</span></span>${d.generated ? html`<span class="tag stale">${t('layer.generated')}</span>` : nothing}</li>`)}</ul>
      </div>
      <div class="sec"><dl class="kv">
        <div><dt>${t('city.crs')}</dt><dd>${value.crs}</dd></div>
        <div><dt>${t('city.ground')}</dt><dd>${ground}</dd></div>
        <div><dt>${t('city.zone')}</dt><dd>${value.time_zone}</dd></div>
        <div><dt>${t('city.baseline')}</dt><dd data-testid="baseline">${value.baseline_version}</dd></div>
      </dl></div>
    </div>`;
}

/** One line on the selection for the smallest sheet. */
export function peekLine(ctx: Ctx): { readonly title: string; readonly detail: string } {
  const { selection, object, streams, city } = ctx.s;
  const value = valueOf(object);
  if (selection?.kind === 'object') {
    const use = value?.attributes.find((a) => a.name === 'function')?.value;
    return { title: value ? localName(value) ?? word('type', value.type) : t('info.building'), detail: typeof use === 'string' ? word('use', use) : selection.id };
  }
  if (selection) {
    const stream = valueOf(streams)?.find((s) => s.id === selection.id || s.element_id === selection.id);
    return { title: stream ? stream.name[lang()] : selection.id, detail: stream ? word('property', stream.observed_property) : '' };
  }
  const known = valueOf(city);
  return { title: known ? known.title[lang()] : t('app.loading'), detail: t('city.lead') };
}
