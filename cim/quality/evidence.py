"""What is found in one batch of a delivery, by whichever process looks at it; pure."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson

from cim.city.rows import GeometryRows, ObjectRows, boxes_of
from cim.quality.codes import Criteria, Tolerances
from cim.quality.coverage import Covered, covered_by
from cim.quality.footprints import footprints_of
from cim.quality.geometry import examine
from cim.quality.marks import Marks
from cim.quality.ranges import CHECKED_TYPES, check_facts, suspects

WORST_MAX: Final = 25
"""Features that a report names for each fault, the worst first."""

Place = tuple[float, float, float] | None
Worst = tuple[float, int, str, str | None, float, Place]
_SMALLER_IS_WORSE: Final = frozenset({"101", "102", "301", "height-not-positive", "storeys-negative", "year-too-early"})


@dataclass(slots=True)
class Tally:
    """How often a fault was found, in how many objects, and the worst of them."""

    occurrences: int = 0
    objects: int = 0
    worst: list[Worst] = field(default_factory=list)

    def add(self, severity: float, object_id: str, lod: str | None, measured: float, place: Place) -> None:
        """Count an object, and remember it while it is among the worst."""
        self.objects += 1
        self._remember((severity, -self.objects, object_id, lod, measured, place))

    def join(self, later: Tally) -> None:
        """Take in what was found in a part of the delivery that comes later."""
        for severity, number, object_id, lod, measured, place in later.worst:
            self._remember((severity, number - self.objects, object_id, lod, measured, place))
        self.occurrences += later.occurrences
        self.objects += later.objects

    def _remember(self, entry: Worst) -> None:
        # The earlier of two equals stays, so that the same delivery has the same report.
        if len(self.worst) < WORST_MAX:
            heapq.heappush(self.worst, entry)
        else:
            heapq.heappushpop(self.worst, entry)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found in a batch: a few numbers for each object, and no more than a report names of each fault.

    ``invalid`` are the codes of the objects whose geometry is not valid, by row.
    """

    tallies: dict[str, Tally]
    counts: Counter[str]
    covered: Covered
    invalid: dict[int, tuple[str, ...]]


def evidence_of(rows: ObjectRows, criteria: Criteria) -> Evidence:
    """Look at a batch."""
    attributes = [orjson.loads(text) for text in rows.attributes] if rows.parsed is None else rows.parsed
    boxes, found = boxes_of(rows), _Found(rows)
    found.look_at_geometry(criteria.tolerances)
    drawn_m = boxes[:, 5] - boxes[:, 2]
    for row in suspects(rows.types, attributes, drawn_m, criteria.year_now):
        facts = attributes[row]
        for code, measured in check_facts(rows.types[row], facts, float(drawn_m[row]), criteria.year_now):
            found.count(code, row, None, measured, _middle(boxes[row]))
    found.counts["objects"] += len(rows)
    found.counts["invalid"] += len(found.invalid)
    return Evidence(found.tallies, found.counts, covered_by(rows, attributes, boxes), found.invalid)


@dataclass(slots=True)
class _Found:
    """What is found in some rows, as it is found."""

    rows: ObjectRows
    tallies: dict[str, Tally] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    invalid: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def look_at_geometry(self, tolerances: Tolerances) -> None:
        rows, geometries = self.rows, self.rows.geometries
        examined = examine(geometries, tolerances)
        outlines = footprints_of(rows)
        flat = examine(outlines, tolerances)
        self.counts["geometries"] += len(geometries) + len(outlines)
        self.counts["surfaces"] += examined.surfaces + flat.surfaces
        self.counts["shells"] += examined.shells
        boxes = geometries.bounds()
        for code, found in (("no-ground-surface", examined.floorless), ("not-checked", examined.unexamined)):
            owners, first = np.unique(geometries.owners[found], return_index=True)
            for row, geometry in zip(owners.tolist(), found[first].tolist(), strict=True):
                if code == "not-checked" or rows.types[row] in CHECKED_TYPES:
                    self.count(code, row, geometries.lods[geometry], 1.0, _middle(boxes[geometry]))
        self.invalid = {**self._mark(outlines, flat.found), **self._mark(geometries, examined.found)}

    def _mark(self, geometries: GeometryRows, found: Marks) -> dict[int, tuple[str, ...]]:
        owners = geometries.owners[found.geometries]
        codes: dict[int, set[int]] = {}
        worst: dict[tuple[int, int], int] = {}
        for item, (row, code) in enumerate(zip(owners.tolist(), found.codes.tolist(), strict=True)):
            codes.setdefault(row, set()).add(code)
            self._tally(str(code)).occurrences += 1
            key = (row, code)
            if key not in worst or found.measured[item] > found.measured[worst[key]]:
                worst[key] = item
        for (row, code), item in worst.items():
            x, y, z = found.places[item].tolist()
            lod = geometries.lods[int(found.geometries[item])]
            measured = float(found.measured[item])
            self._tally(str(code)).add(severity_of(str(code), measured), self.rows.ids[row], lod, measured, (x, y, z))
        return {row: tuple(str(code) for code in sorted(own)) for row, own in sorted(codes.items())}

    def count(self, code: str, row: int, lod: str | None, measured: float, place: Place) -> None:
        tally = self._tally(code)
        tally.occurrences += 1
        tally.add(severity_of(code, measured), self.rows.ids[row], lod, measured, place)

    def _tally(self, code: str) -> Tally:
        return self.tallies.setdefault(code, Tally())


def severity_of(code: str, measured: float) -> float:
    """Return what faults of one kind are ordered by: some are worse the smaller the number is."""
    return -measured if code in _SMALLER_IS_WORSE else measured


def _middle(box: Any) -> Place:
    x, y, z = ((box[:3] + box[3:]) / 2.0).tolist()
    return None if math.isnan(x) else (x, y, 0.0 if math.isnan(z) else z)
