"""Convex outlines: the hulls of groups of places, and such outlines put on the steps of a grid."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.outlines import Outlines, joined, leftward
from tiles.soup import FloatArray, IntArray, next_in_rings

_ROUNDS: Final = 8
"""Corners are taken away in two or three rounds; what needs more goes the general way."""
_CORNERS_MIN: Final = 3


def hulls(points: FloatArray, group: IntArray) -> NDArray[np.object_]:
    """Return the convex hull of each group of points, as shapely's; ``group`` ascends from 0 without gaps."""
    # A line has the hull of its points and is made several times faster than they are.
    found: NDArray[np.object_] = shapely.convex_hull(shapely.linestrings(points, indices=group))
    return found


def on_steps(outlines: Outlines, step_m: float) -> Outlines:
    """Return convex outlines with their corners on steps, convex again; what has no width there stays as it is.

    Moved by half a step, a convex ring stays so but for a few corners, which are taken away in all rings at once
    (Graham's scan, of rings that are in order already).
    """
    if not len(outlines):
        return outlines
    steps = np.rint(outlines.coordinates / step_m)
    kept, convex = _scanned(steps - steps[outlines.ring_starts][outlines.vertex_surface], outlines.vertex_surface)
    size = np.bincount(outlines.vertex_surface[kept], minlength=len(outlines))[convex]
    found = Outlines(steps[kept] * step_m, np.cumsum(size), np.arange(1, len(size) + 1))
    odd = np.flatnonzero(~convex)
    if not len(odd):
        return found
    some = outlines[odd]
    rounded = hulls(np.rint(some.coordinates / step_m) * step_m, some.vertex_surface)
    flat = shapely.get_type_id(rounded) != int(shapely.GeometryType.POLYGON)
    rounded[flat] = some.shapes[flat]
    return joined([found, leftward(Outlines.of(rounded))])[np.argsort(np.append(np.flatnonzero(convex), odd))]


def _scanned(steps: FloatArray, ring: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
    """Return which vertices make rings convex, those of the rings that are then, and which rings these are.

    ``steps`` (n, 2) are whole numbers, so no product of them is rounded; ``ring`` (n,) ascends.
    """
    rings = int(ring[-1]) + 1
    kept = np.arange(len(ring))
    for _ in range(_ROUNDS):
        x, y = steps[kept].T
        following, before = _around(ring[kept])
        dx, dy = x[following] - x, y[following] - y
        good = (dx != 0) | (dy != 0)
        if good.all():
            # Of two corners in one place one is taken; only then does a turn say what a corner is.
            good = dx[before] * dy - dy[before] * dx > 0
            if good.all():
                break
            # What turns back is no dent: such a ring has hardly any width, and its end may be a corner.
            back = ~good & (dx[before] * dx + dy[before] * dy <= 0)
            if back.any():
                lost = np.zeros(rings, dtype=np.bool_)
                lost[ring[kept[back]]] = True
                good &= ~lost[ring[kept]]
        kept = kept[good]
        if not len(kept):
            break
    else:
        return np.empty(0, dtype=np.int64), np.zeros(rings, dtype=np.bool_)
    convex = np.zeros(rings, dtype=np.bool_)
    if len(kept):
        # Once around, and not more: the course along x turns back twice.
        turns = np.bincount(ring[kept], weights=(dx > 0) != (dx[following] > 0), minlength=rings)
        convex = (np.bincount(ring[kept], minlength=rings) >= _CORNERS_MIN) & (turns == 2)
    return kept[convex[ring[kept]]], convex


def _around(ring: IntArray) -> tuple[IntArray, IntArray]:
    """Return for each vertex the one after it and the one before it around its ring; ``ring`` ascends."""
    following = next_in_rings(np.append(np.flatnonzero(ring[1:] != ring[:-1]) + 1, len(ring)))
    before = np.empty_like(following)
    before[following] = np.arange(len(following))
    return following, before
