"""A canvas of pixels: polygons filled with flat colours, written as PNG (pure numpy)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Points: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]
Colour: TypeAlias = tuple[float, float, float]

OVER: Final = 2
"""Pixels are drawn this many times finer each way and averaged: edges are smooth."""


class Canvas:
    """Colours as floats from 0 to 1, x to the right and y down, in pixels of the finished picture."""

    def __init__(self, width: int, height: int, colour: Colour) -> None:
        self.width, self.height = width, height
        self._pixels = np.empty((height * OVER, width * OVER, 3), dtype=np.float32)
        self._pixels[:] = colour

    def mask(self, rings: Sequence[Points]) -> tuple[Mask, slice, slice] | None:
        """Return what lies within rings (n, 2) by the even-odd rule, and where; ``None`` where nothing does."""
        edges = np.concatenate([np.hstack((ring, np.roll(ring, -1, axis=0))) for ring in rings]) * OVER
        low = np.floor(edges.reshape(-1, 2).min(axis=0)).astype(int)
        high = np.ceil(edges.reshape(-1, 2).max(axis=0)).astype(int)
        x0, y0 = max(0, int(low[0])), max(0, int(low[1]))
        x1, y1 = min(self.width * OVER, int(high[0]) + 1), min(self.height * OVER, int(high[1]) + 1)
        if x1 <= x0 or y1 <= y0:
            return None
        rows = np.arange(y0, y1) + 0.5
        ax, ay, bx, by = (edges[:, column, None] for column in range(4))
        crosses = (ay > rows) != (by > rows)
        edge, row = np.nonzero(crosses)
        if not len(edge):
            return None
        t = (rows[row] - ay[edge, 0]) / (by[edge, 0] - ay[edge, 0])
        x = ax[edge, 0] + t * (bx[edge, 0] - ax[edge, 0])
        # A pixel is inside where an odd number of edges lies left of its middle.
        column = np.clip(np.ceil(x - 0.5).astype(int) - x0, 0, x1 - x0)
        flips = np.zeros((y1 - y0, x1 - x0 + 1), dtype=np.int32)
        np.add.at(flips, (row, column), 1)
        return np.cumsum(flips, axis=1)[:, :-1] % 2 == 1, slice(y0, y1), slice(x0, x1)

    def fill(self, rings: Sequence[Points], colour: Colour, alpha: float = 1.0) -> None:
        """Fill the inside of rings."""
        found = self.mask(rings)
        if found is not None:
            inside, rows, columns = found
            part = self._pixels[rows, columns]
            part[inside] += alpha * (np.array(colour, dtype=np.float32) - part[inside])

    def shade(self, areas: Sequence[Sequence[Points]], colour: Colour, alpha: float) -> None:
        """Tint the union of areas once, however often they overlap."""
        union = np.zeros(self._pixels.shape[:2], dtype=bool)
        for rings in areas:
            found = self.mask(rings)
            if found is not None:
                inside, rows, columns = found
                union[rows, columns] |= inside
        self._pixels[union] += alpha * (np.array(colour, dtype=np.float32) - self._pixels[union])

    def png(self) -> bytes:
        """Return the picture as PNG, eight bits a channel."""
        fine = self._pixels.reshape(self.height, OVER, self.width, OVER, 3).mean(axis=(1, 3))
        pixels = np.clip(np.round(fine * 255), 0, 255).astype(np.uint8)
        # Each line is told by its difference from the one above: large flat parts pack well.
        up = np.diff(pixels, axis=0, prepend=np.zeros((1, *pixels.shape[1:]), dtype=np.uint8))
        lines = np.hstack((np.full((self.height, 1), 2, dtype=np.uint8), up.reshape(self.height, -1)))
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 7)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
