import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { surfaceTones } from './palette';
import { SURFACE_TINTS, SURFACES, surfacesOf, topsOf } from './surfaces';
import { Tokens } from './tokens';

const here = (path: string): string => {
  const file = new URL(path, import.meta.url);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};

describe('surfaces', () => {
  it('are read from their tints, whatever the width of the colour', () => {
    const { wall, roof, door } = SURFACE_TINTS;
    expect([...surfacesOf([...wall, 255, ...roof, 255, ...door, 255], 3)]).toEqual([1, 2, 5]);
    expect([...surfacesOf([...roof, ...roof], 2)]).toEqual([2, 2]);
    expect([...surfacesOf([1, 2, 3, 255], 1)]).toEqual([0]);
    expect([...surfacesOf(undefined, 2)]).toEqual([0, 0]);
  });

  it('are told by their slope where the tile says nothing', () => {
    expect([...topsOf(new Float32Array([0, 1, 0, 1, 0, 0, 0, -1, 0, 0, 0.8, 0.6]))]).toEqual([6, 0, 0, 6]);
  });

  it('have the tints and the numbers that the tiles are written with', () => {
    const written = here('../../../../tiles/content.py').match(/TINTS: Final = np\.array\(\s*\[([\s\S]*?)\],\s*dtype/)?.[1] ?? '';
    const tints = [...written.matchAll(/\[(\d+), (\d+), (\d+), 255\]/g)].map((m) => m.slice(1).map(Number));
    const read = here('../../../../tiles/intake.py').match(/MEANINGS: Final = \{([\s\S]*?)\}/)?.[1] ?? '';
    const number = (name: string): number => Number(new RegExp(`"${name}": (\\d)`).exec(read)?.[1]);
    const named = { wall: 'WallSurface', roof: 'RoofSurface', ground: 'GroundSurface', window: 'Window', door: 'Door' } as const;
    for (const [surface, name] of Object.entries(named)) {
      expect(number(name)).toBe(SURFACES.findIndex((one) => one === surface));
      expect(tints[number(name)]).toEqual(SURFACE_TINTS[surface as keyof typeof named]);
    }
  });

  it('wear tones of both themes; what is under a building wears none', () => {
    const css = here('../ui/tokens.css');
    const themes = css.split(/(?=--bldg-default)/).slice(1);
    expect(themes).toHaveLength(2);
    for (const theme of themes) {
      const tokens = new Tokens((name) => new RegExp(`${name}: (#\\w+)`).exec(theme)?.[1] ?? '');
      const tones = surfaceTones(tokens, false);
      expect(tones).toHaveLength(SURFACES.length * 4);
      expect([...surfaceTones(tokens, true).slice(24)]).toEqual([...tones.slice(8, 12)]);
      expect(SURFACES.filter((_, i) => tones[i * 4 + 3] === 255)).toEqual(['wall', 'roof', 'window', 'door']);
      expect([...tones.slice(8, 11)]).not.toEqual([255, 0, 255]);
    }
  });
});
