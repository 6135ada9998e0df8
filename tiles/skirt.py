"""The contact skirt: a band on the ground around every group of buildings, dark at the wall, gone at 5 m."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.footprints import polygon_parts, straight_rings
from tiles.soup import FloatArray, IntArray, counts, next_in_rings

WIDTH_M: Final = 5.0
SIMPLIFY_M: Final = 0.25
MITRE_MIN: Final = 0.5
"""Bounds how far a sharp corner's band reaches out: at most twice its width."""


@dataclass(frozen=True, slots=True)
class Skirt:
    """``xy`` (n, 2) metres, at the wall and at the far edge by turns; ``triangles`` (n, 3).

    ``group`` (n,), ascending, is the group of footprints that each place belongs to.
    """

    xy: FloatArray
    triangles: IntArray
    group: IntArray


def skirts_around(footprints: NDArray[np.object_], group: IntArray) -> Skirt:
    """Return the band around footprints, those of one group joined first so that party walls have none."""
    if not len(footprints):
        return Skirt(np.empty((0, 2)), np.empty((0, 3), dtype=np.int64), np.empty(0, dtype=np.int64))
    joined, group = _joined(footprints, group)
    xy, ring_ends, polygon_ends = straight_rings(joined, SIMPLIFY_M)
    following = next_in_rings(ring_ends)
    before = np.empty(len(xy), dtype=np.int64)
    before[following] = np.arange(len(xy))
    x, y = np.ascontiguousarray(xy.T)
    dx, dy = x[following] - x, y[following] - y
    length = np.maximum(np.sqrt(dx * dx + dy * dy), 1e-9)
    # Right of the course is outside: outer rings run counter-clockwise, holes clockwise.
    east, north = dy / length, -dx / length
    east, north = east + east[before], north + north[before]
    reach = WIDTH_M / np.maximum((east * east + north * north) / 2, MITRE_MIN)
    here, far = 2 * np.arange(len(xy)), 2 * following + 1
    return Skirt(
        np.stack((x, y, x + east * reach, y + north * reach), axis=1).reshape(-1, 2),
        np.stack((here, here + 1, far, here, far, far - 1), axis=1).reshape(-1, 3),
        np.repeat(group, 2 * counts(ring_ends[polygon_ends - 1])),
    )


def _joined(footprints: NDArray[np.object_], group: IntArray) -> tuple[NDArray[np.object_], IntArray]:
    """Return single polygons, counter-clockwise, by group: those of one group that meet are one."""
    pairs = shapely.STRtree(footprints).query(footprints)
    one, other = pairs[:, (pairs[0] < pairs[1]) & (group[pairs[0]] == group[pairs[1]])]
    meets = shapely.intersects(footprints[one], footprints[other])
    if not meets.any():
        return footprints, group
    shared = np.zeros(len(footprints), dtype=np.bool_)
    shared[one[meets]] = shared[other[meets]] = True
    groups = np.unique(group[shared])
    unions = [shapely.disjoint_subset_union_all(footprints[shared & (group == each)]) for each in groups]
    polygons, origin = polygon_parts(np.array(unions, dtype=object))
    joined = np.concatenate((footprints[~shared], shapely.orient_polygons(polygons)))
    of = np.concatenate((group[~shared], groups[origin]))
    order = np.argsort(of, kind="stable")
    return joined[order], of[order]
