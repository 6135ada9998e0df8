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

from tiles.soup import FloatArray, IntArray, Soup, counts, cross, length, starts

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
    # Differences to a corner of the surface itself keep the products small and exact.
    first = soup.ring_starts()[starts(soup.surface_ends)]
    local = soup.coordinates - soup.coordinates[first][soup.vertex_surface()]
    product = cross(local, local[soup.next_vertex()])
    vertex_ends = soup.ring_ends[soup.surface_ends - 1]
    sums: FloatArray = np.add.reduceat(product, starts(vertex_ends), axis=0) / 2
    return sums


def triangulate(soup: Soup) -> Mesh:
    """Return triangles that face as their surfaces do; surfaces without area are left out."""
    soup, normals = without_degenerate(soup)
    sizes = counts(soup.ring_ends)
    first_ring = starts(soup.surface_ends)
    single = counts(soup.surface_ends) == 1
    size = sizes[first_ring]
    flat = _flatten(soup, normals)
    fan = single & ((size == 3) | _convex(soup, flat))
    pieces: list[IntArray] = []
    owners: list[IntArray] = []
    for corners in np.unique(size[fan]).tolist():
        surfaces = np.flatnonzero(fan & (size == corners))
        pieces.append(_fan(soup.ring_starts()[first_ring[surfaces]], corners))
        owners.append(np.repeat(surfaces, corners - 2))
    for surface in np.flatnonzero(~fan).tolist():
        triangles = _earcut(soup, flat, surface)
        pieces.append(triangles)
        owners.append(np.full(len(triangles), surface, dtype=np.int64))
    if not pieces:
        return Mesh(soup, np.empty((0, 3), dtype=np.int64), np.empty(0, dtype=np.int64), normals)
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return _faced(Mesh(soup, np.concatenate(pieces)[order], owner[order], normals))


def _flatten(soup: Soup, normals: FloatArray) -> FloatArray:
    """Return each vertex in 2D, along the axis that its surface faces most; counter-clockwise stays so."""
    axis = np.argmax(np.abs(normals), axis=1)
    sign = np.sign(normals[np.arange(len(axis)), axis])
    surface = soup.vertex_surface()
    vertex_axis = axis[surface]
    rows = np.arange(len(surface))
    u = soup.coordinates[rows, (vertex_axis + 1) % 3] * sign[surface]
    v = soup.coordinates[rows, (vertex_axis + 2) % 3]
    return np.column_stack((u, v))


def _convex(soup: Soup, flat: FloatArray) -> NDArray[np.bool_]:
    """Tell which surfaces have a convex outer ring: no right turn, and one turn in all."""
    following = soup.next_vertex()
    edge = flat[following] - flat
    turn = edge[:, 0] * edge[following][:, 1] - edge[:, 1] * edge[following][:, 0]
    # A ring that winds twice has only left turns too; it reverses its course along x more than twice.
    forward = edge[:, 0] > 0
    changes = forward != forward[following]
    vertex_ends = soup.ring_ends[soup.surface_ends - 1]
    begin = starts(vertex_ends)
    if not len(begin):
        return np.empty(0, dtype=np.bool_)
    lowest = np.minimum.reduceat(turn, begin)
    reversals = np.add.reduceat(changes.astype(np.int64), begin)
    result: NDArray[np.bool_] = (lowest > _CONVEX_TOLERANCE) & (reversals <= 2)
    return result


def _fan(first: IntArray, corners: int) -> IntArray:
    step = np.arange(corners - 2)
    pattern = np.column_stack((np.zeros(corners - 2, dtype=np.int64), step + 1, step + 2))
    fans: IntArray = (first[:, None, None] + pattern[None]).reshape(-1, 3)
    return fans


def _earcut(soup: Soup, flat: FloatArray, surface: int) -> IntArray:
    first_ring = int(soup.surface_ends[surface - 1]) if surface else 0
    last_ring = int(soup.surface_ends[surface])
    first = int(soup.ring_ends[first_ring - 1]) if first_ring else 0
    last = int(soup.ring_ends[last_ring - 1])
    ends = (soup.ring_ends[first_ring:last_ring] - first).astype(np.uint32)
    found = mapbox_earcut.triangulate_float64(flat[first:last], ends)
    triangles: IntArray = found.astype(np.int64).reshape(-1, 3) + first
    return triangles


def _faced(mesh: Mesh) -> Mesh:
    """Turn every triangle to face as its surface does, and drop those without area."""
    corners = mesh.soup.coordinates[mesh.triangles]
    product = cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    along = np.einsum("ij,ij->i", product, mesh.normals[mesh.surface])
    triangles = mesh.triangles.copy()
    turned = along < 0
    triangles[turned] = triangles[turned][:, ::-1]
    keep = length(product) > 1e-9
    return Mesh(mesh.soup, triangles[keep], mesh.surface[keep], mesh.normals)
