import { Geometry } from '@luma.gl/engine';
import { Matrix4, Vector3 } from '@math.gl/core';
import { surfacesOf, topsOf } from '../surfaces';

/**
 * A glTF tile as the map draws it. Positions are float32 metres in the tile's own frame with the node transform
 * applied (quantised tiles carry their scale there); feature ids are rows of the property table.
 */
export interface TileContent {
  rows: number;
  ids: string[];
  columns: Record<string, ArrayLike<unknown>>;
  mesh: Geometry;
  featureIds: Float32Array;
  /** Metres above the object's own ground, or the paint rank for ground tiles. */
  heights: Float32Array;
  /** Per vertex: how far a feature steps back where another one fills the same space, in parts of the depth. */
  orders: Float32Array;
  edges: { positions: Float32Array; featureIds: Float32Array } | null;
  skirt: { mesh: Geometry; positions: Float32Array; alphas: Float32Array } | null;
  /** Vertices of the body, metres in the tile's own frame, and the order of its triangles. */
  positions: Float32Array;
  order: ArrayLike<number> | null;
  /** Whether the tile says what its surfaces are. */
  tinted: boolean;
  /** Per row: middle of the footprint and top, in the tile's own frame (x, y up, z). */
  anchors: Float32Array;
  /** Per row: what it covers as seen from above, square metres. */
  areas: Float32Array;
}

type Values = ArrayLike<number> & { BYTES_PER_ELEMENT?: number };
interface Accessor {
  value: Values;
  normalized?: boolean;
}
interface Primitive {
  mode?: number;
  attributes: Record<string, Accessor | undefined>;
  indices?: Accessor;
}
interface GltfNode {
  mesh?: { primitives: Primitive[] };
  matrix?: number[];
  translation?: number[];
  rotation?: number[];
  scale?: number[];
  children?: GltfNode[];
}
export interface Gltf {
  nodes?: GltfNode[];
  scene?: { nodes?: GltfNode[] };
  extensions?: {
    EXT_structural_metadata?: {
      propertyTables?: { count: number; properties: Record<string, { data?: ArrayLike<unknown> }> }[];
    };
  };
}

const GL_LINES = 1;
const GL_TRIANGLE_STRIP = 5;
const INT_RANGE: Record<string, number> = { Int8Array: 127, Uint8Array: 255, Int16Array: 32767, Uint16Array: 65535 };

/** Order in which the ground is painted; a higher rank lies on top. */
export const GROUND_RANK: Record<string, number> = Object.fromEntries(
  [
    'land',
    'sea',
    'water',
    'green',
    'forest',
    'pitch',
    'plaza',
    'parking',
    'road_casing',
    'road_path',
    'road_street',
    'road_arterial',
    'road_motorway',
    'rail',
  ].map((kind, rank) => [kind, rank]),
);

function floats(a: Accessor | undefined, length: number): Float32Array {
  if (!a) return new Float32Array(length);
  const out = Float32Array.from(a.value);
  const range = a.normalized ? INT_RANGE[a.value.constructor.name] : undefined;
  if (range) for (let i = 0; i < out.length; i++) out[i] = Math.max(-1, (out[i] ?? 0) / range);
  return out;
}

function localMatrix(node: GltfNode): Matrix4 {
  if (node.matrix) return new Matrix4(node.matrix);
  const m = new Matrix4();
  if (node.translation) m.translate(node.translation);
  if (node.rotation) m.multiplyRight(new Matrix4().fromQuaternion(node.rotation));
  if (node.scale) m.scale(node.scale);
  return m;
}

function findMesh(nodes: GltfNode[], parent: Matrix4): { primitives: Primitive[]; matrix: Matrix4 } | null {
  for (const node of nodes) {
    const matrix = parent.clone().multiplyRight(localMatrix(node));
    if (node.mesh) return { primitives: node.mesh.primitives, matrix };
    const below = node.children ? findMesh(node.children, matrix) : null;
    if (below) return below;
  }
  return null;
}

function transformPoints(p: Float32Array, m: Matrix4): void {
  const v = new Vector3();
  for (let i = 0; i < p.length; i += 3) {
    v.set(p[i] ?? 0, p[i + 1] ?? 0, p[i + 2] ?? 0).transformAsPoint(m as unknown as number[]);
    p.set(v, i);
  }
}

function transformNormals(n: Float32Array, m: Matrix4): void {
  // Normals go by the inverse transpose: an uneven quantisation scale would tilt them else.
  const it = m.clone().invert().transpose();
  for (let i = 0; i < n.length; i += 3) {
    const [x = 0, y = 0, z = 0] = [n[i], n[i + 1], n[i + 2]];
    const at = (r: number): number => (it[r] ?? 0) * x + (it[4 + r] ?? 0) * y + (it[8 + r] ?? 0) * z;
    const [a, b, c] = [at(0), at(1), at(2)];
    const l = Math.hypot(a, b, c) || 1;
    n[i] = a / l;
    n[i + 1] = b / l;
    n[i + 2] = c / l;
  }
}

const WHITE = 255;

/** `surfaces` are numbers for the shader of {@link FeatureMeshLayer}; without them the vertices are white. */
export function geometry(positions: Float32Array, normals: Float32Array, indices?: Values, surfaces?: Uint8Array, topology: 'triangle-list' | 'triangle-strip' = 'triangle-list'): Geometry {
  const n = positions.length / 3;
  const colours = new Uint8Array(n * 4).fill(WHITE);
  // The tiles have their normals in bytes too; a float says no more and weighs thrice as much.
  const packed = new Int8Array(n * 4);
  for (let i = 0; i < n; i++) for (let k = 0; k < 3; k++) packed[i * 4 + k] = Math.round((normals[i * 3 + k] ?? 0) * 127);
  surfaces?.forEach((surface, i) => { colours[i * 4] = surface; });
  return new Geometry({
    topology,
    ...(indices ? { indices: { value: Uint32Array.from(indices), size: 1 } } : {}),
    attributes: {
      positions: { value: positions, size: 3 },
      normals: { value: packed, size: 4, normalized: true },
      texCoords: { value: new Uint8Array(n * 2), size: 2, normalized: true },
      colors: { value: colours, size: 4, normalized: true },
    },
  });
}

/** Indexed or not, the vertices in drawing order. */
function expanded(values: Float32Array, size: number, indices: Values | undefined): Float32Array {
  if (!indices) return values;
  const out = new Float32Array(indices.length * size);
  for (let i = 0; i < indices.length; i++) {
    const from = (indices[i] ?? 0) * size;
    for (let k = 0; k < size; k++) out[i * size + k] = values[from + k] ?? 0;
  }
  return out;
}

/** The same triangles, last first; winding is kept. */
function reversed(indices: Values | undefined, vertices: number): Uint32Array {
  const count = indices?.length ?? vertices;
  const out = new Uint32Array(count);
  for (let t = 0; t < count; t += 3) {
    for (let k = 0; k < 3; k++) out[count - 3 - t + k] = indices ? (indices[t + k] ?? 0) : t + k;
  }
  return out;
}

/** What each row covers as seen from above, square metres: walls count for nothing. */
function areasOf(rows: number, positions: Float32Array, featureIds: Float32Array, indices: Values | undefined): Float32Array {
  const out = new Float32Array(rows);
  const count = indices?.length ?? featureIds.length;
  const at = (i: number): number => (indices ? (indices[i] ?? 0) : i);
  for (let i = 0; i + 2 < count; i += 3) {
    const [a, b, c] = [at(i), at(i + 1), at(i + 2)];
    const x = (v: number): number => (positions[v * 3] ?? 0) - (positions[a * 3] ?? 0);
    const z = (v: number): number => (positions[v * 3 + 2] ?? 0) - (positions[a * 3 + 2] ?? 0);
    const row = featureIds[a] ?? 0;
    out[row] = (out[row] ?? 0) + Math.abs(x(b) * z(c) - x(c) * z(b)) / 2;
  }
  return out;
}

function anchorsOf(rows: number, positions: Float32Array, featureIds: Float32Array): Float32Array {
  const lo = new Float32Array(rows * 3).fill(Infinity);
  const hi = new Float32Array(rows * 3).fill(-Infinity);
  for (let i = 0; i < featureIds.length; i++) {
    const row = (featureIds[i] ?? 0) * 3;
    for (let k = 0; k < 3; k++) {
      const p = positions[i * 3 + k] ?? 0;
      if (p < (lo[row + k] ?? 0)) lo[row + k] = p;
      if (p > (hi[row + k] ?? 0)) hi[row + k] = p;
    }
  }
  const out = new Float32Array(rows * 3);
  for (let r = 0; r < rows * 3; r += 3) {
    out[r] = ((lo[r] ?? 0) + (hi[r] ?? 0)) / 2;
    out[r + 1] = hi[r + 1] ?? 0; // y is up inside a glTF
    out[r + 2] = ((lo[r + 2] ?? 0) + (hi[r + 2] ?? 0)) / 2;
  }
  return out;
}

/** A step back per doubling of the footprint: a few centimetres at half a kilometre, many steps of the depth buffer. */
const ORDER_PER_OCTAVE = 1.2e-5;
/** Tells two of the same size apart. */
const ORDER_BY_ID = 1e-6;

/**
 * Sources draw a building twice, or a wing inside the outline of the whole, with one height: their roofs lie in one
 * plane and would flicker. The smaller, which says more, is drawn in front: always, whatever the view.
 */
export function orderOf(area_m2: number, id: string): number {
  let h = 0;
  for (let i = 0; i < id.length; i++) h = (Math.imul(h, 31) + id.charCodeAt(i)) & 0xffff;
  return Math.log2(1 + Math.max(0, Number.isFinite(area_m2) ? area_m2 : 0)) * ORDER_PER_OCTAVE + (h / 0xffff) * ORDER_BY_ID;
}

/** A column of its own: a view would keep the whole file. */
const owned = (data: ArrayLike<unknown>): ArrayLike<unknown> => (ArrayBuffer.isView(data) ? (data as unknown as Uint8Array).slice() : data);

/** What the arrays of a tile weigh in the page, bytes; what is drawn lies on the graphics card once more. */
export function weightOf(content: TileContent): number {
  const arrays: unknown[] = [content.positions, content.featureIds, content.heights, content.orders, content.anchors, content.areas, content.order];
  const meshes = [content.mesh, content.skirt?.mesh].flatMap((mesh) => (mesh ? [...Object.values(mesh.attributes), mesh.indices].map((a) => a?.value) : []));
  arrays.push(...meshes, content.edges?.positions, content.edges?.featureIds, content.skirt?.positions, content.skirt?.alphas, ...Object.values(content.columns));
  const texts = Object.values(content.columns).flatMap((column) => (Array.isArray(column) ? (column as unknown[]) : []));
  const written = texts.reduce<number>((sum, text) => sum + (typeof text === 'string' ? text.length : 0), 0);
  // Some arrays are there under two names: the mesh draws by the positions that are picked by.
  return [...new Set(arrays)].reduce<number>((sum, array) => sum + (ArrayBuffer.isView(array) ? array.byteLength : 0), written);
}

/** Null when the tile has no mesh (an inner tile without content of its own). */
export function readTileContent(gltf: Gltf, role: 'buildings' | 'ground'): TileContent | null {
  const roots = gltf.scene?.nodes ?? gltf.nodes ?? [];
  const found = findMesh(roots, new Matrix4());
  const body = found?.primitives[0];
  if (!found || !body?.attributes['POSITION']) return null;
  const table = gltf.extensions?.EXT_structural_metadata?.propertyTables?.[0];
  const columns: Record<string, ArrayLike<unknown>> = {};
  for (const [name, column] of Object.entries(table?.properties ?? {})) if (column.data) columns[name] = owned(column.data);

  const positions = floats(body.attributes['POSITION'], 0);
  const n = positions.length / 3;
  transformPoints(positions, found.matrix);
  const normals = floats(body.attributes['NORMAL'], n * 3);
  transformNormals(normals, found.matrix);
  const featureIds = floats(body.attributes['_FEATURE_ID_0'], n);
  const rows = table?.count ?? featureIds.reduce((m, f) => Math.max(m, f + 1), 0);
  let heights = floats(body.attributes['_HEIGHT'], n);
  if (role === 'ground') {
    const kinds = columns['kind'];
    heights = featureIds.map((f) => GROUND_RANK[String(kinds?.[f] ?? '')] ?? 0);
  }
  const ids = Array.from({ length: rows }, (_, i) => String(columns['id']?.[i] ?? i));

  const tints = role === 'buildings' ? body.attributes['COLOR_0']?.value : undefined;
  const surfaces = tints ? surfacesOf(tints, n) : role === 'buildings' ? topsOf(normals) : undefined;
  const areas = areasOf(rows, positions, featureIds, body.indices?.value);
  const byRow = ids.map((id, row) => orderOf(areas[row] ?? 0, id));
  const orders = role === 'ground' ? new Float32Array(n) : featureIds.map((f) => byRow[f] ?? 0);

  const lines = found.primitives.find((p) => p.mode === GL_LINES);
  let edges: TileContent['edges'] = null;
  if (lines?.attributes['POSITION']) {
    const p = floats(lines.attributes['POSITION'], 0);
    transformPoints(p, found.matrix);
    const f = floats(lines.attributes['_FEATURE_ID_0'], p.length / 3);
    const order = lines.indices?.value;
    edges = { positions: expanded(p, 3, order), featureIds: expanded(f, 1, order) };
  }
  const apron = found.primitives.find((p) => p.attributes['_ALPHA']);
  let skirt: TileContent['skirt'] = null;
  if (apron?.attributes['POSITION']) {
    const p = floats(apron.attributes['POSITION'], 0);
    transformPoints(p, found.matrix);
    const up = new Float32Array(p.length).map((_, i) => (i % 3 === 1 ? 1 : 0));
    const topology = apron.mode === GL_TRIANGLE_STRIP ? 'triangle-strip' : 'triangle-list';
    skirt = { positions: p, mesh: geometry(p, up, apron.indices?.value, undefined, topology), alphas: floats(apron.attributes['_ALPHA'], p.length / 3) };
  }
  // Top of the paint first: what lies under it is then rejected by depth before it is shaded.
  const given = body.indices?.value;
  const order = role === 'ground' ? reversed(given, n) : given && Uint32Array.from(given);
  return {
    order: order ?? null,
    tinted: tints !== undefined,
    rows,
    ids,
    columns,
    positions,
    mesh: geometry(positions, normals, order, surfaces),
    featureIds,
    heights,
    orders,
    edges,
    skirt,
    anchors: anchorsOf(rows, positions, featureIds),
    areas,
  };
}

/** One row of the property table as plain values; the tables' no-data values become null. */
export function rowOf(content: TileContent, row: number): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, column] of Object.entries(content.columns)) {
    const v = column[row];
    if (typeof v === 'number') out[name] = v === -9999 || v === 65535 ? null : v;
    else if (typeof v === 'bigint') out[name] = Number(v);
    else out[name] = v === '' || v === undefined ? null : v;
  }
  return out;
}
