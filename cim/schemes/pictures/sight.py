"""What a generated picture of a scheme shows: its buildings among the city's (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Protocol, runtime_checkable

import shapely

from cim.city.model import CityObject
from cim.schemes.documents import change_of, shape_of
from cim.schemes.model import TYPE, Value
from cim.schemes.pictures.drawing import Block, Change, Cover, Sight, frame_of
from cim.schemes.shaping import ground_m, height_m
from cim.schemes.state import State

OBJECTS_MAX: Final = 4_000
"""Objects of the city that one picture shows; of more, those nearest the site."""
_GREEN, _WATER, _STREETS = frozenset({"PlantCover"}), frozenset({"WaterBody", "Waterway"}), frozenset({"Road"})
HEIGHT_M: Final = 9.0
"""Of a building of which no height is known."""


@runtime_checkable
class WithOutlines(Protocol):
    """A baseline that gives many objects without their geometries at once."""

    def outlines(self, targets: list[str]) -> list[CityObject]:
        """Return some objects: type, place and attributes."""
        ...


def sight_of(state: State, colour_index: int) -> Sight | None:
    """Return what is to be drawn of a state, ``None`` where nothing that it changes has a place."""
    own = list(_own(state))
    built = [block.footprint for block in own]
    shapes = built or [shape for target in state.targets if (shape := _shape(state, target)) is not None]
    if not shapes or not isinstance(state.base, WithOutlines):
        return None
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    site = (west, south, east, north)
    near = [target for target in state.base.near(frame_of(site)) if target not in set(state.targets)]
    around = state.base.outlines(near)
    if len(around) > OBJECTS_MAX:
        middle = shapely.box(*site).centroid
        around = sorted(around, key=lambda one: shapely.distance(one.place, middle))[:OBJECTS_MAX]
    blocks = [block for item in around for block in _blocks(item)]
    covers = [cover for item in around for cover in _covers(item.type, item.place, _number(item, "width_m"))]
    covers += [cover for target in state.targets if state.exists(target) for cover in _own_covers(state, target)]
    return Sight(site, [*blocks, *own], covers, colour_index)


def _own(state: State) -> Iterator[Block]:
    """Yield the buildings that a state adds, changes and takes away."""
    for target in state.targets:
        change = change_of(state, target)
        gone = change == "demolished"
        fields: Mapping[str, Value] = (state.base.fields(target) or {}) if gone else state.fields(target)
        if change is None or fields.get(TYPE) != "Building" or fields.get("footprint") is None:
            continue
        rings, foot_m = fields["footprint"], ground_m(fields)
        said: Change = "demolished" if gone else "added" if change == "added" else "changed"
        yield Block(shapely.Polygon(rings[0], rings[1:]), foot_m, foot_m + height_m(fields), said)


def _shape(state: State, target: str) -> shapely.Geometry | None:
    return shape_of(state.fields(target) if state.exists(target) else (state.base.fields(target) or {}))


def _own_covers(state: State, target: str) -> Iterator[Cover]:
    fields = state.fields(target)
    width = fields.get("width_m")
    return _covers(str(fields.get(TYPE)), shape_of(fields), float(width) if isinstance(width, int | float) else 0.0)


def _blocks(item: CityObject) -> Iterator[Block]:
    if item.type != "Building" or item.place is None:
        return
    foot_m = _number(item, "ground_m")
    for part in shapely.get_parts(item.place):
        if part.geom_type == "Polygon" and not part.is_empty:
            yield Block(part, foot_m, foot_m + (_number(item, "height_m") or HEIGHT_M))


def _covers(type_: str, place: shapely.Geometry | None, width_m: float) -> Iterator[Cover]:
    if place is None:
        return
    if type_ in _GREEN:
        yield Cover(place, "green")
    elif type_ in _WATER:
        yield Cover(place, "water")
    elif type_ in _STREETS and width_m > 0:
        yield Cover(shapely.buffer(place, width_m / 2, quad_segs=2), "street")


def _number(item: CityObject, name: str) -> float:
    attribute = item.attributes.get(name)
    value = None if attribute is None else attribute.value
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
