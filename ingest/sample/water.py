"""The generated water network: looped mains along the real streets, sized for the peak hour.

Method: daily demand = people x litres per person and day (factors ``cea-occ-*``, ``cea-water-*``)
plus leakage; diameters from the flows of a linearised network at the peak, one design velocity;
head loss after Hazen and Williams with ``hw-c-cast_iron``.  Metres, m3/s; the ground is flat at 0 m,
so that pressure head is head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import spsolve

from cim.networks.model import Network, NetworkLink, NetworkNode
from cim.units import SECONDS_PER_DAY
from ingest.sample.factors import USES, factor
from ingest.sample.profiles import water_pattern
from ingest.sample.stock import Stock
from ingest.sample.streets import Skeleton, nearest_node

FloatArray = NDArray[np.float64]

DIAMETERS_M: Final = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6)
DESIGN_VELOCITY_M_S: Final = 1.2
TANK_SHARE: Final = 0.7
"""Share of the peak demand that the mains must also bring from the tank alone, the pump at rest."""

LEAKAGE_SHARE: Final = 0.12
"""Water lost on the way, as a share of what is used; spread evenly over the day (own assumption)."""

RESERVOIR_HEAD_M: Final = 4.0
TANK_BOTTOM_M: Final = 34.0
TANK_LEVEL_M_MIN: Final = 0.5
TANK_LEVEL_M_START: Final = 4.5
TANK_LEVEL_M_MAX: Final = 7.5
TANK_HOURS: Final = 3.5
"""Hours of mean demand that the tank holds between its lowest and highest level."""

PUMP_ON_BELOW_M: Final = 3.0
PUMP_OFF_ABOVE_M: Final = 6.8
PUMP_FLOW_SHARE: Final = 1.25
"""Design flow of the pump over the mean demand."""

PUMP_HEAD_M: Final = 45.0
PRESSURE_HEAD_M_MIN: Final = 28.0
"""The lowest pressure head that serves a house of seven storeys without a pump of its own, metres."""

RESERVOIR, TANK, PUMP, TANK_MAIN = "R1", "T1", "PU1", "P0"


@dataclass(frozen=True, slots=True)
class WaterPlan:
    """Everything that EPANET needs to know.

    ``demand_m3_s`` (n, u + 1): mean demand by junction and use, the last column leakage;
    ``patterns`` (96, u + 1): multipliers of each column over the day.
    """

    network: Network
    junctions: tuple[str, ...]
    demand_m3_s: FloatArray
    patterns: FloatArray
    tank_diameter_m: float

    @property
    def mean_demand_m3_s(self) -> float:
        """Water used and lost, averaged over the day."""
        return float(self.demand_m3_s.sum())


def plan_water(skeleton: Skeleton, stock: Stock, dataset: str) -> WaterPlan:
    """Lay mains along the skeleton and size them for the stock's peak demand."""
    demand = _demand(skeleton, stock)
    patterns = np.column_stack([*(water_pattern(use) for use in USES), np.ones(len(water_pattern("office")))])
    peak = (demand @ patterns.T).T
    at_peak = peak[int(peak.sum(axis=1).argmax())]
    feed, tank = _sources(skeleton)
    diameters = np.maximum(size_mains(skeleton, at_peak, feed), size_mains(skeleton, TANK_SHARE * at_peak, tank))
    network = _network(skeleton, diameters, demand.sum(axis=1), (feed, tank), dataset)
    volume = float(demand.sum()) * TANK_HOURS * 3600.0
    area = volume / (TANK_LEVEL_M_MAX - TANK_LEVEL_M_MIN)
    names = tuple(f"J{i + 1}" for i in range(len(skeleton.xy)))
    return WaterPlan(network, names, demand, patterns, round(float(np.sqrt(4.0 * area / np.pi)), 1))


def _demand(skeleton: Skeleton, stock: Stock) -> FloatArray:
    litres = np.array([factor(f"cea-water-{use}") for use in USES])
    used = stock.persons * litres / 1000.0 / SECONDS_PER_DAY
    at_node = np.zeros((len(skeleton.xy), len(USES) + 1))
    np.add.at(at_node[:, :-1], nearest_node(skeleton, stock.xy), used)
    metres = np.zeros(len(skeleton.xy))
    for link in skeleton.links:
        metres[[link.start, link.end]] += link.length_m / 2.0
    at_node[:, -1] = LEAKAGE_SHARE * used.sum() * metres / metres.sum()
    return at_node


def _sources(skeleton: Skeleton) -> tuple[int, int]:
    """Feed from the northern rim, where the city's plant would lie; the tank stands in the far south."""
    degree = np.bincount([end for link in skeleton.links for end in (link.start, link.end)])
    looped = np.flatnonzero(degree >= 3)
    feed = int(looped[skeleton.xy[looped, 1].argmax()])
    far = np.hypot(*(skeleton.xy[looped] - skeleton.xy[feed]).T)
    return feed, int(looped[np.abs(far - 0.7 * far.max()).argmin()])


def size_mains(skeleton: Skeleton, demand_m3_s: FloatArray, feed: int) -> FloatArray:
    """Return a standard diameter per link, metres, shape (m,), for demands of shape (n,).

    The flows are those of the network with head loss linear in flow; conductance and diameter are
    iterated together a few times.
    """
    start = np.array([link.start for link in skeleton.links])
    end = np.array([link.end for link in skeleton.links])
    length = np.array([link.length_m for link in skeleton.links])
    diameter = np.full(len(length), 0.2)
    for _ in range(4):
        flow = np.abs(linear_flows(start, end, diameter**2.63 / length, demand_m3_s, feed))
        needed = np.sqrt(4.0 * flow / (np.pi * DESIGN_VELOCITY_M_S))
        step = np.searchsorted(DIAMETERS_M, np.minimum(needed, DIAMETERS_M[-1]))
        diameter = np.array(DIAMETERS_M)[step]
    return diameter


def linear_flows(
    start: NDArray[np.int64], end: NDArray[np.int64], conductance: FloatArray, demand: FloatArray, feed: int
) -> FloatArray:
    """Solve a connected linear network: flow per link from ``start`` to ``end``, shape (m,)."""
    count, links = len(demand), np.arange(len(start))
    incidence = sp.csr_matrix(
        (np.r_[np.ones(len(start)), -np.ones(len(start))], (np.r_[links, links], np.r_[start, end])),
        shape=(len(start), count),
    )
    weighted = sp.diags(conductance) @ incidence
    free = np.delete(np.arange(count), feed)
    head = np.zeros(count)
    head[free] = spsolve((incidence.T @ weighted).tocsc()[free][:, free], -demand[free])
    return np.asarray(weighted @ head, dtype=np.float64)


def _network(
    skeleton: Skeleton, diameters: FloatArray, demand: FloatArray, sources: tuple[int, int], dataset: str
) -> Network:
    nodes = [
        NetworkNode(
            f"J{i + 1}",
            "junction",
            float(x),
            float(y),
            0.0,
            {"name": skeleton.street_at(i) or None, "mean_demand_m3_s": round(float(demand[i]), 6)},
        )
        for i, (x, y) in enumerate(skeleton.xy)
    ]
    links = [
        NetworkLink(
            f"P{i + 1}",
            "pipe",
            f"J{link.start + 1}",
            f"J{link.end + 1}",
            link.line,
            {"name": link.name or None} | _pipe(link.length_m, float(diameters[i])),
        )
        for i, link in enumerate(skeleton.links)
    ]
    feed, tank = (skeleton.xy[node] for node in sources)
    plant, tower = feed + np.array([0.0, 45.0]), tank + np.array([28.0, 22.0])
    nodes.append(
        NetworkNode(RESERVOIR, "reservoir", float(plant[0]), float(plant[1]), RESERVOIR_HEAD_M, {"name": None})
    )
    nodes.append(NetworkNode(TANK, "tank", float(tower[0]), float(tower[1]), TANK_BOTTOM_M))
    links.append(NetworkLink(PUMP, "pump", RESERVOIR, f"J{sources[0] + 1}", np.array([plant, feed])))
    main = np.array([tank, tower])
    wide = _pipe(float(np.hypot(*(tower - tank))), DIAMETERS_M[-3])
    links.append(NetworkLink(TANK_MAIN, "pipe", f"J{sources[1] + 1}", TANK, main, wide))
    return Network("water", "water", dataset, tuple(nodes), tuple(links), generated=True)


def _pipe(length_m: float, diameter_m: float) -> dict[str, str | int | float | bool | None]:
    return {
        "diameter_m": diameter_m,
        "length_m": round(length_m, 3),
        "hazen_williams_c": factor("hw-c-cast_iron"),
        "material": "cast_iron",
    }
