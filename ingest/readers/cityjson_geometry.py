"""CityJSON geometry to the ragged layout of :mod:`cim.geometry.surfaces`; pure.

The nested lists of a whole batch of objects are flattened once, then every test and every gather
runs over the batch as one array.  Geometry types and semantics: CityJSON 2.0.1, section 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate, chain
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from cim.city.model import COORDINATE_M_MAX, HEIGHT_M_MAX, LINE_VERTICES_MIN, RING_VERTICES_MIN
from cim.errors import InvalidInput
from cim.geometry.surfaces import KINDS, NO_ENDS, Geometry, GeometryKind, Semantics
from ingest.readers.cityjson_vertices import Vertices, vertex_array

BATCH_VERTICES_MAX: Final = 2_000_000
"""Vertices, counted once per use, of the geometries that are decoded together and of one object."""

Project = Callable[[Vertices], Vertices]
Fault = tuple[str, str]

TOO_SHORT: Final[Fault] = ("ring-too-short", "A ring or a line has too few vertices.")
MISSING: Final[Fault] = ("vertex-missing", "The geometry names a vertex that the file does not have.")
ABSURD: Final[Fault] = ("coordinate-absurd", "A coordinate is not a number, or not a place on Earth.")
ABSURD_HEIGHT: Final[Fault] = ("height-absurd", "A height is beyond any on Earth.")


def bad_structure(what: str) -> InvalidInput:
    """Return the fault of one feature whose geometry is not built as the standard says."""
    return InvalidInput(what, code="geometry-structure")


@dataclass(frozen=True, slots=True)
class Templates:
    """Geometry templates: geometries with indices into ``vertices``, shape (n, 3), in their own frame."""

    geometries: tuple[dict[str, Any], ...] = ()
    vertices: Vertices = field(default_factory=lambda: np.empty((0, 3)))


def read_templates(member: Any) -> Templates:
    """Return the templates of a ``geometry-templates`` member, none for ``None``."""
    if member is None:
        return Templates()
    if not isinstance(member, dict) or not isinstance(member.get("templates"), list):
        raise InvalidInput("The geometry templates of the file are damaged.", code="templates-damaged")
    return Templates(tuple(member["templates"]), vertex_array(member.get("vertices-templates", [])))


@dataclass(frozen=True, slots=True)
class _Shape:
    """One geometry in a batch: how many indices, rings, surfaces it has, and how they are gathered."""

    owner: int
    kind: GeometryKind
    lod: str
    indices: int
    rings: int
    surfaces: int
    shells: list[int]
    solids: list[int]
    semantics: Semantics | None


@dataclass(slots=True)
class Flattener:
    """Flattens the geometries of a batch of objects; object ``owner`` uses ``pool[offset : offset + count]``."""

    templates: Templates
    shapes: list[_Shape] = field(default_factory=list)
    indices: list[int] = field(default_factory=list)
    ring_counts: list[int] = field(default_factory=list)
    surface_counts: list[int] = field(default_factory=list)
    windows: list[tuple[int, int]] = field(default_factory=list)
    extra: list[Vertices] = field(default_factory=list)
    extra_rows: int = 0

    def add(self, owner: int, geometry: dict[str, Any], window: tuple[int, int], pool: Vertices) -> None:
        """Flatten one geometry; raises :class:`InvalidInput` or ``TypeError`` for a wrong structure."""
        matrix = None
        corner = None
        if geometry["type"] == "GeometryInstance":
            matrix, corner = _placement(geometry, window, pool)
            template = geometry["template"]
            if not isinstance(template, int) or not 0 <= template < len(self.templates.geometries):
                raise bad_structure("The geometry names a template that the file does not have.")
            geometry = self.templates.geometries[template]
        first = len(self.indices)
        self._flatten(owner, geometry)
        if len(self.indices) + self.extra_rows > BATCH_VERTICES_MAX:
            raise InvalidInput(
                f"The geometry has more than {BATCH_VERTICES_MAX:,} vertices.",
                code="vertices-max",
                limit=BATCH_VERTICES_MAX,
            )
        if matrix is not None and corner is not None:
            self._instance(first, matrix, corner, len(pool))
        else:
            self.windows.append(window)

    def _flatten(self, owner: int, geometry: dict[str, Any]) -> None:
        kind, boundaries = geometry["type"], geometry["boundaries"]
        if kind not in KINDS:
            raise bad_structure(f"{str(kind)[:40]!r} is not a geometry type of CityJSON.")
        shells: list[int] = []
        solids: list[int] = []
        if kind in {"MultiSolid", "CompositeSolid"}:
            solids = list(map(len, boundaries))
            boundaries = list(chain.from_iterable(boundaries))
        if kind in {"Solid", "MultiSolid", "CompositeSolid"}:
            shells = list(map(len, boundaries))
            boundaries = list(chain.from_iterable(boundaries))
        before = len(self.indices), len(self.ring_counts)
        surfaces = 0
        if kind == "MultiPoint":
            self.indices.extend(boundaries)
        elif kind == "MultiLineString":
            self.ring_counts.extend(map(len, boundaries))
            self.indices.extend(chain.from_iterable(boundaries))
        else:
            surfaces = len(boundaries)
            per_surface = list(map(len, boundaries))
            if not surfaces or min(per_surface) == 0 or 0 in shells or 0 in solids:
                raise bad_structure("A surface has no ring, or a solid no surface.")
            rings = list(chain.from_iterable(boundaries))
            self.surface_counts.extend(per_surface)
            self.ring_counts.extend(map(len, rings))
            self.indices.extend(chain.from_iterable(rings))
        count = len(self.indices) - before[0]
        if not count:
            raise InvalidInput("A geometry has no vertices.", code="geometry-empty")
        rings_added = len(self.ring_counts) - before[1]
        meaning = _semantics(geometry.get("semantics"), surfaces, shells, solids) if surfaces else None
        lod = _lod(geometry.get("lod"))
        self.shapes.append(_Shape(owner, kind, lod, count, rings_added, surfaces, shells, solids, meaning))

    def _instance(self, first: int, matrix: Vertices, corner: Vertices, pool_rows: int) -> None:
        """Place the template that was just flattened: its own copies of the vertices, behind the pool."""
        local = _index_array(self.indices[first:])
        if int(local.min()) < 0 or int(local.max()) >= len(self.templates.vertices):
            raise InvalidInput(MISSING[1], code=MISSING[0])
        used, places = np.unique(local, return_inverse=True)
        homogeneous = np.column_stack((self.templates.vertices[used], np.ones(len(used))))
        moved = homogeneous @ matrix.T
        self.extra.append(moved[:, :3] + corner)
        start = pool_rows + self.extra_rows
        self.indices[first:] = places.tolist()
        self.windows.append((start, len(used)))
        self.extra_rows += len(used)


def _placement(geometry: dict[str, Any], window: tuple[int, int], pool: Vertices) -> tuple[Vertices, Vertices]:
    matrix = np.array(geometry["transformationMatrix"], dtype=np.float64)
    boundaries = geometry["boundaries"]
    if matrix.shape != (16,) or not isinstance(boundaries, list) or len(boundaries) != 1:
        raise bad_structure("The placement of a template is not a matrix of 16 and one point.")
    row = boundaries[0]
    if not isinstance(row, int) or not 0 <= row < window[1]:
        raise InvalidInput(MISSING[1], code=MISSING[0])
    return matrix.reshape(4, 4), pool[window[0] + row]


def _lod(value: Any) -> str:
    """Return the level of detail as text; 1.0 wrote it as a number."""
    if isinstance(value, str) and len(value) <= 8:
        return value
    if isinstance(value, int | float):
        return f"{value:g}"
    raise bad_structure("A geometry has no level of detail.")


def _semantics(raw: Any, surfaces: int, shells: list[int], solids: list[int]) -> Semantics | None:
    if raw is None:
        return None
    meanings, values = raw["surfaces"], raw.get("values")
    if solids and values is not None:
        counts = np.array(solids)
        if len(values) != len(counts):
            raise bad_structure("The semantics do not fit the solids.")
        values = list(
            chain.from_iterable(
                [None] * count if value is None else value for value, count in zip(values, solids, strict=True)
            )
        )
    if shells and values is not None:
        if len(values) != len(shells):
            raise bad_structure("The semantics do not fit the shells.")
        values = list(
            chain.from_iterable(
                [None] * count if value is None else value for value, count in zip(values, shells, strict=True)
            )
        )
    if values is None:
        values = [None] * surfaces
    if len(values) != surfaces or not all(isinstance(meaning, dict) for meaning in meanings):
        raise bad_structure("The semantics do not fit the surfaces.")
    if None in values:
        values = [-1 if value is None else value for value in values]
    # Short lists: Python's own min and max are quicker than an array's.
    if set(map(type, values)) != {int} or min(values) < -1 or max(values) >= len(meanings):
        raise bad_structure("The semantics name a surface type that is not listed.")
    return Semantics(tuple(meanings), np.array(values, dtype=np.int32))


def _index_array(values: list[int]) -> NDArray[np.int64]:
    array = np.array(values)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise bad_structure("A geometry is not a list of whole numbers, nested as its type wants it.")
    return array.astype(np.int64, copy=False)


@dataclass(frozen=True, slots=True)
class Assembled:
    """The geometries of a batch: ``owners[i]`` is the object of ``geometries[i]``; faults by object."""

    owners: list[int]
    geometries: list[Geometry]
    faults: dict[int, Fault]


def assemble(flat: Flattener, pool: Vertices, project: Project) -> Assembled:
    """Gather, project and check all coordinates of a batch at once, and cut them into geometries.

    ``pool`` has shape (n, 3), in the CRS of the source; ``project`` leads to the working CRS.
    """
    if not flat.shapes:
        return Assembled([], [], {})
    faults: dict[int, Fault] = {}
    owner = np.array([shape.owner for shape in flat.shapes], dtype=np.int64)
    per_shape = np.array([shape.indices for shape in flat.shapes], dtype=np.int64)
    rows = _index_array(flat.indices)
    offsets, limits = np.array(flat.windows, dtype=np.int64).T
    limit = np.repeat(limits, per_shape)
    shape_of = np.repeat(np.arange(len(per_shape)), per_shape)
    bad = (rows < 0) | (rows >= limit)
    _blame(faults, owner[shape_of[bad]], MISSING)
    everything = np.concatenate((pool, *flat.extra)) if flat.extra else pool
    rows = np.where(bad, 0, rows) + np.repeat(offsets, per_shape)
    coordinates = (
        everything[np.minimum(rows, max(len(everything) - 1, 0))] if len(everything) else np.zeros((len(rows), 3))
    )
    with np.errstate(invalid="ignore", over="ignore"):
        coordinates = project(coordinates)
        # A NaN fails every comparison, so it is caught here too.
        near = (np.abs(coordinates[:, :2]) < COORDINATE_M_MAX).all(axis=1)
        low = np.abs(coordinates[:, 2]) < HEIGHT_M_MAX
    _blame(faults, owner[shape_of[~near]], ABSURD)
    _blame(faults, owner[shape_of[~low]], ABSURD_HEIGHT)
    return _cut(flat, coordinates, owner, faults)


def _blame(faults: dict[int, Fault], owners: NDArray[np.int64], fault: Fault) -> None:
    for owner in np.unique(owners).tolist():
        faults.setdefault(owner, fault)


def _cut(flat: Flattener, coordinates: Vertices, owner: NDArray[np.int64], faults: dict[int, Fault]) -> Assembled:
    per_shape = np.array([shape.indices for shape in flat.shapes], dtype=np.int64)
    shape_rings = np.array([shape.rings for shape in flat.shapes], dtype=np.int64)
    ring_counts = np.array(flat.ring_counts, dtype=np.int64)
    thin = np.array([shape.surfaces == 0 for shape in flat.shapes])
    ring_shape = np.repeat(np.arange(len(shape_rings)), shape_rings)
    least = np.where(thin[ring_shape], LINE_VERTICES_MIN, RING_VERTICES_MIN)
    # Points belong to no ring, so a ring's place counts from the start of its own shape.
    shape_starts = np.cumsum(per_shape) - per_shape
    run = np.cumsum(ring_counts) - ring_counts
    first_ring = np.cumsum(shape_rings) - shape_rings
    run_of_shape = np.concatenate((run, [int(ring_counts.sum())]))[first_ring]
    starts = shape_starts[ring_shape] + run - run_of_shape[ring_shape]
    ring_counts, coordinates, dropped = _open_rings(ring_counts, starts, coordinates, closed=~thin[ring_shape])
    _blame(faults, owner[ring_shape[ring_counts < least]], TOO_SHORT)
    per_shape = per_shape - np.bincount(ring_shape, weights=dropped, minlength=len(per_shape)).astype(np.int64)
    ring_ends = np.cumsum(ring_counts, dtype=np.int32)
    surface_ends = np.cumsum(np.array(flat.surface_counts, dtype=np.int32), dtype=np.int32)
    geometries: list[Geometry] = []
    at = ring = surface = 0
    for shape, count in zip(flat.shapes, per_shape.tolist(), strict=True):
        ring_base = ring_ends[ring - 1] if ring else np.int32(0)
        surface_base = surface_ends[surface - 1] if surface else np.int32(0)
        geometries.append(
            Geometry(
                kind=shape.kind,
                lod=shape.lod,
                coordinates=coordinates[at : at + count],
                ring_ends=ring_ends[ring : ring + shape.rings] - ring_base,
                surface_ends=surface_ends[surface : surface + shape.surfaces] - surface_base,
                shell_ends=_ends(shape.shells),
                solid_ends=_ends(shape.solids),
                semantics=shape.semantics,
            )
        )
        at, ring, surface = at + count, ring + shape.rings, surface + shape.surfaces
    return Assembled(owner.tolist(), geometries, faults)


def _ends(counts: list[int]) -> NDArray[np.int32]:
    return np.array(list(accumulate(counts)), dtype=np.int32) if counts else NO_ENDS


def _open_rings(
    counts: NDArray[np.int64], starts: NDArray[np.int64], coordinates: Vertices, *, closed: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], Vertices, NDArray[np.int64]]:
    """Drop the last vertex of rings that repeat their first one; ``closed``: which are rings and not lines.

    A ring of three stays as it is: real files hold slivers (a, b, a) of no area in sound buildings.
    """
    dropped = np.zeros(len(counts), dtype=np.int64)
    candidates = np.flatnonzero(closed & (counts > RING_VERTICES_MIN))
    last = starts[candidates] + counts[candidates] - 1
    same = (coordinates[starts[candidates]] == coordinates[last]).all(axis=1)
    if not same.any():
        return counts, coordinates, dropped
    dropped[candidates[same]] = 1
    keep = np.ones(len(coordinates), dtype=bool)
    keep[last[same]] = False
    return counts - dropped, cast("Vertices", coordinates[keep]), dropped
