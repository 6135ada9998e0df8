"""Datastreams and observations over a real database."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import orjson
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from cim.db.directory import DataDirectory
from cim.db.faults import DatabaseDamaged
from cim.db.store import Database
from cim.errors import CimError, Forbidden, LimitExceeded, NotFound, StorageFull
from cim.findings import Quality
from cim.geometry.crs import WorkingFrame
from cim.live.filter import SubjectFacts
from cim.live.hub import LiveHub
from cim.live.topic import Change
from cim.ports import SystemClock
from cim.sensing.actor import ReplayActor
from cim.sensing.api import sensing_router
from cim.sensing.limits import SensingLimits
from cim.sensing.model import Datastream, ObservationBatch, StateSeries
from cim.sensing.service import SensingService
from cim.sensing.store import OBSERVATIONS_GAPLESS

HELSINKI = WorkingFrame("EPSG:3879")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Heard:
    """A hub that remembers."""

    def __init__(self) -> None:
        self.published: list[list[dict]] = []
        self.facts: dict[str, SubjectFacts] = {}

    def publish(self, topic: str, changes: Sequence[Change]) -> int:
        assert topic == "observations"
        self.published.append([orjson.loads(change.json) for change in changes])
        return len(self.published)

    def describe(self, topic: str, facts: Mapping[str, SubjectFacts]) -> None:
        assert topic == "observations"
        self.facts |= facts


def stream(name: str, *, generated: bool = True, **more: object) -> Datastream:
    return Datastream(
        f"helsinki:sensor/{name}", f"Sensor {name}", f"传感器 {name}", "pressure_head", "m", 25496500.0, 6672500.0,
        "helsinki:way/1", "water", name, Quality.MODELLED, generated=generated, period_s=1.0, range_low=20.0,
        range_high=60.0, **({"limit_min": 28.0} | more),  # type: ignore[arg-type]
    )  # fmt: skip


def batch(values: Mapping[str, float], time: datetime = NOON) -> ObservationBatch:
    instant = np.datetime64(time.replace(tzinfo=None), "us")
    return ObservationBatch(
        [f"helsinki:sensor/{n}" for n in values], np.full(len(values), instant), np.array(list(values.values()))
    )


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with DataDirectory(tmp_path) as directory, open_database(directory) as opened:
        yield opened


def open_database(directory: DataDirectory, **options: object) -> Database:
    return Database.open(directory, checks=[OBSERVATIONS_GAPLESS], **options)  # type: ignore[arg-type]


def service(database: Database, **limits: float) -> tuple[SensingService, Heard]:
    heard = Heard()
    made = SensingService(
        database,
        heard,
        frame=lambda: HELSINKI,
        clock=SystemClock(),
        limits=SensingLimits(**limits),  # type: ignore[arg-type]
    )
    made.load()
    return made, heard


async def test_what_was_acknowledged_is_stored_published_and_there_after_a_restart(tmp_path: Path) -> None:
    with DataDirectory(tmp_path) as directory:
        with open_database(directory) as database:
            sensing, heard = service(database)
            await sensing.register([stream("a"), stream("b")])
            assert heard.facts["helsinki:sensor/a"].observed_property == "pressure_head"
            assert heard.facts["helsinki:sensor/a"].lon == pytest.approx(24.94, abs=0.05)
            appended = await sensing.append_observations(batch({"a": 41.0, "b": 20.0, "x": 1.0}))
            assert (appended.batch_id, appended.accepted) == (1, 2)
            assert appended.refused == ((2, "unknown-datastream"),)
            assert heard.published == [
                [
                    {"id": "helsinki:sensor/a", "t": "2026-11-22T12:00:00.000Z", "v": 41.0, "q": "ok"},
                    {"id": "helsinki:sensor/b", "t": "2026-11-22T12:00:00.000Z", "v": 20.0, "q": "limit_min"},
                ]
            ]
            again = await sensing.append_observations(batch({"a": 42.0}, NOON + timedelta(seconds=1)))
            assert again.batch_id == 2
        with open_database(directory) as database:
            sensing, heard = service(database)
            assert sensing.batch_id == 2
            assert {item["id"]: item["v"] for item in heard.published[0]} == {
                "helsinki:sensor/a": 42.0,
                "helsinki:sensor/b": 20.0,
            }
            assert sensing.datastreams == (stream("a"), stream("b"))
            assert (await sensing.append_observations(batch({"a": 1.0}))).batch_id == 3


async def test_a_late_observation_is_kept_but_is_not_the_latest(database: Database) -> None:
    sensing, heard = service(database)
    await sensing.register([stream("a")])
    await sensing.append_observations(batch({"a": 41.0}))
    await sensing.append_observations(batch({"a": 39.0}, NOON - timedelta(hours=1)))
    assert sensing.card("helsinki:sensor/a")["latest"]["result"] == 41.0
    assert len(heard.published) == 1
    assert [row[1] for row in sensing.series("helsinki:sensor/a", None, None, 10)["items"]] == [39.0, 41.0]


async def test_batches_are_numbered_without_gaps_when_many_come_at_once(database: Database) -> None:
    sensing, heard = service(database)
    await sensing.register([stream("a")])
    done = await asyncio.gather(
        *(sensing.append_observations(batch({"a": float(i)}, NOON + timedelta(seconds=i))) for i in range(60))
    )
    assert sorted(a.batch_id or 0 for a in done) == list(range(1, 61))
    assert [items[0]["v"] for items in heard.published] == sorted(items[0]["v"] for items in heard.published)
    with database.read() as cursor:
        assert cursor.execute("SELECT count(*), sum(result) FROM observation").fetchall() == [(60, 1770.0)]


async def test_a_retry_with_its_key_stores_once(database: Database) -> None:
    sensing, heard = service(database)
    await sensing.register([stream("a")])
    first = await sensing.append_observations(batch({"a": 41.0}), idempotency_key="k1")
    again = await sensing.append_observations(batch({"a": 41.0}), idempotency_key="k1")
    assert (first.batch_id, again.batch_id) == (1, 1)
    assert len(heard.published) == 1
    assert sensing.series("helsinki:sensor/a", None, None, 10)["count"] == 1


async def test_a_series_is_whole_or_says_that_it_is_thinned(database: Database) -> None:
    sensing, _ = service(database)
    await sensing.register([stream("a")])
    results = np.random.default_rng(7).normal(40.0, 5.0, 1000)
    times = np.datetime64(NOON.replace(tzinfo=None), "us") + np.arange(1000) * np.timedelta64(60, "s")
    await sensing.append_observations(ObservationBatch(["helsinki:sensor/a"] * 1000, times, results))
    whole = sensing.series("helsinki:sensor/a", None, None, 1000)
    assert whole["thinned"] is False
    assert [row[1] for row in whole["items"]] == results.tolist()
    assert whole["items"][0][0] == "2026-11-22T12:00:00.000Z"
    part = sensing.series("helsinki:sensor/a", NOON + timedelta(minutes=10), NOON + timedelta(minutes=19), 1000)
    assert [row[1] for row in part["items"]] == results[10:20].tolist()
    thinned = sensing.series("helsinki:sensor/a", None, None, 100)
    assert (thinned["thinned"], thinned["count"]) == (True, 1000)
    assert 90 <= len(thinned["items"]) <= 100
    width = thinned["bucket_s"]
    for time, mean, low, high in thinned["items"]:
        begin = (datetime.fromisoformat(time) - NOON).total_seconds()
        span = int(begin // width)
        inside = results[[i for i in range(1000) if int(i * 60 // width) == span]]
        assert (low, high) == (inside.min(), inside.max())
        assert mean == pytest.approx(inside.mean())
    with pytest.raises(LimitExceeded):
        sensing.series("helsinki:sensor/a", None, None, 0)
    with pytest.raises(NotFound):
        sensing.series("nobody", None, None, 10)


async def test_only_generated_observations_grow_old(tmp_path: Path) -> None:
    with DataDirectory(tmp_path) as directory:
        with open_database(directory) as database:
            sensing, _ = service(database, generated_age_days_max=1.0)
            await sensing.register([stream("a"), stream("real", generated=False)])
            await sensing.append_observations(batch({"a": 1.0, "real": 1.0}))
            await sensing.append_observations(batch({"a": 2.0}, NOON + timedelta(hours=20)))
            await sensing.append_observations(batch({"a": 3.0}, NOON + timedelta(hours=30)))
            assert await sensing.prune() == 1
            assert [row[1] for row in sensing.series("helsinki:sensor/a", None, None, 9)["items"]] == [2.0, 3.0]
            assert sensing.series("helsinki:sensor/real", None, None, 9)["count"] == 1
            assert await sensing.prune() == 0
        with open_database(directory) as database:
            sensing, _ = service(database, generated_rows_max=1)
            assert (await sensing.append_observations(batch({"a": 4.0}, NOON + timedelta(hours=31)))).batch_id == 4
            assert await sensing.prune() == 2
            assert sensing.card("helsinki:sensor/a")["latest"]["result"] == 4.0
        with open_database(directory) as database:
            assert service(database)[0].batch_id == 4


async def test_a_missing_batch_is_found_at_start(tmp_path: Path) -> None:
    with DataDirectory(tmp_path) as directory:
        with open_database(directory) as database:
            sensing, _ = service(database)
            await sensing.register([stream("a")])
            for i in range(3):
                await sensing.append_observations(batch({"a": 1.0}, NOON + timedelta(seconds=i)))
            await database.write(lambda c: c.execute("DELETE FROM observation_batch WHERE batch_id = 2").fetchall())
        with pytest.raises(DatabaseDamaged):
            open_database(directory)


async def test_a_full_disk_is_said_and_nothing_is_published(tmp_path: Path) -> None:
    free = 10**12
    with DataDirectory(tmp_path) as directory, open_database(directory, free_bytes=lambda _: free) as database:
        sensing, heard = service(database)
        await sensing.register([stream("a")])
        free = 0
        with pytest.raises(StorageFull):
            await sensing.append_observations(batch({"a": 1.0}))
        assert heard.published == []
        assert sensing.latest("helsinki:sensor/a") is None


def day(*names: str) -> StateSeries:
    hours = np.arange(24) * 3600.0
    columns = [hours / 3600.0 + 100.0 * i for i in range(len(names))]
    return StateSeries(tuple(f"helsinki:sensor/{n}" for n in names), hours, np.column_stack(columns))


async def test_states_come_back_as_they_were(database: Database) -> None:
    sensing, _ = service(database)
    await sensing.register([stream("a"), stream("b")], {"water": day("a", "b"), "power": day("a")})
    await sensing.register([], {"power": day("b")})
    states = service(database)[0].states
    assert set(states) == {"water", "power"}
    assert states["water"].datastream_ids == ("helsinki:sensor/a", "helsinki:sensor/b")
    np.testing.assert_array_equal(states["water"].results, day("a", "b").results)
    np.testing.assert_array_equal(states["water"].time_of_day_s, day("a").time_of_day_s)
    assert states["power"].datastream_ids == ("helsinki:sensor/b",)


class FakeClock:
    """A clock that a test owns; ``sleep`` moves it."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self.elapsed_s = 0.0

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.elapsed_s)

    def monotonic_s(self) -> float:
        return self.elapsed_s

    async def sleep(self, seconds: float) -> None:
        self.elapsed_s += seconds
        await asyncio.sleep(0)


def local_hour(streams: Sequence[Datastream], states: StateSeries, zone: tzinfo):
    """A replay that reads the hour on the wall, so that a test can see the time zone."""
    known = {s.id for s in streams}
    assert set(states.datastream_ids) <= known

    def observe(instant: datetime, _tick: int) -> ObservationBatch:
        local = instant.astimezone(zone)
        count = len(states.datastream_ids)
        return ObservationBatch(
            list(states.datastream_ids),
            np.full(count, np.datetime64(instant.replace(tzinfo=None), "us")),
            np.full(count, local.hour + local.minute / 60.0),
        )

    return observe


def replaying(sensing: SensingService, clock: FakeClock) -> ReplayActor:
    return ReplayActor(
        sensing, local_hour, time_zone=lambda: ZoneInfo("Europe/Helsinki"), clock=clock, sleep=clock.sleep
    )


async def eventually(true: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if true():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came")


async def until(actor: ReplayActor, ticks: int) -> None:
    await eventually(lambda: actor.ticks >= ticks)
    await actor.stop()


async def test_the_replay_keeps_local_time_and_goes_on_after_a_restart(database: Database) -> None:
    sensing, heard = service(database)
    await sensing.register([stream("a")], {"water": day("a")})
    clock = FakeClock(NOON)
    actor = replaying(sensing, clock)
    actor.start()
    await until(actor, 5)
    first = [items[0] for items in heard.published]
    assert first[0]["t"] == "2026-11-22T12:00:00.000Z"
    assert first[0]["v"] == pytest.approx(14.0)  # Helsinki is two hours ahead in winter
    assert first[4]["t"] == "2026-11-22T12:04:00.000Z"
    restarted, heard = service(database)
    actor = replaying(restarted, FakeClock(NOON))
    actor.start()
    await until(actor, 3)
    times = [items[0]["t"] for items in heard.published]
    assert times == sorted(set(times))
    assert times[1] == (NOON + timedelta(minutes=len(first))).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def test_the_replay_takes_up_states_that_come_later_and_skips_late_ticks(database: Database) -> None:
    sensing, heard = service(database)
    clock = FakeClock(NOON)
    actor = replaying(sensing, clock)
    actor.start()
    await asyncio.sleep(0.01)
    assert not actor.running
    await sensing.register([stream("a")], {"water": day("a")})
    await eventually(lambda: actor.ticks >= 2)
    assert actor.running
    clock.elapsed_s += 100.0
    before = actor.ticks
    await until(actor, before + 3)
    times = [datetime.fromisoformat(items[0]["t"]) for items in heard.published]
    steps = [(b - a).total_seconds() for a, b in pairwise(times)]
    assert min(steps) == 60.0
    assert 6000.0 <= max(steps) <= 6120.0


async def test_the_replay_survives_a_full_disk(tmp_path: Path) -> None:
    free = 10**12
    with DataDirectory(tmp_path) as directory, open_database(directory, free_bytes=lambda _: free) as database:
        sensing, _ = service(database)
        await sensing.register([stream("a")], {"water": day("a")})
        actor = replaying(sensing, FakeClock(NOON))
        free = 0
        actor.start()
        await eventually(lambda: actor.failing is not None)
        assert (actor.failing, actor.ticks) == ("storage-full", 0)
        free = 10**12
        await until(actor, 2)
        assert actor.failing is None


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
