"""From a reading to the screen's socket: stored durably, published, received."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path

import numpy as np
import orjson
from websockets.asyncio.client import connect

from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.findings import Quality
from cim.geometry.crs import WorkingFrame
from cim.live.limits import SUBPROTOCOL
from cim.ports import SystemClock
from cim.sensing.model import Datastream, ObservationBatch
from cim.sensing.service import SensingService
from cim.sensing.store import OBSERVATIONS_GAPLESS
from tests.support.live_server import serve

SENSORS, CLIENTS, TICKS = 200, 20, 8


def sensors() -> list[Datastream]:
    return [
        Datastream(
            f"helsinki:sensor/{i}", "Sensor", "传感器", "pressure_head", "m", 25496500.0 + i, 6672500.0,
            None, None, None, Quality.MODELLED, generated=True, period_s=1.0, range_low=0.0, range_high=1.0,
        )
        for i in range(SENSORS)
    ]  # fmt: skip


async def test_two_hundred_sensors_once_a_second_reach_every_client_within_a_second(tmp_path: Path) -> None:
    delays_s: list[float] = []
    with (
        DataDirectory(tmp_path) as directory,
        Database.open(directory, checks=[OBSERVATIONS_GAPLESS]) as database,
        serve() as running,
    ):
        sensing = SensingService(database, running.hub, frame=lambda: WorkingFrame("EPSG:3879"), clock=SystemClock())
        await asyncio.to_thread(
            lambda: asyncio.run_coroutine_threadsafe(sensing.register(sensors()), running.loop).result(10)
        )
        names = [s.id for s in sensing.datastreams]

        async def follow(subscribed: asyncio.Semaphore) -> None:
            async with connect(running.ws, subprotocols=[SUBPROTOCOL], compression=None, proxy=None) as client:  # type: ignore[list-item]
                await client.send('{"op":"subscribe","topic":"observations"}')
                await client.recv()
                subscribed.release()
                heard = 0
                while heard < TICKS * SENSORS:
                    frame = orjson.loads(await asyncio.wait_for(client.recv(), 10))
                    now = time.monotonic()
                    delays_s.extend(now - change["v"] for change in frame.get("changes", ()))
                    heard += len(frame.get("changes", ()))

        subscribed = asyncio.Semaphore(0)
        followers = [asyncio.create_task(follow(subscribed)) for _ in range(CLIENTS)]
        for _ in range(CLIENTS):
            await subscribed.acquire()
        for tick in range(TICKS):
            instant = np.datetime64("2026-11-22T12:00:00", "us") + np.timedelta64(tick, "s")
            read = ObservationBatch(names, np.full(SENSORS, instant), np.full(SENSORS, time.monotonic()))
            appended = await asyncio.wrap_future(
                asyncio.run_coroutine_threadsafe(sensing.append_observations(read), running.loop)
            )
            assert appended.batch_id == tick + 1
            await asyncio.sleep(0.5)
        await asyncio.gather(*followers)
    assert len(delays_s) == SENSORS * TICKS * CLIENTS
    p95_s = statistics.quantiles(delays_s, n=20)[-1]
    print(f"reading to client, stored first: p95 {p95_s * 1000:.0f} ms, worst {max(delays_s) * 1000:.0f} ms")
    assert p95_s < 1.0
