import { lang, t, word, wordFor } from '../i18n/index';
import { number, quantity, year } from '../i18n/format';
import type { Attribute, CityObject } from '../state/model';

const FIRST = ['function', 'usage', 'height_m', 'storeys_above_ground', 'year_of_construction', 'address', 'street', 'roof_type'];

/** What only a machine reads, and what the card already says elsewhere. */
export const HIDDEN = new Set(['name', 'parts_share', 'int_name', 'geometry_validity']);

/** The name of a fact: its word, `Name (sv)` for `name:sv`, else the source's own key, readable. */
export function factName(name: string): string {
  const known = wordFor('attribute', name);
  if (known !== undefined) return known;
  if (name.startsWith('name:')) return t('info.nameIn', { lang: name.slice(5) });
  const text = name.replaceAll(/[_:]/g, ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The name in the language of the page where the source has one; the other names stay in the card. */
export function localName(object: Pick<CityObject, 'name' | 'attributes'>): string | null {
  const own = object.attributes.find((a) => a.name === `name:${lang()}`)?.value;
  return typeof own === 'string' && own ? own : object.name;
}

/** Facts in the order a person asks for them; the rest by name. */
export function ordered(attributes: readonly Attribute[]): Attribute[] {
  return [...attributes].sort((a, b) => {
    const [i, j] = [FIRST.indexOf(a.name), FIRST.indexOf(b.name)];
    return (i < 0 ? FIRST.length : i) - (j < 0 ? FIRST.length : j) || Number(a.name.includes(':')) - Number(b.name.includes(':')) || a.name.localeCompare(b.name);
  });
}

/** A fact's value in words: codes worded, figures with unit, years without a comma. */
export function factText(attribute: Attribute): string {
  const { name, value, unit } = attribute;
  if (value === null) return '–';
  if (typeof value === 'boolean') return value ? '✓' : '–';
  if (typeof value === 'number') return name.startsWith('year') ? year(value) : name.startsWith('storeys') ? number(value) : quantity(value, unit);
  if (name === 'function' || name === 'usage' || name === 'class') return word('use', value);
  return (name === 'roof_type' ? wordFor('roof', value) : undefined) ?? value;
}
