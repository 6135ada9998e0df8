"""The kinds of edit: from what was asked for and the state that it meets to changes (pure).

Each maker gives changes or raises: :class:`EditRefused` with findings where what was asked for cannot
be, :class:`EditConflict` where it was true of another state.  Geometry is in the working CRS, metres.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import shapely
from shapely import affinity

from cim.schemes.base import stack
from cim.schemes.edits_forms import FORM_MAKERS
from cim.schemes.edits_ground import GROUND_MAKERS
from cim.schemes.faults import refused
from cim.schemes.fields import STOREY_M_MIN, STOREYS_MAX
from cim.schemes.making import Made, Maker, Making
from cim.schemes.model import Value
from cim.schemes.new_building import STOREY_M, building_values, storeys_of

LOG_KINDS: Final = ("merge", "rebase", "undo", "redo")
"""Kinds that the log makes itself, by addresses of their own."""


def make_edit(making: Making) -> Made:
    """Make an edit by its kind; raises :class:`EditRefused` (``edit-kind``, ``edit-empty``) for none."""
    maker = MAKERS.get(making.kind)
    if maker is None:
        raise refused("edit-kind", kind=making.kind[:40])
    made = maker(making)
    if not made.changes:
        raise refused("edit-empty", making.target)
    return made


def _add(making: Making) -> Made:
    values = building_values(making, making.param("footprint"), making.params)
    return Made(making.new("Building", values), title={"storeys": len(values["storeys"])})


def _demolish(making: Making) -> Made:
    return Made((making.gone(making.on("Building")),))


def _remove(making: Making) -> Made:
    return Made((making.gone(making.on()),))


def _height(making: Making) -> Made:
    target = making.on("Building")
    height_m = _length(making, "height_m")
    roof = making.state.value(target, "roof") or {"height_m": 0.0}
    wall_m = height_m - float(roof["height_m"])
    if wall_m < STOREY_M_MIN:
        raise refused("height-under-roof", target, measured=wall_m, limit=STOREY_M_MIN)
    present = making.state.value(target, "storeys") or [[STOREY_M, "other"]]
    usual_m = sorted(storey[0] for storey in present)[len(present) // 2]
    count = max(1, round(wall_m / usual_m))
    if count > STOREYS_MAX:
        raise refused("field-limit", target, field="storeys", measured=count, limit=STOREYS_MAX)
    uses = [storey[1] for storey in present]
    storeys = [
        [height, uses[min(level, len(uses) - 1)]] for level, (height, _) in enumerate(stack(wall_m, count, uses[-1]))
    ]
    return Made(making.changes(target, {"storeys": storeys}), title={"height_m": height_m, "storeys": len(storeys)})


def _storeys(making: Making) -> Made:
    target = making.on("Building")
    present = making.state.value(target, "storeys") or [[STOREY_M, "other"]]
    params = {"storey_height_m": present[-1][0], "use": present[-1][1], **making.params}
    storeys = storeys_of(params, present[-1][1])
    return Made(making.changes(target, {"storeys": storeys}), title={"storeys": len(storeys)})


def _use(making: Making) -> Made:
    target = making.on("Building")
    use = making.param("use")
    present = making.state.value(target, "storeys") or []
    levels = making.params.get("storeys")
    wanted = set(range(len(present))) if levels is None else _levels(levels, len(present), target)
    storeys = [[height, use if level in wanted else was] for level, (height, was) in enumerate(present)]
    return Made(making.changes(target, {"storeys": storeys}), title={"use": use})


def _levels(levels: Value, count: int, target: str) -> set[int]:
    """Return storeys by number, 0 the lowest."""
    if not isinstance(levels, list | tuple) or not all(
        isinstance(level, int) and not isinstance(level, bool) and 0 <= level < count for level in levels
    ):
        raise refused("field-value", target, field="storeys")
    return set(levels)


def _roof(making: Making) -> Made:
    target = making.on("Building")
    roof = {name: making.params[name] for name in ("type", "height_m") if name in making.params}
    return Made(making.changes(target, {"roof": roof}), title={"roof": str(roof.get("type", "flat"))})


def _move(making: Making) -> Made:
    target = making.on("Building")
    rings = making.state.value(target, "footprint")
    if rings is None:
        raise refused("footprint-missing", target)
    dx_m, dy_m = _way(making)
    rotation_deg = _length(making, "rotation_deg", 0.0)
    shape = affinity.rotate(shapely.Polygon(rings[0], rings[1:]), rotation_deg, origin="centroid")
    moved = affinity.translate(shape, dx_m, dy_m)
    footprint = [shapely.get_coordinates(ring).tolist() for ring in (moved.exterior, *moved.interiors)]
    distance_m = round(float((dx_m**2 + dy_m**2) ** 0.5), 2)
    return Made(making.changes(target, {"footprint": footprint}), title={"distance_m": distance_m})


def _way(making: Making) -> tuple[float, float]:
    """Return a displacement: from one place to another, else its parts along the axes of the working CRS, metres.

    The axes of a projection point to true north on its central meridian only, so who has places sends places.
    """
    if not {"from", "to"} & making.params.keys():
        return _length(making, "dx_m", 0.0), _length(making, "dy_m", 0.0)
    (x0, y0), (x1, y1) = (_spot(making, name) for name in ("from", "to"))
    return x1 - x0, y1 - y0


def _spot(making: Making, name: str) -> tuple[float, float]:
    spot = making.param(name)
    if not isinstance(spot, list | tuple) or len(spot) != 2 or not all(isinstance(part, float) for part in spot):
        raise refused("field-value", making.target, field=name)
    return spot[0], spot[1]


def _footprint(making: Making) -> Made:
    return Made(making.changes(making.on("Building"), {"footprint": making.param("footprint")}))


def _solar(making: Making) -> Made:
    share = making.param("solar_share")
    return Made(making.changes(making.on("Building"), {"solar_share": share}), title={"solar_share": share})


def _length(making: Making, name: str, default: float | None = None) -> float:
    value: Any = making.params.get(name) if default is not None else making.param(name)
    if value is None and default is not None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e5:
        raise refused("field-value", making.target, field=name)
    return float(value)


MAKERS: Final[Mapping[str, Maker]] = {
    "building.add": _add,
    "building.demolish": _demolish,
    "building.height": _height,
    "building.storeys": _storeys,
    "building.use": _use,
    "building.roof": _roof,
    "building.move": _move,
    "building.footprint": _footprint,
    "building.solar": _solar,
    "object.remove": _remove,
    **FORM_MAKERS,
    **GROUND_MAKERS,
}
