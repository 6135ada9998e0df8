"""The beat of a replay: which instant of the city belongs to which second of the clock (pure).

Ticks are numbered from 1970 in steps of the city's time, so the same tick always has the same
phenomenon time, in every run of the server.  A tick that came late skips those it missed: the city's
time never lags behind and never repeats.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TypeAlias

from cim.sensing.model import Datastream, ObservationBatch, StateSeries

SPEED = 60.0
"""Seconds of the city per second of the clock."""

TICK_S = 1.0
"""Seconds of the clock between two ticks."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Observe: TypeAlias = Callable[[datetime, int], ObservationBatch]
"""What the instruments read at a phenomenon time; the second argument is the number of the tick."""

MakeObserve: TypeAlias = Callable[[Sequence[Datastream], StateSeries, tzinfo], Observe]
"""Builds an :data:`Observe` from datastreams, the states they replay and the city's time zone."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A run of a replay: tick ``first_tick`` comes at ``origin_s`` of a monotonic clock."""

    first_tick: int
    step_us: int
    tick_s: float
    origin_s: float

    def tick_at(self, monotonic_s: float) -> int:
        """Return the number of the tick that is due."""
        return self.first_tick + math.floor((monotonic_s - self.origin_s) / self.tick_s + 1e-9)

    def due_s(self, tick: int) -> float:
        """Return when a tick is due on the monotonic clock."""
        return self.origin_s + (tick - self.first_tick) * self.tick_s

    def phenomenon_time(self, tick: int) -> datetime:
        """Return the city's instant of a tick, in UTC."""
        return _EPOCH + timedelta(microseconds=tick * self.step_us)


def begin(
    now: datetime, last: datetime | None, monotonic_s: float, *, speed: float = SPEED, tick_s: float = TICK_S
) -> Timeline:
    """Return the timeline of a run that begins now, after the last stored phenomenon time.

    A replay faster than the clock has run ahead of it; it goes on from where it was.
    """
    step_us = max(1, round(speed * tick_s * 1e6))
    first = -((_EPOCH - now) // _MICROSECOND // step_us)
    if last is not None:
        first = max(first, (last - _EPOCH) // _MICROSECOND // step_us + 1)
    return Timeline(first, step_us, tick_s, monotonic_s)
