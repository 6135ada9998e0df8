"""Rings of one surface against each other: codes 201, 202, 205 to 208; pure, with GEOS for the few that have holes."""

from __future__ import annotations

from itertools import combinations
from typing import Final

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
from cim.quality.layout import Flags, Surfaces
from cim.quality.marks import Marks, joined, marks
from cim.quality.meeting import CONTACT
from cim.quality.planes import Planes

_TOUCH: Final = 100.0
"""Reaches along which outlines are together where they only touch, at however sharp an angle."""


def check_holes(surfaces: Surfaces, planes: Planes, sound: Flags, tolerances: Tolerances) -> tuple[Marks, Flags]:
    """Return the first fault of each ``sound`` surface with holes, and which surfaces are sound still."""
    found: list[Marks] = []
    still = sound.copy()
    chosen = np.flatnonzero(sound & (np.diff(surfaces.surface_offsets) > 1))
    for surface in chosen.tolist():
        first, last = int(surfaces.surface_offsets[surface]), int(surfaces.surface_offsets[surface + 1])
        ends = surfaces.ring_offsets
        rings = [planes.flat[ends[ring] : ends[ring + 1]] for ring in range(first, last)]
        code, ring = _first_fault([shapely.Polygon(flat) for flat in rings], tolerances)
        if code == 0:
            turned = np.flatnonzero(planes.vectors[first + 1 : last] @ planes.vectors[first] > 0)
            code, ring = (ORIENTATION_RINGS_SAME, int(turned[0]) + 1) if len(turned) else (0, 0)
        if code:
            still[surface] = False
            place = surfaces.coordinates[ends[first + ring]]
            found.append(marks(code, surfaces.geometry_of[surface : surface + 1], np.ones(1), place))
    return joined(found), still


def _first_fault(polygons: list[shapely.Polygon], tolerances: Tolerances) -> tuple[int, int]:
    """Return the code and the ring of the first fault, 0 where there is none.

    Rings that touch on their plane in space do so only nearly on a plane of numbers: what is thinner than ``reach``
    is nothing.
    """
    reach = tolerances.snap_m * CONTACT
    for one, two in combinations(range(len(polygons)), 2):
        if shapely.hausdorff_distance(polygons[one].exterior, polygons[two].exterior) <= tolerances.near_m:
            return DUPLICATED_RINGS, two
    outer, *inner = polygons
    for number, hole in enumerate(inner, start=1):
        if _is_area(hole.difference(outer), reach):
            return INTERSECTION_RINGS if _is_area(hole.intersection(outer), reach) else INNER_RING_OUTSIDE, number
        if _run_together(outer, hole, reach):
            return INTERSECTION_RINGS, number
    for one, two in combinations(range(1, len(polygons)), 2):
        a, b = polygons[one], polygons[two]
        if _is_area(a.intersection(b), reach):
            is_nested = not _is_area(a.difference(b), reach) or not _is_area(b.difference(a), reach)
            return INNER_RINGS_NESTED if is_nested else INTERSECTION_RINGS, two
        if _run_together(a, b, reach):
            return INTERSECTION_RINGS, two
    rest = outer.buffer(-reach).difference(shapely.union_all([hole.buffer(reach) for hole in inner]))
    return (INTERIOR_DISCONNECTED, 0) if shapely.get_num_geometries(rest) > 1 else (0, 0)


def _is_area(shape: shapely.Geometry, reach: float) -> bool:
    """Return whether there is more to a shape than the noise along its outline."""
    return bool(shape.area > shape.length * reach)


def _run_together(one: shapely.Polygon, two: shapely.Polygon, reach: float) -> bool:
    """Return whether outlines follow each other over some length; where they touch at a point, that is short."""
    return bool(one.exterior.buffer(reach).intersection(two.exterior).length > _TOUCH * reach)
