import { describe, expect, it } from 'vitest';
import { clampView, mixView, parseDuration } from './camera';
import { clusterPoints } from './cluster';
import { scaleBar } from './export-image';
import { featuresOf, pointOf, SourceError } from './features';
import { LiveStore } from './live';
import { readTileContent, rowOf, weightOf, type Gltf } from './layers/tile-content';
import { Tokens } from './tokens';
import type { Datastream, LiveValue } from './types';

const VIEW = { longitude: 24.94, latitude: 60.17, zoom: 16, pitch: 50, bearing: 170 };

describe('camera', () => {
  it('keeps the view near the city and within its limits', () => {
    const v = clampView({ ...VIEW, longitude: 30, zoom: 40, pitch: 89, bearing: 540 }, [24, 60, 26, 61]);
    expect(v).toMatchObject({ longitude: 27, zoom: 20.5, pitch: 75 });
    expect(Math.abs(v.bearing)).toBe(180);
  });
  it('turns the short way round', () => {
    expect(mixView(VIEW, { ...VIEW, bearing: -170 }, 0.5).bearing).toBe(180);
  });
  it('reads durations', () => {
    expect([parseDuration('0.9s', 1), parseDuration(' 400ms', 1), parseDuration('', 7)]).toEqual([900, 400, 7]);
  });
});

it('gathers marks and shows the worst inside', () => {
  const p = (id: string, x: number, level: number) => ({ id, x, y: 10, lngLat: [x, 0] as [number, number], level });
  const [a, b] = clusterPoints([p('a', 10, 0), p('b', 30, 2), p('c', 100, 1)]);
  expect(a).toMatchObject({ ids: ['a', 'b'], level: 2, x: 20, lngLat: [20, 0] });
  expect(b).toMatchObject({ ids: ['c'], level: 1 });
});

it('draws a round scale bar of at most 120 px', () => {
  expect(scaleBar(1)).toEqual({ metres: 100, px: 100 });
  expect(scaleBar(0.4)).toEqual({ metres: 20, px: 50 });
});

describe('features', () => {
  it('finds the middle of a polygon box and refuses what is no collection', () => {
    const square = { type: 'Polygon', coordinates: [[[0, 0], [4, 0], [4, 2], [0, 2], [0, 0]]] };
    expect(pointOf({ id: 'x', properties: {}, geometry: square })).toEqual([2, 1]);
    expect(() => featuresOf({ detail: 'no' })).toThrow(SourceError);
  });
});

describe('live values', () => {
  const stream = (id: string, extra: Partial<Datastream>): Datastream => ({
    id, observed_property: 'pressure_head', location: null, object_id: null, network_id: null, element_id: null, range: [0, 10], ...extra,
  });
  const value = (id: string, v: number, extra: Partial<LiveValue> = {}): LiveValue => ({ id, t: 't', v, q: 'ok', ...extra });
  const tokens = new Tokens((n) => ({ '--alarm-1': '#a00', '--status-stale': '#777', '--seq-1': '#000' })[n] ?? '#fff');

  it('changes its version only when what is seen changed, and only once it is drawn', () => {
    const live = new LiveStore();
    live.setDatastreams([stream('a', {})]);
    live.commit();
    const before = live.version;
    expect(live.set([value('a', 1)])).toBe(true);
    expect(live.set([value('a', 1)])).toBe(false);
    expect(live.set([value('a', 1.01)])).toBe(false);
    expect(live.value('a')?.v).toBe(1.01);
    expect(live.version).toBe(before);
    live.commit();
    live.commit();
    expect(live.version).toBe(before + 1);
    expect(live.set([value('a', 1.01, { q: 'limit_max' })])).toBe(true);
  });
  it('asks for no frame for what is not on the screen, but shows it with the next one', () => {
    const live = new LiveStore();
    live.setDatastreams([stream('a', {})]);
    live.commit();
    const before = live.version;
    expect(live.set([value('a', 9)], () => false)).toBe(false);
    live.commit();
    expect(live.version).toBe(before + 1);
  });
  it('colours alarms and silence before the value', () => {
    const live = new LiveStore();
    const [a] = [stream('a', {})];
    live.setDatastreams([a]);
    expect(live.state(a)).toBe('none');
    live.set([value('a', 0)]);
    expect(live.colour(a, tokens)).toEqual([0, 0, 0, 255]);
    live.set([value('a', 0, { q: 'limit_min' })]);
    expect(live.colour(a, tokens)).toEqual([170, 0, 0, 255]);
    live.set([value('a', 0, { q: 'limit_min', stale: true })]);
    expect([live.state(a), live.colour(a, tokens)]).toEqual(['stale', [119, 119, 119, 255]]);
  });

  it('judges the latest value it was given by the limits', () => {
    const live = new LiveStore();
    const low = stream('a', { limit_min: 28, latest: { phenomenon_time: 't', result: 11 } });
    live.setDatastreams([low]);
    expect(live.state(low)).toBe('out');
  });

  it('finds the datastream of an element by name, by binding and by property', () => {
    const live = new LiveStore();
    const flow = stream('f', { network_id: 'water', element_id: 'P1', observed_property: 'flow' });
    const head = stream('h', { network_id: 'water', element_id: 'P1' });
    live.setDatastreams([flow, head]);
    expect(live.forElement({ network_id: 'water', element_id: 'P1' })?.id).toBe('f');
    expect(live.forElement({ network_id: 'water', element_id: 'P1' }, 'pressure_head')?.id).toBe('h');
    expect(live.forElement({ datastream_id: 'h' })?.id).toBe('h');
    expect(live.forElement({ network_id: 'power', element_id: 'P1' })).toBeUndefined();
  });
});

describe('readTileContent', () => {
  const gltf: Gltf = {
    nodes: [
      {
        scale: [2, 2, 2],
        translation: [10, 0, 0],
        mesh: {
          primitives: [
            {
              attributes: {
                POSITION: { value: new Uint16Array([0, 0, 0, 4, 0, 0, 0, 3, 0, 6, 5, 2]) },
                NORMAL: { value: new Int8Array([0, 127, 0, 0, 127, 0, 0, 127, 0, 0, 127, 0]), normalized: true },
                _FEATURE_ID_0: { value: new Float32Array([0, 0, 0, 1]) },
                _HEIGHT: { value: new Float32Array([0, 0, 6, 10]) },
              },
              indices: { value: new Uint16Array([0, 1, 2]) },
            },
            { mode: 1, attributes: { POSITION: { value: new Uint16Array([0, 0, 0, 1, 0, 0]) }, _FEATURE_ID_0: { value: new Float32Array([1, 1]) } }, indices: { value: new Uint16Array([1, 0]) } },
            { mode: 5, attributes: { POSITION: { value: new Uint16Array(9) }, _ALPHA: { value: new Float32Array([1, 0, 0]) } } },
          ],
        },
      },
    ],
    extensions: {
      EXT_structural_metadata: {
        propertyTables: [{ count: 2, properties: { id: { data: ['a', 'b'] }, height_m: { data: new Float32Array([6, -9999]) }, name: { data: ['', 'Hall'] } } }],
      },
    },
  };
  const content = readTileContent(gltf, 'buildings');

  it('undoes the quantisation by the node', () => {
    expect([...(content?.mesh.attributes['positions']?.value ?? [])].slice(0, 9)).toEqual([10, 0, 0, 18, 0, 0, 10, 6, 0]);
    expect([...(content?.mesh.attributes['normals']?.value ?? [])].slice(0, 4)).toEqual([0, 127, 0, 0]);
  });
  it('weighs its arrays once each, and keeps nothing of the file', () => {
    // Per vertex 34 bytes: position 12, normal 4, surface 4, texture 2, row, height and order 4 each; here 4 vertices,
    // three indices that the mesh holds on its own; 2 anchors of 12 and areas of 4; a line of 32; a skirt of 3 vertices with 22 + 4.
    const expected = 4 * 34 + 2 * 3 * 4 + 2 * (12 + 4) + 32 + 3 * (12 + 4 + 4 + 2 + 4);
    expect(content && weightOf(content)).toBe(expected + 'ab'.length + 'Hall'.length + 2 * 4);
    const file = gltf.extensions?.EXT_structural_metadata?.propertyTables?.[0]?.properties['height_m']?.data as Float32Array;
    expect((content?.columns['height_m'] as Float32Array).buffer).not.toBe(file.buffer);
  });
  it('puts the anchor at the middle and the top of each feature', () => {
    expect([...(content?.anchors ?? [])]).toEqual([14, 6, 0, 22, 10, 4]);
  });
  it('follows the order of line indices', () => {
    expect([...(content?.edges?.positions ?? [])]).toEqual([12, 0, 0, 10, 0, 0]);
  });
  it('knows the skirt, the ids and what is missing', () => {
    expect(content?.skirt?.alphas).toEqual(new Float32Array([1, 0, 0]));
    expect(content?.skirt?.mesh.topology).toBe('triangle-strip');
    expect(content?.ids).toEqual(['a', 'b']);
    expect(content && rowOf(content, 1)).toEqual({ id: 'b', height_m: null, name: 'Hall' });
  });
  it('ranks the ground by its kind', () => {
    const table = { count: 2, properties: { kind: { data: ['land', 'rail'] } } };
    const ground = readTileContent({ ...gltf, extensions: { EXT_structural_metadata: { propertyTables: [table] } } }, 'ground');
    expect([...(ground?.heights ?? [])]).toEqual([0, 0, 0, 13]);
  });
  it('is null for a tile without a mesh', () => expect(readTileContent({ nodes: [{}] }, 'ground')).toBeNull());
});
