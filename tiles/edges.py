"""Crease edges: where two faces of one building meet at an angle, or a face ends."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiles.soup import FloatArray, IntArray, Soup

CREASE_ANGLE_DEG: Final = 20.0
"""Faces that meet more evenly than this are one smooth face to the eye."""
CREASE_COSINE: Final = float(np.cos(np.radians(CREASE_ANGLE_DEG)))

WELD_M: Final = 0.01
"""Corners closer than about this are one corner."""

ON_GROUND_M: Final = 0.05
"""An edge with both ends this low lies on the ground and is not drawn."""

_MIX: Final = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)


def crease_edges(soup: Soup, normals: FloatArray) -> tuple[IntArray, IntArray]:
    """Return the creases as vertex pairs, shape (e, 2), and the feature row of each, shape (e,).

    Edges are those of the surfaces' rings, so no diagonal of a triangulation is among them.  Corners
    are welded by their rounded position; an edge that only one face has is a border and is kept.
    """
    if not soup.surface_count:
        return np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=np.int64)
    surface = soup.vertex_surface
    owner = soup.owner[surface]
    corner = corner_keys(soup.coordinates, owner)
    following = soup.next_vertex
    low = np.minimum(corner, corner[following])
    high = np.maximum(corner, corner[following])
    key = low * np.uint64(0x9E3779B185EBCA87) ^ high
    raised = (soup.height_m > ON_GROUND_M) | (soup.height_m[following] > ON_GROUND_M)
    candidates = np.flatnonzero((low != high) & raised)
    order = candidates[np.argsort(key[candidates], kind="stable")]
    kept = order[_is_crease(key[order], surface[order], normals)]
    kept.sort()
    return np.column_stack((kept, following[kept])), owner[kept]


def corner_keys(coordinates: FloatArray, owner: IntArray) -> NDArray[np.uint64]:
    """Return a 64-bit key per vertex, equal for vertices of one feature at one rounded place."""
    mixed = (owner.astype(np.uint64) + np.uint64(1)) * np.uint64(0xD6E8FEB86659FD93)
    for column, factor in zip(coordinates.T, _MIX, strict=True):
        mixed += np.rint(column / WELD_M).astype(np.int64).view(np.uint64) * factor
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    keys: NDArray[np.uint64] = mixed
    return keys


def _is_crease(key: NDArray[np.uint64], surface: IntArray, normals: FloatArray) -> NDArray[np.bool_]:
    """Tell, for edges sorted by key, which one stands for a crease: at most the first of equal keys."""
    first = np.empty(len(key), dtype=np.bool_)
    first[:1] = True
    np.not_equal(key[1:], key[:-1], out=first[1:])
    begin = np.flatnonzero(first)
    other = np.flatnonzero(~first)
    meets = begin[np.cumsum(first)[other] - 1]
    a, b = surface[other], surface[meets]
    cosine = sum(column[a] * column[b] for column in normals.T)
    result = first
    result[meets] = False
    result[meets[cosine < CREASE_COSINE]] = True
    return result
