import { Geometry } from '@luma.gl/engine';
import { SimpleMeshLayer } from '@deck.gl/mesh-layers';
import type { Layer } from '@deck.gl/core';
import type { Rgba } from '../types';
import { mixColour, type Tokens } from '../tokens';
import { pointOf, type Feature, type Place } from '../features';
import { CITY_EXTENSIONS } from '../shading/extension';
import { Kind } from '../shading/shader';

export interface Tree {
  id: string;
  position: Place;
  height_m: number;
  radius_m: number;
  /** 0..1, steady for the tree: spreads the tone of the crowns. */
  tone: number;
  properties: Record<string, unknown>;
}

const DEFAULT_HEIGHT_M = 8;
const DEFAULT_CROWN_M = 5;

function hash01(text: string): number {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  return ((h ^ (h >>> 15)) >>> 0) / 4294967296;
}

export function treesOf(features: Feature[]): Tree[] {
  const out: Tree[] = [];
  for (const f of features) {
    const position = pointOf(f);
    if (!position) continue;
    const num = (key: string): number | null => {
      const v = Number(f.properties[key]);
      return Number.isFinite(v) && v > 0 ? v : null;
    };
    const tone = hash01(f.id);
    // Without a measured crown sizes spread a little, so that rows do not look stamped.
    const spread = 0.8 + 0.4 * tone;
    const height = num('height_m') ?? DEFAULT_HEIGHT_M * spread;
    const crown = num('crown_diameter_m') ?? DEFAULT_CROWN_M * spread;
    out.push({ id: f.id, position, height_m: height, radius_m: crown / 2, tone, properties: f.properties });
  }
  return out;
}

/** A rounded crown of four rings on a hint of a trunk: unit radius, unit height, z up. */
export function treeGeometry(): Geometry {
  const RING = 8;
  const levels: [radius: number, z: number][] = [
    [0.1, 0],
    [0.1, 0.2],
    [0.72, 0.3],
    [1, 0.52],
    [0.72, 0.82],
    [0, 1],
  ];
  const positions: number[] = [];
  const normals: number[] = [];
  const vertex = (level: [number, number], turn: number): void => {
    const [r, z] = level;
    const [x, y] = [Math.cos(turn), Math.sin(turn)];
    positions.push(x * r, y * r, z);
    const up = (z - 0.55) / 0.45;
    const side = Math.sqrt(Math.max(0.05, 1 - up * up));
    const l = Math.hypot(side, up);
    normals.push((x * side) / l, (y * side) / l, up / l);
  };
  for (let l = 0; l + 1 < levels.length; l++) {
    const a = levels[l] ?? [0, 0];
    const b = levels[l + 1] ?? [0, 0];
    for (let i = 0; i < RING; i++) {
      const [t0, t1] = [(i / RING) * 2 * Math.PI, ((i + 1) / RING) * 2 * Math.PI];
      vertex(a, t0);
      vertex(a, t1);
      vertex(b, t1);
      vertex(a, t0);
      vertex(b, t1);
      vertex(b, t0);
    }
  }
  const n = positions.length / 3;
  return new Geometry({
    topology: 'triangle-list',
    attributes: {
      positions: { value: new Float32Array(positions), size: 3 },
      normals: { value: new Float32Array(normals), size: 3 },
      texCoords: { value: new Float32Array(n * 2), size: 2 },
      colors: { value: new Float32Array(n * 3).fill(1), size: 3 },
    },
  });
}

let shared: Geometry | null = null;

export function treeLayer(id: string, trees: Tree[], tokens: Tokens, visible: boolean, base: Rgba = tokens.get('map-tree')): Layer {
  shared ??= treeGeometry();
  const light: Rgba = [255, 255, 217, 255];
  return new SimpleMeshLayer<Tree>({
    id,
    data: trees,
    mesh: shared as never,
    visible,
    pickable: true,
    material: { unlit: true } as never,
    extensions: CITY_EXTENSIONS,
    getPosition: (t) => [t.position[0], t.position[1], t.position[2] ?? 0],
    getScale: (t) => [t.radius_m, t.radius_m, t.height_m],
    getColor: (t) => mixColour(base, light, t.tone * 0.175),
    updateTriggers: { getColor: base.join() },
    ...({ cityKind: Kind.tree } as object),
  });
}
