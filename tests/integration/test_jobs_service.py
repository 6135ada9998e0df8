from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.errors import Conflict, InvalidInput, LimitExceeded, NotFound, StorageFull
from cim.jobs.model import Job, JobLimits, JobState, Recovery
from cim.jobs.service import JobService, write_resume_point

MIB = 1024**2


@pytest.fixture(autouse=True)
def _children_are_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


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


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with DataDirectory(tmp_path / "city") as directory, Database.open(directory) as opened:
        create = "CREATE TABLE IF NOT EXISTS number (job_id VARCHAR, number INTEGER)"
        opened.submit(lambda c: c.execute(create) and None).result()
        yield opened


@contextmanager
def serving(database: Database, *kinds: Kind, **options: int) -> Iterator[JobService]:
    service = JobService(database, kinds, **options)  # type: ignore[arg-type]
    service.start()
    try:
        yield service
    finally:
        service.stop()


def code_of(job: Job) -> object:
    assert job.error is not None, job
    return job.error["code"]


def test_a_job_runs_to_its_end_and_is_remembered(database: Database) -> None:
    kind = Kind(database)
    seen: list[Job] = []
    with serving(database, kind) as service:
        service.subscribe(seen.append)
        job = service.wait(service.submit("count", {"first": 0, "last": 50}, title="Fifty").id, 20)
        assert job.state is JobState.SUCCEEDED
        assert job.summary == {"last": 49, "stored": 50}
        assert numbers(database, job.id) == list(range(50))
    assert [(step.name, step.state.value, step.done, step.total) for step in job.steps] == [
        ("count", "succeeded", 50, 50),
        ("sum up", "succeeded", 0, None),
    ]
    assert seen[0].state is JobState.QUEUED
    assert seen[-1].state is JobState.SUCCEEDED
    with serving(database, kind) as service:
        again = service.get(job.id)
    assert again.summary == job.summary
    assert again.started_at == job.started_at
    assert [step.done for step in again.steps] == [50, 0]


@pytest.mark.parametrize(
    ("entry", "limits", "code"),
    [
        ("jobs_children:refuse", JobLimits(), "truncated"),
        ("jobs_children:divide_by_zero", JobLimits(), "job-child-crashed"),
        ("jobs_children:segfault", JobLimits(), "job-child-crashed"),
        ("jobs_children:vanish", JobLimits(), "job-child-crashed"),
        ("jobs_children:no_such_function", JobLimits(), "invalid-input"),
        ("jobs_children:oom_kill", JobLimits(), "job-memory-limit"),
        ("jobs_children:eat_memory", JobLimits(memory_bytes=512 * MIB), "job-memory-limit"),
        ("jobs_children:spin", JobLimits(cpu_s=1), "job-time-limit"),
        ("jobs_children:spin", JobLimits(wall_s=0.7), "job-time-limit"),
        ("jobs_children:large_payload", JobLimits(payload_bytes=1 * MIB), "job-payload-limit"),
        ("jobs_children:write_large_file", JobLimits(file_bytes=1 * MIB), "job-file-limit"),
    ],
)
def test_a_child_that_fails_says_why_and_leaves_nothing(
    database: Database, tmp_path: Path, entry: str, limits: JobLimits, code: str
) -> None:
    kind = Kind(database, entry=entry, limits=limits)
    with serving(database, kind) as service:
        job = service.wait(service.submit("count", {"path": str(tmp_path / "large")}).id, 20)
    assert job.state is JobState.FAILED
    assert code_of(job) == code
    assert "secret detail" not in str(job.error)
    assert kind.calls == ["begin", "abort"]


def test_an_error_in_the_parent_ends_the_child_and_undoes_the_job(database: Database) -> None:
    def fill_up(payload: object) -> None:
        if isinstance(payload, dict) and payload["number"] == 3:
            raise StorageFull("The disk is full.")

    kind = Kind(database, before_store=fill_up)
    with serving(database, kind) as service:
        job = service.wait(service.submit("count", {"first": 0, "last": 100}).id, 20)
    assert code_of(job) == "storage-full"
    assert numbers(database, job.id) == []


def test_an_error_while_finishing_undoes_the_job(database: Database) -> None:
    kind = Kind(database, finish_error=ValueError("secret detail"))
    with serving(database, kind) as service:
        job = service.wait(service.submit("count", {"first": 0, "last": 3}).id, 20)
    assert code_of(job) == "job-failed"
    assert "secret detail" not in str(job.error)
    assert numbers(database, job.id) == []


def test_a_running_job_is_cancelled(database: Database) -> None:
    kind = Kind(database)
    with serving(database, kind) as service:
        job = service.submit("count", {"first": 0, "last": 10_000, "pause_s": 0.01})
        wait_until(lambda: len(numbers(database, job.id)) > 5)
        service.cancel(job.id)
        job = service.wait(job.id, 10)
        assert job.state is JobState.CANCELLED
        with pytest.raises(Conflict):
            service.cancel(job.id)
    assert kind.calls[-1] == "abort"
    assert numbers(database, job.id) == []


def test_a_child_that_does_not_listen_is_killed_after_its_grace(database: Database, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    kind = Kind(database, entry="jobs_children:sleep_deaf")
    with serving(database, kind) as service:
        job = service.submit("count", {"pid_file": str(pid_file)})
        wait_until(lambda: pid_file.exists() and bool(pid_file.read_text()))
        started_s = time.monotonic()
        service.cancel(job.id)
        job = service.wait(job.id, 10)
        assert job.state is JobState.CANCELLED
        assert time.monotonic() - started_s < 3
    assert not is_alive(int(pid_file.read_text()))


def test_jobs_wait_in_line_and_say_how_many_are_ahead(database: Database) -> None:
    kind = Kind(database)
    with serving(database, kind, queue_max=2) as service:
        first = service.submit("count", {"first": 0, "last": 10_000, "pause_s": 0.01})
        wait_until(lambda: service.get(first.id).state is JobState.RUNNING)
        second = service.submit("count", {"first": 0, "last": 3})
        third = service.submit("count", {"first": 0, "last": 3})
        assert [second.queued_ahead, third.queued_ahead] == [1, 2]
        with pytest.raises(LimitExceeded) as refused:
            service.submit("count", {"first": 0, "last": 3})
        assert refused.value.params["limit"] == "queue_max"
        assert service.cancel(second.id).state is JobState.CANCELLED
        assert service.get(third.id).queued_ahead == 1
        service.cancel(first.id)
        assert service.wait(third.id, 20).state is JobState.SUCCEEDED
        assert [job.id for job in service.list()] == [third.id, second.id, first.id]
        with pytest.raises(NotFound):
            service.get("nothing")
        with pytest.raises(InvalidInput):
            service.submit("bake")


def test_a_child_waits_while_its_payloads_are_not_stored(database: Database, tmp_path: Path) -> None:
    gate = threading.Event()
    log = tmp_path / "log"
    kind = Kind(
        database,
        entry="jobs_children:race_ahead",
        limits=JobLimits(payloads_in_flight=3),
        before_store=lambda _: gate.wait(10) and None,
    )
    with serving(database, kind) as service:
        job = service.submit("count", {"log": str(log)})
        wait_until(lambda: log.exists() and log.read_text() == "3")
        time.sleep(0.3)
        assert log.read_text() == "3"
        gate.set()
        assert service.wait(job.id, 10).state is JobState.SUCCEEDED
    assert log.read_text() == "20"


def test_a_stopped_service_takes_its_job_up_again_where_it_was(database: Database) -> None:
    kind = Kind(database, recovery=Recovery.RESUME)
    with serving(database, kind) as service:
        job = service.submit("count", {"first": 0, "last": 300, "pause_s": 0.01})
        wait_until(lambda: len(numbers(database, job.id)) > 5)
    before = len(numbers(database, job.id))
    assert 5 < before < 300
    with serving(database, kind) as service:
        job = service.wait(job.id, 20)
    assert job.state is JobState.SUCCEEDED
    assert job.attempt == 2
    assert numbers(database, job.id) == list(range(300))


def test_a_stopped_service_rolls_back_what_cannot_go_on(database: Database) -> None:
    kind = Kind(database)
    with serving(database, kind) as service:
        job = service.submit("count", {"first": 0, "last": 10_000, "pause_s": 0.01})
        wait_until(lambda: len(numbers(database, job.id)) > 5)
    with serving(database, kind) as service:
        job = service.get(job.id)
        assert job.state is JobState.INTERRUPTED
        assert code_of(job) == "job-interrupted"
        assert numbers(database, job.id) == []
    with serving(database, kind) as service:
        assert service.get(job.id).ended_at == job.ended_at
    assert kind.calls.count("recover") == 1


def test_a_job_that_keeps_interrupting_the_program_is_given_up(database: Database) -> None:
    kind = Kind(database, recovery=Recovery.RESUME)
    job_id = ""
    for _ in range(3):
        with serving(database, kind) as service:
            job_id = job_id or service.submit("count", {"first": 0, "last": 10_000, "pause_s": 0.01}).id
            wait_until(lambda: service.get(job_id).state is JobState.RUNNING)  # noqa: B023
    with serving(database, kind) as service:
        assert service.get(job_id).state is JobState.INTERRUPTED
    assert numbers(database, job_id) == []


def test_a_job_whose_result_was_the_citys_already_has_succeeded(database: Database) -> None:
    kind = Kind(database, recovery=Recovery.FINISHED)
    with serving(database, kind) as service:
        job = service.submit("count", {"first": 0, "last": 10_000, "pause_s": 0.01})
        wait_until(lambda: service.get(job.id).state is JobState.RUNNING)
    with serving(database, kind) as service:
        assert service.get(job.id).state is JobState.SUCCEEDED


def test_ctrl_c_cancels_the_job_of_a_command_line(database: Database) -> None:
    kind = Kind(database)
    shown: list[Job] = []

    def interrupt_once(job: Job) -> None:
        shown.append(job)
        if job.state is JobState.RUNNING and job.steps[0].done > 3 and not kind.calls.count("interrupted"):
            kind.calls.append("interrupted")
            os.kill(os.getpid(), signal.SIGINT)

    with serving(database, kind) as service:
        job = service.run("count", {"first": 0, "last": 10_000, "pause_s": 0.01}, on_change=interrupt_once)
    assert job.state is JobState.CANCELLED
    assert numbers(database, job.id) == []
    assert any(step.rate_per_s for one in shown for step in one.steps)


def wait_until(is_so: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline_s, "waited too long"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
