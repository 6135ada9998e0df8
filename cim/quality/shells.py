"""How surfaces hang together in shells: codes 301 to 303, 305 and 307; pure, a batch at once.

Vertices closer than the snap tolerance are one.  Most are found by the cell of a grid that they lie in; where a shell
does not come out closed that way, its vertices are compared with each other before it is called open.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from cim.geometry.wkb import offsets_of
from cim.quality.codes import (
    MULTIPLE_COMPONENTS,
    NON_MANIFOLD,
    SHELL_NOT_CLOSED,
    TOO_FEW_POLYGONS,
    WRONG_ORIENTATION,
    Tolerances,
)
from cim.quality.layout import Flags, Floats, Ints, Shells, Surfaces, following, runs
from cim.quality.marks import Marks, joined, marks

POLYGONS_MIN: Final = 4
_KEYS: Final = 1 << 62
_CELLS: Final = 1 << 21
"""Cells of a grid along one axis, so that three of them fit into 64 bits."""


@dataclass(frozen=True, slots=True)
class Corners:
    """Every vertex of every ring of some shells: a corner of a surface, and where the side after it begins.

    ``vertices`` (n,) numbers places, the same for corners that meet; ``after`` the next corner of the ring;
    ``surfaces`` are counted over the batch, ``shells`` from those that were chosen.
    """

    coordinates: Floats
    vertices: Ints
    after: Ints
    surfaces: Ints
    shells: Ints

    def only(self, kept: Flags) -> Corners:
        """Return the corners of the shells that are ``kept``, which are counted anew."""
        mask = kept[self.shells]
        return Corners(
            self.coordinates[mask],
            self.vertices[mask],
            (np.cumsum(mask) - 1)[self.after[mask]],
            self.surfaces[mask],
            (np.cumsum(kept) - 1)[self.shells[mask]],
        )


def corners_of(surfaces: Surfaces, shells: Shells, chosen: Ints, tolerances: Tolerances) -> Corners:
    """Return the corners of the ``chosen`` shells, their vertices told apart by a grid."""
    of_shell = offsets_of(shells.last[chosen] - shells.first[chosen])
    surface_rows = np.arange(int(of_shell[-1])) + np.repeat(shells.first[chosen] - of_shell[:-1], np.diff(of_shell))
    ring_rows, ring_ends = runs(surfaces.surface_offsets, surface_rows)
    vertex_rows, vertex_ends = runs(surfaces.ring_offsets, ring_rows)
    row = np.repeat(np.repeat(np.arange(len(surface_rows)), np.diff(ring_ends)), np.diff(vertex_ends))
    shell = np.repeat(np.arange(len(chosen)), np.diff(of_shell))[row]
    coordinates = surfaces.coordinates[vertex_rows]
    return Corners(
        coordinates,
        _cells(coordinates, shell, len(chosen), tolerances.snap_m),
        following(vertex_ends),
        surface_rows[row],
        shell,
    )


def _cells(coordinates: Floats, shells: Ints, count: int, size_m: float) -> Ints:
    """Number the places of vertices: those of one shell in one cell are one."""
    cells = np.rint((coordinates - _lowest(coordinates, shells, count)[shells]) / size_m).astype(np.int64)
    if len(cells) and int(cells.max()) >= _CELLS:
        _, numbers = np.unique(np.column_stack((shells, cells)), axis=0, return_inverse=True)
        return numbers.reshape(-1).astype(np.int64)
    keys = (cells[:, 0] * _CELLS + cells[:, 1]) * _CELLS + cells[:, 2]
    wide = [int(axis.max(initial=0)) + 1 for axis in cells.T]
    if math.prod(wide) * count < _KEYS:
        # One number for all four sorts much faster than two, in the same order.
        keys = ((shells * wide[0] + cells[:, 0]) * wide[1] + cells[:, 1]) * wide[2] + cells[:, 2]
        order = np.argsort(keys)
    else:
        order = np.lexsort((keys, shells))
    steps = np.ones(len(order), dtype=np.int64)
    steps[1:] = (np.diff(keys[order]) != 0) | (np.diff(shells[order]) != 0)
    numbers = np.empty(len(order), dtype=np.int64)
    numbers[order] = np.cumsum(steps) - 1
    return numbers


def _lowest(coordinates: Floats, shells: Ints, count: int) -> Floats:
    """Return the least coordinates of each shell, infinite without any; ``shells`` ascend."""
    low = np.full((count, 3), np.inf)
    starts = np.flatnonzero(np.diff(shells, prepend=-1))
    if len(starts):
        low[shells[starts]] = np.minimum.reduceat(coordinates, starts, axis=0)
    return low


def merged(corners: Corners, size_m: float) -> Corners:
    """Return the same corners with vertices told apart by their distance, across the borders of cells."""
    _, at, numbers = np.unique(corners.vertices, return_index=True, return_inverse=True)
    # Shells are moved apart, so that one search serves all and no two of them meet.
    low = _lowest(corners.coordinates, corners.shells, int(corners.shells.max(initial=-1)) + 1)
    local = corners.coordinates - low[corners.shells]
    lanes = np.concatenate(([0.0], np.cumsum(np.ptp(local, axis=0).max(initial=0.0) + np.ones(len(low)))))[:-1]
    local[:, 0] += lanes[corners.shells]
    pairs = cKDTree(local[at]).query_pairs(size_m, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(len(at), len(at)))
    one = connected_components(graph, directed=False)[1].astype(np.int64)
    return Corners(corners.coordinates, one[numbers.reshape(-1)], corners.after, corners.surfaces, corners.shells)


@dataclass(frozen=True, slots=True)
class Sides:
    """The sides of surfaces, gathered where they meet.

    ``corners`` the corner at which each begins; ``ends`` (g + 1,) offsets of the groups: sides of one group lie
    between the same two vertices; ``forward`` how many of a group go from the lower vertex to the higher.
    """

    corners: Ints
    ends: Ints
    forward: Ints

    @property
    def counts(self) -> Ints:
        """Sides in each group."""
        return np.diff(self.ends)

    @property
    def first(self) -> Ints:
        """The corner at which the first side of each group begins."""
        return self.corners[self.ends[:-1]]


def sides_of(corners: Corners) -> Sides:
    """Return the sides of all surfaces; those that begin and end at one vertex are none."""
    start, end = corners.vertices, corners.vertices[corners.after]
    real = np.flatnonzero(start != end)
    low, high = np.minimum(start, end)[real], np.maximum(start, end)[real]
    keys = low * (int(corners.vertices.max(initial=0)) + 1) + high
    order = _sorted(keys)
    bounds = np.flatnonzero(np.diff(keys[order], prepend=-1))
    forward = (start < end)[real[order]].astype(np.int64)
    return Sides(
        real[order], np.append(bounds, len(order)), np.add.reduceat(forward, bounds) if len(bounds) else forward
    )


def _sorted(keys: Ints) -> Ints:
    """Return the order of keys, equal ones as they come: with their places behind them where there is room for that."""
    count = len(keys)
    if count and int(keys.max()) < _KEYS // count:
        order: Ints = np.sort(keys * count + np.arange(count)) % count
        return order
    return np.argsort(keys, kind="stable")


def check_shells(
    surfaces: Surfaces, shells: Shells, sound: Flags, tolerances: Tolerances
) -> tuple[Marks, Ints, Corners]:
    """Return the faults of the ``sound`` shells, those without any, and the corners of these.

    A shell is asked in this order, and its first fault is the one that it has: enough polygons, one piece, two
    surfaces at every side, closed, one umbrella at every vertex, one direction.
    """
    enough = (shells.last - shells.first >= POLYGONS_MIN) | ~shells.is_closed
    few = np.flatnonzero(sound & ~enough)
    chosen = np.flatnonzero(sound & enough)
    sizes = (shells.last - shells.first)[few].astype(np.float64)
    places = surfaces.coordinates[surfaces.vertex_offsets[shells.first[few]]] if len(few) else np.empty((0, 3))
    corners, sides = _closed_if_possible(corners_of(surfaces, shells, chosen, tolerances), len(chosen), tolerances)
    found, bad = _check_topology(corners, sides, shells.is_closed[chosen], shells.geometry_of[chosen])
    few_found = marks(TOO_FEW_POLYGONS, shells.geometry_of[few], sizes, places)
    return joined((few_found, found)), chosen[~bad], corners.only(~bad)


def _closed_if_possible(corners: Corners, count: int, tolerances: Tolerances) -> tuple[Corners, Sides]:
    """Compare the vertices of open shells with each other: two that meet may lie in cells side by side."""
    sides = sides_of(corners)
    again = _has(sides.counts == 1, sides, corners, count)
    if not again.any():
        return corners, sides
    vertices = corners.vertices.copy()
    vertices[again[corners.shells]] = merged(corners.only(again), tolerances.near_m).vertices + len(vertices)
    closer = Corners(corners.coordinates, vertices, corners.after, corners.surfaces, corners.shells)
    return closer, sides_of(closer)


def _has(hit: Flags, sides: Sides, corners: Corners, count: int) -> Flags:
    """Return which shells have a group of sides that was hit."""
    found = np.zeros(count, dtype=bool)
    found[corners.shells[sides.first[hit]]] = True
    return found


def _check_topology(corners: Corners, sides: Sides, is_closed: Flags, geometries: Ints) -> tuple[Marks, Flags]:
    count = len(geometries)
    middles = (corners.coordinates[sides.first] + corners.coordinates[corners.after[sides.first]]) / 2.0
    lengths = np.linalg.norm(corners.coordinates[corners.after[sides.first]] - corners.coordinates[sides.first], axis=1)
    owner = corners.shells[sides.first]
    done = np.zeros(count, dtype=bool)
    found: list[Marks] = []

    def take(code: int, hit: Flags, owners: Ints, sizes: Floats, places: Floats) -> None:
        """Give each shell that was hit, and has no fault yet, this one: sizes are added, the first place is named."""
        hit = hit & ~done[owners]
        rows, first = np.unique(owners[hit], return_index=True)
        sums = np.bincount(owners[hit], sizes[hit], count)[rows].astype(np.float64)
        found.append(marks(code, geometries[rows], sums, places[hit][first]))
        done[rows] = True

    open_ = (sides.counts == 1) & is_closed[owner]
    parts, meeting = _pieces(corners, sides, count)
    one = np.ones(len(corners.shells))
    take(NON_MANIFOLD, meeting & (parts > 1)[corners.shells], corners.shells, one, corners.coordinates)
    starts = np.searchsorted(corners.shells, np.arange(count))
    of_shells = corners.coordinates[np.minimum(starts, max(0, len(one) - 1))]
    take(MULTIPLE_COMPONENTS, parts > 1, np.arange(count), parts.astype(np.float64), of_shells)
    take(NON_MANIFOLD, sides.counts > 2, owner, np.ones(len(owner)), middles)
    take(SHELL_NOT_CLOSED, open_, owner, lengths, middles)
    take(NON_MANIFOLD, _is_pinched(corners, sides), corners.shells, one, corners.coordinates)
    turned = (sides.counts == 2) & (sides.forward != 1)
    take(WRONG_ORIENTATION, turned, owner, np.ones(len(owner)), middles)
    return joined(found), done


def _pieces(corners: Corners, sides: Sides, count: int) -> tuple[Ints, Flags]:
    """Return how many pieces a shell is in, and which corners stand where two of them meet.

    A shell of which every piece is open is one that is not closed, whatever its pieces: it counts as one piece.
    """
    labels = _surface_pieces(corners, sides)
    size = int(labels.max(initial=-1)) + 1
    # A piece is of one shell: vertices of two shells have different numbers.
    shell_of = np.full(size, -1)
    shell_of[labels] = corners.shells
    parts = np.bincount(shell_of[shell_of >= 0], minlength=count)
    is_open = np.zeros(size, dtype=bool)
    is_open[labels[sides.first[sides.counts == 1]]] = True
    has_whole = np.zeros(count, dtype=bool)
    has_whole[shell_of[(shell_of >= 0) & ~is_open]] = True
    return np.where(has_whole, parts, np.minimum(parts, 1)), _at_vertices_of_several(corners, labels)


def _at_vertices_of_several(corners: Corners, labels: Ints) -> Flags:
    """Return the corners at vertices where corners have different labels."""
    some = np.empty(int(corners.vertices.max(initial=-1)) + 1, dtype=np.int64)
    some[corners.vertices] = labels
    several = np.zeros(len(some), dtype=bool)
    several[corners.vertices[labels != some[corners.vertices]]] = True
    found: Flags = several[corners.vertices]
    return found


def _surface_pieces(corners: Corners, sides: Sides) -> Ints:
    """Return for each corner which piece its surface belongs to: surfaces that share a side are of one."""
    surfaces = corners.surfaces[sides.corners]
    together = np.ones(len(surfaces), dtype=bool)
    together[sides.ends[:-1]] = False
    links = np.flatnonzero(together)
    size = int(corners.surfaces.max(initial=-1)) + 1
    return _components(surfaces[links - 1], surfaces[links], size)[corners.surfaces]


def _is_pinched(corners: Corners, sides: Sides) -> Flags:
    """Return which corners stand at a vertex where surfaces of one shell form more than one umbrella."""
    pair = np.flatnonzero(sides.counts == 2)
    one, two = sides.corners[sides.ends[pair]], sides.corners[sides.ends[pair] + 1]
    same_way = corners.vertices[one] == corners.vertices[two]
    one_after, two_after = corners.after[one], corners.after[two]
    level = np.flatnonzero(corners.vertices == corners.vertices[corners.after])
    labels = _components(
        np.concatenate((one, one_after, level)),
        np.concatenate((np.where(same_way, two, two_after), np.where(same_way, two_after, two), corners.after[level])),
        len(corners.vertices),
    )
    return _at_vertices_of_several(corners, labels)


def _components(one: Ints, two: Ints, size: int) -> Ints:
    graph = coo_array((np.ones(len(one), dtype=bool), (one, two)), shape=(size, size))
    labels: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels
