"""Surfaces to triangles.

Rings that are seen whole from one of their corners (all convex ones, all with a single notch) are fanned
from it, all at once; only what is left goes through earcut (Eberly's ear clipping, as in mapbox_earcut),
one by one.
A surface has one normal (Newell), so its vertices are its own and the mesh is flat-shaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import mapbox_earcut
import numpy as np
from numpy.typing import NDArray

from tiles.soup import FloatArray, IntArray, Soup, counts, length, ranges, starts

AREA_M2_MIN: Final = 1e-3
"""Surfaces below this area are dropped: they have no reliable normal."""

_AREA_TOLERANCE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Mesh:
    """Triangles over the vertices of a soup.

    ``triangles`` (t, 3) indexes ``soup.coordinates``; ``normals`` (surfaces, 3) are unit vectors;
    ``surface`` (t,) is each triangle's surface.
    """

    soup: Soup
    triangles: IntArray
    surface: IntArray
    normals: FloatArray


def without_degenerate(soup: Soup) -> tuple[Soup, FloatArray]:
    """Return the surfaces that have an area, and their unit normals, shape (surfaces, 3)."""
    vectors = area_vectors(soup)
    size = length(vectors)
    enough = counts(soup.ring_ends)[starts(soup.surface_ends)] >= 3
    keep = enough & (size > AREA_M2_MIN) & np.isfinite(size)
    if not keep.all():
        soup, vectors, size = soup.select(np.flatnonzero(keep)), vectors[keep], size[keep]
    return soup, vectors / size[:, None]


def area_vectors(soup: Soup) -> FloatArray:
    """Return Newell's vector of each surface, shape (surfaces, 3): along the normal, as long as the area, m2."""
    if not soup.surface_count:
        return np.empty((0, 3))
    begin = soup.surface_starts
    sums = np.empty((3, len(begin)))
    # Differences to a corner of the surface itself keep the products small and exact.
    local = [column - column[begin][soup.vertex_surface] for column in soup.coordinates.T]
    following = [column[soup.next_vertex] for column in local]
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        product = local[j] * following[k] - local[k] * following[j]
        sums[i] = np.add.reduceat(product, begin)
    return sums.T / 2


def triangulate(soup: Soup) -> Mesh:
    """Return triangles that face as their surfaces do; surfaces without area are left out."""
    soup, normals = without_degenerate(soup)
    size = counts(soup.ring_ends)[starts(soup.surface_ends)]
    flat = _flatten(soup, normals)
    start, fan = _fans(soup, flat)
    cut = np.flatnonzero(~fan)
    found, found_count = _earcut(soup, flat, cut)
    count = np.where(fan, size - 2, 0)
    fanned = np.repeat(np.arange(len(size)), count)
    step = ranges(np.zeros_like(count), count)
    count[cut] = found_count
    begin = np.cumsum(count) - count
    triangles = np.empty((int(count.sum()), 3), dtype=np.int64)
    triangles[ranges(begin[cut], found_count)] = found
    rows = begin[fanned] + step
    first, corners, turned = soup.surface_starts[fanned], size[fanned], (start - soup.surface_starts)[fanned]
    triangles[rows, 0] = start[fanned]
    for column in (1, 2):
        along = turned + step + column
        triangles[rows, column] = first + np.where(along < corners, along, along - corners)
    return Mesh(soup, triangles, np.repeat(np.arange(len(count)), count), normals)


def _flatten(soup: Soup, normals: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return each vertex in 2D, along the axis that its surface faces most; counter-clockwise stays so."""
    axis = np.argmax(np.abs(normals), axis=1)
    sign = np.sign(normals[np.arange(len(axis)), axis])
    x, y, z = soup.coordinates.T
    along = axis[soup.vertex_surface]
    u = np.where(along == 0, y, np.where(along == 1, z, x)) * sign[soup.vertex_surface]
    v = np.where(along == 0, z, np.where(along == 1, x, y))
    return u, v


def _fans(soup: Soup, flat: tuple[FloatArray, FloatArray]) -> tuple[IntArray, NDArray[np.bool_]]:
    """Return a corner of each surface's outer ring, and whether a fan from there cuts the surface into triangles.

    It does where there are no holes, every triangle of the fan runs to the left, and all of them turn less than once
    about the corner.  The corner is one with a notch, if there is one: a ring with a single notch is seen whole
    from it, as every convex ring is from any corner.
    """
    begin, following, surface = soup.surface_starts, soup.next_vertex, soup.vertex_surface
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
    size = counts(soup.ring_ends)[starts(soup.surface_ends)]
    return start, (counts(soup.surface_ends) == 1) & (triangles == size - 2) & (turns <= turns_max)


def _earcut(soup: Soup, flat: tuple[FloatArray, FloatArray], surfaces: IntArray) -> tuple[IntArray, IntArray]:
    """Return the triangles of some surfaces one after the other, shape (t, 3), and how many each has."""
    if not len(surfaces):
        return np.empty((0, 3), dtype=np.int64), np.empty(0, dtype=np.int64)
    places = np.column_stack(flat)
    rings = counts(soup.surface_ends)
    local_ends = (soup.ring_ends - np.repeat(soup.surface_starts, rings)).astype(np.uint32)
    first, ring_end, last = (
        column[surfaces] for column in (soup.surface_starts, soup.surface_ends, soup.ring_ends[soup.surface_ends - 1])
    )
    bounds = (first, last, ring_end - rings[surfaces], ring_end)
    pieces: list[NDArray[np.uint32]] = [
        mapbox_earcut.triangulate_float64(places[begin:end], local_ends[ring:to])
        for begin, end, ring, to in zip(*(column.tolist() for column in bounds), strict=True)
    ]
    count = np.array([len(piece) // 3 for piece in pieces], dtype=np.int64)
    found = np.concatenate(pieces).reshape(-1, 3) + np.repeat(first, count)[:, None]
    return _faced(found, count, flat)


def _faced(found: IntArray, count: IntArray, flat: tuple[FloatArray, FloatArray]) -> tuple[IntArray, IntArray]:
    """Turn every triangle counter-clockwise, and drop those without area."""
    (u0, u1, u2), (v0, v1, v2) = (column[found].T for column in flat)
    double_area = (u1 - u0) * (v2 - v0) - (u2 - u0) * (v1 - v0)
    turned = double_area < 0
    found[turned] = found[turned][:, ::-1]
    keep = np.abs(double_area) > _AREA_TOLERANCE
    kept = np.add.reduceat(np.append(keep, False).astype(np.int64), starts(np.cumsum(count)))
    return found[keep], np.where(count > 0, kept, 0)
