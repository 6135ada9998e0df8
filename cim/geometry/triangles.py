"""Plane surfaces in space cut into triangles.

Triangles and convex outlines are fanned; what has notches or holes goes through earcut (Eberly's ear
clipping, as in mapbox_earcut), along the axis that the surface faces most.
"""

from __future__ import annotations

from typing import Final

import mapbox_earcut
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_STRAIGHT: Final = 1e-9


def newell(ring: FloatArray) -> FloatArray:
    """Return a ring's area vector, shape (3,): along its normal, as long as its area in m2."""
    local = ring - ring[0]
    following = np.roll(local, -1, axis=0)
    vector: FloatArray = np.cross(local, following).sum(axis=0) / 2.0
    return vector


def cut_surface(rings: list[FloatArray], normal: FloatArray) -> FloatArray:
    """Return the triangles, shape (t, 3, 3), of one plane surface given as rings (n, 3), the outer one first."""
    if len(rings) == 1 and len(rings[0]) == 3:
        return rings[0][None]
    vertices = np.concatenate(rings)
    axis = int(np.argmax(np.abs(normal)))
    flat = np.ascontiguousarray(np.delete(vertices, axis, axis=1))
    if len(rings) == 1 and _is_convex(flat):
        count = len(vertices) - 2
        return np.stack((np.repeat(vertices[:1], count, axis=0), vertices[1:-1], vertices[2:]), axis=1)
    ends = np.cumsum([len(ring) for ring in rings]).astype(np.uint32)
    found = mapbox_earcut.triangulate_float64(flat, ends).reshape(-1, 3)
    triangles: FloatArray = vertices[found]
    return triangles


def _is_convex(flat: FloatArray) -> bool:
    side = np.roll(flat, -1, axis=0) - flat
    following = np.roll(side, -1, axis=0)
    turn = side[:, 0] * following[:, 1] - side[:, 1] * following[:, 0]
    forward = side[:, 0] > 0
    # A ring that winds twice has turns to one side only too; it reverses its course more than twice.
    return (
        bool((turn > _STRAIGHT).all() or (turn < -_STRAIGHT).all()) and int((forward != np.roll(forward, 1)).sum()) <= 2
    )
