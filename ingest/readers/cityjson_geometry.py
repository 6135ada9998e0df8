"""CityJSON geometry to the ragged layout of :mod:`cim.city.rows`; pure.

The nested lists of a whole batch of objects are flattened level by level, all geometries at once, then
every test and every gather runs over the batch as one array.  Geometry types: CityJSON 2.0.1, section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from cim.city.model import COORDINATE_M_MAX, HEIGHT_M_MAX, LINE_VERTICES_MIN, RING_VERTICES_MIN
from cim.city.rows import GeometryRows
from cim.errors import InvalidInput
from cim.geometry.surfaces import KINDS
from cim.geometry.wkb import offsets_of
from ingest.readers.cityjson_semantics import Meanings, read_meanings, structures_of
from ingest.readers.cityjson_templates import MISSING, Templates, placement
from ingest.readers.cityjson_vertices import Vertices

BATCH_VERTICES_MAX: Final = 2_000_000
"""Vertices, counted once per use, of the geometries that are decoded together and of one object."""

Project = Callable[[Vertices], Vertices]
Fault = tuple[str, str]
Counts = NDArray[np.int64]

TOO_SHORT: Final[Fault] = ("ring-too-short", "A ring or a line has too few vertices.")
ABSURD: Final[Fault] = ("coordinate-absurd", "A coordinate is not a number, or not a place on Earth.")
ABSURD_HEIGHT: Final[Fault] = ("height-absurd", "A height is beyond any on Earth.")

_DEPTHS: Final = dict(zip(KINDS, (1, 2, 3, 3, 4, 5, 5), strict=True))
"""How deep the boundaries of a kind are nested."""

_SURFACE_DEPTH: Final = 3
_DEPTH_MAX: Final = 5


def bad_structure(what: str) -> InvalidInput:
    """Return the fault of one feature whose geometry is not built as the standard says."""
    return InvalidInput(what, code="geometry-structure")


@dataclass(slots=True)
class Shapes:
    """The geometries of a batch as they were parsed: shape ``i`` belongs to object ``owners[i]``.

    Its indices count from ``starts[i]`` in the vertices of the batch and stay below ``limits[i]``.
    """

    owners: list[int] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    limits: list[int] = field(default_factory=list)
    extra: list[Vertices] = field(default_factory=list)
    extra_rows: int = 0

    def add(
        self, owner: int, body: dict[str, Any], window: tuple[int, int], pool: Vertices, templates: Templates
    ) -> None:
        """Take one geometry; that of a template gets vertices of its own, behind the pool."""
        start, limit = window
        if body["type"] == "GeometryInstance":
            matrix, corner = placement(body, window, pool)
            template = templates.get(body["template"])
            body = template.body
            start, limit = len(pool) + self.extra_rows, len(template.vertices)
            self.extra.append(template.placed(matrix, corner))
            self.extra_rows += limit
            _check_count(self.extra_rows)
        self.owners.append(owner)
        self.bodies.append(body)
        self.starts.append(start)
        self.limits.append(limit)


def _check_count(vertices: int) -> None:
    if vertices > BATCH_VERTICES_MAX:
        raise InvalidInput(
            f"The geometry has more than {BATCH_VERTICES_MAX:,} vertices.",
            code="vertices-max",
            limit=BATCH_VERTICES_MAX,
        )


@dataclass(frozen=True, slots=True)
class _Levels:
    """Boundaries of a batch, five levels for all: points lie in one ring, one surface, one shell, one solid."""

    indices: NDArray[np.int64]
    ring_counts: Counts
    surface_counts: Counts
    shell_counts: Counts
    solid_counts: Counts
    geometry_counts: Counts


def _level(outer: Iterable[Any]) -> tuple[list[Any], Counts]:
    """Return what the lists of one level hold, one after the other, and how many each of them."""
    outer = outer if isinstance(outer, list) else list(outer)
    return list(chain.from_iterable(outer)), np.fromiter(map(len, outer), np.int64, len(outer))


def _flatten(bodies: list[dict[str, Any]], depths: list[int]) -> _Levels:
    wrapped: list[Any] = [body["boundaries"] for body in bodies]
    for row, depth in enumerate(depths):
        for _ in range(_DEPTH_MAX - depth):
            wrapped[row] = (wrapped[row],)
    solids, geometry_counts = _level(wrapped)
    shells, solid_counts = _level(solids)
    surfaces, shell_counts = _level(shells)
    rings, surface_counts = _level(surfaces)
    ring_counts = np.fromiter(map(len, rings), np.int64, len(rings))
    _check_count(int(ring_counts.sum()))
    indices = index_array(list(chain.from_iterable(rings)))
    return _Levels(indices, ring_counts, surface_counts, shell_counts, solid_counts, geometry_counts)


def index_array(values: list[int]) -> NDArray[np.int64]:
    """Return indices as an array; raises :class:`InvalidInput` for what is no list of whole numbers."""
    array = np.array(values) if values else np.empty(0, dtype=np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise bad_structure("A geometry is not a list of whole numbers, nested as its type wants it.")
    return array.astype(np.int64, copy=False)


@dataclass(frozen=True, slots=True)
class Assembled:
    """Geometries of some objects; which surfaces are ground; what is wrong, by object."""

    rows: GeometryRows
    is_ground: NDArray[np.bool_]
    faults: dict[int, Fault]


def assemble(shapes: Shapes, pool: Vertices) -> Assembled:
    """Flatten some geometries and gather their vertices; what was parsed is not needed any more.

    ``pool`` has shape (n, 3), in the CRS of the source, and so have the coordinates.  Where there are ``faults`` the
    rest is not to be used.  Raises :class:`InvalidInput` or ``TypeError`` where some geometry is not built as it
    should be.
    """
    kinds = [body["type"] for body in shapes.bodies]
    if not _DEPTHS.keys() >= set(kinds):
        raise bad_structure("That is not a geometry type of CityJSON.")
    depths = [_DEPTHS[kind] for kind in kinds]
    levels = _flatten(shapes.bodies, depths)
    depth = np.array(depths)
    # Ends of each geometry in solids, shells, surfaces, rings, vertices: offsets of offsets.
    solid_ends = offsets_of(levels.geometry_counts)
    shell_ends = offsets_of(levels.solid_counts)[solid_ends]
    surface_ends = offsets_of(levels.shell_counts)[shell_ends]
    ring_ends = offsets_of(levels.surface_counts)[surface_ends]
    vertex_ends = offsets_of(levels.ring_counts)[ring_ends]
    thick = depth >= _SURFACE_DEPTH
    thick_surface = np.repeat(thick, np.diff(surface_ends))
    _check_filled(levels, thick, thick_surface, np.diff(surface_ends), np.diff(vertex_ends))
    surfaces = np.where(thick, np.diff(surface_ends), 0)
    meanings = read_meanings(shapes.bodies, depths, surfaces)
    rows = GeometryRows(
        owners=np.array(shapes.owners, dtype=np.int64),
        kinds=kinds,
        lods=[lod_text(body.get("lod")) for body in shapes.bodies],
        structures=_structures(levels, depth, solid_ends, shell_ends, meanings),
        coordinates=np.empty((0, 3)),
        vertices=np.diff(vertex_ends),
        rings=np.where(depth > 1, np.diff(ring_ends), 0),
        surfaces=surfaces,
        ring_counts=levels.ring_counts[np.repeat(depth > 1, np.diff(ring_ends))],
        surface_counts=levels.surface_counts[thick_surface],
    )
    return _gathered(rows, levels.indices, shapes, pool, meanings.is_ground)


def _check_filled(
    levels: _Levels, thick: NDArray[np.bool_], thick_surface: NDArray[np.bool_], surfaces: Counts, vertices: Counts
) -> None:
    hollow = (levels.surface_counts == 0) & thick_surface
    if hollow.any() or (surfaces[thick] == 0).any() or 0 in levels.shell_counts or 0 in levels.solid_counts:
        raise bad_structure("A surface has no ring, or a solid no surface.")
    if (vertices == 0).any():
        raise InvalidInput("A geometry has no vertices.", code="geometry-empty")


def _structures(
    levels: _Levels, depth: NDArray[np.int64], solid_ends: Counts, shell_ends: Counts, meanings: Meanings
) -> list[str | None]:
    """Return the JSON of shells, solids and meanings of each geometry."""
    surfaces = offsets_of(levels.shell_counts)
    first_shell, first_solid = shell_ends[:-1], solid_ends[:-1]
    of_shell = np.repeat(np.arange(len(depth)), np.diff(shell_ends))
    of_solid = np.repeat(np.arange(len(depth)), np.diff(solid_ends))
    shells = (surfaces[1:] - surfaces[first_shell][of_shell]).tolist()
    shell_offsets = offsets_of(levels.solid_counts)
    solids = (shell_offsets[1:] - first_shell[of_solid]).tolist()
    return structures_of(
        [
            shells[start:stop] if deep > _SURFACE_DEPTH else []
            for deep, start, stop in zip(depth.tolist(), first_shell.tolist(), shell_ends[1:].tolist(), strict=True)
        ],
        [
            solids[start:stop] if deep == _DEPTH_MAX else []
            for deep, start, stop in zip(depth.tolist(), first_solid.tolist(), solid_ends[1:].tolist(), strict=True)
        ],
        meanings,
    )


def _gathered(
    rows: GeometryRows, indices: NDArray[np.int64], shapes: Shapes, pool: Vertices, is_ground: NDArray[np.bool_]
) -> Assembled:
    """Take the vertices that the boundaries name."""
    faults: dict[int, Fault] = {}
    bad = (indices < 0) | (indices >= np.repeat(np.array(shapes.limits, dtype=np.int64), rows.vertices))
    _blame(faults, np.repeat(rows.owners, rows.vertices)[bad], MISSING)
    if bad.any():
        return Assembled(rows, is_ground, faults)
    named = indices + np.repeat(np.array(shapes.starts, dtype=np.int64), rows.vertices)
    if shapes.extra:
        # The pool may be that of a whole file: nothing is put behind it in earnest.
        coordinates = np.empty((len(named), 3))
        own = named < len(pool)
        coordinates[own] = pool[named[own]]
        coordinates[~own] = np.concatenate(shapes.extra)[named[~own] - len(pool)]
    else:
        coordinates = pool[named]
    return Assembled(replace(rows, coordinates=coordinates), is_ground, faults)


def settle(rows: GeometryRows, is_ground: NDArray[np.bool_], project: Project) -> Assembled:
    """Bring geometries into the working CRS and check them; where there are ``faults`` those objects cannot be used."""
    faults: dict[int, Fault] = {}
    owner = np.repeat(rows.owners, rows.vertices)
    if not len(rows.coordinates):
        return Assembled(rows, is_ground, faults)
    with np.errstate(invalid="ignore", over="ignore"):
        coordinates = project(rows.coordinates)
        # A NaN fails every comparison, so it is caught here too.
        near = (np.abs(coordinates[:, :2]) < COORDINATE_M_MAX).all(axis=1)
        low = np.abs(coordinates[:, 2]) < HEIGHT_M_MAX
    _blame(faults, owner[~near], ABSURD)
    _blame(faults, owner[~low], ABSURD_HEIGHT)
    return _opened(rows, coordinates, is_ground, faults)


def _blame(faults: dict[int, Fault], owners: NDArray[np.int64], fault: Fault) -> None:
    for owner in np.unique(owners).tolist():
        faults.setdefault(owner, fault)


def _opened(
    rows: GeometryRows, coordinates: Vertices, is_ground: NDArray[np.bool_], faults: dict[int, Fault]
) -> Assembled:
    """Drop the last vertex of rings that repeat their first one.

    A ring of three stays as it is: real files hold slivers (a, b, a) of no area in sound buildings.
    """
    counts, shape = rows.ring_counts, np.repeat(np.arange(len(rows)), rows.rings)
    in_surface = rows.surfaces[shape] > 0
    starts = rows.ring_starts()
    candidates = np.flatnonzero(in_surface & (counts > RING_VERTICES_MIN))
    last = starts[candidates] + counts[candidates] - 1
    same = (coordinates[starts[candidates]] == coordinates[last]).all(axis=1)
    dropped = np.zeros(len(counts), dtype=np.int64)
    if same.any():
        dropped[candidates[same]] = 1
        keep = np.ones(len(coordinates), dtype=bool)
        keep[last[same]] = False
        coordinates = cast("Vertices", coordinates[keep])
    counts = counts - dropped
    least = np.where(in_surface, RING_VERTICES_MIN, LINE_VERTICES_MIN)
    _blame(faults, rows.owners[shape[counts < least]], TOO_SHORT)
    per_shape = np.bincount(shape, weights=dropped, minlength=len(rows)).astype(np.int64)
    opened = replace(rows, coordinates=coordinates, vertices=rows.vertices - per_shape, ring_counts=counts)
    return Assembled(opened, is_ground, faults)


def lod_text(value: Any) -> str:
    """Return the level of detail as text; 1.0 wrote it as a number."""
    if isinstance(value, str) and len(value) <= 8:
        return value
    if isinstance(value, int | float):
        return f"{value:g}"
    raise bad_structure("A geometry has no level of detail.")
