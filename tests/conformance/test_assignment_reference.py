"""Road traffic against best-known user equilibria (bstabler/TransportationNetworks)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from ingest.sample.assignment import RoadNetwork, assign

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "traffic"

pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the traffic networks are not beside the checkout"),
]


def read_network(name: str) -> RoadNetwork:
    text = (FOLDER / f"{name}_net.tntp").read_text()
    meta = dict(re.findall(r"<([^>]+)>\s*(\d+)", text))
    rows = [line.strip(" \t;").split() for line in text.split("<END OF METADATA>")[1].splitlines()]
    table = np.array([[float(cell) for cell in row[:7]] for row in rows if row and row[0].isdigit()])
    assert len(table) == int(meta["NUMBER OF LINKS"])
    through = int(meta["FIRST THRU NODE"]) - 1
    zones = int(meta["NUMBER OF ZONES"])
    nodes = int(meta["NUMBER OF NODES"])
    tail, head = table[:, 0].astype(np.int64) - 1, table[:, 1].astype(np.int64) - 1
    columns = [table[:, 2], table[:, 4], table[:, 5], table[:, 6]]
    if through == 0:  # trips may pass through zones: hang each centroid on its node by two free links
        tail, head, columns = with_centroids(tail + zones, head + zones, columns, zones)
        nodes += zones
    return RoadNetwork(nodes, zones, tail, head, *columns)


def with_centroids(tail, head, columns, zones):
    zone = np.arange(zones)
    added = [np.full(2 * zones, value) for value in (1e9, 0.0, 0.0, 1.0)]
    joined = [np.r_[column, extra] for column, extra in zip(columns, added, strict=True)]
    return np.r_[tail, zone, zone + zones], np.r_[head, zone + zones, zone], joined


def read_demand(name: str, zones: int) -> np.ndarray:
    demand = np.zeros((zones, zones))
    for block in (FOLDER / f"{name}_trips.tntp").read_text().split("Origin")[1:]:
        origin = int(block.split()[0]) - 1
        for zone, trips in re.findall(r"(\d+)\s*:\s*([\d.]+)\s*;", block):
            demand[origin, int(zone) - 1] = float(trips)
    return demand


def read_flows(name: str) -> np.ndarray:
    rows = (FOLDER / f"{name}_flow.tntp").read_text().splitlines()[1:]
    return np.array([float(row.split()[2]) for row in rows if row.strip()])


def beckmann(network: RoadNetwork, flow: np.ndarray) -> float:
    """The function that a user equilibrium minimises: the sum of the links' integrated times."""
    ratio = flow / network.capacity
    longer = network.b * network.capacity / (network.power + 1.0) * ratio ** (network.power + 1.0)
    return float(network.free_time @ (flow + longer))


@pytest.mark.parametrize(("name", "rms_share", "objective"), [("SiouxFalls", 1e-4, 1e-6), ("Anaheim", 3e-3, 1e-6)])
def test_flows_are_the_best_known_ones(name, rms_share, objective, record_property):
    """Anaheim has ways of almost equal time, so there single flows settle long after the objective."""
    network = read_network(name)
    made = assign(network, read_demand(name, network.zones), gap=1e-6, iterations_max=3000)
    best = read_flows(name)
    flow = made.flow[: len(best)]
    rms = float(np.sqrt(np.mean((flow - best) ** 2)) / best.mean())
    known = made.flow.copy()
    known[: len(best)] = best
    record_property("relative_gap", made.relative_gap)
    record_property("rms_share_of_mean_flow", rms)
    assert made.relative_gap <= 1e-6
    assert made.unserved == 0.0
    assert rms < rms_share
    assert beckmann(network, made.flow) == pytest.approx(beckmann(network, known), rel=objective)


def test_sioux_falls_link_by_link():
    network = read_network("SiouxFalls")
    made = assign(network, read_demand("SiouxFalls", network.zones), gap=1e-6, iterations_max=3000)
    best = read_flows("SiouxFalls")
    assert made.flow[: len(best)] == pytest.approx(best, rel=5e-4)


def test_flow_is_conserved_at_every_node():
    network = read_network("Anaheim")
    demand = read_demand("Anaheim", network.zones)
    made = assign(network, demand, gap=1e-4)
    out = np.bincount(network.tail, made.flow, network.nodes) - np.bincount(network.head, made.flow, network.nodes)
    expected = np.zeros(network.nodes)
    np.fill_diagonal(demand, 0.0)
    expected[: network.zones] = demand.sum(axis=1) - demand.sum(axis=0)
    assert out == pytest.approx(expected, abs=1e-6 * demand.sum())
