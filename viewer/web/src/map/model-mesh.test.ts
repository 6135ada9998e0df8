import { describe, expect, it } from 'vitest';
import type { SchemeObject, SchemeOverlay } from '../scheme/types';
import { LocalFrame } from './local-frame';
import { ModelShelf, readModel } from './model-mesh';
import { prepare } from './overlay';

/** A roof of two faces over x 0..10, y 0..4, three metres up at its ridge, as the server writes it. */
function glb(): ArrayBuffer {
  const points = new Float32Array([0, 0, 0, 10, 0, 0, 10, 3, -2, 0, 3, -2, 10, 0, -4, 0, 0, -4]);
  const faces = new Uint32Array([0, 1, 2, 0, 2, 3, 3, 2, 4, 3, 4, 5]);
  const edges = new Uint32Array([2, 3]);
  const text = JSON.stringify({
    meshes: [{ primitives: [{ attributes: { POSITION: 0 }, indices: 1, mode: 4 }, { attributes: { POSITION: 0 }, indices: 2, mode: 1 }] }],
    accessors: [{ bufferView: 0, count: 6, type: 'VEC3' }, { bufferView: 1, count: 12, type: 'SCALAR' }, { bufferView: 2, count: 2, type: 'SCALAR' }],
    bufferViews: [{ byteOffset: 0 }, { byteOffset: 72 }, { byteOffset: 120 }],
  });
  const json = new TextEncoder().encode(text + ' '.repeat(-text.length & 3));
  const out = new Uint8Array(28 + json.length + 128);
  const view = new DataView(out.buffer);
  view.setUint32(0, 0x46546c67, true);
  view.setUint32(12, json.length, true);
  out.set(json, 20);
  let at = 28 + json.length;
  for (const part of [points, faces, edges]) {
    out.set(new Uint8Array(part.buffer), at);
    at += part.byteLength;
  }
  return out.buffer;
}

const frame = new LocalFrame([24.94, 60.17]);
const lonLat = (x: number, y: number): [number, number] => frame.toLngLat([x, y]);
const building = (more: Partial<SchemeObject> = {}): SchemeObject => ({
  id: 's1:b/1', type: 'Building', change: 'added', ground_m: 5, height_m: 3, storeys: [[3, 'office']], roof: { type: 'flat', height_m: 0 },
  geometry: { type: 'Polygon', coordinates: [[lonLat(20, 30), lonLat(24, 30), lonLat(24, 20), lonLat(20, 20), lonLat(20, 30)]] },
  land_use: null, phase_year: null, name: null, properties: {},
  // Its north looks east: x runs south, y east.
  model: { id: 'm', origin: lonLat(20, 30), north: lonLat(1020, 30), north_m: 1000 },
  ...more,
});
const overlay = (o: SchemeObject): SchemeOverlay => ({ scheme: 's1', letter: 'B', colour_index: 1, objects: [o], hidden: new Set(), phase: null });

describe('an uploaded model', () => {
  it('is read with up as up', () => {
    const mesh = readModel(glb());
    expect([...mesh.points.slice(6, 9)]).toEqual([10, 2, 3]);
    expect(mesh.faces.length).toBe(12);
    expect([...mesh.edges]).toEqual([2, 3]);
  });

  it('what is no model is not read', () => {
    expect(() => readModel(new ArrayBuffer(40))).toThrow();
    expect(() => readModel(new ArrayBuffer(3))).toThrow();
  });

  it('is drawn in place of the prism, turned and on its ground', () => {
    const o = building();
    const before = prepare(overlay(o));
    const { solid, buildings, frame: own } = prepare(overlay(o), () => readModel(glb()));
    expect(before.solid.positions.length).not.toBe(solid.positions.length);
    expect(solid.positions.length).toBe(4 * 9);
    expect(solid.runs).toHaveLength(1);
    expect(buildings[0]).toBe(o);
    const at = own.toMetres(lonLat(20, 30));
    const xs = [...solid.positions].filter((_, i) => i % 3 === 0);
    const ys = [...solid.positions].filter((_, i) => i % 3 === 1);
    const zs = [...solid.positions].filter((_, i) => i % 3 === 2);
    expect(Math.min(...xs)).toBeCloseTo(at[0], 1);
    expect(Math.max(...xs)).toBeCloseTo(at[0] + 4, 1);
    expect(Math.min(...ys)).toBeCloseTo(at[1] - 10, 1);
    expect(Math.max(...zs)).toBeCloseTo(8, 3);
    expect(solid.normals[2]).toBeGreaterThan(0);
    // The ridge is its only edge.
    expect(solid.edges.positions.length).toBe(6);
  });

  it('what is gone is a memory of its outline', () => {
    expect(prepare(overlay(building({ change: 'demolished' })), () => readModel(glb())).ghost.positions.length).toBeGreaterThan(4 * 9);
  });

  it('is asked for once, and told when it is here; one that cannot be had is not asked for again', async () => {
    let asked = 0;
    const shelf = new ModelShelf((id) => {
      asked++;
      return id === 'm' ? Promise.resolve(glb()) : Promise.reject(new Error('404'));
    });
    const told = new Promise<void>((resolve) => (shelf.changed = resolve));
    expect(shelf.get('m')).toBeNull();
    expect(shelf.get('m')).toBeNull();
    expect(shelf.waiting).toBe(true);
    await told;
    expect(shelf.get('m')?.faces.length).toBe(12);
    const failed = new Promise<void>((resolve) => (shelf.changed = resolve));
    expect(shelf.get('other')).toBeNull();
    await failed;
    expect(shelf.get('other')).toBeNull();
    expect(asked).toBe(2);
    expect(shelf.waiting).toBe(false);
  });
});
