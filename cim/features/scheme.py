"""The collections of a baseline as a scheme would have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
import shapely

from cim.city.model import CityObject
from cim.features.baseline import OBJECT_COLLECTIONS
from cim.features.members import MemberFeatures, Members, members_of
from cim.features.overlay import CHANGE, Changes, Said, overlaid, properties_of
from cim.features.scheme_networks import overlaid_networks
from cim.geometry.crs import WorkingFrame

CHANGES: Final = "scheme-changes"
"""The collection of all that a scheme touches, what it takes away among it."""
DEMOLISHED: Final = "demolished"


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
        networks = overlaid_networks(base, self._changes, self.working)
        rest = {name: members for name, members in base.items() if name not in found}
        every = {**found, **rest, **networks, CHANGES: self._touched(base)}
        return {name: members for name, members in every.items() if members is not None and len(members.ids)}

    def _overlaid(self, base: Members | None, identity: tuple[str, str], types: tuple[str, ...]) -> Members | None:
        mine = {
            identifier: Said(one.place, properties_of(one))
            for identifier, one in self._changes.items()
            if one is not None and one.type in types and one.place is not None
        }
        gone = [identifier for identifier in self._changes if identifier not in mine]
        return overlaid(base, identity, mine, gone, self.working)

    def _touched(self, base: Mapping[str, Members]) -> Members | None:
        """Return all changes; what is gone as the baseline had it."""
        ids: list[str] = []
        places: list[shapely.Geometry] = []
        said: list[Mapping[str, Any]] = []
        for identifier, city_object in self._changes.items():
            if city_object is not None:
                place, properties = city_object.place, properties_of(city_object)
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
