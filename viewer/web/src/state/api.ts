import type { City, CityObject, Datastream, FeatureCollection, SearchItem, ViewSpec } from './model';

/** A request that did not bring what was asked for; `code` is a server code, or `unreachable`. */
export class RequestFailed extends Error {
  constructor(readonly code: string, readonly status: number) {
    super(code);
  }
}

export const codeOf = (error: unknown): string => (error instanceof RequestFailed ? error.code : 'unreachable');
export const wasAborted = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError';

async function read<T>(path: string, signal?: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { headers: { accept: 'application/json' }, ...(signal ? { signal } : {}) });
  } catch (error) {
    if (wasAborted(error)) throw error;
    throw new RequestFailed('unreachable', 0);
  }
  if (!response.ok) {
    const problem = (await response.json().catch(() => ({}))) as { code?: unknown };
    throw new RequestFailed(typeof problem.code === 'string' ? problem.code : 'internal', response.status);
  }
  return (await response.json()) as T;
}

export interface History {
  readonly items: readonly (readonly [string, number])[];
}

/** The server's answers, as promises. One object, so that a test can hand in another. */
export interface Api {
  city(): Promise<City>;
  view(name: string): Promise<ViewSpec>;
  object(id: string, signal?: AbortSignal): Promise<CityObject>;
  search(q: string, signal?: AbortSignal): Promise<readonly SearchItem[]>;
  datastreams(): Promise<readonly Datastream[]>;
  observations(id: string, from: string, to: string, signal?: AbortSignal): Promise<History>;
  features(collection: string, bbox?: readonly number[] | null): Promise<FeatureCollection>;
  /** Names of the collections of features. */
  collections(): Promise<readonly string[]>;
}

export const FEATURES_MAX = 10_000;

export const httpApi: Api = {
  city: () => read('/api/v1/city'),
  view: (name) => read(`/api/v1/views/${encodeURIComponent(name)}.json`),
  object: (id, signal) => read(`/api/v1/objects/${encodeURIComponent(id)}`, signal),
  async search(q, signal) {
    const found = await read<{ items: readonly SearchItem[] }>(`/api/v1/search?q=${encodeURIComponent(q)}&limit=10`, signal);
    return found.items;
  },
  async datastreams() {
    return (await read<{ items: readonly Datastream[] }>('/api/v1/datastreams')).items;
  },
  observations: (id, from, to, signal) =>
    read(`/api/v1/datastreams/${encodeURIComponent(id)}/observations?${new URLSearchParams({ from, to, limit: '2000' })}`, signal),
  async collections() {
    return (await read<{ collections: readonly { id: string }[] }>('/ogc/collections')).collections.map((c) => c.id);
  },
  features(collection, bbox) {
    const query = new URLSearchParams({ limit: String(FEATURES_MAX) });
    if (bbox) query.set('bbox', bbox.map((n) => n.toFixed(6)).join(','));
    return read(`/ogc/collections/${encodeURIComponent(collection)}/items?${query}`);
  },
};
