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

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cim.impact.light.cells import EDGE_M, WIDE, WIDE_BITS, FloatArray, Frame, Grid, IntArray
from cim.impact.light.compiling import compiled, inlined

NEAR_M = 1e-6
"""What is nearer than this does not stand in the light."""
FAR = 1e30
PARALLEL = 1e-12
ONE = np.uintp(1)
"""Indices without a sign: of one that has a sign every read would ask whether it counts from the end."""


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
def _wall(w: FloatArray, p: int | np.integer, ray: Ray) -> tuple[float, float]:
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
def _slope(f: FloatArray, p: int | np.integer, ray: Ray) -> tuple[float, float]:
    """Return the interval of heights at the column that a slope shades; empty (1, 0) where it does not."""
    x, y, ux, uy, rise = ray
    ax, ay, bx, by, cx, cy = f[p, 0] - x, f[p, 1] - y, f[p, 3] - x, f[p, 4] - y, f[p, 6] - x, f[p, 7] - y
    sa, sb, sc = ax * uy - ay * ux, bx * uy - by * ux, cx * uy - cy * ux
    if (sa >= 0.0) == (sb >= 0.0) == (sc >= 0.0):
        return 1.0, 0.0
    # Of the three corners one lies alone on its side of the ray: it is called a, and the ray crosses ab and ac.
    ta, tb, tc = ax * ux + ay * uy, bx * ux + by * uy, cx * ux + cy * uy
    za, zb, zc = f[p, 2], f[p, 5], f[p, 8]
    if (sa >= 0.0) == (sc >= 0.0):
        sa, sb, ta, tb, za, zb = sb, sa, tb, ta, zb, za
    elif (sa >= 0.0) == (sb >= 0.0):
        sa, sc, ta, tc, za, zc = sc, sa, tc, ta, zc, za
    fb, fc = sa / (sa - sb), sa / (sa - sc)
    t1, t2 = ta + fb * (tb - ta), ta + fc * (tc - ta)
    if t1 <= NEAR_M and t2 <= NEAR_M:
        return 1.0, 0.0
    z1, z2 = za + fb * (zb - za), za + fc * (zc - za)
    if t1 <= NEAR_M:
        z1 += (NEAR_M - t1) / (t2 - t1) * (z2 - z1)
        t1 = NEAR_M
    elif t2 <= NEAR_M:
        z2 += (NEAR_M - t2) / (t1 - t2) * (z1 - z2)
        t2 = NEAR_M
    w1, w2 = z1 - t1 * rise, z2 - t2 * rise
    return min(w1, w2), max(w1, w2)


@inlined
def _shade(
    low: float, high: float, z: FloatArray, shaded: NDArray[np.uint8], first: np.uintp, end: np.uintp
) -> np.uintp:
    """Mark the heights in an interval, from ``first`` to ``end``; return the first height that has light."""
    for k in range(first, end):
        if z[k] > high:
            break
        if z[k] >= low:
            shaded[k] = 1
    while first < end and shaded[first]:
        first += ONE
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
def _pass(ray: Ray, i: int, j: int, bits: int, cell: float) -> tuple[float, int, int]:
    """Leave the block of 2**bits by 2**bits cells that holds cell (i, j): distance, and the next cell.

    The place of the ray is about the corner of the grid.
    """
    x, y, ux, uy, _ = ray
    ahead_i, ahead_j = (1 if ux > 0.0 else 0), (1 if uy > 0.0 else 0)
    per_x = 1.0 / ux if abs(ux) > PARALLEL else (FAR if ux > 0.0 else -FAR)
    per_y = 1.0 / uy if abs(uy) > PARALLEL else (FAR if uy > 0.0 else -FAR)
    low_i, low_j = (i >> bits) << bits, (j >> bits) << bits
    leave_i = ((low_i + (ahead_i << bits)) * cell - x) * per_x
    leave_j = ((low_j + (ahead_j << bits)) * cell - y) * per_y
    last = (1 << bits) - 1
    if leave_i < leave_j:
        i = low_i + (ahead_i << bits) - (1 - ahead_i)
        if bits > 0:
            j = min(max(int((y + leave_i * uy) / cell), low_j), low_j + last)
        return leave_i, i, j
    j = low_j + (ahead_j << bits) - (1 - ahead_j)
    if bits > 0:
        i = min(max(int((x + leave_j * ux) / cell), low_i), low_i + last)
    return leave_j, i, j


@inlined
def _arrive(ray: Ray, width: float, depth: float) -> float:
    """Return the distance at which a ray, placed about the grid's corner, comes over the grid; FAR for never."""
    if 0.0 <= ray.x < width and 0.0 <= ray.y < depth:
        return 0.0
    near_x, far_x = _enter(ray.x, ray.ux, 0.0, width)
    near_y, far_y = _enter(ray.y, ray.uy, 0.0, depth)
    near = max(0.0, near_x, near_y)
    return near if near <= min(far_x, far_y) else FAR


# Arrays go one by one into what runs for every ray: each taken out of a tuple would be counted as a reference there.
@inlined
def _look(  # noqa: PLR0917
    ray: Ray, z: FloatArray, shaded: NDArray[np.uint8], first: np.uintp, end: np.uintp, at: np.uintp,
    slope: np.uintp, last: np.uintp, climbed: float, faces: FloatArray, peaks: FloatArray,
    hidden: NDArray[np.uint8], guess: int | np.int64,
) -> tuple[np.uintp, int | np.int64]:  # fmt: skip
    """Mark what the items of a cell shade; return the first height with light, and who shaded last.

    ``climbed`` is by how much a ray has risen where it comes into the cell: an item that is no higher shades nothing,
    nor do those that follow it.
    """
    while at < slope and first < end and peaks[at] - climbed >= z[first]:
        low, high = _wall(faces, at, ray)
        if low <= high and high >= z[first] and not hidden[at]:
            guess = np.int64(at)
            first = _shade(low, high, z, shaded, first, end)
        at += ONE
    at = slope
    while at < last and first < end and peaks[at] - climbed >= z[first]:
        low, high = _slope(faces, at, ray)
        if low <= high and high >= z[first] and not hidden[at]:
            guess = np.int64(at)
            first = _shade(low, high, z, shaded, first, end)
        at += ONE
    return first, guess


@inlined
def _walk(  # noqa: PLR0917
    ray: Ray, z: FloatArray, shaded: NDArray[np.uint8], begin: int, end: int,
    frame: Frame, faces: FloatArray, starts: NDArray[np.int32], slopes: NDArray[np.int32], tops: FloatArray,
    wide_tops: FloatArray, peaks: FloatArray, is_wall: NDArray[np.bool_], hidden: NDArray[np.uint8],
    guess: int | np.int64,
) -> int | np.int64:  # fmt: skip
    """Mark in ``shaded`` those of the heights ``z[begin:end]``, ascending, that one direction of the sun misses.

    ``hidden`` (items,) leaves out items.  ``guess`` is an item to try first, -1 for none: what stood in the light a
    few minutes ago mostly still does; the one that did so now is returned.
    """
    first, beyond = np.uintp(begin), np.uintp(end)
    while first < beyond and shaded[first]:
        first += ONE
    if first < beyond and guess >= 0 and not hidden[guess]:
        low, high = _wall(faces, guess, ray) if is_wall[guess] else _slope(faces, guess, ray)
        if low <= high and high >= z[first]:
            first = _shade(low, high, z, shaded, first, beyond)
    cell, nx, ny = frame.cell_m, frame.nx, frame.ny
    on_grid = Ray(ray.x - frame.x, ray.y - frame.y, ray.ux, ray.uy, ray.rise)
    t = _arrive(on_grid, nx * cell, ny * cell)
    if t >= FAR:
        return guess
    i = min(max(int((on_grid.x + t * ray.ux) / cell), 0), nx - 1)
    j = min(max(int((on_grid.y + t * ray.uy) / cell), 0), ny - 1)
    wide = (ny + WIDE - 1) >> WIDE_BITS
    while first < beyond and 0 <= i < nx and 0 <= j < ny and frame.top - t * ray.rise >= z[first]:
        if wide_tops[np.uintp((i >> WIDE_BITS) * wide + (j >> WIDE_BITS))] - t * ray.rise < z[first]:
            t, i, j = _pass(on_grid, i, j, WIDE_BITS, cell)
            continue
        c = np.uintp(i * ny + j)
        climbed = t * ray.rise
        if tops[c] - climbed >= z[first]:
            first, guess = _look(
                ray,
                z,
                shaded,
                first,
                beyond,
                np.uintp(starts[c]),
                np.uintp(slopes[c]),
                np.uintp(starts[c + ONE]),
                climbed,
                faces,
                peaks,
                hidden,
                guess,
            )
        t, i, j = _pass(on_grid, i, j, 0, cell)
    return guess


@compiled
def light_columns(  # noqa: PLR0917
    columns: Columns, sun: FloatArray, grid: Grid, hidden: NDArray[np.uint8], seen: NDArray[np.uint8],
    lit: NDArray[np.uint8], fresh: bool, first: int, last: int,
) -> None:  # fmt: skip
    """Fill ``lit`` (heights, suns) in the columns ``first`` to ``last``; where not ``fresh``, only take light away.

    ``sun`` (suns, 3): direction on the map, tangent of elevation; ``hidden`` (items,) leaves out items; ``seen``
    (columns, suns) tells which pairs are asked for: the others stay as they are.
    """
    xyn, ends, z_all = columns
    frame, faces, starts, slopes, tops, wide_tops, peaks, is_wall, _ = grid
    from_height = ends[first - 1] if first > 0 else 0
    z, lit = z_all[from_height : ends[last - 1]], lit[from_height : ends[last - 1]]
    shaded = np.zeros(len(z), dtype=np.uint8)
    for c in range(first, last):
        begin, end = (ends[c - 1] if c > 0 else 0) - from_height, ends[c] - from_height
        nx, ny = xyn[c, 2], xyn[c, 3]
        on_wall = nx != 0.0 or ny != 0.0
        guess: int | np.int64 = -1
        for s in range(len(sun)):
            if not seen[c, s]:
                continue
            ray = Ray(xyn[c, 0], xyn[c, 1], sun[s, 0], sun[s, 1], sun[s, 2])
            if on_wall and ray.ux * nx + ray.uy * ny <= 0.0:
                lit[begin:end, s] = 0
                continue
            for k in range(begin, end):
                shaded[k] = 0 if fresh else 1 - lit[k, s]
            guess = _walk(
                ray, z, shaded, begin, end, frame, faces, starts, slopes, tops, wide_tops, peaks, is_wall, hidden, guess
            )
            for k in range(begin, end):
                lit[k, s] = 1 - shaded[k]


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
