"""The generated power network: a radial 20 kV tree along the real streets, 0.4 kV to every building.

Layout: the shortest-path tree over the street skeleton from one substation; a transformer at every
street node with buildings; from there a cable along the street to each building.  Cables are laid in
parallel until their rated current holds, transformers in units of standard sizes.  V, A, ohm, W.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
import shapely
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra
from shapely.ops import substring

from cim.networks.model import Network, NetworkLink, NetworkNode
from ingest.sample.stock import Stock
from ingest.sample.streets import Skeleton

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

GRID_V: Final = 110_000.0
MEDIUM_V: Final = 20_000.0
LOW_V: Final = 400.0
SOURCE_PU: Final = 1.03
POWER_FACTOR: Final = 0.95
SHORT_CIRCUIT_VA: Final = 2e9
SUBSTATION_VA: Final = 80e6
"""Two transformers of 40 MVA together."""

TRANSFORMER_VA: Final = (50e3, 100e3, 200e3, 315e3, 500e3, 800e3, 1000e3, 1250e3, 1600e3)
TRANSFORMER_FILL: Final = 0.8
"""Share of its rating that a transformer is chosen for at the peak."""

CABLE_FILL: Final = 0.7
SERVICE_M_MIN: Final = 3.0
DROP_PU_MAX: Final = 0.02
"""Voltage drop along one cable at the peak."""

LOSSES_MARGIN: Final = 1.04
"""Allowance for losses when cables are chosen."""


@dataclass(frozen=True, slots=True)
class Cable:
    """Per kilometre: resistance and reactance (ohm), capacitance (farad); rated current (A).

    Values of the order of manufacturers' tables for 240 mm2 aluminium, XLPE.
    """

    r_ohm_km: float
    x_ohm_km: float
    c_f_km: float
    rated_a: float


MEDIUM_CABLE: Final = Cable(0.125, 0.11, 0.31e-6, 415.0)
LOW_CABLE: Final = Cable(0.125, 0.08, 0.0, 360.0)

GRID_BUS, SUBSTATION = "G1", "SS1"


@dataclass(frozen=True, slots=True)
class Line:
    """A cable between buses (rows): length and how many lie in parallel."""

    element_id: str
    from_bus: int
    to_bus: int
    length_m: float
    parallel: int
    cable: Cable


@dataclass(frozen=True, slots=True)
class Transformer:
    """A transformer between buses (rows) with its rating and voltages."""

    element_id: str
    from_bus: int
    to_bus: int
    rating_va: float
    high_v: float
    low_v: float


@dataclass(frozen=True, slots=True)
class PowerPlan:
    """Everything that the load flow needs; ``load_bus`` is the bus of each building, shape (n,)."""

    network: Network
    buses: tuple[str, ...]
    rated_v: FloatArray
    lines: tuple[Line, ...]
    transformers: tuple[Transformer, ...]
    load_bus: IndexArray
    load_w: FloatArray
    """Active power by building over the day, shape (96, n)."""


class _Builder:
    """Collects buses and elements with their places."""

    def __init__(self, dataset: str) -> None:
        self.dataset = dataset
        self.nodes: list[NetworkNode] = []
        self.links: list[NetworkLink] = []
        self.rated: list[float] = []
        self.lines: list[Line] = []
        self.transformers: list[Transformer] = []

    def bus(self, element_id: str, kind: str, at: FloatArray, rated_v: float, **facts: str | float | None) -> int:
        attributes = {"rated_v": rated_v} | facts
        self.nodes.append(NetworkNode(element_id, kind, float(at[0]), float(at[1]), 0.0, attributes))
        self.rated.append(rated_v)
        return len(self.nodes) - 1

    def line(
        self, name: str, ends: tuple[int, int], line: FloatArray, cable: Cable, peak_w: float, street: str
    ) -> None:
        length = max(SERVICE_M_MIN, float(np.hypot(*np.diff(line, axis=0).T).sum()))
        volts = self.rated[ends[0]]
        amperes = LOSSES_MARGIN * peak_w / (np.sqrt(3.0) * volts * POWER_FACTOR)
        impedance = cable.r_ohm_km + cable.x_ohm_km * np.tan(np.arccos(POWER_FACTOR))
        drop_pu = LOSSES_MARGIN * peak_w * impedance * length / 1000.0 / volts**2
        parallel = max(1, int(np.ceil(max(amperes / (CABLE_FILL * cable.rated_a), drop_pu / DROP_PU_MAX))))
        self.lines.append(Line(name, *ends, length, parallel, cable))
        facts = {"length_m": round(length, 3), "parallel": parallel, "rated_v": volts, "name": street or None}
        self._link(name, "line", ends, line, facts)

    def transformer(self, name: str, ends: tuple[int, int], rating_va: float) -> None:
        high, low = (self.nodes[end] for end in ends)
        volts = (self.rated[ends[0]], self.rated[ends[1]])
        self.transformers.append(Transformer(low.element_id, *ends, rating_va, *volts))
        line = np.array([(high.x, high.y), (low.x, low.y)])
        self._link(name, "transformer", ends, line, {"rating_va": rating_va})

    def _link(
        self, name: str, kind: str, ends: tuple[int, int], line: FloatArray, facts: dict[str, str | float | None]
    ) -> None:
        first, second = (self.nodes[end].element_id for end in ends)
        self.links.append(NetworkLink(name, kind, first, second, line, facts))


def plan_power(skeleton: Skeleton, stock: Stock, load_kw: FloatArray, dataset: str) -> PowerPlan:
    """Lay the tree and choose cables and transformers for the loads, kW, shape (96, n)."""
    at_node, spot = _attach(skeleton, stock.xy)
    peak_w = load_kw.max(axis=0) * 1000.0
    node_w = np.asarray(np.bincount(at_node, peak_w, len(skeleton.xy)), dtype=np.float64)
    root = _substation_node(skeleton, node_w)
    parent, via = _tree(skeleton, root)
    below = _below(parent, node_w)
    made = _Builder(dataset)
    grid = made.bus(GRID_BUS, "source", skeleton.xy[root] + np.array([-60.0, 20.0]), GRID_V)
    main = made.bus(SUBSTATION, "transformer", skeleton.xy[root] + np.array([-12.0, 6.0]), MEDIUM_V)
    made.transformer("TS1", (grid, main), SUBSTATION_VA)
    medium = _medium_voltage(made, skeleton, (root, main), (parent, via), below)
    low = _transformers(made, skeleton, medium, node_w)
    customers = _services(made, stock, low, (at_node, spot), peak_w)
    network = Network("power", "power", dataset, tuple(made.nodes), tuple(made.links), generated=True)
    names = tuple(node.element_id for node in made.nodes)
    rated = np.array(made.rated)
    return PowerPlan(network, names, rated, tuple(made.lines), tuple(made.transformers), customers, load_kw * 1000.0)


def _attach(skeleton: Skeleton, xy: FloatArray) -> tuple[IndexArray, list[FloatArray]]:
    """Return, for each building, its street node and the cable's way from there along the street."""
    lines = [shapely.LineString(link.line) for link in skeleton.links]
    nearest = shapely.STRtree(lines).nearest(shapely.points(xy))
    nodes, ways = [], []
    for place, row in zip(shapely.points(xy), nearest.tolist(), strict=True):
        link, line = skeleton.links[row], lines[row]
        along = line.project(place)
        from_start = along <= line.length / 2.0
        part = substring(line, 0.0, along) if from_start else substring(line, line.length, along)
        nodes.append(link.start if from_start else link.end)
        ways.append(np.vstack((shapely.get_coordinates(part), shapely.get_coordinates(place))))
    return np.array(nodes, dtype=np.int64), ways


def _substation_node(skeleton: Skeleton, node_w: FloatArray) -> int:
    """Choose the crossing nearest to the load's centre with at least four streets, else the nearest."""
    degree = np.bincount([end for link in skeleton.links for end in (link.start, link.end)])
    centre = np.average(skeleton.xy, axis=0, weights=np.maximum(node_w, 1e-9))
    far = np.hypot(*(skeleton.xy - centre).T)
    candidates = np.flatnonzero(degree >= min(4, degree.max()))
    return int(candidates[far[candidates].argmin()])


def _tree(skeleton: Skeleton, root: int) -> tuple[IndexArray, dict[tuple[int, int], int]]:
    """Return the parent of each node on its shortest way to the root (-1 at the root), and link rows."""
    row = {(link.start, link.end): i for i, link in enumerate(skeleton.links)}
    row |= {(end, start): i for (start, end), i in row.items()}
    count = len(skeleton.xy)
    start, end = np.array(list(row), dtype=np.int64).T
    length = np.array([skeleton.links[i].length_m for i in row.values()])
    _, before = dijkstra(
        sp.csr_matrix((length, (start, end)), shape=(count, count)), indices=root, return_predecessors=True
    )
    return np.where(before < 0, -1, before).astype(np.int64), row


def _below(parent: IndexArray, node_w: FloatArray) -> FloatArray:
    """Return the load at and beyond each node, W."""
    total = node_w.copy()
    for node in range(len(parent)):
        up = int(parent[node])
        while up >= 0:
            total[up] += node_w[node]
            up = int(parent[up])
    return total


def _medium_voltage(
    made: _Builder,
    skeleton: Skeleton,
    source: tuple[int, int],
    tree: tuple[IndexArray, dict[tuple[int, int], int]],
    below: FloatArray,
) -> dict[int, int]:
    """Lay feeders to all nodes that have load at or beyond them; return the bus of each node."""
    (root, main), (parent, via) = source, tree
    medium = {root: main}
    depth = {node: _depth(parent, node) for node in range(len(parent))}
    for node in sorted(depth, key=lambda one: (depth[one], one)):
        if node == root or below[node] <= 0.0:
            continue
        up = int(parent[node])
        link = skeleton.links[via[(up, node)]]
        line = link.line if link.start == up else link.line[::-1]
        medium[node] = made.bus(
            f"B{node + 1}", "bus", skeleton.xy[node], MEDIUM_V, name=skeleton.street_at(node) or None
        )
        made.line(f"F{node + 1}", (medium[up], medium[node]), line, MEDIUM_CABLE, float(below[node]), link.name)
    return medium


def _depth(parent: IndexArray, node: int) -> int:
    depth = 0
    while parent[node] >= 0:
        node, depth = int(parent[node]), depth + 1
    return depth


def transformer_rating_va(peak_w: float) -> float:
    """Return the rating of the standard units that serve a peak: one unit, or several of the largest."""
    needed = peak_w / POWER_FACTOR / TRANSFORMER_FILL
    units = max(1, int(np.ceil(needed / TRANSFORMER_VA[-1])))
    return units * next(size for size in TRANSFORMER_VA if units * size >= needed)


def _transformers(made: _Builder, skeleton: Skeleton, medium: dict[int, int], node_w: FloatArray) -> dict[int, int]:
    low = {}
    for node in sorted(medium):
        if node_w[node] > 0.0:
            at = skeleton.xy[node] + np.array([6.0, 6.0])
            name = skeleton.street_at(node) or None
            low[node] = made.bus(f"TR{node + 1}", "transformer", at, LOW_V, name=name)
            made.transformer(f"TL{node + 1}", (medium[node], low[node]), transformer_rating_va(float(node_w[node])))
    return low


def _services(
    made: _Builder,
    stock: Stock,
    low: dict[int, int],
    attached: tuple[IndexArray, list[FloatArray]],
    peak_w: FloatArray,
) -> IndexArray:
    customers = []
    for i, (node, way) in enumerate(zip(attached[0].tolist(), attached[1], strict=True)):
        bus = made.bus(f"C{i + 1}", "bus", way[-1], LOW_V, building=stock.ids[i], name=stock.names[i] or None)
        transformer = made.nodes[low[node]]
        line = np.vstack(((transformer.x, transformer.y), way))
        made.line(f"S{i + 1}", (low[node], bus), line, LOW_CABLE, float(peak_w[i]), "")
        customers.append(bus)
    return np.array(customers, dtype=np.int64)
