"""Uploads over HTTP: what is kept, what is refused and by which name, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cim.accounts.service import Accounts
from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.jobs.model import Job, JobLimits, Recovery
from cim.jobs.service import JobService
from cim.ports import SystemClock
from cim.uploads import model, service
from cim.uploads.api import uploads_router
from cim.uploads.service import UploadService
from cim.uploads.store import UploadStore
from cim.web.asking import Asking
from cim.web.problems import install_problems

TOKEN = "planner-token-of-the-test"
AUTH = {"Authorization": f"Bearer {TOKEN}"}


class Told:
    """A kind of job that keeps what it was told; its child reads the file's first bytes."""

    steps = ("read",)
    limits = JobLimits()

    def __init__(self, name: str, entry: str = "tests.support.upload_children:first_bytes") -> None:
        self.name = name
        self.entry = entry

    def begin(self, job: Job) -> Mapping[str, object]:
        return job.params

    def on_payload(self, job: Job, payload: object) -> None:
        """Take nothing."""

    def finish(self, job: Job, summary: Mapping[str, object]) -> Mapping[str, object]:
        return summary

    def abort(self, job: Job) -> None:
        """Leave nothing."""

    def recover(self, job: Job) -> Recovery:
        return Recovery.ROLLED_BACK


class Clock(SystemClock):
    ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Desk:
    def __init__(self, root: Path, http: httpx.AsyncClient, jobs: JobService, clock: Clock) -> None:
        self.root, self.http, self.jobs, self.clock = root, http, jobs, clock
        self.free = 1024**4

    async def bring(self, name: str, content: bytes = b"roofs", upload: str | None = None) -> httpx.Response:
        query = {"name": name} | ({} if upload is None else {"upload": upload})
        return await self.http.post("/api/v1/uploads", params=query, content=content, headers=AUTH)

    def left(self) -> list[str]:
        return (
            sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*"))
            if self.root.is_dir()
            else []
        )


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with wired(tmp_path) as (app, found):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
            found.http = http
            yield found


@contextmanager
def wired(path: Path) -> Iterator[tuple[FastAPI, Desk]]:
    with DataDirectory(path) as directory, Database.open(directory) as database:
        clock = Clock()
        jobs = JobService(database, [Told("preview"), Told("ingest")], clock=clock)
        found = Desk(path / "uploads", None, jobs, clock)  # type: ignore[arg-type]
        uploads = UploadService(UploadStore(found.root, lambda _: found.free), jobs, clock)
        jobs.start()
        uploads.start()
        app = FastAPI()
        app.include_router(uploads_router(uploads, Asking(Accounts(TOKEN))))
        install_problems(app)
        try:
            yield app, found
        finally:
            jobs.stop()


async def test_a_file_is_kept_looked_at_taken_in_and_removed(desk: Desk) -> None:
    answer = await desk.bring("Old town.gpkg", b"SQLite format 3\0roofs")
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["name"], told["files"], told["job"]) == ("Old town", [{"name": "Old town.gpkg", "bytes": 21}], None)
    at = f"/api/v1/uploads/{told['id']}"
    assert (await desk.http.get(f"{at}/preview", headers=AUTH)).json()["code"] == "upload-no-job"
    said = {"crs": "EPSG:3879", "dataset": "Old Town", "mapping": {"type": "Building"}, "policy": "quarantine"}
    said["vertical_error_m"] = 0.5
    looked = await desk.http.post(f"{at}/preview", json=said, headers=AUTH)
    assert looked.status_code == 202, looked.text
    assert looked.json()["kind"] == "preview"
    done = await asyncio.to_thread(desk.jobs.wait, looked.json()["id"], 30)
    assert done.summary == {"first": "SQLite format 3", "kind": "file"}
    assert done.params["mapping"] == '{"type":"Building"}'
    assert (done.params["dataset"], done.params["source_crs"], done.params["invalid"]) == (
        "old-town",
        "EPSG:3879",
        "quarantine",
    )
    assert done.params["vertical_error_m"] == 0.5
    assert (await desk.http.get(f"{at}/preview", headers=AUTH)).json()["state"] == "succeeded"
    taken = await desk.http.post(f"{at}/ingest", json=said, headers=AUTH)
    await asyncio.to_thread(desk.jobs.wait, taken.json()["id"], 30)
    await _until(lambda: desk.left() == [])
    assert (await desk.http.get(at, headers=AUTH)).json()["code"] == "upload-not-found"


async def test_a_folder_comes_file_by_file_and_is_read_as_one(desk: Desk) -> None:
    first = (await desk.bring("bureau/parcels.shp", b"shapes")).json()
    for name in ("bureau/parcels.dbf", "bureau/more/notes.txt"):
        assert (await desk.bring(name, b"rows", first["id"])).status_code == 201
    told = (await desk.http.get(f"/api/v1/uploads/{first['id']}", headers=AUTH)).json()
    assert [file["name"] for file in told["files"]] == ["more/notes.txt", "parcels.dbf", "parcels.shp"]
    assert told["bytes"] == 14
    job = (await desk.http.post(f"/api/v1/uploads/{first['id']}/preview", json={}, headers=AUTH)).json()
    done = await asyncio.to_thread(desk.jobs.wait, job["id"], 30)
    assert done.summary["kind"] == "folder"
    assert Path(str(done.params["path"])).name == "bureau"
    assert done.params["dataset"] == "bureau"
    listed = (await desk.http.get("/api/v1/uploads", headers=AUTH)).json()
    assert [one["id"] for one in listed["items"]] == [first["id"]]
    assert listed["limits"]["bytes"] == model.UPLOAD_BYTES_MAX
    assert (await desk.http.delete(f"/api/v1/uploads/{first['id']}", headers=AUTH)).status_code == 204
    assert desk.left() == []


NAMES = (
    "", "..", "../x.gpkg", "a/../../x.gpkg", "/etc/passwd", "a//b", "a/./b", "C:\\x", "a\\..\\b", "nul\x00.gpkg",
    "line\n", " ", "x" * 201, "/".join("d" * 17), "a/ /b", "trailing ",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_that_leads_elsewhere_is_refused(desk: Desk, name: str) -> None:
    answer = await desk.bring(name)
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "upload-name"
    assert desk.left() == []


async def test_only_planners_bring_and_look(desk: Desk) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        for method, path in (
            ("POST", "/api/v1/uploads?name=a.gpkg"), ("GET", "/api/v1/uploads"), ("GET", "/api/v1/uploads/u1"),
            ("POST", "/api/v1/uploads/u1/ingest"), ("DELETE", "/api/v1/uploads/u1"),
        ):  # fmt: skip
            answer = await desk.http.request(method, path, content=b"roofs", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "planner-token")
    assert desk.left() == []


async def test_what_is_too_large_is_named_and_leaves_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "UPLOAD_BYTES_MAX", 100)
    declared = await desk.bring("a.gpkg", b"x" * 101)
    assert (declared.status_code, declared.json()["code"], declared.json()["params"]["limit"]) == (
        413,
        "upload-bytes",
        100,
    )

    async def undeclared() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 10

    streamed = await desk.http.post("/api/v1/uploads?name=a.gpkg", content=undeclared(), headers=AUTH)
    assert (streamed.status_code, streamed.json()["code"]) == (413, "upload-bytes")
    assert desk.left() == []
    first = (await desk.bring("a/1.shp", b"x" * 60)).json()["id"]
    second = await desk.bring("a/2.shp", b"x" * 60, first)
    assert (second.status_code, second.json()["code"]) == (413, "upload-bytes")
    assert desk.left() == [first, f"{first}/a", f"{first}/a/1.shp"]


async def test_counts_are_limited_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "FILES_MAX", 2)
    monkeypatch.setattr(service, "UPLOADS_MAX", 2)
    first = (await desk.bring("a/1.shp")).json()["id"]
    assert (await desk.bring("a/2.shp", upload=first)).status_code == 201
    assert (await desk.bring("a/3.shp", upload=first)).json()["code"] == "upload-files"
    assert (await desk.bring("b.gpkg")).status_code == 201
    assert (await desk.bring("c.gpkg")).json()["code"] == "uploads-waiting"
    desk.clock.ahead = timedelta(seconds=model.KEPT_S + 60)
    # What nobody came back to makes room.
    assert (await desk.bring("c.gpkg")).status_code == 201


async def test_a_full_disk_is_said_and_leaves_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.free = model.FREE_BYTES_MIN + 3
    early = await desk.bring("a.gpkg", b"roofs")
    assert (early.status_code, early.json()["code"]) == (507, "storage-full")
    desk.free = 1024**4

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    late = await desk.bring("a.gpkg", b"roofs")
    assert (late.status_code, late.json()["code"]) == (507, "storage-full")
    assert desk.left() == []


async def test_an_empty_file_and_a_file_in_place_of_a_folder_are_refused(desk: Desk) -> None:
    assert (await desk.bring("a.gpkg", b"")).json()["code"] == "upload-empty"
    assert desk.left() == []
    first = (await desk.bring("a/b", b"roofs")).json()["id"]
    assert (await desk.bring("a/b/c", b"roofs", first)).json()["code"] == "upload-name"
    assert (await desk.bring("a.gpkg", b"roofs", "u0000000000000000")).json()["code"] == "upload-not-found"
    assert (await desk.bring("a.gpkg", b"roofs", "../../x")).json()["code"] == "upload-not-found"


async def test_a_connection_that_is_cut_leaves_nothing(tmp_path: Path) -> None:
    import uvicorn

    with wired(tmp_path) as (app, desk):
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        port = listening.getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST /api/v1/uploads?name=a.gpkg HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTH['Authorization']}\r\n"
        writer.write(f"{head}Content-Length: 9000000\r\n\r\n".encode() + b"x" * 3_000_000)
        await writer.drain()
        await _until(lambda: any(name.endswith(".part") for name in desk.left()))
        writer.transport.abort()
        await _until(lambda: desk.left() == [])
        server.should_exit = True
        await running


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"crs": "EPSG:nonsense"}, "unknown-crs"),
        ({"policy": "drop"}, None),
        ({"vertical_error_m": 0.001}, "vertical-error"),
        ({"vertical_error_m": 0}, None),
        ({"time_zone": "Mars/Olympus"}, "upload-time-zone"),
        ({"mapping": {"x": "y" * model.MAPPING_BYTES_MAX}}, "upload-mapping-bytes"),
        ({"path": "/etc/passwd"}, None),
        ({"dataset": "x" * 41}, None),
    ],
)
async def test_what_cannot_be_said_starts_no_job(desk: Desk, said: dict[str, Any], code: str | None) -> None:
    upload = (await desk.bring("a.gpkg")).json()["id"]
    for way in ("preview", "ingest"):
        answer = await desk.http.post(f"/api/v1/uploads/{upload}/{way}", json=said, headers=AUTH)
        assert answer.status_code in {400, 413, 422}, answer.text
        if code is not None:
            assert answer.json()["code"] == code
    assert desk.jobs.list() == []


async def test_an_upload_that_a_job_reads_stays_as_it_is(desk: Desk) -> None:
    upload = (await desk.bring("slow.gpkg", b"slow")).json()["id"]
    at = f"/api/v1/uploads/{upload}"
    job = (await desk.http.post(f"{at}/ingest", json={}, headers=AUTH)).json()["id"]
    assert (await desk.http.delete(at, headers=AUTH)).json()["code"] == "upload-in-use"
    assert (await desk.bring("slow.dbf", b"x", upload)).json()["code"] == "upload-in-use"
    assert (await desk.http.post(f"{at}/ingest", json={}, headers=AUTH)).json()["code"] == "upload-in-use"
    assert (await desk.http.post(f"{at}/preview", json={}, headers=AUTH)).json()["code"] == "upload-in-use"
    assert (await desk.http.post(f"{at}/cancel", headers=AUTH)).status_code == 200
    ended = await asyncio.to_thread(desk.jobs.wait, job, 30)
    assert ended.state.value == "cancelled"
    # What was not taken in is there still: another try needs no second upload.
    assert (await desk.http.get(at, headers=AUTH)).json()["job"]["state"] == "cancelled"


async def test_a_second_look_stops_the_first(desk: Desk) -> None:
    upload = (await desk.bring("slow.gpkg", b"slow")).json()["id"]
    at = f"/api/v1/uploads/{upload}/preview"
    first = (await desk.http.post(at, json={}, headers=AUTH)).json()["id"]
    second = (await desk.http.post(at, json={"crs": "EPSG:3879"}, headers=AUTH)).json()["id"]
    assert (await asyncio.to_thread(desk.jobs.wait, first, 30)).state.value == "cancelled"
    assert (await desk.http.get(at, headers=AUTH)).json()["id"] == second


def test_what_a_crash_left_is_gone_after_a_start(tmp_path: Path) -> None:
    broken, whole = tmp_path / "uploads" / "u0000000000000001", tmp_path / "uploads" / "u0000000000000002"
    (broken / "a").mkdir(parents=True)
    (broken / "00.part").write_bytes(b"half")
    (whole / "b").mkdir(parents=True)
    (whole / "b" / "b.gpkg").write_bytes(b"whole")
    (whole / "11.part").write_bytes(b"half")
    with wired(tmp_path) as (_, desk):
        assert desk.left() == [whole.name, f"{whole.name}/b", f"{whole.name}/b/b.gpkg"]


async def _until(true: Any, within_s: float = 10.0) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
