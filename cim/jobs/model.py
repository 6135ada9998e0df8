"""A job, its steps, and their JSON form (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from cim.jobs.progress import remaining_s


class JobState(StrEnum):
    """Where a job or a step stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class Recovery(StrEnum):
    """What a kind of job did about one that was interrupted."""

    RESUME = "resume"
    ROLLED_BACK = "rolled-back"
    FINISHED = "finished"


ENDED_STATES = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.INTERRUPTED})


@dataclass(frozen=True, slots=True)
class JobStep:
    """One step: how much of it is done, in ``unit``; ``total`` is None where nobody knows."""

    name: str
    state: JobState = JobState.QUEUED
    done: int = 0
    total: int | None = None
    unit: str = ""
    rate_per_s: float | None = None

    @property
    def remaining_s(self) -> float | None:
        """Seconds until the step is done at the present rate, or None where that is unknown."""
        return remaining_s(self.done, self.total, self.rate_per_s) if self.state is JobState.RUNNING else None


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of long work.

    ``error`` holds the members of an RFC 9457 problem.  ``resume_point`` is what its kind wrote
    last (see ``write_resume_point``).  An interrupted job without ``ended_at`` is still to be
    recovered.
    """

    id: str
    kind: str
    title: str
    created_at: datetime
    state: JobState = JobState.QUEUED
    actor: str = "local"
    params: Mapping[str, object] = field(default_factory=dict)
    steps: tuple[JobStep, ...] = ()
    attempt: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: Mapping[str, object] | None = None
    summary: Mapping[str, object] = field(default_factory=dict)
    resume_point: Mapping[str, object] | None = None
    queued_ahead: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to the job in this process."""
        return self.state in ENDED_STATES


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """A feature that was not taken in: which, from where, and why (a stable code with parameters)."""

    dataset: str
    native_id: str
    source_file: str
    code: str
    detail: str
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobLimits:
    """What the child process of a job may take; each name is the one that an error says."""

    memory_bytes: int = 4 * 1024**3
    cpu_s: int = 3600
    wall_s: float = 7200.0
    file_bytes: int = 8 * 1024**3
    payload_bytes: int = 256 * 1024**2
    payloads_in_flight: int = 4
    cancel_grace_s: float = 5.0


def start_step(job: Job, name: str, total: int | None, unit: str) -> Job:
    """Return the job with this step running and the one that ran before it succeeded."""
    steps = [
        replace(step, state=JobState.SUCCEEDED) if step.state is JobState.RUNNING and step.name != name else step
        for step in job.steps
    ]
    started = JobStep(name, JobState.RUNNING, 0, total, unit)
    for index, step in enumerate(steps):
        if step.name == name:
            steps[index] = started
            break
    else:
        steps.append(started)
    return replace(job, steps=tuple(steps))


def advance_step(job: Job, done: int, total: int | None, rate_per_s: float | None) -> Job:
    """Return the job with its running step at ``done``; a total of None keeps the one that was said."""
    return replace(
        job,
        steps=tuple(
            replace(step, done=done, total=step.total if total is None else total, rate_per_s=rate_per_s)
            if step.state is JobState.RUNNING
            else step
            for step in job.steps
        ),
    )


def end_job(
    job: Job,
    state: JobState,
    *,
    ended_at: datetime | None,
    error: Mapping[str, object] | None = None,
    summary: Mapping[str, object] | None = None,
) -> Job:
    """Return the job ended in ``state``; the step that was running ends with it."""
    succeeded = state is JobState.SUCCEEDED
    steps = tuple(
        replace(step, state=state)
        if step.state is JobState.RUNNING or (succeeded and step.state is JobState.QUEUED)
        else step
        for step in job.steps
    )
    return replace(job, state=state, steps=steps, ended_at=ended_at, error=error, summary=dict(summary or job.summary))


def as_json(job: Job) -> dict[str, object]:
    """Return the job as the API and the live topic show it."""
    return {
        "id": job.id,
        "kind": job.kind,
        "title": job.title,
        "state": job.state.value,
        "steps": [
            {
                "name": step.name,
                "state": step.state.value,
                "done": step.done,
                "total": step.total,
                "unit": step.unit,
                "rate_per_s": step.rate_per_s,
                "remaining_s": step.remaining_s,
            }
            for step in job.steps
        ],
        "queued_ahead": job.queued_ahead,
        "created_at": _iso(job.created_at),
        "started_at": _iso(job.started_at),
        "ended_at": _iso(job.ended_at),
        "error": dict(job.error) if job.error is not None else None,
        "summary": dict(job.summary),
    }


PRIVATE_KINDS: Final = frozenset({"preview"})
"""Kinds whose summaries show what is not in the city yet: they are for those who work on it."""


def as_public_json(job: Job) -> dict[str, object]:
    """Return the job as everybody may see it."""
    return {**as_json(job), "summary": {}} if job.kind in PRIVATE_KINDS else as_json(job)


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat().replace("+00:00", "Z")
