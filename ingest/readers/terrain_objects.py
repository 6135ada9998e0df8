"""Triangles of a terrain as objects of the city: one ``TINRelief`` for every so many of them; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.city.model import Attribute, CityObject
from cim.city.terrain import TERRAIN_TYPE
from cim.geometry.surfaces import Geometry
from cim.ids import object_id

FloatArray = NDArray[np.float64]

CHUNK_TRIANGLES: Final = 20_000
"""Triangles of one object."""


def chunk_object(
    dataset: str, native_id: str, triangles: FloatArray, lod: str, attributes: Mapping[str, Attribute]
) -> CityObject:
    """Return one object of triangles (n, 3, 3), metres of the working CRS; all of them are made to face up."""
    facing = upward(triangles)
    ends = np.arange(1, len(facing) + 1, dtype=np.int32)
    geometry = Geometry("CompositeSurface", lod, facing.reshape(-1, 3), ends * 3, ends)
    return CityObject(
        id=object_id(dataset, native_id),
        type=TERRAIN_TYPE,
        place=outline(facing),
        geometries=(geometry,),
        attributes=attributes,
    )


def chunks(triangles: FloatArray) -> Iterator[FloatArray]:
    """Yield triangles in pieces of at most ``CHUNK_TRIANGLES``."""
    for start in range(0, len(triangles), CHUNK_TRIANGLES):
        yield triangles[start : start + CHUNK_TRIANGLES]


def chunk_id(native_id: str, number: int) -> str:
    """Return the id of a piece: the first has that of the whole."""
    return native_id if number == 0 else f"{native_id}/{number + 1}"


def upward(triangles: FloatArray) -> FloatArray:
    """Return triangles whose corners run counter-clockwise seen from above."""
    (ax, ay), (bx, by), (cx, cy) = (triangles[:, corner, :2].T for corner in range(3))
    down = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay) < 0
    return np.where(down[:, None, None], triangles[:, ::-1], triangles)


def outline(triangles: FloatArray) -> shapely.Geometry:
    """Return the area that triangles cover together; their convex hull where they overlap."""
    closed = np.concatenate((triangles[:, :, :2], triangles[:, :1, :2]), axis=1)
    polygons = shapely.polygons(closed)
    hull = shapely.convex_hull(shapely.multipoints(triangles[:, :, :2].reshape(-1, 2)))
    solid = polygons[shapely.area(polygons) > 0]
    try:
        whole = shapely.coverage_union_all(solid)
    except shapely.GEOSException:
        return hull
    fits = shapely.is_valid(whole) and not shapely.is_empty(whole)
    if not fits or shapely.get_type_id(whole) not in {3, 6}:
        return hull
    covered = float(shapely.area(solid).sum())
    return whole if abs(float(shapely.area(whole)) - covered) <= 1e-6 * covered else hull
