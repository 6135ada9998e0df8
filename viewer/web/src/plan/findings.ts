import { html, nothing, type TemplateResult } from 'lit';
import { lang, problemText, t, word } from '../i18n/index';
import { quantity } from '../i18n/format';
import { valueOf } from '../state/model';
import { thingName } from '../scheme/thing-name';
import type { Finding, LonLat, Verdict, Witness } from '../scheme/types';
import { icon, mark } from '../ui/icons';
import type { PlanCtx } from './context';

const SHOWN_FIRST = 4;
/** Beside the fields of a selected thing there is room for fewer. */
const SHOWN_BESIDE = 2;
const ORDER: Readonly<Record<Verdict, number>> = { fail: 0, discuss: 1, pass: 2 };

export const keyOf = (f: Finding): string => `${f.rule} ${f.object_id ?? ''} ${String(f.params['other'] ?? '')}`;

/** Rules about light speak of buildings of the city, which the page need not know. */
const OF_BUILDINGS = /^light\//;

/** What stands in a finding's words beside its rule: whose it is. */
function subject(ctx: PlanCtx, f: Finding): string {
  const { name, other } = f.params;
  if (typeof name === 'string' && name) return name;
  const id = typeof other === 'string' ? other : f.object_id;
  return id ? thingName(id, ctx.do.objectOf(id) ?? (OF_BUILDINGS.test(f.rule) ? { name: null, type: 'Building' } : null)) : '';
}

/** All coordinates of a geometry. */
export function pointsOf(geometry: GeoJSON.Geometry): LonLat[] {
  const found: LonLat[] = [];
  const walk = (value: unknown): void => {
    if (!Array.isArray(value)) return;
    if (typeof value[0] === 'number' && typeof value[1] === 'number') found.push([value[0], value[1]]);
    else for (const part of value) walk(part);
  };
  if (geometry.type === 'GeometryCollection') for (const part of geometry.geometries) found.push(...pointsOf(part));
  else walk(geometry.coordinates);
  return found;
}

/** What is drawn of a finding: the slice above the limit where it is a height, else what is covered. */
export function witnessOf(f: Finding, height_m: number): Witness | null {
  if (!f.witness || (f.verdict !== 'fail' && f.verdict !== 'discuss')) return null;
  const tall = f.unit === 'm' && f.measured !== null && f.limit !== null && f.measured > f.limit && /height/.test(f.rule);
  return { id: keyOf(f), geometry: f.witness, from_m: tall ? f.limit ?? 0 : 0, to_m: tall ? f.measured ?? height_m : Math.max(2, height_m), verdict: f.verdict };
}

export function showFinding(ctx: PlanCtx, f: Finding): void {
  const key = keyOf(f);
  const same = ctx.s.shownFinding === key;
  const map = ctx.city.do.map;
  const object = f.object_id ? ctx.do.objectOf(f.object_id) : null;
  const witness = same ? null : witnessOf(f, object?.height_m ?? 0);
  ctx.do.store.set({ shownFinding: same ? null : key });
  map?.setWitnesses?.(witness ? [witness] : []);
  if (same) return;
  const geometry = f.witness ?? object?.geometry;
  const points = geometry ? pointsOf(geometry) : [];
  if (points.length > 0) ctx.city.do.camera.zoomTo(points.reduce((s, p) => s + p[0], 0) / points.length, points.reduce((s, p) => s + p[1], 0) / points.length);
  else if (f.object_id) ctx.city.do.select({ kind: 'object', id: f.object_id });
}

function figures(f: Finding): TemplateResult | typeof nothing {
  if (f.measured === null) return nothing;
  // What covers, covers: a limit of nothing needs no words.
  const limited = f.limit !== null && f.limit !== 0;
  const residents = f.params['residents'];
  return html`<div class="m"><b>${typeof residents === 'number' ? t('plan.residents', { n: residents }) : quantity(f.measured, f.unit)}</b>${limited ? html`<span>${t('plan.limit', { value: quantity(f.limit ?? 0, f.unit) })}</span>` : nothing}
    ${limited && f.margin !== null && f.margin < 0 ? html`<span class="over ${f.verdict}">${t((f.measured ?? 0) > (f.limit ?? 0) ? 'plan.over' : 'plan.short', { value: quantity(-f.margin, f.unit) })}</span>` : nothing}</div>`;
}

export function findingRow(ctx: PlanCtx, f: Finding): TemplateResult {
  const shown = ctx.s.shownFinding === keyOf(f);
  const whose = subject(ctx, f);
  const name = `${word('rule', f.rule)}${whose ? `${lang() === 'zh' ? '，' : ', '}${whose}` : ''}`;
  return html`<li class="find ${shown ? 'on' : ''}" data-testid="finding" data-rule=${f.rule}>
    <span class="mk">${mark(f.verdict)}<span class="sr">${word('verdict', f.verdict)}</span></span>
    <div class="grow">
      <div class="row between"><span class="trunc title" title=${name}>${name}</span>${f.verdict === 'pass' ? nothing : html`<button type="button" class="btn quiet sm ico" aria-pressed=${shown} aria-label="${t('table.showOnMap')}: ${name}" title=${t('table.showOnMap')} @click=${() => showFinding(ctx, f)}>${icon('zoom', 's')}</button>`}</div>
      ${figures(f)}
      ${f.clause && f.clause !== 'edit' ? html`<div class="xs dim">${word('clause', f.clause)}</div>` : nothing}
    </div>
  </li>`;
}

const count = (kind: Verdict, n: number): TemplateResult => html`<span class="row tight">${mark(kind)}<b class="strong">${n}</b><span class="sr">${word('verdict', kind)}</span></span>`;

export function findings(ctx: PlanCtx): TemplateResult {
  const { findings: state, allFindings } = ctx.s;
  const list = [...(valueOf(state) ?? [])].sort((a, b) => ORDER[a.verdict] - ORDER[b.verdict]);
  const of = (v: Verdict): number => list.filter((f) => f.verdict === v).length;
  const first = ctx.city.s.selection ? SHOWN_BESIDE : SHOWN_FIRST;
  const shown = allFindings ? list : list.slice(0, first);
  const body =
    state.state === 'failed'
      ? html`<div class="sec state">${mark('fail')}<p>${problemText(state.code)}</p></div>`
      : state.state !== 'ready'
        ? html`<div class="find" aria-busy="true"><span class="sk box"></span><span class="sk line grow"></span></div>`
        : list.length === 0
          ? html`<p class="find mid">${mark('pass')}<span>${t('plan.rules.none')}</span></p>`
          : html`<ul>${shown.map((f) => findingRow(ctx, f))}</ul>`;
  return html`<section aria-label=${t('plan.rules')}>
    <div class="ph"><h2 class="grow">${t('plan.rules')}</h2><span class="row counts">${count('fail', of('fail'))}${count('discuss', of('discuss'))}${of('pass') > 0 ? count('pass', of('pass')) : nothing}</span></div>
    ${body}
    ${list.length > first ? html`<div class="more-row"><button type="button" class="link xs" @click=${() => ctx.do.store.set({ allFindings: !allFindings })}>${allFindings ? t('info.less') : t('plan.rules.more', { n: list.length - first })}</button></div>` : nothing}
  </section>`;
}
