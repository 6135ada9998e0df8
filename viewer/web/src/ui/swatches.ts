import { html, svg, type SVGTemplateResult, type TemplateResult } from 'lit';

/** The legend is the layer list: each swatch is drawn with the map's own symbol. */
const ground = svg`<rect width="22" height="16" fill="var(--map-ground)"/>`;
const block = (fill: string): SVGTemplateResult => svg`${ground}<path d="M4 6.5 11 3l7 3.5v6L11 15.5 4 12.5Z" fill="var(--${fill})" stroke="var(--bldg-edge)" stroke-width=".8" stroke-linejoin="round"/><path d="M4 6.5 11 10l7-3.500M11 10v5.500" fill="none" stroke="var(--bldg-edge)" stroke-width=".5" opacity=".6"/>`;

const SWATCHES: Readonly<Record<string, SVGTemplateResult>> = {
  buildings: block('bldg-default'),
  selected: block('bldg-selected'),
  ground: svg`<rect width="22" height="16" fill="var(--map-block)"/><path d="M0 0h9l-4 16H0Z" fill="var(--map-green)"/><path d="M15 0h7v16H13Z" fill="var(--map-water)"/><path d="m8 0-4 16M22 6 6 10" stroke="var(--map-road-casing)" stroke-width="3.4" fill="none"/><path d="m8 0-4 16M22 6 6 10" stroke="var(--map-road-arterial)" stroke-width="2.2" fill="none"/>`,
  trees: svg`<rect width="22" height="16" fill="var(--map-green)"/><g fill="var(--map-tree)" stroke="var(--map-label-green)" stroke-opacity=".35" stroke-width=".6"><circle cx="6" cy="6.500" r="3"/><circle cx="13" cy="10" r="3.600"/><circle cx="18" cy="4.500" r="2.400"/></g>`,
  water: svg`${ground}<path d="M1 12 8 5l6 4 7-6" stroke="var(--cat-1)" stroke-width="4.500" opacity=".25" fill="none"/><path d="M1 12 8 5l6 4 7-6" stroke="var(--cat-1)" stroke-width="2" fill="none"/>`,
  power: svg`${ground}<path d="M1 4h7l4 8h9" stroke="var(--cat-2)" stroke-width="4.500" opacity=".25" fill="none"/><path d="M1 4h7l4 8h9" stroke="var(--cat-2)" stroke-width="2" fill="none"/>`,
  traffic: svg`${ground}<path d="M0 11C7 11 9 5 22 5" stroke="var(--map-road-casing)" stroke-width="6" fill="none"/><path d="M0 11C4 11 7 9 10 7.700" stroke="var(--seq-3)" stroke-width="3.400" fill="none"/><path d="M10 7.700C13 6.200 16 5 22 5" stroke="var(--seq-5)" stroke-width="3.400" fill="none"/>`,
  sensors: svg`${ground}<circle cx="11" cy="8" r="4.200" fill="var(--seq-4)" stroke="var(--color-surface)" stroke-width="1.500"/>`,
  labels: svg`${ground}<text x="11" y="12" text-anchor="middle" font-size="10" font-weight="600" fill="var(--map-label)" stroke="var(--map-label-halo)" stroke-width="2" paint-order="stroke">Aa</text>`,
};

const ALIASES: Readonly<Record<string, string>> = {
  'water-network': 'water',
  'power-network': 'power',
  'streets-labels': 'labels',
  'street-labels': 'labels',
  'place-labels': 'labels',
  'tree': 'trees',
  'building': 'buildings',
  'sensor': 'sensors',
};

export function swatch(legend: string): TemplateResult {
  const drawn = SWATCHES[legend] ?? SWATCHES[ALIASES[legend] ?? ''] ?? ground;
  return html`<svg class="sw" viewBox="0 0 22 16" aria-hidden="true" focusable="false">${drawn}</svg>`;
}
