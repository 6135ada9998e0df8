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
    placed = [(row, finest) for row, finest in enumerate(best) if finest is not None]
    out: list[Standing | None] = [None] * len(geometries)
    if not placed:
        return out
    chosen = [_choose(finest, geometries[row]) for row, finest in placed]
    footprints, grounds = _union(chosen)
    heights = np.concatenate([finest.coordinates[:, 2] for _, finest in placed])
    counts = [len(finest.coordinates) for _, finest in placed]
    starts = np.cumsum([0, *counts[:-1]])
    lowest = np.minimum.reduceat(heights, starts).tolist()
    highest = np.maximum.reduceat(heights, starts).tolist()
    for item, (row, finest) in enumerate(placed):
        place = footprints[item]
        ground = grounds[item] if chosen[item].is_ground else lowest[item]
        out[row] = Standing(_thin_place(finest) if place is None else place, ground, highest[item])
    return out


@dataclass(frozen=True, slots=True)
class _Pick:
    """The surfaces of a geometry that make the footprint; ``is_ground``: they are ground surfaces."""

    geometry: Geometry
    mask: NDArray[np.bool_]
    is_ground: bool = False


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


def _choose(finest: Geometry, own: tuple[Geometry, ...]) -> _Pick:
    """Return the geometry and the surfaces that make the footprint; no surface for points and lines."""
    ground = _is_ground(finest)
    if ground is not None:
        return _Pick(finest, ground, is_ground=True)
    for geometry in own:
        if _level(geometry) < 1 and geometry.surface_count:
            return _Pick(geometry, np.ones(geometry.surface_count, dtype=bool))
    if not finest.surface_count:
        return _Pick(finest, np.zeros(0, dtype=bool))
    facing = _facing(finest)
    down = facing < -FACING_MIN
    return _Pick(finest, down if down.any() else facing > FACING_MIN)


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


def _union(chosen: list[_Pick]) -> tuple[list[shapely.Geometry | None], list[float]]:
    """Return one polygon or multipolygon per pick, ``None`` without area, and the lowest vertex of each."""
    out: list[shapely.Geometry | None] = [None] * len(chosen)
    lowest = [np.inf] * len(chosen)
    masks = np.concatenate([pick.mask for pick in chosen])
    if not masks.any():
        return out, lowest
    sizes = np.array([len(pick.mask) for pick in chosen])
    owners = np.repeat(np.arange(len(chosen)), sizes)[masks]
    thick = [pick.geometry for pick in chosen if len(pick.mask)]
    rings = _counts([geometry.surface_ends for geometry in thick])
    points = _counts([geometry.ring_ends for geometry in thick])
    ring_kept = np.repeat(masks, rings)
    kept = np.concatenate([geometry.coordinates for geometry in thick])[np.repeat(ring_kept, points)]
    rings, points = rings[masks], points[ring_kept]
    polygons = _polygons(kept[:, :2], points, rings)
    first_vertex = np.concatenate(([0], np.cumsum(points)))[np.concatenate(([0], np.cumsum(rings)[:-1]))]
    depths = np.minimum.reduceat(kept[:, 2], first_vertex).tolist()
    members: dict[int, list[shapely.Geometry]] = defaultdict(list)
    areas = shapely.area(polygons).tolist()
    for owner, polygon, area, depth in zip(owners.tolist(), polygons, areas, depths, strict=True):
        lowest[owner] = min(lowest[owner], depth)
        if area > 0:
            members[owner].append(polygon)
    for owner, own in members.items():
        out[owner] = own[0] if len(own) == 1 else _polygonal(shapely.union_all(own))
    return out, lowest


def _counts(ends: list[NDArray[np.int32]]) -> NDArray[np.int64]:
    """Return the sizes that the ends of many geometries, each counted from its own start, stand for."""
    together = np.concatenate(ends).astype(np.int64)
    counts = np.diff(together, prepend=0)
    starts = np.cumsum([0, *(len(own) for own in ends[:-1])])
    counts[starts] = together[starts]
    return counts


def _polygons(points: NDArray[np.float64], counts: NDArray[np.int64], rings: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return surfaces as valid 2D polygons: ``counts`` points per ring, ``rings`` rings per surface."""
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
