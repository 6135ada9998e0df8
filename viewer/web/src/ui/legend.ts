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
  return html`<svg class="ramp" viewBox="0 0 ${W} 30" role="img" aria-label=${label}>
    <clipPath id="ramp-clip"><rect width=${W} height="10" rx="5"/></clipPath>
    <g clip-path="url(#ramp-clip)">${items.map((item, i) => svg`<rect x=${(i / items.length) * W} width=${W / items.length + 0.5} height="10" fill=${item.colour}/>`)}</g>
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
  return html`<div class="legend">
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

