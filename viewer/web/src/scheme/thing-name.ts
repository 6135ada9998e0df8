/** What a thing is called that a scheme touches. */
import { word } from '../i18n/index';
import type { SchemeObject } from './types';

/** The letter that the words for things use, by the type of an object. */
const LETTER: Readonly<Record<string, string>> = { Building: 'b', '+Parcel': 'p', Road: 'r', PlantCover: 'k', SolitaryVegetationObject: 't' };
const MADE = /^s[a-z0-9]{8}:([bprktn])\/(.+)$/;
const BARE = /^\d+$/;

/** The part of an id that tells one thing from the next. */
export function shortId(id: string): string {
  const made = MADE.exec(id);
  if (made) return `${word('madeThing', made[1] ?? 'n')} ${made[2] ?? ''}`;
  return id.slice(id.indexOf(':') + 1).replace(/^(way|relation|node)\//, '');
}

/** Its name where it has one, else what it is and its number in the source. */
export function thingName(id: string, object: Pick<SchemeObject, 'name' | 'type'> | null | undefined): string {
  if (object?.name) return object.name;
  const short = shortId(id);
  const letter = object && BARE.test(short) ? LETTER[object.type] : undefined;
  return letter ? `${word('madeThing', letter)} ${short}` : short;
}
