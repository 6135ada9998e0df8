import type { TileContent } from './tile-content';

/** What is left of a tile when some of its objects are not drawn (pure). */
export interface Hiding {
  /** Rows that are not drawn; empty when all are. */
  readonly rows: ReadonlySet<number>;
  /** The same for the same rows. */
  readonly key: string;
  readonly edges: Float32Array | null;
  readonly alphas: Float32Array | null;
}

export const rowsOf = (content: Pick<TileContent, 'ids'>, hidden: ReadonlySet<string>): number[] =>
  hidden.size ? content.ids.flatMap((id, row) => (hidden.has(id) ? [row] : [])) : [];

/** Lines, six numbers each, without those of the hidden rows. */
export function linesWithout(positions: Float32Array, featureIds: Float32Array, rows: ReadonlySet<number>): Float32Array {
  const out: number[] = [];
  for (let i = 0; i + 1 < featureIds.length; i += 2) {
    if (!rows.has(featureIds[i] ?? -1)) out.push(...positions.subarray(i * 3, i * 3 + 6));
  }
  return new Float32Array(out);
}

/** A vertex of the rim is at most this far from the foot of the wall it belongs to, metres. */
const CELL_M = 0.5;

/**
 * The rim on the ground carries no ids: it goes where its inner vertices stand at a hidden building's foot. Tiles are
 * y-up: x and z lie in the plane.
 */
export function rimWithout(
  rim: { readonly positions: Float32Array; readonly alphas: Float32Array },
  body: { readonly positions: Float32Array; readonly featureIds: Float32Array },
  rows: ReadonlySet<number>,
): Float32Array {
  const key = (x: number, z: number): string => `${Math.round(x / CELL_M)},${Math.round(z / CELL_M)}`;
  const feet = new Set<string>();
  const { positions, featureIds } = body;
  for (let i = 0; i < featureIds.length; i++) {
    if (!rows.has(featureIds[i] ?? -1)) continue;
    const [x, z] = [positions[i * 3] ?? 0, positions[i * 3 + 2] ?? 0];
    for (const dx of [-0.5, 0.5]) for (const dz of [-0.5, 0.5]) feet.add(key(x + dx * CELL_M, z + dz * CELL_M));
  }
  return rim.alphas.map((alpha, i) => (alpha > 0.5 && feet.has(key(rim.positions[i * 3] ?? 0, rim.positions[i * 3 + 2] ?? 0)) ? 0 : alpha));
}

export function hidingOf(content: TileContent, hidden: ReadonlySet<string>): Hiding {
  const rows = new Set(rowsOf(content, hidden));
  const { edges, skirt } = content;
  if (!rows.size) return { rows, key: '', edges: edges?.positions ?? null, alphas: skirt?.alphas ?? null };
  return {
    rows,
    key: [...rows].join(),
    edges: edges ? linesWithout(edges.positions, edges.featureIds, rows) : null,
    alphas: skirt ? rimWithout(skirt, content, rows) : null,
  };
}
