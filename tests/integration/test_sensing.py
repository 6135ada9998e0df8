"""Datastreams and observations over a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from cim.db.directory import DataDirectory
from cim.db.faults import DatabaseDamaged
from cim.db.store import Database
from cim.errors import LimitExceeded, NotFound, StorageFull
from cim.sensing.model import ObservationBatch
from tests.support.sensing_city import (
    NOON,
    batch,
    day,
    open_database,
    service,
    stream,
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with DataDirectory(tmp_path) as directory, open_database(directory) as opened:
        yield opened


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
