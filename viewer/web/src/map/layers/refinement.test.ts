import { describe, expect, it } from 'vitest';
import { refineBySight, type RefinedTile, type Traverser } from './refinement';

interface Made extends RefinedTile {
  readonly name: string;
  contentAvailable: boolean;
  isVisibleAndInRequestVolume: boolean;
  children: Made[];
  parent: Made | null;
}

/** A camera that looks 1,500 m far. */
const frame = { viewport: { id: 'map', height: 1000, altitude: 1.5, metersPerPixel: 1 } };

function made(name: string, children: Made[] = [], more: Partial<Made> = {}): Made {
  const tile: Made = { name, parent: null, children, refine: 2, hasRenderContent: true, contentAvailable: false, isVisibleAndInRequestVolume: true, _distanceToCamera: 1000, _screenSpaceError: 100, tileset: { memoryAdjustedScreenSpaceError: 6 }, _selectionDepth: 0, _shouldRefine: false, ...more };
  for (const child of children) child.parent = tile;
  return tile;
}

/** A walk as loaders.gl makes it: every tile with children is to be refined. */
function walker(): { readonly walk: (root: Made) => { readonly drawn: string[]; readonly asked: string[] } } {
  let drawn: string[] = [];
  let asked: string[] = [];
  const traverser: Traverser = {
    compareDistanceToCamera: () => 0,
    shouldRefine: () => true,
    canTraverse: (tile, view) => tile.children.length > 0 && traverser.shouldRefine(tile, view),
    updateTile: () => undefined,
    selectTile: (tile) => {
      if (tile.contentAvailable) drawn.push((tile as Made).name);
    },
    loadTile: (tile) => asked.push((tile as Made).name),
    updateAndPushChildren: () => false,
  };
  refineBySight(traverser);
  return {
    walk(root) {
      asked = [];
      drawn = [];
      const pile: RefinedTile[] = [root];
      const stack = { find: (tile: RefinedTile) => pile.includes(tile), delete: (tile: RefinedTile) => pile.splice(pile.indexOf(tile), 1), push: (tile: RefinedTile) => pile.push(tile) };
      for (let tile = pile.pop(); tile; tile = pile.pop()) {
        const refines = traverser.canTraverse(tile, frame) && traverser.updateAndPushChildren(tile, frame, stack, 1);
        if (tile.hasRenderContent) traverser.loadTile(tile, frame);
        if (!refines) traverser.selectTile(tile, frame);
        tile._shouldRefine = refines && (!tile.parent || tile.parent._shouldRefine);
      }
      return { drawn: drawn.sort(), asked: asked.sort() };
    },
  };
}

describe('refinement by sight', () => {
  it('asks for nothing that is out of view, and does not wait for it', () => {
    const [near, far] = [made('near', [], { contentAvailable: true }), made('far', [], { isVisibleAndInRequestVolume: false })];
    expect(walker().walk(made('root', [near, far], { contentAvailable: true }))).toEqual({ drawn: ['near'], asked: ['near', 'root'] });
  });

  it('draws a tile alone until all of its children in view are there', () => {
    const [a, b] = [made('a', [], { contentAvailable: true }), made('b')];
    const root = made('root', [a, b], { contentAvailable: true });
    const { walk } = walker();
    expect(walk(root)).toEqual({ drawn: ['root'], asked: ['a', 'b', 'root'] });
    b.contentAvailable = true;
    expect(walk(root).drawn).toEqual(['a', 'b']);
  });

  it('keeps what is fine when something more comes into view, and is coarse again after a leap', () => {
    const [a, b] = [made('a', [], { contentAvailable: true }), made('b', [], { isVisibleAndInRequestVolume: false })];
    const root = made('root', [a, b], { contentAvailable: true });
    const { walk } = walker();
    expect(walk(root).drawn).toEqual(['a']);
    b.isVisibleAndInRequestVolume = true;
    expect(walk(root)).toEqual({ drawn: ['a'], asked: ['a', 'b', 'root'] });
    a.isVisibleAndInRequestVolume = false;
    expect(walk(root).drawn).toEqual(['root']);
  });

  it('lets what a tileset within the tileset holds stand for it', () => {
    const inner = made('inner');
    const nested = made('nested', [inner], { hasRenderContent: false });
    const root = made('root', [nested], { contentAvailable: true });
    const { walk } = walker();
    expect(walk(root)).toEqual({ drawn: ['root'], asked: ['inner', 'root'] });
    inner.contentAvailable = true;
    expect(walk(root).drawn).toEqual(['inner']);
  });

  it('never draws a grandchild while the grandparent stands', () => {
    const leaf = made('leaf', [], { contentAvailable: true });
    const [a, b] = [made('a', [leaf], { contentAvailable: true }), made('b')];
    expect(walker().walk(made('root', [a, b], { contentAvailable: true })).drawn).toEqual(['root']);
  });

  it('passes over what would give way at once, and loads it on the way out while its children stand', () => {
    const leaf = made('leaf', [], { _screenSpaceError: 1 });
    const middle = made('middle', [leaf], { _screenSpaceError: 20 });
    const root = made('root', [middle], { contentAvailable: true });
    const { walk } = walker();
    expect(walk(root)).toEqual({ drawn: ['root'], asked: ['leaf', 'root'] });
    leaf.contentAvailable = true;
    expect(walk(root)).toEqual({ drawn: ['leaf'], asked: ['leaf', 'root'] });
    Object.assign(middle, { _screenSpaceError: 5 });
    expect(walk(root)).toEqual({ drawn: ['leaf'], asked: ['leaf', 'middle', 'root'] });
    middle.contentAvailable = true;
    expect(walk(root)).toEqual({ drawn: ['middle'], asked: ['middle', 'root'] });
  });

  it('is content with less in the haze, and with least behind it', () => {
    const coarse = (distance_m: number, error_px: number): boolean => {
      const leaf = made('leaf', [], { contentAvailable: true });
      const root = made('root', [leaf], { contentAvailable: true, _distanceToCamera: distance_m, _screenSpaceError: error_px });
      return walker().walk(root).drawn[0] === 'root';
    };
    expect(coarse(1600, 7)).toBe(false);
    expect(coarse(2450, 20)).toBe(true);
    expect(coarse(2450, 22)).toBe(false);
    expect(coarse(5000, 35)).toBe(true);
    expect(coarse(5000, 37)).toBe(false);
  });
});
