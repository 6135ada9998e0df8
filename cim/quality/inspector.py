"""Looks at a delivery while it is read, batch by batch, and writes its report at the end; pure."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson

from cim.city.rows import GeometryRows, ObjectRows, boxes_of
from cim.quality.codes import (
    CHECKS,
    CODE_OF_REASON,
    UNCHECKED,
    Policy,
    Tolerances,
)
from cim.quality.coverage import Coverage
from cim.quality.footprints import footprints_of
from cim.quality.geometry import examine
from cim.quality.marks import Marks
from cim.quality.model import QualityNotes
from cim.quality.ranges import CHECKED_TYPES, check_facts, suspects

WORST_MAX: Final = 25
"""Features that a report names for each fault, the worst first."""

Place = tuple[float, float, float] | None
Worst = tuple[float, int, str, str | None, float, Place]


@dataclass(slots=True)
class Tally:
    """How often a fault was found, in how many objects, and the worst of them."""

    occurrences: int = 0
    objects: int = 0
    worst: list[Worst] = field(default_factory=list)

    def add(self, severity: float, object_id: str, lod: str | None, measured: float, place: Place) -> None:
        """Count an object, and remember it while it is among the worst."""
        self.objects += 1
        # The earlier of two equals stays, so that the same delivery has the same report.
        entry = (severity, -self.objects, object_id, lod, measured, place)
        if len(self.worst) < WORST_MAX:
            heapq.heappush(self.worst, entry)
        else:
            heapq.heappushpop(self.worst, entry)


class Inspector:
    """Checks batches of objects and remembers what was found; its memory is a few numbers for each object."""

    def __init__(
        self,
        policy: Policy = Policy.KEEP,
        tolerances: Tolerances | None = None,
        year_now: int | None = None,
    ) -> None:
        self.policy = policy
        self._tolerances = tolerances or Tolerances()
        self._year_now = year_now
        self._tallies: dict[str, Tally] = {}
        self._coverage = Coverage()
        self._counts: Counter[str] = Counter()
        self._put_aside: Counter[str] = Counter()

    def learn(self, working_crs: str) -> None:
        """Take in which coordinate system the objects are in."""
        self._coverage.crs = working_crs

    def look(self, rows: ObjectRows) -> dict[int, tuple[str, ...]]:
        """Take a batch in and return the codes of the objects whose geometry is not valid, by row."""
        parsed = rows.parsed
        attributes = [orjson.loads(text) for text in rows.attributes] if parsed is None else parsed
        boxes = boxes_of(rows)
        invalid = self._look_at_geometry(rows)
        drawn_m = boxes[:, 5] - boxes[:, 2]
        for row in suspects(rows.types, attributes, drawn_m, self._year_now):
            facts = attributes[row]
            for code, measured in check_facts(rows.types[row], facts, float(drawn_m[row]), self._year_now):
                self._count(code, rows, row, None, measured, _middle(boxes[row]))
        self._coverage.look(rows, attributes, boxes)
        self._counts["objects"] += len(rows)
        self._counts["invalid"] += len(invalid)
        return invalid

    def put_aside(self, reason: str) -> None:
        """Count a feature that did not go in."""
        self._put_aside[reason] += 1

    def _look_at_geometry(self, rows: ObjectRows) -> dict[int, tuple[str, ...]]:
        geometries = rows.geometries
        examined = examine(geometries, self._tolerances)
        outlines = footprints_of(rows)
        flat = examine(outlines, self._tolerances)
        self._counts["geometries"] += len(geometries) + len(outlines)
        self._counts["surfaces"] += examined.surfaces + flat.surfaces
        self._counts["shells"] += examined.shells
        boxes = geometries.bounds()
        for code, found in (("no-ground-surface", examined.floorless), ("not-checked", examined.unexamined)):
            owners, first = np.unique(geometries.owners[found], return_index=True)
            for row, geometry in zip(owners.tolist(), found[first].tolist(), strict=True):
                if code == "not-checked" or rows.types[row] in CHECKED_TYPES:
                    self._count(code, rows, row, geometries.lods[geometry], 1.0, _middle(boxes[geometry]))
        return {**self._mark(rows, outlines, flat.found), **self._mark(rows, geometries, examined.found)}

    def _mark(self, rows: ObjectRows, geometries: GeometryRows, found: Marks) -> dict[int, tuple[str, ...]]:
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
            self._tally(str(code)).add(_severity(str(code), measured), rows.ids[row], lod, measured, (x, y, z))
        return {row: tuple(str(code) for code in sorted(own)) for row, own in sorted(codes.items())}

    def _count(self, code: str, rows: ObjectRows, row: int, lod: str | None, measured: float, place: Place) -> None:
        tally = self._tally(code)
        tally.occurrences += 1
        tally.add(_severity(code, measured), rows.ids[row], lod, measured, place)

    def _tally(self, code: str) -> Tally:
        return self._tallies.setdefault(code, Tally())

    def notes(self) -> QualityNotes:
        """Return the report, once everything has been taken in."""
        for code, object_id, measured, place in self._coverage.faults():
            tally = self._tally(code)
            tally.occurrences += 1
            tally.add(_severity(code, measured), object_id, None, measured, place)
        return QualityNotes(
            {
                "policy": self.policy.value,
                "tolerances": {
                    "snap_m": self._tolerances.snap_m,
                    "plane_m": self._tolerances.plane_m,
                    "normals_deg": self._tolerances.normals_deg,
                },
                "counts": {
                    name: self._counts[name] for name in ("objects", "invalid", "geometries", "surfaces", "shells")
                },
                "faults": [_fault(code, self._tallies[code]) for code in CHECKS if code in self._tallies],
                "completeness": self._coverage.completeness(),
                "extent": self._coverage.extent(),
                "put_aside": [
                    {"reason": reason, "features": count, "code": _code_of(reason)}
                    for reason, count in self._put_aside.most_common()
                ],
                "not_looked_for": list(UNCHECKED),
            }
        )


def _severity(code: str, measured: float) -> float:
    """Return what faults of one kind are ordered by: some are worse the smaller the number is."""
    smaller_is_worse = code in {"101", "102", "301", "height-not-positive", "storeys-negative", "year-too-early"}
    return -measured if smaller_is_worse else measured


def _middle(box: Any) -> Place:
    x, y, z = ((box[:3] + box[3:]) / 2.0).tolist()
    return None if math.isnan(x) else (x, y, 0.0 if math.isnan(z) else z)


def _fault(code: str, tally: Tally) -> Mapping[str, Any]:
    check = CHECKS[code]
    return {
        "code": code,
        "name": check.name,
        "group": check.group.value,
        "unit": check.unit,
        "occurrences": tally.occurrences,
        "objects": tally.objects,
        "worst": [
            {"id": object_id, "lod": lod, "measured": round(measured, 4), "place": _rounded(place)}
            for _, _, object_id, lod, measured, place in sorted(tally.worst, reverse=True)
        ],
    }


def _code_of(reason: str) -> str | None:
    code = reason.removeprefix("geometry-")
    return code if code in CHECKS else CODE_OF_REASON.get(reason)


def _rounded(place: Place) -> list[float] | None:
    return None if place is None else [round(axis, 3) for axis in place]
