"""What a baseline says of the fields of an object (pure).

A scheme changes fields; a baseline has objects as their sources gave them.  Here the one is read
from the other: storeys from a height, a count and a use; an axis from a line; a roof from its type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import shapely

from cim.city.model import Attribute, CityObject
from cim.schemes.faults import EditRefused
from cim.schemes.fields import FIELDS, ONEWAY, ROOFS, STOREY_M_MAX, STOREY_M_MIN, STOREYS_MAX, USES, canonical
from cim.schemes.model import EXISTS, TYPE, Value

STOREY_M: Final = 3.2
"""Height of a storey where a source gives only the height of the building (docs/methods/heights.md)."""

LANE_M: Final = 3.25
TREE_M, CROWN_M = 8.0, 5.0

_USE_OF: Final[Mapping[str, str]] = {
    "apartments": "residential",
    "house": "residential",
    "detached": "residential",
    "terrace": "residential",
    "dormitory": "residential",
    "commercial": "office",
    "government": "office",
    "public": "culture",
    "kiosk": "retail",
    "supermarket": "retail",
    "university": "school",
    "college": "school",
    "museum": "culture",
    "church": "culture",
    "cathedral": "culture",
    "theatre": "culture",
    "industrial": "industry",
    "warehouse": "industry",
    "garage": "parking",
    "garages": "parking",
    "stadium": "sport",
    "sports_hall": "sport",
}
"""Our word for what sources call a building's use; what is not here and not ours is ``other``."""


class Baseline(Protocol):
    """One numbered baseline, object by object."""

    @property
    def version(self) -> int:
        """Its number."""
        ...

    def fields(self, target: str) -> Mapping[str, Value] | None:
        """Return all fields of an object, its type among them; ``None`` where it is not in the baseline."""
        ...

    def object(self, target: str) -> CityObject | None:
        """Return the object with its geometries."""
        ...

    def near(self, bbox: tuple[float, float, float, float]) -> Sequence[str]:
        """Return the ids of the objects whose boxes meet xmin, ymin, xmax, ymax (working CRS)."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """What fields are read from: type, place in the working CRS, attributes, foot of the box in metres."""

    type: str
    place: shapely.Geometry | None
    attributes: Mapping[str, Attribute]
    foot_m: float = 0.0


def read_fields(known: Known) -> dict[str, Value]:
    """Return the fields of an object of a baseline, each in its canonical form.

    A field that the source says nothing of has the value that a new object of that type would have;
    one that cannot be read (a footprint of two parts has no single outline) is left out.
    """
    reader = _READERS.get(known.type)
    fields: dict[str, Value] = {EXISTS: True, TYPE: known.type}
    if reader is None:
        return fields
    for name, value in reader(known).items():
        try:
            fields[name] = canonical(known.type, name, value)
        except EditRefused:
            continue
    return fields


def use_of(function: object) -> str:
    """Return our word for a source's word of use."""
    word = str(function or "").lower()
    return word if word in USES else _USE_OF.get(word, "other")


def _number(known: Known, name: str) -> float | None:
    attribute = known.attributes.get(name)
    value = None if attribute is None else attribute.value
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(known: Known, name: str) -> str | None:
    attribute = known.attributes.get(name)
    return attribute.value if attribute is not None and isinstance(attribute.value, str) and attribute.value else None


def _building(known: Known) -> dict[str, Value]:
    kind = (_text(known, "roof_type") or "flat").removesuffix("_roof")
    kind = kind if kind in ROOFS else "flat"
    height_m = _number(known, "height_m") or STOREY_M
    roof_m = 0.0 if kind == "flat" else min(_number(known, "roof_height_m") or 0.0, height_m / 2)
    ground_m = _number(known, "ground_m")
    return {
        "footprint": _rings(known.place),
        "ground_m": known.foot_m if ground_m is None else ground_m,
        "storeys": stack(height_m - roof_m, _number(known, "storeys_above_ground"), use_of(_text(known, "function"))),
        "roof": {"type": kind, "height_m": roof_m},
        "name": _text(known, "name"),
        "solar_share": _number(known, "solar_share") or 0.0,
        "model": None,
    }


def stack(height_m: float, count: float | None, use: str) -> list[list[Any]]:
    """Return equal storeys of a wall of ``height_m``; their heights sum to it to the millimetre."""
    number = round(count) if count else round(height_m / STOREY_M)
    most = max(1, int(height_m // STOREY_M_MIN))
    number = min(max(1, number, -int(-height_m // STOREY_M_MAX)), most, STOREYS_MAX)
    total_mm = max(round(height_m * 1000), round(number * STOREY_M_MIN * 1000))
    each, rest = divmod(total_mm, number)
    return [[(each + (1 if storey < rest else 0)) / 1000, use] for storey in range(number)]


def _parcel(known: Known) -> dict[str, Value]:
    use = _text(known, "land_use")
    return {"footprint": _rings(known.place), "land_use": use or "other", "name": _text(known, "name")}


def _road(known: Known) -> dict[str, Value]:
    lanes = min(max(round(_number(known, "lanes") or 2), 1), 12)
    oneway = (_text(known, "oneway") or "no").lower()
    said = {"yes": "forward", "true": "forward", "1": "forward", "-1": "backward", "reverse": "backward"}
    direction = said.get(oneway, oneway if oneway in ONEWAY else "no")
    flag = known.attributes.get("oneway")
    if flag is not None and flag.value is True:
        direction = "forward"
    return {
        "axis": None if known.place is None else shapely.get_coordinates(_line(known.place)).tolist(),
        "lanes": lanes,
        "oneway": direction,
        "closed": False,
        "width_m": _number(known, "width_m") or lanes * LANE_M,
        "name": _text(known, "name"),
    }


def _line(place: shapely.Geometry) -> shapely.Geometry:
    parts = shapely.get_parts(place)
    return max(parts, key=lambda part: part.length) if len(parts) > 1 else place


def _cover(known: Known) -> dict[str, Value]:
    return {"footprint": _rings(known.place), "name": _text(known, "name")}


def _tree(known: Known) -> dict[str, Value]:
    place = None if known.place is None else shapely.get_coordinates(known.place.centroid)[0].tolist()
    height_m, crown_m = _number(known, "height_m"), _number(known, "crown_diameter_m")
    return {"place": place, "height_m": height_m or TREE_M, "crown_diameter_m": crown_m or CROWN_M}


def _rings(place: shapely.Geometry | None) -> Value:
    if place is None:
        return None
    parts = [part for part in shapely.get_parts(place) if part.geom_type == "Polygon"]
    if len(parts) != 1:
        return None
    return [shapely.get_coordinates(ring).tolist()[:-1] for ring in (parts[0].exterior, *parts[0].interiors)]


_READERS: Final = {
    "Building": _building,
    "+Parcel": _parcel,
    "Road": _road,
    "PlantCover": _cover,
    "SolitaryVegetationObject": _tree,
}

assert set(_READERS) <= set(FIELDS)
