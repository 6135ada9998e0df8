"""Attributes of CityJSON objects: the source's own names, and the city's names beside them; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from cim.errors import InvalidInput
from cim.findings import Quality
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
_MODELLED: Final = Quality.MODELLED.value
_NESTED: Final = frozenset({list, dict})
_WORDS: Final = frozenset({str, int})
HEIGHT_M_MAX: Final = 2000.0
STOREYS_MAX: Final = 300
YEAR_MAX: Final = 2200
ATTRIBUTES_MAX: Final = 2000
"""Attributes that one object may have."""


Members = dict[str, dict[str, Any]]
"""Attributes as :mod:`cim.city.columns` writes them: value, and what is not its default."""

Rule = Callable[[Any], "dict[str, Any] | None"]


def _number(value: Any) -> float | None:
    """Return a parsed value as a number; JSON has no subclasses, so that its exact type says what it is."""
    kind = type(value)
    if kind is str:
        try:
            return float(value)
        except ValueError:
            return None
    return float(value) if kind is int or kind is float else None


def _height(value: Any) -> dict[str, Any] | None:
    number = _number(value)
    return {"v": number, "u": "m"} if number is not None and 0 < number <= HEIGHT_M_MAX else None


def _elevation(value: Any) -> dict[str, Any] | None:
    number = _number(value)
    return {"v": number, "u": "m"} if number is not None and abs(number) < 9000 else None


def _whole(value: Any, most: int) -> dict[str, Any] | None:
    number = _number(value)
    return {"v": round(number)} if number is not None and 0 < number <= most else None


def _storeys(value: Any) -> dict[str, Any] | None:
    return _whole(value, STOREYS_MAX)


def _year(value: Any) -> dict[str, Any] | None:
    return _whole(value[:4] if isinstance(value, str) else value, YEAR_MAX)


def _text(value: Any) -> dict[str, Any] | None:
    return {"v": str(value)} if type(value) in _WORDS and value != "" else None


_CANONICAL: Final[Mapping[str, tuple[str, Rule]]] = {
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


@lru_cache(maxsize=256)
def _rules(names: tuple[str, ...]) -> tuple[tuple[str, str, Rule], ...]:
    """Return, for objects that have these attributes, those that the city has a name for."""
    return tuple((name, *_CANONICAL[name]) for name in names if name in _CANONICAL)


def canonical_attributes(type_: str, source: Any) -> Members:
    """Return all attributes of an object: those of the city's names, then the source's own.

    Raises :class:`InvalidInput` where they are no members, too many, or nested beyond ``NESTING_MAX``.
    """
    if source is None:
        source = {}
    if not isinstance(source, dict) or len(source) > ATTRIBUTES_MAX:
        raise InvalidInput("The attributes are not a list of names and values.", code="attributes-damaged")
    attributes: Members = {}
    for name, canonical, rule in _rules(tuple(source)):
        if canonical not in attributes:
            fact = rule(source[name])
            if fact is not None:
                attributes[canonical] = fact
    attributes.update({name: {"v": value} for name, value in source.items() if name not in attributes})
    if not _NESTED.isdisjoint(map(type, source.values())):
        check_nesting(source)
    kind = GROUND_KINDS.get(type_)
    if kind is not None:
        attributes.setdefault("ground_kind", {"v": kind, "q": _MODELLED, "m": METHOD_TYPE})
    return attributes


def check_nesting(value: Any) -> None:
    """Raise :class:`InvalidInput` where what a value holds is nested beyond ``NESTING_MAX``."""
    layer = [value]
    for _ in range(NESTING_MAX + 1):
        layer = [
            inner
            for outer in layer
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, list | dict)
        ]
        if not layer:
            return
    raise InvalidInput(f"An attribute is nested more than {NESTING_MAX} deep.", code="nesting-max", limit=NESTING_MAX)


def derive_heights(type_: str, attributes: Members, ground_m: float, top_m: float) -> None:
    """Add ``ground_m`` and ``height_m`` from the geometry where the source does not say them."""
    if type_ not in BUILT_TYPES or ground_m == top_m == 0.0:
        # A flat outline at 0 was drawn on a map: it says nothing of any height.
        return
    if "ground_m" not in attributes:
        attributes["ground_m"] = {"v": round(ground_m, 3), "u": "m", "q": _MODELLED, "m": METHOD_GROUND}
    height = top_m - ground_m
    if "height_m" not in attributes and 0 < height <= HEIGHT_M_MAX:
        attributes["height_m"] = {"v": round(height, 3), "u": "m", "q": _MODELLED, "m": METHOD_HEIGHT}
