"""Closed solids from a footprint, a height and a roof (pure).

A pitched roof is a height over the plan, the lowest of a few planes, so it fits any footprint: an outline of
eight corners gets the same ridge as the rectangle around it.  The plan is cut where the planes meet; each
piece is level or slopes one way, neighbours share their corners, and walls rise to meet the roof.
Coordinates are metres in the working CRS, heights metres over its vertical datum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.geometry.surfaces import Geometry, Semantics
from cim.geometry.triangles import newell

Points: TypeAlias = NDArray[np.float64]
Rings: TypeAlias = tuple[tuple[tuple[float, float], ...], ...]
Surfaces: TypeAlias = list[list[Points]]

GRID_M: Final = 0.001
"""Corners lie on this grid, as the values of edits do."""
FOOT_M: Final = 0.05
"""Corners within this of the lowest are a body's foot."""
LEVEL: Final = 0.5
"""An underside is a surface whose unit normal points down by more than this."""
SOLIDS_KEPT_MAX: Final = 4_096
_KINDS: Final = ("GroundSurface", "WallSurface", "RoofSurface")
_GROUND, _WALL, _ROOF = range(3)


@dataclass(frozen=True, slots=True)
class _Box:
    """The smallest rectangle around a plan: its middle, unit vectors along and across, half of each side."""

    middle: Points
    along: Points
    across: Points
    half_length_m: float
    half_width_m: float

    @classmethod
    def around(cls, plan: shapely.Polygon) -> _Box:
        corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(plan))[:4]
        first, second = corners[1] - corners[0], corners[2] - corners[1]
        if np.hypot(*first) < np.hypot(*second):
            first, second = second, first
        length_m, width_m = float(np.hypot(*first)), float(np.hypot(*second))
        return cls(corners.mean(axis=0), first / length_m, second / width_m, length_m / 2, width_m / 2)

    def at(self, s_m: float, t_m: float) -> Points:
        """Return the place ``s_m`` along and ``t_m`` across from the middle."""
        place: Points = self.middle + s_m * self.along + t_m * self.across
        return place

    def of(self, xy: Points) -> tuple[Points, Points]:
        """Return how far places are along and across."""
        away = xy - self.middle
        return away @ self.along, away @ self.across


Rise: TypeAlias = Callable[[Points], Points]
"""Gives the height of the roof above the eaves at places (n, 2)."""


@lru_cache(maxsize=SOLIDS_KEPT_MAX)
def solid_of(rings: Rings, foot_m: float, eaves_m: float, roof: str, rise_m: float) -> Geometry:
    """Return the closed solid over a valid plan: LoD 1 under a flat roof, LoD 2 with semantics under a pitched one.

    ``roof`` is one of ``cim.schemes.fields.ROOFS``; its top is ``eaves_m + rise_m``.  A pyramid over a plan that
    is not seen whole from its middle is hipped.
    """
    plan = shapely.orient_polygons(shapely.Polygon(rings[0], rings[1:]))
    if roof == "flat" or rise_m <= 0.0:
        return _assembled(_prism(plan, foot_m, eaves_m), "1")
    if roof == "pyramidal" and _seen_from_middle(plan):
        return _assembled(_pyramid(plan, foot_m, eaves_m, rise_m), "2")
    box = _Box.around(plan)
    cuts, rise = _roof(box, roof, rise_m)
    return _assembled(_cut_roof(plan, cuts, rise, foot_m, eaves_m), "2")


def _roof(box: _Box, roof: str, rise_m: float) -> tuple[list[shapely.LineString], Rise]:
    """Return where the planes of a roof meet, and its height over the eaves."""
    length_m, width_m = box.half_length_m, box.half_width_m
    far_m = length_m + 1.0

    def shed(xy: Points) -> Points:
        height: Points = rise_m * (box.of(xy)[1] + width_m) / (2 * width_m)
        return np.clip(height, 0.0, rise_m)

    def gabled(xy: Points) -> Points:
        return np.clip(rise_m * (1.0 - np.abs(box.of(xy)[1]) / width_m), 0.0, rise_m)

    def hipped(xy: Points) -> Points:
        ends: Points = rise_m * (length_m - np.abs(box.of(xy)[0])) / width_m
        return np.minimum(gabled(xy), np.clip(ends, 0.0, rise_m))

    if roof == "shed":
        return [], shed
    if roof == "gabled":
        return [shapely.LineString([box.at(-far_m, 0.0), box.at(far_m, 0.0)])], gabled
    ridge_m = length_m - width_m
    cuts = [shapely.LineString([box.at(-ridge_m, 0.0), box.at(ridge_m, 0.0)])] if ridge_m > GRID_M else []
    for end in (-1.0, 1.0):
        for side in (-1.0, 1.0):
            # One step beyond the corner, so that the cut surely leaves the plan.
            corner = box.at(end * (length_m + 1.0), side * (width_m + 1.0))
            cuts.append(shapely.LineString([box.at(end * ridge_m, 0.0), corner]))
    return cuts, hipped


def _prism(plan: shapely.Polygon, foot_m: float, top_m: float) -> list[tuple[int, list[Points]]]:
    rings = [shapely.get_coordinates(ring)[:-1] for ring in (plan.exterior, *plan.interiors)]
    faces = [
        (_ROOF, [_level(ring, top_m) for ring in rings]),
        (_GROUND, [_level(ring[::-1], foot_m) for ring in rings]),
    ]
    for ring in rings:
        heights = np.full(len(ring), top_m)
        faces += _walls(ring, np.roll(ring, -1, axis=0), heights, heights, foot_m)
    return faces


def _pyramid(plan: shapely.Polygon, foot_m: float, eaves_m: float, rise_m: float) -> list[tuple[int, list[Points]]]:
    ring = shapely.get_coordinates(plan.exterior)[:-1]
    tip = np.append(shapely.get_coordinates(plan.centroid)[0], eaves_m + rise_m)
    low = _level(ring, eaves_m)
    faces = [(_ROOF, [np.array([a, b, tip])]) for a, b in zip(low, np.roll(low, -1, axis=0), strict=True)]
    faces.append((_GROUND, [_level(ring[::-1], foot_m)]))
    heights = np.full(len(ring), eaves_m)
    return faces + _walls(ring, np.roll(ring, -1, axis=0), heights, heights, foot_m)


def _seen_from_middle(plan: shapely.Polygon) -> bool:
    if plan.interiors:
        return False
    arms = shapely.get_coordinates(plan.exterior)[:-1] - shapely.get_coordinates(plan.centroid)[0]
    following = np.roll(arms, -1, axis=0)
    return bool((arms[:, 0] * following[:, 1] - arms[:, 1] * following[:, 0] > 0).all())


def _cut_roof(
    plan: shapely.Polygon, cuts: Sequence[shapely.LineString], rise: Rise, foot_m: float, eaves_m: float
) -> list[tuple[int, list[Points]]]:
    """Return the faces of a solid whose roof is cut into planes; every edge is shared by two faces."""
    outline = shapely.union_all([plan.boundary, *cuts], grid_size=GRID_M)
    pieces = [
        shapely.orient_polygons(piece)
        for piece in shapely.get_parts(shapely.polygonize(shapely.get_parts(outline)))
        if plan.covers(piece.representative_point())
    ]
    faces: list[tuple[int, list[Points]]] = []
    edges: set[tuple[tuple[float, float], tuple[float, float]]] = set()
    for piece in pieces:
        rings = [shapely.get_coordinates(ring)[:-1] for ring in (piece.exterior, *piece.interiors)]
        faces.append((_ROOF, [np.column_stack((ring, eaves_m + rise(ring))) for ring in rings]))
        faces.append((_GROUND, [_level(ring[::-1], foot_m) for ring in rings]))
        for ring in rings:
            places: list[tuple[float, float]] = [(float(x), float(y)) for x, y in ring]
            edges.update(zip(places, [*places[1:], places[0]], strict=True))
    # An edge that no neighbour has the other way round is on the outline.
    outer = sorted((a, b) for a, b in edges if (b, a) not in edges)
    start, stop = np.array([a for a, _ in outer]), np.array([b for _, b in outer])
    return faces + _walls(start, stop, eaves_m + rise(start), eaves_m + rise(stop), foot_m)


def _walls(
    start: Points, stop: Points, start_m: Points, stop_m: Points, foot_m: float
) -> list[tuple[int, list[Points]]]:
    """Return the walls over edges of an outline that has the inside to its left."""
    return [
        (_WALL, [np.array([[*a, foot_m], [*b, foot_m], [*b, high_b], [*a, high_a]])])
        for a, b, high_a, high_b in zip(start, stop, start_m, stop_m, strict=True)
    ]


def _level(ring: Points, height_m: float) -> Points:
    return np.column_stack((ring, np.full(len(ring), height_m)))


def _assembled(faces: list[tuple[int, list[Points]]], lod: str) -> Geometry:
    kinds: tuple[dict[str, Any], ...] = tuple({"type": name} for name in _KINDS)
    values = np.array([kind for kind, _ in faces], dtype=np.int32)
    return closed([rings for _, rings in faces], lod, Semantics(kinds, values) if lod != "1" else None)


def closed(surfaces: Surfaces, lod: str, semantics: Semantics | None = None) -> Geometry:
    """Return surfaces, each a list of rings (n, 3), as a solid of one shell."""
    rings = [ring for surface in surfaces for ring in surface]
    return Geometry(
        kind="Solid",
        lod=lod,
        coordinates=np.concatenate(rings),
        ring_ends=np.cumsum([len(ring) for ring in rings], dtype=np.int32),
        surface_ends=np.cumsum([len(surface) for surface in surfaces], dtype=np.int32),
        shell_ends=np.array([len(surfaces)], dtype=np.int32),
        semantics=semantics,
    )


def joined(geometries: Sequence[Geometry], lod: str) -> Geometry:
    """Return the surfaces of several geometries as one MultiSurface, without their semantics."""
    rings: list[NDArray[np.int32]] = []
    surfaces: list[NDArray[np.int32]] = []
    vertices = ring_count = 0
    for geometry in geometries:
        rings.append(geometry.ring_ends + vertices)
        surfaces.append(geometry.surface_ends + ring_count)
        vertices += len(geometry.coordinates)
        ring_count += len(geometry.ring_ends)
    return Geometry(
        kind="MultiSurface",
        lod=lod,
        coordinates=np.concatenate([geometry.coordinates for geometry in geometries]),
        ring_ends=np.concatenate(rings).astype(np.int32),
        surface_ends=np.concatenate(surfaces).astype(np.int32),
    )


def lifted(geometry: Geometry, by_m: float, wall_m_min: float) -> Geometry | None:
    """Return a body whose walls are longer or shorter by ``by_m``, its roof unchanged.

    ``None`` where that is not simple: a body that does not stand on one level, or one whose lowest eaves would
    come nearer to its foot than ``wall_m_min``.
    """
    height = geometry.coordinates[:, 2]
    foot_m = float(height.min())
    standing = height < foot_m + FOOT_M
    above = height[~standing]
    if not len(above) or float(above.min()) + by_m < foot_m + wall_m_min or not _stands_level(geometry, standing):
        return None
    moved = geometry.coordinates.copy()
    moved[~standing, 2] += by_m
    return Geometry(
        geometry.kind, geometry.lod, moved, geometry.ring_ends, geometry.surface_ends, geometry.shell_ends,
        geometry.solid_ends, geometry.semantics,
    )  # fmt: skip


def _stands_level(geometry: Geometry, standing: NDArray[np.bool_]) -> bool:
    """Tell whether every underside of a body lies on its foot."""
    ring_starts = np.concatenate(([0], geometry.ring_ends))
    first_ring = np.concatenate(([0], geometry.surface_ends[:-1]))
    for ring in first_ring.tolist():
        corners = slice(ring_starts[ring], ring_starts[ring + 1])
        up = newell(geometry.coordinates[corners])
        if up[2] < -LEVEL * float(np.linalg.norm(up)) and not standing[corners].all():
            return False
    return True
