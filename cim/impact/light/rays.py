"""From scenes and receivers to lit or not: grids for the kernel, work shared over threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from cim.geometry.ground import NODES_MAX, Ground
from cim.impact.light.receivers import Receivers
from cim.impact.light.sun import SunPath
from cim.impact.light.walls import Faces, FloatArray, IntArray

if TYPE_CHECKING:
    from cim.impact.light.cells import Grid

CELL_M: Final = 10.0
CELLS_MAX: Final = 4_000_000
CHUNK_COLUMNS: Final = 256
SLANT_MAX: Final = 1e7
"""Metres of shadow a metre: beyond this the sun is on the horizon and counts no more."""

Flags = NDArray[np.uint8]


def sun_table(sun: SunPath) -> FloatArray:
    """Return what the kernel reads of the sun, shape (s, 3): unit direction on the map, tangent of its elevation."""
    flat = np.hypot(sun.directions[:, 0], sun.directions[:, 1])
    # Straight overhead the direction on the map has no meaning; any will do for so short a shadow.
    flat = np.maximum(flat, 1.0 / SLANT_MAX)
    return np.column_stack((sun.directions[:, 0] / flat, sun.directions[:, 1] / flat, sun.directions[:, 2] / flat))


def pivot_of(box: FloatArray) -> FloatArray:
    """Return a round place amid boxes (n, 6): coordinates about it are small, so that products keep their digits."""
    known = box[np.isfinite(box).all(axis=1)]
    if not len(known):
        return np.zeros(2)
    middle: FloatArray = np.round((known[:, :2].min(axis=0) + known[:, 3:5].max(axis=0)) / 2000.0) * 1000.0
    return middle


def terrain(ground: Ground, pivot: FloatArray) -> FloatArray:
    """Return the ground as triangles (m, 9) about a pivot; none where it is even, for a climbing ray never meets it."""
    if ground.is_even:
        return np.empty((0, 9))
    ground = ground.coarsened(NODES_MAX)
    nx, ny = ground.levels_m.shape
    x = ground.low[0] - pivot[0] + np.arange(nx) * ground.cell_m
    y = ground.low[1] - pivot[1] + np.arange(ny) * ground.cell_m
    node = np.stack((*np.meshgrid(x, y, indexing="ij"), ground.levels_m), axis=-1)
    a, b, c, d = (part.reshape(-1, 3) for part in (node[:-1, :-1], node[1:, :-1], node[1:, 1:], node[:-1, 1:]))
    return np.concatenate((np.hstack((a, b, c)), np.hstack((a, c, d))))


def grid_of(faces: Faces, pivot: FloatArray, nobody: int, ground: FloatArray | None = None) -> Grid:
    """Return the kernel's grid over faces, and over triangles of the ground whose owner is ``nobody``."""
    from cim.impact.light.cells import WIDE, Frame, Grid, fill_cells  # noqa: PLC0415 -- compiled at first use

    walls = faces.walls - np.tile(np.append(pivot, (0.0, 0.0)), 2)
    slopes = faces.slopes - np.tile(np.append(pivot, 0.0), 3)
    owner = np.concatenate((faces.wall_owner, faces.slope_owner))
    if ground is not None and len(ground):
        slopes = np.concatenate((slopes, ground))
        owner = np.concatenate((owner, np.full(len(ground), nobody)))
    x = np.concatenate((walls[:, [0, 4]].ravel(), slopes[:, [0, 3, 6]].ravel()))
    y = np.concatenate((walls[:, [1, 5]].ravel(), slopes[:, [1, 4, 7]].ravel()))
    low, high = np.zeros(2), np.zeros(2)
    if len(x):
        low, high = np.array([x.min(), y.min()]) - 1.0, np.array([x.max(), y.max()]) + 1.0
    cell = max(CELL_M, float(np.sqrt(np.prod(high - low) / CELLS_MAX)))
    nx, ny = np.ceil((high - low) / cell).astype(int).tolist()
    rows = np.concatenate((np.pad(walls, ((0, 0), (0, 1))), slopes))
    frame = Frame(float(low[0]), float(low[1]), cell, nx, ny, -np.inf)
    starts, tops = np.zeros(nx * ny + 1, dtype=np.int32), np.full(nx * ny, -np.inf)
    fill_cells(rows, len(walls), frame, starts, np.empty(0, dtype=np.int32), tops, False)
    starts = np.cumsum(starts).astype(np.int32)
    items = np.empty(int(starts[-1]), dtype=np.int32)
    fill_cells(rows, len(walls), frame, starts[:-1].copy(), items, tops, True)
    cell_of = np.repeat(np.arange(nx * ny), np.diff(starts))
    is_wall = items < len(walls)
    peaks = np.concatenate((walls[:, [3, 7]].max(axis=1), slopes[:, [2, 5, 8]].max(axis=1)))[items]
    order = np.lexsort((-peaks, ~is_wall, cell_of))
    items, peaks, is_wall = items[order], peaks[order], is_wall[order]
    slopes_from = starts[:-1] + np.bincount(cell_of[is_wall], minlength=nx * ny).astype(np.int32)
    padded = np.pad(tops.reshape(nx, ny), ((0, -nx % WIDE), (0, -ny % WIDE)), constant_values=-np.inf)
    blocks = padded.reshape(padded.shape[0] // WIDE, WIDE, padded.shape[1] // WIDE, WIDE)
    wide_tops = blocks.max(axis=(1, 3), initial=-np.inf).ravel()
    frame = frame._replace(top=float(tops.max(initial=-np.inf)))
    return Grid(frame, rows[items], starts, slopes_from, tops, wide_tops, peaks, is_wall, owner[items].astype(np.int32))


def trace(
    receivers: Receivers,
    sun: FloatArray,
    grids: tuple[Grid, Grid],
    hidden: Flags,
    seen: Flags,
    *,
    pivot: FloatArray,
    lit: Flags,
    threads: int,
) -> None:
    """Fill ``lit`` (heights, suns) with 1 where the sun is seen, for the pairs of column and sun in ``seen``.

    ``grids`` are the base and what is added to it; ``hidden`` (rows + 1,) leaves out objects of the base.
    """
    from cim.impact.light.kernel import Columns, light_columns  # noqa: PLC0415 -- compiled code is loaded at first use

    if not len(receivers):
        return
    columns = Columns(about(receivers.xyn, pivot), receivers.ends, receivers.z)
    count = len(receivers)
    # Of a large city the gathering takes longer than the rays; mostly nothing is left out.
    left_out = hidden[grids[0].owner] if hidden.any() else np.zeros(len(grids[0].owner), dtype=np.uint8)
    tasks = [(grids[0], left_out)]
    if len(grids[1].owner):
        tasks.append((grids[1], np.zeros(len(grids[1].owner), dtype=np.uint8)))

    def work(first: int) -> None:
        last = min(first + CHUNK_COLUMNS, count)
        for number, (grid, without) in enumerate(tasks):
            light_columns(columns, sun, grid, without, seen, lit, number == 0, first, last)

    chunks = range(0, count, CHUNK_COLUMNS)
    if threads <= 1 or len(chunks) == 1:
        for first in chunks:
            work(first)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, chunks):
            pass


def reached_pairs(receivers: Receivers, sun: FloatArray, boxes: FloatArray, pivot: FloatArray) -> Flags:
    """Return which pairs of column and sun, shape (c, s), see through one of some boxes (b, 6)."""
    from cim.impact.light.kernel import find_reached  # noqa: PLC0415 -- compiled code is loaded at first use

    seen = np.zeros((len(receivers), len(sun)), dtype=np.uint8)
    if len(receivers) and len(boxes):
        moved = boxes - np.tile(np.append(pivot, 0.0), 2)
        find_reached(about(receivers.xyn, pivot), receivers.ends, receivers.z, sun, moved, seen)
    return seen


def shaded_objects(boxes: FloatArray, sun: FloatArray, changed: FloatArray) -> IntArray:
    """Return the rows of the boxes (n, 6) on which the shadow of a changed box (b, 6) can fall; NaN ones never."""
    from cim.impact.light.kernel import find_shaded_boxes  # noqa: PLC0415 -- compiled code is loaded at first use

    known = np.flatnonzero(np.isfinite(boxes).all(axis=1))
    reached = np.zeros(len(known), dtype=np.uint8)
    if len(known) and len(changed):
        pivot = np.tile(np.append(pivot_of(boxes), 0.0), 2)
        find_shaded_boxes(boxes[known] - pivot, sun, changed - pivot, reached)
    rows: IntArray = known[reached > 0]
    return rows


def about(xyn: FloatArray, pivot: FloatArray) -> FloatArray:
    """Return columns with their places about a pivot."""
    moved = xyn.copy()
    moved[:, :2] -= pivot
    return moved
