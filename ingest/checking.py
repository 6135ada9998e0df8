"""The job that checks the whole city as it is stored: the parent's half."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cim.city.service import CityService
from cim.errors import Unavailable
from cim.jobs.model import Job, JobLimits, Recovery
from cim.ports import Clock
from cim.quality.model import QualityNotes
from cim.quality.service import QualityService
from ingest.workspace import Workspace, write_table

CHECK_STEPS: Final = ("read", "check")


class CheckingKind:
    """Checks the newest baseline in a child process and keeps the report with the job; the city stays as it is."""

    name = "quality"
    entry = "ingest.worker:check_city"
    steps = CHECK_STEPS
    limits = JobLimits()

    def __init__(self, city: CityService, quality: QualityService, clock: Clock, workspace: Path) -> None:
        self._city = city
        self._quality = quality
        self._clock = clock
        self._workspace = Workspace(workspace, "quality")
        self._running: dict[str, tuple[int, QualityNotes | None]] = {}

    def begin(self, job: Job) -> Mapping[str, object]:
        """Lay the rows of the newest baseline down and return where."""
        frame = self._city.view.frame
        if frame is None:
            raise Unavailable("The city is empty.", code="city-empty")
        version = self._city.baseline_version
        objects, geometries = self._city.all_rows(version)
        folder = self._workspace.lay_out(job)
        write_table(folder / "objects.arrow", objects)
        write_table(folder / "geometries.arrow", geometries)
        self._running[job.id] = (version, None)
        return {"rows": str(folder), "crs": frame.crs, "year_now": self._clock.now().year}

    def on_payload(self, job: Job, payload: object) -> None:
        """Keep the report until all is done."""
        if not isinstance(payload, QualityNotes):
            raise TypeError(type(payload).__name__)
        self._running[job.id] = (self._running[job.id][0], payload)

    def finish(self, job: Job, summary: Mapping[str, object]) -> Mapping[str, object]:
        """Store the report."""
        version, notes = self._running.pop(job.id)
        self._workspace.clear(job)
        if notes is None:
            return summary
        self._quality.record(job.id, version, self._clock.now(), notes)
        return {"baseline_version": version, **summary, **notes.summary()}

    def abort(self, job: Job) -> None:
        """Remove the rows."""
        self._running.pop(job.id, None)
        self._workspace.clear(job)

    def recover(self, job: Job) -> Recovery:
        """Begin again: nothing was changed."""
        self._workspace.clear(job)
        return Recovery.RESUME
