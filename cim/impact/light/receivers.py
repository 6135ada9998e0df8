"""Where light is measured: places on façades, storey by storey, and a grid over parks.

A façade place stands 0.1 m before its wall, 0.9 m above a floor (the sill height at which GB 50180 counts),
every few metres along the wall.  A place under a roof is no façade: party walls and passages drop out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.impact.light.scene import Scene
from cim.impact.light.walls import Faces, FloatArray, IntArray

OFFSET_M: Final = 0.1
SILL_M: Final = 0.9
LINTEL_M: Final = 0.5
"""A place this close below the top of its wall is no window."""
SPACING_M: Final = 4.0
WALL_M_MIN: Final = 1.2
PARK_SPACING_M: Final = 6.0
PARK_PLACES_MAX: Final = 4_000
"""Places in one park: a larger one gets a wider grid."""
ABOVE_GROUND_M: Final = 0.3
COVER_M: Final = 0.05
SIDES: Final = 8


@dataclass(frozen=True, slots=True)
class Receivers:
    """Columns of places, sorted by the object that they belong to.

    ``xyn`` (c, 4) place and outward normal on the map, (0, 0) for open ground; ``ends`` (c,) where the heights
    of each column end in ``z`` (n,), ascending in a column; ``owner`` (c,) row in the scene; ``side`` (c,) which of
    eight directions a wall looks to, clockwise from north, -1 for ground; ``area_m2`` (c,) that a place of ground
    stands for.  Places are in the working CRS.
    """

    xyn: FloatArray
    ends: IntArray
    z: FloatArray
    owner: IntArray
    side: IntArray
    area_m2: FloatArray

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def column_of(self) -> IntArray:
        """The column of each height, shape (n,)."""
        return np.repeat(np.arange(len(self.ends)), np.diff(self.ends, prepend=0))

    def of_owner(self, row: int) -> Receivers:
        """Return the columns of one object."""
        first, last = np.searchsorted(self.owner, [row, row + 1])
        begin = int(self.ends[first - 1]) if first else 0
        end = int(self.ends[last - 1]) if last else 0
        chosen = slice(int(first), int(last))
        return Receivers(
            self.xyn[chosen], self.ends[chosen] - begin, self.z[begin:end],
            self.owner[chosen], self.side[chosen], self.area_m2[chosen],
        )  # fmt: skip


def join_receivers(parts: Sequence[Receivers]) -> Receivers:
    """Return the columns of several, one after the other."""
    if not parts:
        none, nothing = np.empty(0), np.empty(0, dtype=np.int64)
        return Receivers(none.reshape(0, 4), nothing, none, nothing, nothing, none)
    before = np.cumsum([0, *(len(part.z) for part in parts[:-1])])
    return Receivers(
        np.concatenate([part.xyn for part in parts]),
        np.concatenate([part.ends + offset for part, offset in zip(parts, before, strict=True)]),
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("z", "owner", "side", "area_m2")),
    )


def receivers_of(scene: Scene, rows: IntArray) -> Receivers:
    """Return the places of some objects (rows ascending; buildings and parks), those under a roof included."""
    wanted = np.zeros(len(scene), dtype=bool)
    wanted[rows] = True
    facades = _on_facades(scene, np.flatnonzero(wanted[scene.top_row[scene.faces.wall_owner]]))
    parks = [_in_park(scene, row) for row in rows.tolist() if scene.park[row] is not None]
    found = join_receivers([facades, *parks])
    order = np.argsort(found.owner, kind="stable")
    return _reordered(found, order)


def _on_facades(scene: Scene, chosen: IntArray) -> Receivers:
    walls, owner = scene.faces.walls[chosen], scene.top_row[scene.faces.wall_owner[chosen]]
    run = walls[:, 4:6] - walls[:, 0:2]
    length = np.hypot(run[:, 0], run[:, 1])
    count = np.where(length >= WALL_M_MIN, np.maximum(1, np.round(length / SPACING_M)), 0).astype(np.int64)
    wall = np.repeat(np.arange(len(walls)), count)
    step = np.arange(len(wall)) - np.repeat(np.cumsum(count) - count, count)
    f = ((step + 0.5) / np.maximum(count[wall], 1))[:, None]
    normal = np.column_stack((run[:, 1], -run[:, 0]))[wall] / np.maximum(length[wall], 1e-9)[:, None]
    xy = walls[wall, 0:2] + f * run[wall] + OFFSET_M * normal
    low, high = ((1 - f) * walls[wall, 2:4] + f * walls[wall, 6:8]).T
    base, storey = scene.ground_m[owner[wall]] + SILL_M, scene.storey_m[owner[wall]]
    low = np.maximum(low, scene.ground.height_m(xy) + ABOVE_GROUND_M if len(xy) else low)
    first = np.maximum(0, np.ceil((low - base) / storey)).astype(np.int64)
    last = np.floor((high - LINTEL_M - base) / storey).astype(np.int64)
    heights = np.maximum(0, last - first + 1)
    column = np.repeat(np.arange(len(wall)), heights)
    level = np.arange(len(column)) - np.repeat(np.cumsum(heights) - heights, heights) + first[column]
    kept = np.flatnonzero(heights)
    side = np.round(np.degrees(np.arctan2(normal[:, 0], normal[:, 1])) / (360 / SIDES)).astype(np.int64) % SIDES
    return Receivers(
        np.column_stack((xy, normal))[kept], np.cumsum(heights[kept]), base[column] + level * storey[column],
        owner[wall][kept], side[kept], np.zeros(len(kept)),
    )  # fmt: skip


def _in_park(scene: Scene, row: int) -> Receivers:
    park = scene.park[row]
    spacing = max(PARK_SPACING_M, float(np.sqrt(park.area / PARK_PLACES_MAX)))
    xmin, ymin, xmax, ymax = park.bounds
    x = np.arange(np.floor(xmin / spacing) + 0.5, np.ceil(xmax / spacing)) * spacing
    y = np.arange(np.floor(ymin / spacing) + 0.5, np.ceil(ymax / spacing)) * spacing
    xy = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    xy = xy[shapely.contains_xy(park, xy[:, 0], xy[:, 1])]
    if not len(xy):
        xy = shapely.get_coordinates(shapely.point_on_surface(park))
    count = len(xy)
    return Receivers(
        np.column_stack((xy, np.zeros((count, 2)))), np.arange(1, count + 1),
        scene.ground.height_m(xy) + ABOVE_GROUND_M, np.full(count, row), np.full(count, -1),
        np.full(count, park.area / count),
    )  # fmt: skip


def _reordered(found: Receivers, order: IntArray) -> Receivers:
    size = np.diff(found.ends, prepend=0)[order]
    start = (found.ends - np.diff(found.ends, prepend=0))[order]
    ends = np.cumsum(size)
    heights = np.repeat(start - (ends - size), size) + np.arange(int(size.sum()))
    return Receivers(
        found.xyn[order], ends, found.z[heights], found.owner[order], found.side[order], found.area_m2[order]
    )


class Roofs:
    """The lids of a scene, to ask what is over a place."""

    def __init__(self, faces: Faces) -> None:
        self._faces = faces
        self._tree = shapely.STRtree(faces.lids)

    def covers(self, receivers: Receivers, hidden: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Tell for each height, shape (n,), whether a lid of an object that is not ``hidden`` is above it."""
        if not len(self._faces.lids) or not len(receivers):
            return np.zeros(len(receivers.z), dtype=bool)
        xy = receivers.xyn[:, :2]
        column, lid = self._tree.query(shapely.points(xy), predicate="within")
        shown = hidden[self._faces.lid_owner[lid]] == 0
        column, lid = column[shown], lid[shown]
        away = xy[column] - self._faces.pivots[lid]
        plane = self._faces.planes[lid]
        level = plane[:, 0] * away[:, 0] + plane[:, 1] * away[:, 1] + plane[:, 2]
        highest = np.full(len(receivers), -np.inf)
        np.maximum.at(highest, column, level)
        found: NDArray[np.bool_] = receivers.z < highest[receivers.column_of] - COVER_M
        return found
