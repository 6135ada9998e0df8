"""Shells as bodies: which way they face, whether they cross themselves; pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cim.geometry.wkb import offsets_of
from cim.quality.codes import WRONG_ORIENTATION_SHELL, Tolerances
from cim.quality.crossing import body_of, cannot_cross, check_crossing
from cim.quality.cuts import cut
from cim.quality.hollows import check_hollows
from cim.quality.layout import Floats, Ints, Shells, Surfaces, summed
from cim.quality.marks import Marks, joined, marks
from cim.quality.planes import Planes
from cim.quality.shells import Corners


def check_solids(
    surfaces: Surfaces, planes: Planes, shells: Shells, good: Ints, corners: Corners, tolerances: Tolerances
) -> tuple[Marks, Ints]:
    """Return the faults of shells whose surfaces hang together, and the geometries that were too large to be asked.

    ``good`` are the shells, ``corners`` theirs.  A shell that faces the wrong way is not asked whether it crosses
    itself; shells of one solid are held against each other where all of them are sound.
    """
    faces = _check_facing(surfaces, planes, shells, good)
    right = ~np.isin(good, faces.shells)
    asked = right & ~cannot_cross(surfaces, planes, shells, good, tolerances)
    held, own = good[asked], corners.only(asked)
    body = body_of(own, cut(surfaces, planes.flat, np.unique(own.surfaces)), surfaces, len(held))
    crossing, large = check_crossing(body, shells.geometry_of[held], tolerances)
    crossed = np.isin(shells.geometry_of[good], crossing.geometries)
    hollows = check_hollows(surfaces, planes, shells, good[right & ~crossed], tolerances)
    return joined((faces.found, crossing, hollows)), shells.geometry_of[held[large]]


@dataclass(frozen=True, slots=True)
class _Faces:
    shells: Ints
    found: Marks


def _check_facing(surfaces: Surfaces, planes: Planes, shells: Shells, good: Ints) -> _Faces:
    closed = good[shells.is_closed[good]]
    volumes = volumes_of(surfaces, planes.vectors, shells, closed)
    wrong = (volumes < 0) == shells.is_outer[closed]
    rows = closed[wrong]
    places = surfaces.coordinates[surfaces.vertex_offsets[shells.first[rows]]]
    return _Faces(rows, marks(WRONG_ORIENTATION_SHELL, shells.geometry_of[rows], np.abs(volumes[wrong]), places))


def volumes_of(surfaces: Surfaces, ring_vectors: Floats, shells: Shells, chosen: Ints) -> Floats:
    """Return the volume of some shells in m3, negative where the surfaces face inwards (the divergence theorem).

    ``ring_vectors`` (r, 3) are the area vectors of all rings.
    """
    vectors = summed(ring_vectors, surfaces.surface_offsets)
    starts = surfaces.coordinates[surfaces.vertex_offsets[:-1]]
    counts = shells.last[chosen] - shells.first[chosen]
    ends = offsets_of(counts)
    rows = np.arange(int(ends[-1])) + np.repeat(shells.first[chosen] - ends[:-1], counts)
    local = starts[rows] - np.repeat(starts[shells.first[chosen]], counts, axis=0)
    return summed((local * vectors[rows]).sum(axis=1), ends) / 3.0
