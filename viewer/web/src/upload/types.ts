/** Uploads and the jobs that read them, as the server tells them. */
import type { Bounds } from '../state/model';

export interface UploadedFile {
  readonly name: string;
  readonly bytes: number;
}

export interface JobStep {
  readonly name: string;
  readonly state: string;
  readonly done: number;
  readonly total: number | null;
  readonly unit: string;
  readonly rate_per_s: number | null;
  readonly remaining_s: number | null;
}

export interface Problem {
  readonly code: string;
  readonly detail?: string;
  readonly hint?: string;
}

export interface Job {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'interrupted';
  readonly steps: readonly JobStep[];
  readonly queued_ahead: number;
  readonly error: Problem | null;
  readonly summary: Readonly<Record<string, unknown>>;
}

export interface Upload {
  readonly id: string;
  readonly name: string;
  readonly files: readonly UploadedFile[];
  readonly bytes: number;
  readonly touched_at: string;
  readonly job: Job | null;
}

export interface Uploads {
  readonly items: readonly Upload[];
  readonly limits: { readonly bytes: number; readonly files: number };
}

/** What a person says of an upload; what is empty is left to the files. */
export interface Said {
  readonly crs: string;
  readonly dataset: string;
  readonly policy: 'keep' | 'quarantine';
  readonly mapping: Readonly<Record<string, unknown>> | null;
  readonly title: string;
  readonly time_zone: string;
  /** How far a terrain's triangles may be from its raster, metres. */
  readonly vertical_error_m: number | null;
}

export const NOTHING_SAID: Said = { crs: '', dataset: '', policy: 'keep', mapping: null, title: '', time_zone: '', vertical_error_m: null };

export interface FieldNote {
  readonly name: string;
  readonly count: number;
  readonly modelled: number;
  readonly unit: string | null;
  readonly samples: readonly (string | number | boolean | null)[];
}

export type Rule = string | { readonly column: string; readonly unit?: string };
export interface LayerMapping {
  readonly type?: string | { readonly column: string; readonly values: Readonly<Record<string, string>>; readonly default?: string } | null;
  readonly id?: string;
  readonly attributes?: Readonly<Record<string, Rule>>;
  readonly [member: string]: unknown;
}

export interface LayerNote {
  readonly layer: string;
  readonly crs: string;
  readonly features: number;
  readonly types: Readonly<Record<string, string>>;
  readonly mapping: LayerMapping;
  readonly columns: readonly string[];
}

export interface SketchFeature {
  readonly id: string;
  readonly properties: { readonly type: string };
  readonly geometry: GeoJSON.Geometry | null;
}

/** What a dry run found. */
export interface Look {
  readonly crs: string | null;
  readonly reader: string;
  readonly datasets: readonly { readonly id: string; readonly title: string; readonly licence: string; readonly source_file: string; readonly objects: number }[];
  readonly objects: Readonly<Record<string, number>>;
  readonly objects_total: number;
  readonly fields: Readonly<Record<string, readonly FieldNote[]>>;
  readonly layers: readonly LayerNote[];
  readonly networks: readonly { readonly id: string; readonly nodes: number; readonly links: number }[];
  readonly datastreams: number;
  readonly observations: number;
  readonly quarantined: number;
  readonly quarantined_by_code: Readonly<Record<string, number>>;
  readonly quarantined_examples: readonly { readonly feature: string; readonly code: string; readonly reason: string }[];
  readonly faults?: Readonly<Record<string, number>>;
  readonly bbox: Bounds | null;
  readonly sketch: { readonly features: readonly SketchFeature[] };
}

export const ended = (job: Job | null): boolean => job === null || !['queued', 'running'].includes(job.state);

/** The account of a job that has looked; null where it has not ended well. */
export const lookOf = (job: Job | null): Look | null => (job?.kind === 'preview' && job.state === 'succeeded' && Array.isArray(job.summary['layers']) ? (job.summary as unknown as Look) : null);
