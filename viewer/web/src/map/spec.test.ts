import { describe, expect, it } from 'vitest';
import { readSpec, SpecError } from './spec';

const layer = (extra: object): object => ({
  initialViewState: { longitude: 24.94, latitude: 60.17, zoom: 16 },
  layers: [{ '@@type': 'PathLayer', id: 'water', data: '/ogc/collections/water-links/items', ...extra }],
});

const codeOf = (spec: unknown): string => {
  try {
    readSpec(spec);
  } catch (error) {
    if (error instanceof SpecError) return error.code;
    throw error;
  }
  return 'accepted';
};

describe('readSpec', () => {
  it('reads layers, roles, hints, view and border', () => {
    const spec = readSpec({
      initialViewState: { longitude: 24.94, latitude: 60.17, zoom: 16, pitch: 50, bearing: 'north' },
      cim: { bbox: [24.9, 60.1, 25, 60.2] },
      views: [{ '@@type': 'MapView', controller: true }],
      layers: [
        { '@@type': 'CityTile3DLayer', id: 'ground', data: '/tiles/base/ground/tileset.json' },
        { '@@type': 'Tile3DLayer', id: 'buildings', data: '/tiles/base/buildings/tileset.json', pickable: true },
        { '@@type': 'TreeLayer', id: 'trees', data: '/ogc/collections/trees/items', cim: { visible: false, min_zoom: 15 } },
      ],
    });
    expect(spec.layers.map((l) => l.role)).toEqual(['ground', 'buildings', 'trees']);
    expect(spec.layers.map((l) => l.visible)).toEqual([true, true, false]);
    expect(spec.layers[2]?.hints.min_zoom).toBe(15);
    expect(spec.layers[1]?.props).toEqual({ pickable: true });
    expect(spec.bbox).toEqual([24.9, 60.1, 25, 60.2]);
    expect(spec.view).toEqual({ longitude: 24.94, latitude: 60.17, zoom: 16, pitch: 50 });
  });

  it.each([
    ['an expression', { getColor: '@@=height > 10 ? [255,0,0] : [0,0,0]' }, 'spec_expression_refused'],
    ['an expression deep inside', { cim: { a: [{ b: '@@=x' }] } }, 'spec_expression_refused'],
    ['a function by name', { getColor: { '@@function': 'colorBins' } }, 'spec_function_refused'],
    ['a live function', { getColor: () => 1 }, 'spec_function_refused'],
    ['an unknown class', { '@@type': 'ScenegraphLayer' }, 'spec_class_refused'],
    ['a class deep inside', { extensions: [{ '@@type': 'DataFilterExtension' }] }, 'spec_class_refused'],
    ['a class named like a built-in', { '@@type': 'constructor' }, 'spec_class_refused'],
    ['data from elsewhere', { data: 'https://example.org/x.json' }, 'spec_source_refused'],
    ['data from elsewhere without scheme', { data: '//example.org/x.json' }, 'spec_source_refused'],
    ['nodes from elsewhere', { cim: { nodes: 'https://example.org/n.json' } }, 'spec_source_refused'],
    ['no data', { data: undefined }, 'spec_source_refused'],
    ['no id', { id: '' }, 'spec_invalid'],
  ])('refuses %s', (_what, extra, code) => {
    expect(codeOf(layer(extra))).toBe(code);
  });

  it('refuses what is no spec', () => {
    expect(codeOf(null)).toBe('spec_invalid');
    expect(codeOf({ layers: 'all' })).toBe('spec_invalid');
    expect(codeOf({ layers: [{ id: 'x', data: '/x' }] })).toBe('spec_invalid');
    const twice = { '@@type': 'PathLayer', id: 'a', data: '/x' };
    expect(codeOf({ layers: [twice, twice] })).toBe('spec_invalid');
  });
});
