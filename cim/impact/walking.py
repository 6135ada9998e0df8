"""How far it is on foot along the streets, and how that is mended where something has changed; pure.

The walk from every node to the nearest place of a kind is kept.  A change of the streets or of the places
can only matter to nodes within reach of it, so that only those are asked again: the way in from the nodes
around them is known.
"""

# ruff: noqa: PLC0415 -- scipy takes long to import and a server must answer before it is needed

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.impact.layers import NOWHERE, Flags, Ints, Shapes
from cim.impact.ways import MM_PER_M, Metres, StreetGraph, changed_places

DOOR_M_MAX: Final = 200.0
"""A building further than this from any street is not reached on foot."""
ENTRY_M: Final = 30.0
"""Every street within this of a park or a school leads into it."""
ENTRY_M_MAX: Final = 150.0
"""Where none is so near, the nearest within this does."""
REACH_M_MAX: Final = 1_250.0
"""A walk of a quarter of an hour; what is beyond is not looked at."""
UNREACHED: Final = -1

CELL_M: Final = 125.0
"""Side of the squares in which nodes near a change are found."""
ROUNDING: Final = 1.05
"""A piece of 1 cm or more is at most 5 % longer than its whole millimetres say."""
CELLS_MAX: Final = 4_000_000
NEVER: Final = np.iinfo(np.int64).max

Distances = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Entries:
    """Nodes that lead into places: ``place`` (n,) its number, ``node`` (n,), ``way_mm`` (n,) from there."""

    place: Ints
    node: Ints
    way_mm: Ints

    def only(self, places: Flags) -> Entries:
        """Return the entries of some places."""
        there = places[self.place]
        return Entries(self.place[there], self.node[there], self.way_mm[there])


@dataclass(frozen=True, eq=False)
class Walks:
    """One state of the walks to a kind of place: ``lead_mm`` and ``way_mm`` (n,) by node of the graph.

    ``lead_mm`` is the way from a node straight into a place, :data:`NEVER` for nodes that lead into none;
    ``way_mm`` the way to the nearest, :data:`UNREACHED` beyond the reach.
    """

    graph: StreetGraph
    lead_mm: Ints
    way_mm: Distances


def entries_of(graph: StreetGraph, places: Shapes) -> Entries:
    """Return the nodes that lead into each place: all that are near, else the nearest that is not far."""
    none = np.empty(0, dtype=np.int64)
    if not len(places) or not len(graph.keys):
        return Entries(none, none, none)
    which, node = graph.near(places, ENTRY_M)
    without = np.setdiff1d(np.arange(len(places)), which)
    way = shapely.distance(places[which], graph.points[node])
    if len(without):
        far, other = graph.near(places[without], ENTRY_M_MAX)
        apart = shapely.distance(places[without][far], graph.points[other])
        least = np.full(len(without), np.inf)
        np.minimum.at(least, far, apart)
        nearest = apart == least[far]
        which = np.concatenate((which, without[far[nearest]]))
        node, way = np.concatenate((node, other[nearest])), np.concatenate((way, apart[nearest]))
    return Entries(which, node, np.rint(way * MM_PER_M).astype(np.int64))


def lead_of(count: int, entries: Sequence[Entries]) -> Ints:
    """Return the way from each of so many nodes straight into a place, mm."""
    lead = np.full(count, NEVER, dtype=np.int64)
    for some in entries:
        np.minimum.at(lead, some.node, some.way_mm)
    return lead


def walks_from(graph: StreetGraph, lead_mm: Ints) -> Walks:
    """Return the walks of a graph, worked out for all of it."""
    way = np.full(len(graph.keys), UNREACHED, dtype=np.int64)
    starts = np.flatnonzero(lead_mm != NEVER)
    ends, length = graph.edges
    way[:] = _search(len(way), ends, length, starts, lead_mm[starts])
    return Walks(graph, lead_mm, way)


def mended(before: Walks, graph: StreetGraph, lead_mm: Ints) -> Walks:
    """Return the walks of a graph from those of an earlier state of it; both are of one baseline."""
    lead, way = _carried(before, graph)
    changed = graph.xy[np.flatnonzero(lead != lead_mm)]
    if graph is not before.graph:
        changed = np.concatenate((changed, changed_places(before.graph, graph)))
    if not len(changed):
        return Walks(graph, lead_mm, way)
    inner = near_changes(graph.xy, changed)
    ends, length = graph.edges
    meets = inner[ends[:, 0]] | inner[ends[:, 1]]
    ends, length = ends[meets], length[meets]
    # The way in from outside: nodes there keep their walks, and hand them on over the edges that cross.
    starts, first = [np.flatnonzero(inner & (lead_mm != NEVER))], []
    first.append(lead_mm[starts[0]])
    for a, b in ((0, 1), (1, 0)):
        crosses = ~inner[ends[:, a]] & (way[ends[:, a]] != UNREACHED)
        starts.append(ends[crosses, b])
        first.append(way[ends[crosses, a]] + length[crosses])
    rows = np.flatnonzero(inner)
    number = np.full(len(inner), NOWHERE, dtype=np.int64)
    number[rows] = np.arange(len(rows))
    within = inner[ends].all(axis=1)
    way[rows] = _search(
        len(rows), number[ends[within]], length[within], number[np.concatenate(starts)], np.concatenate(first)
    )
    return Walks(graph, lead_mm, way)


def _carried(before: Walks, graph: StreetGraph) -> tuple[Ints, Distances]:
    """Return an earlier state by the nodes of a graph; nodes that are new lead nowhere and reach nothing."""
    lead = np.full(len(graph.keys), NEVER, dtype=np.int64)
    way = np.full(len(graph.keys), UNREACHED, dtype=np.int64)
    count = len(graph.origin.keys)
    lead[:count], way[:count] = before.lead_mm[:count], before.way_mm[:count]
    _, old, new = np.intersect1d(before.graph.keys[count:], graph.keys[count:], return_indices=True)
    lead[count + new], way[count + new] = before.lead_mm[count + old], before.way_mm[count + old]
    return lead, way


def near_changes(xy: Metres, changed: Metres) -> Flags:
    """Return which places (n, 2) a walk from one of some changes may reach, and some more; both metres."""
    low = np.minimum(xy.min(axis=0, initial=np.inf), changed.min(axis=0))
    high = np.maximum(xy.max(axis=0, initial=-np.inf), changed.max(axis=0))
    cell = max(CELL_M, float(np.sqrt(np.prod(high - low + CELL_M) / CELLS_MAX)))
    reach = int(np.ceil((REACH_M_MAX * ROUNDING + 1.0) / cell)) + 1
    width, depth = (int(size) for size in np.floor((high - low) / cell) + 1)
    wanted = np.zeros((width, depth), dtype=bool)
    for x, y in np.unique(((changed - low) // cell).astype(np.int64), axis=0).tolist():
        wanted[max(0, x - reach) : x + reach + 1, max(0, y - reach) : y + reach + 1] = True
    cells = ((xy - low) // cell).astype(np.int64)
    return np.asarray(wanted[cells[:, 0], cells[:, 1]])


def _search(count: int, ends: Ints, length_mm: Ints, starts: Ints, first_mm: Ints) -> Distances:
    """Return the way to the nearest start for each of so many nodes, mm, what it costs at the start included."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    if not len(starts):
        return np.full(count, UNREACHED, dtype=np.int64)
    # One more node leads to every start; a way of length zero would be no way, so all are 1 mm longer.
    lead = np.full(count, NEVER, dtype=np.int64)
    np.minimum.at(lead, starts, first_mm)
    starts = np.flatnonzero(lead != NEVER)
    ends, length_mm = shortest(ends, length_mm)
    rows = np.concatenate((ends[:, 0], ends[:, 1], np.full(len(starts), count)))
    columns = np.concatenate((ends[:, 1], ends[:, 0], starts))
    weights = np.concatenate((length_mm, length_mm, lead[starts] + 1)).astype(np.float64)
    graph = csr_matrix((weights, (rows, columns)), shape=(count + 1, count + 1))
    found = dijkstra(graph, indices=count, limit=REACH_M_MAX * MM_PER_M + 1)[:count]
    return np.asarray(np.where(np.isfinite(found), found - 1, UNREACHED), dtype=np.int64)


def shortest(ends: Ints, length_mm: Ints) -> tuple[Ints, Ints]:
    """Keep the shortest of the edges that join the same two nodes."""
    ends = np.sort(ends, axis=1)
    order = np.lexsort((length_mm, ends[:, 1], ends[:, 0]))
    ends, length_mm = ends[order], length_mm[order]
    first = np.ones(len(ends), dtype=bool)
    first[1:] = (ends[1:] != ends[:-1]).any(axis=1)
    return ends[first], length_mm[first]


@dataclass(frozen=True, eq=False)
class Doors:
    """The street node of each of some buildings, :data:`NOWHERE` for none, and how far it is, metres."""

    node: Ints
    far_m: Metres

    @property
    def way_mm(self) -> Distances:
        """The way to the node in whole millimetres."""
        there = np.where(self.node == NOWHERE, 0.0, self.far_m)
        return np.asarray(np.rint(there * MM_PER_M).astype(np.int64))


def doors(graph: StreetGraph, points: Shapes) -> Doors:
    """Return the doors of buildings that stand at some points."""
    if not len(points) or not len(graph.keys):
        return Doors(np.full(len(points), NOWHERE, dtype=np.int64), np.full(len(points), np.inf))
    return Doors(*graph.nearest(shapely.get_coordinates(points), DOOR_M_MAX))


def mended_doors(before: Doors, graph: StreetGraph, points: Shapes) -> Doors:
    """Return doors onto an altered graph from those onto its baseline's: where a node went or a new one is near."""
    base = graph.origin
    was = np.zeros(len(graph.keys), dtype=bool)
    was[: len(base.keys)] = base.open_nodes
    lost = np.flatnonzero(was & ~graph.open_nodes)
    gained = np.flatnonzero(graph.open_nodes & ~was)
    node, far = before.node.copy(), before.far_m.copy()
    asked = np.flatnonzero(np.isin(node, lost) & (node != NOWHERE))
    if len(asked):
        found = doors(graph, points[asked])
        node[asked], far[asked] = found.node, found.far_m
    if len(gained):
        xy = shapely.get_coordinates(points)
        tree = shapely.STRtree(graph.points[gained])
        which, other = tree.query(points, predicate="dwithin", distance=DOOR_M_MAX)
        new, apart = graph.least(xy, which, gained[other], DOOR_M_MAX)
        nearer = (apart < far) | ((apart == far) & (new != NOWHERE) & (graph.keys[new] < graph.keys[node]))
        node[nearer], far[nearer] = new[nearer], apart[nearer]
    return Doors(node, far)
