"""Replay: interpolation, staggering, errors of instruments, and time that never goes back."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from cim.errors import InvalidInput
from cim.findings import Quality
from cim.sensing.model import Datastream, StateSeries
from ingest.sample import replay as r

HELSINKI = ZoneInfo("Europe/Helsinki")
TIMES = np.arange(0.0, 86400.0, 900.0)


def stream(number: int, observed_property: str = "pressure_head", period_s: float = 5.0) -> Datastream:
    return Datastream(
        f"town:s/{number}", "a", "甲", observed_property, "m", 0.0, 0.0, None, "water", f"J{number}",
        Quality.MODELLED, True, period_s, 0.0, 1.0,
    )  # fmt: skip


def setup(count: int = 200, results: np.ndarray | None = None, observed_property: str = "pressure_head") -> r.Replay:
    streams = [stream(i, observed_property) for i in range(count)]
    if results is None:
        results = np.outer(np.sin(TIMES / 86400 * 2 * np.pi), np.ones(count)) * 5 + 40
    return r.build_replay(streams, StateSeries(tuple(s.id for s in streams), TIMES, results), HELSINKI)


def test_a_state_is_met_exactly_and_the_way_between_is_straight():
    states = setup().states
    assert r.replay(states, 1800.0) == pytest.approx(states.results[2])
    assert r.replay(states, 1800.0 + 300.0) == pytest.approx(states.results[2] * 2 / 3 + states.results[3] / 3)


def test_the_day_closes_on_itself():
    states = setup().states
    end, begin = r.replay(states, 86399.999), r.replay(states, 0.0)
    assert end == pytest.approx(begin, abs=1e-5)
    assert r.replay(states, 86400.0 - 450.0) == pytest.approx((states.results[-1] + states.results[0]) / 2)


def test_every_datastream_reports_once_per_period_and_the_ticks_are_even():
    made = setup(200)
    reported = [r.due(made, tick) for tick in range(5)]
    assert sorted(np.concatenate(reported).tolist()) == list(range(200))
    assert max(len(rows) for rows in reported) < 70


def test_phenomenon_time_ascends_across_days_at_sixty_times():
    start = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    times = [r.simulated_time(start, tick * 1.0) for tick in range(3 * 1440)]
    assert all(a < b for a, b in itertools.pairwise(times))
    assert times[1] - times[0] == timedelta(seconds=60)
    assert times[-1] - times[0] > timedelta(days=2)


def test_a_replay_never_begins_before_what_was_observed():
    now = datetime(2026, 3, 28, tzinfo=UTC)
    assert r.start_after(now, None) == now
    ahead = now + timedelta(days=9)
    assert r.start_after(now, ahead) > ahead
    assert r.start_after(now, now - timedelta(days=1)) == now


def test_local_time_follows_the_wall_clock_over_summer_time():
    winter = datetime(2026, 1, 15, 6, 30, 15, tzinfo=UTC)
    summer = datetime(2026, 7, 15, 6, 30, 15, tzinfo=UTC)
    assert r.local_time_of_day_s(winter, HELSINKI) == 8 * 3600 + 30 * 60 + 15
    assert r.local_time_of_day_s(summer, HELSINKI) == 9 * 3600 + 30 * 60 + 15


def test_the_error_is_small_repeatable_and_normal():
    made = setup(400)
    truth = np.full(400, 40.0)
    errors = np.concatenate([r.instrument_error(made, truth, tick) for tick in range(50)])
    assert np.array_equal(r.instrument_error(made, truth, 7), r.instrument_error(made, truth, 7))
    assert not np.array_equal(r.instrument_error(made, truth, 7), r.instrument_error(made, truth, 8))
    sigma = r.SIGMA["pressure_head"][0]
    assert errors.std() == pytest.approx(sigma, rel=0.03)
    assert abs(errors.mean()) < 0.02 * sigma * 3
    assert np.abs(errors).max() <= 3 * sigma + 1e-12


def test_observations_carry_utc_and_no_negative_counts():
    made = setup(100, np.zeros((96, 100)), "traffic_volume")
    when = datetime(2026, 1, 1, 2, 0, tzinfo=HELSINKI)
    batch = r.observe(made, when, 3)
    assert len(batch.datastream_ids) == len(batch.results) == len(batch.phenomenon_times) > 0
    assert set(batch.phenomenon_times.tolist()) == {datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)}
    assert batch.results.min() >= 0.0
    assert batch.results.max() > 0.0


@pytest.mark.parametrize(
    ("times", "columns", "code"),
    [
        (TIMES[::-1], 3, "replay-states"),
        (TIMES + 900.0, 3, "replay-states"),
        (TIMES, 2, "replay-states"),
        (TIMES, 4, "replay-datastream"),
    ],
)
def test_states_that_cannot_be_replayed_are_refused(times, columns, code):
    ids = tuple(f"town:s/{i}" for i in range(max(3, columns)))
    with pytest.raises(InvalidInput) as caught:
        r.build_replay([stream(i) for i in range(3)], StateSeries(ids, times, np.zeros((96, columns))), HELSINKI)
    assert caught.value.problem_code == code


def test_the_server_can_replay_without_a_solver():
    """Importing the replay imports no solver and no shapes: the server starts fast."""
    script = "import sys, ingest.sample.replay; print([m for m in ('wntr', 'scipy', 'shapely') if m in sys.modules])"
    root = Path(__file__).resolve().parents[4]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", script]
    printed = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "[]"
