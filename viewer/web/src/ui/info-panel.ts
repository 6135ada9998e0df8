import { html, nothing, type TemplateResult } from 'lit';
import { lang, problemText, t, title, word, type MessageKey } from '../i18n/index';
import { interval, number, quantity } from '../i18n/format';
import { streamOf } from '../state/explore-state';
import { valueOf, type Attribute, type CityObject, type Dataset, type Datastream } from '../state/model';
import { cityCard } from './city-card';
import type { PublicCtx as Ctx } from './context';
import { factName, factText, HIDDEN, localName, ordered } from './facts';
import { icon, mark } from './icons';
import { changesPanel } from './changes-panel';
import { placeSection, schemeObjectCard } from './place-card';
import { disagreementLine, originsSection, validityNote } from './origins';
import { spokenOf } from '../scheme/show-state';
import { sensorBlock } from './sensor-card';
import { sourceBlock } from './source';

const SHOWN_FIRST = 6;

/** The sources that have a name here: those of the object, and all of the city. */
const namedIn = (ctx: Ctx, object: CityObject): readonly Dataset[] => [...object.provenance.map((one) => ({ ...one, id: one.dataset })), ...(valueOf(ctx.s.city)?.datasets ?? [])];

function fact(ctx: Ctx, object: CityObject, attribute: Attribute): TemplateResult {
  const name = factName(attribute.name);
  const open = ctx.s.openFacts.has(attribute.name);
  const quality = attribute.quality !== 'recorded' || attribute.name === 'height_m' ? t(`quality.${attribute.quality}`) : '';
  const spread = attribute.interval ? interval(attribute.interval[0], attribute.interval[1], attribute.unit) : '';
  const note = [quality, spread].filter(Boolean).join(lang() === 'zh' ? '，' : ', ');
  return html`<div class="fact ${open ? 'open' : ''}" data-testid="fact-${attribute.name}">
    <button type="button" aria-expanded=${open} title=${t('info.source.show', { name })} @click=${() => ctx.do.toggleFact(attribute.name)}>
      <span class="k">${name}</span><span class="val"><span>${factText(attribute)}</span>${note ? html` <span class="xs dim">${note}</span>` : nothing}</span>${icon('down', 's')}
    </button>
    ${disagreementLine(object, attribute.name, namedIn(ctx, object))}
    ${open ? sourceBlock(attribute, object.provenance.find((p) => p.dataset === attribute.source), ctx.zone) : nothing}
  </div>`;
}

function header(ctx: Ctx, dot: unknown, heading: string, type: string, generated: boolean): TemplateResult {
  return html`<div class="ph">${dot}<h2 class="grow trunc">${heading}${type ? html` <span class="dim plainw">${type}</span>` : nothing}</h2>${generated ? html`<span class="tag stale">${t('layer.generated')}</span>` : nothing}<button type="button" class="btn quiet sm ico" data-testid="info-close" aria-label=${t('panel.close')} @click=${() => ctx.do.select(null)}>${icon('x')}</button></div>`;
}

const square = html`<svg class="dotbox" viewBox="0 0 12 12" aria-hidden="true"><rect width="12" height="12" rx="3" fill="var(--bldg-selected)"/></svg>`;
const disc = html`<svg class="dotbox" viewBox="0 0 12 12" aria-hidden="true"><circle cx="6" cy="6" r="5" fill="var(--seq-4)"/></svg>`;

const actions = (ctx: Ctx, canZoom: boolean): TemplateResult => html`<div class="row acts">
  <button type="button" class="btn grow" data-testid="zoom-to" ?disabled=${!canZoom} @click=${() => ctx.do.zoomToSelection()}>${icon('zoom')}${t('info.zoom')}</button>
  <button type="button" class="btn grow" data-testid="copy-link" @click=${() => void ctx.do.share()}>${icon('copy')}${t('info.copy')}</button>
</div>`;

const skeleton = (): TemplateResult => html`<div class="sec facts" aria-busy="true">${Array.from({ length: SHOWN_FIRST }, () => html`<div class="fact"><span class="sk line"></span></div>`)}</div>`;

function objectCard(ctx: Ctx, id: string): TemplateResult {
  const { object, allFacts, picked } = ctx.s;
  if (object.state === 'failed') {
    const gone = object.code.endsWith('not-found');
    return html`${header(ctx, square, t('info.building'), '', false)}<div class="sec"><div class="state">${mark('fail')}<div><p>${t(gone ? 'info.gone' : 'info.loadFailed')}</p><p class="xs dim">${problemText(object.code)}</p>${gone ? nothing : html`<button type="button" class="link" @click=${() => void ctx.do.readObject(id)}>${t('panel.retry')}</button>`}</div></div></div>`;
  }
  const value = valueOf(object);
  if (!value) {
    const known = picked?.['name'];
    return html`${header(ctx, square, typeof known === 'string' && known ? known : t('info.building'), '', false)}${skeleton()}<div class="sec">${actions(ctx, false)}</div>`;
  }
  const facts = ordered(value.attributes.filter((a) => !HIDDEN.has(a.name)));
  const shown = allFacts ? facts : facts.slice(0, SHOWN_FIRST);
  const generated = value.provenance.some((p) => p.dataset === value.dataset && p.generated);
  return html`${header(ctx, square, localName(value) ?? word('type', value.type), value.name ? word('type', value.type) : '', generated)}
    <div class="scroll">
      ${placeSection(ctx, id)}
      ${generated ? html`<p class="sec note xs dim">${t('info.generatedNote')}</p>` : nothing}
      ${validityNote(value)}
      <div class="sec facts">
        ${shown.map((attribute) => fact(ctx, value, attribute))}
        <div class="fact id"><span class="k">${t('info.id')}</span><span class="val mono" data-testid="object-id">${value.id}</span></div>
        ${facts.length > SHOWN_FIRST ? html`<button type="button" class="link more" aria-expanded=${allFacts} @click=${() => ctx.do.store.set({ allFacts: !allFacts })}>${allFacts ? t('info.less') : t('info.more', { n: facts.length - SHOWN_FIRST })}</button>` : nothing}
      </div>
      ${originsSection(value, namedIn(ctx, value))}
      ${value.datastreams.length > 0 ? html`<div class="ph div"><h3 class="grow">${t('info.sensors')}</h3></div>${value.datastreams.map((stream) => sensorBlock(ctx, stream, true))}` : html`<p class="sec xs dim">${t('info.noSensors')}</p>`}
    </div>
    <div class="sec foot">${actions(ctx, true)}</div>`;
}

const NETWORK_WORDS: Readonly<Record<string, MessageKey>> = { water: 'network.water', power: 'network.power', street: 'network.street', streets: 'network.street', traffic: 'network.traffic' };
const SKIPPED = new Set(['type', 'name', 'network_id', 'element_id', 'datastream_id', 'kind', 'id', 'quality', 'dataset', 'generated', 'baseline_version', 'lods']);

/** What the map itself knows of a pipe, a line or a street: its flat properties. */
function elementFacts(ctx: Ctx): TemplateResult | typeof nothing {
  const rows = Object.entries(ctx.s.picked ?? {}).filter(([name, value]) => !SKIPPED.has(name) && (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') && value !== '');
  if (rows.length === 0) return nothing;
  return html`<dl class="kv">${rows.slice(0, 8).map(([name, value]) => {
    const unit = /_(m2|m3|m|kw)$/.exec(name)?.[1]?.replace('kw', 'kW') ?? null;
    return html`<div><dt>${factName(name)}</dt><dd>${typeof value === 'number' ? (unit === 'm' && Math.abs(value) < 1 ? `${number(value, 2)} m` : quantity(value, unit)) : String(value)}</dd></div>`;
  })}</dl>`;
}

function streamCard(ctx: Ctx, stream: Datastream | undefined, id: string, network: string | null): TemplateResult {
  const kind = ctx.s.picked?.['kind'];
  const type = typeof kind === 'string' ? word('type', kind.charAt(0).toUpperCase() + kind.slice(1)) : word('property', stream?.observed_property ?? '');
  const where = network ?? stream?.network_id ?? null;
  const onBuilding = stream?.object_id ?? null;
  return html`${header(ctx, disc, stream ? stream.name[lang()] : id, stream ? '' : type, stream?.generated ?? Boolean(where))}
    <div class="scroll">
      ${stream ? sensorBlock(ctx, stream, false) : ctx.s.streams.state === 'loading' ? html`<div class="ind"><div class="ts sk"></div></div>` : nothing}
      <div class="sec">
        <dl class="kv">
          ${where ? html`<div><dt>${t('sensor.network')}</dt><dd>${NETWORK_WORDS[where] ? title(NETWORK_WORDS[where]) : where}</dd></div>` : nothing}
          ${stream?.element_id ?? (network ? id : null) ? html`<div><dt>${t('sensor.element')}</dt><dd class="mono">${stream?.element_id ?? id}</dd></div>` : nothing}
          ${onBuilding ? html`<div><dt>${t('sensor.onBuilding')}</dt><dd><button type="button" class="link mono" @click=${() => ctx.do.select({ kind: 'object', id: onBuilding })}>${onBuilding}</button></dd></div>` : nothing}
        </dl>
        ${elementFacts(ctx)}
        ${stream?.generated ?? Boolean(where) ? html`<p class="xs dim note">${t('info.generatedNote')}</p>` : nothing}
      </div>
    </div>
    <div class="sec foot">${actions(ctx, Boolean(stream))}</div>`;
}

/** What is known of the selection; of the city where nothing is selected. */
export function details(ctx: Ctx): TemplateResult {
  const { selection, streams } = ctx.s;
  if (!selection) return cityCard(ctx);
  if (selection.kind === 'object') return schemeObjectCard(ctx, selection.id) ?? objectCard(ctx, selection.id);
  const stream = streamOf(selection, valueOf(streams) ?? []);
  return streamCard(ctx, stream, selection.id, selection.kind === 'element' ? selection.network : null);
}

export function rightPanel(ctx: Ctx): TemplateResult | typeof nothing {
  if (!ctx.s.rightOpen && !ctx.s.selection) return nothing;
  if (spokenOf(ctx.c) && !(ctx.c.about && !ctx.s.selection)) {
    return html`<div class="rstack">${changesPanel(ctx)}${ctx.s.selection ? html`<aside class="panel" data-testid="info-panel" aria-label=${t('panel.details')} tabindex="-1">${details(ctx)}</aside>` : nothing}</div>`;
  }
  return html`<aside class="panel r" data-testid="info-panel" aria-label=${t('panel.details')} tabindex="-1">${details(ctx)}</aside>`;
}
