"""Energy by hand: steady state of the RC model, units, and the day's shape."""

from __future__ import annotations

import numpy as np
import pytest

from ingest.sample import energy as e
from ingest.sample.factors import FACTORS, USES
from ingest.sample.stock import NET_TO_GROSS, Stock, build_stock


def one(use: str, floor_m2: float) -> Stock:
    floor = np.zeros((1, len(USES)))
    floor[0, USES.index(use)] = floor_m2
    return Stock(("town:way/1",), ("",), np.zeros((1, 2)), floor)


def test_in_a_steady_state_heat_is_loss_less_gains():
    conductance, gains = np.array([10.0]), np.full((96, 1), 30.0)
    heat = e.heat_demand(conductance, np.full((96, 1), 21.0), np.full(96, 5.0), gains)
    assert heat == pytest.approx(np.full((96, 1), 10.0 * 16.0 - 30.0), rel=1e-9)


def test_over_a_repeating_day_heat_balances_the_loss():
    """With a constant set point the indoor temperature is constant, so means balance exactly."""
    outdoor = e.outdoor_c()
    heat = e.heat_demand(np.array([4.0]), np.full((96, 1), 21.0), outdoor, np.zeros((96, 1)))
    assert heat.mean() == pytest.approx(4.0 * (21.0 - outdoor.mean()), rel=1e-9)


def test_the_design_day_takes_the_heat_index():
    """1000 m2 of homes at the index of 58.5 W/m2: 58.5 kW across the design difference of 44 K."""
    conductance = e.conductance_kw_k(one("multi_res", 1000.0))
    assert conductance[0] * (e.DESIGN_INDOOR_C - e.DESIGN_OUTDOOR_C) == pytest.approx(58.5)
    low, high = (e.conductance_kw_k(one("multi_res", 1000.0), edge)[0] for edge in ("low", "high"))
    assert (low, high) == pytest.approx((47.0 / 44.0, 70.0 / 44.0))


def test_an_office_draws_its_peak_by_day():
    """1000 m2 at 7.0 + 15.9 W/m2."""
    demand = e.solve_energy(one("office", 1000.0)).electricity_kw[:, 0]
    assert demand.max() == pytest.approx(22.9)
    assert 9 * 4 <= int(demand.argmax()) <= 16 * 4
    assert demand[12] < 0.3 * demand.max()


def test_a_heater_never_cools_and_never_exceeds_its_power():
    stock = one("office", 1000.0)
    made = e.solve_energy(stock)
    most = e.HEATER_MARGIN * e.conductance_kw_k(stock) * (e.SET_POINT_C - e.outdoor_c().min())
    assert made.heat_kw.min() >= 0.0
    assert made.heat_kw.max() <= most * (1 + 1e-12)
    assert made.total_kw == pytest.approx(made.electricity_kw + made.heat_kw)


def test_floor_area_is_footprint_times_storeys(buildings):
    stock = build_stock(buildings, 1)
    gross = {item.id: item.place.area * item.attributes["storeys_above_ground"].value for item in buildings}
    assert stock.floor_m2.sum(axis=1) == pytest.approx([gross[name] * NET_TO_GROSS for name in stock.ids])


def test_unknown_uses_depend_on_the_seed_and_known_ones_do_not(buildings):
    first, second = build_stock(buildings, 1), build_stock(buildings, 2)
    unknown = {item.id for item in buildings if item.attributes["function"].value == "yes"}
    differing = {first.ids[i] for i in np.flatnonzero(np.any(first.floor_m2 != second.floor_m2, axis=1))}
    assert differing
    assert differing <= unknown


def test_every_factor_names_its_source():
    for name, factor in FACTORS.items():
        assert factor.id == name
        assert factor.source
        assert factor.low is None or factor.low <= factor.value <= (factor.high or factor.low)
