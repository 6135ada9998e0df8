"""City objects as CityJSON 2.0 and CityJSONSeq (https://www.cityjson.org/specs/2.0.1/).  Pure.

Coordinates are whole millimetres of the working CRS over a corner of the city.  Levels of detail, shells, solids,
semantics and attributes are those of the store; an attribute that nobody recorded has its quality beside it
(``height_m_quality``).  An object that has only a place on the map has it as level of detail 0, on its ground.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.city.model import CityObject
from cim.findings import Quality
from cim.geometry.surfaces import Geometry

VERSION: Final = "2.0"
SCALE_M: Final = 0.001
_GENERIC: Final = "GenericCityObject"
_OWN_TYPE: Final = "cim_type"
"""The attribute that keeps a type that CityJSON has no word for."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a document says before its objects: its system, its corner (metres), its title."""

    reference_system: str
    corner: tuple[float, float, float]
    title: str = ""

    def document(self) -> dict[str, Any]:
        """Return a document without objects: the first line of CityJSONSeq."""
        return {
            "type": "CityJSON",
            "version": VERSION,
            "transform": {"scale": [SCALE_M] * 3, "translate": list(self.corner)},
            "metadata": {
                "referenceSystem": self.reference_system,
                **({"title": self.title} if self.title else {}),
            },
            "CityObjects": {},
            "vertices": [],
        }


def corner_of(bounds: Sequence[float]) -> tuple[float, float, float]:
    """Return the corner that coordinates are counted from: whole metres at or below xmin, ymin, and 0."""
    x, y = (float(np.floor(value)) if np.isfinite(value) else 0.0 for value in bounds[:2])
    return (x, y, 0.0)


def families(objects: Iterable[CityObject]) -> Iterator[list[CityObject]]:
    """Yield each object that is part of no other here, followed by all that are part of it."""
    held = {one.id: one for one in objects}
    children: dict[str, list[CityObject]] = {}
    roots = []
    for one in held.values():
        if one.parent_id in held and one.parent_id is not None:
            children.setdefault(one.parent_id, []).append(one)
        else:
            roots.append(one)
    for root in roots:
        family = [root]
        for member in family:
            family += children.pop(member.id, [])
        yield family


def feature(family: Sequence[CityObject], head: Head) -> dict[str, Any]:
    """Return a family as a ``CityJSONFeature``."""
    objects, vertices = _objects(family, head)
    return {"type": "CityJSONFeature", "id": family[0].id, "CityObjects": objects, "vertices": vertices}


def document(objects: Sequence[CityObject], head: Head) -> dict[str, Any]:
    """Return objects as one CityJSON document."""
    found, vertices = _objects([one for family in families(objects) for one in family], head)
    return {**head.document(), "CityObjects": found, "vertices": vertices}


def _objects(objects: Sequence[CityObject], head: Head) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """Return city objects by id and their vertices, each once, in the order of the text."""
    shapes = [_geometries(one) for one in objects]
    every = [shape for several in shapes for shape in several]
    if every:
        coordinates = np.concatenate([shape.coordinates for shape in every])
        whole = np.rint((coordinates - np.array(head.corner)) / SCALE_M).astype(np.int64)
        vertices, number = np.unique(whole, axis=0, return_inverse=True)
        numbers = number.reshape(-1)
    else:
        vertices, numbers = np.empty((0, 3), dtype=np.int64), np.empty(0, dtype=np.int64)
    here = {one.id for one in objects}
    children: dict[str, list[str]] = {}
    for one in objects:
        if one.parent_id in here and one.parent_id is not None:
            children.setdefault(one.parent_id, []).append(one.id)
    out: dict[str, Any] = {}
    first = 0
    for one, several in zip(objects, shapes, strict=True):
        body: dict[str, Any] = {"type": _GENERIC if one.type.startswith("+") else one.type}
        attributes = _attributes(one)
        if attributes:
            body["attributes"] = attributes
        if one.parent_id in here:
            body["parents"] = [one.parent_id]
        if one.id in children:
            body["children"] = children[one.id]
        geometry = []
        for shape in several:
            last = first + len(shape.coordinates)
            geometry.append(_geometry(shape, numbers[first:last]))
            first = last
        if geometry:
            body["geometry"] = geometry
        out[one.id] = body
    return out, vertices


def _attributes(one: CityObject) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, attribute in one.attributes.items():
        out[name] = attribute.value
        if attribute.quality in (Quality.MODELLED, Quality.MEASURED):
            out[f"{name}_quality"] = attribute.quality.value
    if one.type.startswith("+"):
        out[_OWN_TYPE] = one.type
    return out


def _geometries(one: CityObject) -> tuple[Geometry, ...]:
    if one.geometries or one.place is None or one.place.is_empty:
        return one.geometries
    ground = one.attributes.get("ground_m")
    height_m = ground.value if ground is not None and isinstance(ground.value, int | float) else 0.0
    parts = shapely.get_parts(one.place)
    dimension = int(shapely.get_dimensions(parts).max())
    rings: list[NDArray[np.float64]] = []
    surfaces: list[int] = []
    for part in parts[shapely.get_dimensions(parts) == dimension]:
        lines = [part.exterior, *part.interiors] if dimension == 2 else [part]
        for line in lines:
            xy = shapely.get_coordinates(line)
            rings.append(xy[:-1] if dimension == 2 else xy)
        surfaces.append(len(rings))
    flat = np.concatenate(rings)
    return (
        Geometry(
            kind="MultiPoint" if dimension == 0 else "MultiLineString" if dimension == 1 else "MultiSurface",
            lod="0",
            coordinates=np.column_stack((flat, np.full(len(flat), float(height_m)))),
            ring_ends=np.cumsum([len(ring) for ring in rings], dtype=np.int32)
            if dimension
            else np.empty(0, dtype=np.int32),
            surface_ends=np.array(surfaces if dimension == 2 else [], dtype=np.int32),
        ),
    )


def _geometry(shape: Geometry, numbers: NDArray[np.int64]) -> dict[str, Any]:
    levels = [shape.ring_ends, shape.surface_ends, shape.shell_ends, shape.solid_ends]
    depth = {
        "MultiPoint": 0,
        "MultiLineString": 1,
        "MultiSurface": 2,
        "CompositeSurface": 2,
        "Solid": 3,
        "MultiSolid": 4,
        "CompositeSolid": 4,
    }[shape.kind]
    boundaries = _nested(numbers.tolist(), levels[:depth])
    out: dict[str, Any] = {"type": shape.kind, "lod": shape.lod, "boundaries": boundaries}
    if shape.semantics is not None:
        values = [None if value < 0 else value for value in shape.semantics.values.tolist()]
        out["semantics"] = {
            "surfaces": [dict(one) for one in shape.semantics.surfaces],
            "values": _nested(values, levels[2:depth]),
        }
    return out


def _nested(items: list[Any], levels: Sequence[NDArray[np.int32]]) -> list[Any]:
    for ends in levels:
        bounds = [0, *ends.tolist()]
        items = [items[a:b] for a, b in pairwise(bounds)]
    return items


def with_parts(identifiers: Sequence[str], children: Mapping[str, Sequence[str]]) -> list[str]:
    """Return ids, each followed by those of its parts, none twice."""
    wanted: dict[str, None] = {}
    pending = list(reversed(identifiers))
    while pending:
        identifier = pending.pop()
        if identifier not in wanted:
            wanted[identifier] = None
            pending.extend(reversed(children.get(identifier, ())))
    return list(wanted)
