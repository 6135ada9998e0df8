"""Road traffic of the sample: gravity demand on the real street graph at the peak hour.

Trip ends come from floor area (factors ``uf-jobs-*``, ``uf-sf-du``, ``uf-trips-*``) and, at the
border, from gateways where streets leave the extract; a doubly constrained gravity model spreads
them (Furness balancing); a user equilibrium assigns them (:mod:`ingest.sample.assignment`).
Capacities by class and lanes are MATSim's (``matsim-cap-*``), free-flow speeds the posted limits.
Volumes are vehicles per hour, speeds km/h, times hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
import shapely
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse.csgraph import dijkstra

from cim.findings import Finding, Severity, Verdict
from cim.networks.model import Network, NetworkLink
from ingest.sample.assignment import GAP, Assignment, RoadNetwork, assign
from ingest.sample.factors import FACTORS, USES, factor
from ingest.sample.profiles import travel
from ingest.sample.states import Solved, States
from ingest.sample.stock import Stock

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

CAR_SHARE: Final = 0.16
"""Share of the Californian vehicle trips that a dense, tram-served centre makes (own assumption)."""

PEAK_HOUR_SHARE: Final = 0.09
"""Share of a day's trips that fall in the busiest hour (own assumption)."""

EXTERNAL_SHARE: Final = 0.75
"""Share of the trips that come from or go beyond the extract (own assumption)."""

THROUGH_SHARE: Final = 0.18
"""Share of a gateway's capacity that is taken by through traffic (own assumption)."""

DECAY_PER_HOUR: Final = 8.0
"""Exponent of the gravity model's deterrence function exp(-k t) (own assumption)."""

ZONE_M: Final = 150.0
GATEWAY_M: Final = 60.0
BORDER_M: Final = 60.0
CONNECTOR_HOURS: Final = 0.5 / 60.0
OPEN_CAPACITY: Final = 1e6
FURNESS_ROUNDS: Final = 60
SKIPPED: Final = frozenset({"service", "pedestrian", "track", "footway", "cycleway", "path", "steps"})
CLOSED: Final = frozenset({"no", "private"})
OTHER_CLASS: Final = "tertiary"
"""Class whose capacity stands for unclassified streets, for which the source has none."""


@dataclass(frozen=True, slots=True)
class Roads:
    """The directed graph with centroids in front; ``link`` is the row of ``links``, -1 for a connector.

    Zones come first: ``building_zones`` of them, then one per gateway.
    """

    network: RoadNetwork
    links: tuple[NetworkLink, ...]
    link: IndexArray
    building_zones: int
    zone_of_building: IndexArray
    gateway_capacity: FloatArray


@dataclass(frozen=True, slots=True)
class Traffic:
    """A solved peak hour with its roads and demand (zones, zones), vehicles per hour."""

    roads: Roads
    demand: FloatArray
    assignment: Assignment


def solve_traffic(streets: Network, stock: Stock, gap: float = GAP) -> tuple[Solved, Traffic]:
    """Assign the peak hour and spread it over the day."""
    roads = build_roads(streets, stock)
    demand = gravity(roads, trip_ends(stock))
    made = assign(roads.network, demand, gap)
    traffic = Traffic(roads, demand, made)
    return Solved(streets, day_states(traffic), tuple(_findings(made, demand))), traffic


def build_roads(streets: Network, stock: Stock) -> Roads:
    """Make the directed graph: streets both ways unless one-way, zones of buildings, gateways."""
    links = tuple(
        link
        for link in streets.links
        if str(link.attributes.get("highway")) not in SKIPPED and link.attributes.get("access") not in CLOSED
    )
    names = sorted({end for link in links for end in (link.from_node, link.to_node)})
    number = {name: i for i, name in enumerate(names)}
    position = {node.element_id: (node.x, node.y) for node in streets.nodes}
    xy = np.array([position[name] for name in names], dtype=np.float64)
    start = np.array([number[link.from_node] for link in links])
    end = np.array([number[link.to_node] for link in links])
    zone_of_building, zone_nodes = _zones(links, start, end, stock)
    gates = _gateways(start, end, xy)
    centroids = len(zone_nodes) + len(gates)
    two_way = np.array([not link.attributes.get("oneway") for link in links])
    rows = np.arange(len(links))
    link = np.r_[rows, rows[two_way]]
    tail = np.r_[start, end[two_way]] + centroids
    head = np.r_[end, start[two_way]] + centroids
    capacity = np.array([capacity_veh_h(item) for item in links])[link]
    hours = np.array([_length_m(item) / 1000.0 / _limit_km_h(item) for item in links])[link]
    joined = [(zone, node) for zone, nodes in enumerate([*zone_nodes, *gates]) for node in nodes]
    zone, node = np.array(joined, dtype=np.int64).reshape(-1, 2).T
    extra = len(zone)
    network = RoadNetwork(
        nodes=centroids + len(names),
        zones=centroids,
        tail=np.r_[tail, zone, node + centroids],
        head=np.r_[head, node + centroids, zone],
        capacity=np.r_[capacity, np.full(2 * extra, OPEN_CAPACITY)],
        free_time=np.r_[hours, np.full(2 * extra, CONNECTOR_HOURS)],
        b=np.r_[np.full(len(link), factor("bpr-b")), np.zeros(2 * extra)],
        power=np.r_[np.full(len(link), factor("bpr-p")), np.ones(2 * extra)],
    )
    leaving = np.bincount(tail - centroids, capacity, len(names))
    return Roads(
        network,
        links,
        np.r_[link, np.full(2 * extra, -1)],
        len(zone_nodes),
        zone_of_building,
        np.array([leaving[nodes].sum() + 1.0 for nodes in gates]),
    )


def capacity_veh_h(link: NetworkLink) -> float:
    """Return the capacity of one direction: lanes times MATSim's capacity of the class."""
    highway = str(link.attributes.get("highway")).removesuffix("_link")
    known = f"matsim-cap-{highway}"
    per_lane = factor(known) if known in FACTORS else factor(f"matsim-cap-{OTHER_CLASS}")
    lanes = link.attributes.get("lanes")
    count = float(lanes) if isinstance(lanes, int | float) else 1.0
    return per_lane * max(1.0, count if link.attributes.get("oneway") else count / 2.0)


def _limit_km_h(link: NetworkLink) -> float:
    limit = link.attributes.get("speed_km_h")
    return max(5.0, float(limit)) if isinstance(limit, int | float) else 30.0


def _length_m(link: NetworkLink) -> float:
    return max(1.0, float(np.hypot(*np.diff(link.line, axis=0).T).sum()))


def _zones(
    links: tuple[NetworkLink, ...], start: IndexArray, end: IndexArray, stock: Stock
) -> tuple[IndexArray, list[list[int]]]:
    """Group buildings by a grid; each zone reaches the streets that its buildings stand at."""
    cell = np.floor((stock.xy - stock.xy.min(axis=0)) / ZONE_M).astype(np.int64)
    _, zone = np.unique(cell, axis=0, return_inverse=True)
    zone = np.asarray(zone, dtype=np.int64).ravel()
    nearest = shapely.STRtree([shapely.LineString(link.line) for link in links]).nearest(shapely.points(stock.xy))
    ends = np.column_stack((start, end))[nearest]
    nodes = [sorted(set(ends[zone == one].ravel().tolist())) for one in range(int(zone.max()) + 1)]
    return zone, nodes


def _gateways(start: IndexArray, end: IndexArray, xy: FloatArray) -> list[list[int]]:
    """Group the dead ends near the border: there the streets go on outside the extract."""
    degree = np.bincount(np.r_[start, end], minlength=len(xy))
    low, high = xy.min(axis=0), xy.max(axis=0)
    near = np.minimum(xy - low, high - xy).min(axis=1) < BORDER_M
    ends = np.flatnonzero((degree == 1) & near)
    if len(ends) < 2:
        return [[int(node)] for node in ends]
    group = fcluster(linkage(xy[ends], "average"), GATEWAY_M, "distance")
    return [ends[group == one].tolist() for one in range(1, int(group.max()) + 1)]


def trip_ends(stock: Stock) -> FloatArray:
    """Return the vehicle trip ends of each building in the peak hour, shape (n,)."""
    jobs, home = {"retail": "retail", "restaurant": "retail"}, factor("uf-sf-du")
    rate = {"retail": "retail", "restaurant": "restaurant", "office": "office", "hotel": "arts", "museum": "arts"}
    per_m2 = np.array(
        [
            factor("uf-trips-multifamily_5plus") / home
            if use == "multi_res"
            else factor(f"uf-trips-{rate.get(use, 'public')}") / factor(f"uf-jobs-{jobs.get(use, 'office')}")
            for use in USES
        ]
    )
    return np.asarray(stock.floor_m2 @ per_m2 * CAR_SHARE * PEAK_HOUR_SHARE, dtype=np.float64)


def gravity(roads: Roads, ends: FloatArray) -> FloatArray:
    """Spread the trip ends over pairs of zones, shape (zones, zones), vehicles per hour.

    Half of a building's trip ends leave it and half arrive; gateways balance the rest.  Pairs with
    no way between them get nothing.
    """
    local = np.bincount(roads.zone_of_building, ends, roads.building_zones) / 2.0
    width = roads.gateway_capacity / roads.gateway_capacity.sum() if len(roads.gateway_capacity) else np.empty(0)
    outside = EXTERNAL_SHARE * local.sum() * width + THROUGH_SHARE * roads.gateway_capacity
    wanted = np.r_[local, outside]
    time = free_times(roads.network)
    seed = np.where(np.isfinite(time), np.exp(-DECAY_PER_HOUR * np.where(np.isfinite(time), time, 0.0)), 0.0)
    np.fill_diagonal(seed, 0.0)
    return furness(seed, wanted, wanted)


def furness(seed: FloatArray, rows: FloatArray, columns: FloatArray) -> FloatArray:
    """Scale a matrix until its sums are ``rows`` and ``columns``; empty rows and columns stay empty."""
    made = seed.copy()
    for _ in range(FURNESS_ROUNDS):
        across = made.sum(axis=1)
        made *= np.divide(rows, across, out=np.zeros_like(rows), where=across > 0.0)[:, None]
        down = made.sum(axis=0)
        made *= np.divide(columns, down, out=np.zeros_like(columns), where=down > 0.0)[None, :]
    return made


def free_times(network: RoadNetwork) -> FloatArray:
    """Return the empty-road hours between centroids, shape (zones, zones), infinite without a way."""
    zones, total = network.zones, network.nodes + network.zones
    tail = np.where(network.tail < zones, network.tail + network.nodes, network.tail)
    order = np.lexsort((network.free_time, tail * total + network.head))
    _, first = np.unique((tail * total + network.head)[order], return_index=True)
    best = order[first]
    graph = sp.csr_matrix((network.free_time[best], (tail[best], network.head[best])), shape=(total, total))
    found = dijkstra(graph, indices=np.arange(zones) + network.nodes)
    return np.asarray(found[:, :zones], dtype=np.float64)


def day_states(traffic: Traffic) -> tuple[States, States]:
    """Volumes of both directions and mean speeds by street link over the day.

    The peak hour is scaled by the profile; speeds follow from the link's own volume by BPR.
    """
    roads, network = traffic.roads, traffic.roads.network
    real = roads.link >= 0
    link, count = roads.link[real], len(roads.links)
    flow = travel()[:, None] * traffic.assignment.flow[real]
    ratio = (flow / network.capacity[real]) ** network.power[real]
    hours = network.free_time[real] * (1.0 + network.b[real] * ratio)
    length_km = np.array([_length_m(item) for item in roads.links]) / 1000.0
    volume, vehicle_hours, empty = (np.zeros((len(flow), count)) for _ in range(3))
    for row in range(len(flow)):
        volume[row] = np.bincount(link, flow[row], count)
        vehicle_hours[row] = np.bincount(link, flow[row] * hours[row], count)
        empty[row] = np.bincount(link, hours[row], count) / np.bincount(link, minlength=count)
    spent = np.divide(vehicle_hours, volume, out=empty, where=volume > 0.0)
    names = tuple(item.element_id for item in roads.links)
    return (
        States("traffic_volume", "{veh}/h", names, volume),
        States("traffic_speed", "km/h", names, length_km / spent),
    )


def _findings(made: Assignment, demand: FloatArray) -> list[Finding]:
    facts: Mapping[str, float] = {"relative_gap": made.relative_gap, "iterations": made.iterations}
    reached = Verdict.PASS if made.relative_gap <= GAP else Verdict.DISCUSS
    found = [
        Finding("traffic-gap", "user equilibrium", reached, Severity.DISCUSS, made.relative_gap, GAP, params={**facts})
    ]
    if made.unserved > 0.0:
        share = made.unserved / max(float(demand.sum()), 1.0)
        found.append(Finding("traffic-unserved", "demand without a way", Verdict.DISCUSS, Severity.DISCUSS, share, 0.0))
    return found
