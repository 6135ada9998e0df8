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

BEYOND_M: Final = 1.0
"""How far an open end is led beyond the border, metres: ending on it, rounding may leave it just short."""


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
    led = [_lead_to_border(line, border) for line in shapely.get_parts(merged)]
    # The lines are not clipped first: a clipped end may lie a rounding error short of the border.
    noded = shapely.union_all([border.exterior, *led])
    faces = [
        face
        for face in shapely.get_parts(shapely.polygonize(shapely.get_parts(noded).tolist()))
        if border.contains(face.point_on_surface())
    ]
    wet = _wetness(faces, led)
    land = shapely.union_all([face for face, water in zip(faces, wet, strict=True) if not water])
    sea = shapely.union_all([face for face, water in zip(faces, wet, strict=True) if water])
    return _polygons(land), _polygons(sea)


def _polygons(geometry: shapely.Geometry) -> list[shapely.Polygon]:
    return [part for part in shapely.get_parts(geometry) if isinstance(part, shapely.Polygon) and part.area > 0]


def _lead_to_border(line: shapely.LineString, border: shapely.Polygon) -> shapely.LineString:
    """Lead both ends of an open line a little beyond the nearest point of the border, so that they cross it."""
    points = shapely.get_coordinates(line)
    if np.array_equal(points[0], points[-1]):
        return line
    start, stop = _beyond(points[0], border), _beyond(points[-1], border)
    return shapely.LineString(np.vstack((start, points, stop)))


def _beyond(point: NDArray[np.float64], border: shapely.Polygon) -> NDArray[np.float64]:
    """Return no row for an end that is outside already, else one row beyond the border."""
    end = shapely.Point(point)
    if not border.contains(end):
        return np.empty((0, 2))
    nearest: NDArray[np.float64] = shapely.get_coordinates(border.exterior.interpolate(border.exterior.project(end)))
    way = nearest - point
    length = float(np.hypot(*way[0]))
    if length < BEYOND_M:
        # The end lies almost on the border: its nearest point gives no direction, the middle of the border does.
        way = nearest - shapely.get_coordinates(border.centroid)
        length = float(np.hypot(*way[0]))
    beyond: NDArray[np.float64] = nearest + way / length * BEYOND_M
    return beyond


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
