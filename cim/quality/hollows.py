"""Shells of one solid against each other: codes 401 to 403; pure.

Solids with hollows are rare, so each is looked at by itself.  The shells may touch at points and along lines; they
may not cross, share a part of a face, lie outside the outer one or in one another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import shapely

from cim.quality.codes import DUPLICATED_SHELLS, INNER_SHELL_OUTSIDE, INTERSECTION_SHELLS, Tolerances
from cim.quality.cuts import cut
from cim.quality.layout import Flags, Floats, Ints, Shells, Surfaces
from cim.quality.marks import Marks, joined, marks
from cim.quality.meeting import crossings
from cim.quality.planes import Planes


@dataclass(frozen=True, slots=True)
class _Shell:
    """One shell by itself: ``triangles`` (t, 3, 3), ``sides`` (g, 2, 3), ``vertices`` (v, 3), its surfaces' numbers."""

    triangles: Floats
    sides: Floats
    vertices: Floats
    surfaces: Ints


def check_hollows(surfaces: Surfaces, planes: Planes, shells: Shells, good: Ints, tolerances: Tolerances) -> Marks:
    """Return the first fault of each solid of which every shell is among the ``good``, and there is more than one."""
    sizes = np.bincount(shells.solid_of[shells.solid_of >= 0], minlength=1)
    sound = np.bincount(shells.solid_of[good][shells.solid_of[good] >= 0], minlength=len(sizes))
    found: list[Marks] = []
    for solid in np.flatnonzero((sizes > 1) & (sizes == sound)).tolist():
        rows = np.flatnonzero(shells.solid_of == solid)
        bodies = [_shell(surfaces, planes, int(shells.first[row]), int(shells.last[row])) for row in rows.tolist()]
        for code, number in _faults(surfaces, planes, bodies, tolerances):
            place = bodies[number].vertices[0]
            found.append(marks(code, shells.geometry_of[rows[:1]], np.ones(1), place))
            break
    return joined(found)


def _shell(surfaces: Surfaces, planes: Planes, first: int, last: int) -> _Shell:
    numbers = np.arange(first, last)
    rings = [ring for number in numbers.tolist() for ring in surfaces.rings(number)]
    sides = np.concatenate([np.stack((ring, np.roll(ring, -1, axis=0)), axis=1) for ring in rings])
    triangles = surfaces.coordinates[cut(surfaces, planes.flat, numbers).corners]
    return _Shell(triangles, sides, np.concatenate(rings), numbers)


def _faults(
    surfaces: Surfaces, planes: Planes, bodies: list[_Shell], tolerances: Tolerances
) -> Iterator[tuple[int, int]]:
    for one, two in combinations(range(len(bodies)), 2):
        if _same(bodies[one], bodies[two], tolerances):
            yield DUPLICATED_SHELLS, two
    for one, two in combinations(range(len(bodies)), 2):
        if _cross(bodies[one], bodies[two], tolerances) or _share_a_face(
            surfaces, planes, bodies[one].surfaces, bodies[two].surfaces, tolerances
        ):
            yield INTERSECTION_SHELLS, two
    outer = bodies[0]
    for number in range(1, len(bodies)):
        if (windings(outer.triangles, _inner_points(bodies[number])) < _HALF).any():
            yield INNER_SHELL_OUTSIDE, number
    for one, two in combinations(range(1, len(bodies)), 2):
        for a, b in ((one, two), (two, one)):
            # The surfaces of a hollow face into it: its winding number is negative.
            if (windings(bodies[a].triangles, _inner_points(bodies[b])) < -_HALF).any():
                yield INTERSECTION_SHELLS, two


_HALF = 0.5


def _inner_points(body: _Shell) -> Floats:
    """Return a point inside each of the largest triangles, away from sides that may touch something."""
    areas = np.linalg.norm(np.cross(*np.moveaxis(np.diff(body.triangles, axis=1), 1, 0)), axis=1)
    points: Floats = body.triangles[np.argsort(-areas)[:3]].mean(axis=1)
    return points


def windings(triangles: Floats, points: Floats) -> Floats:
    """Return how often a closed surface goes round points: 1 inside one that faces outwards, 0 outside.

    By the solid angles of its triangles: A. Van Oosterom and J. Strackee, The Solid Angle of a Plane Triangle, IEEE
    Transactions on Biomedical Engineering 30(2), 1983.
    """
    rays = triangles[None] - points[:, None, None]
    lengths = np.linalg.norm(rays, axis=3)
    a, b, c = (rays[:, :, k] for k in range(3))
    la, lb, lc = (lengths[:, :, k] for k in range(3))
    volume = (a * np.cross(b, c)).sum(axis=2)
    spread = la * lb * lc + (a * b).sum(axis=2) * lc + (b * c).sum(axis=2) * la + (c * a).sum(axis=2) * lb
    turns: Floats = np.arctan2(volume, spread).sum(axis=1) / (2.0 * np.pi)
    return turns


def _same(one: _Shell, two: _Shell, tolerances: Tolerances) -> bool:
    if len(one.vertices) != len(two.vertices) or len(one.surfaces) != len(two.surfaces):
        return False
    distances = np.linalg.norm(one.vertices[:, None] - two.vertices[None], axis=2)
    return bool(
        (distances.min(axis=0) <= tolerances.near_m).all() and (distances.min(axis=1) <= tolerances.near_m).all()
    )


def _cross(one: _Shell, two: _Shell, tolerances: Tolerances) -> bool:
    return _enters(one, two, tolerances) or _enters(two, one, tolerances)


def _enters(one: _Shell, two: _Shell, tolerances: Tolerances) -> bool:
    sides, triangles = (
        axis.reshape(-1) for axis in np.meshgrid(np.arange(len(one.sides)), np.arange(len(two.triangles)))
    )
    through: Flags = crossings(two.triangles[triangles], one.sides[sides, 0], one.sides[sides, 1], tolerances)
    return bool(through.any())


def _share_a_face(surfaces: Surfaces, planes: Planes, one: Ints, two: Ints, tolerances: Tolerances) -> bool:
    level = np.abs(planes.normals[one] @ planes.normals[two].T) > 1.0 - 1e-6
    apart = ((planes.middles[two][None] - planes.middles[one][:, None]) * planes.normals[one][:, None]).sum(axis=2)
    for a, b in np.argwhere(level & (np.abs(apart) <= tolerances.near_m)).tolist():
        faces = [_on_plane(surfaces, planes, number, int(one[a])) for number in (int(one[a]), int(two[b]))]
        common = faces[0].intersection(faces[1])
        if common.area > common.length * tolerances.near_m:
            return True
    return False


def _on_plane(surfaces: Surfaces, planes: Planes, surface: int, plane: int) -> shapely.Polygon:
    """Return a surface on the plane of another, along whose longest side it is laid."""
    normal, middle = planes.normals[plane], planes.middles[plane]
    across = surfaces.rings(plane)[0][0] - middle
    across = across - (across @ normal) * normal
    frame = np.stack((across, np.cross(normal, across))) / max(float(np.linalg.norm(across)), 1e-9)
    outer, *inner = ((ring - middle) @ frame.T for ring in surfaces.rings(surface))
    return shapely.Polygon(outer, inner)
