"""The replay: a task that ticks once a second and appends what the instruments read (shell)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import tzinfo

import numpy as np

from cim.errors import CimError
from cim.ports import Clock
from cim.sensing.feed import SPEED, TICK_S, MakeObserve, Observe, Timeline, begin
from cim.sensing.model import ObservationBatch, StateSeries
from cim.sensing.service import SensingService

_log = logging.getLogger(__name__)


class ReplayActor:
    """Replays the stored states of a city as observations, in the city's own time.

    ``time_zone`` gives the city's time zone (``None`` while the city is empty): states are by local
    time of day.  A tick that cannot be stored is skipped and said once; the replay goes on.
    """

    def __init__(
        self,
        service: SensingService,
        make_observe: MakeObserve,
        *,
        time_zone: Callable[[], tzinfo | None],
        clock: Clock,
        speed: float = SPEED,
        tick_s: float = TICK_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.speed = speed
        self.ticks = 0
        """Ticks that were stored and published in this run."""
        self.failing: str | None = None
        """Code of the error that the last tick met, or ``None``."""
        self._service = service
        self._make_observe = make_observe
        self._time_zone = time_zone
        self._clock = clock
        self._tick_s = tick_s
        self._sleep = sleep
        self._observers: tuple[Observe, ...] = ()
        self._followed: Mapping[str, StateSeries] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether there is something to replay and the task is alive."""
        return bool(self._observers) and self._task is not None and not self._task.done()

    def _follow(self) -> None:
        """Take the states that the service has now, where it was loaded again since."""
        states = self._service.states
        if states is self._followed:
            return
        zone = self._time_zone()
        if zone is None:
            self._observers = ()
            return
        streams = self._service.datastreams
        self._observers = ()
        self._followed = states
        self._observers = tuple(self._make_observe(streams, series, zone) for series in states.values())

    def start(self) -> None:
        """Begin to tick, in the running loop."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self.run(), name="cim-replay")

    async def stop(self) -> None:
        """End; a tick that is being stored is stored."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def run(self) -> None:
        """Tick until cancelled."""
        timeline = begin(
            self._clock.now(),
            self._service.generated_until,
            self._clock.monotonic_s(),
            speed=self.speed,
            tick_s=self._tick_s,
        )
        tick = timeline.first_tick
        while True:
            wait_s = timeline.due_s(tick) - self._clock.monotonic_s()
            if wait_s > 0.0:
                await self._sleep(wait_s)
                continue
            tick = max(tick, timeline.tick_at(self._clock.monotonic_s()))
            await self._tick(timeline, tick)
            tick += 1

    async def _tick(self, timeline: Timeline, tick: int) -> None:
        instant = timeline.phenomenon_time(tick)
        try:
            self._follow()
            batches = [observe(instant, tick) for observe in self._observers]
            batch = _joined(batches)
            if batch.datastream_ids:
                await asyncio.shield(self._service.append_observations(batch))
                self.ticks += 1
                if self.ticks % self._service.limits.prune_every_batches == 0:
                    await self._service.prune()
        except CimError as error:
            if self.failing != error.problem_code:
                _log.warning("the replay cannot store a tick (%s); it goes on trying", error.problem_code)
            self.failing = error.problem_code
        else:
            if self.failing is not None:
                _log.info("the replay stores ticks again")
            self.failing = None


def _joined(batches: list[ObservationBatch]) -> ObservationBatch:
    return ObservationBatch(
        [name for batch in batches for name in batch.datastream_ids],
        np.concatenate([np.empty(0, "datetime64[us]"), *(batch.phenomenon_times for batch in batches)]),
        np.concatenate([np.empty(0), *(batch.results for batch in batches)]),
    )
