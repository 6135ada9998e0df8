/** Where two maps lie that are compared in one place. Pure. Lengths are CSS pixels. */
export const COMPARE_MODES = ['one', 'swipe', 'split'] as const;
export type CompareMode = (typeof COMPARE_MODES)[number];

export interface Pane {
  /** Left edge and width of the map, which may reach beyond what is shown of it. */
  readonly x: number;
  readonly width: number;
  /** What is cut off it on either side. */
  readonly cutLeft: number;
  readonly cutRight: number;
}

export interface Panes {
  readonly left: Pane | null;
  readonly right: Pane;
  /** Where the two meet; null where there is one. */
  readonly divider: number | null;
}

/** Space that panels take at the sides. */
export interface Sides {
  readonly left: number;
  readonly right: number;
}

const DIVIDER_EDGE_PX = 24;

/** The divider stays within what the panels leave free, with room to take hold of it. */
export function dividerAt(width: number, free: Sides, share: number): number {
  const from = free.left + DIVIDER_EDGE_PX;
  const to = Math.max(from, width - free.right - DIVIDER_EDGE_PX);
  return Math.round(from + (to - from) * clampShare(share));
}

/** The share of the free width at which a point of the screen lies. */
export function shareAt(width: number, free: Sides, x: number): number {
  const from = free.left + DIVIDER_EDGE_PX;
  const to = width - free.right - DIVIDER_EDGE_PX;
  return to <= from ? 0.5 : clampShare((x - from) / (to - from));
}

export const clampShare = (share: number): number => Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0.5));

/** A map as wide as it must be for its middle to fall on `centre` while it covers `from` to `to`. */
function around(centre: number, from: number, to: number): Pane {
  const half = Math.ceil(Math.max(centre - from, to - centre));
  return { x: centre - half, width: 2 * half, cutLeft: from - (centre - half), cutRight: centre + half - to };
}

/**
 * Swipe: both maps fill the window, each is cut at the divider. Split: the two halves of the free width,
 * each map centred in its own half, so that the same place lies in the middle of both.
 */
export function panesOf(width: number, mode: CompareMode, share: number, free: Sides): Panes {
  if (mode === 'one') return { left: null, right: { x: 0, width, cutLeft: 0, cutRight: 0 }, divider: null };
  if (mode === 'swipe') {
    const divider = dividerAt(width, free, share);
    return { left: { x: 0, width, cutLeft: 0, cutRight: width - divider }, right: { x: 0, width, cutLeft: divider, cutRight: 0 }, divider };
  }
  const middle = Math.round((free.left + width - free.right) / 2);
  const left = Math.round((free.left + middle) / 2);
  const right = Math.round((middle + width - free.right) / 2);
  return { left: around(left, 0, middle), right: around(right, middle, width), divider: middle };
}
