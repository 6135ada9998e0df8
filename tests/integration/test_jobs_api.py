from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parent))

from jobs_parent import CREATE, Kind

from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.errors import Forbidden
from cim.jobs.api import jobs_router
from cim.jobs.model import QuarantineEntry
from cim.jobs.service import JobService, append_quarantine
from cim.web.problems import install_problems


class Gate:
    open = True

    def __call__(self) -> None:
        if not self.open:
            raise Forbidden("Not from here.")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[JobService]:
    with DataDirectory(tmp_path) as directory, Database.open(directory) as database:
        database.submit(lambda connection: connection.execute(CREATE) and None).result()
        entries = [QuarantineEntry("d", str(n), "f.json", "nan-vertex", "A vertex is NaN.", {"n": n}) for n in range(3)]
        database.submit(
            lambda connection: append_quarantine(connection, "q", entries, datetime(2026, 1, 1, tzinfo=UTC))
        ).result()
        ids = iter(["q", "r", "s"])
        jobs = JobService(database, [Kind(database)], new_id=lambda: next(ids))
        jobs.start()
        yield jobs
        jobs.stop()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def client(service: JobService, gate: Gate) -> TestClient:
    app = FastAPI()
    install_problems(app)
    app.include_router(jobs_router(service, may_write=gate))
    return TestClient(app)


def test_a_job_is_submitted_listed_cancelled_and_looked_into(client: TestClient, service: JobService) -> None:
    body = {"kind": "count", "title": "Count", "params": {"first": 0, "last": 10_000, "pause_s": 0.01}}
    answer = client.post("/api/v1/jobs", json=body)
    assert answer.status_code == 202
    assert (answer.json()["id"], answer.json()["title"]) == ("q", "Count")
    deadline_s = time.monotonic() + 10
    while not (job := client.get("/api/v1/jobs/q").json())["steps"][0]["done"]:
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    assert job["state"] == "running"
    assert job["steps"][0]["unit"] == "numbers"
    assert client.post("/api/v1/jobs/q/cancel").status_code == 200
    assert service.wait("q", 10).state == "cancelled"
    assert [(item["id"], item["state"]) for item in client.get("/api/v1/jobs").json()["items"]] == [("q", "cancelled")]
    again = client.post("/api/v1/jobs/q/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    quarantined = client.get("/api/v1/jobs/q/quarantine").json()["items"]
    assert [(item["native_id"], item["code"], item["params"]) for item in quarantined] == [
        ("0", "nan-vertex", {"n": 0}),
        ("1", "nan-vertex", {"n": 1}),
        ("2", "nan-vertex", {"n": 2}),
    ]


def test_what_is_wrong_is_a_problem(client: TestClient, gate: Gate) -> None:
    unknown = client.get("/api/v1/jobs/nothing")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")
    assert unknown.headers["content-type"] == "application/problem+json"
    assert client.post("/api/v1/jobs", json={"kind": "bake"}).json()["code"] == "invalid-input"
    gate.open = False
    assert client.post("/api/v1/jobs", json={"kind": "count"}).status_code == 403
    assert client.post("/api/v1/jobs/nothing/cancel").status_code == 403
    assert client.get("/api/v1/jobs").json() == {"items": []}


def test_what_a_dry_run_found_is_for_those_who_show_a_token(tmp_path: Path) -> None:
    with DataDirectory(tmp_path) as directory, Database.open(directory) as database:
        database.submit(lambda connection: connection.execute(CREATE) and None).result()
        jobs = JobService(database, [Kind(database, name="preview")])
        jobs.start()
        app = FastAPI()
        app.include_router(jobs_router(jobs, may_write=Gate(), tokens=("the-token-of-a-planner",)))
        client = TestClient(app)
        job = jobs.run("preview", {"last": 3}).id
        told = client.get(f"/api/v1/jobs/{job}", headers={"Authorization": "Bearer the-token-of-a-planner"}).json()
        assert told["summary"] == {"last": 2, "stored": 3}
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}):
            assert client.get(f"/api/v1/jobs/{job}", headers=headers).json()["summary"] == {}
        assert client.get("/api/v1/jobs").json()["items"][0]["summary"] == {}
        jobs.stop()
