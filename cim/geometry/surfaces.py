"""Geometry of city objects: surfaces of rings, gathered in shells and solids.

One flat, ragged layout for every CityJSON geometry type, so that a whole city is a handful of numpy
arrays: ``coordinates`` holds all vertices of all rings one after the other, and each ``*_ends``
array says where its items end in the level below (exclusive, ascending).

=================  ==========  ===========  ==========  ==========
kind               ring_ends   surface_ends shell_ends  solid_ends
=================  ==========  ===========  ==========  ==========
MultiPoint         --          --           --          --
MultiLineString    lines       --           --          --
MultiSurface       rings       surfaces     --          --
CompositeSurface   rings       surfaces     --          --
Solid              rings       surfaces     shells      --
MultiSolid         rings       surfaces     shells      solids
CompositeSolid     rings       surfaces     shells      solids
=================  ==========  ===========  ==========  ==========

Rings do not repeat their first vertex; the first ring of a surface is the outer one, counter-clockwise
seen from outside (ISO 19107); the first shell of a solid is the outer one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

GeometryKind = Literal[
    "MultiPoint", "MultiLineString", "MultiSurface", "CompositeSurface", "Solid", "MultiSolid", "CompositeSolid"
]
KINDS: Final[tuple[GeometryKind, ...]] = (
    "MultiPoint",
    "MultiLineString",
    "MultiSurface",
    "CompositeSurface",
    "Solid",
    "MultiSolid",
    "CompositeSolid",
)
Ends = NDArray[np.int32]
NO_ENDS: Final[Ends] = np.empty(0, dtype=np.int32)


def lod_rank(lod: str) -> float:
    """Return a level of detail as a number, ``-1`` for one that is none."""
    try:
        rank = float(lod)
    except ValueError:
        return -1.0
    return rank if math.isfinite(rank) else -1.0


@dataclass(frozen=True, slots=True)
class Semantics:
    """What each surface is: CityJSON semantic objects, and one index per surface (-1 for none)."""

    surfaces: tuple[dict[str, Any], ...]
    values: NDArray[np.int32]

    def types(self) -> list[str]:
        """Return the semantic type of each surface, ``""`` where it has none."""
        names = [str(surface.get("type", "")) for surface in self.surfaces]
        return [names[value] if value >= 0 else "" for value in self.values.tolist()]


@dataclass(frozen=True, slots=True)
class Geometry:
    """One geometry of a city object at one level of detail.

    ``coordinates`` has shape (n, 3), float64, metres in the working CRS and its vertical datum.
    ``lod`` is the CityJSON text (``"0"``, ``"1"``, ``"2.2"``).
    """

    kind: GeometryKind
    lod: str
    coordinates: NDArray[np.float64]
    ring_ends: Ends = field(default_factory=lambda: NO_ENDS)
    surface_ends: Ends = field(default_factory=lambda: NO_ENDS)
    shell_ends: Ends = field(default_factory=lambda: NO_ENDS)
    solid_ends: Ends = field(default_factory=lambda: NO_ENDS)
    semantics: Semantics | None = None

    @property
    def surface_count(self) -> int:
        """How many surfaces there are."""
        return len(self.surface_ends)

    def bounds(self) -> tuple[float, float, float, float, float, float]:
        """Return xmin, ymin, zmin, xmax, ymax, zmax in metres."""
        low, high = self.coordinates.min(axis=0), self.coordinates.max(axis=0)
        return (float(low[0]), float(low[1]), float(low[2]), float(high[0]), float(high[1]), float(high[2]))


def bounds_of(geometries: Sequence[Geometry]) -> NDArray[np.float64]:
    """Return xmin, ymin, zmin, xmax, ymax, zmax of each geometry, shape (n, 6), in one pass.

    A geometry without vertices gives NaN; a NaN vertex makes its geometry's box NaN.
    """
    boxes = np.full((len(geometries), 6), np.nan)
    counts = np.fromiter((len(g.coordinates) for g in geometries), dtype=np.int64, count=len(geometries))
    filled = np.flatnonzero(counts)
    if len(filled):
        coordinates = np.concatenate([geometries[row].coordinates for row in filled.tolist()])
        starts = np.concatenate(([0], np.cumsum(counts[filled])[:-1]))
        boxes[filled, :3] = np.minimum.reduceat(coordinates, starts, axis=0)
        boxes[filled, 3:] = np.maximum.reduceat(coordinates, starts, axis=0)
    return boxes


def multi_surface(lod: str, surfaces: list[list[NDArray[np.float64]]], semantics: Semantics | None = None) -> Geometry:
    """Build a MultiSurface from surfaces given as lists of rings, each of shape (n, 3)."""
    rings = [ring for surface in surfaces for ring in surface]
    return Geometry(
        kind="MultiSurface",
        lod=lod,
        coordinates=np.concatenate(rings).astype(np.float64, copy=False),
        ring_ends=np.cumsum([len(ring) for ring in rings], dtype=np.int32),
        surface_ends=np.cumsum([len(surface) for surface in surfaces], dtype=np.int32),
        semantics=semantics,
    )
