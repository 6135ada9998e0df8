"""The contact skirt: a band on the ground around every group of buildings, dark at the wall, gone at 5 m."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.footprints import polygon_parts, straight_rings
from tiles.soup import FloatArray, IntArray, next_in_rings

WIDTH_M: Final = 5.0
SIMPLIFY_M: Final = 0.25
MITRE_MIN: Final = 0.5
"""Bounds how far a sharp corner's band reaches out: at most twice its width."""


@dataclass(frozen=True, slots=True)
class Skirt:
    """``xy`` (n, 2) metres, ``alpha`` (n,) 1 at the wall and 0 at the far edge, ``triangles`` (t, 3)."""

    xy: FloatArray
    alpha: FloatArray
    triangles: IntArray


def skirt_around(footprints: NDArray[np.object_]) -> Skirt:
    """Return the band around footprints, joined first so that party walls have none."""
    if not len(footprints):
        return Skirt(np.empty((0, 2)), np.empty(0), np.empty((0, 3), dtype=np.int64))
    xy, ring_ends, _ = straight_rings(_joined(footprints), SIMPLIFY_M)
    count = len(xy)
    following = next_in_rings(ring_ends)
    before = np.empty(count, dtype=np.int64)
    before[following] = np.arange(count)
    x, y = np.ascontiguousarray(xy.T)
    dx, dy = x[following] - x, y[following] - y
    length = np.maximum(np.sqrt(dx * dx + dy * dy), 1e-9)
    # Right of the course is outside: outer rings run counter-clockwise, holes clockwise.
    east, north = dy / length, -dx / length
    east, north = east + east[before], north + north[before]
    reach = WIDTH_M / np.maximum((east * east + north * north) / 2, MITRE_MIN)
    here = np.arange(count)
    far = following + count
    return Skirt(
        np.concatenate((xy, np.stack((x + east * reach, y + north * reach), axis=1))),
        np.repeat((1.0, 0.0), count),
        np.stack((here, here + count, far, here, far, following), axis=1).reshape(-1, 3),
    )


def _joined(footprints: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return single polygons, counter-clockwise: those that meet made one, the others as they are."""
    pairs = shapely.STRtree(footprints).query(footprints)
    one, other = pairs[:, pairs[0] < pairs[1]]
    meets = shapely.intersects(footprints[one], footprints[other])
    if not meets.any():
        return footprints
    shared = np.zeros(len(footprints), dtype=np.bool_)
    shared[one[meets]] = shared[other[meets]] = True
    union = shapely.disjoint_subset_union_all(footprints[shared])
    polygons, _ = polygon_parts(np.array([union], dtype=object))
    joined: NDArray[np.object_] = np.concatenate((footprints[~shared], shapely.orient_polygons(polygons)))
    return joined
