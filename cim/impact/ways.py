"""The streets as a graph, and the same graph with some lines taken away and others laid down; pure.

Every vertex of a street is a node; streets that share a vertex meet there, and a dead end that stops a
few metres short of another street is joined to it.  Lengths are whole millimetres.  A node is known by
its place, so that what is worked out depends on the lines alone: a graph that was altered step by step
says the same as one that was built from the lines as they then are.
"""

# ruff: noqa: PLC0415 -- scipy takes long to import and a server must answer before it is needed

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.impact.layers import NOWHERE, Flags, Ints, Shapes, shapes_of

MM_PER_M: Final = 1_000
GRID_M: Final = 0.01
"""Vertices nearer than this are one place."""
DEAD_END_GAP_M: Final = 3.0
"""A dead end this near to another street is joined to it."""
STRAY_M: Final = 150.0
"""Streets that hold together and are shorter than this in all lead nowhere: they are no entrance."""
NEIGHBOURS: Final = 8
"""Nodes that are looked at where two may be as near."""

_Y_BITS: Final = 31
_Y_SHIFT: Final = 1 << 30
_PAIR_BITS: Final = 31

Metres = NDArray[np.float64]


def vertex_keys(coordinates: Metres) -> Ints:
    """Return the number of the place of each vertex (n, 2) metres, ascending by x, then by y."""
    cells = np.rint(coordinates / GRID_M).astype(np.int64)
    return np.asarray((cells[:, 0] << _Y_BITS) + (cells[:, 1] + _Y_SHIFT))


def places_of(keys: Ints) -> Metres:
    """Return the places (n, 2) metres of some keys."""
    cells = np.column_stack((keys >> _Y_BITS, (keys & ((1 << _Y_BITS) - 1)) - _Y_SHIFT))
    return np.asarray(cells * GRID_M)


def pieces_of(places: Iterable[shapely.Geometry]) -> Ints:
    """Return the straight pieces of some lines as pairs (m, 2) of keys, the smaller one first."""
    lines = shapely.get_parts(shapes_of(list(places)))
    lines = lines[shapely.get_type_id(lines) == shapely.GeometryType.LINESTRING]
    coordinates, line = shapely.get_coordinates(lines, return_index=True)
    keys = vertex_keys(coordinates)
    follows = line[1:] == line[:-1]
    pairs = np.column_stack((keys[:-1][follows], keys[1:][follows]))
    return np.asarray(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1))


def distances_m(first: Metres, second: Metres) -> Metres:
    """Return how far places are from each other, metres; the same to the last bit wherever it is asked."""
    apart = first - second
    return np.asarray(np.sqrt(apart[:, 0] * apart[:, 0] + apart[:, 1] * apart[:, 1]))


@dataclass(frozen=True, eq=False)
class StreetGraph:
    """Nodes, pieces between them, and links from dead ends.

    ``keys`` (n,) of the nodes; ``pieces`` (m, 2) nodes, the one with the smaller key first; ``uses`` (m,) how many
    lines have that piece, none where it is gone; ``links`` (k, 2) from a dead end to another node; ``link_mm`` (k,).
    A graph that was altered has its base's nodes and pieces under their numbers, and its own behind them.
    """

    keys: Ints
    pieces: Ints
    uses: Ints
    links: Ints
    link_mm: Ints
    base: StreetGraph | None = None
    links_kept: Flags | None = None
    """Which of the base's links still hold."""
    memo: dict[str, Any] = field(default_factory=dict)
    """What is worked out from this graph alone."""

    @cached_property
    def xy(self) -> Metres:
        """Places of the nodes (n, 2), metres."""
        return places_of(self.keys)

    @property
    def origin(self) -> StreetGraph:
        """The graph of the baseline."""
        return self.base or self

    @cached_property
    def piece_mm(self) -> Ints:
        """Lengths of the pieces (m,)."""
        length = distances_m(self.xy[self.pieces[:, 0]], self.xy[self.pieces[:, 1]])
        return np.asarray(np.maximum(1, np.rint(length * MM_PER_M)).astype(np.int64))

    @cached_property
    def edges(self) -> tuple[Ints, Ints]:
        """Living pieces and links: ends (e, 2) and lengths in mm (e,)."""
        there = self.uses > 0
        ends, length = self.pieces[there], self.piece_mm[there]
        return np.concatenate((ends, self.links)), np.concatenate((length, self.link_mm))

    @cached_property
    def part_of(self) -> Ints:
        """The connected part that each node belongs to, :data:`NOWHERE` for nodes without a street."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        count, (ends, _) = len(self.keys), self.edges
        joined = coo_matrix((np.ones(len(ends), dtype=np.int8), (ends[:, 0], ends[:, 1])), shape=(count, count))
        parts = np.asarray(connected_components(joined.tocsr(), directed=False)[1], dtype=np.int64)
        used = np.zeros(count, dtype=bool)
        used[ends.ravel()] = True
        return np.asarray(np.where(used, parts, NOWHERE))

    @cached_property
    def open_nodes(self) -> Flags:
        """Which nodes lead somewhere: those of parts that are longer than a stray piece."""
        parts, there = self.part_of, self.uses > 0
        if not there.any():
            return np.zeros(len(self.keys), dtype=bool)
        length = np.zeros(int(parts.max()) + 2, dtype=np.int64)
        np.add.at(length, parts[self.pieces[there, 0]], self.piece_mm[there])
        # Number -1 (no street) falls on the last place, which stays zero.
        return np.asarray(length[parts] >= STRAY_M * MM_PER_M)

    # -- trees ------------------------------------------------------------------------------------------

    @cached_property
    def points(self) -> Shapes:
        """The nodes as points."""
        if self.base is None:
            return np.asarray(shapely.points(self.xy))
        return np.concatenate((self.base.points, shapely.points(self.xy[len(self.base.keys) :])))

    @cached_property
    def node_tree(self) -> tuple[int, shapely.STRtree]:
        """A tree over the nodes that are this graph's own, and the number of the first of them."""
        first = 0 if self.base is None else len(self.base.keys)
        return first, shapely.STRtree(self.points[first:])

    @cached_property
    def piece_tree(self) -> tuple[int, shapely.STRtree]:
        """A tree over the pieces that are this graph's own, and the number of the first of them."""
        first = 0 if self.base is None else len(self.base.pieces)
        return first, shapely.STRtree(shapely.linestrings(self.xy[self.pieces[first:]]))

    @cached_property
    def _nearest(self) -> tuple[Ints, Any]:
        """The open nodes, and a tree over them that finds the nearest."""
        from scipy.spatial import KDTree

        rows = np.flatnonzero(self.open_nodes)
        return rows, KDTree(self.xy[rows])

    def near(self, shapes: Shapes, distance_m: float) -> tuple[Ints, Ints]:
        """Return pairs of a shape's number and an open node within a distance of it."""
        found = []
        for graph in (self.origin, self) if self.base is not None else (self,):
            first, tree = graph.node_tree
            which, node = tree.query(shapes, predicate="dwithin", distance=distance_m)
            found.append((which, node + first))
        which, node = (np.concatenate(side) for side in zip(*found, strict=True))
        there = self.open_nodes[node]
        return which[there], node[there]

    def near_pieces(self, shapes: Shapes, distance_m: float) -> tuple[Ints, Ints]:
        """Return pairs of a shape's number and a living piece within a distance of it."""
        found = []
        for graph in (self.origin, self) if self.base is not None else (self,):
            first, tree = graph.piece_tree
            which, piece = tree.query(shapes, predicate="dwithin", distance=distance_m)
            found.append((which, piece + first))
        which, piece = (np.concatenate(side) for side in zip(*found, strict=True))
        there = self.uses[piece] > 0
        return which[there], piece[there]

    def nearest(self, xy: Metres, distance_m: float) -> tuple[Ints, Metres]:
        """Return the nearest open node of each place within a distance, :data:`NOWHERE` for none, and how far it is."""
        if self.base is None and self.open_nodes.any():
            rows, tree = self._nearest
            found = np.atleast_2d(tree.query(xy, k=min(NEIGHBOURS, len(rows)))[1]).reshape(len(xy), -1)
            which, node = np.repeat(np.arange(len(xy)), found.shape[1]), rows[found.ravel()]
        else:
            which, node = self.near(np.asarray(shapely.points(xy)), distance_m + GRID_M)
        return self.least(xy, which, node, distance_m)

    def least(self, xy: Metres, which: Ints, node: Ints, distance_m: float) -> tuple[Ints, Metres]:
        """Return for each place the nearest of the nodes that it is paired with, of equal ones the first by place."""
        far = distances_m(xy[which], self.xy[node])
        within = far <= distance_m
        which, node, far = which[within], node[within], far[within]
        order = np.lexsort((self.keys[node], far, which))
        which, node, far = which[order], node[order], far[order]
        first = np.ones(len(which), dtype=bool)
        first[1:] = which[1:] != which[:-1]
        nodes = np.full(len(xy), NOWHERE, dtype=np.int64)
        away = np.full(len(xy), np.inf)
        nodes[which[first]], away[which[first]] = node[first], far[first]
        return nodes, away

    # -- changes ----------------------------------------------------------------------------------------

    def rows_of_pieces(self, pairs: Ints) -> Ints:
        """Return the baseline's pieces of pairs of nodes, :data:`NOWHERE` for none."""
        known: Ints | None = self.memo.get("pairs")
        if known is None:
            known = self.memo["pairs"] = _pair(self.pieces)
        return _found(known, _pair(pairs))

    def altered(self, gone: Sequence[shapely.Geometry], new: Sequence[shapely.Geometry]) -> StreetGraph:
        """Return the baseline's graph without some of its lines and with others."""
        if self.base is not None:
            raise ValueError("only a baseline is altered")
        if not gone and not new:
            return self
        uses = self.uses.copy()
        np.subtract.at(uses, self.rows_of_pieces(_found(self.keys, pieces_of(gone))), 1)
        laid = pieces_of(new)
        known = _found(self.keys, laid)
        extra_keys = np.unique(laid[known == NOWHERE])
        nodes = np.where(known == NOWHERE, len(self.keys) + np.searchsorted(extra_keys, laid), known)
        rows = self.rows_of_pieces(nodes)
        np.add.at(uses, rows[rows != NOWHERE], 1)
        pairs, counts = np.unique(nodes[rows == NOWHERE], axis=0, return_counts=True)
        bare = StreetGraph(
            np.concatenate((self.keys, extra_keys)),
            np.concatenate((self.pieces, pairs.reshape(-1, 2))),
            np.concatenate((uses, counts)),
            np.empty((0, 2), dtype=np.int64),
            np.empty(0, dtype=np.int64),
            self,
        )
        return _relinked(bare)


def street_graph(places: Sequence[shapely.Geometry]) -> StreetGraph:
    """Return the graph of some lines."""
    pairs = pieces_of(places)
    keys = np.unique(pairs)
    nodes, counts = np.unique(_pair(np.searchsorted(keys, pairs)), return_counts=True)
    pieces = np.column_stack((nodes >> _PAIR_BITS, nodes & ((1 << _PAIR_BITS) - 1)))
    none = np.empty(0, dtype=np.int64)
    bare = StreetGraph(keys, pieces, counts.astype(np.int64), none.reshape(0, 2), none)
    links, link_mm = dead_end_links(bare, np.flatnonzero(_dead_ends(bare)))
    return StreetGraph(keys, pieces, bare.uses, links, link_mm)


def _pair(pairs: Ints) -> Ints:
    return np.asarray((pairs[:, 0] << _PAIR_BITS) + pairs[:, 1])


def _found(ascending: Ints, wanted: Ints) -> Ints:
    """Return where numbers stand among ascending ones, :data:`NOWHERE` for those that do not."""
    if not len(ascending):
        return np.full(wanted.shape, NOWHERE, dtype=np.int64)
    at = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
    return np.asarray(np.where(ascending[at] == wanted, at, NOWHERE))


def _dead_ends(graph: StreetGraph) -> Flags:
    return np.asarray(np.bincount(graph.pieces[graph.uses > 0].ravel(), minlength=len(graph.keys)) == 1)


def changed_pieces(before: StreetGraph, after: StreetGraph) -> tuple[Ints, Ints]:
    """Return the pieces that only one of two graphs of one baseline has, as rows of the one and of the other."""
    count = len(after.origin.pieces)
    mine, theirs = before.uses[:count] > 0, after.uses[:count] > 0
    old, new = (graph.keys[graph.pieces[count:]] for graph in (before, after))
    seen_old, seen_new = ({tuple(pair) for pair in side.tolist()} for side in (old, new))
    gone = [row for row, pair in enumerate(old.tolist(), count) if tuple(pair) not in seen_new]
    laid = [row for row, pair in enumerate(new.tolist(), count) if tuple(pair) not in seen_old]
    return (
        np.concatenate((np.flatnonzero(mine & ~theirs), np.array(gone, dtype=np.int64))),
        np.concatenate((np.flatnonzero(theirs & ~mine), np.array(laid, dtype=np.int64))),
    )


def _relinked(bare: StreetGraph) -> StreetGraph:
    """Return an altered graph with its links: those of the baseline where nothing changed, others asked anew."""
    base = bare.origin
    gone, laid = changed_pieces(base, bare)
    rows = np.concatenate((gone, laid))
    touched = np.zeros(len(bare.keys), dtype=bool)
    touched[bare.pieces[rows].ravel()] = True
    dead = np.flatnonzero(_dead_ends(bare))
    asked = touched[dead]
    if len(rows) and len(dead):
        near = shapely.STRtree(shapely.linestrings(bare.xy[bare.pieces[rows]]))
        asked[np.unique(near.query(bare.points[dead], predicate="dwithin", distance=DEAD_END_GAP_M)[0])] = True
    touched[dead[asked]] = True
    kept = ~touched[base.links[:, 0]]
    links, link_mm = dead_end_links(bare, dead[asked])
    return StreetGraph(
        bare.keys,
        bare.pieces,
        bare.uses,
        np.concatenate((base.links[kept], links)),
        np.concatenate((base.link_mm[kept], link_mm)),
        base,
        kept,
    )


def dead_end_links(graph: StreetGraph, nodes: Ints) -> tuple[Ints, Ints]:
    """Return links from some dead ends to both ends of the pieces that they nearly touch, and their lengths."""
    which, piece = graph.near_pieces(graph.points[nodes], DEAD_END_GAP_M)
    at, ends = nodes[which], graph.pieces[piece]
    own = (ends == at[:, None]).any(axis=1)
    at, piece, ends = at[~own], piece[~own], ends[~own]
    lines, points = shapely.linestrings(graph.xy[ends]), graph.points[at]
    gap = np.rint(shapely.distance(points, lines) * MM_PER_M).astype(np.int64)
    along = np.rint(shapely.line_locate_point(lines, points) * MM_PER_M).astype(np.int64)
    whole = graph.piece_mm[piece]
    along = np.minimum(along, whole)
    links = np.concatenate((np.column_stack((at, ends[:, 0])), np.column_stack((at, ends[:, 1]))))
    return links, np.maximum(1, np.concatenate((gap + along, gap + whole - along)))


def changed_places(before: StreetGraph, after: StreetGraph) -> Metres:
    """Return the ends (n, 2) of all that only one of two graphs of one baseline has, metres."""
    gone, laid = changed_pieces(before, after)
    ends = [before.xy[before.pieces[gone].ravel()], after.xy[after.pieces[laid].ravel()]]
    mine, theirs = (_own_links(graph) for graph in (before, after))
    keys = [key for link in mine ^ theirs for key in link[:2]]
    ends.append(places_of(np.array(keys, dtype=np.int64)))
    return np.concatenate(ends)


def _own_links(graph: StreetGraph) -> set[tuple[int, int, int]]:
    """Return the links of a graph by place; those of its baseline that it keeps are left out, those it lost are in.

    So links that two graphs have in common take each other out where the two are compared.
    """
    base = graph.origin
    kept = np.ones(len(base.links), dtype=bool) if graph.links_kept is None else graph.links_kept
    own = slice(int(kept.sum()), None)
    found = _told(graph, graph.links[own], graph.link_mm[own])
    return found ^ _told(base, base.links[~kept], base.link_mm[~kept])


def _told(graph: StreetGraph, links: Ints, link_mm: Ints) -> set[tuple[int, int, int]]:
    keys = graph.keys[links].reshape(-1, 2)
    return {(int(a), int(b), int(length)) for (a, b), length in zip(keys.tolist(), link_mm.tolist(), strict=True)}
