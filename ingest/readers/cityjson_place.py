"""Where an object stands on the map, its ground and its top, from its 3D geometries; pure, by batches.

The footprint is, in this order: the union of the ground surfaces of the finest level of detail; the
surfaces of level 0; the surfaces that face down; those that face up; the convex hull.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.city.rows import GeometryRows
from cim.geometry.surfaces import lod_rank
from cim.geometry.wkb import closed_rings, offsets_of

FACING_MIN: Final = 0.3
"""Share of the normal that must be vertical for a surface to face up or down."""

_GROUND, _ALL, _FACING = 1, 2, 3
_POLYGON, _MULTIPOLYGON = shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Standing:
    """Footprint in the working CRS, lowest and highest vertex in metres over its vertical datum."""

    place: shapely.Geometry
    ground_m: float
    top_m: float


@dataclass(frozen=True, slots=True)
class Standings:
    """The same for each object of a batch: ``None`` and NaN for those without geometry."""

    places: NDArray[np.object_]
    grounds_m: NDArray[np.float64]
    tops_m: NDArray[np.float64]


def stand(rows: GeometryRows, is_ground: Mask, objects: int) -> Standings:
    """Return where each of ``objects`` objects stands; ``is_ground`` says which surfaces are ground surfaces."""
    out = Standings(np.full(objects, None, dtype=object), np.full(objects, np.nan), np.full(objects, np.nan))
    if not len(rows):
        return out
    finest, picked, how = _picks(rows, is_ground)
    placed = rows.owners[finest]
    modes = np.zeros(len(rows), dtype=np.int8)
    modes[picked] = how
    of_surface = np.repeat(np.arange(len(rows)), rows.surfaces)
    mode = modes[of_surface]
    mask = ((mode == _GROUND) & is_ground) | (mode == _ALL)
    facing = np.flatnonzero(mode == _FACING)
    if len(facing):
        mask[facing] = _facing_chosen(rows, facing, of_surface[facing])
    lowest = np.full(objects, np.inf)
    if mask.any():
        _unite(rows, mask, rows.owners[of_surface[mask]], out.places, lowest)
    boxes = rows.bounds()[finest]
    out.grounds_m[placed] = np.where(how == _GROUND, lowest[placed], boxes[:, 2])
    out.tops_m[placed] = boxes[:, 5]
    for row, geometry in zip(placed.tolist(), finest.tolist(), strict=True):
        if out.places[row] is None:
            out.places[row] = _thin_place(rows, geometry)
    return out


def _picks(rows: GeometryRows, is_ground: Mask) -> tuple[Rows, Rows, NDArray[np.int8]]:
    """Return, for each object with a geometry: its finest one, the one that makes the footprint, and how."""
    known = {lod: lod_rank(lod) for lod in set(rows.lods)}
    levels = np.array([known[lod] for lod in rows.lods])
    thick = rows.surfaces > 0
    order = np.lexsort((~thick, -levels, rows.owners))
    finest = order[np.flatnonzero(np.diff(rows.owners[order], prepend=-1))]
    owners = rows.owners[finest]
    grounded = np.bincount(np.repeat(np.arange(len(rows)), rows.surfaces)[is_ground], minlength=len(rows)) > 0
    flat = np.flatnonzero(thick & (levels < 1))
    flat_owners, first = np.unique(rows.owners[flat], return_index=True)
    flat_of = np.full(int(rows.owners.max()) + 1, -1)
    flat_of[flat_owners] = flat[first]
    by_ground, by_flat = grounded[finest], flat_of[owners] >= 0
    picked = np.where(by_ground | ~by_flat, finest, flat_of[owners])
    return finest, picked, np.where(by_ground, _GROUND, np.where(by_flat, _ALL, _FACING)).astype(np.int8)


def _spans(starts: Rows, counts: Rows) -> Rows:
    """Return the numbers of some runs: ``counts[i]`` of them from ``starts[i]``."""
    spans: Rows = np.repeat(starts - offsets_of(counts)[:-1], counts) + np.arange(int(counts.sum()))
    return spans


def _facing_chosen(rows: GeometryRows, surfaces: Rows, geometry: Rows) -> Mask:
    """Return which surfaces face down, or, in geometries where none does, up."""
    share = _facing(rows, offsets_of(rows.surface_counts)[surfaces], geometry)
    down: Mask = share < -FACING_MIN
    has_down = np.zeros(len(rows), dtype=bool)
    has_down[geometry[down]] = True
    return np.where(has_down[geometry], down, share > FACING_MIN)


def _facing(rows: GeometryRows, rings: Rows, geometry: Rows) -> NDArray[np.float64]:
    """Return the vertical share of the normal of some rings (Newell's method), -1 to 1."""
    starts, counts = (every[rings] for every in rows.surface_rings())
    origins = rows.coordinates[offsets_of(rows.vertices)[geometry]]
    points = rows.coordinates[_spans(starts, counts)] - np.repeat(origins, counts, axis=0)
    ends = offsets_of(counts)
    following = np.arange(1, len(points) + 1)
    following[ends[1:] - 1] = ends[:-1]
    normal = np.add.reduceat(np.cross(points, points[following]), ends[:-1], axis=0)
    length = np.linalg.norm(normal, axis=1)
    share: NDArray[np.float64] = np.divide(normal[:, 2], length, out=np.zeros(len(length)), where=length > 0)
    return share


def _unite(
    rows: GeometryRows, mask: Mask, owners: Rows, places: NDArray[np.object_], lowest: NDArray[np.float64]
) -> None:
    """Put the union of the chosen surfaces of each object into ``places``, and their lowest vertex beside it."""
    ring_kept = np.repeat(mask, rows.surface_counts)
    starts, counts = (every[ring_kept] for every in rows.surface_rings())
    rings = rows.surface_counts[mask]
    kept = rows.coordinates[_spans(starts, counts)]
    first_vertex = offsets_of(counts)[offsets_of(rings)[:-1]]
    np.minimum.at(lowest, owners, np.minimum.reduceat(kept[:, 2], first_vertex))
    polygons = _polygons(kept[:, :2], counts, rings)
    solid = shapely.area(polygons) > 0
    polygons, owners = polygons[solid], owners[solid]
    members = np.bincount(owners, minlength=len(places))
    alone = members[owners] == 1
    places[owners[alone]] = polygons[alone]
    several = np.flatnonzero(members > 1)
    if len(several):
        number = np.searchsorted(several, owners[~alone])
        gathered = shapely.geometrycollections(polygons[~alone], indices=number)
        united = shapely.union_all(gathered[:, None], axis=1)
        odd = ~np.isin(shapely.get_type_id(united), (_POLYGON, _MULTIPOLYGON)) | shapely.is_empty(united)
        for row in np.flatnonzero(odd).tolist():
            united[row] = _polygonal(united[row])
        places[several] = united


def _polygons(points: NDArray[np.float64], counts: Rows, rings: Rows) -> NDArray[np.object_]:
    """Return surfaces as valid 2D polygons: ``counts`` points per ring, ``rings`` rings per surface."""
    built: NDArray[np.object_] = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, closed_rings(points, counts), (offsets_of(counts + 1), offsets_of(rings))
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


def _thin_place(rows: GeometryRows, geometry: int) -> shapely.Geometry:
    """Return points, lines, or the hull of surfaces that stand upright."""
    start = int(rows.vertices[:geometry].sum())
    flat = rows.coordinates[start : start + int(rows.vertices[geometry]), :2]
    kind = rows.kinds[geometry]
    if kind == "MultiPoint":
        return shapely.Point(flat[0]) if len(flat) == 1 else shapely.MultiPoint(flat)
    if kind == "MultiLineString":
        first = int(rows.rings[:geometry].sum())
        counts = rows.ring_counts[first : first + int(rows.rings[geometry])]
        lines = [shapely.LineString(part) for part in np.split(flat, np.cumsum(counts)[:-1])]
        return lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)
    return shapely.convex_hull(shapely.MultiPoint(flat))
