import { html, nothing, type TemplateResult } from 'lit';
import { problemText, t, title } from '../i18n/index';
import type { LayerRow } from '../state/explore-state';
import { COLOUR_ATTRIBUTES, type ColourAttribute } from '../state/url';
import type { PublicCtx as Ctx } from './context';
import { icon, mark } from './icons';
import { hasSchemes, schemesBody, schemesSection } from './scheme-cards';
import { schemeLayers } from './scheme-layers';
import { legendView, liveKey } from './legend';
import { swatch } from './swatches';

/** Where a layer does not show all it has, why. It takes no room of its own: a row never changes height. */
function layerState(row: LayerRow, zoom: number | undefined): TemplateResult | typeof nothing {
  if (!row.visible) return nothing;
  if (row.phase === 'failed') return html`<span class="why fail-text">${t('layer.failed')}</span>`;
  if (zoom !== undefined && row.minZoom > zoom) return html`<span class="why dim">${t('layer.partial')}</span>`;
  if (row.phase === 'empty') return html`<span class="why dim">${t('layer.empty')}</span>`;
  return nothing;
}

function layerRow(ctx: Ctx, row: LayerRow): TemplateResult {
  const loading = row.visible && row.phase === 'loading';
  return html`<div class="lay ${loading ? 'loading' : ''}">
    <label>
      <input type="checkbox" data-testid="layer-${row.id}" .checked=${row.visible} @change=${(e: Event) => ctx.do.setLayer(row.id, (e.target as HTMLInputElement).checked)}>
      ${swatch(row.legend)}
      <span class="grow name"><span class="trunc">${title(row.title)}</span>${layerState(row, ctx.s.view?.zoom)}</span>
    </label>
    ${row.visible && row.phase === 'failed' ? html`<button type="button" class="link xs" aria-label="${t('panel.retry')}: ${title(row.title)}" @click=${() => ctx.do.retryLayer(row.id)}>${t('panel.retry')}</button>` : nothing}
    ${row.generated ? html`<span class="tag stale">${t('layer.generated')}</span>` : nothing}
    ${loading ? html`<span class="thin" role="progressbar" aria-label="${title(row.title)}, ${t('layer.loading')}"></span>` : nothing}
  </div>`;
}

const skeletonRows = (count: number): TemplateResult => html`${Array.from({ length: count }, () => html`<div class="lay"><span class="sk box"></span><span class="sk sw"></span><span class="sk line grow"></span></div>`)}`;

export function layerList(ctx: Ctx): TemplateResult {
  const { spec, layers } = ctx.s;
  if (spec.state === 'failed') {
    return html`<div class="state">${mark('fail')}<div><p>${t('view.failed')}</p><p class="xs dim">${problemText(spec.code)}</p><button type="button" class="link" @click=${() => void ctx.do.readView()}>${t('panel.retry')}</button></div></div>`;
  }
  if (spec.state !== 'ready') return html`<div aria-busy="true">${skeletonRows(8)}</div>`;
  if (layers.length === 0) return html`<p class="mid">${t('layer.none')}</p>`;
  const at = layers.findIndex((row) => row.id === 'buildings') + 1;
  return html`${layers.slice(0, at).map((row) => layerRow(ctx, row))}${schemeLayers(ctx)}${layers.slice(at).map((row) => layerRow(ctx, row))}${liveKey(ctx)}`;
}

export function colourBy(ctx: Ctx, name: string): TemplateResult {
  const option = (value: ColourAttribute | null): TemplateResult => html`<label class="pick">
    <input type="radio" name=${name} .checked=${ctx.s.colourBy === value} @change=${() => ctx.do.setColour(value)}>
    <span>${t(value === null ? 'colour.none' : `colour.${value}`)}</span>
  </label>`;
  return html`<fieldset class="picks" data-testid="colour-by"><legend class="sr">${t('panel.colourBy')}</legend>${option(null)}${COLOUR_ATTRIBUTES.map(option)}</fieldset>
    ${legendView(ctx)}`;
}

/** The panel as a column of icons: each layer by the swatch of its legend, a bar beside those that are shown. */
function rail(ctx: Ctx): TemplateResult {
  const toggle = (row: LayerRow): TemplateResult => html`<button type="button" class="railb ${row.visible && row.phase === 'loading' ? 'loading' : ''}" data-testid="rail-${row.id}" aria-pressed=${row.visible ? 'true' : 'false'} aria-label=${title(row.title)} title=${title(row.title)} @click=${() => ctx.do.setLayer(row.id, !row.visible)}>${swatch(row.legend)}</button>`;
  return html`<aside class="rail" aria-label=${t('panel.layers')}>
    <button type="button" class="btn quiet ico" aria-label=${t('panel.showLeft')} title="${t('panel.showLeft')} ([)" aria-expanded="false" @click=${() => ctx.do.store.set({ leftOpen: true })}>${icon('layers', 'l')}</button>
    ${ctx.s.layers.length > 0 ? html`<div class="railset" role="group" aria-label=${t('panel.layers')}>${ctx.s.layers.map(toggle)}</div>` : nothing}
  </aside>`;
}

export function leftPanel(ctx: Ctx): TemplateResult {
  if (!ctx.s.leftOpen) return rail(ctx);
  const close = html`<button type="button" class="btn quiet sm ico" aria-label=${t('panel.hideLeft')} title="${t('panel.hideLeft')} ([)" aria-expanded="true" @click=${() => ctx.do.store.set({ leftOpen: false })}>${icon('left')}</button>`;
  const layersHead = html`<h2 class="grow">${t('panel.layers')}</h2>`;
  const schemes = hasSchemes(ctx);
  return html`<aside class="panel l" aria-label=${t('panel.layers')} tabindex="-1">
    ${schemes ? schemesSection(ctx, close) : html`<div class="ph">${layersHead}${close}</div>`}
    <div class="scroll">
      ${schemes ? html`${schemesBody(ctx)}<div class="ph div">${layersHead}</div>` : nothing}
      <div class="sec">${layerList(ctx)}</div>
      <div class="ph div"><h2 class="grow">${t('panel.colourBy')}</h2></div>
      <div class="sec">${colourBy(ctx, 'colour-by')}</div>
    </div>
  </aside>`;
}
