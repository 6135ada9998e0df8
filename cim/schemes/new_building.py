"""A new building's fields: what was asked for, and defaults for the rest (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cim.schemes.faults import refused
from cim.schemes.fields import STOREYS_MAX
from cim.schemes.ground import ground_under
from cim.schemes.making import Making
from cim.schemes.model import Value

STOREY_M: Final = 3.2
"""Height of a storey where none is asked for, metres."""


def storeys_of(params: Mapping[str, Value], use: str) -> list[Value]:
    """Return storeys as they were asked for: one by one, or a count of equal ones."""
    if params.get("storeys") is not None:
        return list(params["storeys"]) if isinstance(params["storeys"], list | tuple) else [params["storeys"]]
    count = params.get("count")
    if isinstance(count, bool) or not isinstance(count, int | float) or count < 1 or count != int(count):
        raise refused("param-missing", param="storeys")
    if count > STOREYS_MAX:
        raise refused("field-limit", field="storeys", measured=count, limit=STOREYS_MAX)
    return [[params.get("storey_height_m", STOREY_M), params.get("use", use)] for _ in range(int(count))]


def building_values(making: Making, footprint: Value, params: Mapping[str, Value]) -> dict[str, Value]:
    """Return all fields of a new building on a footprint; what was not asked for has its default."""
    return {
        "footprint": footprint,
        "ground_m": params["ground_m"]
        if params.get("ground_m") is not None
        else ground_under(making.state.base, footprint),
        "storeys": storeys_of(params, "residential"),
        "roof": params.get("roof") or {"type": "flat", "height_m": 0.0},
        "name": params.get("name"),
        "solar_share": params.get("solar_share", 0.0),
        "model": None,
    }
