/** What is said of an upload: coordinate system, name, policy, and which column is which fact. */
import { html, nothing, type TemplateResult } from 'lit';
import { number } from '../i18n/format';
import { t, word } from '../i18n/index';
import { isLength, rowOf, TYPES, UNITS, type LayerRow } from './mapping';
import type { Ctx } from './parts';
import { lookOf, type Look } from './types';

/** Systems that files without one are often in; any other can be typed. */
const SYSTEMS = ['EPSG:4326', 'EPSG:3857', 'EPSG:4490', 'EPSG:4547', 'EPSG:6668', 'EPSG:6697', 'EPSG:25832', 'EPSG:25833', 'EPSG:28992', 'EPSG:3067', 'EPSG:3879', 'EPSG:2249', 'EPSG:26986'] as const;

/** What holds where nothing is said, and the least that can be, as the server has them, metres. */
const ERROR_M = 0.25;
const ERROR_M_MIN = 0.01;
const RASTER = /\.tiff?$/i;

const hasRaster = (s: Ctx['s']): boolean => lookOf(s.look)?.reader === 'geotiff' || (s.upload?.files ?? []).some((file) => RASTER.test(file.name));

const text = (event: Event): string => (event.target as HTMLInputElement).value.trim();

export function settingsPart(ctx: Ctx): TemplateResult {
  const { s } = ctx;
  const look = lookOf(s.look);
  const code = s.look?.error?.code ?? '';
  const missing = code === 'crs-missing' || code === 'unknown-crs' || s.failed === 'unknown-crs';
  const known = [...new Set([...(s.city ? [s.city.crs] : []), ...SYSTEMS])];
  return html`<section class="part" aria-label=${t('upload.settings')} data-testid="settings">
    <h2>${t('upload.settings')}</h2>
    <div class="fields">
      <label class="fld"><span class="xs mid">${t('upload.crs')}</span><input class="field" list="systems" autocomplete="off" spellcheck="false" data-testid="crs" aria-invalid=${missing ? 'true' : 'false'} aria-describedby="crs-say" placeholder=${t('upload.crs.own')} .value=${s.said.crs} @change=${(e: Event) => ctx.do.say({ crs: text(e) })}><datalist id="systems">${known.map((one) => html`<option value=${one}></option>`)}</datalist>
        <span class="xs ${missing ? 'fail-text' : 'dim'}" id="crs-say">${missing ? t('upload.crs.missing') : look?.layers.length ? t('upload.crs.read', { list: [...new Set(look.layers.map((l) => l.crs))].slice(0, 3).join(', ') }) : t('upload.crs.say')}</span></label>
      <label class="fld"><span class="xs mid">${t('upload.dataset')}</span><input class="field" maxlength="40" autocomplete="off" spellcheck="false" data-testid="dataset" placeholder=${look?.datasets[0]?.id ?? ''} .value=${s.said.dataset} @change=${(e: Event) => ctx.do.say({ dataset: text(e) })}><span class="xs dim">${t('upload.dataset.say')}</span></label>
      <label class="fld"><span class="xs mid">${t('upload.policy')}</span><select class="field" data-testid="policy" @change=${(e: Event) => ctx.do.say({ policy: text(e) as 'keep' | 'quarantine' })}>${(['keep', 'quarantine'] as const).map((one) => html`<option value=${one} .selected=${s.said.policy === one}>${t(`upload.policy.${one}`)}</option>`)}</select></label>
      ${hasRaster(s) ? html`<label class="fld"><span class="xs mid">${t('upload.error')}</span><span class="two"><input class="field" type="number" inputmode="decimal" min=${ERROR_M_MIN} step="any" data-testid="vertical-error" aria-describedby="error-say" aria-invalid=${s.failed === 'vertical-error' ? 'true' : 'false'} placeholder=${number(ERROR_M)} .value=${s.said.vertical_error_m === null ? '' : String(s.said.vertical_error_m)} @change=${(e: Event) => ctx.do.say({ vertical_error_m: text(e) === '' ? null : Number(text(e)) })}><span class="mid">m</span></span><span class="xs dim" id="error-say">${t('upload.error.say')}</span></label>` : nothing}
      ${s.emptyCity ? html`<label class="fld"><span class="xs mid">${t('upload.city')}</span><input class="field" maxlength="200" .value=${s.said.title} @change=${(e: Event) => ctx.do.say({ title: text(e) })}></label>
        <label class="fld"><span class="xs mid">${t('upload.zone')}</span><input class="field" maxlength="60" placeholder="Europe/Amsterdam" .value=${s.said.time_zone} @change=${(e: Event) => ctx.do.say({ time_zone: text(e) })}></label>` : nothing}
    </div>
    ${look && s.mapping?.length ? mappingPart(ctx, look) : nothing}
  </section>`;
}

function mappingPart(ctx: Ctx, look: Look): TemplateResult {
  const notes = new Map(look.layers.map((note) => [note.layer, note]));
  const rows = (ctx.s.mapping ?? []).flatMap(({ layer, mapping }) => {
    const note = notes.get(layer);
    return note ? [rowOf({ ...note, mapping })] : [];
  });
  return html`<h3>${t('upload.mapping')}</h3><p class="xs mid">${t('upload.mapping.say')}</p>${rows.map((row, i) => layerPart(ctx, row, i === 0 || rows.length <= 2))}`;
}

function layerPart(ctx: Ctx, row: LayerRow, open: boolean): TemplateResult {
  const column = (value: string, none: string, label: string, testid: string, set: (column: string) => void): TemplateResult => html`<select class="field" aria-label=${label} data-testid=${testid} @change=${(e: Event) => set(text(e))}><option value="" .selected=${value === ''}>${none}</option>${row.columns.map((name) => html`<option value=${name} .selected=${name === value}>${name}</option>`)}</select>`;
  return html`<details class="layer" ?open=${open} data-testid="layer"><summary><span class="strong">${row.layer}</span> <span class="xs dim">${t('upload.features', { n: number(row.features) })}, ${row.crs}</span></summary>
    <div class="mrows">
      <span class="mid">${t('upload.type')}</span><span class="two">${row.byColumn ? html`<span class="xs">${t('upload.byColumn', { name: row.byColumn })}</span>` : html`<select class="field" aria-label="${row.layer}: ${t('upload.type')}" data-testid="layer-type" @change=${(e: Event) => ctx.do.map(row.layer, { type: text(e) })}>${TYPES.map((type) => html`<option value=${type} .selected=${type === row.type}>${type === 'skip' ? t('upload.skip') : word('type', type)}</option>`)}</select>`}</span>
      ${row.type === 'skip' ? nothing : html`<span class="mid">${t('upload.id')}</span><span class="two">${column(row.id, t('upload.id.none'), `${row.layer}: ${t('upload.id')}`, 'layer-id', (id) => ctx.do.map(row.layer, { id }))}</span>
      ${row.fields.map((field) => {
        const name = word('attribute', field.target);
        return html`<span class="mid">${name}</span><span class="two">${column(field.column, '–', `${row.layer}: ${name}`, `map-${field.target}`, (chosen) => ctx.do.map(row.layer, { field: { ...field, column: chosen } }))}${isLength(field.target) && field.column ? html`<select class="field unit" aria-label="${name}: ${t('upload.unit')}" @change=${(e: Event) => ctx.do.map(row.layer, { field: { ...field, unit: text(e) } })}>${[...new Set([...UNITS, field.unit])].map((unit) => html`<option value=${unit} .selected=${unit === field.unit}>${unit}</option>`)}</select>` : nothing}</span>`;
      })}`}
    </div></details>`;
}
