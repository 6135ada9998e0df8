"""A kind of job for the tests, and a program that runs one until it is killed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.jobs.model import Job, JobLimits, Recovery
from cim.jobs.service import JobService, write_resume_point

CREATE = "CREATE TABLE IF NOT EXISTS number (job_id VARCHAR, number INTEGER)"


@dataclass
class Kind:
    """A kind that keeps every number it gets in a table of its own."""

    database: Database
    entry: str = "jobs_children:count"
    name: str = "count"
    steps: Sequence[str] = ("count", "sum up")
    limits: JobLimits = field(default_factory=lambda: JobLimits(cancel_grace_s=0.5))
    recovery: Recovery = Recovery.ROLLED_BACK
    finish_error: Exception | None = None
    before_store: Callable[[object], None] = lambda _: None
    calls: list[str] = field(default_factory=list)

    def begin(self, job: Job) -> Mapping[str, object]:
        self.calls.append("begin")
        point = job.resume_point or {}
        return {**job.params, "first": point.get("next", job.params.get("first", 0))}

    def on_payload(self, job: Job, payload: object) -> None:
        self.before_store(payload)
        if isinstance(payload, dict):
            number = payload["number"]

            def store(connection: duckdb.DuckDBPyConnection) -> None:
                connection.execute("INSERT INTO number VALUES (?, ?)", [job.id, number])
                write_resume_point(connection, job.id, {"next": number + 1})

            self.database.submit(store).result()

    def finish(self, job: Job, summary: Mapping[str, object]) -> Mapping[str, object]:
        self.calls.append("finish")
        if self.finish_error is not None:
            raise self.finish_error
        return {**summary, "stored": len(numbers(self.database, job.id))}

    def abort(self, job: Job) -> None:
        self.calls.append("abort")
        self.database.submit(lambda c: c.execute("DELETE FROM number WHERE job_id = ?", [job.id]) and None).result()

    def recover(self, job: Job) -> Recovery:
        self.calls.append("recover")
        if self.recovery is Recovery.ROLLED_BACK:
            self.abort(job)
        return self.recovery


def numbers(database: Database, job_id: str) -> list[int]:
    with database.read() as cursor:
        rows = cursor.execute("SELECT number FROM number WHERE job_id = ? ORDER BY rowid", [job_id]).fetchall()
    return [row[0] for row in rows]


def run_until_killed(path: Path, entry: str, pid_file: str) -> None:
    with DataDirectory(path) as directory, Database.open(directory) as database:
        database.submit(lambda connection: connection.execute(CREATE) and None).result()
        kind = Kind(
            database, entry=entry, recovery=Recovery.RESUME, before_store=lambda _: os.write(1, b"piece\n") and None
        )
        service = JobService(database, [kind])
        service.start()
        params = {"first": 0, "last": 80, "pause_s": 0.01, "pid_file": pid_file}
        service.wait(service.submit("count", params).id)


if __name__ == "__main__":
    run_until_killed(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
