"""Surfaces as well-known binary, whole batches in one pass; pure.

The layout is that of GEOS: little-endian, the mark of the third dimension in the highest bit of the type.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_LITTLE: Final = 1
_POLYGON_Z: Final = 0x8000_0003
_MULTIPOLYGON_Z: Final = 0x8000_0006
_HEAD_BYTES: Final = 9
"""Byte order, type, number of parts."""

_COUNT_BYTES: Final = 4
_VERTEX_BYTES: Final = 24

_NUMBER: Final = struct.Struct("<I")
_HEAD: Final = struct.Struct("<BII")

Counts = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def offsets_of(counts: Counts) -> Counts:
    """Return where each of some runs starts, and where the last one ends: one more than there are runs."""
    return np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)))


def multipolygons_to_wkb(
    coordinates: NDArray[np.float64], ring_counts: Counts, surface_counts: Counts, geometry_counts: Counts
) -> tuple[NDArray[np.uint8], Counts]:
    """Return the bytes of ``MULTIPOLYGON Z`` rows one after the other, and their offsets.

    ``coordinates`` (n, 3); ``ring_counts`` vertices per ring, the first one not repeated;
    ``surface_counts`` rings per surface; ``geometry_counts`` surfaces per geometry, none of them 0.
    """
    surface_starts, ring_starts, rows = _layout(ring_counts, surface_counts, geometry_counts)
    out = np.empty(int(rows[-1]), dtype=np.uint8)
    is_vertex = np.ones(len(out), dtype=bool)
    _put_heads(out, is_vertex, rows[:-1], _MULTIPOLYGON_Z, geometry_counts)
    _put_heads(out, is_vertex, surface_starts, _POLYGON_Z, surface_counts)
    _put(out, is_vertex, ring_starts, (ring_counts + 1).astype("<u4").view(np.uint8).reshape(-1, _COUNT_BYTES))
    out[is_vertex] = closed_rings(coordinates, ring_counts).astype("<f8", copy=False).view(np.uint8).reshape(-1)
    return out, rows


def multipolygons_from_wkb(rows: Sequence[bytes]) -> tuple[NDArray[np.float64], Counts, Counts, Counts] | None:
    """Return what :func:`multipolygons_to_wkb` was given for some rows, or nothing where one has another layout.

    Several times as fast as a library that makes every ring an object of its own.
    """
    ring_counts: list[int] = []
    surface_counts: list[int] = []
    geometry_counts: list[int] = []
    try:
        for row in rows:
            surfaces = _count_after(row, 0, _MULTIPOLYGON_Z)
            at = _HEAD_BYTES
            for _ in range(surfaces):
                rings = _count_after(row, at, _POLYGON_Z)
                at += _HEAD_BYTES
                for _ in range(rings):
                    (closed,) = _NUMBER.unpack_from(row, at)
                    ring_counts.append(closed - 1)
                    at += _COUNT_BYTES + _VERTEX_BYTES * closed
                surface_counts.append(rings)
            geometry_counts.append(surfaces)
            if at != len(row):
                return None
    except (struct.error, ValueError):
        return None
    if any(not found or min(found) < 1 for found in (ring_counts, surface_counts, geometry_counts)):
        return None
    corners, rings_of, parts = (np.array(n, dtype=np.int64) for n in (ring_counts, surface_counts, geometry_counts))
    return _vertices(b"".join(rows), corners, rings_of, parts), corners, rings_of, parts


def _count_after(row: bytes, at: int, type_code: int) -> int:
    """Return how many parts a head names; raises :class:`ValueError` where it is of another type."""
    order, found, count = _HEAD.unpack_from(row, at)
    if order != _LITTLE or found != type_code:
        raise ValueError(found)
    return int(count)


def _vertices(content: bytes, ring_counts: Counts, surface_counts: Counts, geometry_counts: Counts) -> FloatArray:
    """Return the vertices (n, 3) in rows that lie one after the other, without those that close rings."""
    surface_starts, ring_starts, rows = _layout(ring_counts, surface_counts, geometry_counts)
    is_vertex = np.ones(len(content), dtype=bool)
    for begin, size in ((rows[:-1], _HEAD_BYTES), (surface_starts, _HEAD_BYTES), (ring_starts, _COUNT_BYTES)):
        is_vertex[begin[:, None] + np.arange(size)] = False
    ends = ring_starts + _COUNT_BYTES + _VERTEX_BYTES * ring_counts
    is_vertex[ends[:, None] + np.arange(_VERTEX_BYTES)] = False
    vertices: FloatArray = np.frombuffer(content, dtype=np.uint8)[is_vertex].view("<f8").reshape(-1, 3)
    return vertices


def _layout(ring_counts: Counts, surface_counts: Counts, geometry_counts: Counts) -> tuple[Counts, Counts, Counts]:
    """Return where surfaces, rings and rows start, rows with the end of the last one; bytes."""
    rings, surfaces = offsets_of(surface_counts), offsets_of(geometry_counts)
    ring_ends = offsets_of(_COUNT_BYTES + _VERTEX_BYTES * (ring_counts + 1))
    surface_bytes = _HEAD_BYTES + ring_ends[rings[1:]] - ring_ends[rings[:-1]]
    surface_ends = offsets_of(surface_bytes)
    row_bytes = _HEAD_BYTES + surface_ends[surfaces[1:]] - surface_ends[surfaces[:-1]]
    rows = offsets_of(row_bytes)
    # Heads that lie before a place shift it: one per geometry so far, and one per surface so far.
    surface_starts = surface_ends[:-1] + _HEAD_BYTES * np.repeat(
        np.arange(1, len(geometry_counts) + 1), geometry_counts
    )
    row_of_ring = np.repeat(np.repeat(np.arange(1, len(geometry_counts) + 1), geometry_counts), surface_counts)
    surface_of_ring = np.repeat(np.arange(1, len(surface_counts) + 1), surface_counts)
    ring_starts = ring_ends[:-1] + _HEAD_BYTES * (row_of_ring + surface_of_ring)
    return surface_starts, ring_starts, rows


def closed_rings(coordinates: NDArray[np.float64], ring_counts: Counts) -> NDArray[np.float64]:
    """Return the vertices with the first one of each ring repeated at its end, C-contiguous."""
    ends = np.cumsum(ring_counts)
    at = np.arange(len(coordinates) + len(ring_counts)) - np.repeat(np.arange(len(ring_counts)), ring_counts + 1)
    at[ends + np.arange(len(ends))] = ends - ring_counts
    return np.ascontiguousarray(coordinates[at])


def _put_heads(
    out: NDArray[np.uint8], is_vertex: NDArray[np.bool_], starts: Counts, type_code: int, counts: Counts
) -> None:
    heads = np.empty((len(starts), _HEAD_BYTES), dtype=np.uint8)
    heads[:, 0] = _LITTLE
    heads[:, 1:5] = np.array([type_code], dtype="<u4").view(np.uint8)
    heads[:, 5:] = counts.astype("<u4").view(np.uint8).reshape(-1, 4)
    _put(out, is_vertex, starts, heads)


def _put(out: NDArray[np.uint8], is_vertex: NDArray[np.bool_], starts: Counts, words: NDArray[np.uint8]) -> None:
    places = starts[:, None] + np.arange(words.shape[1])
    out[places] = words
    is_vertex[places] = False
