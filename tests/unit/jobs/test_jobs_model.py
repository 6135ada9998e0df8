from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from cim.errors import InvalidInput
from cim.jobs.model import Job, JobState, JobStep, advance_step, as_json, end_job, start_step

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
JOB = Job("a1", "ingest", "Helsinki", NOON, state=JobState.RUNNING, steps=(JobStep("read"), JobStep("store")))


def states(job: Job) -> list[tuple[str, str]]:
    return [(step.name, step.state.value) for step in job.steps]


def test_a_step_ends_when_the_next_begins() -> None:
    job = start_step(JOB, "read", 10, "objects")
    assert states(job) == [("read", "running"), ("store", "queued")]
    job = start_step(advance_step(job, 10, None, 2.0), "store", None, "")
    assert states(job) == [("read", "succeeded"), ("store", "running")]
    assert (job.steps[0].done, job.steps[0].total) == (10, 10)


def test_a_step_that_nobody_announced_is_added() -> None:
    assert states(start_step(JOB, "index", None, "")) == [
        ("read", "queued"),
        ("store", "queued"),
        ("index", "running"),
    ]


def test_a_step_that_begins_again_counts_from_zero() -> None:
    job = advance_step(start_step(JOB, "read", 10, "objects"), 7, None, 1.0)
    job = start_step(job, "read", 20, "objects")
    assert (job.steps[0].done, job.steps[0].total, job.steps[0].rate_per_s) == (0, 20, None)


def test_progress_moves_the_running_step_only_and_may_correct_its_total() -> None:
    job = advance_step(start_step(JOB, "store", 10, "objects"), 4, 12, 2.0)
    assert [(step.done, step.total) for step in job.steps] == [(0, None), (4, 12)]
    assert job.steps[1].remaining_s == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (JobState.SUCCEEDED, [("read", "succeeded"), ("store", "succeeded")]),
        (JobState.FAILED, [("read", "failed"), ("store", "queued")]),
        (JobState.CANCELLED, [("read", "cancelled"), ("store", "queued")]),
        (JobState.INTERRUPTED, [("read", "interrupted"), ("store", "queued")]),
    ],
)
def test_the_running_step_ends_with_its_job(state: JobState, expected: list[tuple[str, str]]) -> None:
    job = end_job(start_step(JOB, "read", 10, "objects"), state, ended_at=NOON)
    assert states(job) == expected
    assert job.ended
    assert job.steps[0].remaining_s is None


def test_the_json_form_is_that_of_the_contract() -> None:
    job = advance_step(start_step(JOB, "read", 10, "objects"), 4, None, 2.0)
    job = end_job(job, JobState.FAILED, ended_at=NOON, error=InvalidInput("No.", hint="Try.", n=1).as_problem())
    assert json.loads(json.dumps(as_json(job))) == {
        "id": "a1",
        "kind": "ingest",
        "title": "Helsinki",
        "state": "failed",
        "steps": [
            {
                "name": "read",
                "state": "failed",
                "done": 4,
                "total": 10,
                "unit": "objects",
                "rate_per_s": 2.0,
                "remaining_s": None,
            },
            {
                "name": "store",
                "state": "queued",
                "done": 0,
                "total": None,
                "unit": "",
                "rate_per_s": None,
                "remaining_s": None,
            },
        ],
        "queued_ahead": 0,
        "created_at": "2026-11-22T12:00:00Z",
        "started_at": None,
        "ended_at": "2026-11-22T12:00:00Z",
        "error": {
            "type": "urn:cim:problem:invalid-input",
            "code": "invalid-input",
            "detail": "No.",
            "hint": "Try.",
            "params": {"n": 1},
        },
        "summary": {},
    }
