import { html, nothing, svg, type TemplateResult } from 'lit';
import { lang, t } from '../i18n/index';
import { clock, figureUnit, forReader, number, quantity } from '../i18n/format';
import { valueOf, type Datastream } from '../state/model';
import type { Ctx } from './context';
import { chartOf, joinReadings, type Chart, type Reading } from './series';

const BOX = { width: 320, height: 132, left: 34, right: 10, top: 12, bottom: 20 };
export const HOURS = [1, 6, 24] as const;
/** Pixels of height from which on the band of usual values bears its name. */
const USUAL_NAMED = 20;

/** Live readings that came after the history was read; one page keeps them while it is open. */
const arrived = new Map<string, Reading[]>();
const KEEP = 2_000;

export function collect(id: string, at_ms: number, value: number): void {
  const list = arrived.get(id) ?? [];
  if (list.at(-1)?.at_ms === at_ms) return;
  list.push({ at_ms, value });
  if (list.length > KEEP) list.splice(0, list.length - KEEP);
  arrived.set(id, list);
}

function limitLine(chart: Chart, stream: Datastream, value: number | null, kind: 'sensor.limitMin' | 'sensor.limitMax'): unknown {
  if (value === null) return nothing;
  const y = chart.y(forReader(value, stream.unit).value);
  return svg`<path d="M${BOX.left} ${y}H${BOX.width - BOX.right}" class="limit"/><text x=${BOX.left + 4} y=${y - 4} class="limit-name">${t(kind, { v: quantity(value, stream.unit) })}</text>`;
}

function drawing(ctx: Ctx, stream: Datastream, readings: readonly Reading[], from: number, to: number): TemplateResult {
  const shown = (v: number): number => forReader(v, stream.unit).value;
  const limits = [stream.limit_min, stream.limit_max].filter((v): v is number => v !== null).map(shown);
  const [usualLo, usualHi] = stream.range.map(shown) as [number, number];
  const chart = chartOf(readings, [...limits, usualLo, usualHi], from, to, BOX);
  const digits = chart.hi - chart.lo < 0.5 ? 2 : chart.hi - chart.lo < 5 ? 1 : 0;
  const last = readings.at(-1);
  const values = readings.map((r) => r.value);
  const unit = figureUnit(last?.value ?? 0, stream.unit);
  const range = { lo: number(Math.min(...values), digits), hi: `${number(Math.max(...values), digits)} ${unit}` };
  const label = t('sensor.chart', { name: stream.name[lang()], h: ctx.s.hours, ...range, v: last ? `${number(last.value, digits)} ${unit}` : '–' });
  const right = BOX.width - BOX.right;
  const [usualTop, usualHeight] = [chart.y(usualHi), Math.max(0, chart.y(usualLo) - chart.y(usualHi))];
  return html`<svg class="ts" viewBox="0 0 ${BOX.width} ${BOX.height}" role="img" aria-label=${label}>
    <rect x=${BOX.left} y=${usualTop} width=${right - BOX.left} height=${usualHeight} class="usual"/>
    ${chart.ticksY.map((tick) => svg`<path d="M${BOX.left} ${tick.y}H${right}" class="grid"/><text x=${BOX.left - 6} y=${tick.y + 4} class="axis end">${number(tick.value, digits)}</text>`)}
    ${chart.ticksX.map((tick) => svg`<text x=${tick.x} y=${BOX.height - 4} class="axis ${tick.x > right - 14 ? 'end' : tick.x < BOX.left + 14 ? '' : 'mid'}">${clock(new Date(tick.at_ms), ctx.zone)}</text>`)}
    ${chart.gaps.map((gap) => svg`<rect x=${gap.x} y=${BOX.top} width=${gap.width} height=${BOX.height - BOX.top - BOX.bottom} class="gap"/>${gap.width > 44 ? svg`<text x=${gap.x + gap.width / 2} y=${BOX.top + 14} class="axis mid">${t('sensor.gap')}</text>` : nothing}`)}
    ${limitLine(chart, stream, stream.limit_min, 'sensor.limitMin')}${limitLine(chart, stream, stream.limit_max, 'sensor.limitMax')}
    ${usualHeight < USUAL_NAMED ? nothing : svg`<text x=${BOX.left + 4} y=${usualTop + 13} class="usual-name">${t('sensor.usual')}</text>`}
    <path d=${chart.path} class="line"/>
    ${chart.last ? svg`<circle cx=${chart.last.x} cy=${chart.last.y} r="4" class="end-dot"/>` : nothing}
  </svg>`;
}

export function timeSeries(ctx: Ctx, stream: Datastream): TemplateResult {
  const loadable = ctx.s.histories[stream.id];
  const history = loadable ? valueOf(loadable) : undefined;
  const empty = (content: unknown): TemplateResult => html`<div class="ts none">${content}</div>`;
  if (!loadable || loadable.state === 'loading') return html`<div class="ts sk" aria-busy="true"></div>`;
  if (!history) return empty(html`<p class="mid">${t('sensor.historyFailed')} <button type="button" class="link" @click=${() => void ctx.do.readHistory(stream.id)}>${t('panel.retry')}</button></p>`);
  const earlier = history.items.map(([iso, value]) => ({ at_ms: Date.parse(iso), value: forReader(value, stream.unit).value }));
  const live = (arrived.get(stream.id) ?? []).map((r) => ({ at_ms: r.at_ms, value: forReader(r.value, stream.unit).value }));
  const to = Math.max(earlier.at(-1)?.at_ms ?? 0, live.at(-1)?.at_ms ?? 0);
  const from = to - ctx.s.hours * 3_600_000;
  const readings = joinReadings(earlier, live, from);
  if (readings.length === 0) return empty(html`<p class="mid">${t('sensor.historyEmpty')}</p>`);
  return drawing(ctx, stream, readings, from, to);
}

export const hoursSwitch = (ctx: Ctx): TemplateResult => html`<div class="seg small" role="group" aria-label=${t('sensor.history', { h: ctx.s.hours })}>${HOURS.map(
  (h) => html`<button type="button" aria-pressed=${ctx.s.hours === h} @click=${() => ctx.do.setHours(h)}>${t('sensor.hours', { h })}</button>`,
)}</div>`;
