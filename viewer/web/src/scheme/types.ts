/** Schemes as the server tells them. Places are longitude and latitude, lengths metres. */
import type { PickInfo } from '../map/types';
import type { Bilingual as Words } from '../state/model';

export type LonLat = readonly [number, number];
export type { Words };
export type SchemeState = 'draft' | 'published' | 'withdrawn';
export type Change = 'added' | 'changed' | 'demolished';
export type Verdict = 'pass' | 'fail' | 'discuss';
/** The city as it is. */
export const BASE = 'base';

export interface TourStop {
  readonly title: Words;
  readonly text: Words;
  /** longitude,latitude,zoom,pitch,bearing */
  readonly view: string;
  readonly sun: string | null;
}

export interface Scheme {
  readonly id: string;
  readonly name: Words;
  readonly summary: Words;
  readonly letter: string;
  readonly colour_index: number;
  readonly parent: string;
  readonly baseline_version: number;
  readonly state: SchemeState;
  readonly version: number | null;
  readonly edit_count: number;
  /** Sequence of the newest entry of the log. */
  readonly head: number;
  readonly author: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly stale_baseline: boolean;
  readonly bbox: readonly [number, number, number, number] | null;
  readonly counts: Readonly<Record<Change, number>>;
  readonly tour: readonly TourStop[];
  readonly phases: readonly number[];
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

export interface FieldChange {
  readonly target: string;
  readonly field: string;
  readonly old: Json;
  readonly new: Json;
}

export interface Finding {
  readonly rule: string;
  readonly clause: string;
  readonly verdict: Verdict;
  readonly severity: 'fail' | 'discuss';
  readonly measured: number | null;
  readonly limit: number | null;
  readonly margin: number | null;
  readonly unit: string;
  readonly object_id: string | null;
  readonly witness: GeoJSON.Geometry | null;
  readonly params: Readonly<Record<string, string | number>>;
}

export interface Edit {
  readonly sequence: number;
  readonly id: string;
  readonly kind: string;
  readonly title: { readonly code: string; readonly params: Readonly<Record<string, Json>> };
  readonly targets: readonly string[];
  readonly changes: readonly FieldChange[];
  readonly author: string;
  readonly at: string;
  readonly phase_year: number | null;
  readonly undoes: number | null;
  readonly undone: boolean;
  readonly findings: readonly Finding[];
}

/** Height of the storey in metres, and its use; the lowest first. */
export type Storey = readonly [number, string];

export interface SchemeObject {
  readonly id: string;
  readonly type: string;
  readonly change: Change;
  readonly geometry: GeoJSON.Geometry | null;
  readonly ground_m: number;
  readonly height_m: number;
  readonly storeys: readonly Storey[];
  readonly roof: { readonly type: string; readonly height_m: number };
  readonly land_use: string | null;
  readonly phase_year: number | null;
  readonly name: string | null;
  /** The uploaded model that it is, while it is: where the model's origin lies, and the place `north_m` along its north. */
  readonly model?: { readonly id: string; readonly origin: LonLat; readonly north: LonLat; readonly north_m: number } | null;
  readonly properties: Readonly<Record<string, Json>>;
}

export interface SchemeObjects {
  readonly sequence: number;
  readonly items: readonly SchemeObject[];
  /** Objects of the base that are replaced or gone. */
  readonly hidden: readonly string[];
}

export interface Factor {
  readonly id: string;
  readonly value: number;
  readonly unit: string;
  readonly source: string;
  readonly jurisdiction: string;
  readonly low: number | null;
  readonly high: number | null;
}

export interface Reading {
  readonly id: string;
  readonly value: number | null;
  readonly unit: string;
  readonly base: number | null;
  readonly delta: number | null;
  readonly target: { readonly min?: number; readonly max?: number; readonly source: string } | null;
  readonly interval: readonly [number, number] | null;
  readonly quality: string;
  readonly method: string;
  readonly inputs: readonly string[];
  readonly sources: readonly string[];
  readonly factors: readonly Factor[];
  readonly state: 'ready' | 'pending' | 'failed';
  /** The newest edit that it counts in; below the scheme's head it is stale. */
  readonly sequence: number;
  readonly verdict: Verdict | null;
  readonly better?: 'more' | 'less' | 'none';
  /** The whole city, or the parcels that the scheme touches. */
  readonly scope?: 'city' | 'site';
  readonly delta_interval?: readonly [number, number] | null;
  readonly breakdown: readonly { readonly key: string; readonly value: number; readonly unit?: string }[] | null;
}

export interface IndicatorInfo {
  readonly id: string;
  readonly unit: string;
  readonly title: Words;
  readonly method: string;
  readonly inputs: readonly string[];
  readonly quality: string;
  readonly better: 'more' | 'less' | 'none' | null;
}

export interface Conflict {
  readonly target: string;
  readonly field: string;
  readonly base: Json;
  readonly ours: Json;
  readonly theirs: Json;
  /** Where one side demolishes: what the other side wants of the fields. */
  readonly edits?: Readonly<Record<string, Json>>;
}

export interface MergeAnswer {
  readonly merged: boolean;
  readonly conflicts: readonly Conflict[];
  readonly edit: Edit | null;
}

export interface EditAnswer {
  readonly edit: Edit;
  readonly findings: readonly Finding[];
  readonly scheme: Scheme;
  readonly objects: readonly SchemeObject[];
  readonly hidden: readonly string[];
  /** What the edit touched and is drawn no more. */
  readonly gone?: readonly string[];
}

export interface SunLoser {
  readonly object_id: string;
  readonly name: string | null;
  readonly before_h: number;
  readonly after_h: number;
}

export interface Light {
  readonly sequence: number;
  readonly day: string;
  readonly hours: readonly [number, number];
  readonly elevation_deg_min: number;
  readonly losers: readonly SunLoser[];
  readonly facades: Readonly<Record<string, number>>;
}

export interface Comparison {
  readonly schemes: readonly (Scheme | typeof BASE)[];
  readonly rows: readonly { readonly id: string; readonly unit: string; readonly readings: readonly (Reading | null)[] }[];
}

export interface Massing {
  readonly id: string;
  readonly title: Words;
  readonly needs_site: boolean;
  readonly params: readonly { readonly name: string; readonly unit: string; readonly default: number; readonly min: number; readonly max: number }[];
}

/** What the map draws of a scheme. */
export interface SchemeOverlay {
  readonly scheme: string;
  readonly letter: string;
  readonly colour_index: number;
  readonly objects: readonly SchemeObject[];
  readonly hidden: ReadonlySet<string>;
  /** Only what stands by then; null: all of it. */
  readonly phase: number | null;
}

/** What is being drawn or pulled, before it is an edit. */
export interface Draft {
  readonly ring: readonly LonLat[];
  /** A line is drawn where it is not closed. */
  readonly closed: boolean;
  readonly height_m: number;
  /** What it stands on; the ground of its place where that is not said. */
  readonly ground_m: number | null;
  /** Heights of the floors above the ground, drawn as lines. */
  readonly storey_m: readonly number[];
  readonly valid: boolean;
  /** An arrow on the roof that can be pulled. */
  readonly handle: boolean;
  readonly guides: readonly (readonly [LonLat, LonLat])[];
  readonly dimensions: readonly { readonly at: LonLat; readonly text: string }[];
}

/** Where the pointer is: on the ground, on the screen (CSS pixels of the map), on what. */
export interface ToolPoint {
  readonly lngLat: LonLat;
  readonly x: number;
  readonly y: number;
  readonly pick: PickInfo | null;
  readonly shift: boolean;
  readonly alt: boolean;
}

/** A tool in hand hears of the pointer before the camera does; true keeps the camera still. */
export interface PointerTool {
  readonly cursor: string;
  down(point: ToolPoint): boolean;
  move(point: ToolPoint): boolean;
  up(point: ToolPoint): boolean;
  cancel(): void;
}

/** The failing part of a finding, drawn where it is. */
export interface Witness {
  readonly id: string;
  readonly geometry: GeoJSON.Geometry;
  readonly from_m: number;
  readonly to_m: number;
  readonly verdict: Verdict;
}

export interface ProfilePoint {
  readonly distance_m: number;
  readonly height_m: number;
}
