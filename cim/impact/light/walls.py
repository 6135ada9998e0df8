"""Surfaces of solids as what a ray to the sun can meet: walls, slopes and lids.

A ray that climbs can enter a closed solid through a wall, a slope or an underside, never through a level
roof: level roofs are kept as lids only, which tell whether a place is under a roof.  A wall is a trapezoid
over a segment of the map, so that one test answers for all heights above one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.city.columns import SurfaceTable
from cim.geometry.ragged import rings_of
from cim.geometry.triangles import cut_surfaces, newell

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

UPRIGHT: Final = 0.01
"""A surface whose unit normal rises less than this is a wall (0.6 degrees)."""
LEVEL: Final = 0.9995
LID: Final = 0.2
HANGING_M: Final = 0.5
"""An underside higher than this above the foot of its object can be met from below."""
AREA_M2_MIN: Final = 1e-3
SLAB_M_MIN: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Faces:
    """What stands in the light, in metres of the working CRS.

    ``walls`` (n, 8): x1 y1 low1 high1 x2 y2 low2 high2, the outside to the right of 1 → 2;
    ``slopes`` (m, 9): three corners; ``lids`` polygons with ``planes`` (k, 3): z = a x + b y + c about
    ``pivots`` (k, 2).  ``*_owner`` is the row of the object that each belongs to.
    """

    walls: FloatArray
    wall_owner: IntArray
    slopes: FloatArray
    slope_owner: IntArray
    lids: NDArray[np.object_]
    planes: FloatArray
    pivots: FloatArray
    lid_owner: IntArray


def join_faces(parts: Sequence[Faces]) -> Faces:
    """Return all faces of several."""
    names = Faces.__slots__
    return Faces(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def no_faces() -> Faces:
    """Return nothing that stands in the light."""
    none, nobody = np.empty(0), np.empty(0, dtype=np.int64)
    flat = none.reshape(0, 3)
    return Faces(
        none.reshape(0, 8), nobody, none.reshape(0, 9), nobody,
        np.empty(0, dtype=object), flat, none.reshape(0, 2), nobody,
    )  # fmt: skip


def faces_of_prisms(footprints: NDArray[np.object_], owner: IntArray, floor_m: FloatArray, top_m: FloatArray) -> Faces:
    """Return the faces of upright blocks over single polygons, counter-clockwise; ``floor_m`` NaN stands on the ground.

    A block that stands on the ground has no underside; ``floor_m`` and ``top_m`` are heights of the datum.
    """
    if not len(footprints):
        return no_faces()
    _, closed, offsets = shapely.to_ragged_array(footprints, include_z=False)
    ring_offsets, polygon_offsets = (np.asarray(o, dtype=np.int64) for o in offsets)
    block_of_ring = np.repeat(np.arange(len(footprints)), np.diff(polygon_offsets))
    block = np.repeat(block_of_ring, np.diff(ring_offsets))
    first = np.ones(len(closed), dtype=bool)
    first[ring_offsets[1:] - 1] = False
    start = np.flatnonzero(first)
    a, b, of = closed[start], closed[start + 1], block[start]
    walls = np.column_stack((a, floor_m[of], top_m[of], b, floor_m[of], top_m[of]))
    zero = np.zeros(len(footprints))
    return Faces(
        walls, owner[of], np.empty((0, 9)), np.empty(0, dtype=np.int64),
        footprints, np.column_stack((zero, zero, top_m)), np.zeros((len(footprints), 2)), owner,
    )  # fmt: skip


def undersides(footprints: NDArray[np.object_], owner: IntArray, floor_m: FloatArray) -> Faces:
    """Return the undersides of blocks that hang above the ground."""
    surfaces = [
        [
            np.column_stack((xy := shapely.get_coordinates(ring)[:-1], np.full(len(xy), level)))
            for ring in (polygon.exterior, *polygon.interiors)
        ]
        for polygon, level in zip(footprints.tolist(), floor_m.tolist(), strict=True)
    ]
    triangles, surface = cut_surfaces(rings_of(surfaces))
    return _only_slopes(triangles, owner[surface])


def faces_of_bodies(table: SurfaceTable, owner_of_row: IntArray, foot_m: FloatArray) -> Faces:
    """Return the faces of geometries with surfaces.

    ``owner_of_row`` is the owner of each row of the batch that was decoded, ``foot_m`` its foot.
    """
    walls = _Gathered()
    slopes: list[list[FloatArray]] = []
    slope_owner: list[int] = []
    lids: list[shapely.Polygon] = []
    planes: list[tuple[float, float, float]] = []
    pivots: list[FloatArray] = []
    lid_owner: list[int] = []
    for owner, foot, rings in _surfaces(table, owner_of_row, foot_m):
        vector = newell(rings[0])
        size = float(np.linalg.norm(vector))
        if not size > AREA_M2_MIN:
            continue
        normal = vector / size
        rise = float(normal[2])
        if abs(rise) < UPRIGHT:
            walls.add(_trapezoids(rings, normal), owner)
            continue
        if rise > LID:
            pivot = rings[0][0]
            lids.append(shapely.Polygon(rings[0][:, :2], [ring[:, :2] for ring in rings[1:]]))
            planes.append((-float(normal[0]) / rise, -float(normal[1]) / rise, float(pivot[2])))
            pivots.append(pivot[:2])
            lid_owner.append(owner)
        grounded = rise < -LID and float(rings[0][:, 2].max()) < foot + HANGING_M
        if rise < LEVEL and not grounded:
            slopes.append(rings)
            slope_owner.append(owner)
    triangles, surface = cut_surfaces(rings_of(slopes))
    return Faces(
        *walls.arrays(8), triangles.reshape(-1, 9), np.array(slope_owner, dtype=np.int64)[surface],
        np.array([shapely.make_valid(lid) for lid in lids], dtype=object), np.array(planes).reshape(-1, 3),
        np.array(pivots).reshape(-1, 2), np.array(lid_owner, dtype=np.int64),
    )  # fmt: skip


class _Gathered:
    """Rows of numbers with their owner, while they are found."""

    def __init__(self) -> None:
        self._rows: list[FloatArray] = []
        self._owner: list[int] = []

    def add(self, rows: FloatArray, owner: int) -> None:
        self._rows.append(rows)
        self._owner += [owner] * len(rows)

    def arrays(self, width: int) -> tuple[FloatArray, IntArray]:
        return np.concatenate([np.empty((0, width)), *self._rows]), np.array(self._owner, dtype=np.int64)


def _surfaces(
    table: SurfaceTable, owner_of_row: IntArray, foot_m: FloatArray
) -> list[tuple[int, float, list[FloatArray]]]:
    """Return owner, foot and rings of each surface."""
    ring_starts = np.concatenate(([0], table.ring_ends[:-1])).tolist()
    ring_ends = table.ring_ends.tolist()
    found: list[tuple[int, float, list[FloatArray]]] = []
    surface, ring = 0, 0
    for row, surface_end in zip(table.rows.tolist(), table.geometry_ends.tolist(), strict=True):
        owner, foot = int(owner_of_row[row]), float(foot_m[row])
        for ring_end in table.surface_ends[surface:surface_end].tolist():
            rings = [table.coordinates[ring_starts[i] : ring_ends[i]] for i in range(ring, ring_end)]
            found.append((owner, foot, rings))
            ring = ring_end
        surface = surface_end
    return found


def _trapezoids(rings: list[FloatArray], normal: FloatArray) -> FloatArray:
    """Return an upright surface as trapezoids (n, 8): cut at the place of each corner, edges paired from below."""
    along = np.array([-normal[1], normal[0]]) / float(np.hypot(normal[0], normal[1]))
    pivot = rings[0][0, :2]
    profiles = [np.column_stack(((ring[:, :2] - pivot) @ along, ring[:, 2])).tolist() for ring in rings]
    edges = [
        (*a, *b) if a[0] < b[0] else (*b, *a)
        for profile in profiles
        for a, b in zip(profile, [*profile[1:], profile[0]], strict=True)
        if abs(a[0] - b[0]) > SLAB_M_MIN
    ]
    cuts = sorted({round(u, 3) for profile in profiles for u, _ in profile})
    rows = []
    for left, right in pairwise(cuts):
        middle = (left + right) / 2
        crossing = sorted(
            (_level_at(edge, middle), _level_at(edge, left), _level_at(edge, right))
            for edge in edges
            if edge[0] < middle < edge[2]
        )
        p, q = pivot + along * left, pivot + along * right
        for low, high in zip(crossing[::2], crossing[1::2], strict=False):
            rows.append((p[0], p[1], low[1], high[1], q[0], q[1], low[2], high[2]))
    return np.array(rows, dtype=np.float64).reshape(-1, 8)


def _level_at(edge: tuple[float, ...], at: float) -> float:
    u1, z1, u2, z2 = edge
    return z1 + (z2 - z1) * (at - u1) / (u2 - u1)


def _only_slopes(triangles: FloatArray, owner: IntArray) -> Faces:
    nothing = no_faces()
    return Faces(
        nothing.walls, nothing.wall_owner, triangles.reshape(-1, 9), owner,
        nothing.lids, nothing.planes, nothing.pivots, nothing.lid_owner,
    )  # fmt: skip
