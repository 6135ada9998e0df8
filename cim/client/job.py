"""A job of the server: how far it is, what it did to the city, what was wrong with its files, and taking it back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from cim.client import tables
from cim.client.connection import CityProblem, Connection

POLL_S: Final = 0.2
WAIT_S_MAX: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What a delivery did to a city of several sources.

    ``delivery`` counts objects that were added, changed, removed; ``matched`` buildings by what they were matched by;
    ``overlap`` is the spread of the shared areas, ``None`` where none was measured.  ``merged`` is false, and the rest
    empty, where the delivery met no other source.  Lists hold the first 1,000.
    """

    baseline_version: int
    delivery: Mapping[str, int]
    merged: bool
    matched: Mapping[str, int]
    overlap: Mapping[str, float] | None
    gained: pd.Series
    """Facts that buildings got from the delivery, by attribute."""
    conflicts_by_attribute: pd.Series
    conflicts: pd.DataFrame
    """Where sources disagree: object_id, attribute, whose value is kept, who said what else."""
    blocks: pd.DataFrame
    doubts: pd.DataFrame
    attached_gone: pd.DataFrame
    """What people and instruments had attached to objects that went."""


@dataclass(frozen=True, slots=True)
class QualityReport:
    """What was found wrong with a delivery: geometry by the codes of val3dity, attributes, coverage."""

    baseline_version: int
    policy: str
    counts: Mapping[str, int]
    faults: pd.DataFrame
    """One row per kind of fault, indexed by its code."""
    worst: pd.DataFrame
    """The worst features of each kind: what was measured, in the unit of the fault, and where (degrees, metres)."""
    completeness: pd.DataFrame
    """How many objects of a type have a fact: recorded, derived, missing."""
    put_aside: pd.DataFrame
    """Features that did not go in, by reason."""


@dataclass(frozen=True, slots=True)
class UndoOutlook:
    """Whether a job may be taken back, and what later jobs changed of what it touched (the first 1,000)."""

    possible: bool
    baseline_version: int
    built_upon: pd.DataFrame


class Job:
    """One job; ``summary`` is as the server last told it."""

    def __init__(self, connection: Connection, summary: Mapping[str, Any]) -> None:
        self._connection = connection
        self.summary: dict[str, Any] = dict(summary)

    @property
    def id(self) -> str:
        """The job's id."""
        return str(self.summary["id"])

    @property
    def state(self) -> str:
        """How far it was when last asked: queued, running, succeeded, failed, cancelled or interrupted."""
        return str(self.summary["state"])

    @property
    def _path(self) -> str:
        return f"/api/v1/jobs/{self.id}"

    def __repr__(self) -> str:
        """Name the job and how far it is."""
        return f"<Job {self.id} {self.summary['title']!r}: {self.state}>"

    def refresh(self) -> Job:
        """Ask how far it is."""
        self.summary = self._connection.get(self._path)
        return self

    def wait(self, seconds: float = WAIT_S_MAX) -> Job:
        """Wait until it has ended; raises :class:`CityProblem` where it failed, or ``job-slow`` after ``seconds``."""
        until_s = time.monotonic() + seconds
        while self.refresh().summary["ended_at"] is None:
            if time.monotonic() > until_s:
                raise CityProblem(0, {"code": "job-slow", "detail": f"The job has not ended in {seconds:g} s."})
            time.sleep(POLL_S)
        if self.state != "succeeded":
            problem = self.summary["error"] or {"code": f"job-{self.state}", "detail": f"The job is {self.state}."}
            raise CityProblem(int(problem.get("status", 0)), problem)
        return self

    def quarantine(self) -> pd.DataFrame:
        """Return the features that did not go in, and why: the first 1,000."""
        columns = ["dataset", "native_id", "source_file", "code", "detail", "params"]
        return tables.table(self._connection.get(f"{self._path}/quarantine")["items"], columns)

    def merge_report(self) -> MergeReport:
        """Return what the job's delivery did to the city."""
        found = self._connection.get(f"{self._path}/merge")
        conflicts = found.get("conflicts", {"by_attribute": {}, "items": []})
        return MergeReport(
            found["baseline_version"],
            found["delivery"],
            found["merged"],
            found.get("matched", {}),
            found.get("overlap"),
            tables.counted(found.get("gained", {}), "attribute"),
            tables.counted(conflicts["by_attribute"], "attribute"),
            tables.conflicts(conflicts["items"]),
            tables.table(found.get("blocks", {"items": []})["items"], ["incoming", "present"]),
            pd.DataFrame(found.get("doubts", {"items": []})["items"]),
            tables.table(found["attached_gone"]["items"], ["object_id", "kind", "id"]),
        )

    def quality_report(self) -> QualityReport:
        """Return what was found wrong with the job's delivery."""
        found = self._connection.get(f"{self._path}/quality")
        return QualityReport(
            found["baseline_version"],
            found["policy"],
            found["counts"],
            tables.table(found["faults"], tables.FAULT_COLUMNS).set_index("code"),
            tables.worst(found["faults"]),
            tables.completeness(found["completeness"]),
            tables.table(found["put_aside"], ["reason", "features", "code"]),
        )

    def undo_outlook(self) -> UndoOutlook:
        """Return whether the job may be taken back, and what stands in the way."""
        found = self._connection.get(f"{self._path}/undo")
        later = tables.table(found["built_upon"]["items"], ["kind", "id", "job_id"])
        return UndoOutlook(found["possible"], found["baseline_version"], later)

    def undo(self) -> Job:
        """Take back what the job did, and return the job that did so, which can be undone in turn.

        Needs the planner's token.  Raises :class:`CityProblem` (``undo-built-upon``) where later jobs changed the same.
        """
        return Job(self._connection, self._connection.post(f"{self._path}/undo")).wait()
