"""The ground that a city stands on, in heights of the working CRS.

Where a city brings no terrain, the ground is a grid through places of known height (the feet of its
buildings): the median in each cell, cells without any filled from coarser and coarser means (pull-push,
Gortler et al. 1996), then smoothed once.  Heights between the nodes are bilinear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

CELL_M_MIN: Final = 10.0
NODES_MAX: Final = 250_000
EVEN_M: Final = 0.02
"""Ground that varies less than this is even."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Heights at the nodes of a grid: ``levels_m`` (nx, ny) from ``low`` (x, y) every ``cell_m`` metres."""

    low: tuple[float, float]
    cell_m: float
    levels_m: FloatArray

    @property
    def is_even(self) -> bool:
        """Tell whether the ground is flat for all purposes."""
        return bool(np.ptp(self.levels_m) <= EVEN_M)

    def height_m(self, xy: FloatArray) -> FloatArray:
        """Return heights, shape (n,), at places (n, 2+); beyond the grid its border goes on."""
        if self.levels_m.size == 1:
            return np.full(len(xy), float(self.levels_m[0, 0]))
        limit = np.array(self.levels_m.shape) - 1.000001
        place = np.clip((xy[:, :2] - self.low) / self.cell_m, 0.0, limit)
        cell = place.astype(np.int64)
        u, v = (place - cell).T
        i, j = cell.T
        near = self.levels_m[i, j] * (1 - u) + self.levels_m[i + 1, j] * u
        far = self.levels_m[i, j + 1] * (1 - u) + self.levels_m[i + 1, j + 1] * u
        heights: FloatArray = near * (1 - v) + far * v
        return heights


def even_ground(level_m: float = 0.0) -> Ground:
    """Return ground of one height everywhere."""
    return Ground((0.0, 0.0), CELL_M_MIN, np.array([[level_m]]))


def ground_through(feet: FloatArray) -> Ground:
    """Return the ground through places of known height, shape (n, 3), metres; even ground at 0 where there is none."""
    if not len(feet):
        return even_ground()
    low, high = feet[:, :2].min(axis=0) - CELL_M_MIN, feet[:, :2].max(axis=0) + CELL_M_MIN
    cell = max(CELL_M_MIN, float(np.sqrt(np.prod(high - low) / NODES_MAX)))
    low = np.floor(low / cell) * cell
    shape = tuple((np.ceil((high - low) / cell).astype(int) + 2).tolist())
    node = np.round((feet[:, :2] - low) / cell).astype(np.int64)
    levels = _filled(_medians(node[:, 0] * shape[1] + node[:, 1], feet[:, 2], shape))
    levels = _smoothed(levels)
    if np.ptp(levels) <= EVEN_M:
        return even_ground(float(levels.min()))
    return Ground((float(low[0]), float(low[1])), cell, levels)


def _medians(cells: NDArray[np.int64], values: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    order = np.lexsort((values, cells))
    found, first, count = np.unique(cells[order], return_index=True, return_counts=True)
    levels = np.full(shape[0] * shape[1], np.nan)
    levels[found] = values[order][first + count // 2]
    return levels.reshape(shape)


def _filled(levels: FloatArray) -> FloatArray:
    """Fill NaN from the mean of the cells around, taken on ever coarser grids."""
    empty = np.isnan(levels)
    if not empty.any():
        return levels
    padded = np.pad(levels, [(0, size % 2) for size in levels.shape], constant_values=np.nan)
    quads = padded.reshape(padded.shape[0] // 2, 2, padded.shape[1] // 2, 2)
    known = ~np.isnan(quads)
    count = known.sum(axis=(1, 3))
    total = np.where(known, quads, 0.0).sum(axis=(1, 3))
    coarse = _filled(np.where(count > 0, total / np.maximum(count, 1), np.nan))
    finer = np.repeat(np.repeat(_smoothed(coarse), 2, axis=0), 2, axis=1)[: levels.shape[0], : levels.shape[1]]
    return np.where(empty, finer, levels)


def _smoothed(levels: FloatArray) -> FloatArray:
    edged = np.pad(levels, 1, mode="edge")
    across = (edged[:-2] + 2.0 * edged[1:-1] + edged[2:]) / 4.0
    smooth: FloatArray = (across[:, :-2] + 2.0 * across[:, 1:-1] + across[:, 2:]) / 4.0
    return smooth
