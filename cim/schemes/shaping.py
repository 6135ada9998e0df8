"""The geometry of a building as a scheme has it: its own where that still holds, else a solid (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias, runtime_checkable

import shapely

from cim.city.model import CityObject
from cim.geometry.surfaces import Geometry, lod_rank
from cim.schemes.fields import STOREY_M_MIN
from cim.schemes.model import Value
from cim.schemes.rigid import Motion, motion_between, moved
from cim.schemes.solids import joined, lifted, solid_of

Fields: TypeAlias = Mapping[str, Value]

PRISM: Final = "scheme:prism"
ROOF: Final = "scheme:roof"
LIFTED: Final = "scheme:roof-lifted"
MOVED: Final = "scheme:moved"
MODEL: Final = "scheme:model"
KEPT: Final = ""
"""How a geometry was made, as the ``method`` of the height says it; nothing where it is the source's own."""

SAME_M: Final = 0.0015
"""Heights that differ by less are the same: what rounding each to a millimetre may do."""
_FLAT: Final[Mapping[str, Value]] = {"type": "flat", "height_m": 0.0}


@runtime_checkable
class WithParts(Protocol):
    """A baseline that knows which objects are parts of another."""

    def parts(self, target: str) -> Sequence[CityObject]:
        """Return the parts of an object with their geometries."""
        ...


@runtime_checkable
class WithModels(Protocol):
    """A baseline under which models can be placed."""

    def model(self, digest: str) -> PlacedModel | None:
        """Return an uploaded model by its SHA-256, ``None`` where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class PlacedModel:
    """An uploaded model about its own origin: east, north, up in metres, its foot at 0."""

    outline: shapely.Polygon
    height_m: float
    body: Geometry


@dataclass(frozen=True, slots=True)
class Shape:
    """Where a building is on the map, its geometries, and how they were made."""

    place: shapely.Geometry | None
    geometries: tuple[Geometry, ...]
    method: str


def wall_m(fields: Fields) -> float:
    """Return the height of a building's storeys."""
    return float(sum(storey[0] for storey in fields.get("storeys") or ()))


def roof_of(fields: Fields) -> Mapping[str, Value]:
    """Return a building's roof; flat where a source's cannot be a field."""
    roof: Mapping[str, Value] = fields.get("roof") or _FLAT
    return roof


def height_m(fields: Fields) -> float:
    """Return the height of a building with its roof."""
    return round(wall_m(fields) + float(roof_of(fields)["height_m"]), 3)


def ground_m(fields: Fields) -> float:
    """Return the height of the ground that a building stands on, over the city's datum."""
    return float(fields.get("ground_m", 0.0))


def shape_of_new(fields: Fields, model: PlacedModel | None) -> Shape:
    """Return the shape of a building that a scheme has added, or has changed beyond what it was."""
    rings = fields.get("footprint")
    if rings is None:
        return Shape(None, (), PRISM)
    if model is not None:
        placed = _placed(model, fields)
        if placed is not None:
            return Shape(_polygon(rings), (placed,), MODEL)
    return _extruded(_polygon(rings), fields)


def shape_of_changed(old: CityObject, parts: Sequence[CityObject], was: Fields, now: Fields) -> Shape:
    """Return the shape of a building of the baseline: what the scheme leaves of it stays as its source has it.

    One that is only moved or turned keeps its body, or those of its parts; one without parts that is only higher or
    lower keeps its roof where every corner of the body is either on its foot or well above it; anything else is a
    solid anew.
    """
    up_m = ground_m(now) - ground_m(was)
    taller_m = wall_m(now) - wall_m(was)
    place_same = was.get("footprint") == now.get("footprint")
    if now.get("roof") == was.get("roof") and now.get("model") == was.get("model"):
        if place_same and abs(up_m) < SAME_M and abs(taller_m) < SAME_M:
            return Shape(old.place, _own(old, parts), KEPT)
        body = _best(_own(old, parts))
        # Parts are of several heights: which of them grow when the whole does nobody has said.
        if body is not None and (not parts or abs(taller_m) < SAME_M):
            shape = _adapted(old, body, was, now, taller_m)
            if shape is not None:
                return shape
    place = _polygon(now["footprint"]) if now.get("footprint") is not None else old.place
    return _extruded(place, now)


def _adapted(old: CityObject, body: Geometry, was: Fields, now: Fields, taller_m: float) -> Shape | None:
    """Return a body carried to where the building is now, and lifted to its height; ``None`` if that is not simple."""
    method, place = KEPT, old.place
    if was.get("footprint") is not None and now.get("footprint") is not None:
        motion = motion_between(was["footprint"], now["footprint"])
        if motion is None:
            return None
        body = moved(body, motion, ground_m(now) - ground_m(was))
        place, method = _polygon(now["footprint"]), MOVED
    if abs(taller_m) >= SAME_M:
        higher = lifted(body, taller_m, STOREY_M_MIN)
        if higher is None:
            return None
        body, method = higher, LIFTED
    return Shape(place, (body,), method)


def _own(old: CityObject, parts: Sequence[CityObject]) -> tuple[Geometry, ...]:
    """Return a building's own geometries, or those of its parts, which stand for it, as one."""
    bodies = [body for part in parts if (body := best_body(part) or _block(part)) is not None]
    if best_body(old) is not None or not bodies:
        return old.geometries
    return (joined(bodies, "1"),)


def best_body(city_object: CityObject) -> Geometry | None:
    """Return the most detailed geometry with surfaces, from LoD 1 on."""
    return _best(city_object.geometries)


def _best(geometries: Sequence[Geometry]) -> Geometry | None:
    with_surfaces = [one for one in geometries if one.surface_count and lod_rank(one.lod) >= 1.0]
    return max(with_surfaces, key=lambda one: lod_rank(one.lod), default=None)


def _block(part: CityObject) -> Geometry | None:
    """Return a part that has only an outline and heights as a solid."""
    heights = [part.attributes.get(name) for name in ("ground_m", "min_height_m", "height_m")]
    stands_m, low_m, high_m = (_number(None if a is None else a.value) for a in heights)
    if part.place is None or high_m <= low_m:
        return None
    solids = [_solid(plan, stands_m + low_m, stands_m + high_m, _FLAT) for plan in _polygons(part.place)]
    return joined(solids, "1") if solids else None


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _extruded(place: shapely.Geometry | None, fields: Fields) -> Shape:
    roof = roof_of(fields)
    foot_m = ground_m(fields)
    solids = [] if place is None else [_solid(p, foot_m, foot_m + wall_m(fields), roof) for p in _polygons(place)]
    method = PRISM if roof["type"] == "flat" or roof["height_m"] <= 0 else ROOF
    if len(solids) < 2:
        return Shape(place, tuple(solids), method)
    return Shape(place, (joined(solids, max(solid.lod for solid in solids)),), method)


def _solid(plan: shapely.Polygon, foot_m: float, eaves_m: float, roof: Mapping[str, Value]) -> Geometry:
    outlines = (plan.exterior, *plan.interiors)
    rings = tuple(tuple((float(x), float(y)) for x, y in shapely.get_coordinates(o)[:-1]) for o in outlines)
    return solid_of(rings, foot_m, eaves_m, str(roof["type"]), float(roof["height_m"]))


def _polygons(place: shapely.Geometry) -> list[shapely.Polygon]:
    parts = shapely.get_parts(shapely.make_valid(shapely.force_2d(place)))
    return [part for whole in parts for part in shapely.get_parts(whole) if part.geom_type == "Polygon"]


def _polygon(rings: Value) -> shapely.Polygon:
    return shapely.Polygon(rings[0], rings[1:])


def _placed(model: PlacedModel, fields: Fields) -> Geometry | None:
    """Return a model where its outline is now; ``None`` where it no longer fits."""
    motion = motion_of_model(model, fields)
    return None if motion is None else moved(model.body, motion, ground_m(fields))


def motion_of_model(model: PlacedModel, fields: Fields) -> Motion | None:
    """Return what carries a model to where its outline is now.

    ``None`` where the outline was bent or the height is another: then the building is a solid, no longer the model.
    """
    outline = [
        shapely.get_coordinates(ring)[:-1].tolist() for ring in (model.outline.exterior, *model.outline.interiors)
    ]
    motion = motion_between(outline, fields["footprint"])
    return None if abs(height_m(fields) - model.height_m) > 10 * SAME_M else motion
