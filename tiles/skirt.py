"""The contact skirt: a band on the ground around every group of buildings, dark at the wall, gone at 5 m."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.footprints import polygon_parts
from tiles.outlines import Outlines, joined
from tiles.soup import FloatArray, IntArray, counts

WIDTH_M: Final = 5.0
SIMPLIFY_M: Final = 0.25
MITRE_MIN: Final = 0.5
"""Bounds how far a sharp corner's band reaches out: at most twice its width."""


@dataclass(frozen=True, slots=True)
class Skirt:
    """One strip of triangles over places ``xy`` (n, 2) metres: the corners at the wall, then as many at the far edge.

    ``course`` (m,) are the places that it goes through, and ``group`` (m,), ascending, the group of footprints of
    each; between two rings, and so between two groups, it goes on through triangles without area.
    """

    xy: FloatArray
    course: IntArray
    group: IntArray

    @property
    def far(self) -> NDArray[np.bool_]:
        """Which steps of the course are at the far edge."""
        far: NDArray[np.bool_] = self.course >= len(self.xy) // 2
        return far


def skirts_around(footprints: Outlines, group: IntArray) -> Skirt:
    """Return the band around footprints, those of one group joined first so that party walls have none."""
    if not len(footprints):
        none = np.empty(0, dtype=np.int64)
        return Skirt(np.empty((0, 2)), none, none)
    together, group = _joined(footprints, group)
    around = together.straight(SIMPLIFY_M)
    following = around.next_vertex
    before = np.empty_like(following)
    before[following] = np.arange(len(following))
    x, y = np.ascontiguousarray(around.coordinates.T)
    dx, dy = x[following] - x, y[following] - y
    length = np.maximum(np.sqrt(dx * dx + dy * dy), 1e-9)
    # Right of the course is outside: outer rings run counter-clockwise, holes clockwise.
    east, north = dy / length, -dx / length
    east, north = east + east[before], north + north[before]
    reach = WIDTH_M / np.maximum((east * east + north * north) / 2, MITRE_MIN)
    xy = np.empty((2, len(x), 2))
    xy[0] = around.coordinates
    xy[1, :, 0], xy[1, :, 1] = x + east * reach, y + north * reach
    size = counts(around.ring_ends)
    ring_group = np.repeat(group, counts(around.surface_ends))
    return Skirt(xy.reshape(-1, 2), _course(size), np.repeat(ring_group, 2 * size + 4))


def _course(size: IntArray) -> IntArray:
    """Return the way of a strip around rings of so many corners each, all corners' far places after their near ones.

    Edge and wall by turns, the first corner again at the end; the ends are doubled, which joins ring to ring and leaves
    the triangles face up.
    """
    corners = int(size.sum())
    first, rows = np.cumsum(size) - size, size + 2
    end = np.cumsum(rows) - 1
    begin = end - rows + 1
    # Row by row: the edge twice, then each corner's wall and the next one's edge, at last the wall twice.
    wall = np.arange(int(rows.sum())) - np.repeat(begin + 1 - first, rows)
    course = np.stack((wall, wall + 1 + corners), axis=1)
    course[begin] = (first + corners)[:, None]
    course[end - 1, 1] = first + corners
    course[end] = first[:, None]
    return course.reshape(-1)


def _joined(footprints: Outlines, group: IntArray) -> tuple[Outlines, IntArray]:
    """Return single polygons, counter-clockwise, by group: those of one group that meet are one."""
    one, other = _near(footprints.bounds, group)
    rows, at = np.unique(np.concatenate((one, other)), return_inverse=True)
    shapes = footprints[rows].shapes
    first, second = at[: len(one)], at[len(one) :]
    meets = shapely.intersects(shapes[first], shapes[second])
    if not meets.any():
        return footprints, group
    unions, of = _unions(shapes, group[rows], first[meets], second[meets])
    polygons, origin = polygon_parts(unions)
    alone = np.ones(len(footprints), dtype=np.bool_)
    alone[rows[first[meets]]] = alone[rows[second[meets]]] = False
    every = joined([footprints[alone], Outlines.of(shapely.orient_polygons(polygons))])
    of = np.concatenate((group[alone], of[origin]))
    order = np.argsort(of, kind="stable")
    return every[order], of[order]


def _unions(
    shapes: NDArray[np.object_], group: IntArray, first: IntArray, second: IntArray
) -> tuple[NDArray[np.object_], IntArray]:
    """Return what pairs of shapes that meet come to, and the group of each union."""
    met = np.bincount(np.concatenate((first, second)), minlength=len(shapes))
    # Most meet one other alone: such a pair is joined several times faster than a whole group.
    paired = (met[first] == 1) & (met[second] == 1)
    pairs = shapely.union(shapes[first[paired]], shapes[second[paired]])
    rest = np.unique(np.concatenate((first[~paired], second[~paired])))
    groups, of = np.unique(group[rest], return_inverse=True)
    unions = np.empty(len(groups), dtype=object)
    for each in range(len(groups)):
        unions[each] = shapely.disjoint_subset_union_all(shapes[rest[of == each]])
    return np.concatenate((pairs, unions)), np.concatenate((group[first[paired]], groups))


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
