/** What a report needs, read from the server; and the address that asks for one. */
import type { SchemeApi } from '../scheme/api';
import { BASE, type Comparison, type Edit, type Finding, type IndicatorInfo, type Scheme, type SchemeObjects } from '../scheme/types';
import type { Api } from '../state/api';
import type { City, ViewSpec } from '../state/model';

export const SCHEMES_MAX = 6;

/** The schemes that an address names, each once; the city as it is always comes first. */
export function schemesOf(search: string): string[] {
  const ids = (new URLSearchParams(search).get('schemes') ?? '').split(',').filter((id) => /^s[a-z2-7]{8}$/.test(id));
  return [BASE, ...new Set(ids)].slice(0, SCHEMES_MAX);
}

export interface OfScheme {
  readonly scheme: Scheme;
  readonly objects: SchemeObjects;
  readonly findings: readonly Finding[];
  readonly edits: readonly Edit[];
}

export interface Report {
  readonly city: City;
  readonly spec: ViewSpec;
  readonly comparison: Comparison;
  readonly indicators: readonly IndicatorInfo[];
  readonly schemes: readonly OfScheme[];
  readonly made_ms: number;
}

/** Reads all of it; without names in the address, every published scheme. */
export async function readReport(search: string, api: SchemeApi, cityApi: Api, now_ms: number): Promise<Report> {
  const named = schemesOf(search);
  const listed = named.length > 1 ? named : [BASE, ...(await api.schemes()).filter((scheme) => scheme.state === 'published').map((scheme) => scheme.id)].slice(0, SCHEMES_MAX);
  const one = async (id: string): Promise<OfScheme> => {
    const [scheme, objects, findings, edits] = await Promise.all([api.scheme(id), api.objects(id), api.findings(id), api.edits(id)]);
    return { scheme, objects, findings, edits };
  };
  const [city, spec, comparison, indicators, schemes] = await Promise.all([
    cityApi.city(), cityApi.view('explore'), api.compare(listed), api.indicators(), Promise.all(listed.filter((id) => id !== BASE).map(one)),
  ]);
  return { city, spec, comparison, indicators, schemes, made_ms: now_ms };
}
