"""Properties of the sample's pure parts."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cim.sensing.model import StateSeries
from ingest.sample.replay import replay
from ingest.sample.sensors import midpoint, spread
from ingest.sample.stock import chance, use_shares
from ingest.sample.traffic import furness
from ingest.sample.water import linear_flows

TIMES = np.arange(0.0, 86400.0, 900.0)
coordinates = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.floats(0.0, 1e7), st.integers(0, 2**32 - 1))
def test_a_replayed_result_lies_between_its_two_states(moment, seed):
    results = np.random.default_rng(seed).normal(size=(96, 3))
    states = StateSeries(("a", "b", "c"), TIMES, results)
    row = int(moment % 86400.0 // 900.0)
    pair = results[[row, (row + 1) % 96]]
    value = replay(states, moment)
    assert np.all(value >= pair.min(axis=0) - 1e-9)
    assert np.all(value <= pair.max(axis=0) + 1e-9)


@given(
    st.text(max_size=30), st.integers(0, 1000), st.floats(1.0, 60.0), st.sampled_from(["yes", "office", "church", ""])
)
def test_use_shares_sum_to_one(identifier, seed, storeys, function):
    shares = use_shares(identifier, function, storeys, seed)
    assert abs(shares.sum() - 1.0) < 1e-12
    assert shares.min() >= 0.0
    assert 0.0 <= chance(identifier, seed) < 1.0


@given(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=40), st.integers(0, 50))
def test_spread_takes_different_places_only(points, count):
    xy = np.array(points)
    rows = spread(xy, count)
    assert len(rows) <= min(count, len(xy))
    assert len({tuple(xy[row]) for row in rows}) == len(rows)


@given(st.lists(st.tuples(coordinates, coordinates), min_size=2, max_size=10))
def test_a_midpoint_lies_within_the_line_box(points):
    line = np.array(points)
    x, y = midpoint(line)
    assert line[:, 0].min() - 1e-6 <= x <= line[:, 0].max() + 1e-6
    assert line[:, 1].min() - 1e-6 <= y <= line[:, 1].max() + 1e-6


@given(st.integers(2, 12), st.integers(0, 2**32 - 1))
def test_linear_flows_balance_at_every_node(count, seed):
    rng = np.random.default_rng(seed)
    start = np.r_[np.arange(count - 1), rng.integers(0, count, 4)]
    end = np.r_[np.arange(1, count), rng.integers(0, count, 4)]
    kept = start != end
    start, end = start[kept], end[kept]
    demand = rng.uniform(0.0, 1.0, count)
    flow = linear_flows(start, end, rng.uniform(0.1, 5.0, len(start)), demand, 0)
    into = np.bincount(end, flow, count) - np.bincount(start, flow, count)
    assert np.allclose(into[1:], demand[1:], atol=1e-8)


@given(st.integers(2, 8), st.integers(0, 2**32 - 1))
def test_furness_never_makes_trips_negative_or_more(count, seed):
    rng = np.random.default_rng(seed)
    rows = rng.uniform(0.0, 10.0, count)
    made = furness(rng.uniform(0.0, 1.0, (count, count)), rows, rows)
    assert made.min() >= 0.0
    assert made.sum() <= rows.sum() * (1 + 1e-9)
