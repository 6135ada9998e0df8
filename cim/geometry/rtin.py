"""A grid of heights as few triangles: a right-triangulated irregular network.

Evans, Kirkpatrick and Townsend, Right-Triangulated Irregular Networks, Algorithmica 30 (2001): two right triangles
cover a square, each is cut in two at the middle of its longest side, again and again.  A triangle stays whole where
no height under it is further from its plane than the tolerance, and where none of its neighbours forces
the cut, so that there are no cracks.  Here every height under a triangle counts, not only the one in the
middle, so the tolerance is a bound and not a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cim.errors import InvalidInput

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Mask = NDArray[np.bool_]

_ROOTS: Final = (((0, 0), (1, 1), (1, 0)), ((1, 1), (0, 0), (0, 1)))
"""The two triangles of a square: the ends of the longest side, then the right angle."""

VERTICAL_ERROR_M_MIN: Final = 0.01
"""The least that a terrain's triangles may be asked to be from its raster, metres."""


def check_vertical_error(stated: float | str) -> float:
    """Return how far a terrain's triangles may be from its raster, metres; raises ``vertical-error`` for none."""
    try:
        error_m = float(stated)
    except ValueError:
        error_m = np.nan
    if not VERTICAL_ERROR_M_MIN <= error_m < np.inf:
        raise InvalidInput(
            f"The vertical error of a terrain is at least {VERTICAL_ERROR_M_MIN} m.",
            hint="Such as --vertical-error 0.5, in metres.",
            code="vertical-error",
            limit=VERTICAL_ERROR_M_MIN,
        )
    return error_m


@dataclass(frozen=True, slots=True)
class _Level:
    """Triangles of one size: corners a, b of the longest side and c of the right angle, shape (t, 2) each."""

    a: IntArray
    b: IntArray
    c: IntArray

    @property
    def middle(self) -> IntArray:
        """Where each is cut."""
        return (self.a + self.b) // 2

    def halves(self) -> _Level:
        """Return the two halves of each, one after the other."""
        m = self.middle
        a, b, c = (np.empty((2 * len(m), 2), dtype=np.int64) for _ in range(3))
        a[0::2], b[0::2], c[0::2] = self.c, self.a, m
        a[1::2], b[1::2], c[1::2] = self.b, self.c, m
        return _Level(a, b, c)

    def some(self, rows: Mask) -> _Level:
        """Return some of them."""
        return _Level(self.a[rows], self.b[rows], self.c[rows])


def refined(heights: FloatArray, tolerance: float) -> IntArray:
    """Return triangles as rows and columns of a square grid, shape (t, 3, 2).

    ``heights`` has shape (2^k + 1, 2^k + 1); NaN is no ground: no triangle touches it.  Along the border of the grid
    every node is kept, so that grids side by side fit.  No height is further than ``tolerance`` from the plane of
    its triangle.
    """
    size = len(heights) - 1
    if heights.shape != (size + 1, size + 1) or size < 1 or size & (size - 1):
        raise ValueError(heights.shape)
    errors = _errors(heights)
    level = _roots(size)
    found: list[IntArray] = []
    for _ in range(2 * int(np.log2(size))):
        m = level.middle
        split = errors[m[:, 0], m[:, 1]] > tolerance
        found.append(_corners(level.some(~split)))
        level = level.some(split).halves()
    found.append(_corners(level))
    every = np.concatenate(found)
    known = ~np.isnan(heights)
    touches = known[every[..., 0], every[..., 1]].all(axis=1)
    return every[touches]


def _roots(size: int) -> _Level:
    a, b, c = (np.array([root[corner] for root in _ROOTS], dtype=np.int64) * size for corner in range(3))
    return _Level(a, b, c)


def _corners(level: _Level) -> IntArray:
    return np.stack((level.a, level.b, level.c), axis=1)


def _errors(heights: FloatArray) -> FloatArray:
    """Return, for each node, how far the ground is from triangles that are not cut there, or not below it."""
    size = len(heights) - 1
    known = ~np.isnan(heights)
    filled = np.where(known, heights, 0.0)
    row, column = (axis.ravel() for axis in np.indices(heights.shape))
    level, of = _roots(size), (column > row).astype(np.int64)
    rim = _rim(known).ravel()
    errors = np.zeros(heights.shape)
    errors[[0, -1], :] = np.inf
    errors[:, [0, -1]] = np.inf
    levels: list[tuple[_Level, FloatArray]] = []
    for _ in range(2 * int(np.log2(size))):
        away = np.abs(_plane(level, filled, row, column, of) - filled.ravel())
        away[~known.ravel()] = 0.0
        away[rim] = np.inf
        own = np.zeros(len(level.a))
        np.maximum.at(own, of, away)
        levels.append((level, own))
        of = 2 * of + _is_second(level, row, column, of)
        level = level.halves()
    below: tuple[_Level, FloatArray] | None = None
    for here, own in reversed(levels):
        m = here.middle
        worst = own
        if below is not None:
            under = below[0].middle
            inner = errors[under[:, 0], under[:, 1]]
            worst = np.maximum(own, np.maximum(inner[0::2], inner[1::2]))
        np.maximum.at(errors, (m[:, 0], m[:, 1]), worst)
        below = here, own
    return errors


def _plane(level: _Level, heights: FloatArray, row: IntArray, column: IntArray, of: IntArray) -> FloatArray:
    """Return the height of its triangle's plane at each place."""
    a, b, c = level.a, level.b, level.c
    za, zb, zc = (heights[p[:, 0], p[:, 1]] for p in (a, b, c))
    # The legs meet at a right angle, so a place is found along each of them by itself.
    square = ((a - c) ** 2).sum(axis=1).astype(np.float64)
    slope = (za - zc)[:, None] * (a - c) / square[:, None] + (zb - zc)[:, None] * (b - c) / square[:, None]
    base = zc - (slope * c).sum(axis=1)
    found: FloatArray = base[of] + slope[of, 0] * row + slope[of, 1] * column
    return found


def _is_second(level: _Level, row: IntArray, column: IntArray, of: IntArray) -> IntArray:
    """Return 1 for places that lie in the half at b, else 0: they are nearer to b than to a."""
    towards = level.b - level.a
    middle = (level.a + level.b) / 2.0
    offset = (towards * middle).sum(axis=1)
    beyond: IntArray = (towards[of, 0] * row + towards[of, 1] * column > offset[of]).astype(np.int64)
    return beyond


def _rim(known: Mask) -> Mask:
    """Return the known places beside unknown ones."""
    beside = np.pad(~known, 1, mode="edge")
    near = np.zeros_like(known)
    for i in range(3):
        for j in range(3):
            near |= beside[i : i + known.shape[0], j : j + known.shape[1]]
    return near & known
