"""The streets as a graph to walk on, and how far it is along it; pure.

Every vertex of a street is a node; streets that share a vertex meet there, and a dead end that stops a
few metres short of another street is joined to it.  Lengths are whole millimetres, and nodes are
numbered by their place, so that a graph depends on the streets alone and not on their order.
"""

# ruff: noqa: PLC0415 -- scipy takes long to import and a server must answer before it is needed

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.impact.layers import NOWHERE, Ints, Layer, Shapes

MM_PER_M: Final = 1_000
GRID_M: Final = 0.01
"""Vertices nearer than this are one place."""
DEAD_END_GAP_M: Final = 3.0
"""A dead end this near to another street is joined to it."""
DOOR_M_MAX: Final = 200.0
"""A building further than this from any street is not reached on foot."""
ENTRY_M: Final = 30.0
"""Every street within this of a park or a school leads into it."""
ENTRY_M_MAX: Final = 150.0
"""Where none is so near, the nearest within this does."""
REACH_M_MAX: Final = 3_000.0
"""Walks beyond this are not looked at."""
UNREACHED: Final = -1

Distances = NDArray[np.int64]


@dataclass(frozen=True)
class WalkGraph:
    """Nodes ``xy`` (n, 2) metres, and edges both ways: ``ends`` (m, 2), ``length_mm`` (m,)."""

    xy: NDArray[np.float64]
    ends: Ints
    length_mm: Ints

    @cached_property
    def nearest(self) -> Any:
        """A tree over the nodes that finds the nearest."""
        from scipy.spatial import KDTree

        return KDTree(self.xy)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """A tree over the nodes that finds those near a shape."""
        return shapely.STRtree(shapely.points(self.xy))

    @cached_property
    def part_of(self) -> Ints:
        """The connected part that each node belongs to."""
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import connected_components

        count = len(self.xy)
        joined = csr_matrix((np.ones(len(self.ends)), (self.ends[:, 0], self.ends[:, 1])), shape=(count, count))
        return np.asarray(connected_components(joined, directed=False)[1], dtype=np.int64)

    def doors(self, points: Shapes) -> tuple[Ints, Distances]:
        """Return the node nearest to each point, :data:`NOWHERE` for none, and the way to it in mm."""
        if not len(self.xy) or not len(points):
            return np.full(len(points), NOWHERE, dtype=np.int64), np.zeros(len(points), dtype=np.int64)
        distance, node = self.nearest.query(shapely.get_coordinates(points))
        far = distance > DOOR_M_MAX
        node = np.where(far, NOWHERE, node).astype(np.int64)
        return node, np.rint(np.where(far, 0.0, distance) * MM_PER_M).astype(np.int64)

    def distance_to(self, places: Sequence[shapely.Geometry]) -> Distances:
        """Return the way from each node to the nearest of some places, mm; :data:`UNREACHED` beyond the reach."""
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import dijkstra

        count = len(self.xy)
        entries = self._entries(places)
        if not entries:
            return np.full(count, UNREACHED, dtype=np.int64)
        nodes = np.array(sorted(entries), dtype=np.int64)
        # One more node leads to every entry; a way of length zero would be no way, so all are 1 mm longer.
        lead = np.array([entries[node] for node in nodes.tolist()], dtype=np.int64) + 1
        rows = np.concatenate((self.ends[:, 0], np.full(len(nodes), count)))
        columns = np.concatenate((self.ends[:, 1], nodes))
        weights = np.concatenate((self.length_mm, lead)).astype(np.float64)
        graph = csr_matrix((weights, (rows, columns)), shape=(count + 1, count + 1))
        found = dijkstra(graph, indices=count, limit=REACH_M_MAX * MM_PER_M)[:count]
        return np.asarray(np.where(np.isfinite(found), found - 1, UNREACHED), dtype=np.int64)

    def _entries(self, places: Sequence[shapely.Geometry]) -> dict[int, int]:
        """Return the nodes that lead into some places, each with the way from there in mm."""
        entries: dict[int, int] = {}
        if not len(places) or not len(self.xy):
            return entries
        shapes: Shapes = np.array(list(places), dtype=object)
        which, node = self.tree.query(shapes, predicate="dwithin", distance=ENTRY_M)
        without = np.setdiff1d(np.arange(len(shapes)), which)
        if len(without):
            extra, nearest = self.tree.query_nearest(shapes[without], max_distance=ENTRY_M_MAX)
            which, node = np.concatenate((which, without[extra])), np.concatenate((node, nearest))
        way = np.rint(shapely.distance(shapes[which], shapely.points(self.xy[node])) * MM_PER_M).astype(np.int64)
        for at, length in zip(node.tolist(), way.tolist(), strict=True):
            entries[at] = min(length, entries.get(at, length))
        return entries


def walk_graph(streets: Layer) -> WalkGraph:
    """Return the graph of the streets that may be walked."""
    rows = [row for row in streets.rows().tolist() if streets.facts[row].walkable]
    lines = shapely.get_parts(streets.places[rows])
    lines = lines[shapely.get_type_id(lines) == shapely.GeometryType.LINESTRING]
    coordinates, line = shapely.get_coordinates(lines, return_index=True)
    if not len(coordinates):
        empty = np.empty(0, dtype=np.int64)
        return WalkGraph(np.empty((0, 2)), empty.reshape(0, 2), empty)
    cells, node = np.unique(np.rint(coordinates / GRID_M).astype(np.int64), axis=0, return_inverse=True)
    xy = cells * GRID_M
    follows = line[1:] == line[:-1]
    ends = np.column_stack((node[:-1][follows], node[1:][follows]))
    ends = ends[ends[:, 0] != ends[:, 1]]
    length = np.hypot(*(xy[ends[:, 0]] - xy[ends[:, 1]]).T)
    ends, length_mm = _shortest(ends, np.maximum(1, np.rint(length * MM_PER_M)).astype(np.int64))
    more, more_mm = _dead_end_links(xy, ends, length_mm)
    ends, length_mm = _shortest(np.concatenate((ends, more)), np.concatenate((length_mm, more_mm)))
    both = np.concatenate((ends, ends[:, ::-1]))
    return WalkGraph(xy, both, np.concatenate((length_mm, length_mm)))


def _shortest(ends: Ints, length_mm: Ints) -> tuple[Ints, Ints]:
    """Keep the shortest of the edges that join the same two nodes, each with the smaller node first."""
    ends = np.sort(ends, axis=1)
    order = np.lexsort((length_mm, ends[:, 1], ends[:, 0]))
    ends, length_mm = ends[order], length_mm[order]
    first = np.ones(len(ends), dtype=bool)
    first[1:] = (ends[1:] != ends[:-1]).any(axis=1)
    return ends[first], length_mm[first]


def _dead_end_links(xy: NDArray[np.float64], ends: Ints, length_mm: Ints) -> tuple[Ints, Ints]:
    """Return edges from each dead end to both ends of the street pieces that it nearly touches."""
    degree = np.bincount(ends.ravel(), minlength=len(xy))
    dead = np.flatnonzero(degree == 1)
    pieces = shapely.linestrings(xy[ends])
    which, piece = shapely.STRtree(pieces).query(shapely.points(xy[dead]), predicate="dwithin", distance=DEAD_END_GAP_M)
    at = dead[which]
    own = (ends[piece] == at[:, None]).any(axis=1)
    at, piece = at[~own], piece[~own]
    points = shapely.points(xy[at])
    gap = np.rint(shapely.distance(points, pieces[piece]) * MM_PER_M).astype(np.int64)
    along = np.rint(shapely.line_locate_point(pieces[piece], points) * MM_PER_M).astype(np.int64)
    along = np.minimum(along, length_mm[piece])
    links = np.concatenate((np.column_stack((at, ends[piece, 0])), np.column_stack((at, ends[piece, 1]))))
    way = np.concatenate((gap + along, gap + length_mm[piece] - along))
    return links, np.maximum(1, way)
