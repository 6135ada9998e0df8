"""Polygons on the map in one ragged layout, so that those of a whole city are handled column by column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.geometry.ragged import Rings
from tiles.footprints import rings, settled, straightened
from tiles.soup import FloatArray, IntArray, counts, ranges, starts


@dataclass(frozen=True)
class Outlines(Rings):
    """Single polygons: ``coordinates`` (n, 2) metres in the working CRS, outer rings counter-clockwise, holes not."""

    @classmethod
    def of(cls, polygons: NDArray[np.object_]) -> Outlines:
        """Return the outlines of polygons that run as they should."""
        return cls(*rings(polygons))

    def __len__(self) -> int:
        """Return how many there are."""
        return self.surface_count

    def __getitem__(self, rows: IntArray | NDArray[np.bool_] | slice) -> Outlines:
        """Return some of them, in the order given."""
        if isinstance(rows, slice):
            return self._part(*rows.indices(len(self))[:2])
        if rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (rows[1:] > rows[:-1]).all():
            return self._part(int(rows[0]), int(rows[-1]) + 1)
        if self.are_single:
            ring, surface_ends = rows, np.arange(1, len(rows) + 1)
        else:
            per_surface = counts(self.surface_ends)[rows]
            ring, surface_ends = ranges(starts(self.surface_ends)[rows], per_surface), np.cumsum(per_surface)
        first = self.ring_starts[ring]
        size = self.ring_ends[ring] - first
        return Outlines(self.coordinates[ranges(first, size)], np.cumsum(size), surface_ends)

    def _part(self, first: int, end: int) -> Outlines:
        if first == 0 and end == len(self):
            return self
        ring, last = (int(self.surface_ends[at - 1]) if at else 0 for at in (first, end))
        vertex, stop = (int(self.ring_ends[at - 1]) if at else 0 for at in (ring, last))
        return Outlines(
            self.coordinates[vertex:stop], self.ring_ends[ring:last] - vertex, self.surface_ends[first:end] - ring
        )

    @cached_property
    def are_single(self) -> bool:
        """Whether all are single rings."""
        return len(self.ring_ends) == len(self.surface_ends)

    @cached_property
    def sizes(self) -> IntArray:
        """How many corners each has, holes' too."""
        return counts(self.ring_ends[self.surface_ends - 1])

    @cached_property
    def bounds(self) -> FloatArray:
        """The box of each, shape (outlines, 4): xmin, ymin, xmax, ymax."""
        return boxes(self.coordinates, self.surface_starts)

    @cached_property
    def area_m2(self) -> FloatArray:
        """The area of each, shape (outlines,), holes left out; below 0 where rings run the wrong way."""
        if not len(self):
            return np.empty(0)
        begin = self.surface_starts
        x, y = (column - np.repeat(column[begin], self.sizes) for column in self.coordinates.T)
        double: FloatArray = np.add.reduceat(x * y[self.next_vertex] - y * x[self.next_vertex], begin)
        return double / 2

    @cached_property
    def shapes(self) -> NDArray[np.object_]:
        """The same as shapely's polygons."""
        at = np.insert(np.arange(len(self.coordinates)), self.ring_ends, self.ring_starts)
        ring_offsets = np.append(0, self.ring_ends + np.arange(1, len(self.ring_ends) + 1))
        offsets = (ring_offsets, np.append(0, self.surface_ends))
        made: NDArray[np.object_] = shapely.from_ragged_array(
            shapely.GeometryType.POLYGON, self.coordinates[at], offsets
        )
        return made

    def straight(self, tolerance_m: float) -> Outlines:
        """Return them without the corners that hardly leave a line."""
        bent = np.flatnonzero(~settled((self.coordinates, self.ring_ends, self.surface_ends), tolerance_m))
        if not len(bent):
            return self
        return self.put(bent, straightened(self[bent].shapes, tolerance_m))

    def put(self, rows: IntArray, polygons: NDArray[np.object_]) -> Outlines:
        """Return them with others in some rows."""
        if not len(rows):
            return self
        place = np.arange(len(self))
        place[rows] = len(self) + np.arange(len(rows))
        return joined([self, Outlines.of(polygons)])[place]


def joined(every: Sequence[Outlines]) -> Outlines:
    """Return several lots of outlines as one, each after the other."""
    filled = [one for one in every if len(one)]
    if len(filled) <= 1:
        return filled[0] if filled else Outlines(np.empty((0, 2)), *(np.empty(0, dtype=np.int64) for _ in range(2)))
    vertices = np.cumsum([0, *(len(one.coordinates) for one in filled[:-1])])
    lots = np.cumsum([0, *(len(one.ring_ends) for one in filled[:-1])])
    return Outlines(
        np.concatenate([one.coordinates for one in filled]),
        np.concatenate([one.ring_ends + shift for one, shift in zip(filled, vertices, strict=True)]),
        np.concatenate([one.surface_ends + shift for one, shift in zip(filled, lots, strict=True)]),
    )


def leftward(outlines: Outlines) -> Outlines:
    """Return single rings counter-clockwise, each from the corner that it begins with."""
    right = outlines.area_m2 < 0
    if not right.any():
        return outlines
    size, first = np.repeat(outlines.sizes, outlines.sizes), outlines.ring_starts[outlines.vertex_surface]
    step = np.arange(len(first)) - first
    back = np.where(step > 0, first + size - step, first)
    at = np.where(right[outlines.vertex_surface], back, np.arange(len(first)))
    return Outlines(outlines.coordinates[at], outlines.ring_ends, outlines.surface_ends)


def boxes(places: FloatArray, begin: IntArray) -> FloatArray:
    """Return the box over each run of places (n, 2), given where each begins, shape (runs, 4)."""
    if not len(begin):
        return np.empty((0, 4))
    x, y = np.ascontiguousarray(places.T)
    sides = [reduce.reduceat(column, begin) for reduce in (np.minimum, np.maximum) for column in (x, y)]
    return np.stack(sides, axis=1)
