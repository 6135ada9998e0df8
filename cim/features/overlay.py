"""A collection of a baseline with what a scheme adds, changes and takes away laid over it (pure)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
import shapely

from cim.city.model import CityObject
from cim.features.members import Members, described, flat_attribute, in_order, members_of
from cim.features.model import Property
from cim.geometry.crs import WorkingFrame

CHANGE: Final = "scheme_change"
UNTOUCHED: Final[Mapping[str, Any]] = {CHANGE: None, "phase_year": None}
"""Clients take the fields of a layer from its first page, where nothing may be touched."""

Changes = Mapping[str, CityObject | None]
"""What a scheme adds or changes, by id; ``None`` for what is gone."""


class Said(NamedTuple):
    """A feature as a scheme would have it: its place in the working CRS, and its properties."""

    place: shapely.Geometry
    properties: Mapping[str, Any]


def overlaid(
    base: Members | None,
    identity: tuple[str, str],
    mine: Mapping[str, Said],
    gone: Collection[str],
    working: WorkingFrame,
    *,
    models: bool = True,
    untouched: Mapping[str, Any] = UNTOUCHED,
) -> Members | None:
    """Return a collection (``identity`` its id and title) with ``mine`` in it and without what is ``gone``.

    ``untouched`` are properties of those that stay as they are.  The baseline's own collection is returned where
    nothing of it is touched, ``None`` where there is nothing at all.
    """
    if base is None:
        if not mine:
            return None
        said = list(mine.values())
        places = _array([one.place for one in said])
        return members_of(
            *(identity, list(mine), places, lambda row: said[row].properties, working), generated=False, models=models
        )
    absent = {identifier for identifier in gone if identifier in base.index}
    if not absent and not mine:
        return base
    ids = [identifier for identifier in base.ids if identifier not in absent]
    rows = [base.index[identifier] for identifier in ids]
    places = base.places[rows]
    for at, identifier in enumerate(ids):
        if identifier in mine:
            places[at] = mine[identifier].place
    added = [identifier for identifier in mine if identifier not in base.index]
    places = np.concatenate((places, _array([mine[identifier].place for identifier in added])))
    ids += added

    def properties(row: int) -> Mapping[str, Any]:
        said = mine.get(ids[row])
        return {**base.properties(rows[row]), **untouched} if said is None else said.properties

    changed = [*(said.properties for said in mine.values()), untouched]
    bounds = shapely.total_bounds(places)
    collection = replace(
        base.collection,
        bbox=None if np.isnan(bounds[0]) else working.bbox_to_lonlat(tuple(bounds.tolist())),
        properties=_joined(base.collection.properties, described(changed.__getitem__, len(changed))),
    )
    return in_order(collection, ids, places, properties)


def properties_of(city_object: CityObject) -> dict[str, Any]:
    """Return an object's flat properties, as those of the baseline are (``cim.features.baseline``)."""
    properties: dict[str, Any] = {"type": city_object.type, **UNTOUCHED}
    for name, attribute in city_object.attributes.items():
        properties.update(flat_attribute(name, attribute))
    if city_object.parent_id:
        properties["parent_id"] = city_object.parent_id
    return properties


def _array(places: Sequence[shapely.Geometry]) -> Any:
    array = np.empty(len(places), dtype=object)
    array[:] = places
    return array


def _joined(first: Sequence[Property], second: Sequence[Property]) -> tuple[Property, ...]:
    """Return the properties of two kinds of features; where types differ both are texts, or numbers."""
    joined = {one.name: one for one in first}
    for one in second:
        known = joined.get(one.name)
        if known is None or known.type == one.type:
            joined.setdefault(one.name, one)
            continue
        numeric = {known.type, one.type} <= {"integer", "number"}
        joined[one.name] = replace(known, type="number" if numeric else "string")
    return tuple(joined.values())
