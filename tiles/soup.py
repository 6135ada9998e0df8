"""Polygons in space with their owners: what every step from footprint to triangle works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cim.geometry.ragged import FloatArray, IntArray, Rings, counts, length, next_in_rings, ranges, starts

__all__ = [
    "Bounds", "FloatArray", "IntArray", "Soup", "counts", "empty_soup", "equal_faces", "join", "length",
    "meanings", "next_in_rings", "ranges", "starts",
]  # fmt: skip

Bounds = tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax in the working CRS, metres."""


@dataclass(frozen=True)
class Soup(Rings):
    """Surfaces of rings that belong to features.

    ``owner`` (surfaces,) is the row of the feature that each surface belongs to; ``height_m`` (n,) is above the
    feature's own ground; ``meaning`` (surfaces,) is what the source says that each is, empty where it says nothing.
    """

    owner: IntArray
    height_m: FloatArray
    meaning: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

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
            self.meaning[surfaces] if len(self.meaning) else self.meaning,
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
        meanings([(s.meaning, s.surface_count) for s in filled]),
    )


def meanings(parts: Sequence[tuple[IntArray, int]]) -> IntArray:
    """Return what is said of several lots of things, each of so many, in one: 0 of those of which nothing is."""
    if not any(len(said) for said, _ in parts):
        return np.empty(0, dtype=np.int64)
    return np.concatenate([said if len(said) else np.zeros(count, dtype=np.int64) for said, count in parts])
