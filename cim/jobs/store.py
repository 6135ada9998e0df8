"""Jobs and quarantined features in the database (SQL)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb

from cim.jobs.model import Job, JobState, JobStep, QuarantineEntry

_JOB_COLUMNS = """job_id, kind, title, actor, params, state, attempt, created_at, started_at, ended_at,
    error, summary, resume_point"""


def insert_job(connection: duckdb.DuckDBPyConnection, job: Job) -> None:
    """Store a new job with its steps."""
    connection.execute(
        "INSERT INTO job VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            job.id,
            job.kind,
            job.title,
            job.actor,
            _dump(job.params),
            job.state.value,
            job.attempt,
            job.created_at,
            job.started_at,
            job.ended_at,
            None if job.error is None else _dump(job.error),
            _dump(job.summary),
            None if job.resume_point is None else _dump(job.resume_point),
        ],
    )
    _insert_steps(connection, job)


def update_job(connection: duckdb.DuckDBPyConnection, job: Job) -> None:
    """Store how a job stands; its resume point is left as its kind wrote it."""
    connection.execute(
        """UPDATE job SET state = ?, attempt = ?, started_at = ?, ended_at = ?, error = ?, summary = ?
           WHERE job_id = ?""",
        [
            job.state.value,
            job.attempt,
            job.started_at,
            job.ended_at,
            None if job.error is None else _dump(job.error),
            _dump(job.summary),
            job.id,
        ],
    )
    connection.execute("DELETE FROM job_step WHERE job_id = ?", [job.id])
    _insert_steps(connection, job)


def write_resume_point(connection: duckdb.DuckDBPyConnection, job_id: str, point: Mapping[str, object]) -> None:
    """Store where a job can be taken up again, in the transaction that makes it true."""
    connection.execute("UPDATE job SET resume_point = ? WHERE job_id = ?", [_dump(point), job_id])


def load_jobs(cursor: duckdb.DuckDBPyConnection, limit: int) -> list[Job]:
    """Return the newest jobs and all that have not ended, oldest first."""
    rows = cursor.execute(
        f"""SELECT {_JOB_COLUMNS} FROM job ORDER BY (ended_at IS NULL) DESC, created_at DESC LIMIT ?""",  # noqa: S608
        [limit],
    ).fetchall()
    steps: dict[str, list[JobStep]] = {}
    for job_id, name, state, done, total, unit, rate_per_s in cursor.execute(
        "SELECT job_id, name, state, done, total, unit, rate_per_s FROM job_step ORDER BY job_id, position"
    ).fetchall():
        steps.setdefault(job_id, []).append(JobStep(name, JobState(state), done, total, unit, rate_per_s))
    jobs = [_job(row, tuple(steps.get(row[0], ()))) for row in rows]
    return sorted(jobs, key=lambda job: (job.created_at, job.id))


def delete_jobs(connection: duckdb.DuckDBPyConnection, job_ids: Sequence[str]) -> None:
    """Forget ended jobs and their steps; what they set aside is kept."""
    for job_id in job_ids:
        connection.execute("DELETE FROM job_step WHERE job_id = ?", [job_id])
        connection.execute("DELETE FROM job WHERE job_id = ?", [job_id])


def append_quarantine(
    connection: duckdb.DuckDBPyConnection, job_id: str, entries: Sequence[QuarantineEntry], at: datetime
) -> None:
    """Store features that were not taken in, in the transaction of those that were."""
    if not entries:
        return
    columns: list[list[str]] = [
        [entry.dataset for entry in entries],
        [entry.native_id for entry in entries],
        [entry.source_file for entry in entries],
        [entry.code for entry in entries],
        [entry.detail for entry in entries],
        [_dump(entry.params) for entry in entries],
    ]
    # One statement with a list per column: row by row is four hundred times slower.
    connection.execute(
        """INSERT INTO quarantine
           SELECT ?, unnest(?), unnest(?), unnest(?), unnest(?), unnest(?), unnest(?), ?""",
        [job_id, *columns, at],
    )


def load_quarantine(cursor: duckdb.DuckDBPyConnection, job_id: str, limit: int) -> list[QuarantineEntry]:
    """Return what a job set aside, in the order of its reading."""
    rows = cursor.execute(
        """SELECT dataset, native_id, source_file, code, detail, params FROM quarantine
           WHERE job_id = ? ORDER BY set_aside_at, rowid LIMIT ?""",
        [job_id, limit],
    ).fetchall()
    return [QuarantineEntry(d, n, s, code, detail, json.loads(params)) for d, n, s, code, detail, params in rows]


def _insert_steps(connection: duckdb.DuckDBPyConnection, job: Job) -> None:
    for position, step in enumerate(job.steps):
        connection.execute(
            "INSERT INTO job_step VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [job.id, position, step.name, step.state.value, step.done, step.total, step.unit, step.rate_per_s],
        )


def _job(row: tuple[Any, ...], steps: tuple[JobStep, ...]) -> Job:
    job_id, kind, title, actor, params, state, attempt, created, started, ended, error, summary, point = row
    return Job(
        id=job_id,
        kind=kind,
        title=title,
        actor=actor,
        params=json.loads(params),
        state=JobState(state),
        steps=steps,
        attempt=attempt,
        created_at=_utc(created) or datetime.min.replace(tzinfo=UTC),
        started_at=_utc(started),
        ended_at=_utc(ended),
        error=None if error is None else json.loads(error),
        summary=json.loads(summary),
        resume_point=None if point is None else json.loads(point),
    )


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.replace(tzinfo=UTC)


def _dump(value: Mapping[str, object]) -> str:
    return json.dumps(dict(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
