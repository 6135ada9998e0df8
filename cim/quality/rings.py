"""Rings by themselves: codes 101, 102 and 104; pure."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from cim.geometry.wkb import offsets_of
from cim.quality.codes import CONSECUTIVE_POINTS_SAME, RING_SELF_INTERSECTION, TOO_FEW_POINTS, Tolerances
from cim.quality.layout import Flags, Floats, Ints, Surfaces, following, runs, some, summed
from cim.quality.marks import Marks, joined, marks
from cim.quality.meeting import CONTACT
from cim.quality.planes import Planes

_RING_MIN: Final = 3
_PAIRS_AT_ONCE: Final = 1_000_000
TOUCHING_VERTICES_MAX: Final = 1_000
"""Vertices up to which a ring is asked whether it nearly touches itself; whether it crosses itself is always asked."""

_TURN_SLACK: Final = 1e-6
"""Radians by which the turns of a ring that goes round once may miss the full circle."""


def check_points(surfaces: Surfaces, tolerances: Tolerances) -> tuple[Marks, Flags]:
    """Return the faults 101 and 102, and which surfaces have neither."""
    offsets, counts = surfaces.ring_offsets, surfaces.ring_counts
    sound = np.ones(len(surfaces), dtype=bool)
    short = np.flatnonzero(counts < _RING_MIN)
    ring_of_vertex = np.repeat(np.arange(len(counts)), counts)
    after = following(offsets)
    gaps = np.sqrt(sum((axis[after] - axis) ** 2 for axis in np.ascontiguousarray(surfaces.coordinates.T)))
    same = np.flatnonzero((gaps <= tolerances.near_m) & (counts[ring_of_vertex] >= _RING_MIN))
    # A ring counts once, however many of its vertices stand on one place.
    _, first = np.unique(ring_of_vertex[same], return_index=True)
    same = same[first]
    short_surfaces = surfaces.surface_of_ring[short]
    same_surfaces = surfaces.surface_of_ring[ring_of_vertex[same]]
    sound[short_surfaces] = False
    sound[same_surfaces] = False
    found = joined(
        (
            marks(
                TOO_FEW_POINTS,
                surfaces.geometry_of[short_surfaces],
                counts[short].astype(np.float64),
                _starts(surfaces, short),
            ),
            marks(CONSECUTIVE_POINTS_SAME, surfaces.geometry_of[same_surfaces], gaps[same], surfaces.coordinates[same]),
        )
    )
    return found, sound


def check_simple(surfaces: Surfaces, planes: Planes, sound: Flags, tolerances: Tolerances) -> tuple[Marks, Flags]:
    """Return the faults 104 of the ``sound`` surfaces, seen on their planes, and which are sound still.

    A ring that turns one way and goes round once is simple; GEOS looks at the others.
    """
    counts = surfaces.ring_counts
    suspicious, collapsed = _look(surfaces, planes, tolerances)
    eligible = sound[surfaces.surface_of_ring] & (counts >= _RING_MIN)
    chosen = np.flatnonzero(eligible & suspicious & ~collapsed)
    simple = simple_rings(planes.flat, surfaces.ring_offsets, chosen)
    simple[simple] = ~touching_rings(planes.flat, surfaces.ring_offsets, chosen[simple], tolerances.snap_m * CONTACT)
    crossing = chosen[~simple]
    rings = np.sort(np.concatenate((crossing, np.flatnonzero(eligible & collapsed))))
    bad = surfaces.surface_of_ring[rings]
    still = sound.copy()
    still[bad] = False
    return marks(RING_SELF_INTERSECTION, surfaces.geometry_of[bad], np.ones(len(bad)), _starts(surfaces, rings)), still


def simple_rings(flat: Floats, offsets: Ints, chosen: Ints) -> Flags:
    """Return whether some rings cross themselves nowhere, as GEOS sees it."""
    members, ends = runs(offsets, chosen)
    owner = np.repeat(np.arange(len(chosen)), np.diff(ends))
    simple: Flags = shapely.is_simple(shapely.linearrings(flat[members], indices=owner))
    return simple


def touching_rings(flat: Floats, offsets: Ints, chosen: Ints, reach_m: float) -> Flags:
    """Return whether a vertex of a ring lies on a side that does not begin or end there.

    On a plane in space such a vertex is on the side but for the last digits, and GEOS asks for all of them.
    """
    counts = np.diff(offsets)[chosen]
    found = np.zeros(len(chosen), dtype=bool)
    rows = np.flatnonzero(counts <= TOUCHING_VERTICES_MAX)
    x, y = np.ascontiguousarray(flat[:, 0]), np.ascontiguousarray(flat[:, 1])
    after = following(offsets)
    dx, dy = x[after] - x, y[after] - y
    squares = dx * dx + dy * dy
    # A vertex is no nearer to a side than to the line that it lies on; with room for the last digits.
    near_line = 1.1 * reach_m**2 * squares
    group = np.cumsum(counts[rows] ** 2) // _PAIRS_AT_ONCE
    for number in np.unique(group).tolist():
        own = rows[group == number]
        owner, vertex, side = _vertices_and_sides(offsets[chosen[own]], counts[own])
        across = (x[vertex] - x[side]) * dy[side] - (y[vertex] - y[side]) * dx[side]
        close = np.flatnonzero(across * across <= near_line[side])
        owner, vertex, side = owner[close], vertex[close], side[close]
        offset_x, offset_y, along_x, along_y = x[vertex] - x[side], y[vertex] - y[side], dx[side], dy[side]
        share = (offset_x * along_x + offset_y * along_y) / np.maximum(squares[side], 1e-18)
        share = np.clip(share, 0.0, 1.0)
        near = (offset_x - share * along_x) ** 2 + (offset_y - share * along_y) ** 2 <= reach_m**2
        found[own[owner[near]]] = True
    return found


def _vertices_and_sides(starts: Ints, sizes: Ints) -> tuple[Ints, Ints, Ints]:
    """Return every side of some rings with every vertex at which it neither begins nor ends: ring, vertex, side."""
    ring = np.repeat(np.arange(len(sizes)), sizes)
    within = np.arange(len(ring)) - np.repeat(offsets_of(sizes)[:-1], sizes)
    others = sizes[ring] - 2
    pairs = offsets_of(others)
    ahead = np.repeat(within + 2 - pairs[:-1], others) + np.arange(int(pairs[-1]))
    width = np.repeat(sizes[ring], others)
    ahead[ahead >= width] -= width[ahead >= width]
    first = starts[ring]
    return np.repeat(ring, others), np.repeat(first, others) + ahead, np.repeat(first + within, others)


def _look(surfaces: Surfaces, planes: Planes, tolerances: Tolerances) -> tuple[Flags, Flags]:
    """Return which rings may cross themselves, and which are no wider than vertices are told apart."""
    offsets = surfaces.ring_offsets
    after = following(offsets)
    x, y = np.ascontiguousarray(planes.flat.T)
    next_x, next_y = x[after], y[after]
    dx, dy = next_x - x, next_y - y
    turned_x, turned_y = dx[after], dy[after]
    cross = dx * turned_y - dy * turned_x
    dot = dx * turned_x + dy * turned_y
    angles = summed(np.arctan2(cross, dot), offsets)
    left, right = some(cross > 0, offsets), some(cross < 0, offsets)
    back = some((dot < 0) & (cross == 0), offsets)
    convex = ~(left & right) & ~back & (np.abs(np.abs(angles) - 2 * np.pi) < _TURN_SLACK)
    areas = np.abs(summed(x * next_y - y * next_x, offsets))
    reach = summed(np.sqrt(dx * dx + dy * dy), offsets) / 2.0
    return ~convex, areas <= reach * tolerances.near_m


def _starts(surfaces: Surfaces, rings: Ints) -> Floats:
    at = np.minimum(surfaces.ring_offsets[rings], max(0, len(surfaces.coordinates) - 1))
    starts: Floats = surfaces.coordinates[at]
    return starts
