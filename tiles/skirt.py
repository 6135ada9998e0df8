"""The contact skirt: a band on the ground around every group of buildings, dark at the wall, gone at 5 m."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.footprints import polygon_parts
from tiles.outlines import Outlines, joined
from tiles.soup import FloatArray, IntArray, counts, ranges

WIDTH_M: Final = 5.0
SIMPLIFY_M: Final = 0.25
MITRE_MIN: Final = 0.5
"""Bounds how far a sharp corner's band reaches out: at most twice its width."""


@dataclass(frozen=True, slots=True)
class Skirt:
    """One strip of triangles: ``xy`` (n, 2) metres, of which ``far`` (n,) lie at the edge and the others at the wall.

    ``group`` (n,), ascending, is the group of footprints that each place belongs to; between two rings, and so between
    two groups, the strip goes on through triangles without area.
    """

    xy: FloatArray
    far: NDArray[np.bool_]
    group: IntArray


def skirts_around(footprints: Outlines, group: IntArray) -> Skirt:
    """Return the band around footprints, those of one group joined first so that party walls have none."""
    if not len(footprints):
        return Skirt(np.empty((0, 2)), np.empty(0, dtype=np.bool_), np.empty(0, dtype=np.int64))
    together, group = _joined(footprints, group)
    around = together.straight(SIMPLIFY_M)
    xy, following = around.coordinates, around.next_vertex
    before = np.empty(len(xy), dtype=np.int64)
    before[following] = np.arange(len(xy))
    x, y = np.ascontiguousarray(xy.T)
    dx, dy = x[following] - x, y[following] - y
    length = np.maximum(np.sqrt(dx * dx + dy * dy), 1e-9)
    # Right of the course is outside: outer rings run counter-clockwise, holes clockwise.
    east, north = dy / length, -dx / length
    east, north = east + east[before], north + north[before]
    reach = WIDTH_M / np.maximum((east * east + north * north) / 2, MITRE_MIN)
    corner, far, ring = _strip(counts(around.ring_ends))
    out = np.where(far, reach[corner], 0.0)
    places = np.stack((x[corner] + east[corner] * out, y[corner] + north[corner] * out), axis=1)
    return Skirt(places, far, np.repeat(group, counts(around.surface_ends))[ring])


def _strip(size: IntArray) -> tuple[IntArray, NDArray[np.bool_], IntArray]:
    """Return a strip around rings of so many corners each: the corner and the side of each place, and its ring.

    Edge and wall by turns, the first corner again at the end; the ends are doubled, which joins ring to ring and leaves
    the triangles face up.
    """
    places = 2 * size + 4
    ring = np.repeat(np.arange(len(size)), places)
    step = np.clip(ranges(np.full(len(size), -1), places), 0, 2 * size[ring] + 1)
    corner = (np.cumsum(size) - size)[ring] + step // 2 % size[ring]
    return corner, step % 2 == 0, ring


def _joined(footprints: Outlines, group: IntArray) -> tuple[Outlines, IntArray]:
    """Return single polygons, counter-clockwise, by group: those of one group that meet are one."""
    one, other = _near(footprints.bounds, group)
    rows, at = np.unique(np.concatenate((one, other)), return_inverse=True)
    shapes = footprints[rows].shapes
    first, second = at[: len(one)], at[len(one) :]
    meets = shapely.intersects(shapes[first], shapes[second])
    if not meets.any():
        return footprints, group
    met = np.unique(np.concatenate((first[meets], second[meets])))
    groups, of = np.unique(group[rows[met]], return_inverse=True)
    unions = [shapely.disjoint_subset_union_all(shapes[met[of == each]]) for each in range(len(groups))]
    polygons, origin = polygon_parts(np.array(unions, dtype=object))
    alone = np.ones(len(footprints), dtype=np.bool_)
    alone[rows[met]] = False
    every = joined([footprints[alone], Outlines.of(shapely.orient_polygons(polygons))])
    of = np.concatenate((group[alone], groups[origin]))
    order = np.argsort(of, kind="stable")
    return every[order], of[order]


def _near(boxes: FloatArray, group: IntArray) -> tuple[IntArray, IntArray]:
    """Return the pairs of rows of one group whose boxes (n, 4) meet; ``group`` ascends."""
    order = np.lexsort((boxes[:, 0], group))
    west, south, east, north = boxes[order].T
    of, pairs = group[order], [np.empty((2, 0), dtype=np.int64)]
    here = np.arange(len(order) - 1)
    step = 1
    # From west to east: a box meets those that follow until one begins beyond it.
    while len(here):
        here = here[here + step < len(order)]
        there = here + step
        here = here[(of[here] == of[there]) & (west[there] <= east[here])]
        there = here + step
        meets = (south[there] <= north[here]) & (south[here] <= north[there])
        pairs.append(np.stack((order[here[meets]], order[there[meets]])))
        step += 1
    one, other = np.concatenate(pairs, axis=1)
    return np.minimum(one, other), np.maximum(one, other)
