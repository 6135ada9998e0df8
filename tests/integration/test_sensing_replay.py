"""The replay of solved days: local time, restarts, states that come later, a full disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.sensing.actor import ReplayActor
from cim.sensing.model import Datastream, ObservationBatch, StateSeries
from cim.sensing.service import SensingService
from tests.support.sensing_city import (
    NOON,
    day,
    open_database,
    service,
    stream,
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with DataDirectory(tmp_path) as directory, open_database(directory) as opened:
        yield opened


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
    # A tick that was being written when the replay was stopped is kept, though nobody was told.
    following = [NOON + timedelta(minutes=len(first) + more) for more in (0, 1)]
    assert times[1] in [at.isoformat(timespec="milliseconds").replace("+00:00", "Z") for at in following]


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
