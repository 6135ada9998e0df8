/** What the server sends, as the pages use it. Field names are those of the wire. */

export interface Bilingual {
  readonly en: string;
  readonly zh: string;
}

export interface Dataset extends Provenance {
  readonly id: string;
}

export interface City {
  readonly slug: string;
  readonly title: Bilingual;
  readonly crs: string;
  readonly vertical_datum: string | null;
  readonly ground: string;
  readonly origin: { readonly lon: number; readonly lat: number; readonly height_m: number };
  /** West, south, east, north in degrees. */
  readonly bbox: Bounds;
  readonly baseline_version: number;
  readonly time_zone: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly datasets: readonly Dataset[];
  readonly attributions: readonly string[];
  readonly views: readonly string[];
  readonly generated: boolean;
  readonly simulation: { readonly speed: number } | null;
}

export type Bounds = readonly [number, number, number, number];
export type Quality = 'recorded' | 'measured' | 'modelled' | 'generated';
export type AttributeValue = string | number | boolean | null;

export interface Attribute {
  readonly name: string;
  readonly value: AttributeValue;
  readonly unit: string | null;
  readonly quality: Quality;
  readonly interval: readonly [number, number] | null;
  readonly method: string | null;
  /** Id of the dataset; its provenance has the same id. */
  readonly source: string;
}

export interface Provenance {
  readonly dataset: string;
  readonly title: string;
  readonly source_file: string;
  readonly licence: string;
  readonly attribution: string;
  readonly reader: string;
  readonly reader_version: string;
  readonly read_at: string;
  readonly generated: boolean;
  /** The job of its newest delivery; said with an object, not with the city. */
  readonly job_id?: string | null;
}

export interface Reading {
  readonly phenomenon_time: string;
  readonly result: number;
}

export interface Datastream {
  readonly id: string;
  readonly name: Bilingual;
  readonly observed_property: string;
  readonly unit: string;
  readonly location: [number, number];
  readonly object_id: string | null;
  readonly network_id: string | null;
  readonly element_id: string | null;
  readonly quality: Quality;
  readonly generated: boolean;
  readonly limit_min: number | null;
  readonly limit_max: number | null;
  readonly period_s: number;
  readonly range: [number, number];
  readonly latest: Reading | null;
}

/** What a source gives of an object that several sources know; shares of area are 0 to 1. */
export interface Contribution {
  readonly id: string;
  readonly dataset: string;
  readonly match: string;
  readonly overlap: number | null;
  readonly iou: number | null;
}

/** Two sources that say different things of one object. */
export interface Conflict {
  readonly attribute: string;
  readonly kept: { readonly value: unknown; readonly dataset: string };
  readonly other: { readonly value: unknown; readonly dataset: string };
}

export interface CityObject {
  readonly id: string;
  readonly type: string;
  readonly dataset: string;
  readonly baseline_version: number;
  readonly name: string | null;
  readonly centroid: readonly [number, number];
  readonly bbox: Bounds;
  readonly lods: readonly string[];
  readonly attributes: readonly Attribute[];
  readonly provenance: readonly Provenance[];
  readonly sources: readonly Contribution[];
  readonly conflicts: readonly Conflict[];
  readonly datastreams: readonly Datastream[];
}

export interface SearchItem {
  readonly id: string;
  readonly type: string;
  readonly name: string | null;
  readonly detail: string | null;
  readonly centroid: readonly [number, number];
}

export interface LayerSpec {
  readonly id: string;
  readonly cim?: {
    readonly title?: string;
    readonly legend?: string;
    readonly generated?: boolean;
    readonly visible?: boolean;
    readonly min_zoom?: number;
  };
}

/** A deck.gl JSON specification; the map reads the rest of it. */
export interface ViewSpec {
  readonly layers: readonly LayerSpec[];
  readonly initialViewState?: unknown;
}

export interface Feature {
  readonly type: 'Feature';
  readonly id: string;
  readonly geometry: unknown;
  readonly properties: Readonly<Record<string, AttributeValue>>;
}

export interface FeatureCollection {
  readonly type: 'FeatureCollection';
  readonly features: readonly Feature[];
  readonly numberMatched?: number;
}

/** Something that was asked for: on its way, here, or failed with a code. */
export type Loadable<T> =
  | { readonly state: 'idle' }
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly value: T }
  | { readonly state: 'failed'; readonly code: string };

export const idle: Loadable<never> = { state: 'idle' };
export const loading: Loadable<never> = { state: 'loading' };
export const ready = <T>(value: T): Loadable<T> => ({ state: 'ready', value });
export const failed = (code: string): Loadable<never> => ({ state: 'failed', code });
export const valueOf = <T>(loadable: Loadable<T>): T | undefined => (loadable.state === 'ready' ? loadable.value : undefined);
