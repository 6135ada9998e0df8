"""The surface that the city stands on, in heights of the working CRS."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator
from scipy.ndimage import gaussian_filter
from scipy.spatial import KDTree

from tiles.soup import FloatArray, IntArray, Soup, counts, starts

CELL_M_MIN: Final = 10.0
NODES_MAX: Final = 250_000
NEIGHBOURS: Final = 9
OUTLIER_M: Final = 4.0
"""A building whose foot is this far from the middle of its neighbours' stands on something else."""
FOOT_BAND_M: Final = 0.3
FEET_APART_M: Final = 0.5
"""Of the feet that fall on one step of this, one stands for all."""
EVEN_M: Final = 0.02
"""Ground that varies less than this is even."""
SMOOTH_CELLS: Final = 0.7
SUNK_M: Final = 0.05
"""Walls reach this far below the surface, so that no crack opens at their foot."""


class Surface(Protocol):
    """A ground to stand on; ``cell_m`` is the length over which it is even, metres."""

    @property
    def cell_m(self) -> float:
        """Metres over which the ground is even."""
        ...

    def height(self, xy: FloatArray) -> FloatArray:
        """Return the heights, shape (n,), metres, at places (n, 2) of the working CRS."""
        ...


class FlatGround:
    """Even ground at 0 m."""

    cell_m: float = np.inf

    def height(self, xy: FloatArray) -> FloatArray:
        """Return zeros."""
        return np.zeros(len(xy))


class GridGround:
    """Ground by a grid of heights (i, j), metres: from the corner ``low`` (2,) on, ``cell_m`` apart."""

    def __init__(self, low: FloatArray, cell_m: float, heights: FloatArray) -> None:
        self.low = low
        self.spacing_m = cell_m
        self.heights = heights
        self._rough = float(np.ptp(heights)) > EVEN_M

    @property
    def cell_m(self) -> float:
        """The grid's spacing, or infinite where the ground turned out even."""
        return self.spacing_m if self._rough else np.inf

    def height(self, xy: FloatArray) -> FloatArray:
        """Return bilinear heights between the nodes; beyond the grid its border goes on."""
        limit = np.array(self.heights.shape) - 1.000001
        place = np.clip((xy - self.low) / self.spacing_m, 0.0, limit)
        cell = place.astype(np.int64)
        part = place - cell
        i, j, u, v = cell[:, 0], cell[:, 1], part[:, 0], part[:, 1]
        grid = self.heights
        low = grid[i, j] * (1 - u) + grid[i + 1, j] * u
        high = grid[i, j + 1] * (1 - u) + grid[i + 1, j + 1] * u
        result: FloatArray = low * (1 - v) + high * v
        return result


class InterpolatedGround(GridGround):
    """A grid through the feet of the buildings.

    Linear over a triangulation of the feet (Delaunay), towards the nearest foot at the border, smoothed a little;
    feet that disagree with their neighbours are left out.
    """

    def __init__(self, feet: FloatArray, bounds: tuple[float, float, float, float]) -> None:
        """Fit over ``bounds`` (xmin, ymin, xmax, ymax) from feet (n, 3), metres."""
        width, depth = bounds[2] - bounds[0], bounds[3] - bounds[1]
        cell_m = max(CELL_M_MIN, float(np.sqrt(width * depth / NODES_MAX)))
        corner = np.array(bounds[:2])
        shape = (int(np.ceil(width / cell_m)) + 2, int(np.ceil(depth / cell_m)) + 2)
        x = corner[0] + np.arange(shape[0]) * cell_m
        y = corner[1] + np.arange(shape[1]) * cell_m
        nodes = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
        # Points around the border close the hull, so that every node lies in a triangle.
        border = _border(x, y)
        agreed = feet[_agrees(feet)]
        nearest = KDTree(agreed[:, :2]).query(border)[1]
        places = np.concatenate((agreed[:, :2], border)) - corner
        if np.ptp(agreed[:, 2]) > EVEN_M:
            levels = LinearNDInterpolator(places, np.concatenate((agreed[:, 2], agreed[nearest, 2])))(nodes - corner)
        else:
            levels = np.full(len(nodes), float(agreed[:, 2].min()))
        super().__init__(corner, cell_m, gaussian_filter(levels.reshape(shape), SMOOTH_CELLS, mode="nearest"))


def _border(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return places just outside a grid, about every tenth node, shape (n, 2)."""
    low, high = np.array([x[0], y[0]]) - 1.0, np.array([x[-1], y[-1]]) + 1.0
    across = np.linspace(low[0], high[0], len(x) // 10 + 2)
    along = np.linspace(low[1], high[1], len(y) // 10 + 2)[1:-1]
    return np.concatenate(
        [np.column_stack((across, np.full(len(across), level))) for level in (low[1], high[1])]
        + [np.column_stack((np.full(len(along), side), along)) for side in (low[0], high[0])]
    )


def _agrees(feet: FloatArray) -> NDArray[np.bool_]:
    if len(feet) <= NEIGHBOURS:
        return np.ones(len(feet), dtype=np.bool_)
    _, near = KDTree(feet[:, :2]).query(feet[:, :2], k=NEIGHBOURS)
    result: NDArray[np.bool_] = np.abs(feet[:, 2] - np.median(feet[near, 2], axis=1)) < OUTLIER_M
    return result


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
    east, north = (np.round(column / FEET_APART_M).astype(np.int64) for column in feet.T[:2])
    _, first = np.unique(east << 32 ^ north, return_index=True)
    return feet[np.sort(first)]


def stand(bodies: Soup, lowest_m: FloatArray, ground: Surface) -> Soup:
    """Return bodies with their heights above ground, and their feet drawn down to the ground where it is lower."""
    surface = bodies.vertex_surface
    base = lowest_m[bodies.owner[surface]]
    coordinates = bodies.coordinates.copy()
    feet = np.flatnonzero(coordinates[:, 2] < base + FOOT_BAND_M)
    below = ground.height(coordinates[feet, :2]) - SUNK_M
    coordinates[feet, 2] = np.minimum(coordinates[feet, 2], np.maximum(below, coordinates[feet, 2] - OUTLIER_M * 2))
    return Soup(
        coordinates, bodies.ring_ends, bodies.surface_ends, bodies.owner, np.maximum(coordinates[:, 2] - base, 0.0)
    )


def lowest_under(ground: Surface, xy: FloatArray, ends: IntArray) -> FloatArray:
    """Return the lowest ground under each group of places; ``ends`` says where each group ends."""
    return np.minimum.reduceat(ground.height(xy), starts(ends)) if len(counts(ends)) else np.empty(0)
