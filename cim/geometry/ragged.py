"""Surfaces in space in one ragged numpy layout: all vertices of all rings one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Rings:
    """Surfaces of rings.

    ``coordinates`` (n, 3) metres; rings do not repeat their first vertex; ``ring_ends`` says where
    each ring ends among the vertices, ``surface_ends`` where each surface ends among the rings
    (outer ring first, counter-clockwise seen from outside).
    """

    coordinates: FloatArray
    ring_ends: IntArray
    surface_ends: IntArray

    @property
    def surface_count(self) -> int:
        """How many surfaces there are."""
        return len(self.surface_ends)

    @cached_property
    def ring_starts(self) -> IntArray:
        """Where each ring begins among the vertices."""
        return starts(self.ring_ends)

    @cached_property
    def surface_starts(self) -> IntArray:
        """Where each surface begins among the vertices: at the first of its outer ring."""
        return self.ring_starts[starts(self.surface_ends)]

    @cached_property
    def vertex_surface(self) -> IntArray:
        """The surface of each vertex."""
        vertex_ends = self.ring_ends[self.surface_ends - 1]
        return np.repeat(np.arange(len(vertex_ends)), counts(vertex_ends))

    @cached_property
    def next_vertex(self) -> IntArray:
        """The vertex that follows each vertex around its ring."""
        return next_in_rings(self.ring_ends)


def rings_of(surfaces: Sequence[Sequence[FloatArray]]) -> Rings:
    """Return surfaces given as lists of rings, each of shape (n, 3), in the one layout."""
    rings = [ring for surface in surfaces for ring in surface]
    return Rings(
        np.concatenate(rings) if rings else np.empty((0, 3)),
        np.cumsum([len(ring) for ring in rings], dtype=np.int64),
        np.cumsum([len(surface) for surface in surfaces], dtype=np.int64),
    )


def length(a: FloatArray) -> FloatArray:
    """Return the lengths of rows, shape (n,)."""
    lengths: FloatArray = np.sqrt(a[:, 0] ** 2 + a[:, 1] ** 2 + a[:, 2] ** 2)
    return lengths


def next_in_rings(ring_ends: IntArray) -> IntArray:
    """Return, for each vertex of rings that lie one after the other, the one that follows it around its ring."""
    following = np.arange(1, (int(ring_ends[-1]) if len(ring_ends) else 0) + 1)
    following[ring_ends - 1] = starts(ring_ends)
    return following


def starts(ends: IntArray) -> IntArray:
    """Return where each item begins, given where each ends."""
    begin = np.zeros_like(ends)
    begin[1:] = ends[:-1]
    return begin


def counts(ends: IntArray) -> IntArray:
    """Return the size of each item, given where each ends."""
    size = ends.copy()
    size[1:] -= ends[:-1]
    return size


def ranges(first: IntArray, size: IntArray) -> IntArray:
    """Return first[0], first[0]+1, … for size[0] numbers, then the same of the next, in one array."""
    total = int(size.sum())
    if not total:
        return np.empty(0, dtype=np.int64)
    out_start = np.cumsum(size) - size
    result: IntArray = np.repeat(first - out_start, size) + np.arange(total)
    return result
