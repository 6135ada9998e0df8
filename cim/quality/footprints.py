"""Footprints of objects that have nothing else, as surfaces to be checked; pure."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from cim.city.rows import GeometryRows, ObjectRows, geometry_rows

FOOTPRINT_LOD: Final = "0"
_AREAS: Final = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


def footprints_of(rows: ObjectRows) -> GeometryRows:
    """Return the areas on the map of the objects without a geometry, level at 0 m, holes turned against outlines."""
    bare = np.ones(len(rows), dtype=bool)
    bare[rows.geometries.owners] = False
    owners = np.flatnonzero(bare & np.isin(shapely.get_type_id(rows.places), _AREAS) & ~shapely.is_empty(rows.places))
    if not len(owners):
        return geometry_rows((), (), ())
    # Files say nothing about the direction of rings on a map, or each says it otherwise.
    oriented = shapely.orient_polygons(shapely.force_2d(rows.places[owners]))
    parts, of_part = shapely.get_parts(oriented, return_index=True)
    _, flat, (ring_offsets, part_offsets) = shapely.to_ragged_array(parts)
    last = np.zeros(len(flat), dtype=bool)
    last[ring_offsets[1:] - 1] = True
    vertices, rings = np.diff(ring_offsets) - 1, np.diff(part_offsets)
    surfaces = np.bincount(of_part, minlength=len(owners))
    of_ring = np.repeat(of_part, rings)
    coordinates = np.zeros((int((~last).sum()), 3))
    coordinates[:, :2] = flat[~last]
    return GeometryRows(
        owners=owners,
        kinds=["MultiSurface"] * len(owners),
        lods=[FOOTPRINT_LOD] * len(owners),
        structures=[None] * len(owners),
        coordinates=coordinates,
        vertices=np.bincount(of_ring, vertices, len(owners)).astype(np.int64),
        rings=np.bincount(of_ring, minlength=len(owners)),
        surfaces=surfaces,
        ring_counts=vertices,
        surface_counts=rings,
    )
