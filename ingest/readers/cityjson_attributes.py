"""Attributes of CityJSON objects: the source's own names, and the city's names beside them; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from cim.city.model import Attribute
from cim.errors import InvalidInput
from cim.findings import Quality
from ingest.readers.cityjson_place import Standing
from ingest.readers.limits import NESTING_MAX

BUILT_TYPES: Final = frozenset(
    {
        "Building", "BuildingPart", "BuildingStorey", "BuildingUnit", "Bridge", "BridgePart", "OtherConstruction",
        "SolitaryVegetationObject",
    }
)  # fmt: skip
"""Types that have a height of their own."""

GROUND_KINDS: Final[Mapping[str, str]] = {
    "LandUse": "land",
    "TINRelief": "land",
    "WaterBody": "water",
    "Waterway": "water",
    "PlantCover": "green",
    "Road": "road_street",
    "TransportSquare": "plaza",
    "Railway": "rail",
}
METHOD_HEIGHT: Final = "highest vertex less ground"
METHOD_GROUND: Final = "lowest vertex of the ground surface"
METHOD_TYPE: Final = "by the type of the object"
HEIGHT_M_MAX: Final = 2000.0
STOREYS_MAX: Final = 300
YEAR_MAX: Final = 2200
ATTRIBUTES_MAX: Final = 2000
"""Attributes that one object may have."""


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return float(value) if isinstance(value, int | float) else None


def _height(value: Any) -> Attribute | None:
    number = _number(value)
    return Attribute(number, "m") if number is not None and 0 < number <= HEIGHT_M_MAX else None


def _elevation(value: Any) -> Attribute | None:
    number = _number(value)
    return Attribute(number, "m") if number is not None and abs(number) < 9000 else None


def _whole(value: Any, most: int) -> Attribute | None:
    number = _number(value)
    return Attribute(round(number)) if number is not None and 0 < number <= most else None


def _storeys(value: Any) -> Attribute | None:
    return _whole(value, STOREYS_MAX)


def _year(value: Any) -> Attribute | None:
    return _whole(value[:4] if isinstance(value, str) else value, YEAR_MAX)


def _text(value: Any) -> Attribute | None:
    return (
        Attribute(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None
    )


_CANONICAL: Final[Mapping[str, tuple[str, Callable[[Any], Attribute | None]]]] = {
    "measuredHeight": ("height_m", _height),
    "height": ("height_m", _height),
    "storeysAboveGround": ("storeys_above_ground", _storeys),
    "b3_bouwlagen": ("storeys_above_ground", _storeys),
    "storeysBelowGround": ("storeys_below_ground", _storeys),
    "yearOfConstruction": ("year_of_construction", _year),
    "oorspronkelijkbouwjaar": ("year_of_construction", _year),
    "roofType": ("roof_type", _text),
    "b3_dak_type": ("roof_type", _text),
    "TerrainHeight": ("ground_m", _elevation),
    "b3_h_maaiveld": ("ground_m", _elevation),
    "h_maaiveld": ("ground_m", _elevation),
    "crownDiameter": ("crown_diameter_m", _height),
    "trunkDiameter": ("trunk_diameter_m", _height),
}
"""CityJSON 2.0 and CityGML words, 3DBAG (https://docs.3dbag.nl), Rotterdam 3D."""


def canonical_attributes(type_: str, source: Any) -> dict[str, Attribute]:
    """Return all attributes of an object: those of the city's names, then the source's own.

    Raises :class:`InvalidInput` where they are no members, too many, or nested beyond ``NESTING_MAX``.
    """
    if source is None:
        source = {}
    if not isinstance(source, dict) or len(source) > ATTRIBUTES_MAX:
        raise InvalidInput("The attributes are not a list of names and values.", code="attributes-damaged")
    known: dict[str, Attribute] = {}
    own: dict[str, Attribute] = {}
    for name, value in source.items():
        rule = _CANONICAL.get(name)
        if rule is not None and rule[0] not in known:
            fact = rule[1](value)
            if fact is not None:
                known[rule[0]] = fact
        if isinstance(value, list | dict):
            check_nesting(value)
        own[name] = Attribute(value)
    attributes = {**known, **{name: fact for name, fact in own.items() if name not in known}} if known else own
    kind = GROUND_KINDS.get(type_)
    if kind is not None:
        attributes.setdefault("ground_kind", Attribute(kind, None, Quality.MODELLED, None, METHOD_TYPE))
    return attributes


def check_nesting(value: Any) -> None:
    """Raise :class:`InvalidInput` where lists and members are nested beyond ``NESTING_MAX``."""
    layer = [value]
    for _ in range(NESTING_MAX):
        layer = [
            inner
            for outer in layer
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, list | dict)
        ]
        if not layer:
            return
    raise InvalidInput(f"An attribute is nested more than {NESTING_MAX} deep.", code="nesting-max", limit=NESTING_MAX)


def derive_heights(type_: str, attributes: dict[str, Attribute], standing: Standing) -> None:
    """Add ``ground_m`` and ``height_m`` from the geometry where the source does not say them."""
    if type_ not in BUILT_TYPES:
        return
    if "ground_m" not in attributes:
        ground = Attribute(round(standing.ground_m, 3), "m", Quality.MODELLED, None, METHOD_GROUND)
        attributes["ground_m"] = ground
    height = standing.top_m - standing.ground_m
    if "height_m" not in attributes and 0 < height <= HEIGHT_M_MAX:
        attributes["height_m"] = Attribute(round(height, 3), "m", Quality.MODELLED, None, METHOD_HEIGHT)
