from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from jobs_parent import CREATE, Kind, numbers

from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.errors import Conflict, InvalidInput, LimitExceeded, NotFound, StorageFull, Unavailable
from cim.jobs.model import Job, JobLimits, JobState, Recovery
from cim.jobs.service import JobService

MIB = 1024**2


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with DataDirectory(tmp_path / "city") as directory, Database.open(directory) as opened:
        opened.submit(lambda connection: connection.execute(CREATE) and None).result()
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
        job = service.wait(service.submit("count", {"first": 0, "last": 50}, title="Fifty").id, 60)
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
        ("jobs_children:eat_memory", JobLimits(memory_bytes=256 * MIB), "job-memory-limit"),
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
        job = service.wait(service.submit("count", {"path": str(tmp_path / "large")}).id, 60)
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
        job = service.wait(service.submit("count", {"first": 0, "last": 100}).id, 60)
    assert code_of(job) == "storage-full"
    assert numbers(database, job.id) == []


def test_an_error_while_finishing_undoes_the_job(database: Database) -> None:
    kind = Kind(database, finish_error=ValueError("secret detail"))
    with serving(database, kind) as service:
        job = service.wait(service.submit("count", {"first": 0, "last": 3}).id, 60)
    assert code_of(job) == "job-failed"
    assert "secret detail" not in str(job.error)
    assert numbers(database, job.id) == []


def test_a_running_job_is_cancelled(database: Database) -> None:
    kind = Kind(database)
    with serving(database, kind) as service:
        job = service.submit("count", {"first": 0, "last": 10_000, "pause_s": 0.01})
        wait_until(lambda: len(numbers(database, job.id)) > 5)
        service.cancel(job.id)
        job = service.wait(job.id, 30)
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
        job = service.wait(job.id, 30)
        assert job.state is JobState.CANCELLED
        assert time.monotonic() - started_s < 8
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
        assert service.wait(job.id, 30).state is JobState.SUCCEEDED
    assert log.read_text() == "20"


def test_a_stopped_service_takes_its_job_up_again_where_it_was(database: Database) -> None:
    kind = Kind(database, recovery=Recovery.RESUME)
    with serving(database, kind) as service:
        job = service.submit("count", {"first": 0, "last": 100, "pause_s": 0.01})
        wait_until(lambda: len(numbers(database, job.id)) > 5)
    before = len(numbers(database, job.id))
    assert 5 < before < 100
    with serving(database, kind) as service:
        job = service.wait(job.id, 60)
    assert job.state is JobState.SUCCEEDED
    assert job.attempt == 2
    assert numbers(database, job.id) == list(range(100))


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


def test_a_stopped_service_may_start_again(database: Database) -> None:
    """The demo runs the sample's job as a command does, and then serves the same city."""
    kind = Kind(database)
    service = JobService(database, [kind])
    for _ in range(2):
        service.start()
        job = service.run("count", {"first": 0, "last": 3})
        service.stop()
        assert job.state is JobState.SUCCEEDED
    with pytest.raises(Unavailable):
        service.submit("count")


def test_a_cancelled_job_that_waits_to_go_on_leaves_nothing(database: Database) -> None:
    kind = Kind(database, recovery=Recovery.RESUME)
    with serving(database, kind) as service:
        job = service.submit("count", {"first": 0, "last": 10_000, "pause_s": 0.01})
        wait_until(lambda: len(numbers(database, job.id)) > 5)
    with serving(database, kind, running_max=0) as service:
        assert service.get(job.id).state is JobState.QUEUED
        assert service.cancel(job.id).state is JobState.CANCELLED
    assert numbers(database, job.id) == []


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


def test_a_listener_may_submit_a_job_because_of_one_that_was_recovered(database: Database) -> None:
    kind = Kind(database, recovery=Recovery.RESUME)
    with serving(database, kind) as service:
        first = service.submit("count", {"first": 0, "last": 20, "pause_s": 0.05})
        wait_until(lambda: service.get(first.id).state is JobState.RUNNING)
    service = JobService(database, [kind])
    followers: list[Job] = []

    def follow(job: Job) -> None:
        if job.id == first.id and not followers:
            followers.append(service.submit("count", {"first": 0, "last": 3}))

    service.subscribe(follow)
    service.start()
    try:
        assert service.wait(followers[0].id, 20).attempt == 1
        assert [job.state for job in service.list()] == [JobState.SUCCEEDED] * 2
        assert numbers(database, followers[0].id) == [0, 1, 2]
    finally:
        service.stop()


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


def start_parent(path: Path, entry: str, pid_file: Path) -> subprocess.Popen[bytes]:
    here = Path(__file__).parent
    return subprocess.Popen(
        [sys.executable, str(here / "jobs_parent.py"), str(path), entry, str(pid_file)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(here.parents[1]), str(here)])},
    )


def test_a_child_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    parent = start_parent(tmp_path / "city", "jobs_children:sleep_deaf", pid_file)
    try:
        wait_until(lambda: pid_file.exists() and bool(pid_file.read_text()), 60)
    finally:
        parent.kill()
        parent.communicate()
    child_pid = int(pid_file.read_text())
    wait_until(lambda: not is_alive(child_pid), 20)


def test_a_job_that_is_killed_again_and_again_misses_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(7)
    path = tmp_path / "city"
    for _cycle in range(2):
        parent = start_parent(path, "jobs_children:count", tmp_path / "pid")
        try:
            assert parent.stdout is not None
            for _ in range(chance.randint(5, 60)):
                assert parent.stdout.readline() == b"piece\n"
        finally:
            parent.kill()
            parent.communicate()
    with DataDirectory(path) as directory, Database.open(directory) as database:
        kind = Kind(database, recovery=Recovery.RESUME)
        with serving(database, kind) as service:
            jobs = [service.wait(job.id, 30) for job in service.list()]
        states = {job.state for job in jobs if numbers(database, job.id)}
        assert states == {JobState.SUCCEEDED}
        for job in jobs:
            if job.state is JobState.SUCCEEDED:
                assert numbers(database, job.id) == list(range(80))
        assert "recover" in kind.calls


def wait_until(is_so: Callable[[], bool], timeout_s: float = 30.0) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline_s, "waited too long"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    # Where nobody reaps orphans, the dead stay listed.
    return state != "Z"
