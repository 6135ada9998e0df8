"""Polygons in space in one ragged numpy layout: what every step from footprint to triangle works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Soup:
    """Surfaces of rings.

    ``coordinates`` (n, 3) metres; rings do not repeat their first vertex; ``ring_ends`` says where
    each ring ends among the vertices, ``surface_ends`` where each surface ends among the rings
    (outer ring first, counter-clockwise seen from outside); ``owner`` (surfaces,) is the row of the
    feature that each surface belongs to; ``height_m`` (n,) is above the feature's own ground.
    """

    coordinates: FloatArray
    ring_ends: IntArray
    surface_ends: IntArray
    owner: IntArray
    height_m: FloatArray

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

    def moved_to(self, coordinates: FloatArray) -> Soup:
        """Return the same surfaces with other coordinates."""
        return replace(self, coordinates=coordinates)

    def select(self, surfaces: IntArray) -> Soup:
        """Return some surfaces, in the order given."""
        ring_first = starts(self.surface_ends)
        rings = ranges(ring_first[surfaces], counts(self.surface_ends)[surfaces])
        vertices = ranges(self.ring_starts[rings], counts(self.ring_ends)[rings])
        return Soup(
            self.coordinates[vertices],
            np.cumsum(counts(self.ring_ends)[rings]),
            np.cumsum(counts(self.surface_ends)[surfaces]),
            self.owner[surfaces],
            self.height_m[vertices],
        )


def empty_soup() -> Soup:
    """Return no surfaces."""
    none = np.empty(0, dtype=np.int64)
    return Soup(np.empty((0, 3)), none, none, none, np.empty(0))


def equal_faces(corners: FloatArray, owner: IntArray, height_m: FloatArray) -> Soup:
    """Return one surface per row of ``corners`` (faces, vertices per face, 3), heights (faces, vertices)."""
    faces, size = corners.shape[:2]
    return Soup(
        corners.reshape(-1, 3),
        np.arange(1, faces + 1) * size,
        np.arange(1, faces + 1),
        np.asarray(owner, dtype=np.int64),
        height_m.reshape(-1),
    )


def join(soups: Sequence[Soup]) -> Soup:
    """Return all surfaces of several soups, one after the other."""
    filled = [soup for soup in soups if soup.surface_count]
    if not filled:
        return empty_soup()
    vertex_offsets = np.cumsum([0, *(len(s.coordinates) for s in filled[:-1])])
    ring_offsets = np.cumsum([0, *(len(s.ring_ends) for s in filled[:-1])])
    return Soup(
        np.concatenate([s.coordinates for s in filled]),
        np.concatenate([s.ring_ends + o for s, o in zip(filled, vertex_offsets, strict=True)]),
        np.concatenate([s.surface_ends + o for s, o in zip(filled, ring_offsets, strict=True)]),
        np.concatenate([s.owner for s in filled]),
        np.concatenate([s.height_m for s in filled]),
    )


def cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the cross products of rows, shape (n, 3), column after column in memory."""
    product = np.empty((3, len(a)))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        np.multiply(a[:, j], b[:, k], out=product[i])
        product[i] -= a[:, k] * b[:, j]
    return product.T


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
