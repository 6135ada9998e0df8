/** What the source says that a surface is, carried by the tint that the tiles give it (pure). */

/**
 * The place in the list is the number that the shader reads. A `top` faces up in a tile that says nothing of its
 * surfaces: a block from afar, or a building without semantics.
 */
export const SURFACES = ['none', 'wall', 'roof', 'ground', 'window', 'door', 'top'] as const;

/** The tints of `tiles/content.py`. White is a wall, and what nothing is known of in a tile that knows something. */
export const SURFACE_TINTS: Readonly<Record<Exclude<(typeof SURFACES)[number], 'none' | 'top'>, readonly [number, number, number]>> = {
  wall: [255, 255, 255],
  roof: [214, 178, 160],
  ground: [190, 190, 190],
  window: [150, 172, 190],
  door: [186, 160, 136],
};

const packed = (r: number, g: number, b: number): number => (r << 16) | (g << 8) | b;
const NUMBER_OF = new Map(Object.entries(SURFACE_TINTS).map(([surface, tint]) => [packed(...tint), SURFACES.findIndex((one) => one === surface)]));

/** The number of each vertex's surface, by its tint (bytes); 0 where the tile says nothing, or what is not known here. */
export function surfacesOf(tints: ArrayLike<number> | undefined, vertices: number): Uint8Array {
  const out = new Uint8Array(vertices);
  if (!tints) return out;
  const size = Math.round(tints.length / vertices);
  for (let i = 0; i < vertices; i++) out[i] = NUMBER_OF.get(packed(tints[i * size] ?? 0, tints[i * size + 1] ?? 0, tints[i * size + 2] ?? 0)) ?? 0;
  return out;
}

const TOP = SURFACES.indexOf('top');
/** From here on a face is rather a roof than a wall: steeper than 45 degrees it is none. */
const UP_MIN = 0.7;

/** The numbers of a tile that says nothing: what faces up (y of a normal) is a top. */
export const topsOf = (normals: Float32Array): Uint8Array => Uint8Array.from({ length: normals.length / 3 }, (_, i) => ((normals[i * 3 + 1] ?? 0) > UP_MIN ? TOP : 0));
