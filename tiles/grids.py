"""Positions of tiles on steps of 16 bits, as they lie in the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tiles.glb import Extent
from tiles.soup import FloatArray, IntArray

STEPS: Final = 65535
"""Steps of a quantised coordinate."""
STEP_M_MIN: Final = 0.02
"""Finer than this no source is; coarser steps compress better."""
COARSE_STEPS: Final = 32
"""About 0.6 m: nobody sees the far edge of a shade move by half of it, and its bytes compress."""

Words = NDArray[np.uint64]
"""Quantised positions, one word each."""
_BITS: Final = 16


@dataclass(frozen=True, slots=True)
class Grids:
    """Quantisation of some tiles: ``low`` (tiles, 3) are their corners, ``step_m`` (tiles,) is the same on every axis.

    One step for all axes keeps normals right under the node's scale.
    """

    low: FloatArray
    step_m: FloatArray

    @classmethod
    def over(cls, *lots: tuple[FloatArray, IntArray]) -> Grids:
        """Return the grids that cover positions (n, 3), those of a tile from its start (tiles + 1,) on; none: at 0."""
        corners = []
        for reduce, none in ((np.minimum, np.inf), (np.maximum, -np.inf)):
            corner = np.full((len(lots[0][1]) - 1, 3), none)
            for positions, starts in lots:
                filled = np.flatnonzero(np.diff(starts))
                for axis in range(3) if len(filled) else ():
                    found = reduce.reduceat(positions[:, axis], starts[filled])
                    corner[filled, axis] = reduce(corner[filled, axis], found)
            corners.append(np.where(np.isfinite(corner), corner, 0.0))
        low, high = corners
        # The step goes through JSON and a client's float32; a millionth more keeps the ends inside.
        step = np.maximum((high - low).max(axis=1, initial=0.0) / STEPS, STEP_M_MIN)
        return cls(low, (step * 1.000001).astype(np.float32).astype(np.float64))

    def quantise(self, positions: FloatArray, starts: IntArray) -> Words:
        """Return steps from the corner: east, north, up in 16 bits each of one word, as they lie in the file."""
        size = np.diff(starts)
        step_m, words = np.repeat(self.step_m, size), np.zeros(len(positions), dtype=np.uint64)
        for axis in range(3):
            steps = np.rint((positions[:, axis] - np.repeat(self.low[:, axis], size)) / step_m)
            words |= steps.astype(np.uint64) << np.uint64(_BITS * axis)
        return words

    def node(self, tile: int) -> dict[str, Any]:
        """Return the members of the node that undo the quantisation and turn east, north, up to glTF's y up.

        Turning in the node keeps the two map coordinates of a vertex side by side in the file, where
        those of a wall's foot and top are the same four bytes and compress away.
        """
        east, north, up = self.low[tile].tolist()
        return {
            "translation": [east, up, -north],
            "rotation": [-float(np.sqrt(0.5)), 0.0, 0.0, float(np.sqrt(0.5))],
            "scale": [float(self.step_m[tile])] * 3,
        }

    def decoded(self, tile: int, within: Sequence[Extent]) -> tuple[FloatArray, FloatArray]:
        """Return the bounds, metres east, north, up, of what lies within some extents on a tile's grid."""
        least = np.array([min(axis) for axis in zip(*(low for low, _ in within), strict=True)])
        most = np.array([max(axis) for axis in zip(*(high for _, high in within), strict=True)])
        return self.low[tile] + least * self.step_m[tile], self.low[tile] + most * self.step_m[tile]


def corners_of(words: Words) -> NDArray[np.uint16]:
    """Return quantised positions as a table, shape (n, 4): east, north, up, nothing."""
    return words.astype("<u8", copy=False).view("<u2").reshape(-1, 4)


def coarse(words: Words) -> Words:
    """Return positions moved to whole multiples of ``COARSE_STEPS`` on the map: for what fades into nothing there."""
    result: Words = words & np.uint64(0xFFFF_0000_0000)
    for bits in (0, _BITS):
        steps = (words >> np.uint64(bits) & np.uint64(STEPS)).astype(np.int64)
        rounded = np.minimum((steps + COARSE_STEPS // 2) // COARSE_STEPS, STEPS // COARSE_STEPS) * COARSE_STEPS
        result |= rounded.astype(np.uint64) << np.uint64(bits)
    return result


def not_collapsed(corners: Words) -> NDArray[np.bool_]:
    """Tell which triangles (t, 3) keep three corners apart on the steps of the grid."""
    a, b, c = corners.T
    apart: NDArray[np.bool_] = (a != b) & (b != c) & (c != a)
    return apart


def extents(words: Words, starts: IntArray, corners: IntArray) -> list[Extent | None]:
    """Return the least and the greatest steps of each tile, of those vertices that ``corners`` are at; none: ``None``.

    ``words`` (n,) are the vertices, those of a tile from its start (tiles + 1,) on.
    """
    used = np.zeros(len(words), dtype=np.bool_)
    used[corners.reshape(-1)] = True
    begin = np.append(0, np.cumsum(used))[starts]
    filled = np.flatnonzero(np.diff(begin))
    found: list[Extent | None] = [None] * (len(starts) - 1)
    if len(filled):
        axes = [(words[used] >> np.uint64(_BITS * axis)).astype(np.uint16) for axis in range(3)]
        low, high = (
            np.stack([reduce.reduceat(axis, begin[filled]) for axis in axes], axis=1).tolist()
            for reduce in (np.minimum, np.maximum)
        )
        for tile, least, most in zip(filled.tolist(), low, high, strict=True):
            found[tile] = least, most
    return found


def packed_normals(normals: FloatArray) -> NDArray[np.int8]:
    """Return unit normals in steps of 1/127, shape (n, 4), the last nothing."""
    packed = np.zeros((len(normals), 4), dtype="<i1")
    np.rint(normals * 127, out=packed[:, :3], casting="unsafe")
    return packed
