"""Replay of a solved day as if instruments had read it; pure: the clock is handed in.

The day repeats.  Between two states a result is interpolated linearly; on top comes a small error
drawn from the datastream's id and the tick, so that the same tick always reads the same.  Nothing
heavy is imported here: the server replays, only a child process solves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cim.errors import InvalidInput
from cim.sensing.model import Datastream, ObservationBatch, StateSeries
from cim.units import SECONDS_PER_DAY

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

SPEED: Final = 60.0
"""Seconds of the city's day per second of the clock."""

TICK_S: Final = 1.0
"""Seconds of the clock between two ticks."""

ERROR_SIGMAS_MAX: Final = 3.0
"""An instrument's error is cut at this many standard deviations."""

SIGMA: Final[dict[str, tuple[float, float]]] = {
    "pressure_head": (0.05, 0.0),
    "flow": (0.0002, 0.005),
    "tank_level": (0.01, 0.0),
    "voltage": (0.0003, 0.0),
    "loading": (0.1, 0.005),
    "active_power": (0.05, 0.005),
    "traffic_volume": (2.0, 0.02),
    "traffic_speed": (0.3, 0.01),
    "energy_demand": (0.1, 0.01),
}
"""Standard error of an instrument by observed property: an absolute part in the property's unit plus
a share of the reading; own assumptions of the order of class 0.5 meters and of loop detectors."""

NOT_NEGATIVE: Final = frozenset({"tank_level", "loading", "traffic_volume", "traffic_speed", "energy_demand"})

_GOLDEN: Final = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class Replay:
    """Everything that does not change from tick to tick, one row per datastream."""

    datastream_ids: tuple[str, ...]
    states: StateSeries
    periods_ticks: IndexArray
    phases_ticks: IndexArray
    seeds: NDArray[np.uint64]
    sigma_absolute: FloatArray
    sigma_share: FloatArray
    not_negative: NDArray[np.bool_]
    time_zone: tzinfo


def build_replay(
    datastreams: Sequence[Datastream], states: StateSeries, time_zone: tzinfo, tick_s: float = TICK_S
) -> Replay:
    """Match datastreams with the states that they replay, in the order of the states.

    Datastreams without a state are left out.  Raises :class:`InvalidInput` (``replay-datastream``)
    for a state without datastream, (``replay-states``) for states that are not a day.
    """
    if states.results.shape != (len(states.time_of_day_s), len(states.datastream_ids)):
        raise InvalidInput("The states do not fit their times and datastreams.", code="replay-states")
    times = states.time_of_day_s
    if len(times) == 0 or np.any(np.diff(times) <= 0.0) or times[0] < 0.0 or times[-1] >= SECONDS_PER_DAY:
        raise InvalidInput("The states do not ascend within one day.", code="replay-states")
    known = {stream.id: stream for stream in datastreams}
    missing = [name for name in states.datastream_ids if name not in known]
    if missing:
        raise InvalidInput("A state belongs to no datastream.", code="replay-datastream", datastream_id=missing[0])
    chosen = [known[name] for name in states.datastream_ids]
    sigma = np.array([SIGMA.get(stream.observed_property, (0.0, 0.0)) for stream in chosen]).reshape(-1, 2)
    seeds = np.array([_seed(stream.id) for stream in chosen], dtype=np.uint64)
    periods = np.array([max(1, round(stream.period_s / tick_s)) for stream in chosen], dtype=np.int64)
    return Replay(
        datastream_ids=states.datastream_ids,
        states=states,
        periods_ticks=periods,
        phases_ticks=np.asarray(seeds % periods.astype(np.uint64), dtype=np.int64),
        seeds=seeds,
        sigma_absolute=sigma[:, 0],
        sigma_share=sigma[:, 1],
        not_negative=np.array([stream.observed_property in NOT_NEGATIVE for stream in chosen], dtype=np.bool_),
        time_zone=time_zone,
    )


def simulated_time(start: datetime, elapsed_s: float, speed: float = SPEED) -> datetime:
    """Return the city's time after ``elapsed_s`` of the clock; strictly increasing in ``elapsed_s``.

    ``start`` is timezone-aware; give :func:`start_after` where observations exist already.
    """
    return start + timedelta(seconds=elapsed_s * speed)


def start_after(now: datetime, last: datetime | None) -> datetime:
    """Return where a replay begins: now, or just after the last phenomenon time if that is later.

    A replay faster than the clock has run ahead of it; beginning again at ``now`` would go back.
    """
    return now if last is None else max(now, last + timedelta(milliseconds=1))


def local_time_of_day_s(instant: datetime, time_zone: tzinfo) -> float:
    """Return seconds after local midnight as a wall clock shows them, in [0, 86400)."""
    local = instant.astimezone(time_zone)
    return local.hour * 3600.0 + local.minute * 60.0 + local.second + local.microsecond / 1e6


def replay(states: StateSeries, time_of_day_s: float) -> FloatArray:
    """Return the true results at a time of day, shape (d,), the last state leading to the first."""
    times, results = states.time_of_day_s, states.results
    moment = time_of_day_s % SECONDS_PER_DAY
    after = int(np.searchsorted(times, moment, side="right"))
    low, high = (after - 1) % len(times), after % len(times)
    span = (float(times[high]) - float(times[low])) % SECONDS_PER_DAY
    share = 0.0 if span == 0.0 else ((moment - float(times[low])) % SECONDS_PER_DAY) / span
    return np.asarray(results[low] * (1.0 - share) + results[high] * share, dtype=np.float64)


def due(setup: Replay, tick: int) -> IndexArray:
    """Return the rows that report at a tick: each once per period, spread evenly over it."""
    return np.flatnonzero((tick + setup.phases_ticks) % setup.periods_ticks == 0)


def instrument_error(setup: Replay, truth: FloatArray, tick: int) -> FloatArray:
    """Return an error per datastream, shape (d,), in its unit; the same for the same tick."""
    sigma = setup.sigma_absolute + setup.sigma_share * np.abs(truth)
    first = _uniform(setup.seeds, 2 * tick)
    second = _uniform(setup.seeds, 2 * tick + 1)
    # Box and Muller (1958): two uniform numbers make a normal one.
    normal = np.sqrt(-2.0 * np.log(first)) * np.cos(2.0 * np.pi * second)
    return np.asarray(sigma * np.clip(normal, -ERROR_SIGMAS_MAX, ERROR_SIGMAS_MAX), dtype=np.float64)


def observe(setup: Replay, phenomenon_time: datetime, tick: int) -> ObservationBatch:
    """Return what the instruments that are due at a tick read at a phenomenon time."""
    truth = replay(setup.states, local_time_of_day_s(phenomenon_time, setup.time_zone))
    results = truth + instrument_error(setup, truth, tick)
    results = np.where(setup.not_negative, np.maximum(results, 0.0), results)
    rows = due(setup, tick)
    instant = np.datetime64(phenomenon_time.astimezone(UTC).replace(tzinfo=None), "us")
    return ObservationBatch(
        [setup.datastream_ids[row] for row in rows.tolist()], np.full(len(rows), instant), results[rows]
    )


def _seed(identifier: str) -> int:
    return int.from_bytes(hashlib.blake2b(identifier.encode(), digest_size=8).digest(), "big")


def _uniform(seeds: NDArray[np.uint64], counter: int) -> FloatArray:
    """Mix seeds and a counter to numbers in (0, 1]: splitmix64 (Steele, Lea, Flood 2014)."""
    step = np.uint64(((counter + 1) * _GOLDEN) % 2**64)
    with np.errstate(over="ignore"):
        mixed = seeds + step
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return np.asarray(((mixed >> np.uint64(11)).astype(np.float64) + 1.0) * 2.0**-53, dtype=np.float64)
