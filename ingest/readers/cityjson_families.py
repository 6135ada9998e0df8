"""Objects that have no geometry of their own stand where their children stand; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import shapely

from cim.city.rows import ObjectRows
from ingest.prepared import Prepared
from ingest.readers.cityjson_attributes import derive_heights
from ingest.readers.cityjson_batch import Decoded, Draft, rows_of
from ingest.readers.cityjson_place import Standing


@dataclass(slots=True)
class Families:
    """Holds parents without geometry until their last child has passed.

    Memory: the held parents, the ids of parents that have a geometry, and footprint and two heights
    of children whose parent has no geometry or has not passed yet.
    """

    _held: dict[str, Draft] = field(default_factory=dict)
    _children: dict[str, list[Standing | None]] = field(default_factory=dict)
    _placed: set[str] = field(default_factory=set)

    def take(self, decoded: Decoded) -> Iterator[ObjectRows | Prepared]:
        """Take a batch; yield what is complete now."""
        released: list[Draft] = []
        for relative in decoded.relatives:
            if isinstance(relative, Draft):
                self._held[relative.id] = relative
                released.extend(self._release(relative.id))
                continue
            if relative.has_children:
                self._placed.add(relative.id)
                self._children.pop(relative.id, None)
            if relative.parent_id is not None and relative.parent_id not in self._placed:
                released.extend(self._tell_parent(relative.parent_id, relative.standing))
        if len(decoded.rows):
            yield decoded.rows
        if released:
            yield rows_of(released)

    def _tell_parent(self, parent: str | None, standing: Standing | None) -> Iterator[Draft]:
        if parent is not None and parent not in self._placed:
            self._children.setdefault(parent, []).append(standing)
            yield from self._release(parent)

    def _release(self, parent: str, *, force: bool = False) -> Iterator[Draft]:
        held = self._held.get(parent)
        children = self._children.get(parent, [])
        if held is None or (len(children) < len(held.children) and not force):
            return
        del self._held[parent]
        self._children.pop(parent, None)
        self._placed.add(parent)
        standing = _together([child for child in children if child is not None])
        if standing is not None:
            derive_heights(held.type, held.attributes, standing.ground_m, standing.top_m)
            held.place = standing.place
        yield held
        yield from self._tell_parent(held.parent_id, standing)

    def end(self) -> Iterator[ObjectRows]:
        """Yield the parents whose children never all came."""
        released = [draft for parent in list(self._held) for draft in self._release(parent, force=True)]
        if released:
            yield rows_of(released)


def _together(children: list[Standing]) -> Standing | None:
    if not children:
        return None
    place = shapely.union_all([child.place for child in children])
    return Standing(place, min(child.ground_m for child in children), max(child.top_m for child in children))
