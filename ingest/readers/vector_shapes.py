"""Shapes of a batch: decoded, repaired by a declared policy, projected to the working CRS; pure.

What is wrong with one feature is said by row, as a fault that keeps it out or as a repair that marks it.
Unclosed rings are closed, polygons that cross themselves are made valid (GEOS, ``linework``), height is
dropped: a place is 2D.  With the policy ``quarantine`` both keep the feature out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from cim.city.model import VERTICES_MAX
from cim.geometry.crs import LONLAT, in_area, transformer
from ingest.readers.source_crs import Projection
from ingest.readers.vector_wkb import is_harmless, kind_of

KEEP, QUARANTINE = "keep", "quarantine"
RING_CLOSED: Final = "ring-not-closed"
SELF_CROSSING: Final = "self-intersection"
AREA_MARGIN_DEG: Final = 3.0
"""How far beyond the area that a working CRS is made for a place may lie, degrees."""
SHARE_SWAPPED: Final = 0.9
"""Share of features that must lie outside, and inside once turned, before axes are called swapped."""

_KINDS: Final = {0: "point", 1: "line", 3: "area", 4: "point", 5: "line", 6: "area"}
_KINDS_WKB: Final = range(1, 7)
_VERTEX_BYTES: Final = 16
REPAIR_VERTICES_MAX: Final = 50_000
"""Vertices of a polygon that is asked whether it is valid although most of them come twice, and of one that is mended:
both may take the square of them."""
_REASONS: Final = {
    "geometry-missing": "The feature has no geometry.",
    "geometry-damaged": "The geometry cannot be decoded.",
    "geometry-empty": "The geometry is empty.",
    "geometry-kind": "A collection or a curve is no footprint, axis or point.",
    "geometry-degenerate": "A polygon of very many vertices goes over the same places again, or crosses itself.",
    "vertices-max": f"The geometry has more than {VERTICES_MAX:,} vertices.",
    "coordinate-absurd": "A coordinate is not a number, or no place in the stated coordinate system.",
    "outside-crs-area": "The place lies far outside the area of the city's coordinate system.",
    RING_CLOSED: "A ring does not end where it starts.",
    SELF_CROSSING: "A polygon crosses itself.",
}

Shapes = NDArray[np.object_]


@dataclass(slots=True)
class Placed:
    """Shapes in the working CRS, ``None`` where a fault keeps the row out.

    ``dimensions``: ``area``, ``line``, ``point`` or ``""`` a row; ``faults`` codes by row, ``repairs`` what
    was mended by row; ``outside`` rows that lie outside the area of the working CRS.
    """

    shapes: Shapes
    dimensions: list[str]
    faults: dict[int, str] = field(default_factory=dict)
    repairs: dict[int, str] = field(default_factory=dict)

    def fail(self, row: int, code: str) -> None:
        """Keep a row out; the first reason stays."""
        self.faults.setdefault(row, code)
        self.shapes[row] = None


def reason_of(code: str) -> str:
    """Return the sentence for a fault."""
    return _REASONS[code]


def place_shapes(wkb: Sequence[bytes | None], way: Projection, policy: str) -> Placed:
    """Return the shapes of a batch in the working CRS."""
    placed = _decode(wkb, policy)
    kinds = shapely.get_type_id(placed.shapes).tolist()
    placed.dimensions = [_KINDS.get(kind, "") for kind in kinds]
    for row, kind in enumerate(kinds):
        if kind >= 0 and kind not in _KINDS:
            placed.fail(row, "geometry-kind")
    for row in np.flatnonzero(shapely.is_empty(placed.shapes)).tolist():
        placed.fail(row, "geometry-empty")
    finite = np.isfinite(shapely.bounds(placed.shapes)).reshape(-1, 4).all(axis=1) & _all_finite(placed.shapes)
    for row in np.flatnonzero(~finite & ~shapely.is_missing(placed.shapes)).tolist():
        placed.fail(row, "coordinate-absurd")
    _mend(placed, policy)
    _project(placed, way)
    return placed


def _decode(wkb: Sequence[bytes | None], policy: str) -> Placed:
    placed = Placed(np.full(len(wkb), None, dtype=object), [])
    kept = list(wkb)
    for row, blob in enumerate(wkb):
        if blob is None:
            placed.fail(row, "geometry-missing")
        elif len(blob) > VERTICES_MAX * _VERTEX_BYTES:
            placed.fail(row, "vertices-max")
            kept[row] = None
        elif not is_harmless(blob):
            placed.fail(row, "geometry-damaged" if kind_of(blob) in {-1, *_KINDS_WKB} else "geometry-kind")
            kept[row] = None
    blobs = np.array(kept, dtype=object)
    shapes = shapely.force_2d(shapely.from_wkb(blobs, on_invalid="ignore"))
    broken = [row for row in np.flatnonzero(shapely.is_missing(shapes)).tolist() if row not in placed.faults]
    if broken:
        mended = shapely.from_wkb(blobs[broken], on_invalid="fix")
        for row, shape in zip(broken, shapely.force_2d(mended).tolist(), strict=True):
            if shape is None:
                placed.fail(row, "geometry-damaged")
            elif policy == QUARANTINE:
                placed.fail(row, RING_CLOSED)
            else:
                shapes[row] = shape
                placed.repairs[row] = RING_CLOSED
    placed.shapes = shapes
    return placed


def _all_finite(shapes: Shapes) -> NDArray[np.bool_]:
    """Tell which shapes have no NaN and no infinite coordinate; bounds pass over NaN."""
    coordinates, owners = shapely.get_coordinates(shapes, return_index=True)
    wrong = owners[~np.isfinite(coordinates).all(axis=1)]
    sound = np.ones(len(shapes), dtype=bool)
    sound[wrong] = False
    return sound


def _mend(placed: Placed, policy: str) -> None:
    areas = np.array([dimension == "area" for dimension in placed.dimensions], dtype=bool)
    large = shapely.get_num_coordinates(placed.shapes) > REPAIR_VERTICES_MAX
    for row in np.flatnonzero(areas & large).tolist():
        coordinates = shapely.get_coordinates(placed.shapes[row])
        if 2 * len(np.unique(coordinates, axis=0)) < len(coordinates):
            placed.fail(row, "geometry-degenerate")
    candidates = areas & ~shapely.is_missing(placed.shapes)
    for row in np.flatnonzero(candidates & ~shapely.is_valid(placed.shapes)).tolist():
        if policy == QUARANTINE:
            placed.fail(row, SELF_CROSSING)
            continue
        if large[row]:
            placed.fail(row, "geometry-degenerate")
            continue
        polygons = [part for part in _flat(shapely.make_valid(placed.shapes[row])) if part.area > 0]
        if not polygons:
            placed.fail(row, "geometry-empty")
            continue
        placed.shapes[row] = polygons[0] if len(polygons) == 1 else shapely.union_all(polygons)
        placed.repairs.setdefault(row, SELF_CROSSING)


def _flat(shape: shapely.Geometry) -> list[shapely.Geometry]:
    parts = shapely.get_parts(shape)
    return [one for part in parts.tolist() for one in shapely.get_parts(part).tolist() if one.geom_type == "Polygon"]


def _project(placed: Placed, way: Projection) -> None:
    present = np.flatnonzero(~shapely.is_missing(placed.shapes))
    if not len(present):
        return
    degrees = np.atleast_2d(shapely.get_coordinates(shapely.get_point(_outlines(placed.shapes[present]), 0)))
    inside = in_area(way.working_crs, turned(transformer(way.source.horizontal, LONLAT), degrees), AREA_MARGIN_DEG)
    placed.shapes[present] = shapely.transform(placed.shapes[present], _flat_way(way))
    coordinates, owners = shapely.get_coordinates(placed.shapes[present], return_index=True)
    absurd = np.zeros(len(present), dtype=bool)
    absurd[owners[~np.isfinite(coordinates).all(axis=1)]] = True
    for row in present[absurd].tolist():
        placed.fail(row, "coordinate-absurd")
    for row in present[~inside & ~absurd].tolist():
        placed.fail(row, "outside-crs-area")


def _outlines(shapes: Shapes) -> Shapes:
    """Return a line for each shape, whose first vertex is a vertex of the shape."""
    coordinates, owners = shapely.get_coordinates(shapes, return_index=True)
    first = np.searchsorted(owners, np.arange(len(shapes)))
    lines: Shapes = shapely.linestrings(np.stack((coordinates[first], coordinates[first]), axis=1))
    return lines


def _flat_way(way: Projection) -> _FlatWay:
    return _FlatWay(way)


class _FlatWay:
    """A projection of x and y alone, as shapely calls it."""

    def __init__(self, way: Projection) -> None:
        self._same = way.source.horizontal == way.working_crs
        self._way = transformer(way.source.horizontal, way.working_crs)

    def __call__(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        if self._same or not len(xy):
            return xy
        return turned(self._way, xy)


def turned(way: pyproj.Transformer, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return positions, shape (n, 2), in another CRS."""
    if len(xy) == 1:
        # pyproj takes arrays of one for a scalar and warns of it.
        return np.array([way.transform(float(xy[0, 0]), float(xy[0, 1]))])
    return np.column_stack(way.transform(xy[:, 0], xy[:, 1]))
