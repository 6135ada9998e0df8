"""Roof shapes on footprints.

The words are those of OpenStreetMap's ``roof:shape`` (Simple 3D Buildings); shapes that are not
drawn are read as their nearest kin.  A ridge needs a footprint of four corners that nearly fills its
smallest rectangle; a point or a dome needs one that is seen whole from its middle; else the roof
stays flat.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.intake import Blocks
from tiles.outlines import Outlines
from tiles.soup import FloatArray, IntArray, Soup, empty_soup, equal_faces, join

KIN: Final = {
    "gabled": "gabled", "half-hipped": "gabled", "gambrel": "gabled", "round": "gabled", "saltbox": "gabled",
    "hipped": "hipped", "mansard": "hipped", "side_hipped": "hipped",
    "pyramidal": "pyramidal", "cone": "pyramidal", "conical": "pyramidal",
    "dome": "dome", "onion": "dome", "skillion": "skillion", "lean_to": "skillion",
}  # fmt: skip
CORNERS_TOLERANCE_M: Final = 0.15
RECTANGLE_SHARE: Final = 0.9
SLOPE: Final = 0.6
"""Rise over run of a roof whose height is not given."""
SHARE_MAX: Final = 0.45
"""A roof whose height is not given takes at most this share of the block."""
DOME_STEPS: Final = 4


@dataclass(frozen=True, slots=True)
class ShapedRoofs:
    """``rise_m`` is 0 for a flat roof; ``surfaces`` are above the eaves at height 0, owner = the block's row."""

    footprint: Outlines
    rise_m: FloatArray
    surfaces: Soup


def shape_roofs(blocks: Blocks) -> ShapedRoofs:
    """Return the pitched roofs of blocks, and the footprints with four clean corners where a ridge needs them."""
    footprint, rise = blocks.footprint, np.zeros(len(blocks.footprint))
    surfaces: list[Soup] = []
    kin = kin_of(blocks.roof)
    ridged = np.flatnonzero((kin == "gabled") | (kin == "hipped") | (kin == "skillion"))
    rows, corners = _rectangles(blocks.footprint, ridged)
    if len(rows):
        footprint = footprint.put(rows, shapely.polygons(corners))
        width = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)
        run = np.where(kin[rows] == "skillion", width * 0.4, width / 2)
        rise[rows] = _rise(blocks, rows, run * SLOPE)
        for word, shape in (("gabled", _gabled), ("hipped", _hipped), ("skillion", _skillion)):
            of_kind = kin[rows] == word
            surfaces.append(shape(corners[of_kind], rise[rows[of_kind]], rows[of_kind]))
    pointed = np.flatnonzero((kin == "pyramidal") | (kin == "dome"))
    for row, shape in zip(pointed.tolist(), footprint[pointed].shapes, strict=True):
        ring = _seen_from_middle(shape)
        if ring is None:
            continue
        radius = float(np.sqrt(shapely.area(shape) / np.pi))
        one = np.array([row])
        rise[one] = _rise(blocks, one, np.array([radius * (1.0 if kin[row] == "dome" else SLOPE)]))
        surfaces.append(_pointed(ring, float(rise[row]), row, dome=kin[row] == "dome"))
    return ShapedRoofs(footprint, rise, join(surfaces) if surfaces else empty_soup())


def kin_of(words: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the drawn shape that each word for a roof stands for, ``""`` for a flat one."""
    kin = np.full(len(words), "", dtype=object)
    named = np.flatnonzero(words != "")
    kin[named] = [KIN.get(str(word).lower(), "") for word in words[named]]
    return kin


def _rise(blocks: Blocks, rows: IntArray, by_slope: FloatArray) -> FloatArray:
    whole = blocks.top_m[rows] - blocks.floor_m[rows]
    given = blocks.roof_height_m[rows]
    rise: FloatArray = np.where(given > 0, np.minimum(given, whole), np.minimum(by_slope, whole * SHARE_MAX))
    return rise


def _rectangles(footprints: Outlines, rows: IntArray) -> tuple[IntArray, FloatArray]:
    """Return the rows that are nearly rectangles, and their corners (n, 4, 2), the first side a short one."""
    if not len(rows):
        return rows, np.empty((0, 4, 2))
    simple = shapely.orient_polygons(shapely.simplify(footprints[rows].shapes, CORNERS_TOLERANCE_M))
    filled = shapely.area(simple) / np.maximum(shapely.area(shapely.minimum_rotated_rectangle(simple)), 1e-9)
    four = (shapely.get_num_coordinates(simple) == 5) & (filled >= RECTANGLE_SHARE)
    rows = rows[four]
    if not len(rows):
        return rows, np.empty((0, 4, 2))
    corners = shapely.get_coordinates(simple[four]).reshape(-1, 5, 2)[:, :4]
    first = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)
    second = np.linalg.norm(corners[:, 2] - corners[:, 1], axis=1)
    return rows, np.where((first > second)[:, None, None], np.roll(corners, -1, axis=1), corners)


def _at(xy: FloatArray, level: FloatArray | float) -> FloatArray:
    return np.column_stack((xy, np.broadcast_to(level, len(xy))))


def _faces(points: list[FloatArray], rows: IntArray) -> Soup:
    corners = np.stack(points, axis=1)
    return equal_faces(corners, rows, np.zeros(corners.shape[:2]))


def _gabled(corners: FloatArray, rise: FloatArray, rows: IntArray) -> Soup:
    return _ridge_roof(corners, rise, rows, np.zeros(len(rows)))


def _hipped(corners: FloatArray, rise: FloatArray, rows: IntArray) -> Soup:
    short = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)
    long = np.linalg.norm(corners[:, 2] - corners[:, 1], axis=1)
    return _ridge_roof(corners, rise, rows, np.minimum(short / 2 / np.maximum(long, 1e-9), 0.45))


def _ridge_roof(corners: FloatArray, rise: FloatArray, rows: IntArray, inset: FloatArray) -> Soup:
    """Ridge along the long axis, its ends drawn in by a share of the length (0 makes gables)."""
    if not len(rows):
        return empty_soup()
    a, b, c, d = (_at(corners[:, i], 0.0) for i in range(4))
    start = (corners[:, 0] + corners[:, 1]) / 2
    stop = (corners[:, 2] + corners[:, 3]) / 2
    along = (stop - start) * inset[:, None]
    p, q = _at(start + along, rise), _at(stop - along, rise)
    slopes = join([_faces([b, c, q, p], rows), _faces([d, a, p, q], rows)])
    return join([slopes, _faces([a, b, p], rows), _faces([c, d, q], rows)])


def _skillion(corners: FloatArray, rise: FloatArray, rows: IntArray) -> Soup:
    """One slope across the short axis: low along the side b-c, high along the side d-a."""
    if not len(rows):
        return empty_soup()
    a, b, c, d = (_at(corners[:, i], 0.0) for i in range(4))
    p, q = _at(corners[:, 0], rise), _at(corners[:, 3], rise)
    return join(
        [
            _faces([b, c, q, p], rows), _faces([d, a, p, q], rows), _faces([a, b, p], rows), _faces([c, d, q], rows),
        ]
    )  # fmt: skip


def _seen_from_middle(polygon: shapely.Polygon) -> FloatArray | None:
    """Return the ring about its middle, if every side is seen from there; else nothing."""
    if shapely.get_num_interior_rings(polygon):
        return None
    ring = shapely.get_coordinates(polygon)[:-1]
    arms = ring - shapely.get_coordinates(shapely.centroid(polygon))[0]
    following = np.roll(arms, -1, axis=0)
    area = arms[:, 0] * following[:, 1] - arms[:, 1] * following[:, 0]
    return ring if bool((area > 0).all()) else None


def _pointed(ring: FloatArray, rise: float, row: int, *, dome: bool) -> Soup:
    """Close a ring towards its middle: straight to a point, or in steps of a quarter circle."""
    middle = shapely.get_coordinates(shapely.centroid(shapely.Polygon(ring)))[0]
    angles = np.linspace(0.0, np.pi / 2, DOME_STEPS + 1) if dome else np.array([0.0, np.pi / 2])
    levels = [_at(middle + (ring - middle) * np.cos(angle), rise * np.sin(angle)) for angle in angles[:-1]]
    owner = np.full(len(ring), row)
    pieces = [
        _faces([low, np.roll(low, -1, axis=0), np.roll(high, -1, axis=0), high], owner)
        for low, high in pairwise(levels)
    ]
    last = levels[-1]
    tip = np.broadcast_to(np.append(middle, rise), last.shape)
    return join([*pieces, _faces([last, np.roll(last, -1, axis=0), tip], owner)])
