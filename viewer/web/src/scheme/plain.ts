/** What a scheme changes, in sentences that a resident reads. Pure. */
import { number, quantity } from '../i18n/format';
import { isKey, lang, t, tn } from '../i18n/index';
import { changeText, isShare, isZero } from './reading';
import { ringArea } from './area';
import type { Change, Reading, SchemeObject, Storey } from './types';

export interface Built {
  readonly buildings: Readonly<Record<Change, number>>;
  /** Least and most storeys of what is added or changed. */
  readonly storeys: readonly [number, number] | null;
  readonly parks: number;
  readonly park_m2: number;
  readonly trees: number;
  readonly treesGone: number;
  readonly streets: number;
  readonly streetsClosed: number;
  readonly parcels: number;
}

/** The storeys of a building; what is none has none. */
export const storeysOf = (object: SchemeObject): readonly Storey[] => (object.storeys as readonly Storey[] | null) ?? [];

const TREES: ReadonlySet<string> = new Set(['SolitaryVegetationObject', 'Tree']);

export function builtOf(objects: readonly SchemeObject[]): Built {
  const buildings = { added: 0, changed: 0, demolished: 0 };
  const storeys: number[] = [];
  const parks: number[] = [];
  const count = { trees: 0, treesGone: 0, streets: 0, streetsClosed: 0, parcels: 0 };
  for (const one of objects) {
    if (one.type === 'Building' || one.type === 'BuildingPart') {
      buildings[one.change] += 1;
      if (one.change !== 'demolished' && storeysOf(one).length > 0) storeys.push(storeysOf(one).length);
    } else if (one.type === 'PlantCover' && one.change !== 'demolished') parks.push(ringArea(one.geometry));
    else if (TREES.has(one.type)) count[one.change === 'demolished' ? 'treesGone' : 'trees'] += 1;
    else if (one.type === 'Road') {
      if (one.change === 'added') count.streets += 1;
      else if (one.change === 'demolished' || one.properties['closed'] === true) count.streetsClosed += 1;
    } else if (one.type.endsWith('Parcel') && one.land_use !== null && one.change === 'changed') count.parcels += 1;
  }
  return {
    buildings,
    storeys: storeys.length > 0 ? [Math.min(...storeys), Math.max(...storeys)] : null,
    parks: parks.length,
    park_m2: parks.reduce((sum, area) => sum + area, 0),
    ...count,
  };
}

/** `12 new buildings of 5 to 14 storeys, 3 buildings removed, a new park of 2.1 ha.` */
export function builtSentence(built: Built): string {
  const parts: string[] = [];
  const say = (key: Parameters<typeof tn>[0], n: number): void => { if (n > 0) parts.push(tn(key, n, number(n))); };
  if (built.buildings.added > 0) {
    const [lo, hi] = built.storeys ?? [0, 0];
    const height = built.storeys === null ? '' : lo === hi ? t('built.storeysSame', { lo }) : t('built.storeys', { lo, hi });
    const added = tn('built.added', built.buildings.added, number(built.buildings.added));
    parts.push(height ? `${added}${lang() === 'zh' ? '（' : ' '}${height}${lang() === 'zh' ? '）' : ''}` : added);
  }
  say('built.changed', built.buildings.changed);
  say('built.demolished', built.buildings.demolished);
  if (built.parks === 1) parts.push(t('built.park', { area: quantity(built.park_m2, 'm2') }));
  else if (built.parks > 1) parts.push(t('built.parks', { n: number(built.parks), area: quantity(built.park_m2, 'm2') }));
  say('built.trees', built.trees);
  say('built.treesGone', built.treesGone);
  say('built.streets', built.streets);
  say('built.streetsClosed', built.streetsClosed);
  say('built.land', built.parcels);
  if (parts.length === 0) return t('changes.nothing');
  const text = parts.join(t('built.and'));
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${t('built.end')}`;
}

/** The line under a scheme's name: `+728 homes, 5–14 storeys`. */
export function cardLine(readings: readonly Reading[], built: Built | null): string {
  const homes = readings.find((reading) => reading.id === 'people.dwellings');
  const parts: string[] = [];
  if (homes?.delta) {
    const text = changeText(homes, homes.delta);
    if (!isZero(text)) parts.push(t('schemes.homes', { n: `${homes.delta > 0 ? '+' : '−'}${text}` }));
  }
  if (built?.storeys) {
    const [lo, hi] = built.storeys;
    parts.push(lo === hi ? tn('schemes.storeys.same', lo, number(lo)) : t('schemes.storeys', { lo, hi }));
  }
  if (built && built.park_m2 > 0) parts.push(t('schemes.park', { area: quantity(built.park_m2, 'm2') }));
  return parts.slice(0, 2).join(lang() === 'zh' ? '，' : ', ');
}

/** What residents ask, in the order in which they ask it. */
const TOLD = [
  'people.dwellings', 'people.residents', 'light.neighbours_losing', 'light.homes_sun', 'light.shadow_on_parks', 'people.open_space_per_head', 'people.access_park', 'people.school_places',
  'land.height_max', 'people.jobs', 'people.access_transit', 'people.access_school', 'people.street_connection', 'sky.view_factor', 'carbon.embodied', 'cost.construction',
] as const;

/** One sentence a change that can be seen after rounding; `most` of them. */
export function sentences(readings: readonly Reading[], most = 5): string[] {
  const found: string[] = [];
  for (const id of TOLD) {
    const reading = readings.find((one) => one.id === id);
    if (!reading || reading.state !== 'ready' || !reading.delta) continue;
    const text = changeText(reading, reading.delta);
    const sentence = `plain.${id}.${reading.delta > 0 ? 'more' : 'less'}`;
    // Half a point is nothing that a resident would see.
    const slight = isShare(reading) && Math.abs(reading.delta) < (reading.unit === '%' ? 0.5 : 0.005);
    if (isZero(text) || slight || !isKey(sentence)) continue;
    found.push(t(sentence, { n: text }));
    if (found.length === most) break;
  }
  return found;
}
