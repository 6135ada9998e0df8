"""Objects that have no geometry of their own stand where their children stand; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import shapely

from cim.city.model import CityObject
from ingest.readers.cityjson_attributes import derive_heights
from ingest.readers.cityjson_batch import Decoded
from ingest.readers.cityjson_place import Standing


@dataclass(slots=True)
class Families:
    """Holds parents without geometry until their last child has passed.

    Memory: the held parents, the ids of parents that have a geometry, and footprint and two heights
    of children whose parent has no geometry or has not passed yet.
    """

    _held: dict[str, Decoded] = field(default_factory=dict)
    _children: dict[str, list[Standing | None]] = field(default_factory=dict)
    _placed: set[str] = field(default_factory=set)

    def take(self, decoded: Decoded) -> Iterator[CityObject]:
        """Take one object; yield what is complete now."""
        record = decoded.record
        if decoded.children and decoded.standing is None:
            self._held[record.id] = decoded
            yield from self._release(record.id)
            return
        if decoded.children:
            self._placed.add(record.id)
            self._children.pop(record.id, None)
        yield record
        yield from self._tell_parent(record.parent_id, decoded.standing)

    def _tell_parent(self, parent: str | None, standing: Standing | None) -> Iterator[CityObject]:
        if parent is not None and parent not in self._placed:
            self._children.setdefault(parent, []).append(standing)
            yield from self._release(parent)

    def _release(self, parent: str, *, force: bool = False) -> Iterator[CityObject]:
        held = self._held.get(parent)
        children = self._children.get(parent, [])
        if held is None or (len(children) < len(held.children) and not force):
            return
        del self._held[parent]
        self._children.pop(parent, None)
        self._placed.add(parent)
        standing = _together([child for child in children if child is not None])
        record = held.record
        if standing is not None:
            attributes = dict(record.attributes)
            derive_heights(record.type, attributes, standing)
            record = replace(record, place=standing.place, attributes=attributes)
        yield record
        yield from self._tell_parent(record.parent_id, standing)

    def end(self) -> Iterator[CityObject]:
        """Yield the parents whose children never all came."""
        for parent in list(self._held):
            yield from self._release(parent, force=True)


def _together(children: list[Standing]) -> Standing | None:
    if not children:
        return None
    place = shapely.union_all([child.place for child in children])
    return Standing(place, min(child.ground_m for child in children), max(child.top_m for child in children))
