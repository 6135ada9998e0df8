"""Surfaces cut into triangles of corners: numbers, not places, so that it is known which triangles meet; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import mapbox_earcut
import numpy as np

from cim.quality.layout import Floats, Ints, Surfaces

_TRIANGLE: Final = 3
_QUAD: Final = 4


@dataclass(frozen=True, slots=True)
class Cut:
    """Triangles of some surfaces: ``corners`` (t, 3) vertices counted over the batch, ``surfaces`` (t,) whose."""

    corners: Ints
    surfaces: Ints


def quad_order(flat: Floats, corners: Floats) -> Ints:
    """Return (q, 6): how to take the vertices of quadrilaterals as two triangles, along a diagonal that lies inside.

    ``flat`` (q, 4, 2) on their planes, ``corners`` (q, 4, 3) in space; where both diagonals lie inside it is the
    shorter one.
    """
    sides = np.roll(flat, -1, axis=1) - flat
    before = np.roll(sides, 1, axis=1)
    turns = before[:, :, 0] * sides[:, :, 1] - before[:, :, 1] * sides[:, :, 0]
    notch = np.argmin(turns, axis=1)
    one = np.linalg.norm(corners[:, 0] - corners[:, 2], axis=1)
    other = np.linalg.norm(corners[:, 1] - corners[:, 3], axis=1)
    is_notched = turns[np.arange(len(flat)), notch] < 0
    first = np.where(is_notched, notch % 2, np.where(one <= other, 0, 1))
    order: Ints = (first[:, None] + np.array([0, 1, 2, 0, 2, 3])) % _QUAD
    return order


def cut(surfaces: Surfaces, flat: Floats, chosen: Ints) -> Cut:
    """Return the triangles of the ``chosen`` surfaces; ``flat`` (n, 2) are the vertices on their planes."""
    offsets = surfaces.vertex_offsets
    counts = np.diff(offsets)[chosen]
    single = np.diff(surfaces.surface_offsets)[chosen] == 1
    threes = chosen[single & (counts == _TRIANGLE)]
    fours = chosen[single & (counts == _QUAD)]
    others = chosen[~single | (counts > _QUAD)]
    places = offsets[fours][:, None] + np.arange(_QUAD)
    order = quad_order(flat[places], surfaces.coordinates[places])
    halves = (offsets[fours][:, None] + order).reshape(-1, 3)
    pieces = [_ears(surfaces, flat, surface) for surface in others.tolist()]
    return Cut(
        np.concatenate([offsets[threes][:, None] + np.arange(_TRIANGLE), halves, *pieces]),
        np.concatenate([threes, np.repeat(fours, 2), np.repeat(others, [len(piece) for piece in pieces])]).astype(
            np.int64
        ),
    )


def _ears(surfaces: Surfaces, flat: Floats, surface: int) -> Ints:
    first, last = int(surfaces.surface_offsets[surface]), int(surfaces.surface_offsets[surface + 1])
    begin, end = int(surfaces.ring_offsets[first]), int(surfaces.ring_offsets[last])
    ends = (surfaces.ring_offsets[first + 1 : last + 1] - begin).astype(np.uint32)
    found = mapbox_earcut.triangulate_float64(np.ascontiguousarray(flat[begin:end]), ends).reshape(-1, 3)
    corners: Ints = found.astype(np.int64) + begin
    return corners
