"""Surfaces to triangles: a surface has one normal (Newell), so its vertices are its own and the mesh is flat-shaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from cim.geometry.triangles import area_vectors, cut
from tiles.soup import FloatArray, IntArray, Soup, counts, length, starts

AREA_M2_MIN: Final = 1e-3
"""Surfaces below this area are dropped: they have no reliable normal."""


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


def triangulate(soup: Soup) -> Mesh:
    """Return triangles that face as their surfaces do; surfaces without area are left out."""
    soup, normals = without_degenerate(soup)
    return Mesh(soup, *cut(soup, normals), normals)
