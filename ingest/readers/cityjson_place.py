"""Where an object stands on the map, its ground and its top, from its 3D geometries; pure, by batches.

The footprint is, in this order: the union of the ground surfaces of the finest level of detail; the
surfaces of level 0; the surfaces that face down; those that face up; the convex hull.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.geometry.surfaces import Geometry

FACING_MIN: Final = 0.3
"""Share of the normal that must be vertical for a surface to face up or down."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Footprint in the working CRS, lowest and highest vertex in metres over its vertical datum."""

    place: shapely.Geometry
    ground_m: float
    top_m: float


def stand(geometries: list[tuple[Geometry, ...]]) -> list[Standing | None]:
    """Return where each object stands; ``None`` for an object without geometry."""
    best = [_finest(own) for own in geometries]
    chosen: list[tuple[Geometry, NDArray[np.bool_]] | None] = [
        None if finest is None else _choose(finest, own) for finest, own in zip(best, geometries, strict=True)
    ]
    footprints = _union([pick for pick in chosen if pick is not None])
    out: list[Standing | None] = []
    rows = iter(footprints)
    for finest, pick in zip(best, chosen, strict=True):
        if finest is None or pick is None:
            out.append(None)
            continue
        place = next(rows)
        if place is None:
            place = _thin_place(finest)
        heights = finest.coordinates[:, 2]
        out.append(Standing(place, _ground(finest, float(heights.min())), float(heights.max())))
    return out


def _level(geometry: Geometry) -> float:
    try:
        return float(geometry.lod)
    except ValueError:
        return -1.0


def _finest(own: tuple[Geometry, ...]) -> Geometry | None:
    return max(own, key=lambda g: (_level(g), g.surface_count > 0), default=None)


def _is_ground(geometry: Geometry) -> NDArray[np.bool_] | None:
    """Return which surfaces are ground surfaces, or ``None`` if none is."""
    meaning = geometry.semantics
    if meaning is None:
        return None
    grounds = [row for row, surface in enumerate(meaning.surfaces) if surface.get("type") == "GroundSurface"]
    if not grounds:
        return None
    mask: NDArray[np.bool_] = (
        meaning.values == grounds[0] if len(grounds) == 1 else np.isin(meaning.values, np.array(grounds))
    )
    return mask if mask.any() else None


def _ground(geometry: Geometry, lowest: float) -> float:
    mask = _is_ground(geometry)
    if mask is None:
        return lowest
    return float(geometry.coordinates[_vertex_mask(geometry, mask), 2].min())


def _counts(ends: NDArray[np.int32]) -> NDArray[np.int32]:
    counts = ends.copy()
    counts[1:] -= ends[:-1]
    return counts


def _spread(ends: NDArray[np.int32], mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.repeat(mask, _counts(ends))


def _vertex_mask(geometry: Geometry, surfaces: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return _spread(geometry.ring_ends, _spread(geometry.surface_ends, surfaces))


def _choose(finest: Geometry, own: tuple[Geometry, ...]) -> tuple[Geometry, NDArray[np.bool_]]:
    """Return the geometry and the surfaces that make the footprint; no surface for points and lines."""
    ground = _is_ground(finest)
    if ground is not None:
        return finest, ground
    for geometry in own:
        if _level(geometry) < 1 and geometry.surface_count:
            return geometry, np.ones(geometry.surface_count, dtype=bool)
    if not finest.surface_count:
        return finest, np.zeros(0, dtype=bool)
    facing = _facing(finest)
    down = facing < -FACING_MIN
    return finest, down if down.any() else facing > FACING_MIN


def _facing(geometry: Geometry) -> NDArray[np.float64]:
    """Return the vertical share of each surface's normal (Newell's method over the outer ring), -1 to 1."""
    ends = geometry.ring_ends.astype(np.int64)
    starts = np.concatenate(([0], ends[:-1]))
    points = geometry.coordinates - geometry.coordinates[0]
    following = np.arange(1, len(points) + 1)
    following[ends - 1] = starts
    normals = np.add.reduceat(np.cross(points, points[following]), starts, axis=0)
    outer = np.concatenate(([0], geometry.surface_ends[:-1]))
    normal = normals[outer]
    length = np.linalg.norm(normal, axis=1)
    share: NDArray[np.float64] = np.divide(normal[:, 2], length, out=np.zeros(len(length)), where=length > 0)
    return share


def _union(chosen: list[tuple[Geometry, NDArray[np.bool_]]]) -> list[shapely.Geometry | None]:
    """Return one polygon or multipolygon per pick, ``None`` where the surfaces cover no area."""
    owners = np.concatenate(
        [np.full(int(mask.sum()), row, dtype=np.int64) for row, (_, mask) in enumerate(chosen)]
        or [np.empty(0, np.int64)]
    )
    if not len(owners):
        return [None] * len(chosen)
    polygons = _polygons([pick for pick in chosen if pick[1].any()])
    members: dict[int, list[shapely.Geometry]] = defaultdict(list)
    for owner, polygon, area in zip(owners.tolist(), polygons, shapely.area(polygons), strict=True):
        if area > 0:
            members[owner].append(polygon)
    out: list[shapely.Geometry | None] = [None] * len(chosen)
    for owner, own in members.items():
        out[owner] = own[0] if len(own) == 1 else _polygonal(shapely.union_all(own))
    return out


def _polygons(chosen: list[tuple[Geometry, NDArray[np.bool_]]]) -> NDArray[np.object_]:
    """Return the chosen surfaces as valid 2D polygons, built and mended in one pass."""
    rings_kept = [_spread(g.surface_ends, mask) for g, mask in chosen]
    points = np.concatenate(
        [g.coordinates[_spread(g.ring_ends, kept), :2] for (g, _), kept in zip(chosen, rings_kept, strict=True)]
    )
    counts = np.concatenate(
        [_counts(g.ring_ends)[kept] for (g, _), kept in zip(chosen, rings_kept, strict=True)]
    ).astype(np.int64)
    rings = np.concatenate([_counts(g.surface_ends)[mask] for g, mask in chosen]).astype(np.int64)
    ends = np.cumsum(counts)
    closed = np.insert(points, ends, points[ends - counts], axis=0)
    ring_offsets = np.concatenate(([0], ends + np.arange(1, len(ends) + 1)))
    surface_offsets = np.concatenate(([0], np.cumsum(rings)))
    built: NDArray[np.object_] = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, closed, (ring_offsets, surface_offsets)
    )
    broken = np.flatnonzero(~shapely.is_valid(built))
    for row in broken.tolist():
        built[row] = _polygonal(shapely.make_valid(built[row])) or shapely.Polygon()
    return built


def _polygonal(shape: shapely.Geometry) -> shapely.Geometry | None:
    if shape.geom_type in {"Polygon", "MultiPolygon"}:
        return None if shape.is_empty else shape
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in {"Polygon", "MultiPolygon"}]
    return shapely.union_all(parts) if parts else None


def _thin_place(geometry: Geometry) -> shapely.Geometry:
    """Return points, lines, or the hull of surfaces that stand upright."""
    flat = geometry.coordinates[:, :2]
    if geometry.kind == "MultiPoint":
        return shapely.Point(flat[0]) if len(flat) == 1 else shapely.MultiPoint(flat)
    if geometry.kind == "MultiLineString":
        lines = [shapely.LineString(part) for part in np.split(flat, geometry.ring_ends[:-1])]
        return lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)
    return shapely.convex_hull(shapely.MultiPoint(flat))
