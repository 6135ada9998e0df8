"""The load flow against hand calculation: two buses, energy balance, cut-off buses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cim.errors import InvalidInput
from cim.networks.model import Network
from ingest.sample.energy import solve_energy
from ingest.sample.load_flow import run_load_flow, solve_power
from ingest.sample.power import (
    GRID_BUS,
    LOW_CABLE,
    POWER_FACTOR,
    SOURCE_PU,
    SUBSTATION,
    TRANSFORMER_VA,
    Line,
    PowerPlan,
    plan_power,
    transformer_rating_va,
)
from ingest.sample.stock import build_stock
from ingest.sample.streets import build_skeleton


@pytest.fixture(scope="module")
def plan(streets, buildings):
    stock = build_stock(buildings, 1)
    return plan_power(build_skeleton(streets), stock, solve_energy(stock).electricity_kw, "town-sample")


def two_buses(load_w: float, buses: tuple[str, ...] = (GRID_BUS, "C1")) -> PowerPlan:
    line = Line("S1", 0, 1, 200.0, 1, LOW_CABLE)
    empty = Network("power", "power", "town-sample", (), ())
    rated = np.full(len(buses), 400.0)
    return PowerPlan(empty, buses, rated, (line,), (), np.array([1]), np.array([[load_w], [load_w / 2]]))


def test_two_buses_by_hand():
    """|V2|^4 + |V2|^2 (2 (P R + Q X) - |V1|^2) + (P^2 + Q^2)(R^2 + X^2) = 0, line-to-line volts."""
    load = 200e3
    reactive = load * np.tan(np.arccos(POWER_FACTOR))
    r, x = LOW_CABLE.r_ohm_km * 0.2, LOW_CABLE.x_ohm_km * 0.2
    first = SOURCE_PU * 400.0
    b = 2 * (load * r + reactive * x) - first**2
    c = (load**2 + reactive**2) * (r**2 + x**2)
    by_hand = np.sqrt((-b + np.sqrt(b * b - 4 * c)) / 2) / 400.0
    flow = run_load_flow(two_buses(load))
    assert by_hand < 0.995
    assert flow.voltage_pu[0, 1] == pytest.approx(by_hand, abs=1e-4)
    current = np.hypot(load, reactive) / (np.sqrt(3) * by_hand * 400.0)
    assert flow.losses_w[0] == pytest.approx(3 * r * current**2, rel=1e-3)
    assert flow.line_loading[0, 0] == pytest.approx(100 * current / LOW_CABLE.rated_a, rel=1e-3)


def test_a_bus_that_is_cut_off_is_not_zero_volts():
    solved = solve_power(two_buses(20e3, (GRID_BUS, "C1", "alone")))
    volts = solved.of("voltage")
    assert np.isnan(volts.column("alone")).all()
    assert np.isfinite(volts.column("C1")).all()
    assert [f.params["element_id"] for f in solved.findings if f.rule == "power-cut-off"] == ["alone"]


def test_more_than_a_line_can_carry_is_refused():
    with pytest.raises(InvalidInput) as caught:
        run_load_flow(two_buses(5e6))
    assert caught.value.problem_code == "power-diverged"


def test_overload_and_low_voltage_are_findings():
    rules = {finding.rule for finding in solve_power(two_buses(600e3)).findings}
    assert rules == {"power-voltage-min", "power-loading-max"}


def test_what_the_source_gives_is_used_or_lost(plan):
    flow = run_load_flow(plan)
    assert flow.load_w == pytest.approx(plan.load_w.sum(axis=1), rel=1e-9)
    assert flow.source_w == pytest.approx(flow.load_w + flow.losses_w, abs=1.0)
    assert (flow.losses_w > 0).all()
    assert (flow.losses_w / flow.source_w).max() < 0.06


def test_the_network_is_a_tree_that_keeps_its_limits(plan):
    solved = solve_power(plan)
    branches = len(plan.lines) + len(plan.transformers)
    assert branches == len(plan.buses) - 1
    reached = {GRID_BUS}
    for link in solved.network.links:
        assert link.from_node in reached
        reached.add(link.to_node)
    assert reached == set(plan.buses)
    assert not solved.findings
    volts = solved.of("voltage").values
    assert 0.95 < volts.min() < volts.max() < 1.05
    assert solved.of("loading").values.max() < 100.0
    assert SUBSTATION in solved.of("loading").element_ids


def test_a_feeder_carries_what_is_below_it(plan):
    """Power into the substation's feeders is all load and all losses behind the substation."""
    solved = solve_power(plan)
    power = solved.of("active_power")
    feeders = [link for link in solved.network.links if link.from_node == SUBSTATION and link.kind == "line"]
    into = sum(power.column(link.element_id) for link in feeders)
    direct = plan.load_w.sum(axis=1) / 1000.0
    assert into.min() > 0.0
    assert np.all(into < direct * 1.06)


def test_transformers_come_in_standard_units():
    assert transformer_rating_va(10e3) == TRANSFORMER_VA[0]
    assert transformer_rating_va(700e3) == 1000e3
    assert transformer_rating_va(3e6) % 1e3 == 0
    assert transformer_rating_va(3e6) >= 3e6 / POWER_FACTOR / 0.8


def test_numbers_are_mapped_at_the_edge_only(plan):
    shuffled = replace(plan, load_w=plan.load_w * 0.5)
    assert run_load_flow(shuffled).source_w.max() < run_load_flow(plan).source_w.max()
    assert all(isinstance(name, str) for name in solve_power(plan).of("voltage").element_ids)
