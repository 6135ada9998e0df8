import { WebMercatorViewport } from '@deck.gl/core';
import { describe, expect, it } from 'vitest';
import type { SchemeObject, SchemeOverlay } from '../scheme/types';
import { LocalFrame } from './local-frame';
import { inPhase, massToken, prepare } from './overlay';
import { linesWithout, rimWithout } from './layers/hiding';
import { ColourFade } from './layers/fade';
import { landUseCode } from './palette';

const object = (more: Partial<SchemeObject>): SchemeObject => ({
  id: 's1:b/1',
  type: 'Building',
  change: 'added',
  geometry: { type: 'Polygon', coordinates: [[[24.94, 60.17], [24.941, 60.17], [24.941, 60.1705], [24.94, 60.1705], [24.94, 60.17]]] },
  ground_m: 0,
  height_m: 6,
  storeys: [[3, 'residential'], [3, 'residential']],
  roof: { type: 'flat', height_m: 0 },
  land_use: null,
  phase_year: null,
  name: null,
  properties: {},
  ...more,
});
const overlay = (objects: SchemeObject[], more: Partial<SchemeOverlay> = {}): SchemeOverlay => ({
  scheme: 's1', letter: 'B', colour_index: 1, objects, hidden: new Set(), phase: null, ...more,
});

describe('LocalFrame', () => {
  const frame = new LocalFrame([24.94, 60.17]);
  it('puts metres where deck.gl puts them', () => {
    const view = new WebMercatorViewport({ longitude: 24.94, latitude: 60.17, zoom: 15, width: 800, height: 600 });
    for (const [x, y] of [[300, 400], [-900, 1200], [2000, -1500]] as const) {
      const [lon = 0, lat = 0] = view.addMetersToLngLat([24.94, 60.17], [x, y]);
      const back = frame.toMetres([lon, lat]);
      // deck.gl's own way back is of the first order: centimetres over a kilometre.
      expect(Math.hypot(back[0] - x, back[1] - y)).toBeLessThan(0.6);
    }
  });
  it('is undone by its inverse', () => {
    const at = frame.toLngLat(frame.toMetres([24.96, 60.18]));
    expect(at[0]).toBeCloseTo(24.96, 9);
    expect(at[1]).toBeCloseTo(60.18, 9);
  });
});

describe('overlay', () => {
  it('what a later phase builds is not there yet, and the base stands in its place', () => {
    const o = overlay([object({ phase_year: 2030 }), object({ id: 'x:b/2', change: 'changed', phase_year: 2027 })], {
      hidden: new Set(['s1:b/1', 'x:b/2']),
      phase: 2028,
    });
    const { objects, hidden } = inPhase(o);
    expect(objects.map((one) => one.id)).toEqual(['x:b/2']);
    expect([...hidden]).toEqual(['x:b/2']);
  });
  it('keeps buildings, ghosts, ground and trees apart', () => {
    const line = { type: 'LineString', coordinates: [[24.94, 60.17], [24.95, 60.17]] } as const;
    const point = { type: 'Point', coordinates: [24.94, 60.17] } as const;
    const p = prepare(overlay([
      object({}),
      object({ id: 'x:b/2', change: 'demolished' }),
      object({ id: 's1:k/1', type: 'PlantCover', storeys: null as never, roof: null as never, height_m: null as never }),
      object({ id: 's1:p/1', type: '+Parcel' }),
      object({ id: 's1:r/1', type: 'Road', geometry: line as never }),
      object({ id: 's1:t/1', type: 'SolitaryVegetationObject', geometry: point as never }),
      object({ id: 's1:n/1', type: '+Pump', geometry: point as never }),
      object({ id: 's1:b/9', geometry: null }),
    ]));
    expect(p.buildings.map((o) => o.id)).toEqual(['s1:b/1']);
    expect(p.ghosts.map((o) => o.id)).toEqual(['x:b/2']);
    expect(p.areas.map((a) => a.object.id)).toEqual(['s1:p/1', 's1:k/1']);
    expect([p.lines.length, p.trees.length, p.points.length]).toEqual([1, 1, 1]);
  });
  it('letters wear the colours of schemes in turn', () => {
    expect(['B', 'C', 'D'].map((l, i) => massToken(l, i + 1))).toEqual(['scheme-b-mass', 'scheme-c-mass', 'scheme-d-mass']);
    expect([massToken('E', 4), massToken('AA', 26)]).toEqual(['scheme-b-mass', 'scheme-c-mass']);
  });
  it.each([['0701', '07'], ['14', '14'], ['residential', '07'], ['park', '14'], ['99', null], [null, null]])('land use %s is %s', (use, code) => {
    expect(landUseCode(use)).toBe(code);
  });
});

describe('hiding', () => {
  it('drops the edges of hidden rows', () => {
    const positions = new Float32Array([0, 0, 0, 1, 0, 0, 5, 0, 0, 6, 0, 0]);
    expect([...linesWithout(positions, new Float32Array([0, 0, 1, 1]), new Set([0]))]).toEqual([5, 0, 0, 6, 0, 0]);
  });
  it('drops the rim at the foot of hidden walls and no other', () => {
    const rim = { positions: new Float32Array([0.05, 0, 0, -5, 0, 0, 30, 0, 0]), alphas: new Float32Array([1, 0, 1]) };
    const body = { positions: new Float32Array([0, 0, 0, 30, 0, 0]), featureIds: new Float32Array([0, 1]) };
    expect([...rimWithout(rim, body, new Set([0]))]).toEqual([0, 0, 1]);
  });
  it('what appears or goes does so at once, while others fade', () => {
    const fade = new ColourFade();
    fade.show(new Uint8Array([100, 0, 0, 255, 100, 0, 0, 255]), 0, 0);
    fade.show(new Uint8Array([0, 0, 0, 0, 200, 0, 0, 255]), 0, 100);
    const half = fade.step(50) ?? new Uint8Array(0);
    expect([...half.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
    expect(half[4]).toBeGreaterThan(100);
    expect(half[4]).toBeLessThan(200);
  });
});
