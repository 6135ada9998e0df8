/** The card of what was clicked: from the row of the tile, and the sensors' latest values. */
import { html, nothing, type TemplateResult } from 'lit';
import { lang, t, title, word } from '../i18n/index';
import { dayAndClock, figure, figureUnit } from '../i18n/format';
import type { PickInfo } from '../map/types';
import type { Attribute, AttributeValue, City, Datastream, Provenance } from '../state/model';
import { knownZone } from '../state/zone';
import { factName, factText } from '../ui/facts';
import { icon, mark } from '../ui/icons';
import { standing } from '../ui/sensor-card';
import { sourceBlock } from '../ui/source';
import { say } from './words';

/** Columns of the tiles' property table, in the order of the card, and the attributes that they hold. */
const COLUMNS: readonly (readonly [column: string, attribute: string, unit: string | null])[] = [
  ['use', 'function', null],
  ['height_m', 'height_m', 'm'],
  ['storeys', 'storeys_above_ground', null],
  ['year', 'year_of_construction', null],
  ['roof', 'roof_type', null],
  ['ground_m', 'ground_height_m', 'm'],
];

const isValue = (value: unknown): value is NonNullable<AttributeValue> => ['string', 'number', 'boolean'].includes(typeof value);

/** The facts that a row of a tile holds; what it does not know is left out, and so is the level of a flat ground. */
export function factsOf(row: Readonly<Record<string, unknown>>, flatGround: boolean): Attribute[] {
  const modelled = row['modelled'] === 1;
  return COLUMNS.flatMap(([column, name, unit]) => {
    const value = row[column];
    if (!isValue(value) || value === '' || (flatGround && column === 'ground_m')) return [];
    const quality = name === 'height_m' && modelled ? 'modelled' : 'recorded';
    return [{ name, value, unit, quality, interval: null, method: null, source: '' }];
  });
}

function fact(attribute: Attribute, source: Provenance | undefined, zone: string): TemplateResult {
  const name = factName(attribute.name);
  const note = attribute.name === 'height_m' ? t(`quality.${attribute.quality}`) : '';
  return html`<details class="fact" data-testid="fact-${attribute.name}">
    <summary title=${t('info.source.show', { name })}><span class="k">${name}</span><span class="val"><span>${factText(attribute)}</span>${note ? html`<span class="xs dim">${note}</span>` : nothing}</span>${icon('down', 's')}</summary>
    ${sourceBlock(attribute, source, zone)}
  </details>`;
}

/** The dataset that an object's id begins with: what a tile knows of the object comes from there. */
export const datasetOf = (city: Pick<City, 'datasets'>, id: string): Provenance | undefined => city.datasets.find((d) => id.startsWith(`${d.dataset}:`));

export function sensor(stream: Datastream, zone: string, head: boolean): TemplateResult {
  const { latest } = stream;
  const stand = standing(stream, latest?.result ?? null);
  return html`<section class="ind" data-testid="sensor-${stream.id}" aria-label=${stream.name[lang()]}>
    ${head ? html`<div class="t"><span class="grow trunc strong">${stream.name[lang()]}</span></div>` : nothing}
    ${latest
      ? html`<div class="v"><span class="big" data-testid="sensor-value">${figure(latest.result, stream.unit)}</span><span class="u">${figureUnit(latest.result, stream.unit)}</span><span class="grow"></span>${stand ? html`<span class="tag ${stand.mark}">${mark(stand.mark, 'xs')}${stand.text}</span>` : nothing}</div>
          <div class="f"><span>${t('sensor.what', { property: word('property', stream.observed_property), quality: t(`quality.${stream.quality}`) })}</span><span>${say('valueAt', { when: dayAndClock(new Date(latest.phenomenon_time), zone) })}</span></div>`
      : html`<p class="xs mid">${say('noValue')}</p>`}
    ${stream.generated ? html`<p class="xs dim note">${t('info.generatedNote')}</p>` : nothing}
  </section>`;
}

const KINDS = { object: 'Building', sensor: 'Sensor', tree: 'SolitaryVegetationObject' } as const;

function heading(pick: PickInfo, stream: Datastream | undefined): string {
  const { name, kind, type } = pick.properties;
  if (pick.kind === 'sensor' && stream) return stream.name[lang()];
  if (typeof name === 'string' && name) return name;
  if (pick.kind === 'object' && typeof type === 'string') return word('type', type);
  if (pick.kind === 'link' || pick.kind === 'node') return typeof kind === 'string' ? word('type', kind.charAt(0).toUpperCase() + kind.slice(1)) : title(`layer.${pick.layerId}`);
  return word('type', KINDS[pick.kind]);
}

export function card(pick: PickInfo, city: City, streams: readonly Datastream[], close: TemplateResult): TemplateResult {
  const zone = knownZone(city.time_zone);
  const own = streams.find((s) => s.id === pick.datastreamId);
  const here = pick.kind === 'object' ? streams.filter((s) => s.object_id === pick.id) : own ? [own] : [];
  const source = datasetOf(city, pick.id);
  const facts = pick.kind === 'object' ? factsOf(pick.properties, city.ground === 'flat') : [];
  return html`<div class="ph"><h2 class="grow trunc" data-testid="card-title">${heading(pick, own)}</h2>${close}</div>
    <div class="scroll">
      <div class="sec facts">${facts.map((one) => fact(one, source, zone))}
        <div class="fact id"><span class="k">${t('info.id')}</span><span class="val mono" data-testid="object-id">${pick.id}</span></div>
      </div>
      ${here.map((stream) => sensor(stream, zone, pick.kind !== 'sensor'))}
      ${pick.kind === 'object' && here.length === 0 ? html`<p class="sec xs dim">${t('info.noSensors')}</p>` : nothing}
    </div>`;
}
