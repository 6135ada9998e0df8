"""Small solids with one fault each, made by hand, and what ISO 19107 says of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import orjson

from cim.city.model import CityObject
from cim.city.rows import GeometryRows, geometry_rows
from cim.geometry.surfaces import Geometry, GeometryKind

Ring = list[list[float]]
Surface = list[Ring]


def geometry_of(
    kind: GeometryKind,
    surfaces: Sequence[Surface],
    shells: Sequence[int] | None = None,
    solids: Sequence[int] | None = None,
    lod: str = "2",
) -> Geometry:
    """Return surfaces, each a list of rings, as a geometry; a solid has one shell of all unless told."""
    rings = [np.array(ring, dtype=np.float64).reshape(-1, 3) for surface in surfaces for ring in surface]
    ends = shells if shells is not None else [len(surfaces)] if "Solid" in kind else []
    return Geometry(
        kind=kind,
        lod=lod,
        coordinates=np.concatenate(rings),
        ring_ends=np.cumsum([len(ring) for ring in rings]).astype(np.int32),
        surface_ends=np.cumsum([len(surface) for surface in surfaces]).astype(np.int32),
        shell_ends=np.array(ends, dtype=np.int32),
        solid_ends=np.array(solids if solids is not None else [], dtype=np.int32),
    )


def cube(origin: Sequence[float] = (0.0, 0.0, 0.0), side: float = 10.0) -> list[Surface]:
    """Return the six faces of a cube, each counter-clockwise from outside: floor, roof, then the walls."""
    return box(origin, (side, side, side))


def box(origin: Sequence[float], sides: Sequence[float]) -> list[Surface]:
    """Return the six faces of a box."""
    start, size = np.array(origin, dtype=float), np.array(sides, dtype=float)
    corners = (
        ((0, 0, 0), (0, 1, 0), (1, 1, 0), (1, 0, 0)),
        ((0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)),
        ((0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1)),
        ((1, 0, 0), (1, 1, 0), (1, 1, 1), (1, 0, 1)),
        ((1, 1, 0), (0, 1, 0), (0, 1, 1), (1, 1, 1)),
        ((0, 1, 0), (0, 0, 0), (0, 0, 1), (0, 1, 1)),
    )
    return [[[(start + size * np.array(corner)).tolist() for corner in face]] for face in corners]


def turned(surfaces: Sequence[Surface]) -> list[Surface]:
    """Return surfaces that face the other way."""
    return [[ring[::-1] for ring in surface] for surface in surfaces]


def moved(surfaces: Sequence[Surface], by: Sequence[float]) -> list[Surface]:
    """Return surfaces somewhere else."""
    return [[(np.array(ring) + np.array(by)).tolist() for ring in surface] for surface in surfaces]


def rotated(surfaces: Sequence[Surface], matrix: np.ndarray) -> list[Surface]:
    """Return surfaces turned by a matrix (3, 3)."""
    return [[(np.array(ring) @ matrix.T).tolist() for ring in surface] for surface in surfaces]


def with_surface(surfaces: Sequence[Surface], number: int, *rings: Ring) -> list[Surface]:
    """Return surfaces of which one has other rings."""
    return [list(rings) if row == number else surface for row, surface in enumerate(surfaces)]


def rows_of(*geometries: Geometry) -> GeometryRows:
    """Return geometries as rows, one object each."""
    structures = [
        orjson.dumps({"shells": g.shell_ends.tolist(), "solids": g.solid_ends.tolist()}).decode() for g in geometries
    ]
    return geometry_rows(geometries, range(len(geometries)), structures)


def building(native_id: str, geometry: Geometry, **attributes: object) -> CityObject:
    """Return a building of one geometry."""
    from cim.city.model import Attribute

    facts = {name: Attribute(value) for name, value in attributes.items()}  # type: ignore[arg-type]
    return CityObject(f"made:{native_id}", "Building", geometries=(geometry,), attributes=facts)
