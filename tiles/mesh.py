"""Surfaces to triangles.

Triangles and convex rings are fanned for all surfaces of one size at once; only what is left (rings
with notches or holes) goes through earcut (Eberly's ear clipping, as in mapbox_earcut), one by one.
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

_CONVEX_TOLERANCE: Final = 1e-9


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
    fan = (counts(soup.surface_ends) == 1) & ((size == 3) | _convex(soup, flat))
    cut = np.flatnonzero(~fan)
    found, found_count = _earcut(soup, flat, cut)
    count = np.where(fan, size - 2, 0)
    count[cut] = found_count
    ends = np.cumsum(count)
    begin = ends - count
    triangles = np.empty((int(count.sum()), 3), dtype=np.int64)
    triangles[ranges(begin[cut], found_count)] = found
    for corners in np.unique(size[fan]).tolist():
        surfaces = np.flatnonzero(fan & (size == corners))
        step = np.arange(corners - 2)
        rows = (begin[surfaces][:, None] + step).reshape(-1)
        first = soup.surface_starts[surfaces][:, None]
        for column, offset in enumerate((np.zeros_like(step), step + 1, step + 2)):
            triangles[rows, column] = (first + offset).reshape(-1)
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


def _convex(soup: Soup, flat: tuple[FloatArray, FloatArray]) -> NDArray[np.bool_]:
    """Tell which surfaces have a convex outer ring: no right turn, and one turn in all."""
    begin, following = soup.surface_starts, soup.next_vertex
    if not len(begin):
        return np.empty(0, dtype=np.bool_)
    du, dv = (column[following] - column for column in flat)
    turn = du * dv[following] - dv * du[following]
    # A ring that winds twice has only left turns too; it reverses its course along x more than twice.
    forward = du > 0
    changes = (forward != forward[following]).view(np.int8)
    lowest = np.minimum.reduceat(turn, begin)
    reversals = np.add.reduceat(changes, begin, dtype=np.int32)
    result: NDArray[np.bool_] = (lowest > _CONVEX_TOLERANCE) & (reversals <= 2)
    return result


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
    keep = np.abs(double_area) > _CONVEX_TOLERANCE
    kept = np.add.reduceat(np.append(keep, False).astype(np.int64), starts(np.cumsum(count)))
    return found[keep], np.where(count > 0, kept, 0)
