"""A file taken into a city by the clock, as a job does it: read in a child process, staged and published in this one.

The child and those who decode for it have started and imported what they need before the clock does.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from cim.city.model import CityFrame
from cim.city.service import CityService
from cim.city.store import Act
from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.findings import Provenance
from cim.jobs.actor import ChildActor, ProgressMessage
from cim.jobs.messages import StepStarted
from cim.jobs.model import JobLimits
from cim.ports import SystemClock
from cim.quality import evidence
from cim.quality.codes import Criteria
from cim.quality.inspector import Inspector
from ingest.columns import gather
from ingest.prepared import ObjectBatch, Preparation
from ingest.readers.registry import reader_for
from ingest.records import Progress, ReadContext, SourceHeader
from ingest.worker import Reporting
from tiles.crew import Crew

NOW = datetime(2026, 1, 1, tzinfo=UTC)
READY = "ready"
_POLL_S = 0.002


def read_when_told(params: Mapping[str, object], channel: Reporting) -> Mapping[str, object]:
    """Read ``params["path"]`` as soon as the file ``params["go"]`` is there; the child's entry."""
    path, go = Path(str(params["path"])), Path(str(params["go"]))
    with Crew(os.cpu_count() or 1) as crew:
        # Twice as many as there are workers, so that each of them has imported what it needs.
        assert all(crew.run(_imported, [path] * 2 * crew.workers))
        criteria = Criteria(year_now=NOW.year)
        records = reader_for(path).read(path, ReadContext("bench", crew=crew, prepare=Preparation(criteria)))
        inspector = Inspector(criteria)
        channel.step(READY)
        while not go.exists():
            time.sleep(_POLL_S)
        for piece in gather(records, inspector):
            if isinstance(piece, Progress):
                channel.progress(piece.done, piece.total)
            else:
                channel.payload(piece)
    return {}


def _imported(path: Path) -> bool:
    """Import what a worker needs to decode and to check."""
    return bool(reader_for(path).name) and evidence.evidence_of is not None


def taken_by_clock(path: Path) -> tuple[float, int]:
    """Return the seconds from the first byte to the published baseline, and how many objects it has."""
    with (
        tempfile.TemporaryDirectory() as folder,
        DataDirectory(Path(folder) / "city") as directory,
        Database.open(directory) as database,
    ):
        return _take(CityService(database), path, Path(folder) / "go")


def _take(city: CityService, path: Path, go: Path) -> tuple[float, int]:
    headers: list[SourceHeader] = []
    began: list[float] = []
    staged = 0

    def on_progress(message: ProgressMessage) -> None:
        if isinstance(message, StepStarted) and message.name == READY:
            began.append(time.perf_counter())
            go.touch()

    def on_payload(payload: object) -> None:
        nonlocal staged
        if isinstance(payload, ObjectBatch):
            city.stage("bench", staged, payload.objects, payload.geometries)
            staged += payload.objects.num_rows
        elif isinstance(payload, SourceHeader):
            headers.append(payload)

    entry = f"{__name__}:{read_when_told.__name__}"
    child = ChildActor(entry, {"path": str(path), "go": str(go)}, JobLimits(), SystemClock())
    child.run(on_progress=on_progress, on_payload=on_payload, is_cancelled=lambda: False)
    published(city, headers, path)
    return time.perf_counter() - began[0], staged


def published(city: CityService, headers: Iterable[SourceHeader], path: Path) -> int:
    """Publish what is staged for the job ``bench``; return how many objects are new."""
    (header,) = headers
    frame = CityFrame("bench", "Bench", "Bench", header.working_crs, header.vertical_datum, header.ground, "UTC")
    dataset = Provenance("bench", "Bench", path.name, "", "", "", header.reader, header.reader_version, NOW)
    return city.publish(Act("bench", "local", "bench", NOW), frame, [dataset]).added
