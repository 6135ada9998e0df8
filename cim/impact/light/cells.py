"""The grid of cells that rays walk through, and which primitives each cell knows, compiled by numba."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cim.impact.light.compiling import compiled, inlined

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

EDGE_M = 1e-3
"""What is nearer to a cell than this is in it."""
WIDE_BITS = 3
WIDE = 1 << WIDE_BITS
"""Cells along a side of a block that is passed in one step where all of it is low."""


class Frame(NamedTuple):
    """Where the cells of a grid lie, in metres about the scene's pivot, and the highest of all primitives."""

    x: float
    y: float
    cell_m: float
    nx: int
    ny: int
    top: float


class Grid(NamedTuple):
    """Primitives over a grid of the map, written out for every cell that they touch: what is read together lies so.

    ``faces[starts[c]:starts[c + 1]]`` (items, 9) are those of cell c = i * ny + j: walls, from ``slopes[c]`` on slopes,
    of either the highest first.  ``tops`` (nx * ny,) is the highest of each cell, ``wide_tops`` that of each block of
    :data:`WIDE` × :data:`WIDE` cells.  ``peaks``, ``is_wall`` and ``owner`` (items,) say how high an item rises, what
    it is, and the row of its object.
    """

    frame: Frame
    faces: FloatArray
    starts: NDArray[np.int32]
    slopes: NDArray[np.int32]
    tops: FloatArray
    wide_tops: FloatArray
    peaks: FloatArray
    is_wall: NDArray[np.bool_]
    owner: NDArray[np.int32]


@inlined
def _span(low: float, high: float, origin: float, cell: float, count: int) -> tuple[int, int]:
    first = int(np.floor((low - EDGE_M - origin) / cell))
    last = int(np.floor((high + EDGE_M - origin) / cell))
    return max(0, first), min(count - 1, last)


@inlined
def _misses(x1: float, y1: float, x2: float, y2: float, x: float, y: float, cell: float) -> bool:
    """Tell whether a cell's square lies to one side of the line through a segment."""
    nx, ny = y2 - y1, x1 - x2
    middle = nx * (x + cell / 2 - x1) + ny * (y + cell / 2 - y1)
    reach = (abs(nx) + abs(ny)) * (cell / 2 + EDGE_M)
    return abs(middle) > reach


@inlined
def _beyond(f: FloatArray, a: int, b: int, c: int, x: float, y: float, cell: float) -> bool:
    """Tell whether a cell's square lies beyond the side from one corner of a slope to another, seen from the third."""
    nx, ny = f[b + 1] - f[a + 1], f[a] - f[b]
    middle = nx * (x + cell / 2 - f[a]) + ny * (y + cell / 2 - f[a + 1])
    reach = (abs(nx) + abs(ny)) * (cell / 2 + EDGE_M)
    third_is_left = bool(nx * (f[c] - f[a]) + ny * (f[c + 1] - f[a + 1]) >= 0.0)
    return bool(middle < -reach if third_is_left else middle > reach)


@inlined
def _outside(f: FloatArray, x: float, y: float, cell: float) -> bool:
    """Tell whether a cell's square lies beyond one of the sides of a slope, and so off it."""
    return _beyond(f, 0, 3, 6, x, y, cell) or _beyond(f, 3, 6, 0, x, y, cell) or _beyond(f, 6, 0, 3, x, y, cell)


@compiled
def fill_cells(
    faces: FloatArray, walls: int, frame: Frame,
    starts: NDArray[np.int32], items: NDArray[np.int32], tops: FloatArray, write: bool,
) -> None:  # fmt: skip
    """Count (``starts[c + 1]``) or write the primitives of each cell; called for the one, then for the other."""
    for p in range(len(faces)):
        f = faces[p]
        if p < walls:
            xa, xb = min(f[0], f[4]), max(f[0], f[4])
            ya, yb = min(f[1], f[5]), max(f[1], f[5])
            top = max(f[3], f[7])
        else:
            xa, xb = min(f[0], f[3], f[6]), max(f[0], f[3], f[6])
            ya, yb = min(f[1], f[4], f[7]), max(f[1], f[4], f[7])
            top = max(f[2], f[5], f[8])
        i1, i2 = _span(xa, xb, frame.x, frame.cell_m, frame.nx)
        j1, j2 = _span(ya, yb, frame.y, frame.cell_m, frame.ny)
        for i in range(i1, i2 + 1):
            for j in range(j1, j2 + 1):
                x, y = frame.x + i * frame.cell_m, frame.y + j * frame.cell_m
                if p < walls:
                    if _misses(f[0], f[1], f[4], f[5], x, y, frame.cell_m):
                        continue
                elif _outside(f, x, y, frame.cell_m):
                    continue
                c = i * frame.ny + j
                if write:
                    items[starts[c]] = p
                    starts[c] += 1
                else:
                    starts[c + 1] += 1
                    tops[c] = max(tops[c], top)
