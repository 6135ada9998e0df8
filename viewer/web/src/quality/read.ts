/** The report on a delivery, and the addresses that it links to. Pure but for one request. */
import { RequestFailed } from '../state/api';
import type { City } from '../state/model';

export interface Worst {
  readonly id: string;
  readonly lod: string | null;
  readonly measured: number;
  readonly place: readonly [number, number, number] | null;
}

export const GROUPS = ['geometry', 'attributes', 'coverage'] as const;

export interface Fault {
  readonly code: string;
  readonly name: string;
  readonly group: (typeof GROUPS)[number];
  readonly unit: string;
  readonly occurrences: number;
  readonly objects: number;
  readonly worst: readonly Worst[];
}

export interface Completeness {
  readonly type: string;
  readonly objects: number;
  readonly attributes: readonly { readonly name: string; readonly recorded: number; readonly derived: number; readonly missing: number }[];
}

export interface QualityReport {
  readonly kind: string;
  readonly title: string;
  readonly dataset: string | null;
  readonly baseline_version: number;
  readonly made_at: string;
  readonly policy: 'keep' | 'quarantine';
  readonly tolerances: { readonly snap_m: number; readonly plane_m: number; readonly normals_deg: number };
  readonly counts: { readonly objects: number; readonly invalid: number; readonly geometries: number; readonly surfaces: number; readonly shells: number };
  readonly faults: readonly Fault[];
  readonly completeness: readonly Completeness[];
  readonly put_aside: readonly { readonly reason: string; readonly features: number; readonly code: string | null }[];
  readonly not_looked_for: readonly string[];
}

/** The job that a page's own path names: `/jobs/{id}/quality`. */
export const jobOf = (path: string): string | null => /^\/jobs\/([\w-]{1,64})\/quality\/?$/.exec(path)?.[1] ?? null;

async function read<T>(path: string): Promise<T> {
  const response = await fetch(path, { headers: { accept: 'application/json' } });
  if (!response.ok) throw new RequestFailed(String(response.status), response.status);
  return (await response.json()) as T;
}

export async function readQuality(job: string): Promise<{ readonly report: QualityReport; readonly city: City }> {
  const [report, city] = await Promise.all([read<QualityReport>(`/api/v1/jobs/${encodeURIComponent(job)}/quality`), read<City>('/api/v1/city')]);
  return { report, city };
}

const LOOK = { zoom: 18.5, pitch: 55, bearing: 0 } as const;

/** Where the map shows a feature: selected where it is in the city, else its place alone. */
export function mapLink(worst: Worst, isInCity: boolean): string | null {
  const query = new URLSearchParams();
  if (worst.place) query.set('v', [worst.place[0].toFixed(6), worst.place[1].toFixed(6), LOOK.zoom, LOOK.pitch, LOOK.bearing].join(','));
  if (isInCity) query.set('select', worst.id);
  const text = query.toString().replaceAll('%2C', ',').replaceAll('%3A', ':').replaceAll('%2F', '/');
  return text ? `/explore?${text}` : null;
}

/** Whether an object with this fault is in the city: a geometry that is not valid may have been put aside. */
export const isKept = (report: QualityReport, fault: Fault): boolean => fault.group !== 'geometry' || report.policy === 'keep';
