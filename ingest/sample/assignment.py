"""User equilibrium of road traffic: bi-conjugate Frank-Wolfe on a BPR network.

Method: M. Mitradjieva and P. O. Lindberg, "The stiff is moving: conjugate direction Frank-Wolfe
methods with applications to traffic assignment", Transportation Science 47 (2013).  Link time
t = t0 (1 + b (v / c)^p).  Nodes ``0 .. zones - 1`` are centroids: trips begin and end there and
never pass through.  Time and flow are in whatever units the network has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from cim.errors import InvalidInput

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

GAP: Final = 1e-4
"""Relative gap at which the assignment stops unless told otherwise."""

ITERATIONS_MAX: Final = 500
STEP_FLOOR: Final = 1e-12
CONJUGATE_SHARE_MAX: Final = 0.99
BISECTIONS: Final = 40
TIME_FLOOR: Final = 1e-9
"""The shortest-path routine reads a zero as no link; no link is faster than this."""


@dataclass(frozen=True, slots=True)
class RoadNetwork:
    """Directed links by row: ``tail``, ``head`` node numbers, ``capacity``, ``free_time``, ``b``, ``power``."""

    nodes: int
    zones: int
    tail: IndexArray
    head: IndexArray
    capacity: FloatArray
    free_time: FloatArray
    b: FloatArray
    power: FloatArray

    def times(self, flow: FloatArray) -> FloatArray:
        """Return the link times at a flow, shape (m,)."""
        return np.asarray(
            self.free_time * (1.0 + self.b * (np.maximum(flow, 0.0) / self.capacity) ** self.power), dtype=np.float64
        )

    def slopes(self, flow: FloatArray) -> FloatArray:
        """Return the derivative of the link times, shape (m,)."""
        ratio = np.maximum(flow, 0.0) / self.capacity
        rise = np.where(self.power >= 1.0, ratio ** np.maximum(self.power - 1.0, 0.0), 0.0)
        return np.asarray(self.free_time * self.b * self.power * rise / self.capacity, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Assignment:
    """Flows and times by link, shape (m,); ``unserved`` is demand between places with no way."""

    flow: FloatArray
    time: FloatArray
    relative_gap: float
    iterations: int
    unserved: float


class _Loader:
    """All-or-nothing loading of a demand matrix onto shortest paths."""

    def __init__(self, network: RoadNetwork, demand: FloatArray) -> None:
        zones = network.zones
        self.total = network.nodes + zones
        # A centroid has a second node, from which its trips leave: nobody can pass through.
        tail = np.where(network.tail < zones, network.tail + network.nodes, network.tail)
        self._key = tail * self.total + network.head
        self._keys, self._first = np.unique(np.sort(self._key), return_index=True)
        self._heads = self._keys % self.total
        self._pointer = np.searchsorted(self._keys, np.arange(self.total + 1) * self.total)
        inside = demand.copy()
        np.fill_diagonal(inside, 0.0)
        self._origins = np.flatnonzero(inside.sum(axis=1) > 0.0)
        row, self._destination = np.nonzero(inside[self._origins])
        self._row = row
        self._trips = inside[self._origins][row, self._destination]
        self._starts = self._origins + network.nodes
        self._served = self._reachable()
        self.unserved = float(self._trips[~self._served].sum())

    def _reachable(self) -> NDArray[np.bool_]:
        distance = dijkstra(self._graph(np.ones(len(self._keys))), indices=self._starts, unweighted=True)
        return np.asarray(np.isfinite(distance[self._row, self._destination]), dtype=np.bool_)

    def _graph(self, cost: FloatArray) -> sp.csr_matrix:
        return sp.csr_matrix((cost, self._heads, self._pointer), shape=(self.total, self.total))

    def load(self, time: FloatArray) -> FloatArray:
        """Return the flow per link, shape (m,), when every trip takes a shortest path at ``time``."""
        order = np.lexsort((time, self._key))
        best = order[self._first]
        graph = self._graph(np.maximum(time[best], TIME_FLOOR))
        _, before = dijkstra(graph, indices=self._starts, return_predecessors=True)
        flow = np.zeros(len(self._keys))
        row, at, trips = (part[self._served] for part in (self._row, self._destination, self._trips))
        while len(row):
            came_from = before[row, at].astype(np.int64)
            pair = np.searchsorted(self._keys, came_from * self.total + at)
            flow += np.bincount(pair, trips, len(self._keys))
            going = came_from != self._starts[row]
            row, at, trips = row[going], came_from[going], trips[going]
        loaded = np.zeros(len(time))
        loaded[best] = flow
        return loaded


def assign(
    network: RoadNetwork, demand: FloatArray, gap: float = GAP, iterations_max: int = ITERATIONS_MAX
) -> Assignment:
    """Assign a demand of shape (zones, zones) until the relative gap is reached.

    The gap is (v·t - y·t) / (v·t), with y the shortest-path flows at times t.  Raises
    :class:`InvalidInput` (``road-network``) for a demand or a network that cannot be assigned.
    """
    _check(network, demand)
    loader = _Loader(network, demand)
    flow = loader.load(network.times(np.zeros(len(network.tail))))
    search = _Directions(network)
    relative = np.inf
    iterations = 0
    while iterations < iterations_max:
        iterations += 1
        time = network.times(flow)
        shortest = loader.load(time)
        spent = float(flow @ time)
        relative = (spent - float(shortest @ time)) / spent if spent > 0.0 else 0.0
        if relative <= gap:
            break
        target = search.target(flow, shortest, time)
        step = line_search(network, flow, target - flow)
        search.took(step)
        flow = flow + step * (target - flow)
    return Assignment(flow, network.times(flow), relative, iterations, loader.unserved)


def _check(network: RoadNetwork, demand: FloatArray) -> None:
    fits = demand.shape == (network.zones, network.zones) and bool(np.isfinite(demand).all()) and demand.min() >= 0.0
    if not fits or np.any(network.capacity <= 0.0) or np.any(network.free_time < 0.0):
        raise InvalidInput("This demand does not fit this road network.", code="road-network")


class _Directions:
    """Remembers the last two targets and makes the next conjugate to both."""

    def __init__(self, network: RoadNetwork) -> None:
        self._network = network
        self._last: FloatArray | None = None
        self._before: FloatArray | None = None
        self._step = 1.0

    def took(self, step: float) -> None:
        """Remember the step; after a full or an empty one the memory says nothing any more."""
        self._step = step
        if step > CONJUGATE_SHARE_MAX or step < STEP_FLOOR:
            self._last = self._before = None

    def target(self, flow: FloatArray, shortest: FloatArray, time: FloatArray) -> FloatArray:
        """Return the flows to move towards; the plain shortest paths where conjugacy leads uphill."""
        made = self._conjugate(flow, shortest)
        if float((made - flow) @ time) >= 0.0:
            made = shortest
            self._last = None
        self._before, self._last = self._last, made
        return made

    def _conjugate(self, flow: FloatArray, shortest: FloatArray) -> FloatArray:
        last, before = self._last, self._before
        if last is None:
            return shortest
        curve = self._network.slopes(flow)
        to_last, to_shortest = last - flow, shortest - flow
        if before is None:
            bend = float((curve * to_last) @ (shortest - last))
            share = float((curve * to_last) @ to_shortest) / bend if bend != 0.0 else 0.0
            share = min(max(share, 0.0), CONJUGATE_SHARE_MAX)
            return np.asarray(share * last + (1.0 - share) * shortest, dtype=np.float64)
        mixed = self._step * last + (1.0 - self._step) * before - flow
        bend_before = float((curve * mixed) @ (before - last))
        bend_last = float((curve * to_last) @ to_last)
        if bend_before == 0.0 or bend_last == 0.0:
            return shortest
        mu = max(0.0, -float((curve * mixed) @ to_shortest) / bend_before)
        nu = -float((curve * to_last) @ to_shortest) / bend_last + mu * self._step / (1.0 - self._step)
        nu = max(0.0, nu)
        return np.asarray((shortest + nu * last + mu * before) / (1.0 + mu + nu), dtype=np.float64)


def line_search(network: RoadNetwork, flow: FloatArray, direction: FloatArray) -> float:
    """Return the step in [0, 1] at which the Beckmann function along ``direction`` is least."""

    def rise(step: float) -> float:
        return float(network.times(flow + step * direction) @ direction)

    if rise(1.0) <= 0.0:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2.0
        if rise(middle) < 0.0:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
