"""Sky and views against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely

from cim.impact.sky import EYE_M, landmark_share, sky_factors
from tests.support.impact_city import EAST, NORTH, box, drawn, house, stock_of

HERE = np.array([[EAST, NORTH]])


def ring(radius: float, height: float):
    """A wall all round."""
    around = shapely.Point(EAST, NORTH)
    place = around.buffer(radius + 5, quad_segs=64).difference(around.buffer(radius, quad_segs=64))
    return house("t:ring", place, function="office", height_m=height)


def test_a_court_shows_cos_squared_of_its_horizon() -> None:
    # Johnson and Watson: in a round court the factor is cos² of the angle of its rim.
    height = 20.0
    factor = sky_factors(stock_of([ring(15.0, height)]), HERE)[0]
    assert factor == pytest.approx(math.cos(math.atan((height - EYE_M) / 15.0)) ** 2, abs=2e-3)


def test_a_long_wall_takes_away_what_a_slit_sky_would() -> None:
    # Along an endless wall at distance d: half the sky less (1 - cos(angle)) / 2.
    wall = house("t:w", box(10, -2_000, 5, 4_000), function="office", height_m=11.6)
    expected = 1.0 - (1.0 - math.cos(math.atan(1.0))) / 2.0
    assert sky_factors(stock_of([wall]), HERE)[0] == pytest.approx(expected, abs=5e-3)


def test_open_land_shows_all_the_sky_and_a_roof_none() -> None:
    wall = house("t:w", box(100, -5, 5, 10), function="office", height_m=EYE_M)
    assert sky_factors(stock_of([wall]), HERE)[0] == 1.0
    base = stock_of([wall])
    over = base.with_changes({"s:b/1": drawn("s:b/1", box(-5, -5, 10, 10), [[3.0, "office"]])})
    assert sky_factors(over, HERE)[0] == 0.0


def test_a_landmark_is_seen_over_what_is_low_enough() -> None:
    # The sight line rises from 1.6 m to 51.6 m over 100 m: 26.6 m half way.
    tower = house("t:tower", box(95, -5, 10, 10), function="church", height_m=51.6, name="Tower")
    for height, seen in ((26.0, 1.0), (27.5, 0.0)):
        before = house("t:b", box(50, -5, 10, 10), function="office", height_m=height)
        assert landmark_share(stock_of([tower, before]), "t:tower", HERE) == seen
    base = stock_of([tower])
    raised = base.with_changes({"s:b/1": drawn("s:b/1", box(50, -5, 10, 10), [[3.0, "office"]] * 20)})
    assert landmark_share(base, "t:tower", HERE) == 1.0
    assert landmark_share(raised, "t:tower", HERE) == 0.0
    assert landmark_share(base.with_changes({"t:tower": None}), "t:tower", HERE) == 0.0
