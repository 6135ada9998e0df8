"""The ground that a city stands on, in heights of the working CRS: one surface for all who ask.

Where a city brings no terrain, the ground goes through places of known height (the feet of its buildings):
linear over a triangulation of them (Delaunay), towards the nearest at the border, smoothed a little; places that
disagree with their neighbours are left out.  Where it brings terrain, the ground has the terrain's own
heights at its nodes, and goes on beyond the terrain's edge as above.  Between the nodes it is bilinear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cim.geometry.ragged import ranges

FloatArray = NDArray[np.float64]
Bounds = tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax, metres of the working CRS."""

CELL_M_MIN: Final = 10.0
NODES_MAX: Final = 250_000
TERRAIN_CELL_M_MIN: Final = 2.0
TERRAIN_NODES_MAX: Final = 4_000_000
NEIGHBOURS: Final = 9
OUTLIER_M: Final = 4.0
"""A place that is this far from the middle of its neighbours' stands on something else."""
FEET_APART_M: Final = 0.5
"""Of the places that fall on one step of this, one stands for all."""
EVEN_M: Final = 0.02
"""Ground that varies less than this is even."""
SMOOTH_CELLS: Final = 0.7
EDGE_PLACES_MAX: Final = 20_000
"""Places along the edge of a terrain from which the ground goes on beyond it."""
_CANDIDATES: Final = 4_000_000
_ON_EDGE: Final = -1e-9


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

    @property
    def straight_m(self) -> float:
        """Metres over which the ground is straight: a cell, or infinite where it is even."""
        return np.inf if self.is_even else self.cell_m

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

    def coarsened(self, nodes_max: int) -> Ground:
        """Return the ground by every second, third, … node, so that there are not more than ``nodes_max``."""
        step = int(np.ceil(np.sqrt(self.levels_m.size / nodes_max)))
        if step <= 1:
            return self
        # The last row and column stay inside, for the border goes on beyond it.
        return Ground(self.low, self.cell_m * step, np.ascontiguousarray(self.levels_m[::step, ::step]))


def even_ground(level_m: float = 0.0) -> Ground:
    """Return ground of one height everywhere."""
    return Ground((0.0, 0.0), CELL_M_MIN, np.array([[level_m]]))


def ground_through(feet: FloatArray, bounds: Bounds | None = None) -> Ground:
    """Return the ground through places of known height, shape (n, 3), metres; even ground at 0 where there is none.

    ``bounds`` is what it covers; without them, the places and a cell around them.
    """
    if not len(feet):
        return even_ground()
    low, cell_m, shape = _grid(bounds or _around(feet), CELL_M_MIN, NODES_MAX)
    return Ground(low, cell_m, _through(feet, None, low, cell_m, shape))


def ground_of_terrain(triangles: FloatArray, feet: FloatArray, bounds: Bounds | None = None) -> Ground:
    """Return the ground that triangles (t, 3, 3) describe, and beyond their edge the one through places (n, 3).

    Heights at the nodes are those of the triangles, of several over each other the highest.
    """
    corners = triangles.reshape(-1, 3)
    if not len(corners):
        return ground_through(feet, bounds)
    covered = bounds or _around(np.concatenate((corners, feet)))
    low, cell_m, shape = _grid(covered, TERRAIN_CELL_M_MIN, TERRAIN_NODES_MAX)
    levels = node_heights(triangles, low, cell_m, shape)
    unknown = np.isnan(levels)
    if unknown.all():
        return ground_through(feet if len(feet) else corners, bounds)
    if unknown.any():
        beyond = Ground(low, cell_m, np.where(unknown, np.nan, levels))
        outside = feet[np.isnan(beyond.height_m(feet))] if len(feet) else np.empty((0, 3))
        coarse = Ground(low, cell_m, _beyond(levels, unknown, outside, low, cell_m))
        levels = np.where(unknown, coarse.levels_m, levels)
    return Ground(low, cell_m, levels)


def places_apart(feet: FloatArray) -> FloatArray:
    """Return places (n, 3) without those that share half a metre with an earlier one."""
    east, north = (np.round(column / FEET_APART_M).astype(np.int64) for column in feet.T[:2])
    _, first = np.unique(east << 32 ^ north, return_index=True)
    return feet[np.sort(first)]


def node_heights(triangles: FloatArray, low: tuple[float, float], cell_m: float, shape: tuple[int, int]) -> FloatArray:
    """Return the heights of triangles (t, 3, 3) at the nodes of a grid, shape (nx, ny), NaN where there is none."""
    levels = np.full(shape, -np.inf)
    local = triangles - np.array([*low, 0.0])
    first = np.ceil(local[:, :, :2].min(axis=1) / cell_m - 1e-9).astype(np.int64)
    last = np.floor(local[:, :, :2].max(axis=1) / cell_m + 1e-9).astype(np.int64)
    first, last = np.maximum(first, 0), np.minimum(last, np.array(shape) - 1)
    span = np.maximum(last - first + 1, 0)
    count = span.prod(axis=1)
    met = np.flatnonzero(count)
    ends = np.cumsum(count[met])
    start = 0
    while start < len(met):
        reached = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, reached + _CANDIDATES, side="right")))
        _lay(levels, local, met[start:stop], (first, span, count), cell_m)
        start = stop
    levels[np.isinf(levels)] = np.nan
    return levels


def _lay(
    levels: FloatArray,
    local: FloatArray,
    rows: NDArray[np.int64],
    boxes: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    cell_m: float,
) -> None:
    """Lay some triangles on the nodes in their boxes, by barycentric coordinates."""
    first, span, count = boxes
    of = np.repeat(rows, count[rows])
    within = ranges(np.zeros_like(rows), count[rows])
    i = first[of, 0] + within // span[of, 1]
    j = first[of, 1] + within % span[of, 1]
    a, b, c = (local[of, corner] for corner in range(3))
    x, y = i * cell_m - a[:, 0], j * cell_m - a[:, 1]
    (ux, uy, uz), (vx, vy, vz) = (b - a).T, (c - a).T
    area = ux * vy - uy * vx
    with np.errstate(divide="ignore", invalid="ignore"):
        s, t = (x * vy - y * vx) / area, (ux * y - uy * x) / area
        inside = (s >= _ON_EDGE) & (t >= _ON_EDGE) & (s + t <= 1 - _ON_EDGE)
        height = a[:, 2] + s * uz + t * vz
    np.maximum.at(levels, (i[inside], j[inside]), height[inside])


def _around(places: FloatArray) -> Bounds:
    low, high = places[:, :2].min(axis=0) - CELL_M_MIN, places[:, :2].max(axis=0) + CELL_M_MIN
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _grid(bounds: Bounds, cell_min_m: float, nodes_max: int) -> tuple[tuple[float, float], float, tuple[int, int]]:
    """Return corner, spacing and shape of the grid over some bounds."""
    width, depth = bounds[2] - bounds[0], bounds[3] - bounds[1]
    cell_m = max(cell_min_m, float(np.sqrt(width * depth / nodes_max)))
    return (bounds[0], bounds[1]), cell_m, (int(np.ceil(width / cell_m)) + 2, int(np.ceil(depth / cell_m)) + 2)


def _through(
    feet: FloatArray, fixed: FloatArray | None, low: tuple[float, float], cell_m: float, shape: tuple[int, int]
) -> FloatArray:
    """Return the heights at the nodes of a grid through places, and through ``fixed`` ones that are not doubted."""
    from scipy.interpolate import LinearNDInterpolator  # noqa: PLC0415 -- slow to load, and a flat city needs none
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415
    from scipy.spatial import KDTree  # noqa: PLC0415

    corner = np.array(low)
    x = corner[0] + np.arange(shape[0]) * cell_m
    y = corner[1] + np.arange(shape[1]) * cell_m
    nodes = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    # Points around the border close the hull, so that every node lies in a triangle.
    border = _border(x, y)
    agreed = feet[_agrees(feet)]
    if fixed is not None:
        agreed = np.concatenate((agreed, fixed))
    nearest = KDTree(agreed[:, :2]).query(border)[1]
    places = np.concatenate((agreed[:, :2], border)) - corner
    if np.ptp(agreed[:, 2]) > EVEN_M:
        levels = LinearNDInterpolator(places, np.concatenate((agreed[:, 2], agreed[nearest, 2])))(nodes - corner)
    else:
        levels = np.full(len(nodes), float(agreed[:, 2].min()))
    smooth: FloatArray = gaussian_filter(levels.reshape(shape), SMOOTH_CELLS, mode="nearest")
    return smooth


def _beyond(
    levels: FloatArray, unknown: NDArray[np.bool_], feet: FloatArray, low: tuple[float, float], cell_m: float
) -> FloatArray:
    """Return heights at all nodes through places beyond a terrain and the nodes along its edge."""
    near = np.pad(unknown, 1, mode="edge")
    edge = ~unknown & (near[:-2, 1:-1] | near[2:, 1:-1] | near[1:-1, :-2] | near[1:-1, 2:])
    at = np.argwhere(edge)
    if len(at) > EDGE_PLACES_MAX:
        at = at[:: int(np.ceil(len(at) / EDGE_PLACES_MAX))]
    fixed = np.column_stack((at * cell_m + low, levels[at[:, 0], at[:, 1]]))
    step = int(np.ceil(np.sqrt(levels.size / NODES_MAX)))
    if step == 1:
        return _through(feet, fixed, low, cell_m, (levels.shape[0], levels.shape[1]))
    shape = tuple(int(np.ceil(size / step)) + 1 for size in levels.shape)
    coarse = Ground(low, cell_m * step, _through(feet, fixed, low, cell_m * step, (shape[0], shape[1])))
    rows, columns = np.nonzero(unknown)
    found = np.full(levels.shape, np.nan)
    places: FloatArray = np.column_stack((rows, columns)) * cell_m + np.array(low)
    found[rows, columns] = coarse.height_m(places)
    return found


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
    from scipy.spatial import KDTree  # noqa: PLC0415 -- as above

    if len(feet) <= NEIGHBOURS:
        return np.ones(len(feet), dtype=np.bool_)
    _, near = KDTree(feet[:, :2]).query(feet[:, :2], k=NEIGHBOURS)
    result: NDArray[np.bool_] = np.abs(feet[:, 2] - np.median(feet[near, 2], axis=1)) < OUTLIER_M
    return result
