"""The kinds of edit that change the ground: parcels, streets, parks, trees, networks (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import shapely
from shapely import ops

from cim.schemes.faults import refused
from cim.schemes.fields import FIELDS
from cim.schemes.making import Made, Maker, Making, together
from cim.schemes.model import Value

PARCEL_M2_MIN: Final = 1.0
"""A part of a parcel below this is a slip of the hand, not a parcel."""

PLACES_MAX: Final = 200
"""Trees that one edit may plant."""

ELEMENTS: Final[Mapping[str, str]] = {
    "main": "+Main",
    "pump": "+Pump",
    "tank": "+Tank",
    "feeder": "+Feeder",
    "substation": "+Substation",
}


def _land_use(making: Making) -> Made:
    use = making.param("land_use")
    return Made(making.changes(making.on("+Parcel"), {"land_use": use}), title={"land_use": use})


def _polygon(making: Making, target: str) -> shapely.Polygon:
    rings = making.state.value(target, "footprint")
    if rings is None:
        raise refused("footprint-missing", target)
    shape = shapely.Polygon(rings[0], rings[1:])
    if not shape.is_valid:
        raise refused("footprint-invalid", target)
    return shape


def _rings(shape: shapely.Polygon) -> Value:
    return [shapely.get_coordinates(ring).tolist() for ring in (shape.exterior, *shape.interiors)]


def _split(making: Making) -> Made:
    target = making.on("+Parcel")
    shape = _polygon(making, target)
    try:
        line = shapely.LineString(making.param("line"))
    except (TypeError, ValueError, shapely.errors.GEOSException):
        raise refused("field-value", target, field="line") from None
    if not line.is_simple:
        raise refused("line-crosses-itself", target)
    parts = [part for part in ops.split(shape, line).geoms if part.area >= PARCEL_M2_MIN]
    if len(parts) < 2:
        raise refused("split-misses", target)
    if abs(sum(part.area for part in parts) - shape.area) > PARCEL_M2_MIN:
        raise refused("split-sliver", target)
    parts.sort(key=lambda part: (-part.area, part.bounds))
    fields = making.state.fields(target)
    values = {name: fields.get(name) for name in ("land_use", "name")}
    making.made = 1  # so that every part has a number
    new = [making.new("+Parcel", {**values, "footprint": _rings(part)}) for part in parts]
    return Made(together((making.gone(target),), *new), title={"parts": len(parts)})


def _merge(making: Making) -> Made:
    target = making.on("+Parcel")
    others = making.param("with")
    if not isinstance(others, list | tuple) or not others or not all(isinstance(o, str) for o in others):
        raise refused("field-value", target, field="with")
    targets = list(dict.fromkeys([target, *others]))
    for other in targets[1:]:
        making.alive(other, {"kind": making.kind})
        if making.state.type_of(other) != "+Parcel":
            raise refused("target-type", other, type=making.state.type_of(other) or "", allowed="+Parcel")
    if len(targets) < 2:
        raise refused("field-value", target, field="with")
    joined = shapely.union_all([_polygon(making, one) for one in targets], grid_size=0.001)
    if joined.geom_type != "Polygon":
        raise refused("parcels-apart", target)
    fields = making.state.fields(target)
    values = {"footprint": _rings(joined), "land_use": fields.get("land_use", "other"), "name": fields.get("name")}
    return Made(
        together([making.gone(one) for one in targets], making.new("+Parcel", values)), title={"parts": len(targets)}
    )


def _street_add(making: Making) -> Made:
    params = making.params
    lanes = params.get("lanes", 2)
    values = {
        "axis": making.param("axis"),
        "lanes": lanes,
        "oneway": params.get("oneway", "no"),
        "closed": False,
        "width_m": params.get("width_m", 3.25 * lanes if isinstance(lanes, int) else None),
        "name": params.get("name"),
    }
    return Made(making.new("Road", values))


def _street_close(making: Making) -> Made:
    return Made(making.changes(making.on("Road"), {"closed": True}))


def _street_open(making: Making) -> Made:
    return Made(making.changes(making.on("Road"), {"closed": False}))


def _street_oneway(making: Making) -> Made:
    way = making.param("oneway")
    return Made(making.changes(making.on("Road"), {"oneway": way}), title={"oneway": way})


def _street_lanes(making: Making) -> Made:
    values = {name: making.params[name] for name in ("lanes", "width_m") if name in making.params}
    if "lanes" not in values:
        raise refused("param-missing", making.target, param="lanes")
    return Made(making.changes(making.on("Road"), values), title={"lanes": values["lanes"]})


def _network_add(making: Making) -> Made:
    element = making.param("element")
    type_ = ELEMENTS.get(element) if isinstance(element, str) else None
    if type_ is None:
        raise refused("field-value", field="element", allowed=" ".join(ELEMENTS))
    where = "axis" if "axis" in FIELDS[type_] else "place"
    making.param(where)
    making.param("network_id")
    values = {name: making.params.get(name) for name in FIELDS[type_]} | {"closed": False}
    return Made(making.new(type_, values), title={"element": element})


def _network_size(making: Making) -> Made:
    target = making.on(*ELEMENTS.values())
    values = {name: making.params[name] for name in ("diameter_m", "capacity") if making.params.get(name) is not None}
    if not values:
        raise refused("param-missing", target, param="diameter_m")
    return Made(making.changes(target, values), title=values)


def _network_close(making: Making) -> Made:
    return Made(making.changes(making.on(*ELEMENTS.values()), {"closed": True}))


def _network_open(making: Making) -> Made:
    return Made(making.changes(making.on(*ELEMENTS.values()), {"closed": False}))


def _park_add(making: Making) -> Made:
    values = {"footprint": making.param("footprint"), "name": making.params.get("name")}
    return Made(making.new("PlantCover", values))


def _tree_add(making: Making) -> Made:
    places = making.params.get("places")
    if places is None:
        places = [making.param("place")]
    if not isinstance(places, list | tuple) or not places:
        raise refused("field-value", field="places")
    if len(places) > PLACES_MAX:
        raise refused("field-limit", field="places", measured=len(places), limit=PLACES_MAX)
    size = {
        "height_m": making.params.get("height_m", 8.0),
        "crown_diameter_m": making.params.get("crown_diameter_m", 5.0),
    }
    planted = [making.new("SolitaryVegetationObject", {"place": place, **size}) for place in places]
    return Made(together(*planted), title={"trees": len(planted)})


GROUND_MAKERS: Final[Mapping[str, Maker]] = {
    "parcel.land_use": _land_use,
    "parcel.split": _split,
    "parcel.merge": _merge,
    "street.add": _street_add,
    "street.close": _street_close,
    "street.open": _street_open,
    "street.oneway": _street_oneway,
    "street.lanes": _street_lanes,
    "network.add": _network_add,
    "network.size": _network_size,
    "network.close": _network_close,
    "network.open": _network_open,
    "park.add": _park_add,
    "tree.add": _tree_add,
}
