"""Plane surfaces in space cut into triangles, all at once.

Rings that are seen whole from one of their corners (all convex ones, all with a single notch) are fanned
from it; only what is left goes through earcut (Eberly's ear clipping, as in mapbox_earcut), one by one,
along the axis that each surface faces most.
"""

from __future__ import annotations

from typing import Final

import mapbox_earcut
import numpy as np
from numpy.typing import NDArray

from cim.geometry.ragged import FloatArray, IntArray, Rings, counts, length, ranges, rings_of, starts

_AREA_TOLERANCE: Final = 1e-9


def newell(ring: FloatArray) -> FloatArray:
    """Return a ring's area vector, shape (3,): along its normal, as long as its area in m2."""
    return area_vectors(rings_of([[ring]])).reshape(3)


def area_vectors(rings: Rings) -> FloatArray:
    """Return Newell's vector of each surface, shape (surfaces, 3): along the normal, as long as the area, m2."""
    if not rings.surface_count:
        return np.empty((0, 3))
    begin = rings.surface_starts
    sums = np.empty((3, len(begin)))
    # Differences to a corner of the surface itself keep the products small and exact.
    local = [column - column[begin][rings.vertex_surface] for column in rings.coordinates.T]
    following = [column[rings.next_vertex] for column in local]
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        product = local[j] * following[k] - local[k] * following[j]
        sums[i] = np.add.reduceat(product, begin)
    return sums.T / 2


def cut(rings: Rings, normals: FloatArray, *, slivers: bool = False) -> tuple[IntArray, IntArray]:
    """Return triangles (t, 3) over the vertices, facing as their surfaces do, and the surface of each.

    ``normals`` (surfaces, 3) are along the surfaces' own, of any length but zero.  Triangles without area, which
    a mesh needs to be closed where a corner lies on a straight edge, are kept with ``slivers``.
    """
    size = counts(rings.ring_ends)[starts(rings.surface_ends)]
    flat = _flatten(rings, normals)
    start, fan = fans(rings, flat)
    cut = np.flatnonzero(~fan)
    found, found_count = _earcut(rings, flat, cut, slivers=slivers)
    count = np.where(fan, size - 2, 0)
    fanned = np.repeat(np.arange(len(size)), count)
    step = ranges(np.zeros_like(count), count)
    count[cut] = found_count
    begin = np.cumsum(count) - count
    triangles = np.empty((int(count.sum()), 3), dtype=np.int64)
    triangles[ranges(begin[cut], found_count)] = found
    rows = begin[fanned] + step
    first, corners, turned = rings.surface_starts[fanned], size[fanned], (start - rings.surface_starts)[fanned]
    triangles[rows, 0] = start[fanned]
    for column in (1, 2):
        along = turned + step + column
        triangles[rows, column] = first + np.where(along < corners, along, along - corners)
    return triangles, np.repeat(np.arange(len(count)), count)


def cut_surfaces(rings: Rings) -> tuple[FloatArray, IntArray]:
    """Return the triangles, shape (t, 3, 3), of all surfaces that have an area, and the surface of each."""
    vectors = area_vectors(rings)
    solid = length(vectors) > 0.0
    triangles, surface = cut(rings, np.where(solid[:, None], vectors, 1.0), slivers=True)
    triangles, surface = _with_straight_corners(rings, triangles, surface)
    kept = solid[surface]
    return rings.coordinates[triangles[kept]], surface[kept]


def _with_straight_corners(rings: Rings, triangles: IntArray, surface: IntArray) -> tuple[IntArray, IntArray]:
    """Add the triangles without area that ear clipping leaves out along straight edges: so a mesh stays closed."""
    per_ring = counts(rings.surface_ends)
    corners = np.bincount(rings.vertex_surface, minlength=rings.surface_count)
    wanted = corners - 2 + 2 * (per_ring - 1)
    short = np.flatnonzero(np.bincount(surface, minlength=rings.surface_count) < wanted)
    added, owners = [triangles], [surface]
    for row in short.tolist():
        vertices = np.flatnonzero(rings.vertex_surface == row)
        ring_edges = set(zip(vertices.tolist(), rings.next_vertex[vertices].tolist(), strict=True))
        found = [(int(t[i]), int(t[i - 2])) for t in triangles[surface == row] for i in range(3)]
        slivers = _slivers(ring_edges, set(found))
        added.append(np.array(slivers, dtype=np.int64).reshape(-1, 3))
        owners.append(np.full(len(slivers), row))
    return np.concatenate(added), np.concatenate(owners)


def _slivers(ring_edges: set[tuple[int, int]], found: set[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Return triangles that fill what lies between the edges of the rings and those that the triangles have."""
    open_edges = {(b, a) for a, b in found if (b, a) not in found and (a, b) not in ring_edges}
    follow: dict[int, list[int]] = {}
    for a, b in sorted(open_edges | (ring_edges - found)):
        follow.setdefault(a, []).append(b)
    made: list[tuple[int, int, int]] = []
    while follow:
        start = next(iter(follow))
        at = _step(follow, start)
        while at in follow and at != start:
            after = _step(follow, at)
            if after != start:
                made.append((start, at, after))
            at = after
    return made


def _step(follow: dict[int, list[int]], at: int) -> int:
    """Take an edge away and return where it leads."""
    ahead = follow[at].pop()
    if not follow[at]:
        del follow[at]
    return ahead


def _flatten(rings: Rings, normals: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return each vertex in 2D, along the axis that its surface faces most; counter-clockwise stays so."""
    axis = np.argmax(np.abs(normals), axis=1)
    sign = np.sign(normals[np.arange(len(axis)), axis])
    x, y, z = rings.coordinates.T
    if (axis == 2).all() and (sign > 0).all():
        # Roofs and footprints: they are on the map already.
        return x, y
    along = axis[rings.vertex_surface]
    u = np.where(along == 0, y, np.where(along == 1, z, x)) * sign[rings.vertex_surface]
    v = np.where(along == 0, z, np.where(along == 1, x, y))
    return u, v


def fans(rings: Rings, flat: tuple[FloatArray, FloatArray]) -> tuple[IntArray, NDArray[np.bool_]]:
    """Return a corner of each surface's outer ring, and whether a fan from there cuts the surface into triangles.

    It does where there are no holes, every triangle of the fan runs to the left, and all of them turn less than once
    about the corner.  The corner is one with a notch, if there is one: a ring with a single notch is seen whole
    from it, as every convex ring is from any corner.
    """
    begin, following, surface = rings.surface_starts, rings.next_vertex, rings.vertex_surface
    if not len(begin):
        return begin, np.empty(0, dtype=np.bool_)
    du, dv = (column[following] - column for column in flat)
    notched = following[du * dv[following] - dv * du[following] <= _AREA_TOLERANCE]
    start, turns_max = begin.copy(), np.ones(len(begin), dtype=np.int64)
    start[surface[notched]], turns_max[surface[notched]] = notched, 2
    u, v = (column - column[start][surface] for column in flat)
    left = u * v[following] - v * u[following] > _AREA_TOLERANCE
    # Half a turn reverses an arm's course along u once: a convex corner allows one reversal, a notch two.
    forward = u > 0
    reverses = forward != forward[following]
    reverses[start] = False
    before = np.empty_like(following)
    before[following] = np.arange(len(following))
    reverses[before[start]] = False
    triangles, turns = (np.add.reduceat(found.view(np.int8), begin, dtype=np.int64) for found in (left, reverses))
    size = counts(rings.ring_ends)[starts(rings.surface_ends)]
    return start, (counts(rings.surface_ends) == 1) & (triangles == size - 2) & (turns <= turns_max)


def _earcut(
    rings: Rings, flat: tuple[FloatArray, FloatArray], surfaces: IntArray, *, slivers: bool
) -> tuple[IntArray, IntArray]:
    """Return the triangles of some surfaces one after the other, shape (t, 3), and how many each has."""
    if not len(surfaces):
        return np.empty((0, 3), dtype=np.int64), np.empty(0, dtype=np.int64)
    places = np.column_stack(flat)
    per_surface = counts(rings.surface_ends)
    local_ends = (rings.ring_ends - np.repeat(rings.surface_starts, per_surface)).astype(np.uint32)
    columns = (rings.surface_starts, rings.surface_ends, rings.ring_ends[rings.surface_ends - 1])
    first, ring_end, last = (column[surfaces] for column in columns)
    bounds = (first, last, ring_end - per_surface[surfaces], ring_end)
    pieces: list[NDArray[np.uint32]] = [
        mapbox_earcut.triangulate_float64(places[begin:end], local_ends[ring:to])
        for begin, end, ring, to in zip(*(column.tolist() for column in bounds), strict=True)
    ]
    count = np.array([len(piece) // 3 for piece in pieces], dtype=np.int64)
    found = np.concatenate(pieces).reshape(-1, 3) + np.repeat(first, count)[:, None]
    return _whole(found, count, flat) if slivers else _faced(found, count, flat)


def _whole(found: IntArray, count: IntArray, flat: tuple[FloatArray, FloatArray]) -> tuple[IntArray, IntArray]:
    """Turn all triangles of a surface together: those without area have no sign of their own."""
    of = np.repeat(np.arange(len(count)), count)
    turned = np.bincount(of, weights=_double_areas(found, flat), minlength=len(count))[of] < 0
    found[turned] = found[turned][:, ::-1]
    return found, count


def _double_areas(found: IntArray, flat: tuple[FloatArray, FloatArray]) -> FloatArray:
    (u0, u1, u2), (v0, v1, v2) = (column[found].T for column in flat)
    areas: FloatArray = (u1 - u0) * (v2 - v0) - (u2 - u0) * (v1 - v0)
    return areas


def _faced(found: IntArray, count: IntArray, flat: tuple[FloatArray, FloatArray]) -> tuple[IntArray, IntArray]:
    """Turn every triangle counter-clockwise, and drop those without area."""
    double_area = _double_areas(found, flat)
    turned = double_area < 0
    found[turned] = found[turned][:, ::-1]
    keep = np.abs(double_area) > _AREA_TOLERANCE
    kept = np.add.reduceat(np.append(keep, False).astype(np.int64), starts(np.cumsum(count)))
    return found[keep], np.where(count > 0, kept, 0)
