"""Whether the vertices of a surface lie on one plane, and its triangles face one way: codes 203 and 204; pure.

Exact screens keep the eigenvectors and the triangles for the few surfaces that may fail.  The plane through all
vertices by least squares has the smallest sum of squared distances; so where that sum from any plane, here the one
along the area vector, is within the tolerance squared, no vertex is further from it than the tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from cim.geometry.ragged import length
from cim.quality.codes import NON_PLANAR_DISTANCE, NON_PLANAR_NORMALS, Tolerances
from cim.quality.cuts import cut
from cim.quality.layout import Flags, Floats, Ints, Surfaces, area_vectors, largest, runs, summed
from cim.quality.marks import Marks, joined, marks

_TRIANGLE: Final = 3


@dataclass(frozen=True, slots=True)
class Planes:
    """A plane for each surface, along the area vector of its outer ring through the mean of its vertices.

    ``vectors`` (r, 3) the area vectors of all rings; ``local`` (n, 3) the vertices from there; ``heights_m`` (n,) their
    distance from the plane, signed; ``normals`` (s, 3) of unit length, 0 where the outer ring encloses nothing;
    ``flat`` (n, 2) the vertices on the plane.
    """

    vectors: Floats
    middles: Floats
    normals: Floats
    local: Floats
    heights_m: Floats
    flat: Floats


def planes_of(surfaces: Surfaces) -> Planes:
    """Return the plane of each surface."""
    offsets = surfaces.vertex_offsets
    counts = np.diff(offsets)
    rings = area_vectors(surfaces.coordinates, surfaces.ring_offsets)
    vectors = rings[surfaces.surface_offsets[:-1]]
    lengths = length(vectors)
    normals = np.divide(vectors, lengths[:, None], out=np.zeros_like(vectors), where=lengths[:, None] > 0)
    first = surfaces.coordinates[offsets[:-1]] if len(counts) else np.empty((0, 3))
    every = np.ascontiguousarray(surfaces.coordinates.T)
    # The mean is taken from near by: coordinates of a country have few digits left for millimetres.
    near = np.stack([axis - np.repeat(start, counts) for axis, start in zip(every, first.T, strict=True)])
    middles = first + summed(near.T, offsets) / np.maximum(counts, 1)[:, None]
    local = np.stack([axis - np.repeat(mean, counts) for axis, mean in zip(every, middles.T, strict=True)]).T
    across = _across(normals)
    along = np.cross(normals, across)
    flat = np.empty((len(local), 2))
    flat[:, 0], flat[:, 1] = _heights(local, across, counts), _heights(local, along, counts)
    return Planes(rings, middles, normals, local, _heights(local, normals, counts), flat)


def _heights(local: Floats, directions: Floats, counts: Ints) -> Floats:
    """Return how far vertices lie along the direction of their surface, which has ``counts`` of them."""
    # Term by term, so that equal vertices have equal results wherever they stand in the array.
    x, y, z = (local[:, axis] * np.repeat(directions[:, axis], counts) for axis in range(3))
    heights: Floats = x + y + z
    return heights


def _across(normals: Floats) -> Floats:
    """Return a unit vector square to each normal: its cross product with the axis that it follows least."""
    axis = np.zeros_like(normals)
    axis[np.arange(len(normals)), np.argmin(np.abs(normals), axis=1)] = 1.0
    across: Floats = np.asarray(np.cross(normals, axis), dtype=np.float64)
    lengths = length(across)[:, None]
    level: Floats = np.divide(across, lengths, out=np.zeros_like(across), where=lengths > 0)
    return level


def _dot(one: Floats, two: Floats) -> Floats:
    # Term by term, so that equal vertices have equal results wherever they stand in the array.
    product: Floats = one[:, 0] * two[:, 0] + one[:, 1] * two[:, 1] + one[:, 2] * two[:, 2]
    return product


def check_planes(surfaces: Surfaces, planes: Planes, sound: Flags, tolerances: Tolerances) -> tuple[Marks, Flags]:
    """Return the faults 203 of the ``sound`` surfaces and 204 of those that are plane, and which are sound still."""
    offsets = surfaces.vertex_offsets
    more_than_three = np.diff(offsets) > _TRIANGLE
    squares = summed(planes.heights_m**2, offsets)
    chosen = np.flatnonzero(sound & more_than_three & (squares > tolerances.plane_m**2))
    distances, places = _least_squares(surfaces, planes, chosen)
    bent = distances > tolerances.plane_m
    still = sound.copy()
    still[chosen[bent]] = False
    folded, deviations = _folded(surfaces, planes, still & more_than_three, tolerances)
    still[folded] = False
    return joined(
        (
            marks(NON_PLANAR_DISTANCE, surfaces.geometry_of[chosen[bent]], distances[bent], places[bent]),
            marks(NON_PLANAR_NORMALS, surfaces.geometry_of[folded], deviations, planes.middles[folded]),
        )
    ), still


def _least_squares(surfaces: Surfaces, planes: Planes, chosen: Ints) -> tuple[Floats, Floats]:
    """Return the distance of the vertex that is furthest from the fitted plane, and that vertex, per chosen surface."""
    members, ends = runs(surfaces.vertex_offsets, chosen)
    local = planes.local[members]
    covariance = summed(local[:, :, None] * local[:, None, :], ends)
    normals = np.linalg.eigh(covariance)[1][:, :, 0] if len(chosen) else np.empty((0, 3))
    owner = np.repeat(np.arange(len(chosen)), np.diff(ends))
    distances = np.abs(_dot(local, normals[owner]))
    furthest = largest(distances, ends)
    first = np.full(len(chosen), -1)
    at = np.flatnonzero(distances == furthest[owner])[::-1]
    first[owner[at]] = at
    return furthest, surfaces.coordinates[members[first]]


def _folded(surfaces: Surfaces, planes: Planes, sound: Flags, tolerances: Tolerances) -> tuple[Ints, Floats]:
    """Return the surfaces of which two triangles face too far apart, and by how many degrees."""
    offsets = surfaces.vertex_offsets
    spread = largest(planes.heights_m, offsets) + largest(-planes.heights_m, offsets)
    # Two triangles that differ by more than the tolerance: one leans by half of it at least, over a triangle that is
    # no narrower than vertices are told apart.
    least_m = tolerances.snap_m * np.tan(np.radians(tolerances.normals_deg / 2.0))
    chosen = np.flatnonzero(sound & (spread > least_m))
    cuts = cut(surfaces, planes.flat, chosen)
    deviations = _deviations(
        surfaces.coordinates[cuts.corners], cuts.surfaces, planes.normals, len(surfaces), tolerances
    )
    folded = np.flatnonzero(deviations > tolerances.normals_deg)
    return folded, deviations[folded]


def _deviations(corners: Floats, owners: Ints, normals: Floats, count: int, tolerances: Tolerances) -> Floats:
    """Return the largest angle in degrees between two triangles of each surface; thin triangles face nowhere."""
    sides = np.stack([np.roll(corners, -1, axis=1)[:, k] - corners[:, k] for k in range(3)], axis=1)
    vectors = np.cross(sides[:, 0], -sides[:, 2])
    areas = np.linalg.norm(vectors, axis=1)
    longest = np.linalg.norm(sides, axis=2).max(axis=1, initial=0.0)
    wide = areas > longest * tolerances.snap_m
    vectors, owners = vectors[wide] / areas[wide][:, None], owners[wide]
    leaning = np.einsum("ij,ij->i", vectors, normals[owners]) < np.cos(np.radians(tolerances.normals_deg / 2.0))
    found = np.zeros(count)
    for surface in np.unique(owners[leaning]).tolist():
        own = vectors[owners == surface]
        found[surface] = np.degrees(np.arccos(np.clip((own @ own.T).min(), -1.0, 1.0)))
    return found
