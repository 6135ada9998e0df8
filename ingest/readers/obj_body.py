"""A mesh of faces to a geometry of the city: solid where it is closed, surfaces named by how they face; pure.

OBJ does not say what a face is.  It is told from its normal (Newell's method), as CityGML 2.0 section 10.3.3
means the words: what is steeper than ``STEEP_DEG`` is a wall; what faces up is a roof; what faces down
is ground near the foot and an outer ceiling above it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cim.geometry.surfaces import Geometry, Semantics
from cim.geometry.wkb import offsets_of
from ingest.readers.obj_text import ObjMesh

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

STEEP_DEG: Final = 75.0
"""A face that is steeper than this is a wall."""

FOOT_M: Final = 3.0
"""What faces down within this height over the lowest vertex is ground; houses on slopes step."""

METHOD_SEMANTICS: Final = "by the normals of the faces"
_TYPES: Final = ("WallSurface", "RoofSurface", "GroundSurface", "OuterCeilingSurface")
_WALL, _ROOF, _GROUND, _CEILING = range(4)


@dataclass(frozen=True, slots=True)
class Body:
    """A geometry, and which of its surfaces make its plan."""

    geometry: Geometry
    is_plan: NDArray[np.bool_]
    closed: bool
    dropped: int
    """Faces that came twice to the same vertex and so have no area."""


def body_of(mesh: ObjMesh, lod: str) -> Body | None:
    """Return the geometry of a mesh in metres, ``None`` where no face has three vertices.

    A mesh in which every edge is passed once each way is a ``Solid`` (turned inside out where its
    volume is negative); any other is a ``MultiSurface`` as it came.
    """
    merged, same = np.unique(mesh.vertices, axis=0, return_inverse=True)
    corners, counts, dropped = _without_repeats(same.reshape(-1)[mesh.corners], mesh.counts)
    if not len(counts):
        return None
    closed = _is_closed(corners, counts, len(merged))
    normals = _normals(merged, corners, counts)
    if closed and _volume(merged, corners, counts, normals) < 0.0:
        corners, normals = _turned(corners, counts), -normals
    facing = _facing(normals)
    lowest = np.minimum.reduceat(merged[corners, 2], offsets_of(counts)[:-1])
    kinds = _kinds(facing, lowest - merged[:, 2].min(), closed=closed)
    ends = np.cumsum(counts, dtype=np.int32)
    surfaces = np.arange(1, len(counts) + 1, dtype=np.int32)
    geometry = Geometry(
        kind="Solid" if closed else "MultiSurface",
        lod=lod,
        coordinates=merged[corners],
        ring_ends=ends,
        surface_ends=surfaces,
        shell_ends=surfaces[-1:] if closed else np.empty(0, dtype=np.int32),
        semantics=_semantics(kinds),
    )
    flat = kinds != _WALL
    return Body(geometry, (facing < 0) & flat if closed else flat, closed, dropped)


def _without_repeats(corners: IntArray, counts: IntArray) -> tuple[IntArray, IntArray, int]:
    """Leave out corners that repeat the one before, and faces that have fewer than three vertices then."""
    starts = offsets_of(counts)[:-1]
    before = np.roll(corners, 1)
    before[starts] = corners[starts + counts - 1]
    kept = corners != before
    face = np.repeat(np.arange(len(counts)), counts)
    left = np.bincount(face[kept], minlength=len(counts))
    # A face back and forth between two vertices still has corners that differ from the one before.
    distinct = np.unique(np.stack((face, corners)), axis=1)[0]
    sound = (left >= 3) & (np.bincount(distinct, minlength=len(counts)) >= 3)
    kept &= sound[face]
    return corners[kept], left[sound].astype(np.int64), int((~sound).sum())


def _following(corners: IntArray, counts: IntArray) -> IntArray:
    starts = offsets_of(counts)[:-1]
    following = np.roll(corners, -1)
    following[starts + counts - 1] = corners[starts]
    return following


def _is_closed(corners: IntArray, counts: IntArray, vertices: int) -> bool:
    """Tell whether every edge is passed exactly once each way."""
    following = _following(corners, counts)
    there = np.sort(corners * vertices + following)
    back = np.sort(following * vertices + corners)
    return bool((there == back).all() and (there[1:] != there[:-1]).all())


def _normals(vertices: FloatArray, corners: IntArray, counts: IntArray) -> FloatArray:
    """Return the area vector of each face."""
    starts = offsets_of(counts)[:-1]
    first = np.repeat(vertices[corners[starts]], counts, axis=0)
    here = vertices[corners] - first
    there = vertices[_following(corners, counts)] - first
    normals: FloatArray = np.add.reduceat(np.cross(here, there), starts, axis=0) / 2.0
    return normals


def _volume(vertices: FloatArray, corners: IntArray, counts: IntArray, normals: FloatArray) -> float:
    """Return the volume inside, by the divergence theorem."""
    middle = vertices.mean(axis=0)
    heads = vertices[corners[offsets_of(counts)[:-1]]] - middle
    return float((heads * normals).sum() / 3.0)


def _turned(corners: IntArray, counts: IntArray) -> IntArray:
    ends = offsets_of(counts)[1:]
    place = np.arange(len(corners))
    starts = offsets_of(counts)[:-1]
    turned: IntArray = corners[np.repeat(starts + ends - 1, counts) - place]
    return turned


def _facing(normals: FloatArray) -> FloatArray:
    """Return the vertical share of each normal, -1 to 1; 0 for faces without area."""
    length = np.linalg.norm(normals, axis=1)
    facing: FloatArray = np.divide(normals[:, 2], length, out=np.zeros(len(length)), where=length > 1e-9)
    return facing


def _kinds(facing: FloatArray, above_foot_m: FloatArray, *, closed: bool) -> IntArray:
    """Return what each face is; which way a face of an open mesh faces is not to be trusted."""
    wall = np.abs(facing) < np.cos(np.radians(STEEP_DEG))
    low = above_foot_m <= FOOT_M
    down = facing < 0
    under = np.where(low, _GROUND, _CEILING if closed else _ROOF)
    return np.where(wall, _WALL, np.where(down, under, _ROOF))


def _semantics(kinds: IntArray) -> Semantics:
    present, values = np.unique(kinds, return_inverse=True)
    return Semantics(tuple({"type": _TYPES[kind]} for kind in present.tolist()), values.reshape(-1).astype(np.int32))
