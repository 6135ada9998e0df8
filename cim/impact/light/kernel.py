"""Rays to the sun, many at a time, compiled by numba.

Receivers stand in columns: places of the map with several heights, one above the other.  In the upright
plane of one direction of the sun a wall or a slope covers an interval of the ray's height at the column
(its height less the distance times the sun's slope), so that one walk over the map answers for every height
of the column; the answer is that of a ray for each, not an approximation.  The walk goes through a grid of
cells that know the primitives they touch and how high these rise (Amanatides and Woo 1987).

Functions release the interpreter's lock and share nothing: callers run them on several threads.
Import this module on first use: numba takes a second to load, the first call some seconds to compile
(kept on disk afterwards).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Function = TypeVar("Function", bound=Callable[..., object])

NEAR_M = 1e-6
"""What is nearer than this does not stand in the light."""
EDGE_M = 1e-3
WIDE = 8
"""Cells along a side of a block that is passed in one step where all of it is low."""
FAR = 1e30
PARALLEL = 1e-12


def compiled(function: Function) -> Function:
    """Return a function compiled at its first call, without the interpreter's lock; kept on disk if possible."""
    try:
        made = numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:
        # Neither beside the module nor in the user's folder is there a place to keep it.
        made = numba.njit(nogil=True, error_model="numpy")(function)
    return cast("Function", made)


def inlined(function: Function) -> Function:
    """Return a function that the compiler writes into those that call it."""
    return cast("Function", numba.njit(nogil=True, error_model="numpy", forceinline=True)(function))


class Grid(NamedTuple):
    """Primitives over a grid of the map, in metres about the scene's pivot.

    ``items[starts[c]:starts[c + 1]]`` are the primitives of cell c = i * ny + j: a wall below ``len(walls)``,
    else a slope; ``tops`` (nx * ny,) is the highest of each cell, ``wide_tops`` that of each block of
    :data:`WIDE` × :data:`WIDE` cells.
    """

    x: float
    y: float
    cell_m: float
    nx: int
    ny: int
    starts: NDArray[np.int32]
    items: NDArray[np.int32]
    tops: FloatArray
    wide_tops: FloatArray
    top: float
    walls: FloatArray
    slopes: FloatArray
    owner: NDArray[np.int32]


class Ray(NamedTuple):
    """A direction of the sun seen from a place of the map: (``ux``, ``uy``) unit, ``rise`` tangent of the elevation."""

    x: float
    y: float
    ux: float
    uy: float
    rise: float


class Columns(NamedTuple):
    """Receivers: ``xyn`` (c, 4) place about the pivot and outward normal, ``ends`` (c,) where heights end in ``z``."""

    xyn: FloatArray
    ends: IntArray
    z: FloatArray


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


@compiled
def fill_cells(
    walls: FloatArray, slopes: FloatArray, frame: tuple[float, float, float, int, int],
    starts: NDArray[np.int32], items: NDArray[np.int32], tops: FloatArray, write: bool,
) -> None:  # fmt: skip
    """Count (``starts[c + 1]``) or write the primitives of each cell; called for the one, then for the other."""
    x0, y0, cell, nx, ny = frame
    for p in range(len(walls) + len(slopes)):
        if p < len(walls):
            w = walls[p]
            xa, xb = min(w[0], w[4]), max(w[0], w[4])
            ya, yb = min(w[1], w[5]), max(w[1], w[5])
            top = max(w[3], w[7])
        else:
            s = slopes[p - len(walls)]
            xa, xb = min(s[0], s[3], s[6]), max(s[0], s[3], s[6])
            ya, yb = min(s[1], s[4], s[7]), max(s[1], s[4], s[7])
            top = max(s[2], s[5], s[8])
        i1, i2 = _span(xa, xb, x0, cell, nx)
        j1, j2 = _span(ya, yb, y0, cell, ny)
        for i in range(i1, i2 + 1):
            for j in range(j1, j2 + 1):
                if p < len(walls) and _misses(w[0], w[1], w[4], w[5], x0 + i * cell, y0 + j * cell, cell):
                    continue
                c = i * ny + j
                if write:
                    items[starts[c]] = p
                    starts[c] += 1
                else:
                    starts[c + 1] += 1
                    tops[c] = max(tops[c], top)


@inlined
def _wall(w: FloatArray, p: int, ray: Ray) -> tuple[float, float]:
    """Return the interval of heights at the column that a wall shades; empty (1, 0) where it does not."""
    x, y, ux, uy, rise = ray
    ax, ay, bx, by = w[p, 0] - x, w[p, 1] - y, w[p, 4] - x, w[p, 5] - y
    s1, s2 = ax * uy - ay * ux, bx * uy - by * ux
    if (s1 >= 0.0) == (s2 >= 0.0):
        return 1.0, 0.0
    f = s1 / (s1 - s2)
    t1, t2 = ax * ux + ay * uy, bx * ux + by * uy
    t = t1 + f * (t2 - t1)
    if t <= NEAR_M:
        return 1.0, 0.0
    fall = t * rise
    return w[p, 2] + f * (w[p, 6] - w[p, 2]) - fall, w[p, 3] + f * (w[p, 7] - w[p, 3]) - fall


@inlined
def _slope(s: FloatArray, p: int, ray: Ray) -> tuple[float, float]:
    """Return the interval of heights at the column that a slope shades; empty (1, 0) where it does not."""
    x, y, ux, uy, rise = ray
    found = 0
    ta, tb, za, zb = 0.0, 0.0, 0.0, 0.0
    for k in range(3):
        m = (k + 1) % 3
        ax, ay = s[p, 3 * k] - x, s[p, 3 * k + 1] - y
        bx, by = s[p, 3 * m] - x, s[p, 3 * m + 1] - y
        s1, s2 = ax * uy - ay * ux, bx * uy - by * ux
        if (s1 >= 0.0) == (s2 >= 0.0):
            continue
        f = s1 / (s1 - s2)
        t1, t2 = ax * ux + ay * uy, bx * ux + by * uy
        t = t1 + f * (t2 - t1)
        z = s[p, 3 * k + 2] + f * (s[p, 3 * m + 2] - s[p, 3 * k + 2])
        if found == 0:
            ta, za = t, z
        else:
            tb, zb = t, z
        found += 1
    if found < 2 or (ta <= NEAR_M and tb <= NEAR_M):
        return 1.0, 0.0
    if ta <= NEAR_M:
        za += (NEAR_M - ta) / (tb - ta) * (zb - za)
        ta = NEAR_M
    elif tb <= NEAR_M:
        zb += (NEAR_M - tb) / (ta - tb) * (za - zb)
        tb = NEAR_M
    wa, wb = za - ta * rise, zb - tb * rise
    return min(wa, wb), max(wa, wb)


@inlined
def _interval(p: int, ray: Ray, walls: FloatArray, slopes: FloatArray) -> tuple[float, float]:
    if p < len(walls):
        return _wall(walls, p, ray)
    return _slope(slopes, p - len(walls), ray)


@inlined
def _shade(low: float, high: float, z: FloatArray, shaded: NDArray[np.uint8], first: int) -> int:
    """Mark the heights in an interval; return the first height that has light."""
    count = len(z)
    for k in range(first, count):
        if z[k] > high:
            break
        if z[k] >= low:
            shaded[k] = 1
    while first < count and shaded[first]:
        first += 1
    return first


@inlined
def _enter(p: float, u: float, low: float, high: float) -> tuple[float, float]:
    """Return the distances at which a line crosses a band; (1, 0) where it never does."""
    if abs(u) < PARALLEL:
        if low <= p <= high:
            return -FAR, FAR
        return 1.0, 0.0
    a, b = (low - p) / u, (high - p) / u
    return min(a, b), max(a, b)


@inlined
def _pass(ray: Ray, i: int, j: int, cells: int, cell: float) -> tuple[float, int, int]:
    """Leave the block of ``cells`` × ``cells`` cells that holds cell (i, j): distance, and the next cell.

    The place of the ray is about the corner of the grid.
    """
    x, y, ux, uy, _ = ray
    ahead_i, ahead_j = (1 if ux > 0.0 else 0), (1 if uy > 0.0 else 0)
    per_x = 1.0 / ux if abs(ux) > PARALLEL else (FAR if ux > 0.0 else -FAR)
    per_y = 1.0 / uy if abs(uy) > PARALLEL else (FAR if uy > 0.0 else -FAR)
    block_i, block_j = i // cells, j // cells
    leave_i = ((block_i + ahead_i) * (cells * cell) - x) * per_x
    leave_j = ((block_j + ahead_j) * (cells * cell) - y) * per_y
    if leave_i < leave_j:
        i = (block_i + ahead_i) * cells - (1 - ahead_i)
        if cells > 1:
            j = min(max(int((y + leave_i * uy) / cell), block_j * cells), block_j * cells + cells - 1)
        return leave_i, i, j
    j = (block_j + ahead_j) * cells - (1 - ahead_j)
    if cells > 1:
        i = min(max(int((x + leave_j * ux) / cell), block_i * cells), block_i * cells + cells - 1)
    return leave_j, i, j


@inlined
def _first_lit(shaded: NDArray[np.uint8], count: int) -> int:
    first = 0
    while first < count and shaded[first]:
        first += 1
    return first


@inlined
def _look(
    c: int, ray: Ray, z: FloatArray, shaded: NDArray[np.uint8], grid: Grid, hidden: NDArray[np.uint8], first: int
) -> tuple[int, int]:
    """Mark what the primitives of a cell shade; return the first height with light, and the last that shaded."""
    guess, count = -1, len(z)
    for at in range(grid.starts[c], grid.starts[c + 1]):
        p = grid.items[at]
        if hidden[grid.owner[p]]:
            continue
        low, high = _interval(p, ray, grid.walls, grid.slopes)
        if low <= high and high >= z[first]:
            guess = p
            first = _shade(low, high, z, shaded, first)
            if first == count:
                break
    return first, guess


@compiled
def walk(ray: Ray, z: FloatArray, shaded: NDArray[np.uint8], grid: Grid, hidden: NDArray[np.uint8], guess: int) -> int:
    """Mark the heights ``z`` (k,), ascending, of one column that one direction of the sun does not reach.

    ``hidden`` (rows,) leaves out the primitives of some objects.  ``guess`` is a primitive to try first, -1 for
    none: what stood in the light a few minutes ago mostly still does; the one that did so now is returned.
    """
    count = len(z)
    first = _first_lit(shaded, count)
    if first < count and guess >= 0 and not hidden[grid.owner[guess]]:
        low, high = _interval(guess, ray, grid.walls, grid.slopes)
        if low <= high and high >= z[first]:
            first = _shade(low, high, z, shaded, first)
    cell, nx, ny = grid.cell_m, grid.nx, grid.ny
    on_grid = Ray(ray.x - grid.x, ray.y - grid.y, ray.ux, ray.uy, ray.rise)
    tx, ty = _enter(on_grid.x, ray.ux, 0.0, nx * cell), _enter(on_grid.y, ray.uy, 0.0, ny * cell)
    t = max(0.0, tx[0], ty[0])
    if first == count or t > min(tx[1], ty[1]):
        return guess
    i = min(max(int((on_grid.x + t * ray.ux) / cell), 0), nx - 1)
    j = min(max(int((on_grid.y + t * ray.uy) / cell), 0), ny - 1)
    wide = (ny + WIDE - 1) // WIDE
    while 0 <= i < nx and 0 <= j < ny and grid.top - t * ray.rise >= z[first]:
        if grid.wide_tops[(i // WIDE) * wide + j // WIDE] - t * ray.rise < z[first]:
            t, i, j = _pass(on_grid, i, j, WIDE, cell)
            continue
        if grid.tops[i * ny + j] - t * ray.rise >= z[first]:
            first, found = _look(i * ny + j, ray, z, shaded, grid, hidden, first)
            if found >= 0:
                guess = found
            if first == count:
                return guess
        t, i, j = _pass(on_grid, i, j, 1, cell)
    return guess


@compiled
def light_columns(
    columns: Columns, sun: FloatArray, grids: tuple[Grid, Grid], hidden: NDArray[np.uint8], seen: NDArray[np.uint8],
    lit: NDArray[np.uint8], first: int, last: int,
) -> None:  # fmt: skip
    """Fill ``lit`` (heights, suns) for the columns ``first`` to ``last``.

    ``sun`` (suns, 3): direction on the map, tangent of elevation; ``grids``: the base, of whose objects some are
    ``hidden``, and what is added; ``seen`` (columns, suns) tells which pairs are asked for: 0 leaves ``lit`` as it is.
    """
    xyn, ends, z = columns
    base, added = grids
    nobody = np.zeros(1, dtype=np.uint8)
    shaded = np.zeros(1, dtype=np.uint8)
    for c in range(first, last):
        begin = ends[c - 1] if c > 0 else 0
        heights = z[begin : ends[c]]
        count = len(heights)
        if count > len(shaded):
            shaded = np.zeros(2 * count, dtype=np.uint8)
        x, y, nx, ny = xyn[c]
        guess, guess_added = -1, -1
        for s in range(len(sun)):
            if not seen[c, s]:
                continue
            ray = Ray(x, y, sun[s, 0], sun[s, 1], sun[s, 2])
            if (nx != 0.0 or ny != 0.0) and ray.ux * nx + ray.uy * ny <= 0.0:
                lit[begin : ends[c], s] = 0
                continue
            shaded[:count] = 0
            guess = walk(ray, heights, shaded, base, hidden, guess)
            if added.nx > 0:
                guess_added = walk(ray, heights, shaded, added, nobody, guess_added)
            for k in range(count):
                lit[begin + k, s] = 1 - shaded[k]


@compiled
def find_reached(
    xyn: FloatArray, ends: IntArray, z: FloatArray, sun: FloatArray, boxes: FloatArray, seen: NDArray[np.uint8]
) -> None:  # fmt: skip
    """Mark in ``seen`` (columns, suns) the pairs whose ray can pass through one of some boxes (b, 6)."""
    for c in range(len(xyn)):
        x, y, nx, ny = xyn[c]
        low = z[ends[c - 1] if c > 0 else 0]
        for s in range(len(sun)):
            ux, uy, rise = sun[s]
            if (nx != 0.0 or ny != 0.0) and ux * nx + uy * ny <= 0.0:
                continue
            for b in range(len(boxes)):
                tx = _enter(x, ux, boxes[b, 0] - EDGE_M, boxes[b, 3] + EDGE_M)
                ty = _enter(y, uy, boxes[b, 1] - EDGE_M, boxes[b, 4] + EDGE_M)
                near, far = max(0.0, tx[0], ty[0]), min(tx[1], ty[1])
                if near <= far and boxes[b, 5] - near * rise >= low - EDGE_M:
                    seen[c, s] = 1
                    break


@compiled
def find_shaded_boxes(boxes: FloatArray, sun: FloatArray, changed: FloatArray, reached: NDArray[np.uint8]) -> None:
    """Mark the boxes (n, 6) on which the shadow of one of the changed boxes (b, 6) can fall; NaN boxes never."""
    for n in range(len(boxes)):
        x, y = (boxes[n, 0] + boxes[n, 3]) / 2, (boxes[n, 1] + boxes[n, 4]) / 2
        pad = np.hypot(boxes[n, 3] - boxes[n, 0], boxes[n, 4] - boxes[n, 1]) / 2 + 1.0
        for b in range(len(changed)):
            for s in range(len(sun)):
                ux, uy, rise = sun[s]
                tx = _enter(x, ux, changed[b, 0] - pad, changed[b, 3] + pad)
                ty = _enter(y, uy, changed[b, 1] - pad, changed[b, 4] + pad)
                near, far = max(0.0, tx[0], ty[0]), min(tx[1], ty[1])
                if near <= far and changed[b, 5] - max(0.0, near - pad) * rise >= boxes[n, 2]:
                    reached[n] = 1
                    break
            if reached[n]:
                break
