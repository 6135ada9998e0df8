"""The fields that objects have, and the one canonical form of each value (pure).

Lengths are metres in the working CRS, rounded to 1 mm; shares are 0 to 1.  A value that cannot be
brought into its form raises :class:`cim.schemes.faults.EditRefused` with rule ``field-value``,
``field-limit`` or ``field-unknown``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import shapely

from cim.schemes.faults import refused
from cim.schemes.model import EXISTS, TYPE, Value

USES: Final = (
    "residential",
    "office",
    "retail",
    "hotel",
    "school",
    "kindergarten",
    "hospital",
    "culture",
    "sport",
    "industry",
    "parking",
    "other",
)
"""What a storey may be used for."""

ROOFS: Final = ("flat", "gabled", "hipped", "pyramidal", "shed")
ONEWAY: Final = ("no", "forward", "backward")
COORDINATE_M_MAX: Final = 1e8
GROUND_M_MAX: Final = 9_000.0
STOREYS_MAX: Final = 200
STOREY_M_MIN, STOREY_M_MAX = 2.0, 30.0
ROOF_M_MAX: Final = 60.0
VERTICES_MAX: Final = 2_000
TEXT_MAX: Final = 200
AREA_M2_MIN: Final = 0.01
"""Rings that enclose less are a line."""

Form: TypeAlias = Callable[[str, Value], Value]
"""Brings a value into its form; the name of the field is for the refusal."""


def _number(low: float, high: float) -> Form:
    def form(name: str, value: Value) -> Value:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise refused("field-value", field=name)
        if not low <= value <= high:
            raise refused("field-limit", field=name, measured=float(value), limit=high if value > high else low)
        return round(float(value), 3) + 0.0  # adding 0.0 takes the sign from -0.0

    return form


def _integer(low: int, high: int) -> Form:
    def form(name: str, value: Value) -> Value:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != math.trunc(value):
            raise refused("field-value", field=name)
        if not low <= value <= high:
            raise refused("field-limit", field=name, measured=float(value), limit=high if value > high else low)
        return int(value)

    return form


def _text(pattern: str | None = None) -> Form:
    def form(name: str, value: Value) -> Value:
        if not isinstance(value, str) or not value.isprintable() or (pattern and not re.fullmatch(pattern, value)):
            raise refused("field-value", field=name)
        if len(value) > TEXT_MAX:
            raise refused("field-limit", field=name, measured=len(value), limit=TEXT_MAX)
        return value

    return form


def _one_of(words: tuple[str, ...]) -> Form:
    def form(name: str, value: Value) -> Value:
        if not isinstance(value, str) or value not in words:
            raise refused("field-value", field=name, allowed=" ".join(words))
        return value

    return form


def _or_none(form: Form) -> Form:
    return lambda name, value: None if value is None else form(name, value)


def _boolean(name: str, value: Value) -> Value:
    if not isinstance(value, bool):
        raise refused("field-value", field=name)
    return value


_coordinate = _number(-COORDINATE_M_MAX, COORDINATE_M_MAX)


def _point(name: str, value: Value) -> Value:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise refused("field-value", field=name)
    return [_coordinate(name, number) for number in value]


def _points(name: str, value: Value, least: int) -> list[Value]:
    if not isinstance(value, list | tuple):
        raise refused("field-value", field=name)
    if len(value) > VERTICES_MAX:
        raise refused("field-limit", field=name, measured=len(value), limit=VERTICES_MAX)
    points: list[Value] = []
    for point in value:
        rounded = _point(name, point)
        if not points or points[-1] != rounded:
            points.append(rounded)
    if len(points) < least:
        raise refused("field-value", field=name, vertices=len(points))
    return points


def _line(name: str, value: Value) -> Value:
    return _points(name, value, 2)


def _polygon(name: str, value: Value) -> Value:
    """Return rings that do not repeat their first vertex, the outer one first."""
    if not isinstance(value, list | tuple) or not value:
        raise refused("field-value", field=name)
    rings = []
    for ring in value:
        points = _points(name, ring, 3)
        if points[0] == points[-1]:
            points.pop()
        if len(points) < 3:
            raise refused("field-value", field=name, vertices=len(points))
        rings.append(points)
    if sum(map(len, rings)) > VERTICES_MAX:
        raise refused("field-limit", field=name, measured=sum(map(len, rings)), limit=VERTICES_MAX)
    shape = shapely.Polygon(rings[0], rings[1:])
    if not shape.is_valid or shape.area < AREA_M2_MIN:
        raise refused("footprint-invalid", field=name, witness=shapely.MultiPoint(rings[0]), measured=shape.area)
    return rings


_storey_m = _number(STOREY_M_MIN, STOREY_M_MAX)
_use = _one_of(USES)


def _storeys(name: str, value: Value) -> Value:
    if not isinstance(value, list | tuple) or not value:
        raise refused("field-value", field=name)
    if len(value) > STOREYS_MAX:
        raise refused("field-limit", field=name, measured=len(value), limit=STOREYS_MAX)
    storeys = []
    for storey in value:
        if not isinstance(storey, list | tuple) or len(storey) != 2:
            raise refused("field-value", field=name)
        storeys.append([_storey_m(name, storey[0]), _use(name, storey[1])])
    return storeys


_roof_type = _one_of(ROOFS)
_roof_m = _number(0.0, ROOF_M_MAX)


def _roof(name: str, value: Value) -> Value:
    if not isinstance(value, Mapping) or not set(value) <= {"type", "height_m"}:
        raise refused("field-value", field=name)
    kind = _roof_type(name, value.get("type", "flat"))
    return {"type": kind, "height_m": 0.0 if kind == "flat" else _roof_m(name, value.get("height_m", 0.0))}


_ground = _number(-GROUND_M_MAX, GROUND_M_MAX)
_name = _or_none(_text())
_diameter = _or_none(_number(0.001, 20.0))
# m³ of a tank, m³/s of a pump or main, kW of a feeder or substation
_capacity = _or_none(_number(0.0, 1e9))

_BUILDING: Final[Mapping[str, Form]] = {
    "footprint": _polygon,
    "ground_m": _ground,
    "storeys": _storeys,
    "roof": _roof,
    "name": _name,
    "solar_share": _number(0.0, 1.0),
    "model": _or_none(_text("[0-9a-f]{64}")),
}
_ELEMENT: Final[Mapping[str, Form]] = {
    "network_id": _text("[a-z0-9][a-z0-9-]{0,39}"),
    "name": _name,
    "closed": _boolean,
}
_ALONG: Final[Mapping[str, Form]] = {**_ELEMENT, "axis": _line, "diameter_m": _diameter, "capacity": _capacity}
_AT: Final[Mapping[str, Form]] = {**_ELEMENT, "place": _point, "capacity": _capacity}

FIELDS: Final[Mapping[str, Mapping[str, Form]]] = {
    "Building": _BUILDING,
    "+Parcel": {"footprint": _polygon, "land_use": _text("[a-z0-9][a-z0-9_-]{0,39}"), "name": _name},
    "Road": {
        "axis": _line,
        "lanes": _integer(1, 12),
        "oneway": _one_of(ONEWAY),
        "closed": _boolean,
        "width_m": _number(1.0, 200.0),
        "name": _name,
    },
    "PlantCover": {"footprint": _polygon, "name": _name},
    "SolitaryVegetationObject": {
        "place": _point,
        "height_m": _number(0.5, 130.0),
        "crown_diameter_m": _number(0.1, 60.0),
    },
    "+Main": _ALONG,
    "+Feeder": _ALONG,
    "+Pump": _AT,
    "+Tank": _AT,
    "+Substation": _AT,
}
"""The fields of each type that an edit may change, with the form of their values."""


def canonical(type_: str, field: str, value: Value) -> Value:
    """Return a value in its form; raises :class:`cim.schemes.faults.EditRefused`."""
    if field == EXISTS:
        return _boolean(field, value)
    if field == TYPE:
        return _one_of(tuple(FIELDS))(field, value)
    form = FIELDS.get(type_, {}).get(field)
    if form is None:
        raise refused("field-unknown", field=field, type=type_)
    return form(field, value)
