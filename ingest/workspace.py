"""Where the parent lays rows down for the child of a job: the child never sees the database."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa

from cim.jobs.model import Job


class Workspace:
    """One folder a job of a kind, empty when it begins and removed at its end."""

    def __init__(self, place: Path, kind: str) -> None:
        self._place = place
        self._kind = kind

    def lay_out(self, job: Job) -> Path:
        """Return the job's folder, without what an ended attempt left."""
        self.clear(job)
        folder = self._of(job)
        folder.mkdir(parents=True)
        return folder

    def clear(self, job: Job) -> None:
        """Remove the job's folder."""
        shutil.rmtree(self._of(job), ignore_errors=True)

    def _of(self, job: Job) -> Path:
        return self._place / f"{self._kind}-{job.id}"


def write_table(path: Path, table: pa.Table) -> None:
    """Lay a table down as an Arrow file."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
