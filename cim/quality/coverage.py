"""What a delivery covers: objects that are nowhere, far away or there twice, and facts that are missing; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely

from cim.city.rows import ObjectRows
from cim.geometry.crs import WorkingFrame, in_area
from cim.quality.codes import VALIDITY_ATTRIBUTE
from cim.quality.layout import Floats, Ints

EXPECTED: Final = {
    "Building": (
        "height_m",
        "storeys_above_ground",
        "year_of_construction",
        "function",
        "name",
        "address",
        "roof_type",
    )
}
"""Facts whose absence is worth a line, though no object of a delivery has them."""

ATTRIBUTES_MAX: Final = 60
"""Attributes of one type whose completeness is counted."""

FAR_SPREADS: Final = 5.0
FAR_M: Final = 1_000.0
"""An object is far from the rest where it lies this many interquartile ranges, and metres, outside the quartiles.

Tukey's fences (J. W. Tukey, Exploratory Data Analysis, 1977) take 3 for far out; a city with one dense quarter needs
more room.
"""

AREA_MARGIN_DEG: Final = 1.0
"""How far beyond the area that the working CRS is made for an object may lie, degrees."""

_NOTHING: Final = (None, "")
_QUALITY: Final = '"q":'
_RECORDED: Final = "recorded"
_CENTIMETRE: Final = 100.0
_SAME_AREA: Final = 10.0

CoverageFault = tuple[str, str, float, tuple[float, float, float] | None]
"""Code, object, what was measured, and the place."""


@dataclass(frozen=True, slots=True)
class Covered:
    """What a batch covers: of each object id, type, box (n, 6), footprint key (n, 5), and the parent if it has one.

    ``named`` counts, by type, which facts objects have, ``derived`` for how many of them somebody derived it.
    """

    ids: list[str]
    types: list[str]
    boxes: Floats
    keys: Ints
    parents: dict[str, str]
    named: dict[str, Counter[str]]
    derived: dict[str, Counter[str]]


def covered_by(rows: ObjectRows, attributes: Sequence[dict[str, Any]], boxes: Floats) -> Covered:
    """Return what a batch covers; ``boxes`` (n, 6) over place and geometries, NaN where there is neither."""
    named: dict[str, list[str]] = {type_: [] for type_ in rows.types}
    derived: dict[str, list[str]] = {type_: [] for type_ in rows.types}
    for type_, facts, text in zip(rows.types, attributes, rows.attributes, strict=True):
        # Most facts say something, and few were derived: the text tells it sooner than a look at each.
        said = facts if _is_full(text, len(facts)) else [n for n, f in facts.items() if f.get("v") not in _NOTHING]
        named[type_].extend(said)
        if _QUALITY in text:
            derived[type_].extend([name for name, fact in facts.items() if "q" in fact and _is_derived(fact)])
    return Covered(
        rows.ids,
        rows.types,
        boxes,
        _footprint_keys(rows.places),
        {key: parent for key, parent in zip(rows.ids, rows.parents, strict=True) if parent},
        {type_: Counter(names) for type_, names in named.items()},
        {type_: Counter(names) for type_, names in derived.items()},
    )


@dataclass(slots=True)
class Coverage:
    """Gathers what all objects of a delivery together say; holds a few numbers for each of them."""

    ids: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    boxes: list[Floats] = field(default_factory=list)
    keys: list[Ints] = field(default_factory=list)
    facts: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    objects: dict[str, int] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    crs: str | None = None
    """The working CRS, where it is known."""

    def take(self, covered: Covered) -> None:
        """Take in what a batch covers."""
        self.ids.extend(covered.ids)
        self.types.extend(covered.types)
        self.boxes.append(covered.boxes)
        self.keys.append(covered.keys)
        self.parents.update(covered.parents)
        for type_, objects in Counter(covered.types).items():
            self.objects[type_] = self.objects.get(type_, 0) + objects
            self._count(type_, covered.named[type_], covered.derived[type_])

    def _count(self, type_: str, named: Counter[str], derived: Counter[str]) -> None:
        """Add how many objects of a type have which facts, and for how many of them somebody derived it."""
        counts = self.facts.setdefault(type_, {name: [0, 0] for name in EXPECTED.get(type_, ())})
        for name, times in named.items():
            if name != VALIDITY_ATTRIBUTE and (name in counts or len(counts) < ATTRIBUTES_MAX):
                own = counts.setdefault(name, [0, 0])
                own[0] += times - derived[name]
                own[1] += derived[name]

    def faults(self) -> Iterator[CoverageFault]:
        """Yield what is wrong, once everything has been taken in."""
        if not self.ids:
            return
        boxes = np.concatenate(self.boxes)
        middles = np.column_stack(((boxes[:, 0] + boxes[:, 3]) / 2, (boxes[:, 1] + boxes[:, 4]) / 2, boxes[:, 2]))
        placed = ~np.isnan(middles[:, 0])
        heights = np.nan_to_num(middles[:, 2])
        places = np.column_stack((middles[:, :2], heights))
        for row in np.flatnonzero(~placed).tolist():
            # A building of parts has its place by them.
            if self.types[row] not in {"Building", "Bridge", "Tunnel", "CityObjectGroup"}:
                yield "nowhere", self.ids[row], 1.0, None
        for row, metres in _far(middles[:, :2], placed):
            yield "far-from-the-rest", self.ids[row], metres, _place(places, row)
        for row in self._orphans():
            yield "parent-missing", self.ids[row], 1.0, _place(places, row)
        for row in self._astray(boxes, placed):
            yield "outside-crs-area", self.ids[row], 1.0, _place(places, row)
        for row, area_m2 in self._twice():
            yield "footprint-twice", self.ids[row], area_m2, _place(places, row)

    def extent(self) -> tuple[float, float, float, float] | None:
        """Return xmin, ymin, xmax, ymax over all objects, ``None`` where none has a place."""
        boxes = np.concatenate([np.empty((0, 6)), *self.boxes])
        boxes = boxes[~np.isnan(boxes[:, 0])]
        if not len(boxes):
            return None
        low, high = boxes[:, :2].min(axis=0), boxes[:, 3:5].max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def completeness(self) -> list[dict[str, Any]]:
        """Return for each type how many of its objects have which facts."""
        return [
            {
                "type": type_,
                "objects": count,
                "attributes": [
                    {"name": name, "recorded": recorded, "derived": derived, "missing": count - recorded - derived}
                    for name, (recorded, derived) in self._sorted_facts(type_)
                ],
            }
            for type_, count in sorted(self.objects.items(), key=lambda item: -item[1])
        ]

    def _sorted_facts(self, type_: str) -> list[tuple[str, list[int]]]:
        """Return the facts of a type: those that are expected of it, then the others, the best known first."""
        expected = EXPECTED.get(type_, ())
        return sorted(
            self.facts.get(type_, {}).items(),
            key=lambda item: (expected.index(item[0]) if item[0] in expected else len(expected), -sum(item[1])),
        )

    def _orphans(self) -> list[int]:
        """Return the rows of what is part of something that is not there, or of itself in the end."""
        if not self.parents:
            return []
        row_of = {identifier: row for row, identifier in enumerate(self.ids)}
        lost = []
        for identifier, parent in self.parents.items():
            seen = {identifier}
            top = parent
            while top in row_of and top not in seen and top in self.parents:
                seen.add(top)
                top = self.parents[top]
            if parent not in row_of or top in seen:
                lost.append(row_of[identifier])
        return lost

    def _astray(self, boxes: Floats, placed: Any) -> list[int]:
        """Return the rows of the objects that lie where the working CRS is not made for."""
        rows = np.flatnonzero(placed)
        if self.crs is None or not len(rows):
            return []
        frame = WorkingFrame(self.crs)
        low, high = boxes[rows, :2].min(axis=0), boxes[rows, 3:5].max(axis=0)
        if in_area(self.crs, frame.to_lonlat(np.array([low, high])), AREA_MARGIN_DEG).all():
            return []
        return [int(row) for row in rows[~in_area(self.crs, frame.to_lonlat(boxes[rows, :2]), AREA_MARGIN_DEG)]]

    def _twice(self) -> Iterator[tuple[int, float]]:
        """Yield every object that has the footprint of one before it, and its area."""
        keys = np.concatenate(self.keys)
        types = np.unique(np.array(self.types), return_inverse=True)[1].reshape(-1, 1)
        has = keys[:, 4] > 0
        rows = np.flatnonzero(has)
        if not len(rows):
            return
        whole = np.column_stack((types, keys))[rows]
        order = np.lexsort(whole.T)
        # Sorted stably: of equal ones the first in the delivery comes first.
        again = np.append(False, (whole[order[1:]] == whole[order[:-1]]).all(axis=1))
        for row in np.sort(rows[order[again]]).tolist():
            yield row, keys[row, 4] / _SAME_AREA


def _is_full(text: str, count: int) -> bool:
    """Tell of most objects whose facts all say something that they do, by their text, of no other."""
    # Every brace but the first opens a fact, with its value: there is nothing nested, and none has no value.
    every = text.count('{"v":') == count == text.count("{") - 1
    return every and '"v":null' not in text and '"v":""' not in text


def _is_derived(fact: dict[str, Any]) -> bool:
    return fact["q"] != _RECORDED and fact.get("v") not in _NOTHING


def _place(places: Floats, row: int) -> tuple[float, float, float]:
    x, y, z = places[row].tolist()
    return x, y, z


def _footprint_keys(places: Any) -> Ints:
    """Return what two equal footprints have in common: box to the centimetre, area, whatever vertex they begin at."""
    bounds = np.nan_to_num(shapely.bounds(places).reshape(-1, 4))
    areas = np.nan_to_num(shapely.area(places))
    keys = np.column_stack((np.rint(bounds * _CENTIMETRE), np.rint(areas * _SAME_AREA)))
    return keys.astype(np.int64)


def _far(middles: Floats, placed: Any) -> Iterator[tuple[int, float]]:
    rows = np.flatnonzero(placed)
    if len(rows) < 4:
        return
    low, high = np.quantile(middles[rows], (0.25, 0.75), axis=0)
    room = np.maximum(FAR_SPREADS * (high - low), FAR_M)
    beyond = np.maximum(np.maximum(low - room - middles[rows], middles[rows] - high - room), 0.0)
    distances = np.linalg.norm(beyond, axis=1)
    for row in np.flatnonzero(distances > 0).tolist():
        yield int(rows[row]), float(distances[row] + room.min())
