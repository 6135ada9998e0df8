"""How buildings meet the ground: their feet, and what is drawn down to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from cim.geometry.ground import OUTLIER_M, Ground, places_apart
from tiles.soup import FloatArray, IntArray, Soup, counts, starts

FOOT_BAND_M: Final = 0.3
SUNK_M: Final = 0.05
"""Walls reach this far below the surface, so that no crack opens at their foot."""


def lowest(bodies: Soup, features: int) -> FloatArray:
    """Return the lowest vertex of each feature's body, shape (features,), NaN for features without one."""
    return by_feature(np.minimum, bodies, bodies.coordinates[:, 2], features)


def by_feature(reduce: np.ufunc, bodies: Soup, values: FloatArray, features: int) -> FloatArray:
    """Return the least or greatest of a value per vertex for each feature; ``bodies`` are sorted by owner."""
    result = np.full(features, np.nan)
    if bodies.surface_count:
        owner = bodies.owner
        first = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
        result[owner[first]] = reduce.reduceat(values, bodies.surface_starts[first])
    return result


def feet_of(bodies: Soup, lowest_m: FloatArray) -> FloatArray:
    """Return the vertices near the lowest of each body, shape (n, 3): where it meets the ground."""
    owner = bodies.owner[bodies.vertex_surface]
    feet = bodies.coordinates[bodies.coordinates[:, 2] < lowest_m[owner] + FOOT_BAND_M]
    return places_apart(feet)


def stand(bodies: Soup, lowest_m: FloatArray, ground: Ground) -> Soup:
    """Return bodies with their heights above ground, and their feet drawn down to the ground where it is lower."""
    surface = bodies.vertex_surface
    base = lowest_m[bodies.owner[surface]]
    coordinates = bodies.coordinates.copy()
    feet = np.flatnonzero(coordinates[:, 2] < base + FOOT_BAND_M)
    below = ground.height_m(coordinates[feet, :2]) - SUNK_M
    coordinates[feet, 2] = np.minimum(coordinates[feet, 2], np.maximum(below, coordinates[feet, 2] - OUTLIER_M * 2))
    return replace(bodies, coordinates=coordinates, height_m=np.maximum(coordinates[:, 2] - base, 0.0))


def lowest_under(ground: Ground, xy: FloatArray, ends: IntArray) -> FloatArray:
    """Return the lowest ground under each group of places; ``ends`` says where each group ends."""
    return np.minimum.reduceat(ground.height_m(xy), starts(ends)) if len(counts(ends)) else np.empty(0)
