"""What a scheme changes, as city objects with geometry (pure)."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from cim.city.model import Attribute, CityObject
from cim.geometry.surfaces import Geometry
from cim.schemes.base import Baseline
from cim.schemes.state import State


def realise(state: State, base: Baseline) -> dict[str, CityObject | None]:
    """Return what the scheme has added or changed, and ``None`` for what is gone."""
    return {target: _object(state, base, target) for target in state.targets}


def _object(state: State, base: Baseline, target: str) -> CityObject | None:
    if not state.exists(target):
        return None
    fields = state.fields(target)
    attributes = {
        "scheme_change": Attribute("changed" if base.fields(target) is not None else "added"),
        **{name: Attribute(value) for name, value in fields.items() if isinstance(value, str | int | float)},
    }
    place = _place(fields)
    geometries: tuple[Geometry, ...] = ()
    if fields["type"] == "Building" and place is not None:
        height_m = sum(storey[0] for storey in fields["storeys"]) + fields["roof"]["height_m"]
        attributes |= {
            "height_m": Attribute(height_m, "m"),
            "storeys_above_ground": Attribute(len(fields["storeys"])),
            "function": Attribute(fields["storeys"][0][1]),
            "storeys": Attribute(fields["storeys"]),
        }
        geometries = (_prism(fields["footprint"], fields["ground_m"], fields["ground_m"] + height_m),)
    return CityObject(target, fields["type"], place, geometries, attributes)


def _place(fields: dict[str, Any]) -> shapely.Geometry | None:
    if fields.get("footprint") is not None:
        return shapely.Polygon(fields["footprint"][0], fields["footprint"][1:])
    if fields.get("axis") is not None:
        return shapely.LineString(fields["axis"])
    return None if fields.get("place") is None else shapely.Point(fields["place"])


def _prism(footprint: list[list[list[float]]], foot_m: float, top_m: float) -> Geometry:
    outer = shapely.get_coordinates(shapely.Polygon(footprint[0]).exterior)[:-1]
    rings = [outer if _area(outer) > 0 else outer[::-1]]
    for hole in footprint[1:]:
        points = np.array(hole)
        rings.append(points if _area(points) < 0 else points[::-1])
    surfaces = [[_at(ring, top_m) for ring in rings], [_at(ring[::-1], foot_m) for ring in rings]]
    for ring in rings:
        for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            wall = np.array([[*a, foot_m], [*b, foot_m], [*b, top_m], [*a, top_m]])
            surfaces.append([wall])
    flat = [ring for surface in surfaces for ring in surface]
    return Geometry(
        kind="Solid",
        lod="1",
        coordinates=np.concatenate(flat),
        ring_ends=np.cumsum([len(ring) for ring in flat], dtype=np.int32),
        surface_ends=np.cumsum([len(surface) for surface in surfaces], dtype=np.int32),
        shell_ends=np.array([len(surfaces)], dtype=np.int32),
    )


def _at(ring: np.ndarray[Any, Any], z_m: float) -> np.ndarray[Any, Any]:
    return np.column_stack([ring, np.full(len(ring), z_m)])


def _area(ring: np.ndarray[Any, Any]) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
