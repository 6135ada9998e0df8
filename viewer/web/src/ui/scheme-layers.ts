import { html, nothing, svg, type SVGTemplateResult, type TemplateResult } from 'lit';
import { t } from '../i18n/index';
import { colourOf } from '../scheme/key';
import { objectsKey, schemeOf, spokenOf } from '../scheme/show-state';
import { BASE, type Change, type Scheme } from '../scheme/types';
import { loading, valueOf } from '../state/model';
import type { PublicCtx as Ctx } from './context';

const ground = svg`<rect width="22" height="16" fill="var(--map-ground)"/>`;
const block = (fill: string, edge = ''): SVGTemplateResult => svg`${ground}<path d="M4 6.5 11 3l7 3.500v6L11 15.500 4 12.500Z" fill=${fill} stroke=${edge || 'none'} stroke-width=".9"/><path d="M4 6.500 11 10l7-3.500M11 10v5.500" fill="none" stroke="#000" stroke-opacity=".28" stroke-width=".6"/>`;

/** The map's own symbols: a solid in the scheme's colour, amber with a band, a dashed outline. */
function symbol(change: Change, scheme: Scheme): SVGTemplateResult {
  if (change === 'added') return block(`var(--scheme-${colourOf(scheme.colour_index)}-mass)`);
  if (change === 'changed') return svg`${block('var(--bldg-changed)', 'var(--bldg-edge)')}<path d="M4 9.500 11 13l7-3.500" fill="none" stroke="#000" stroke-opacity=".45" stroke-width="1.300"/>`;
  return svg`${ground}<rect x="3.500" y="3.500" width="15" height="9" fill="var(--bldg-demolished)" fill-opacity=".18" stroke="var(--bldg-demolished)" stroke-width="1.400" stroke-dasharray="2.600 1.800"/>`;
}

const TITLES = { added: 'schemes.addedBy', changed: 'schemes.changedBy', demolished: 'schemes.removedBy' } as const;

/** What the schemes on the map add, change and take away, in the list of layers. */
export function schemeLayers(ctx: Ctx): TemplateResult | typeof nothing {
  const spoken = spokenOf(ctx.c);
  if (!spoken) return nothing;
  const { scheme } = spoken;
  const other = ctx.c.mode !== 'one' && spoken.against !== BASE ? schemeOf(ctx.c, spoken.against) : undefined;
  const letter = other ? `${other.letter} / ${scheme.letter}` : scheme.letter;
  const items = [scheme, other].flatMap((one) => (one ? valueOf(ctx.c.objects[objectsKey(one.id, ctx.c.phase)] ?? loading)?.items ?? [] : []));
  const rows = (['added', 'changed', 'demolished'] as const).filter((change) => items.some((object) => object.change === change));
  return html`${rows.map((change) => html`<div class="lay"><label>
    <input type="checkbox" data-testid="layer-${change}" .checked=${ctx.c.drawn[change]} @change=${(e: Event) => ctx.show.setDrawn(change, (e.target as HTMLInputElement).checked)}>
    <svg class="sw" viewBox="0 0 22 16" aria-hidden="true" focusable="false">${symbol(change, scheme)}</svg>
    <span class="grow name"><span class="trunc">${t(TITLES[change], { letter })}</span></span>
  </label></div>`)}`;
}
