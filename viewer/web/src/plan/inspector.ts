import { html, nothing, type TemplateResult } from 'lit';
import { t, tn, word } from '../i18n/index';
import { number, quantity } from '../i18n/format';
import type { SchemeObject, Storey } from '../scheme/types';
import { icon } from '../ui/icons';
import { shortId } from '../scheme/thing-name';
import type { PlanCtx } from './context';
import { landUse } from './edit-words';
import { choiceField, numberField } from './fields';
import { sumHeights } from './log';
import { takeAway } from './tools/select';

export const USES = ['residential', 'office', 'retail', 'hotel', 'school', 'kindergarten', 'hospital', 'culture', 'sport', 'industry', 'parking', 'other'] as const;
const ROOFS = ['flat', 'gabled', 'hipped', 'pyramidal', 'shed'] as const;
export const useOptions = (): (readonly [string, string])[] => USES.map((use) => [use, word('floorUse', use)] as const);

/** Equal neighbours as one group, the lowest first. */
export function groups(storeys: readonly Storey[]): { readonly from: number; readonly to: number; readonly height_m: number; readonly use: string }[] {
  const found: { from: number; to: number; height_m: number; use: string }[] = [];
  storeys.forEach(([height_m, use], i) => {
    const last = found.at(-1);
    if (last && last.height_m === height_m && last.use === use) last.to = i;
    else found.push({ from: i, to: i, height_m, use });
  });
  return found;
}

function building(ctx: PlanCtx, o: SchemeObject): TemplateResult {
  const off = ctx.do.locked !== null;
  const edit = (kind: string, params: Record<string, never> | object, expect: object = {}): void => void ctx.do.edit({ kind, target: o.id, params: params as never, expect: expect as never });
  const storeys = o.storeys ?? [];
  const was = { storeys: storeys as never };
  const usual = [...storeys].map((s) => s[0]).sort((a, b) => a - b)[storeys.length >> 1] ?? 3.2;
  const solar = Number(o.properties['solar_share'] ?? 0);
  const roof = o.roof ?? { type: 'flat', height_m: 0 };
  const uses = [...new Set(storeys.map((s) => s[1]))];
  const one = uses.length === 1 ? uses[0] ?? 'other' : '';
  return html`<div class="insgrid">
    ${numberField({ label: t('plan.ins.height'), value: o.height_m, unit: 'm', min: 2, max: 600, testid: 'ins-height', disabled: off, set: (height_m) => edit('building.height', { height_m }, was) })}
    ${numberField({ label: t('plan.ins.storeys'), value: storeys.length, min: 1, max: 200, digits: 0, testid: 'ins-storeys', disabled: off, set: (count) => edit('building.storeys', { count: Math.round(count), storey_height_m: usual, use: storeys.at(-1)?.[1] ?? 'other' }, was) })}
    ${choiceField({ label: t('plan.ins.use'), value: one, options: [...(one ? [] : [['', t('plan.ins.mixed')] as const]), ...useOptions()], testid: 'ins-use', disabled: off, set: (use) => { if (use) edit('building.use', { use }, was); } })}
    ${numberField({ label: t('plan.ins.storeyHeight'), value: usual, unit: 'm', min: 2, max: 30, testid: 'ins-storey-height', disabled: off, set: (height) => edit('building.storeys', { storeys: storeys.map(([h, use]) => [h === usual ? height : h, use]) }, was) })}
    ${choiceField({ label: t('plan.ins.roof'), value: roof.type, options: ROOFS.map((r) => [r, word('roofType', r)] as const), testid: 'ins-roof', disabled: off, set: (type) => edit('building.roof', { type, height_m: type === 'flat' ? 0 : roof.height_m || 3 }, { roof }) })}
    ${numberField({ label: t('plan.ins.solar'), value: solar * 100, unit: '%', min: 0, max: 100, digits: 0, testid: 'ins-solar', disabled: off, set: (share) => edit('building.solar', { solar_share: share / 100 }) })}
    ${roof.type === 'flat' ? nothing : numberField({ label: t('plan.ins.roofHeight'), value: roof.height_m, unit: 'm', min: 0, max: 60, disabled: off, set: (height_m) => edit('building.roof', { type: roof.type, height_m }, { roof }) })}
  </div>
  <details class="floors"><summary class="xs">${t('plan.ins.perStorey')}</summary>
    <ul>${groups(storeys).toReversed().map((g) => html`<li class="floor">
      <span class="xs mid">${g.from === g.to ? t('plan.ins.level', { n: g.from + 1 }) : t('plan.ins.levels', { from: g.from + 1, to: g.to + 1 })}</span>
      ${choiceField({ label: t('plan.ins.use'), value: g.use, options: useOptions(), disabled: off, set: (use) => edit('building.use', { use, levels: Array.from({ length: g.to - g.from + 1 }, (_, i) => g.from + i) }, was) })}
      ${numberField({ label: t('plan.ins.storeyHeight'), value: g.height_m, unit: 'm', min: 2, max: 30, disabled: off, set: (height) => edit('building.storeys', { storeys: storeys.map(([h, use], i) => [i >= g.from && i <= g.to ? height : h, use]) }, was) })}
    </li>`)}</ul>
    ${groups(storeys)[0]?.from === 0 && (groups(storeys)[0]?.to ?? 0) > 0 ? html`<button type="button" class="link xs" ?disabled=${off} @click=${() => edit('building.use', { use: 'retail', levels: [0] }, was)}>${t('plan.ins.shopsBelow')}</button>` : nothing}
  </details>`;
}

function rows(ctx: PlanCtx, o: SchemeObject): TemplateResult {
  const p = o.properties;
  const off = ctx.do.locked !== null;
  if (o.type === '+Parcel') return html`<dl class="kv"><div><dt>${t('plan.ins.landUse')}</dt><dd>${landUse(o.land_use ?? '')}</dd></div></dl>`;
  if (o.type === 'Road')
    return html`<div class="insgrid">${numberField({ label: t('plan.street.lanes'), value: Number(p['lanes'] ?? 2), min: 1, max: 12, digits: 0, disabled: off, set: (lanes) => void ctx.do.edit({ kind: 'street.lanes', target: o.id, params: { lanes } }) })}
      ${choiceField({ label: t('plan.street.oneway'), value: String(p['oneway'] ?? 'no'), options: ['no', 'forward', 'backward'].map((v) => [v, word('oneway', v)] as const), disabled: off, set: (oneway) => void ctx.do.edit({ kind: 'street.oneway', target: o.id, params: { oneway } }) })}</div>`;
  return html`<dl class="kv">${Object.entries(p).flatMap(([name, value]) => (typeof value === 'number' ? [html`<div><dt>${word('attribute', name)}</dt><dd>${quantity(value, /_m$/.test(name) ? 'm' : null)}</dd></div>`] : []))}</dl>`;
}

/** The selected thing, as fields. */
export function inspector(ctx: PlanCtx): TemplateResult | typeof nothing {
  const selection = ctx.city.s.selection;
  if (selection?.kind !== 'object') return nothing;
  const o = ctx.do.selected;
  const city = ctx.city.s.object.state === 'ready' ? ctx.city.s.object.value : null;
  const name = o?.name ?? (city?.id === selection.id ? city.name : null) ?? shortId(selection.id);
  const type = o?.type ?? city?.type ?? 'Building';
  const height = city?.attributes.find((a) => a.name === 'height_m')?.value;
  const gone = o?.change === 'demolished';
  const people = ctx.s.people.filter((p) => p.selection.includes(selection.id)).map((p) => p.author);
  return html`<aside class="panel ins" data-testid="inspector" aria-label=${t('plan.ins.label')}>
    <div class="ph"><span class="insdot"></span><h2 class="grow trunc">${name}${o ? html` <span class="dim plainw">${word('change', o.change)}</span>` : nothing}</h2><button type="button" class="btn quiet sm ico" aria-label=${t('panel.close')} @click=${() => ctx.city.do.select(null)}>${icon('x', 's')}</button></div>
    <div class="sec scroll">
      ${people.length > 0 ? html`<p class="xs discuss-text">${t('plan.here.same', { names: people.join(', ') })}</p>` : nothing}
      ${o && !gone ? (o.type === 'Building' ? building(ctx, o) : rows(ctx, o)) : html`<dl class="kv"><div><dt>${word('type', type)}</dt><dd>${typeof height === 'number' ? quantity(height, 'm') : ''}</dd></div></dl>${gone ? html`<p class="xs mid">${t('plan.ins.gone')}</p>` : nothing}`}
      ${o?.storeys && !gone ? html`<p class="xs dim">${tn('plan.ins.sum', o.storeys.length, String(o.storeys.length), { h: number(sumHeights(o.storeys), 1) })}</p>` : nothing}
    </div>
    <div class="footrow">
      <button type="button" class="btn grow" @click=${() => ctx.city.do.zoomToSelection()}>${icon('zoom', 's')}${t('info.zoom')}</button>
      <button type="button" class="btn grow danger" data-testid="demolish" ?disabled=${ctx.do.locked !== null || gone} @click=${() => void takeAway(ctx.bench, selection.id)}>${t(type === 'Building' ? 'plan.tool.demolish' : 'plan.remove')}</button>
    </div>
  </aside>`;
}
