"""The contact skirt: a band on the ground around every group of buildings, dark at the wall, gone at 5 m."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.footprints import polygon_parts, rings
from tiles.soup import FloatArray, IntArray, starts

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
    joined = shapely.simplify(shapely.disjoint_subset_union_all(footprints), SIMPLIFY_M)
    polygons, _ = polygon_parts(np.array([joined], dtype=object))
    xy, ring_ends, _ = rings(shapely.orient_polygons(polygons))
    count = len(xy)
    following = np.arange(1, count + 1)
    following[ring_ends - 1] = starts(ring_ends)
    before = np.empty(count, dtype=np.int64)
    before[following] = np.arange(count)
    edge = xy[following] - xy
    length = np.maximum(np.linalg.norm(edge, axis=1, keepdims=True), 1e-9)
    # Right of the course is outside: outer rings run counter-clockwise, holes clockwise.
    outward = np.column_stack((edge[:, 1], -edge[:, 0])) / length
    mitre = outward + outward[before]
    mitre /= np.maximum((mitre**2).sum(axis=1, keepdims=True) / 2, MITRE_MIN)
    here = np.arange(count)
    band = np.stack(
        (
            np.column_stack((here, here + count, following + count)),
            np.column_stack((here, following + count, following)),
        ),
        axis=1,
    )
    return Skirt(
        np.concatenate((xy, xy + mitre * WIDTH_M)),
        np.concatenate((np.ones(count), np.zeros(count))),
        band.reshape(-1, 3),
    )
