"""Land and sea from OpenStreetMap coastlines, closed along the border of the extract; pure.

A coastline has land on its left and water on its right
(https://wiki.openstreetmap.org/wiki/Tag:natural%3Dcoastline).  Open coastlines are led to the nearest
point of the border, the border and the lines are cut into faces, and each face goes to the side
that the longer part of its coastline gives it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

SIDE_OFFSET_M: Final = 0.05
"""How far beside a coastline a face is looked for, metres."""


def close_sea(
    coastlines: list[NDArray[np.float64]], border: shapely.Polygon
) -> tuple[list[shapely.Polygon], list[shapely.Polygon]]:
    """Return the land and the sea inside ``border`` as polygons, metres in the working CRS.

    ``coastlines`` have shape (n, 2) each, in their own direction.  Without any, all is land.
    """
    lines = [shapely.LineString(line) for line in coastlines if len(line) > 1]
    if not lines:
        return [border], []
    merged = shapely.line_merge(shapely.MultiLineString(lines), directed=True)
    led = [_lead_to_border(line, border.exterior) for line in shapely.get_parts(merged)]
    inside = [part for line in led for part in shapely.get_parts(shapely.intersection(line, border)) if part.length > 0]
    noded = shapely.union_all([border.exterior, *inside])
    faces = [f for f in shapely.get_parts(shapely.polygonize(shapely.get_parts(noded).tolist())) if f.area > 0]
    wet = _wetness(faces, inside)
    land = shapely.union_all([face for face, water in zip(faces, wet, strict=True) if not water])
    sea = shapely.union_all([face for face, water in zip(faces, wet, strict=True) if water])
    return _polygons(land), _polygons(sea)


def _polygons(geometry: shapely.Geometry) -> list[shapely.Polygon]:
    return [part for part in shapely.get_parts(geometry) if isinstance(part, shapely.Polygon) and part.area > 0]


def _lead_to_border(line: shapely.LineString, border: shapely.LinearRing) -> shapely.LineString:
    points = shapely.get_coordinates(line)
    if np.array_equal(points[0], points[-1]):
        return line
    ends = [border.interpolate(border.project(shapely.Point(point))) for point in (points[0], points[-1])]
    start, stop = (shapely.get_coordinates(end) for end in ends)
    return shapely.remove_repeated_points(shapely.LineString(np.vstack((start, points, stop))))


def _wetness(faces: list[shapely.Polygon], lines: list[shapely.LineString]) -> list[bool]:
    """Weigh each face by the length of coastline that has it on the right, less that on the left."""
    starts = np.concatenate([shapely.get_coordinates(line)[:-1] for line in lines])
    stops = np.concatenate([shapely.get_coordinates(line)[1:] for line in lines])
    along = stops - starts
    lengths = np.hypot(along[:, 0], along[:, 1])
    keep = lengths > 0
    starts, along, lengths = starts[keep], along[keep], lengths[keep]
    right = np.column_stack((along[:, 1], -along[:, 0])) / lengths[:, None] * SIDE_OFFSET_M
    middle = starts + along / 2
    tree = shapely.STRtree(faces)
    weight = np.zeros(len(faces))
    for points, sign in ((middle + right, 1.0), (middle - right, -1.0)):
        rows, hits = tree.query(shapely.points(points), predicate="within")
        np.add.at(weight, hits, sign * lengths[rows])
    return [bool(value > 0) for value in weight]
