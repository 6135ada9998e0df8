/** An uploaded model as its corners, faces and edges: metres east, north and up of the model's own origin. */
export interface ModelMesh {
  readonly points: Float32Array;
  readonly faces: Uint32Array;
  readonly edges: Uint32Array;
}

const MAGIC = 0x46546c67;
const TRIANGLES = 4;
const LINES = 1;

interface Gltf {
  readonly meshes: readonly { readonly primitives: readonly { readonly attributes: { readonly POSITION: number }; readonly indices: number; readonly mode: number }[] }[];
  readonly accessors: readonly { readonly bufferView: number; readonly count: number; readonly type: string }[];
  readonly bufferViews: readonly { readonly byteOffset: number }[];
}

/** Reads what `/api/v1/models/{id}.glb` answers (pure): one list of corners, faces and edges by their numbers. */
export function readModel(content: ArrayBuffer): ModelMesh {
  const view = new DataView(content);
  if (content.byteLength < 28 || view.getUint32(0, true) !== MAGIC) throw new TypeError('not a GLB');
  const length = view.getUint32(12, true);
  const gltf = JSON.parse(new TextDecoder().decode(new Uint8Array(content, 20, length))) as Gltf;
  const start = 20 + length + 8;
  const primitives = gltf.meshes[0]?.primitives ?? [];
  const place = (index: number): { at: number; count: number } => {
    const accessor = gltf.accessors[index];
    const buffer = accessor && gltf.bufferViews[accessor.bufferView];
    if (!accessor || !buffer) throw new TypeError('not a model');
    return { at: start + buffer.byteOffset, count: accessor.count };
  };
  const indices = (mode: number): Uint32Array => {
    const found = primitives.find((p) => p.mode === mode);
    if (!found) return new Uint32Array();
    const { at, count } = place(found.indices);
    return new Uint32Array(content, at, count);
  };
  const first = primitives[0];
  if (!first) throw new TypeError('not a model');
  const { at, count } = place(first.attributes.POSITION);
  const written = new Float32Array(content, at, count * 3);
  const points = new Float32Array(count * 3);
  for (let i = 0; i < points.length; i += 3) {
    // glTF's y is up, and its z looks south.
    points[i] = written[i] ?? 0;
    points[i + 1] = -(written[i + 2] ?? 0);
    points[i + 2] = written[i + 1] ?? 0;
  }
  return { points, faces: indices(TRIANGLES), edges: indices(LINES) };
}

const MODELS_MAX = 48;

/** Models that overlays name: asked for once, and told when they are here. */
export class ModelShelf {
  /** Called when one has come. */
  changed: () => void = () => undefined;
  private readonly known = new Map<string, ModelMesh | 'waiting' | 'failed'>();

  constructor(private readonly ask: (id: string) => Promise<ArrayBuffer> = askServer) {}

  get waiting(): boolean {
    return [...this.known.values()].includes('waiting');
  }

  /** The model; null while it is on its way, and where it cannot be had. */
  get = (id: string): ModelMesh | null => {
    const found = this.known.get(id);
    if (found === undefined) void this.fetch(id);
    return typeof found === 'object' ? found : null;
  };

  private async fetch(id: string): Promise<void> {
    this.known.set(id, 'waiting');
    for (const old of this.known.keys()) {
      if (this.known.size <= MODELS_MAX) break;
      if (typeof this.known.get(old) === 'object') this.known.delete(old);
    }
    try {
      this.known.set(id, readModel(await this.ask(id)));
    } catch {
      // What stands in its place is the prism of its outline.
      this.known.set(id, 'failed');
    }
    this.changed();
  }
}

async function askServer(id: string): Promise<ArrayBuffer> {
  const response = await fetch(`/api/v1/models/${encodeURIComponent(id)}.glb`);
  if (!response.ok) throw new Error(String(response.status));
  return response.arrayBuffer();
}
