"""The kinds of edit that stand new buildings on the ground: drawn, from the massing library, from a model (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import shapely
from shapely import affinity

from cim.errors import InvalidInput, NotFound
from cim.schemes.base import stack
from cim.schemes.faults import EditRefused, refused
from cim.schemes.making import Made, Maker, Making, together
from cim.schemes.massing import Place, Volume, build_massing
from cim.schemes.model import Change, Value
from cim.schemes.new_building import building_values

PITCH: Final = 0.7
"""Rise of a pitched roof of the library over half of the building's narrower side: 35 degrees."""


def _massing_add(making: Making) -> Made:
    params = making.params
    form = making.param("form")
    numbers = params.get("numbers") or {}
    if not isinstance(form, str) or not isinstance(numbers, Mapping):
        raise refused("field-value", field="form")
    if not all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers.values()):
        raise refused("field-value", field="numbers")
    try:
        volumes = build_massing(form, numbers, _place(making), str(params.get("use") or "residential"))
    except (InvalidInput, NotFound) as error:
        if isinstance(error, EditRefused):
            raise
        said = {name: value for name, value in error.params.items() if isinstance(value, str | int | float)}
        raise refused(error.problem_code, making.target, **said) from error
    return Made(together(*(_volume(making, volume) for volume in volumes)), title={"form": form})


def _place(making: Making) -> Place:
    """Return where a form stands: on its site (the target parcel, or one that was drawn), else at its anchor."""
    params = making.params
    rings = params.get("site")
    if rings is None and making.target:
        rings = making.state.value(making.on("+Parcel"), "footprint")
    site = None if rings is None else polygon_of(rings, "site")
    anchor = params.get("anchor", params.get("place"))
    if anchor is None:
        if site is None:
            raise refused("param-missing", param="anchor")
        anchor = [site.centroid.x, site.centroid.y]
    if not isinstance(anchor, list | tuple) or len(anchor) != 2:
        raise refused("field-value", field="anchor")
    return Place((float(anchor[0]), float(anchor[1])), _bearing(params), site)


def _bearing(params: Mapping[str, Value]) -> float:
    bearing = params.get("bearing_deg") or 0.0
    if isinstance(bearing, bool) or not isinstance(bearing, int | float) or not abs(bearing) <= 360:
        raise refused("field-value", field="bearing_deg")
    return float(bearing)


def _volume(making: Making, volume: Volume) -> tuple[Change, ...]:
    corners = shapely.get_coordinates(shapely.oriented_envelope(volume.footprint))[:3]
    narrower_m = float(np.hypot(*np.diff(corners, axis=0).T).min())
    roof = {"type": volume.roof, "height_m": 0.0 if volume.roof == "flat" else PITCH * narrower_m / 2}
    params = {**making.params, "storeys": [list(storey) for storey in volume.storeys], "roof": roof}
    return making.new("Building", building_values(making, rings_of(volume.footprint), params))


def _model_add(making: Making) -> Made:
    """Stand an uploaded model on its anchor; its outline and height are the model's."""
    params = making.params
    digest = making.param("model")
    facts = making.model_of(digest) if isinstance(digest, str) else None
    if facts is None:
        raise refused("model-unknown", model=str(digest)[:64])
    anchor = making.params.get("anchor", making.params.get("place"))
    if not isinstance(anchor, list | tuple) or len(anchor) != 2:
        raise refused("field-value", field="anchor")
    turned = affinity.rotate(facts.outline, -_bearing(params), origin=(0.0, 0.0))
    outline = affinity.translate(turned, float(anchor[0]), float(anchor[1]))
    use = str(params.get("use") or "other")
    storeys = stack(facts.height_m, params.get("count"), use) if params.get("storeys") is None else params["storeys"]
    given = {**params, "storeys": storeys, "roof": {"type": "flat", "height_m": 0.0}}
    values = {**building_values(making, rings_of(outline), given), "model": digest}
    return Made(making.new("Building", values), title={"height_m": facts.height_m})


def rings_of(shape: shapely.Polygon) -> Value:
    """Return a polygon as a value."""
    return [shapely.get_coordinates(ring).tolist() for ring in (shape.exterior, *shape.interiors)]


def polygon_of(rings: Value, name: str) -> shapely.Polygon:
    """Return a value as a polygon; raises :class:`EditRefused` where it is none."""
    try:
        shape = shapely.Polygon(rings[0], rings[1:])
    except (TypeError, ValueError, IndexError, shapely.errors.GEOSException):
        raise refused("field-value", field=name) from None
    if not shape.is_valid or shape.is_empty:
        raise refused("footprint-invalid", field=name)
    return shape


FORM_MAKERS: Final[Mapping[str, Maker]] = {"massing.add": _massing_add, "model.add": _model_add}
