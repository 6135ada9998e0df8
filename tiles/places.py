"""Where objects lie, as the store has it: outlines read from well-known binary, all at once where they are plain.

Plain is a single ring that is seen whole from one of its corners, has no corner too many and encloses something:
nearly every building.  What is not goes through shapely, one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from cim.geometry.triangles import fans
from tiles.footprints import FOOTPRINT_M2_MIN, POLYGONAL, SIMPLIFY_M, clean_footprints, settled
from tiles.outlines import Outlines, joined, leftward
from tiles.soup import FloatArray, IntArray, ranges

_HEAD: Final = np.frombuffer(bytes((1, 3, 0, 0, 0, 1, 0, 0, 0)), dtype=np.uint8)
"""Little-endian, a polygon in two dimensions, of one ring."""
_HEAD_BYTES: Final = 13
"""With the number of its corners."""
_CORNER_BYTES: Final = 16
_CORNERS_MIN: Final = 4
"""The first is repeated at the end."""


@dataclass(frozen=True, slots=True)
class Places:
    """The places of rows: ``plain`` has the outlines of some, ``ring`` (rows,) says which is whose, -1 for none.

    ``others`` (rows,) are shapely's geometries of the rest; nothing where a row has no place.
    """

    content: pa.Array
    plain: Outlines
    ring: IntArray
    others: NDArray[np.object_]

    def shapes(self, rows: IntArray) -> NDArray[np.object_]:
        """Return the geometries of some rows, as they are stored."""
        found = self.others[rows]
        plain = np.flatnonzero(self.ring[rows] >= 0)
        if len(plain):
            wanted = self.content.take(pa.array(rows[plain]))
            found[plain] = shapely.from_wkb(wanted.to_numpy(zero_copy_only=False))
        return found

    def polygonal(self, rows: IntArray) -> NDArray[np.bool_]:
        """Tell which rows have an outline."""
        return (self.ring[rows] >= 0) | np.isin(shapely.get_type_id(self.others[rows]), POLYGONAL)

    def outlines(self, rows: IntArray, rests: NDArray[np.object_]) -> tuple[Outlines, IntArray]:
        """Return the clean outlines of some rows and of geometries beside them, and of which of those each is."""
        ring = np.append(self.ring[rows], np.full(len(rests), -1))
        plain, odd = np.flatnonzero(ring >= 0), np.flatnonzero(ring < 0)
        own = ring[plain]
        in_order = len(own) == len(self.plain) and bool((np.diff(own) == 1).all())
        found = self.plain if in_order else self.plain[own]
        if not len(odd):
            return found, plain
        cleaned, origin = clean_footprints(np.append(self.others[rows], rests)[odd])
        of = np.append(plain, odd[origin])
        order = np.argsort(of, kind="stable")
        return joined([found, Outlines.of(cleaned)])[order], of[order]


def read_places(column: pa.ChunkedArray) -> Places:
    """Return the places of rows of the store: polygons in the working CRS, metres."""
    content = column.combine_chunks()
    found, rows = single_rings(content)
    kept = np.flatnonzero(_are_plain(found)) if len(found) else np.empty(0, dtype=np.int64)
    if len(kept) < len(found):
        found, rows = found[kept], rows[kept]
    ring = np.full(len(content), -1)
    ring[rows] = np.arange(len(rows))
    others = np.full(len(content), None, dtype=object)
    odd = np.flatnonzero(ring < 0)
    if len(odd):
        others[odd] = shapely.from_wkb(content.take(pa.array(odd)).to_numpy(zero_copy_only=False))
    return Places(content, found, ring, others)


def _are_plain(found: Outlines) -> NDArray[np.bool_]:
    x, y = found.coordinates.T
    _, whole = fans(found, (x, y))
    good: NDArray[np.bool_] = whole & (found.area_m2 >= FOOTPRINT_M2_MIN)
    return good & settled((found.coordinates, found.ring_ends, found.surface_ends), SIMPLIFY_M)


def single_rings(content: pa.Array) -> tuple[Outlines, IntArray]:
    """Return the finite polygons of one ring, counter-clockwise, among well-known binary, and the row of each."""
    bounds, data = _buffers(content)
    size = np.diff(bounds)
    rows = np.flatnonzero(size >= _HEAD_BYTES + _CORNERS_MIN * _CORNER_BYTES)
    heads = data[bounds[rows][:, None] + np.arange(_HEAD_BYTES)]
    corners = np.ascontiguousarray(heads[:, len(_HEAD) :]).view("<u4").reshape(-1).astype(np.int64)
    fit = (heads[:, : len(_HEAD)] == _HEAD).all(axis=1) & (size[rows] == _HEAD_BYTES + _CORNER_BYTES * corners)
    rows, corners = rows[fit], corners[fit]
    if not len(rows):
        return joined([]), rows
    closed = _corners(data, bounds[rows] + _HEAD_BYTES, corners)
    ends = np.cumsum(corners)
    same = (closed[ends - 1] == closed[ends - corners]).all(axis=1)
    finite = np.logical_and.reduceat(np.isfinite(closed).all(axis=1), ends - corners)
    is_corner = np.ones(len(closed), dtype=np.bool_)
    is_corner[ends - 1] = False
    count = np.arange(1, len(rows) + 1)
    found, good = Outlines(closed[is_corner], ends - count, count), same & finite
    if not good.all():
        found, rows = found[good], rows[good]
    return leftward(found), rows


def _buffers(content: pa.Array) -> tuple[IntArray, NDArray[np.uint8]]:
    """Return where each row of a binary column begins and the last one ends, and all its bytes."""
    _, offsets, data = content.buffers()
    dtype = np.int64 if pa.types.is_large_binary(content.type) else np.int32
    bounds = np.frombuffer(offsets, dtype, content.offset + len(content) + 1)[content.offset :] if offsets else [0]
    return np.asarray(bounds, dtype=np.int64), np.frombuffer(data or b"", dtype=np.uint8)


def _corners(data: NDArray[np.uint8], begin: IntArray, corners: IntArray) -> FloatArray:
    """Return the corners (n, 2) that lie one after the other from some places on."""
    at = begin[0]
    step = np.diff(begin)
    if len(step) and (step == _HEAD_BYTES + _CORNER_BYTES * corners[:-1]).all():
        # Row by row without a gap: what is between is cut out, several times faster than what is wanted is gathered.
        whole = data[at : begin[-1] + _CORNER_BYTES * corners[-1]]
        kept = np.ones(len(whole), dtype=np.bool_)
        kept[(begin[1:] - at - _HEAD_BYTES)[:, None] + np.arange(_HEAD_BYTES)] = False
        return whole[kept].view("<f8").reshape(-1, 2)
    return data[ranges(begin, _CORNER_BYTES * corners)].view("<f8").reshape(-1, 2)
