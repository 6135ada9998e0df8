"""The collections of a baseline as a scheme would have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import shapely

from cim.city.model import CityObject
from cim.features.baseline import OBJECT_COLLECTIONS
from cim.features.members import MemberFeatures, Members, described, flat_attribute, in_order, members_of
from cim.features.model import Property
from cim.geometry.crs import WorkingFrame

CHANGES: Final = "scheme-changes"
"""The collection of all that a scheme touches, what it takes away among it."""
CHANGE: Final = "scheme_change"
DEMOLISHED: Final = "demolished"
_UNTOUCHED: Final[Mapping[str, Any]] = {CHANGE: None, "phase_year": None}
"""Clients take the fields of a layer from its first page, where nothing may be touched."""

Changes = Mapping[str, CityObject | None]
"""What a scheme adds or changes, by id; ``None`` for what is gone."""


class SchemeFeatures(MemberFeatures):
    """A :class:`cim.features.model.FeatureSource` of one state of a scheme; never changes.

    A collection has the baseline's features, those that are changed as they are now, and those that are added.
    ``scheme_change`` and ``phase_year`` tell what the scheme touches.
    """

    def __init__(self, base: MemberFeatures, changes: Changes, revision: str) -> None:
        self._base = base
        self._changes = changes
        self.revision = revision

    @property
    def working(self) -> WorkingFrame:
        """The way between the working CRS and degrees."""
        return self._base.working

    def city_objects(self, identifiers: Sequence[str]) -> list[CityObject]:
        """Return objects as the scheme would have them, with all that are part of them."""
        mine = {i: self._changes.get(i) for i in identifiers if i in self._changes}
        rest = {found.id: found for found in self._base.city_objects([i for i in identifiers if i not in mine])}
        parts = [found for i, found in rest.items() if i not in identifiers and i not in self._changes]
        asked = [mine.get(i) or (None if i in mine else rest.get(i)) for i in identifiers]
        return [found for found in (*asked, *parts) if found is not None]

    def members(self) -> Mapping[str, Members]:
        """Return the members of every collection that holds anything."""
        return self._members

    @cached_property
    def _members(self) -> Mapping[str, Members]:
        base = self._base.members()
        found = {
            name: self._overlaid(base.get(name), (name, title), types)
            for name, (title, types) in OBJECT_COLLECTIONS.items()
        }
        rest = {name: members for name, members in base.items() if name not in found}
        every = {**found, **rest, CHANGES: self._touched(base)}
        return {name: members for name, members in every.items() if members is not None and len(members.ids)}

    def _overlaid(self, base: Members | None, identity: tuple[str, str], types: tuple[str, ...]) -> Members | None:
        mine = {i: o for i, o in self._changes.items() if o is not None and o.type in types and o.place is not None}
        if base is None:
            return _of_objects(identity, list(mine.values()), self.working) if mine else None
        gone = [base.index[identifier] for identifier in self._changes if identifier in base.index]
        if not gone and not mine:
            return base
        stays = np.ones(len(base.ids), dtype=bool)
        stays[[row for row in gone if base.ids[row] not in mine]] = False
        rows = np.flatnonzero(stays)
        added = [item for identifier, item in mine.items() if identifier not in base.index]
        ids = [*(base.ids[row] for row in rows.tolist()), *(item.id for item in added)]
        places = np.concatenate((base.places[rows], _places(added)))
        properties: list[Callable[[], Mapping[str, Any]]] = [
            *(_of_row(base, row, mine.get(base.ids[row])) for row in rows.tolist()),
            *(_of_object(item) for item in added),
        ]
        for at, identifier in enumerate(ids[: len(rows)]):
            if identifier in mine:
                places[at] = mine[identifier].place
        said = [_properties(item) for item in mine.values()]
        bounds = shapely.total_bounds(places)
        collection = replace(
            base.collection,
            bbox=None if np.isnan(bounds[0]) else self.working.bbox_to_lonlat(tuple(bounds.tolist())),
            properties=_joined(base.collection.properties, described(said.__getitem__, len(said))),
        )
        return in_order(collection, ids, places, lambda row: properties[row]())

    def _touched(self, base: Mapping[str, Members]) -> Members | None:
        """Return all changes; what is gone as the baseline had it."""
        ids: list[str] = []
        places: list[shapely.Geometry] = []
        said: list[Mapping[str, Any]] = []
        for identifier, city_object in self._changes.items():
            if city_object is not None:
                place, properties = city_object.place, _properties(city_object)
            else:
                holder = next((members for members in base.values() if identifier in members.index), None)
                if holder is None:
                    continue
                row = holder.index[identifier]
                place, properties = holder.places[row], {**holder.properties(row), CHANGE: DEMOLISHED}
            if place is not None:
                ids.append(identifier)
                places.append(place)
                said.append(properties)
        if not ids:
            return None
        array = np.empty(len(places), dtype=object)
        array[:] = places
        title = "All that the scheme changes"
        return members_of((CHANGES, title), ids, array, said.__getitem__, self.working, generated=False)


def _of_objects(identity: tuple[str, str], objects: Sequence[CityObject], working: WorkingFrame) -> Members:
    said = [_properties(item) for item in objects]
    return members_of(
        *(identity, [item.id for item in objects], _places(objects), said.__getitem__, working),
        generated=False,
        models=True,
    )


def _places(objects: Sequence[CityObject]) -> Any:
    places = np.empty(len(objects), dtype=object)
    places[:] = [item.place for item in objects]
    return places


def _of_row(base: Members, row: int, changed: CityObject | None) -> Callable[[], Mapping[str, Any]]:
    return _of_object(changed) if changed is not None else lambda: {**base.properties(row), **_UNTOUCHED}


def _of_object(city_object: CityObject) -> Callable[[], Mapping[str, Any]]:
    return lambda: _properties(city_object)


def _properties(city_object: CityObject) -> dict[str, Any]:
    """Return an object's flat properties, as those of the baseline are (``cim.features.baseline``)."""
    properties: dict[str, Any] = {"type": city_object.type, **_UNTOUCHED}
    for name, attribute in city_object.attributes.items():
        properties.update(flat_attribute(name, attribute))
    if city_object.parent_id:
        properties["parent_id"] = city_object.parent_id
    return properties


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
