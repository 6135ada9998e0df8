"""Datastreams and observations over HTTP."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.errors import CimError, Forbidden, NotFound
from cim.live.hub import LiveHub
from cim.ports import SystemClock
from cim.sensing.api import sensing_router
from cim.sensing.limits import SensingLimits
from cim.sensing.service import SensingService
from tests.support.sensing_city import (
    HELSINKI,
    open_database,
    stream,
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with DataDirectory(tmp_path) as directory, open_database(directory) as opened:
        yield opened


@pytest.fixture
def http(database: Database) -> httpx.AsyncClient:
    hub = LiveHub("e1")
    hub.open_topic("observations")
    sensing = SensingService(
        database, hub, frame=lambda: HELSINKI, clock=SystemClock(), limits=SensingLimits(post_items_max=3)
    )
    sensing.load()
    app = FastAPI()

    @app.exception_handler(CimError)
    async def problem(_: Request, error: CimError) -> JSONResponse:
        return JSONResponse(error.as_problem(), {NotFound: 404, Forbidden: 403}.get(type(error), 400))

    def may_write(request: Request) -> None:
        if request.headers.get("authorization") != "Bearer t":
            raise Forbidden("no")

    app.include_router(sensing_router(sensing, may_write=may_write))
    database.submit(sensing.registration([stream("a"), dataclasses.replace(stream("b"), limit_max=60.0)], {})).result(5)
    sensing.load()
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://city")


async def test_datastreams_and_series_over_http(http: httpx.AsyncClient) -> None:
    listed = (await http.get("/api/v1/datastreams")).json()["items"]
    assert [item["id"] for item in listed] == ["helsinki:sensor/a", "helsinki:sensor/b"]
    assert listed[1] | {"location": None} == {
        "id": "helsinki:sensor/b",
        "name": {"en": "Sensor b", "zh": "传感器 b"},
        "observed_property": "pressure_head",
        "unit": "m",
        "location": None,
        "object_id": "helsinki:way/1",
        "network_id": "water",
        "element_id": "b",
        "quality": "modelled",
        "generated": True,
        "limit_min": 28.0,
        "limit_max": 60.0,
        "period_s": 1.0,
        "range": [20.0, 60.0],
        "latest": None,
    }
    sent = {"items": [
        {"id": "helsinki:sensor/a", "t": "2026-11-22T14:00:00+02:00", "v": 41.25},
        {"id": "nobody", "t": "2026-11-22T14:00:00Z", "v": 1},
    ]}  # fmt: skip
    assert (await http.post("/api/v1/observations", json=sent)).status_code == 403
    answer = await http.post("/api/v1/observations", json=sent, headers={"Authorization": "Bearer t"})
    assert (answer.status_code, answer.json()) == (
        201, {"batch_id": 1, "accepted": 1, "refused": [{"row": 1, "code": "unknown-datastream"}]},
    )  # fmt: skip
    one = (await http.get("/api/v1/datastreams/helsinki%3Asensor%2Fa")).json()
    assert one["latest"] == {"phenomenon_time": "2026-11-22T12:00:00.000Z", "result": 41.25}
    series = (await http.get("/api/v1/datastreams/helsinki%3Asensor%2Fa/observations?limit=5")).json()
    assert series["items"] == [["2026-11-22T12:00:00.000Z", 41.25]]
    late = {"from": "2026-11-22T12:00:01Z"}
    assert (await http.get("/api/v1/datastreams/helsinki:sensor/a/observations", params=late)).json()["items"] == []
    ever = {"from": "0001-01-01T00:00:00+14:00", "to": "9999-12-31T23:59:59-12:00"}
    assert (await http.get("/api/v1/datastreams/helsinki:sensor/a/observations", params=ever)).json()["count"] == 1
    assert (await http.get("/api/v1/datastreams/nobody")).json()["code"] == "datastream-not-found"


@pytest.mark.parametrize(
    ("body", "code", "member"),
    [
        (b'{"items":[{"id":"a","t":"2026-11-22T14:00:00Z","v":NaN}]}', "observation-json", None),
        (b'{"items":[{"id":"a","t":"2026-11-22T14:00:00Z","v":"x"}]}', "observation-items", "items.0.v"),
        (b'{"items":[{"id":"a","t":"2026-11-22T14:00:00","v":1}]}', "observation-items", "items.0.t"),
        (b'{"items":[{"id":"a","t":"2026-11-22T14:00:00Z","v":1,"x":1}]}', "observation-items", "items.0.x"),
        (
            b'{"items":[' + b",".join([b'{"id":"a","t":"2026-11-22T14:00:00Z","v":1}'] * 4) + b"]}",
            "limit-exceeded",
            None,
        ),
        (b"{", "observation-json", None),
        (b"[]", "observation-items", ""),
    ],
)
async def test_what_is_not_a_batch_is_refused(
    http: httpx.AsyncClient, body: bytes, code: str, member: str | None
) -> None:
    answer = await http.post("/api/v1/observations", content=body, headers={"Authorization": "Bearer t"})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json().get("params", {}).get("member") == member
