"""Polygons on the map: cleaning, rings, unions."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.soup import FloatArray, IntArray, Soup, counts, next_in_rings, ranges, starts

Rings = tuple[FloatArray, IntArray, IntArray]
"""Open rings: coordinates (n, 2), where each ring ends, where each polygon's rings end."""

POLYGONAL: Final = (int(shapely.GeometryType.POLYGON), int(shapely.GeometryType.MULTIPOLYGON))
SIMPLIFY_M: Final = 0.03
"""Vertices of a footprint that lie this close to the line through their neighbours carry no form."""
FOOTPRINT_M2_MIN: Final = 0.25
UNDERSIDE_M: Final = 0.3
"""Faces that look down this close to the ground are never seen."""


def clean_footprints(
    places: NDArray[np.object_], tolerance_m: float = SIMPLIFY_M
) -> tuple[NDArray[np.object_], IntArray]:
    """Return valid single polygons, counter-clockwise, 2D, and the row that each comes from."""
    if not len(places):
        return np.empty(0, dtype=object), np.empty(0, dtype=np.int64)
    if shapely.has_z(places).any():
        places = shapely.force_2d(places)
    wrong = ~shapely.is_valid(places)
    if wrong.any():
        places = places.copy()
        places[wrong] = shapely.make_valid(places[wrong])
    polygons, origin = polygon_parts(places)
    layout = rings(polygons)
    polygons = _straight(polygons, ~settled(layout, tolerance_m), tolerance_m)
    turned_or_holed = ~_plainly_left(layout)
    polygons[turned_or_holed] = shapely.orient_polygons(polygons[turned_or_holed])
    keep = shapely.area(polygons) >= FOOTPRINT_M2_MIN
    return polygons[keep], origin[keep]


def straightened(polygons: NDArray[np.object_], tolerance_m: float) -> NDArray[np.object_]:
    """Return polygons without the vertices that hardly leave a line; one that this would break stays as it is."""
    return _straight(polygons, ~settled(rings(polygons), tolerance_m), tolerance_m)


def _straight(polygons: NDArray[np.object_], bent: NDArray[np.bool_], tolerance_m: float) -> NDArray[np.object_]:
    simple = shapely.simplify(polygons[bent], tolerance_m, preserve_topology=True)
    result = polygons.copy()
    result[bent] = np.where(shapely.is_valid(simple) & ~shapely.is_empty(simple), simple, polygons[bent])
    return result


def settled(layout: Rings, tolerance_m: float) -> NDArray[np.bool_]:
    """Tell which polygons simplification will leave as they are, several times faster than to try.

    A run of vertices within the tolerance of a line has one that lies within twice the tolerance of the line through
    its neighbours, or one that turns back sharply, or a side so short that the tolerance says nothing of its course.
    """
    xy, ring_ends, polygon_ends = layout
    if not len(polygon_ends):
        return np.empty(0, dtype=np.bool_)
    following = next_in_rings(ring_ends)
    dx, dy = (column[following] - column for column in np.ascontiguousarray(xy.T))
    side = np.sqrt(dx * dx + dy * dy)
    dx2, dy2, side2 = dx[following], dy[following], side[following]
    turn = np.abs(dx * dy2 - dy * dx2)
    course = dx * dx2 + dy * dy2
    chord = np.sqrt((dx + dx2) ** 2 + (dy + dy2) ** 2)
    clear = (turn > 2 * tolerance_m * chord) & (course > -0.5 * side * side2) & (side > 4 * tolerance_m)
    result: NDArray[np.bool_] = np.logical_and.reduceat(clear, starts(ring_ends[polygon_ends - 1]))
    return result


def _plainly_left(layout: Rings) -> NDArray[np.bool_]:
    """Tell which polygons are one ring that runs counter-clockwise."""
    xy, ring_ends, polygon_ends = layout
    begin, following = starts(ring_ends[polygon_ends - 1]), next_in_rings(ring_ends)
    x, y = (np.ascontiguousarray(xy - np.repeat(xy[begin], counts(ring_ends[polygon_ends - 1]), axis=0))).T
    left = np.add.reduceat(x * y[following] - y * x[following], begin) > 0 if len(begin) else np.empty(0, np.bool_)
    single: NDArray[np.bool_] = left & (counts(polygon_ends) == 1)
    return single


def polygon_parts(geometries: NDArray[np.object_]) -> tuple[NDArray[np.object_], IntArray]:
    """Return the polygons inside any geometries, collections too, and the row that each comes from."""
    whole = shapely.get_type_id(geometries) == int(shapely.GeometryType.POLYGON)
    if whole.all() and not shapely.is_empty(geometries).any():
        return geometries.copy(), np.arange(len(geometries))
    parts, origin = shapely.get_parts(geometries, return_index=True)
    nested = shapely.get_type_id(parts) > int(shapely.GeometryType.POLYGON)
    if nested.any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        origin = origin[inner]
    keep = (shapely.get_type_id(parts) == int(shapely.GeometryType.POLYGON)) & ~shapely.is_empty(parts)
    rows: IntArray = origin[keep].astype(np.int64)
    return parts[keep], rows


def rings(polygons: NDArray[np.object_]) -> Rings:
    """Return open rings: coordinates (n, 2), where each ring ends, where each polygon's rings end."""
    if not len(polygons):
        none = np.empty(0, dtype=np.int64)
        return np.empty((0, 2)), none, none
    holes = shapely.get_num_interior_rings(polygons)
    polygon_ends = np.cumsum(holes + 1, dtype=np.int64)
    size = shapely.get_num_coordinates(polygons).astype(np.int64)
    holed = np.flatnonzero(holes)
    if len(holed):
        outer = size
        size = np.empty(polygon_ends[-1], dtype=np.int64)
        size[polygon_ends - 1] = outer
        ring = ranges((polygon_ends - holes - 1)[holed], holes[holed] + 1)
        size[ring] = shapely.get_num_coordinates(shapely.get_rings(polygons[holed]))
    closed = shapely.get_coordinates(polygons)
    closed_ends = np.cumsum(size)
    keep = np.ones(len(closed), dtype=bool)
    keep[closed_ends - 1] = False
    return closed[keep], closed_ends - np.arange(1, len(size) + 1), polygon_ends


def footprints_of(soup: Soup, up: FloatArray, flat_m2_min: float = 0.05) -> tuple[NDArray[np.object_], IntArray]:
    """Return the outlines of each feature's surfaces seen from above, single polygons, and their features, ascending.

    The union, on the map, of the undersides that lie on the ground, or of all surfaces that are not upright where
    there are none; ``up`` (surfaces, 3) are their area vectors.
    """
    keep = np.abs(up[:, 2]) > flat_m2_min
    under = keep & (up[:, 2] < 0) & (soup.height_m[soup.surface_starts] < UNDERSIDE_M)
    grounded = np.isin(soup.owner, soup.owner[under])
    chosen = np.flatnonzero(np.where(grounded, under, keep))
    if not len(chosen):
        return np.empty(0, dtype=object), np.empty(0, dtype=np.int64)
    chosen = chosen[np.argsort(soup.owner[chosen], kind="stable")]
    valid = polygons_of(soup.select(chosen))
    wrong = ~shapely.is_valid(valid)
    valid[wrong] = shapely.make_valid(valid[wrong])
    parts, origin = polygon_parts(valid)
    owners, group, size = np.unique(soup.owner[chosen][origin], return_inverse=True, return_counts=True)
    outlines = np.empty(len(owners), dtype=object)
    single = size[group] == 1
    outlines[group[single]] = parts[single]
    if not single.all():
        _, dense = np.unique(group[~single], return_inverse=True)
        gathered = shapely.multipolygons(shapely.set_precision(parts[~single], 0.01, mode="pointwise"), indices=dense)
        outlines[size > 1] = shapely.union_all(gathered[:, None], axis=1)
    polygons, origin = polygon_parts(outlines)
    oriented: NDArray[np.object_] = shapely.orient_polygons(polygons)
    return oriented, owners[origin]


def polygons_of(soup: Soup) -> NDArray[np.object_]:
    """Return each surface as a 2D polygon (it may be invalid, upright ones have no area)."""
    closed = np.insert(soup.coordinates[:, :2], soup.ring_ends, soup.coordinates[soup.ring_starts, :2], axis=0)
    ring_offsets = np.concatenate(([0], soup.ring_ends + np.arange(1, len(soup.ring_ends) + 1)))
    surface_offsets = np.concatenate(([0], soup.surface_ends))
    made: NDArray[np.object_] = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, closed, (ring_offsets, surface_offsets)
    )
    return made


def turned(ring_ends: IntArray) -> IntArray:
    """Return vertex indices that run every ring backwards."""
    first = ring_ends - counts(ring_ends)
    ring = np.repeat(np.arange(len(ring_ends)), counts(ring_ends))
    backwards: IntArray = first[ring] + ring_ends[ring] - 1 - np.arange(len(ring))
    return backwards
