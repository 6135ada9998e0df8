/**
 * Which tiles stand for a place: what is seen decides, nothing else.
 *
 * The traverser of loaders.gl lets a tile give way when all its children are there, those out of view too, so that it
 * loads them all; and it draws the children that are there beside the parent that still stands.  Here a tile gives
 * way when the children in view are there, and until then it stands alone.  What would give way at once is not loaded:
 * between the coarse and the fine there is nothing to wait for.
 */

/** A tile of loaders.gl, as far as it is asked. */
export interface RefinedTile {
  readonly parent: RefinedTile | null;
  readonly children: RefinedTile[];
  readonly refine: number;
  readonly hasRenderContent: boolean;
  readonly contentAvailable: boolean;
  readonly isVisibleAndInRequestVolume: boolean;
  readonly _distanceToCamera: number;
  readonly _screenSpaceError: number;
  readonly tileset: { readonly memoryAdjustedScreenSpaceError: number };
  _selectionDepth: number;
  _shouldRefine: boolean;
}

interface Frame {
  readonly viewport: { readonly id: string; readonly height: number; readonly altitude?: number; readonly metersPerPixel: number };
}

interface Stack {
  find: (tile: RefinedTile) => unknown;
  delete: (tile: RefinedTile) => void;
  push: (tile: RefinedTile) => void;
}

/** The traverser of a tileset; what is replaced here is public in loaders.gl. */
export interface Traverser {
  compareDistanceToCamera: (a: RefinedTile, b: RefinedTile) => number;
  shouldRefine: (tile: RefinedTile, frame: Frame) => boolean;
  canTraverse: (tile: RefinedTile, frame: Frame) => boolean;
  updateTile: (tile: RefinedTile, frame: Frame) => void;
  selectTile: (tile: RefinedTile, frame: Frame) => void;
  loadTile: (tile: RefinedTile, frame: Frame) => void;
  updateAndPushChildren: (tile: RefinedTile, frame: Frame, stack: Stack, depth: number) => boolean;
}

/** How many times the error of what is near may be that of what the haze has taken. */
const HAZED = 6;

/** Where the haze is: nothing before the first, all behind the second, as multiples of how far the camera looks. */
export const HAZE = [1.12, 2.15] as const;

/** How much of what lies at a distance the haze has taken, 0 to 1, as the shader has it. */
function hazeAt(distance_m: number, frame: Frame): number {
  const { height, altitude = 1.5, metersPerPixel } = frame.viewport;
  const t = Math.min(1, Math.max(0, (distance_m / (altitude * height * metersPerPixel) - HAZE[0]) / (HAZE[1] - HAZE[0])));
  return t * t * (3 - 2 * t);
}

/** `TILE_REFINEMENT.REPLACE` of loaders.gl. */
const REPLACE = 2;

/** What is finer than this many times the error that is allowed, and not fine enough, is passed over. */
const PASSED_OVER = 4;

export function refineBySight(traverser: Traverser): void {
  const nearest = traverser.compareDistanceToCamera.bind(traverser);
  const [select, load] = [traverser.selectTile.bind(traverser), traverser.loadTile.bind(traverser)];
  /** Which tiles had given way when they were last seen, by view. */
  const refined = new Map<string, WeakSet<RefinedTile>>();

  /** The error of a tile over what is allowed where it stands: above 1 it is too coarse. */
  const excess = (tile: RefinedTile, frame: Frame): number =>
    tile._screenSpaceError / (tile.tileset.memoryAdjustedScreenSpaceError * (1 + (HAZED - 1) * hazeAt(tile._distanceToCamera, frame)));

  const hadGivenWay = (tile: RefinedTile, frame: Frame): boolean => refined.get(frame.viewport.id)?.has(tile) === true;

  const isPassedOver = (tile: RefinedTile, frame: Frame): boolean => {
    const over = excess(tile, frame);
    return over > 1 && over <= PASSED_OVER && tile.children.length > 0 && tile.parent?.hasRenderContent === true;
  };

  const isThere = (tile: RefinedTile, frame: Frame): boolean => {
    if (tile.hasRenderContent) {
      if (tile.contentAvailable) return true;
      if (!isPassedOver(tile, frame) && !hadGivenWay(tile, frame)) return false;
      // A tileset within the tileset, or a tile that only groups: its own children stand for it.
    } else if (!traverser.canTraverse(tile, frame)) return true;
    return tile.children.every((child) => {
      traverser.updateTile(child, frame);
      return !child.isVisibleAndInRequestVolume || isThere(child, frame);
    });
  };

  traverser.updateAndPushChildren = (tile, frame, stack, depth) => {
    const before = refined.get(frame.viewport.id) ?? new WeakSet<RefinedTile>();
    refined.set(frame.viewport.id, before);
    const replaces = tile.refine === REPLACE && tile.hasRenderContent;
    let seen = 0;
    let there = 0;
    tile.children.sort(nearest);
    for (const child of tile.children) {
      child._selectionDepth = depth;
      if (!child.isVisibleAndInRequestVolume) continue;
      if (stack.find(child)) stack.delete(child);
      stack.push(child);
      seen++;
      if (!replaces || isThere(child, frame)) there++;
    }
    // A child that comes into view at the edge does not make all that is drawn coarse again.
    const refines = seen > 0 && (there === seen || (there > 0 && (before.has(tile) || !tile.contentAvailable)));
    if (refines) before.add(tile);
    else before.delete(tile);
    return refines;
  };

  // What was passed over on the way in is loaded on the way out; its children stand for it until it is there.
  traverser.shouldRefine = (tile, frame) =>
    excess(tile, frame) > 1 || (tile.hasRenderContent && !tile.contentAvailable && hadGivenWay(tile, frame));

  traverser.loadTile = (tile, frame) => {
    if (!tile.hasRenderContent || !isPassedOver(tile, frame)) load(tile, frame);
  };

  traverser.selectTile = (tile, frame) => {
    if (!tile.parent || tile.parent._shouldRefine) select(tile, frame);
  };
}
