import { describe, expect, it, vi } from 'vitest';
import { CityTileLayer } from './city-tile-layer';

interface Walked {
  state: { tileset3d: unknown; activeViewports: object; lastUpdatedViewports: object | null; layerMap: object };
  updateState(params: object): void;
  _updateTileset(viewports: object): void;
}

/** A layer of deck.gl between two frames, without a device. */
function layer(): Walked {
  const state = { tileset3d: null, activeViewports: {}, lastUpdatedViewports: null, layerMap: {} };
  return Object.create(CityTileLayer.prototype, {
    state: { value: state },
    context: { value: { timeline: {} } },
    setState: { value: () => undefined },
  }) as Walked;
}

describe('CityTileLayer', () => {
  it('walks a tileset that comes between a description of the layers and the next frame', () => {
    const one = layer();
    const view = { id: 'MapView' };
    const props = { data: '/tiles/base/buildings/tileset.json' };
    one.state.activeViewports = { MapView: view };
    one.updateState({ props, oldProps: props, changeFlags: { viewportChanged: true } });
    const selectTiles = vi.fn(() => Promise.resolve(1));
    one.state.tileset3d = { selectTiles };
    // What deck.gl does when the tileset has come.
    one._updateTileset(one.state.activeViewports);
    expect(selectTiles).toHaveBeenCalledWith([view]);
  });
});
