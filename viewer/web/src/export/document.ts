import type { City, Datastream, ViewSpec } from '../state/model';

/** What an exported page says of itself; written by the server's side, in `script#cim-export`. */
export interface ExportDocument {
  readonly view: string;
  /** ISO 8601, UTC. */
  readonly exported_at: string;
  readonly spec: ViewSpec;
  readonly city: City;
  readonly datastreams: readonly Datastream[];
}

export function readDocument(root: Document): ExportDocument {
  return JSON.parse(root.getElementById('cim-export')?.textContent ?? '') as ExportDocument;
}
