import { html, nothing, svg, type TemplateResult } from 'lit';
import { t, word } from '../i18n/index';
import { number, unitText } from '../i18n/format';
import type { ColourAttribute } from '../state/url';
import type { Ctx } from './context';
import type { Legend, LegendItem } from './map-port';

const W = 256;

const chip = (item: LegendItem, text: string): TemplateResult => html`<li>
  <svg class="sw" viewBox="0 0 22 16" aria-hidden="true"><defs><pattern id="hatch-${item.code}" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V4" stroke="var(--color-text-3)" stroke-width="1.200"/></pattern></defs><rect width="22" height="16" fill=${item.colour}/>${item.hatch ? svg`<rect width="22" height="16" fill="url(#hatch-${item.code})"/>` : nothing}</svg>
  <span class="trunc">${text}</span></li>`;

const chipText = (item: LegendItem): string => (item.code === 'no_data' ? t('colour.nodata') : item.code === 'out_of_limits' ? t('colour.outOfLimits') : word('useClass', item.code));

/** The steps of the map as one bar, each bound under its edge. */
function bar(items: readonly LegendItem[], bounds: readonly { readonly at: number; readonly text: string }[], label: string): TemplateResult {
  const clip = `ramp-${items.length}-${bounds.length}`;
  return html`<svg class="ramp" viewBox="0 0 ${W} 30" role="img" aria-label=${label}>
    <clipPath id=${clip}><rect width=${W} height="10" rx="5"/></clipPath>
    <g clip-path="url(#${clip})">${items.map((item, i) => svg`<rect x=${(i / items.length) * W} width=${W / items.length + 0.5} height="10" fill=${item.colour}/>`)}</g>
    ${bounds.map((b) => svg`<text class="axis ${b.at <= 0 ? '' : b.at >= 1 ? 'end' : 'mid'}" x=${b.at * W} y="25">${b.text}</text>`)}
  </svg>`;
}

export function legendOf(by: ColourAttribute, legend: Legend, liveName: string): TemplateResult {
  const steps = legend.items.filter((item) => item.code.startsWith('step_'));
  const others = legend.items.filter((item) => !item.code.startsWith('step_'));
  const heading = by === 'live' ? (liveName ? t('colour.legend.liveOf', { name: liveName, unit: unitText(legend.unit ?? '') }) : t('colour.legend.live')) : t(`colour.legend.${by}`);
  const bounds = legend.range
    ? [0, 0.5, 1].map((at) => ({ at, text: number((legend.range?.[0] ?? 0) + at * ((legend.range?.[1] ?? 1) - (legend.range?.[0] ?? 0)), (legend.range?.[1] ?? 0) < 5 ? 2 : 0) }))
    : steps.slice(1).map((item, i) => ({ at: (i + 1) / steps.length, text: String(item.from ?? '') }));
  return html`<div class="legend" data-testid="legend">
    <div class="xs mid">${heading}</div>
    ${steps.length > 0 ? bar(steps, bounds, `${heading}: ${bounds.map((b) => b.text).join(', ')}`) : nothing}
    <ul class="classes">${others.map((item) => chip(item, chipText(item)))}</ul>
    ${by === 'live' ? html`<p class="xs dim">${t('colour.liveHint')}</p>` : nothing}
  </div>`;
}

export function legendView(ctx: Ctx): TemplateResult | typeof nothing {
  const by = ctx.s.colourBy;
  if (!by) return html`<p class="xs dim hint">${t('colour.hint')}</p>`;
  const legend = ctx.do.map?.legendFor(ctx.do.colourOf(by)) ?? null;
  const property = ctx.do.liveProperty();
  return legend ? legendOf(by, legend, property ? word('property', property) : '') : nothing;
}


const SENSING = new Set(['sensors', 'water-network', 'power-network', 'traffic']);
const octagon = svg`<path d="M8.200 1h5.600L18 5v6l-4.200 4H8.200L4 11V5Z" fill="var(--alarm-1)"/><path d="M11 4v5M11 11v2" stroke="var(--alarm-1-on)" stroke-width="2"/>`;
const ring = svg`<circle cx="11" cy="8" r="5.500" fill="none" stroke="var(--status-stale)" stroke-width="2" stroke-dasharray="3.600 2.200"/>`;

/** What the colours of sensors and networks say, while any are shown. */
export function liveKey(ctx: Ctx): TemplateResult | typeof nothing {
  if (!ctx.s.layers.some((row) => row.visible && SENSING.has(row.id))) return nothing;
  const property = ctx.s.colourBy === 'live' ? ctx.do.liveProperty() : undefined;
  const rule = property ? t('live.key.shared', { name: word('property', property) }) : t('live.key.own');
  const steps = [1, 2, 3, 4, 5, 6, 7].map((i) => ({ code: `step_${i}`, colour: `var(--seq-${i})` }));
  const ends = [{ at: 0, text: t('live.key.low') }, { at: 1, text: t('live.key.high') }];
  return html`<div class="legend livekey" data-testid="live-key">
    <div class="xs mid">${t('live.key')}</div>
    ${bar(steps, ends, `${t('live.key')}: ${t('live.key.low')}, ${t('live.key.high')}`)}
    <p class="xs dim">${rule}</p>
    <ul class="classes"><li><svg class="sw" viewBox="0 0 22 16" aria-hidden="true">${octagon}</svg><span>${t('live.key.out')}</span></li><li><svg class="sw" viewBox="0 0 22 16" aria-hidden="true">${ring}</svg><span>${t('live.key.silent')}</span></li></ul>
  </div>`;
}
