"""Which column of a layer becomes which attribute of which type of object: declared in a file, or guessed; pure.

A file, TOML or JSON, says it for all layers, and for single ones under ``layers`` by a pattern of
their names (``"parcels*"``)::

    type = "Building"
    id = "STRUCT_ID"
    licence = "CC-BY-4.0"
    [attributes]
    height_m = {column = "HGT_FT", unit = "ft"}
    storeys_above_ground = "FLOORS"
    [layers.trees]
    type = "SolitaryVegetationObject"
    [layers.land]
    type = {column = "class", values = {tree = "SolitaryVegetationObject", grass = "PlantCover"}, default = "skip"}
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Final

import orjson

from cim.errors import InvalidInput
from cim.units import INTERNATIONAL_FOOT_M, US_SURVEY_FOOT_M
from ingest.mapping_names import COLUMN_NAMES, ID_NAMES, LAYER_WORDS, PARCEL_IDS, plain, unit_of

MAPPING_BYTES_MAX: Final = 1024 * 1024
"""Text of a mapping."""

METRES_PER: Final = {
    "m": 1.0, "ft": INTERNATIONAL_FOOT_M, "ftUS": US_SURVEY_FOOT_M, "in": 0.0254, "yd": 0.9144, "cm": 0.01,
    "mm": 0.001, "km": 1000.0,
}  # fmt: skip
"""Units of length that a mapping may name."""

LENGTHS: Final = frozenset({"height_m", "min_height_m", "ground_m", "roof_height_m", "crown_diameter_m", "width_m"})
COUNTS: Final = frozenset({"storeys_above_ground", "storeys_below_ground", "lanes"})
TEXTS: Final = frozenset({"name", "function", "address", "roof_type", "highway", "parcel_id"})
YEARS: Final = frozenset({"year_of_construction"})
TARGETS: Final = LENGTHS | COUNTS | TEXTS | YEARS
"""Attributes with a fixed meaning; what is mapped to another name stays as it is, in metres where it has a unit."""

BUILDING: Final = "Building"
SKIP: Final = "skip"
"""The type of a layer that is left out."""

TYPES: Final = (
    "Building", "BuildingPart", "Bridge", "Road", "Railway", "Waterway", "WaterBody", "LandUse", "PlantCover",
    "TransportSquare", "SolitaryVegetationObject", "CityFurniture", "OtherConstruction", "+Parcel", "+District",
    "+TransitStop", "+Amenity", "+GenericCityObject", SKIP,
)  # fmt: skip
"""What a layer may become."""

_OF_DIMENSION: Final = {
    "area": ("Building", "+Parcel", "WaterBody", "PlantCover", "+District", "LandUse", "Road"),
    "line": ("Railway", "WaterBody", "Road"),
    "point": ("SolitaryVegetationObject", "+TransitStop", "CityFurniture"),
}
_FALLBACK: Final = {"area": "+GenericCityObject", "line": "Road", "point": "CityFurniture"}
_FIELDS: Final = frozenset({"type", "id", "attributes", "crs", "encoding", "keep", "swap_axes"})
_WHOLE: Final = frozenset({"licence", "attribution", "layers", "title", "collection"})
"""``collection`` is for collections of models (:mod:`ingest.readers.obj`)."""
_OF_TYPE: Final = {
    "Building": TARGETS - {"crown_diameter_m", "width_m", "lanes", "highway"},
    "SolitaryVegetationObject": frozenset({"height_m", "crown_diameter_m", "name"}),
    "Road": frozenset({"name", "width_m", "lanes", "highway"}),
    "Railway": frozenset({"name", "width_m"}),
}
_OF_OTHERS: Final = frozenset({"name", "function", "address"})


@dataclass(frozen=True, slots=True)
class FieldRule:
    """The column that an attribute is read from, and the unit in which it is there."""

    column: str
    unit: str | None = None

    @property
    def metres(self) -> float:
        """Metres in the unit."""
        return METRES_PER[self.unit or "m"]


@dataclass(frozen=True, slots=True)
class TypeRule:
    """The column that tells the type, and what its values stand for."""

    column: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LayerMapping:
    """How the features of one layer become objects.

    ``type`` or ``None`` (to be guessed); ``id`` the identifying column; ``crs`` where the layer says
    none; ``encoding`` of its texts; ``keep`` whether other columns are taken over by their own names;
    ``swap_axes`` where it has latitude before longitude; ``type_by`` a column that tells the type, ``type`` being
    that of the other values.
    """

    type: str | None = None
    id: str | None = None
    attributes: Mapping[str, FieldRule] = field(default_factory=dict)
    crs: str | None = None
    encoding: str | None = None
    keep: bool = True
    swap_axes: bool = False
    type_by: TypeRule | None = None

    def type_of(self, value: str | None) -> str:
        """Return the type of a feature with this value in the column that tells it."""
        known = self.type_by.values.get(value or "") if self.type_by is not None else None
        return known or str(self.type)

    @property
    def columns(self) -> list[str]:
        """The columns that are asked for."""
        asked = [rule.column for rule in self.attributes.values()]
        return asked + [name for name in (self.id, self.type_by and self.type_by.column) if name]


@dataclass(frozen=True, slots=True)
class SourceMapping:
    """What a mapping file says: for every layer, and for those whose names match a pattern."""

    default: LayerMapping | None = None
    layers: Mapping[str, LayerMapping] = field(default_factory=dict)
    licence: str = ""
    attribution: str = ""
    title: str = ""

    def of(self, layer: str) -> LayerMapping | None:
        """Return what is declared for a layer: by its name, else by the first pattern that fits, else for all."""
        if layer in self.layers:
            return self.layers[layer]
        for pattern, mapping in self.layers.items():
            if fnmatchcase(layer, pattern):
                return mapping
        return self.default


def read_mapping(text: bytes, name: str) -> SourceMapping:
    """Return the mapping of a file's text, JSON where it begins with a brace and TOML elsewhere.

    Raises :class:`InvalidInput` (``mapping``) that names what is wrong.
    """
    if len(text) > MAPPING_BYTES_MAX:
        raise _wrong(f"{name} is longer than {MAPPING_BYTES_MAX:,} bytes")
    try:
        body = orjson.loads(text) if text.lstrip().startswith(b"{") else tomllib.loads(text.decode("utf-8"))
    except (orjson.JSONDecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _wrong(f"{name} is neither JSON nor TOML") from error
    return mapping_of(body)


def mapping_of(body: object) -> SourceMapping:
    """Return the mapping that the members say; raises :class:`InvalidInput` (``mapping``)."""
    if not isinstance(body, dict):
        raise _wrong("a mapping is an object with members")
    unknown = set(body) - _FIELDS - _WHOLE
    if unknown:
        raise _wrong(f"{min(unknown)[:40]!r} is no member of a mapping")
    layers = body.get("layers", {})
    if not isinstance(layers, dict):
        raise _wrong("'layers' is an object, a member a layer")
    for pattern, members in layers.items():
        if not isinstance(members, dict) or set(members) - _FIELDS:
            raise _wrong(f"the layer {pattern[:40]!r} has a member that a layer may not have")
    own = {name: value for name, value in body.items() if name in _FIELDS}
    return SourceMapping(
        default=_layer(own) if own else None,
        layers={str(pattern): _layer(members) for pattern, members in layers.items()},
        licence=_text(body, "licence") or "",
        attribution=_text(body, "attribution") or "",
        title=_text(body, "title") or "",
    )


def _layer(members: Mapping[str, Any]) -> LayerMapping:
    type_, type_by = _type(members.get("type"))
    rules = members.get("attributes", {})
    keep, swap = members.get("keep", True), members.get("swap_axes", False)
    if not isinstance(rules, dict) or not isinstance(keep, bool) or not isinstance(swap, bool):
        raise _wrong("'attributes' is an object, 'keep' and 'swap_axes' are true or false")
    return LayerMapping(
        type=type_,
        id=_text(members, "id"),
        attributes={str(target): _rule(str(target), rule) for target, rule in rules.items()},
        crs=_text(members, "crs"),
        encoding=_text(members, "encoding"),
        keep=keep,
        swap_axes=swap,
        type_by=type_by,
    )


def _type(said: object) -> tuple[str | None, TypeRule | None]:
    """Return a type, or the default of a column that tells it and what its values stand for."""
    by: TypeRule | None = None
    if isinstance(said, dict):
        column, values = said.get("column"), said.get("values")
        if not isinstance(column, str) or not isinstance(values, dict) or set(said) - {"column", "values", "default"}:
            raise _wrong("a type by column has a column, values and a default")
        by = TypeRule(column, {str(value): str(type_) for value, type_ in values.items()})
        said = said.get("default", SKIP)
    for type_ in (said, *(by.values.values() if by else ())):
        if type_ is not None and type_ not in TYPES:
            raise _wrong(f"{str(type_)[:40]!r} is no type; there are {', '.join(TYPES)}")
    return (None if said is None else str(said)), by


def _rule(target: str, rule: object) -> FieldRule:
    if not target.isidentifier() or len(target) > 80:
        raise _wrong(f"{target[:40]!r} is no name of an attribute")
    members = {"column": rule} if isinstance(rule, str) else rule
    if not isinstance(members, dict) or set(members) - {"column", "unit"} or not isinstance(members.get("column"), str):
        raise _wrong(f"{target} needs a column")
    unit = members.get("unit")
    if unit is not None and (unit not in METRES_PER or target in TARGETS - LENGTHS):
        raise _wrong(f"{target} cannot be in {str(unit)[:20]!r}; lengths are in {', '.join(METRES_PER)}")
    return FieldRule(members["column"], unit)


def _text(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name)
    if value is not None and (not isinstance(value, str) or not value.isprintable() or len(value) > 2000):
        raise _wrong(f"{name!r} is a line of text")
    return value


def _wrong(why: str) -> InvalidInput:
    return InvalidInput(
        f"The mapping cannot be used: {why}.",
        hint="cim ingest FILE --dry-run --save-mapping mapping.json writes one to start from.",
        code="mapping",
    )


def complete(
    declared: LayerMapping | None, layer: str, dimension: str, columns: Sequence[str], unique: Iterable[str] = ()
) -> LayerMapping:
    """Return what is declared with the rest guessed.

    ``dimension``: ``area``, ``line`` or ``point``; ``unique``: columns whose values are known to differ.
    Attributes are guessed only where none are declared.  A declared column that is not there raises
    :class:`InvalidInput` (``mapping-column``).
    """
    mapping = declared or LayerMapping()
    for column in mapping.columns:
        if column not in columns:
            raise InvalidInput(
                f"The layer {layer[:80]} has no column {column[:80]!r}.",
                hint=f"It has {', '.join(columns[:40]) or 'none'}.",
                code="mapping-column",
                layer=layer[:80],
                column=column[:80],
            )
    type_ = mapping.type or _guess_type(layer, dimension, columns)
    types = {type_, *(mapping.type_by.values.values() if mapping.type_by else ())}
    rules = mapping.attributes or _guess_attributes(types, columns)
    return replace(mapping, type=type_, attributes=rules, id=mapping.id or _guess_id(columns, set(unique)))


def _guess_type(layer: str, dimension: str, columns: Sequence[str]) -> str:
    lower = layer.casefold()
    speaks = [type_ for type_ in _OF_DIMENSION[dimension] if any(word in lower for word in LAYER_WORDS[type_])]
    if dimension == "area" and BUILDING not in speaks and PARCEL_IDS & {plain(column) for column in columns}:
        return "+Parcel"
    if speaks:
        return speaks[0]
    if dimension == "area" and {"height_m", "storeys_above_ground"} & set(_guess_attributes({BUILDING}, columns)):
        return "Building"
    return _FALLBACK[dimension]


def _guess_attributes(types: set[str], columns: Sequence[str]) -> dict[str, FieldRule]:
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(plain(column), column)
    taken: set[str] = set()
    rules: dict[str, FieldRule] = {}
    for target, names in COLUMN_NAMES.items():
        if not any(target in _OF_TYPE.get(type_, _OF_OTHERS) for type_ in types):
            continue
        found = (by_name.get(plain(name), "") for name in names)
        free = next((name for name in found if name and name not in taken), "")
        if free:
            taken.add(free)
            rules[target] = FieldRule(free, unit_of(free) if target in LENGTHS else None)
    return rules


def _guess_id(columns: Sequence[str], unique: set[str]) -> str | None:
    by_name = {plain(column): column for column in columns if column in unique}
    return next((by_name[plain(name)] for name in ID_NAMES if plain(name) in by_name), None)


def as_members(mapping: LayerMapping) -> dict[str, Any]:
    """Return a layer's mapping as the members of a file."""
    members: dict[str, Any] = {"type": mapping.type}
    if mapping.type_by is not None:
        members["type"] = {
            "column": mapping.type_by.column,
            "values": dict(mapping.type_by.values),
            "default": mapping.type,
        }
    for name in ("id", "crs", "encoding"):
        if getattr(mapping, name) is not None:
            members[name] = getattr(mapping, name)
    members["attributes"] = {
        target: rule.column if rule.unit is None else {"column": rule.column, "unit": rule.unit}
        for target, rule in mapping.attributes.items()
    }
    if not mapping.keep:
        members["keep"] = False
    if mapping.swap_axes:
        members["swap_axes"] = True
    return members
