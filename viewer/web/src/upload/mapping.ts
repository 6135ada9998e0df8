/** The mapping of a source's columns as a person edits it: from what a look found, to what is sent. Pure. */
import type { LayerMapping, LayerNote, Rule } from './types';

export const TYPES = ['Building', 'Road', 'Railway', 'WaterBody', 'Waterway', 'PlantCover', 'LandUse', 'SolitaryVegetationObject', 'CityFurniture', '+Parcel', '+District', '+TransitStop', '+Amenity', '+GenericCityObject', 'skip'] as const;

/** Attributes that can be named, by the type of the layer; a length says its unit too. */
const BUILDING = ['height_m', 'storeys_above_ground', 'year_of_construction', 'function', 'name', 'address', 'roof_type'] as const;
const OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  Building: BUILDING,
  Road: ['name', 'highway', 'lanes', 'width_m'],
  Railway: ['name', 'width_m'],
  SolitaryVegetationObject: ['height_m', 'crown_diameter_m', 'name'],
};
const OTHERS = ['name', 'function', 'address'] as const;
export const UNITS = ['m', 'ft', 'ftUS', 'cm'] as const;

export const targetsOf = (type: string): readonly string[] => OF_TYPE[type] ?? OTHERS;
export const isLength = (target: string): boolean => target.endsWith('_m');

export interface FieldRow {
  readonly target: string;
  /** Empty: no column. */
  readonly column: string;
  readonly unit: string;
}

export interface LayerRow {
  readonly layer: string;
  readonly crs: string;
  readonly features: number;
  readonly type: string;
  /** A column tells the type of each feature: that is kept, not edited here. */
  readonly byColumn: string | null;
  readonly id: string;
  readonly columns: readonly string[];
  readonly fields: readonly FieldRow[];
}

const columnOf = (rule: Rule | undefined): string => (rule === undefined ? '' : typeof rule === 'string' ? rule : rule.column);
const unitOf = (rule: Rule | undefined): string => (rule === undefined || typeof rule === 'string' ? 'm' : (rule.unit ?? 'm'));

const typeOf = (mapping: LayerMapping): string => (typeof mapping.type === 'string' ? mapping.type : (mapping.type?.default ?? 'skip'));

export function rowOf(note: LayerNote): LayerRow {
  const { mapping } = note;
  const type = typeOf(mapping);
  const rules = mapping.attributes ?? {};
  const targets = [...new Set([...targetsOf(type), ...Object.keys(rules)])];
  return {
    layer: note.layer,
    crs: note.crs,
    features: note.features,
    type,
    byColumn: mapping.type && typeof mapping.type === 'object' ? mapping.type.column : null,
    id: mapping.id ?? '',
    columns: note.columns,
    fields: targets.map((target) => ({ target, column: columnOf(rules[target]), unit: unitOf(rules[target]) })),
  };
}

/** A layer's mapping after one thing of it was chosen anew; what is not edited here stays. */
export function changed(mapping: LayerMapping, change: { readonly type?: string; readonly id?: string; readonly field?: FieldRow }): LayerMapping {
  if (change.type !== undefined) {
    const allowed = new Set(targetsOf(change.type));
    const kept = Object.entries(mapping.attributes ?? {}).filter(([target]) => allowed.has(target));
    return { ...mapping, type: change.type, attributes: Object.fromEntries(kept) };
  }
  if (change.id !== undefined) {
    const { id: _, ...rest } = mapping;
    return change.id ? { ...rest, id: change.id } : rest;
  }
  const { field } = change;
  if (!field) return mapping;
  const rules = { ...mapping.attributes };
  delete rules[field.target];
  if (field.column) rules[field.target] = isLength(field.target) ? { column: field.column, unit: field.unit } : field.column;
  return { ...mapping, attributes: rules };
}

/** What is sent: one layer as it is, several by their names. */
export function mappingDocument(layers: readonly { readonly layer: string; readonly mapping: LayerMapping }[]): Record<string, unknown> | null {
  if (layers.length === 0) return null;
  const [first] = layers;
  return layers.length === 1 && first ? { ...first.mapping } : { layers: Object.fromEntries(layers.map(({ layer, mapping }) => [layer, mapping])) };
}
