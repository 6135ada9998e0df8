"""EPANET's answer checked by hand: mass balance, head loss, limits."""

from __future__ import annotations

import numpy as np
import pytest

from cim.errors import InvalidInput
from ingest.sample.hydraulics import solve_water
from ingest.sample.states import TIMES_S
from ingest.sample.stock import build_stock
from ingest.sample.streets import build_skeleton
from ingest.sample.water import DIAMETERS_M, PUMP, RESERVOIR, TANK, TANK_BOTTOM_M, linear_flows, plan_water


@pytest.fixture(scope="module")
def plan(streets, buildings):
    return plan_water(build_skeleton(streets), build_stock(buildings, 1), "town-sample")


@pytest.fixture(scope="module")
def solved(plan):
    return solve_water(plan)


def test_a_linear_network_splits_flow_by_conductance():
    start, end = np.array([0, 0]), np.array([1, 1])
    flows = linear_flows(start, end, np.array([3.0, 1.0]), np.array([0.0, 8.0]), 0)
    assert flows == pytest.approx([6.0, 2.0])


def test_the_network_is_one_looped_whole(plan):
    network = plan.network
    ids = [item.element_id for item in (*network.nodes, *network.links)]
    assert len(ids) == len(set(ids))
    assert network.generated
    pipes = [link for link in network.links if link.kind == "pipe"]
    assert len(pipes) > len(plan.junctions)
    assert {link.attributes["diameter_m"] for link in pipes} <= set(DIAMETERS_M)


def test_every_junction_gets_what_it_uses(plan, solved):
    """Inflow minus outflow is the demand that the plan asked for, at every junction and hour."""
    flows = solved.of("flow")
    balance = {node.element_id: np.zeros(len(TIMES_S)) for node in plan.network.nodes}
    for link in solved.network.links:
        flow = flows.column(link.element_id)
        balance[link.to_node] += flow
        balance[link.from_node] -= flow
    demand = plan.demand_m3_s @ plan.patterns.T
    for i, name in enumerate(plan.junctions):
        assert balance[name] == pytest.approx(demand[i], abs=2e-6)


def test_head_loss_is_hazen_williams(solved):
    """h = 10.667 L Q^1.852 / (C^1.852 d^4.871), metres and m3/s (EPANET 2.2 manual, table 3.1)."""
    heads, flows = solved.of("pressure_head"), solved.of("flow")
    pipes = [
        link for link in solved.network.links if link.kind == "pipe" and TANK not in (link.from_node, link.to_node)
    ]
    checked = 0
    for link in pipes:
        flow = flows.column(link.element_id)
        facts = link.attributes
        by_hand = 10.667 * facts["length_m"] * np.abs(flow) ** 1.852
        by_hand /= facts["hazen_williams_c"] ** 1.852 * facts["diameter_m"] ** 4.871
        loss = (heads.column(link.from_node) - heads.column(link.to_node)) * np.sign(flow)
        large = by_hand > 0.05
        checked += int(large.sum())
        assert loss[large] == pytest.approx(by_hand[large], rel=0.01)
    assert checked > 50


def test_the_tank_fills_with_what_flows_into_it(plan, solved):
    """What stays in the tank over a day is what flowed in; the steps between states are seen coarsely."""
    level, inflow = solved.of("tank_level").column(TANK), solved.of("flow").column("P0")
    main = next(link for link in solved.network.links if link.element_id == "P0")
    inflow = inflow if main.to_node == TANK else -inflow
    area = np.pi * plan.tank_diameter_m**2 / 4.0
    quiet = (np.sign(inflow[:-1]) == np.sign(inflow[1:])) & (np.abs(np.diff(inflow)) < 0.1 * np.abs(inflow[:-1]))
    gained = np.diff(level) * area
    entered = (inflow[:-1] + inflow[1:]) / 2.0 * 900.0
    assert quiet.sum() > 20
    assert gained[quiet] == pytest.approx(entered[quiet], rel=0.15, abs=area * 0.01)
    assert level.min() >= 0.5


def test_pressures_serve_houses_and_burst_nothing(solved):
    heads = solved.of("pressure_head").values
    assert heads.shape[0] == 96
    assert heads.min() > 28.0
    assert heads.max() < 60.0
    assert not solved.findings


def test_the_source_gives_what_the_town_uses(plan, solved):
    pump = solved.of("flow").column(PUMP)
    assert pump.min() >= 0.0
    assert solved.of("flow").values.mean(axis=0).min() >= 0.0
    assert pump.max() > plan.mean_demand_m3_s
    assert {node.element_id: node.z for node in plan.network.nodes}[TANK] == TANK_BOTTOM_M
    assert RESERVOIR in {node.element_id for node in plan.network.nodes}


def test_more_water_than_the_mains_carry_is_a_finding(plan):
    from dataclasses import replace

    thirsty = replace(plan, demand_m3_s=plan.demand_m3_s * 6.0)
    rules = {finding.rule for finding in solve_water(thirsty).findings}
    assert rules == {"water-pressure-min", "water-convergence"}


def test_a_junction_without_a_pipe_is_refused(plan):
    from dataclasses import replace

    network = plan.network
    cut = tuple(link for link in network.links if "J5" not in {link.from_node, link.to_node})
    dry = replace(network, links=cut)
    with pytest.raises(InvalidInput) as caught:
        solve_water(replace(plan, network=dry))
    assert caught.value.problem_code == "water-not-solved"


def test_elements_say_what_the_day_did_to_them(solved):
    pipe = next(link for link in solved.network.links if link.element_id == "P3")
    flow = solved.of("flow").column("P3")
    area = np.pi * pipe.attributes["diameter_m"] ** 2 / 4.0
    assert pipe.attributes["velocity_m_s_max"] == pytest.approx(np.abs(flow).max() / area, rel=1e-5)
    assert pipe.attributes["flow_m3_s_mean"] == pytest.approx(flow.mean(), rel=1e-5)
    node = next(node for node in solved.network.nodes if node.element_id == "J2")
    lowest = solved.of("pressure_head").column("J2").min()
    assert node.attributes["pressure_head_m_min"] == pytest.approx(lowest, rel=1e-5)
