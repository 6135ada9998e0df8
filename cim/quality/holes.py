"""Rings of one surface against each other: codes 201, 202, 205 to 208; pure, with GEOS for the few that have holes."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import shapely

from cim.quality.codes import (
    DUPLICATED_RINGS,
    INNER_RING_OUTSIDE,
    INNER_RINGS_NESTED,
    INTERIOR_DISCONNECTED,
    INTERSECTION_RINGS,
    ORIENTATION_RINGS_SAME,
    Tolerances,
)
from cim.quality.layout import Flags, Surfaces, area_vectors
from cim.quality.marks import Marks, joined, marks
from cim.quality.planes import Planes


def check_holes(surfaces: Surfaces, planes: Planes, sound: Flags, tolerances: Tolerances) -> tuple[Marks, Flags]:
    """Return the first fault of each ``sound`` surface with holes, and which surfaces are sound still."""
    found: list[Marks] = []
    still = sound.copy()
    chosen = np.flatnonzero(sound & (np.diff(surfaces.surface_offsets) > 1))
    vectors = area_vectors(surfaces.coordinates, surfaces.ring_offsets) if len(chosen) else np.empty((0, 3))
    for surface in chosen.tolist():
        first, last = int(surfaces.surface_offsets[surface]), int(surfaces.surface_offsets[surface + 1])
        ends = surfaces.ring_offsets
        rings = [planes.flat[ends[ring] : ends[ring + 1]] for ring in range(first, last)]
        code, ring = _first_fault([shapely.Polygon(flat) for flat in rings], tolerances)
        if code == 0:
            turned = np.flatnonzero(vectors[first + 1 : last] @ vectors[first] > 0)
            code, ring = (ORIENTATION_RINGS_SAME, int(turned[0]) + 1) if len(turned) else (0, 0)
        if code:
            still[surface] = False
            place = surfaces.coordinates[ends[first + ring]]
            found.append(marks(code, surfaces.geometry_of[surface : surface + 1], np.ones(1), place))
    return joined(found), still


def _first_fault(polygons: list[shapely.Polygon], tolerances: Tolerances) -> tuple[int, int]:
    """Return the code and the ring of the first fault, 0 where there is none."""
    for one, two in combinations(range(len(polygons)), 2):
        if shapely.hausdorff_distance(polygons[one].exterior, polygons[two].exterior) <= tolerances.snap_m:
            return DUPLICATED_RINGS, two
    outer = polygons[0]
    for number, inner in enumerate(polygons[1:], start=1):
        if not outer.covers(inner) and inner.difference(outer).area > inner.length * tolerances.snap_m:
            return INTERSECTION_RINGS if _overlap(outer, inner) else INNER_RING_OUTSIDE, number
        if _share_a_line(outer, inner):
            return INTERSECTION_RINGS, number
    for one, two in combinations(range(1, len(polygons)), 2):
        a, b = polygons[one], polygons[two]
        if a.covers(b) or b.covers(a):
            return INNER_RINGS_NESTED, two
        if _overlap(a, b) or _share_a_line(a, b):
            return INTERSECTION_RINGS, two
    whole = shapely.Polygon(outer.exterior, [inner.exterior for inner in polygons[1:]])
    return (0, 0) if whole.is_valid else (INTERIOR_DISCONNECTED, 0)


def _overlap(one: shapely.Polygon, two: shapely.Polygon) -> bool:
    return bool(shapely.relate_pattern(one, two, "T********"))


def _share_a_line(one: shapely.Polygon, two: shapely.Polygon) -> bool:
    return bool(shapely.relate_pattern(one, two, "****1****"))
