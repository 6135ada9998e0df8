"""Whether shells cross or touch themselves: code 306; pure.

A shell that is closed, hangs together and faces one way can meet itself only where a side of one of its surfaces
enters another surface.  Sides are held against triangles: a side that belongs to the surface is let be, one that ends
on a corner of it meets it there only, unless it runs along it.  Shells that cannot, the convex ones and upright
prisms, are not asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from cim.geometry.wkb import offsets_of
from cim.quality.codes import SHELL_SELF_INTERSECTION, Tolerances
from cim.quality.cuts import Cut
from cim.quality.layout import Flags, Floats, Ints, Shells, Surfaces, runs
from cim.quality.marks import Marks, marks
from cim.quality.meeting import CONTACT, along, heights, inside, normals_of, pierced
from cim.quality.planes import Planes
from cim.quality.shells import Corners, sides_of

TRIANGLES_MAX: Final = 200_000
"""Triangles up to which a shell is asked whether it crosses itself; larger ones are counted as not checked."""

PAIRS_AT_ONCE: Final = 1_000_000
"""Pairs of a side and a triangle that are held in memory together; a shell of more is searched by a tree of boxes."""

_CONVEX_PAIRS_MAX: Final = 20_000
_SIDES_AT_ONCE: Final = 10_000
_STRAIGHT: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Body:
    """The sides and triangles of some shells, ready to be held against each other.

    ``starts``, ``ends`` (g, 3) of the sides, ``start_ids``, ``end_ids`` (g,) their vertices; ``triangles`` (t, 3, 3)
    and ``owners`` (t,) their surfaces; ``side_offsets`` and ``triangle_offsets`` by shell.  ``corner_keys`` are sorted
    numbers of a surface and a vertex of it, ``side_keys`` of a side and a surface that it belongs to.
    """

    starts: Floats
    ends: Floats
    start_ids: Ints
    end_ids: Ints
    triangles: Floats
    owners: Ints
    side_offsets: Ints
    triangle_offsets: Ints
    corner_keys: Ints
    side_keys: Ints
    vertex_count: int
    surface_count: int

    def is_corner(self, vertices: Ints, surfaces: Ints) -> Flags:
        """Return whether vertices are corners of surfaces."""
        return _among(surfaces * self.vertex_count + vertices, self.corner_keys)

    def is_side(self, sides: Ints, surfaces: Ints) -> Flags:
        """Return whether sides belong to surfaces."""
        return _among(sides * self.surface_count + surfaces, self.side_keys)


def cannot_cross(surfaces: Surfaces, planes: Planes, shells: Shells, good: Ints, tolerances: Tolerances) -> Flags:
    """Return which shells are convex or upright prisms: closed and of one piece, these cannot meet themselves."""
    found = _are_prisms(surfaces, planes, shells, good, tolerances) & shells.is_closed[good]
    offsets = surfaces.vertex_offsets
    for row in np.flatnonzero(~found & shells.is_closed[good]).tolist():
        first, last = int(shells.first[good[row]]), int(shells.last[good[row]])
        corners = surfaces.coordinates[offsets[first] : offsets[last]]
        if len(corners) * (last - first) <= _CONVEX_PAIRS_MAX:
            middles = planes.middles[first:last] - planes.middles[first]
            beyond = (corners - planes.middles[first]) @ planes.normals[first:last].T
            found[row] = bool((beyond - (middles * planes.normals[first:last]).sum(axis=1) <= tolerances.near_m).all())
    return found


def _are_prisms(surfaces: Surfaces, planes: Planes, shells: Shells, good: Ints, tolerances: Tolerances) -> Flags:
    """Return which shells have a floor, a roof of the same outline, and upright walls between them."""
    if not len(good):
        return np.zeros(0, dtype=bool)
    upward = np.abs(planes.normals[:, 2])
    first, last = shells.first[good], shells.last[good]
    levels = _between(upward > 1.0 - _STRAIGHT, first, last)
    walls = _between(upward < _STRAIGHT, first, last)
    found: Flags = (levels == 2) & (levels + walls == last - first)
    rows = np.flatnonzero(found)
    offsets = surfaces.vertex_offsets
    bounds = np.column_stack((offsets[first[rows]], offsets[last[rows]])).reshape(-1)
    members, ends = runs(bounds, 2 * np.arange(len(rows)))
    heights, counts = surfaces.coordinates[members, 2], np.diff(ends)
    if len(rows):
        low, high = (np.repeat(lie.reduceat(heights, ends[:-1]), counts) for lie in (np.minimum, np.maximum))
        off = np.minimum(heights - low, high - heights) > tolerances.near_m
        found[rows[np.repeat(np.arange(len(rows)), counts)[off]]] = False
    return found


def _between(hit: Flags, first: Ints, last: Ints) -> Ints:
    """Return how many of some runs were hit."""
    before = np.concatenate(([0], np.cumsum(hit)))
    counts: Ints = before[last] - before[first]
    return counts


def body_of(corners: Corners, cuts: Cut, surfaces: Surfaces, count: int) -> Body:
    """Return the sides and triangles of ``count`` shells; ``cuts`` are of the surfaces of ``corners``."""
    sides = sides_of(corners)
    of_shell = np.argsort(corners.shells[sides.first], kind="stable")
    first = sides.first[of_shell]
    vertex_count, surface_count = int(corners.vertices.max(initial=0)) + 1, len(surfaces)
    number = np.empty(len(of_shell), dtype=np.int64)
    number[of_shell] = np.arange(len(of_shell))
    group = np.repeat(np.arange(len(of_shell)), sides.counts)
    shell_of_surface = np.full(surface_count, -1)
    shell_of_surface[corners.surfaces] = corners.shells
    owners = shell_of_surface[cuts.surfaces]
    order = np.argsort(owners, kind="stable")
    order = order[owners[order] >= 0]
    return Body(
        starts=corners.coordinates[first],
        ends=corners.coordinates[corners.after[first]],
        start_ids=corners.vertices[first],
        end_ids=corners.vertices[corners.after[first]],
        triangles=surfaces.coordinates[cuts.corners[order]],
        owners=cuts.surfaces[order],
        side_offsets=offsets_of(np.bincount(corners.shells[first], minlength=count)),
        triangle_offsets=offsets_of(np.bincount(owners[order], minlength=count)),
        corner_keys=np.unique(corners.surfaces * vertex_count + corners.vertices),
        side_keys=np.unique(number[group] * surface_count + corners.surfaces[sides.corners]),
        vertex_count=vertex_count,
        surface_count=surface_count,
    )


def check_crossing(body: Body, geometries: Ints, tolerances: Tolerances) -> tuple[Marks, Ints]:
    """Return the faults 306, and the shells (by row) that were too large to be asked."""
    triangles = np.diff(body.triangle_offsets)
    pairs = np.diff(body.side_offsets) * triangles
    large = triangles > TRIANGLES_MAX
    met = np.zeros(len(geometries), dtype=np.int64)
    places = np.zeros((len(geometries), 3))
    for one, two in _candidates(body, pairs, large, tolerances):
        sides, touched = _close(body, one, two, tolerances)
        hit, where = _meetings(body, sides, touched, tolerances)
        owner = np.searchsorted(body.side_offsets, sides[hit], side="right") - 1
        shells, first, times = np.unique(owner, return_index=True, return_counts=True)
        places[shells] = np.where((met[shells] == 0)[:, None], where[hit][first], places[shells])
        met[shells] += times
    found = np.flatnonzero(met)
    crossing = marks(SHELL_SELF_INTERSECTION, geometries[found], met[found].astype(np.float64), places[found])
    return crossing, np.flatnonzero(large)


def _candidates(body: Body, pairs: Ints, large: Flags, tolerances: Tolerances) -> Iterator[tuple[Ints, Ints]]:
    """Yield sides and triangles of one shell each that may meet: all of small shells, those near of others."""
    rows = np.flatnonzero((pairs <= PAIRS_AT_ONCE) & ~large)
    group = np.cumsum(pairs[rows]) // PAIRS_AT_ONCE
    for number in np.unique(group).tolist():
        yield _pairs(body, rows[group == number])
    for row in np.flatnonzero((pairs > PAIRS_AT_ONCE) & ~large).tolist():
        yield from _near_pairs(body, row, tolerances)


def _near_pairs(body: Body, row: int, tolerances: Tolerances) -> Iterator[tuple[Ints, Ints]]:
    """Yield the sides and triangles of one shell whose boxes meet on the map."""
    first, last = int(body.triangle_offsets[row]), int(body.triangle_offsets[row + 1])
    corners = body.triangles[first:last, :, :2]
    tree = shapely.STRtree(shapely.box(*corners.min(axis=1).T, *corners.max(axis=1).T))
    for begin in range(int(body.side_offsets[row]), int(body.side_offsets[row + 1]), _SIDES_AT_ONCE):
        end = min(begin + _SIDES_AT_ONCE, int(body.side_offsets[row + 1]))
        low = np.minimum(body.starts[begin:end], body.ends[begin:end])[:, :2] - tolerances.near_m
        high = np.maximum(body.starts[begin:end], body.ends[begin:end])[:, :2] + tolerances.near_m
        sides, triangles = tree.query(shapely.box(*low.T, *high.T))
        yield sides + begin, triangles + first


def _pairs(body: Body, rows: Ints) -> tuple[Ints, Ints]:
    """Return every side of some shells with every triangle of the same shell."""
    sides, triangles = np.diff(body.side_offsets)[rows], np.diff(body.triangle_offsets)[rows]
    ends = offsets_of(sides * triangles)
    within = np.arange(int(ends[-1])) - np.repeat(ends[:-1], sides * triangles)
    wide = np.repeat(triangles, sides * triangles)
    one = np.repeat(body.side_offsets[rows], sides * triangles) + within // np.maximum(wide, 1)
    two = np.repeat(body.triangle_offsets[rows], sides * triangles) + within % np.maximum(wide, 1)
    return one, two


def _close(body: Body, sides: Ints, triangles: Ints, tolerances: Tolerances) -> tuple[Ints, Ints]:
    """Return the pairs whose boxes meet, without those of a side and its own surface."""
    side_low, side_high = np.minimum(body.starts, body.ends), np.maximum(body.starts, body.ends)
    low, high = body.triangles.min(axis=1), body.triangles.max(axis=1)
    for axis in range(3):
        near = (side_low[sides, axis] <= high[triangles, axis] + tolerances.near_m) & (
            low[triangles, axis] <= side_high[sides, axis] + tolerances.near_m
        )
        sides, triangles = sides[near], triangles[near]
    own = body.is_side(sides, body.owners[triangles])
    return sides[~own], triangles[~own]


def _meetings(body: Body, sides: Ints, triangles: Ints, tolerances: Tolerances) -> tuple[Flags, Floats]:
    """Return which pairs of a side and a triangle meet where they may not, and where they do."""
    reach = tolerances.snap_m * CONTACT
    corners = body.triangles[triangles]
    normal, wide = normals_of(corners, tolerances.near_m)
    from_start = heights(corners, normal, body.starts[sides])
    from_end = heights(corners, normal, body.ends[sides])
    start_on, end_on = np.abs(from_start) <= reach, np.abs(from_end) <= reach
    owners = body.owners[triangles]
    own = body.is_corner(body.start_ids[sides], owners) | body.is_corner(body.end_ids[sides], owners)
    flat = start_on & end_on
    rows = np.flatnonzero(wide & (flat | (~own & (start_on | end_on | (from_start * from_end < 0)))))
    corners, normal, flat = corners[rows], normal[rows], flat[rows]
    start, end = body.starts[sides[rows]], body.ends[sides[rows]]
    runs_along, middle = along(corners, normal, start, end, reach)
    through = pierced(corners, normal, start, end)
    hit, where = np.zeros(len(sides), dtype=bool), np.zeros((len(sides), 3))
    hit[rows] = np.where(flat, runs_along, inside(corners, normal, through, reach))
    where[rows] = np.where(flat[:, None], middle, through)
    return hit, where


def _among(keys: Ints, known: Ints) -> Flags:
    at = np.minimum(np.searchsorted(known, keys), max(0, len(known) - 1))
    found: Flags = known[at] == keys if len(known) else np.zeros(len(keys), dtype=bool)
    return found
