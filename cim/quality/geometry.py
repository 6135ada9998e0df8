"""All checks of geometry over a batch, from points to solids: what is wrong below is not asked for above; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from cim.city.rows import GeometryRows
from cim.quality.codes import Tolerances
from cim.quality.holes import check_holes
from cim.quality.layout import Flags, Ints, Shells, Surfaces, shells_of, surfaces_of
from cim.quality.marks import Marks, joined
from cim.quality.planes import Planes, check_planes, planes_of
from cim.quality.rings import check_points, check_simple
from cim.quality.shells import check_shells
from cim.quality.solids import check_solids

_LEVEL: Final = 0.9
"""Upward part of the normal of a floor, which may follow the ground."""

_FOOT_M: Final = 1.5
"""Metres over the lowest vertex within which the middle of a floor lies."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found in a batch of geometries, and how much was looked at.

    ``floorless``: geometries with a body and no level surface at its foot.  ``unexamined``: geometries with a shell
    that was too large to be asked whether it crosses itself.
    """

    found: Marks
    surfaces: int
    shells: int
    floorless: Ints
    unexamined: Ints


def examine(geometries: GeometryRows, tolerances: Tolerances) -> Examined:
    """Check the surfaces, shells and solids of some geometries.

    A surface has the first fault that it has (points, ring, holes, plane), a shell is asked only where all its
    surfaces are sound, a solid where all its shells are: one fault does not drag others behind it.
    """
    surfaces = surfaces_of(geometries)
    none = np.empty(0, dtype=np.int64)
    if not len(surfaces):
        return Examined(joined(()), 0, 0, none, none)
    planes = planes_of(surfaces)
    found, sound = check_surfaces(surfaces, planes, tolerances)
    floorless = _floorless(surfaces, planes)
    shells = shells_of(geometries)
    if not len(shells):
        return Examined(found, len(surfaces), 0, floorless, none)
    marked, good, corners = check_shells(surfaces, shells, _sound_shells(shells, sound), tolerances)
    solid, large = check_solids(surfaces, planes, shells, good, corners, tolerances)
    return Examined(joined((found, marked, solid)), len(surfaces), len(shells), floorless, large)


def check_surfaces(surfaces: Surfaces, planes: Planes, tolerances: Tolerances) -> tuple[Marks, Flags]:
    """Return the faults of surfaces by themselves, and which have none."""
    points, sound = check_points(surfaces, tolerances)
    rings, sound = check_simple(surfaces, planes, sound, tolerances)
    holes, sound = check_holes(surfaces, planes, sound, tolerances)
    bent, sound = check_planes(surfaces, planes, sound, tolerances)
    return joined((points, rings, holes, bent)), sound


def _sound_shells(shells: Shells, sound: Flags) -> Flags:
    wrong = np.concatenate(([0], np.cumsum(~sound)))
    whole: Flags = wrong[shells.last] == wrong[shells.first]
    return whole


def _floorless(surfaces: Surfaces, planes: Planes) -> Ints:
    """Return the geometries that rise, and have no level surface near their lowest vertex."""
    rows, first = np.unique(surfaces.geometry_of, return_index=True)
    heights = surfaces.coordinates[:, 2]
    starts = surfaces.vertex_offsets[first]
    low, high = np.minimum.reduceat(heights, starts), np.maximum.reduceat(heights, starts)
    own = np.searchsorted(rows, surfaces.geometry_of)
    is_floor = (np.abs(planes.normals[:, 2]) > _LEVEL) & (planes.middles[:, 2] - low[own] < _FOOT_M)
    floored = np.bincount(own[is_floor], minlength=len(rows)) > 0
    floorless: Ints = rows[(high - low > _FOOT_M) & ~floored]
    return floorless
