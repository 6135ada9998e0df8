"""Looks at a delivery while it is read, batch by batch, and writes its report at the end; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from cim.city.rows import ObjectRows
from cim.quality.codes import (
    CHECKS,
    CODE_OF_REASON,
    UNCHECKED,
    Criteria,
)
from cim.quality.coverage import Coverage
from cim.quality.evidence import Evidence, Place, Tally, evidence_of, severity_of
from cim.quality.model import QualityNotes


class Inspector:
    """Checks batches of objects and remembers what was found; its memory is a few numbers for each object."""

    def __init__(self, criteria: Criteria | None = None) -> None:
        self.criteria = criteria or Criteria()
        """What another process needs to look at batches for this inspector."""
        self._tallies: dict[str, Tally] = {}
        self._coverage = Coverage()
        self._counts: Counter[str] = Counter()
        self._put_aside: Counter[str] = Counter()

    def learn(self, working_crs: str) -> None:
        """Take in which coordinate system the objects are in."""
        self._coverage.crs = working_crs

    def look(self, rows: ObjectRows) -> dict[int, tuple[str, ...]]:
        """Take a batch in and return the codes of the objects whose geometry is not valid, by row."""
        evidence = evidence_of(rows, self.criteria)
        self.take(evidence)
        return evidence.invalid

    def take(self, evidence: Evidence) -> None:
        """Take in what was found in the next batch."""
        for code, tally in evidence.tallies.items():
            self._tally(code).join(tally)
        self._counts.update(evidence.counts)
        self._coverage.take(evidence.covered)

    def put_aside(self, reason: str) -> None:
        """Count a feature that did not go in."""
        self._put_aside[reason] += 1

    def _tally(self, code: str) -> Tally:
        return self._tallies.setdefault(code, Tally())

    def notes(self) -> QualityNotes:
        """Return the report, once everything has been taken in."""
        for code, object_id, measured, place in self._coverage.faults():
            tally = self._tally(code)
            tally.occurrences += 1
            tally.add(severity_of(code, measured), object_id, None, measured, place)
        return QualityNotes(
            {
                "policy": self.criteria.policy.value,
                "tolerances": {
                    "snap_m": self.criteria.tolerances.snap_m,
                    "plane_m": self.criteria.tolerances.plane_m,
                    "normals_deg": self.criteria.tolerances.normals_deg,
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
