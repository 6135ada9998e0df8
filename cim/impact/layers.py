"""A kind of thing of the city as columns, and the same with a scheme's changes laid over it; pure.

Rows of the baseline keep their numbers for ever; what a scheme adds or replaces stands behind them.
So a changed layer costs what changed, and shares the arrays and the tree of the baseline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Shapes = NDArray[np.object_]
NOWHERE: Final = -1
"""The row of what lies in nothing."""


class Entry(NamedTuple):
    """A thing of a layer: its id, its place in the working CRS, and what the layer's users need to know of it."""

    id: str
    place: shapely.Geometry
    fact: Any = None


def shapes_of(places: Sequence[shapely.Geometry]) -> Shapes:
    """Return geometries as an object array, also where there are none or one with a length."""
    array: Shapes = np.empty(len(places), dtype=object)
    array[:] = places
    return array


class Layer:
    """Things with a place, by row; immutable once made."""

    def __init__(self, entries: Sequence[Entry], base: Layer | None = None, dead: Sequence[int] = ()) -> None:
        places = shapes_of([entry.place for entry in entries])
        ids, facts = [entry.id for entry in entries], [entry.fact for entry in entries]
        self.base: Layer = self if base is None else base
        self.ids: list[str] = base.ids + ids if base is not None else ids
        self.places: Shapes = np.concatenate((base.places, places)) if base is not None else places
        self.facts: list[Any] = base.facts + facts if base is not None else facts
        self.dead_rows: Ints = np.array(dead, dtype=np.int64)
        self.alive: Flags = np.ones(len(self.ids), dtype=bool)
        self.alive[self.dead_rows] = False
        first = len(self.ids) - len(ids)
        self.memo: dict[str, Any] = {}
        """What is worked out from this layer alone; kept as long as it is."""
        self._extra_rows = {identifier: first + i for i, identifier in enumerate(ids)} if base is not None else {}

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """The baseline's rows by id."""
        return {identifier: row for row, identifier in enumerate(self.base.ids)}

    @cached_property
    def tree(self) -> shapely.STRtree:
        """The tree over the baseline's rows."""
        return shapely.STRtree(self.base.places)

    def __len__(self) -> int:
        return int(self.alive.sum())

    @property
    def base_count(self) -> int:
        """How many rows the baseline has."""
        return len(self.base.ids)

    def row(self, identifier: str) -> int | None:
        """Return the living row of an id."""
        extra = self._extra_rows.get(identifier)
        if extra is not None:
            return extra
        row = self.base.row_of.get(identifier)
        return row if row is not None and self.alive[row] else None

    def overlaid(self, gone: Iterable[str], entries: Sequence[Entry]) -> Layer:
        """Return the baseline's layer without ``gone`` and with ``entries``, which replace rows of their id."""
        base = self.base
        dead = sorted({row for i in (*gone, *(e.id for e in entries)) if (row := base.row_of.get(i)) is not None})
        if not dead and not entries:
            return base
        return Layer(entries, base, dead)

    def same_as(self, other: Layer) -> bool:
        """Tell whether another layer of the same baseline has the same changes."""
        mine, theirs = self.extra_rows(), other.extra_rows()
        if self.base is not other.base or len(mine) != len(theirs) or len(self.dead_rows) != len(other.dead_rows):
            return False
        first = self.base_count
        return (
            self.ids[first:] == other.ids[first:]
            and self.facts[first:] == other.facts[first:]
            and bool((self.dead_rows == other.dead_rows).all())
            and bool((shapely.to_wkb(self.places[first:]) == shapely.to_wkb(other.places[first:])).all())
        )

    def rows(self) -> Ints:
        """Return the living rows, ascending."""
        return np.flatnonzero(self.alive)

    def extra_rows(self) -> range:
        """Return the rows that stand behind the baseline's."""
        return range(self.base_count, len(self.ids))

    def near(self, place: shapely.Geometry) -> list[int]:
        """Return the living rows that meet a place, in the order of their ids."""
        found = [int(row) for row in self.base.tree.query(place, predicate="intersects") if self.alive[row]]
        found += [row for row in self.extra_rows() if shapely.intersects(self.places[row], place)]
        return sorted(found, key=self.ids.__getitem__)

    def holders(self, points: Shapes) -> Ints:
        """Return the living row that holds each point, the first by id where several do, else :data:`NOWHERE`."""
        held = np.full(len(points), NOWHERE, dtype=np.int64)
        if not len(points):
            return held
        pairs = self.base.tree.query(points, predicate="intersects")
        pairs = pairs[:, self.alive[pairs[1]]]
        held[pairs[0]] = pairs[1]
        several = np.flatnonzero(np.bincount(pairs[0], minlength=len(points)) > 1)
        for item in several.tolist():
            held[item] = min(pairs[1][pairs[0] == item].tolist(), key=self.ids.__getitem__)
        for row in self.extra_rows():
            for item in np.flatnonzero(shapely.intersects(self.places[row], points)).tolist():
                before = int(held[item])
                if before == NOWHERE or self.ids[row] < self.ids[before]:
                    held[item] = row
        return held
