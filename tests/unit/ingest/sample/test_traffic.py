"""Assignment by hand on small networks; demand and conservation on the made-up town."""

from __future__ import annotations

import numpy as np
import pytest

from cim.errors import InvalidInput
from ingest.sample.assignment import RoadNetwork, assign, line_search
from ingest.sample.profiles import travel
from ingest.sample.stock import build_stock
from ingest.sample.traffic import capacity_veh_h, furness, solve_traffic, trip_ends


def road(links: list[tuple[int, int, float, float, float]], nodes: int, zones: int, power: float = 1.0) -> RoadNetwork:
    """Links as (tail, head, capacity, free time, b)."""
    tail, head, capacity, free, b = (np.array(column) for column in zip(*links, strict=True))
    return RoadNetwork(nodes, zones, tail, head, capacity * 1.0, free * 1.0, b * 1.0, np.full(len(links), power))


def trips(zones: int, *pairs: tuple[int, int, float]) -> np.ndarray:
    demand = np.zeros((zones, zones))
    for origin, destination, count in pairs:
        demand[origin, destination] = count
    return demand


def test_two_ways_share_until_equally_slow():
    """t1 = 10 (1 + v1/100), t2 = 15 (1 + v2/100), v1 + v2 = 100: v1 = 80 by hand."""
    network = road([(0, 2, 1, 0, 0), (2, 3, 100, 10, 1), (2, 3, 100, 15, 1), (3, 1, 1, 0, 0)], 4, 2)
    made = assign(network, trips(2, (0, 1, 100.0)), gap=1e-10)
    assert made.flow == pytest.approx([100.0, 80.0, 20.0, 100.0], abs=1e-4)
    assert made.time[1] == pytest.approx(made.time[2], rel=1e-6)


def test_braess_the_new_road_slows_everyone():
    """Braess (1968) as taught: 6 trips, without the link 83 minutes each, with it 92."""
    links = [(2, 3, 1.0, 1e-9, 1e10), (2, 4, 1.0, 50.0, 0.02), (3, 5, 1.0, 50.0, 0.02), (4, 5, 1.0, 1e-9, 1e10)]
    ends = [(0, 2, 1.0, 0.0, 0.0), (5, 1, 1.0, 0.0, 0.0)]
    demand = trips(2, (0, 1, 6.0))
    without = assign(road(links + ends, 6, 2), demand, gap=1e-9)
    with_link = assign(road([*links, (3, 4, 1.0, 10.0, 0.1), *ends], 6, 2), demand, gap=1e-9)
    assert without.flow @ without.time / 6.0 == pytest.approx(83.0, rel=1e-4)
    assert with_link.flow @ with_link.time / 6.0 == pytest.approx(92.0, rel=1e-3)


def test_nobody_drives_through_a_centroid():
    """The way over zone 2 is shorter, but trips only begin and end there."""
    network = road([(0, 2, 1, 1, 0), (2, 1, 1, 1, 0), (0, 3, 1, 5, 0), (3, 1, 1, 5, 0)], 4, 3)
    made = assign(network, trips(3, (0, 1, 7.0), (0, 2, 2.0)))
    assert made.flow == pytest.approx([2.0, 0.0, 7.0, 7.0])


def test_demand_without_a_way_is_said_not_lost_silently():
    network = road([(0, 3, 1, 1, 0), (3, 1, 1, 1, 0)], 4, 3)
    made = assign(network, trips(3, (0, 1, 5.0), (0, 2, 4.0), (2, 1, 3.0)))
    assert made.unserved == pytest.approx(7.0)
    assert made.flow == pytest.approx([5.0, 5.0])


def test_a_line_search_finds_the_least_point():
    network = road([(0, 1, 100, 10, 1), (0, 1, 100, 10, 1)], 2, 2)
    step = line_search(network, np.array([100.0, 0.0]), np.array([-100.0, 100.0]))
    assert step == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize("demand", [np.ones((2, 2)), np.full((3, 3), -1.0), np.full((3, 3), np.nan)])
def test_a_demand_that_does_not_fit_is_refused(demand):
    with pytest.raises(InvalidInput) as caught:
        assign(road([(0, 1, 1, 1, 0), (1, 2, 1, 1, 0)], 3, 3), demand)
    assert caught.value.problem_code == "road-network"


def test_furness_meets_both_margins():
    rng = np.random.default_rng(3)
    seed = rng.uniform(0.1, 1.0, (9, 9))
    rows = rng.uniform(1.0, 50.0, 9)
    columns = rng.permutation(rows)
    made = furness(seed, rows, columns)
    assert made.sum(axis=1) == pytest.approx(rows, rel=1e-6)
    assert made.sum(axis=0) == pytest.approx(columns, rel=1e-9)


def test_capacity_is_lanes_of_one_direction(streets):
    by_id = {link.element_id: link for link in streets.links}
    assert capacity_veh_h(by_id["s0-0-n0-1"]) == 600.0
    assert capacity_veh_h(by_id["s0-0-n1-0"]) == 800.0
    assert capacity_veh_h(by_id["arm1-0"]) == 1500.0


@pytest.fixture(scope="module")
def solved(streets, buildings):
    return solve_traffic(streets, build_stock(buildings, 1))


def test_vehicles_are_conserved_at_every_node(solved):
    _, traffic = solved
    network, flow = traffic.roads.network, traffic.assignment.flow
    out = np.bincount(network.tail, flow, network.nodes) - np.bincount(network.head, flow, network.nodes)
    expected = np.zeros(network.nodes)
    expected[: network.zones] = traffic.demand.sum(axis=1) - traffic.demand.sum(axis=0)
    assert out == pytest.approx(expected, abs=1e-6)


def test_the_town_drives_as_much_as_it_should(solved, buildings):
    _, traffic = solved
    ends = trip_ends(build_stock(buildings, 1)).sum()
    local = traffic.demand[: traffic.roads.building_zones]
    assert local.sum() == pytest.approx(ends / 2.0, rel=1e-3)
    assert len(traffic.roads.gateway_capacity) == 4
    assert traffic.assignment.relative_gap <= 1e-4
    assert traffic.assignment.unserved == 0.0


def test_volumes_follow_the_day_and_speeds_answer(solved):
    day, traffic = solved
    volume, speed = day.of("traffic_volume").values, day.of("traffic_speed").values
    busiest = int(travel().argmax())
    assert volume.shape == speed.shape == (96, len(traffic.roads.links))
    assert volume[busiest] == pytest.approx(volume.max(axis=0))
    assert speed[busiest] == pytest.approx(speed.min(axis=0))
    limits = np.array([float(link.attributes["speed_km_h"]) for link in traffic.roads.links])
    assert np.all(speed <= limits * (1 + 1e-9))
    assert speed.min() > 3.0
