"""What a scheme changes, as city objects with geometry (pure).

An object of the baseline keeps every fact of its source that the scheme does not change, its geometry
among them.  ``scheme_change`` says ``added`` or ``changed``; the ``method`` of ``height_m`` says how the
geometry was made where it is not the source's own (:mod:`cim.schemes.shaping`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import shapely

from cim.city.model import Attribute, CityObject
from cim.schemes.base import Baseline
from cim.schemes.model import EXISTS, TYPE
from cim.schemes.shaping import (
    KEPT,
    Fields,
    PlacedModel,
    Shape,
    WithModels,
    WithParts,
    height_m,
    roof_of,
    shape_of_changed,
    shape_of_new,
)
from cim.schemes.state import State

CHANGE: Final = "scheme_change"
PHASE: Final = "phase_year"

_PLACES: Final = ("footprint", "axis", "place")
_KIND_OF_STREET: Final = "road_street"
_KIND_OF_CLOSED: Final = "road_path"
"""How a street without cars is painted on the ground."""
_LANES_ARTERIAL: Final = 4
_KIND_OF_LAND_USE: Final[Mapping[str, str]] = {
    "14": "green", "1403": "plaza", "park": "green", "green": "green", "green_space": "green", "open_space": "green",
    "17": "water", "water": "water", "plaza": "plaza", "square": "plaza", "1208": "parking", "parking": "parking",
}  # fmt: skip
"""Land uses that are painted on the ground; codes are those of the national classification and match by their
beginning, the longest first."""


def realise(state: State, base: Baseline) -> dict[str, CityObject | None]:
    """Return what the scheme has added or changed, and ``None`` for what is gone."""
    return {target: _object(state, base, target) for target in state.targets}


def _object(state: State, base: Baseline, target: str) -> CityObject | None:
    if not state.exists(target):
        return None
    now, was = state.fields(target), base.fields(target)
    old = None if was is None else base.object(target)
    facts = {CHANGE: Attribute("added" if was is None else "changed")}
    year = state.phase_of(target)
    if year is not None:
        facts[PHASE] = Attribute(year, "a")
    if now[TYPE] == "Building":
        return _building(target, now, was, old, base, facts)
    return _on_the_ground(target, now, was or {}, old, facts)


def _building(
    target: str, now: Fields, was: Fields | None, old: CityObject | None, base: Baseline, facts: dict[str, Attribute]
) -> CityObject:
    if was is None or old is None:
        shape = shape_of_new(now, _model(base, now))
        facts |= {**_stack(now, shape), **_said(now, {}), "function": Attribute(_main_use(now))}
        return CityObject(target, "Building", shape.place, shape.geometries, facts)
    parts = base.parts(target) if isinstance(base, WithParts) else ()
    shape = shape_of_changed(old, parts, was, now)
    facts = {**old.attributes, **facts, **_said(now, was)}
    if any(now.get(name) != was.get(name) for name in ("storeys", "roof")):
        facts |= _stack(now, shape)
    elif shape.method != KEPT and "height_m" in facts:
        facts["height_m"] = replace(facts["height_m"], method=shape.method)
    if shape.method != KEPT:
        facts["ground_m"] = Attribute(now.get("ground_m", 0.0), "m")
        facts.pop("min_height_m", None)
    if _uses(now) != _uses(was):
        facts["function"] = Attribute(_main_use(now))
    return replace(old, place=shape.place, geometries=shape.geometries, attributes=facts)


def _stack(fields: Fields, shape: Shape) -> dict[str, Attribute]:
    """Return what a building's storeys and roof say."""
    roof, storeys = roof_of(fields), fields.get("storeys") or ()
    return {
        "height_m": Attribute(height_m(fields), "m", method=shape.method or None),
        "storeys_above_ground": Attribute(len(storeys), "1"),
        "storeys": Attribute([list(storey) for storey in storeys]),
        "ground_m": Attribute(fields.get("ground_m", 0.0), "m"),
        "roof_type": Attribute(roof["type"]),
        "roof_height_m": Attribute(roof["height_m"], "m"),
    }


def _said(now: Fields, was: Fields) -> dict[str, Attribute]:
    """Return a building's other fields where they are not what they were."""
    names = ("name", "solar_share", "model")
    return {name: Attribute(now[name]) for name in names if now.get(name) is not None and now[name] != was.get(name)}


def _main_use(fields: Fields) -> str:
    """Return the use of most storeys; of equals the lowest."""
    counted = Counter(_uses(fields))
    return counted.most_common(1)[0][0] if counted else "other"


def _uses(fields: Fields) -> list[str]:
    return [str(use) for _, use in fields.get("storeys") or ()]


def _model(base: Baseline, fields: Fields) -> PlacedModel | None:
    digest = fields.get("model")
    return base.model(digest) if digest is not None and isinstance(base, WithModels) else None


def _on_the_ground(
    target: str, now: Fields, was: Fields, old: CityObject | None, facts: dict[str, Attribute]
) -> CityObject:
    """Return a street, park, parcel, tree or network element."""
    changed = {name: value for name, value in now.items() if old is None or value != was.get(name)}
    plain = {n: Attribute(v, "m" if n.endswith("_m") else None) for n, v in changed.items() if _is_plain(n, v)}
    kind = _ground_kind(now, changed)
    painted = {} if kind is None else {"ground_kind": Attribute(kind)}
    if old is None:
        park = {"function": Attribute("park")} if now[TYPE] == "PlantCover" else {}
        return CityObject(target, now[TYPE], _place(now), (), {**park, **plain, **painted, **facts})
    place = _place(now) if any(name in changed for name in _PLACES) else old.place
    return replace(old, place=place, attributes={**old.attributes, **plain, **painted, **facts})


def _is_plain(name: str, value: Any) -> bool:
    return name not in (EXISTS, TYPE) and isinstance(value, str | int | float)


def _ground_kind(now: Fields, changed: Fields) -> str | None:
    """Return how the ground is painted where the scheme has changed that, ``None`` where it is as it was."""
    if now[TYPE] == "PlantCover":
        return "green" if "footprint" in changed else None
    if now[TYPE] == "Road" and ("closed" in changed or "axis" in changed):
        if now.get("closed"):
            return _KIND_OF_CLOSED
        return "road_arterial" if now.get("lanes", 2) >= _LANES_ARTERIAL else _KIND_OF_STREET
    if now[TYPE] == "+Parcel" and "land_use" in changed:
        use = str(now["land_use"])
        codes = sorted((code for code in _KIND_OF_LAND_USE if use == code or _begins(use, code)), key=len)
        return _KIND_OF_LAND_USE[codes[-1]] if codes else None
    return None


def _begins(use: str, code: str) -> bool:
    return code.isdigit() and use.startswith(code)


def _place(fields: Fields) -> shapely.Geometry | None:
    if fields.get("footprint") is not None:
        return shapely.Polygon(fields["footprint"][0], fields["footprint"][1:])
    if fields.get("axis") is not None:
        return shapely.LineString(fields["axis"])
    return None if fields.get("place") is None else shapely.Point(fields["place"])
