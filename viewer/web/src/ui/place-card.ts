import { html, nothing, type TemplateResult } from 'lit';
import { t, word } from '../i18n/index';
import { dayOfYear, number, quantity } from '../i18n/format';
import { ringArea } from '../scheme/area';
import { colourOf, key } from '../scheme/key';
import { isSchemeObject, objectOf, objectsKey, spokenOf } from '../scheme/show-state';
import { storeysOf } from '../scheme/plain';
import type { SchemeObject } from '../scheme/types';
import { loading, valueOf } from '../state/model';
import type { PublicCtx as Ctx } from './context';
import { icon } from './icons';

/** Uses of the storeys, the lowest first, each once. */
export const usesOf = (object: SchemeObject): string => [...new Set(storeysOf(object).map(([, use]) => use))].map((use) => word('use', use)).join(' / ');

const floorArea = (object: SchemeObject): number => ringArea(object.geometry) * storeysOf(object).length;

function facts(object: SchemeObject): TemplateResult {
  const row = (name: string, value: unknown): TemplateResult => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  const park = object.type === 'PlantCover';
  return html`<dl class="kv">
    ${storeysOf(object).length > 0 ? row(t('place.use'), usesOf(object)) : nothing}
    ${storeysOf(object).length > 0 ? row(t('place.height'), html`${quantity(object.height_m, 'm')} <span class="dim">${t(storeysOf(object).length === 1 ? 'schemes.storeys.same.one' : 'schemes.storeys.same', { n: number(storeysOf(object).length) })}</span>`) : nothing}
    ${storeysOf(object).length > 0 ? row(t('place.floorArea'), quantity(floorArea(object), 'm2')) : nothing}
    ${park ? row(t('place.area'), quantity(ringArea(object.geometry), 'm2')) : nothing}
    ${object.land_use ? row(t('place.land'), word('useClass', object.land_use)) : nothing}
    ${object.phase_year === null ? nothing : row(t('place.year'), String(object.phase_year))}
  </dl>`;
}

/** Hours of sun that a building loses to the scheme. */
function sun(ctx: Ctx, scheme: string, id: string): TemplateResult | typeof nothing {
  const light = ctx.c.light[scheme];
  if (light === undefined || light.state === 'loading') return html`<p class="xs dim">${t('place.sunLoading')}</p>`;
  const known = valueOf(light);
  if (!known) return nothing;
  const lost = known.losers.find((one) => one.object_id === id);
  if (!lost) return html`<p class="xs mid row tight">${icon('sun', 's')}${t('place.sunSame')}</p>`;
  return html`<div class="sunlost" data-testid="sun-lost"><span class="row tight">${icon('sun', 's')}<span>${t('place.sun', { day: dayOfYear(known.day) })}</span></span>
    <span><b>${t('place.sunLost', { n: number(lost.before_h - lost.after_h, 1) })}</b> <span class="dim">${t('place.sunValue', { before: number(lost.before_h, 1), after: number(lost.after_h, 1) })}</span></span></div>`;
}

/** What the scheme does at the place that is selected; nothing where no scheme is looked at. */
export function placeSection(ctx: Ctx, id: string): TemplateResult | typeof nothing {
  const spoken = spokenOf(ctx.c);
  if (!spoken) return nothing;
  const { scheme } = spoken;
  const object = objectOf(ctx.c, scheme.id, id);
  const gone = object?.change === 'demolished' || (!object && (valueOf(ctx.c.objects[objectsKey(scheme.id, ctx.c.phase)] ?? loading)?.hidden.includes(id) ?? false));
  const title = object || gone ? t(`place.${gone ? 'demolished' : object?.change ?? 'changed'}`, { letter: scheme.letter }) : t('place.same', { letter: scheme.letter });
  return html`<div class="sec place" data-testid="place">
    <div class="row tight place-t">${key(scheme.letter, scheme.colour_index)}<b class="chg ${gone ? 'gone' : object?.change ?? ''}">${title}</b></div>
    ${object && !gone ? facts(object) : nothing}
    ${gone ? html`<p class="mid">${t('place.nothing')}</p>` : object?.change === 'added' ? nothing : sun(ctx, scheme.id, id)}
  </div>`;
}

/** The card of what only a scheme knows. */
export function schemeObjectCard(ctx: Ctx, id: string): TemplateResult | null {
  if (!isSchemeObject(id)) return null;
  const spoken = spokenOf(ctx.c);
  const owner = id.slice(0, id.indexOf(':'));
  const object = objectOf(ctx.c, owner, id);
  const colour = spoken ? colourOf(spoken.scheme.colour_index) : 'b';
  const close = html`<button type="button" class="btn quiet sm ico" data-testid="info-close" aria-label=${t('panel.close')} @click=${() => ctx.do.select(null)}>${icon('x')}</button>`;
  const dot = html`<svg class="dotbox" viewBox="0 0 12 12" aria-hidden="true"><rect width="12" height="12" rx="3" fill="var(--scheme-${colour})"/></svg>`;
  const type = object ? word('type', object.type) : t('info.building');
  return html`<div class="ph">${dot}<h2 class="grow trunc">${object?.name ?? type}</h2>${close}</div>
    <div class="scroll">${placeSection(ctx, id)}<div class="sec"><dl class="kv"><div><dt>${t('info.id')}</dt><dd class="mono" data-testid="object-id">${id}</dd></div></dl></div></div>`;
}
