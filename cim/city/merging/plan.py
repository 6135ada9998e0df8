"""Who contributes to which object of the city, before a delivery and after it (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from cim.city.matching import Match, Pair

_OF_PARTS: Final = (Match.PART, Match.BODY)


class Link(NamedTuple):
    """Why a source's object contributes to an object of the city; ``overlap`` and ``iou`` where footprints met."""

    canonical_id: str
    match: str
    overlap: float | None = None
    iou: float | None = None


def dataset_of(identifier: str) -> str:
    """Return the slug before the colon of an id."""
    return identifier.partition(":")[0]


@dataclass(slots=True)
class Groups:
    """The buildings that more than one object contributes to.

    ``links`` by object, parts left out; ``parents`` the parent of each part, before or after; ``touched`` the ids of
    buildings that are to be worked out anew.
    """

    links: dict[str, Link]
    parents: Mapping[str, str]
    touched: set[str] = field(default_factory=set)
    members: dict[str, list[str]] = field(init=False)
    children: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.members = defaultdict(list)
        for identifier, link in self.links.items():
            self.members[link.canonical_id].append(identifier)
        self.children = defaultdict(list)
        for identifier, parent in self.parents.items():
            self.children[parent].append(identifier)

    def canonical_of(self, identifier: str) -> str | None:
        """Return the building that an object contributes to, ``None`` where it stands alone."""
        link = self.links.get(identifier)
        return None if link is None else link.canonical_id

    def root(self, identifier: str) -> str:
        """Return the object that a part is part of in the end."""
        seen = {identifier}
        while (parent := self.parents.get(identifier)) is not None and parent not in seen:
            seen.add(parent)
            identifier = parent
        return identifier

    def family(self, identifier: str) -> list[str]:
        """Return all parts of an object, and the parts of parts, in the order of ids."""
        found: list[str] = []
        waiting = [identifier]
        seen = {identifier}
        while waiting:
            for child in self.children.get(waiting.pop(), ()):
                if child not in seen:
                    seen.add(child)
                    found.append(child)
                    waiting.append(child)
        return sorted(found)

    def touch(self, identifier: str) -> None:
        """Have the building worked out anew that an object, or what it is part of, contributes to."""
        canonical = self.canonical_of(self.root(identifier))
        if canonical is not None:
            self.touched.add(canonical)

    def join(self, pair: Pair) -> None:
        """Let an object contribute to a building; one that stood alone becomes a building of two."""
        canonical = pair.present
        if canonical not in self.members or not self.members[canonical]:
            self._link(canonical, Link(canonical, Match.FIRST))
        match = Match.FIRST if pair.incoming == canonical else pair.match
        self._link(pair.incoming, Link(canonical, match, pair.overlap, pair.iou))
        self.touched.add(canonical)

    def leave(self, identifier: str, age: Mapping[str, int], *, gone: bool) -> None:
        """Let an object contribute no more.

        A building keeps its id when the object that gave it is gone from its source.  Where that object goes on
        elsewhere it takes its id along, and the others go by the id of the eldest of them.
        """
        link = self.links.pop(identifier)
        canonical = link.canonical_id
        self.members[canonical].remove(identifier)
        self.touched.add(canonical)
        others = sorted(self.members[canonical], key=lambda one: (age.get(dataset_of(one), 0), one))
        if identifier == canonical and not gone:
            self._rename(canonical, others)
        elif others == [canonical]:
            del self.links[canonical]
            self.members[canonical] = []

    def _rename(self, canonical: str, others: Sequence[str]) -> None:
        for one in others:
            self.members[canonical].remove(one)
            old = self.links.pop(one)
            if len(others) > 1:
                match = Match.FIRST if one == others[0] else old.match
                self._link(one, Link(others[0], match, old.overlap, old.iou))
        self.touched.update(others[:1])

    def _link(self, identifier: str, link: Link) -> None:
        self.links[identifier] = link
        self.members[link.canonical_id].append(identifier)


class Raw(NamedTuple):
    """An object as its source gives it, without its geometry."""

    id: str
    type: str
    parent_id: str | None
    attributes: str
    has_place: bool


class Plan:
    """What a settled delivery means for each object that it concerns.

    ``concerned`` are all objects to look at, ``kept`` those of them that are kept beside what is shown,
    ``buildings`` those that several contribute to and that are worked out anew; all in the order of ids.
    """

    def __init__(self, old: Mapping[str, Link], before: Groups, after: Groups) -> None:
        self._after = after
        self.buildings = sorted(one for one in after.touched if after.members.get(one))
        roots = set(after.touched)
        for canonical in after.touched:
            roots.update(after.members.get(canonical, ()), before.members.get(canonical, ()))
        self._parts = {root: after.family(root) for root in roots}
        concerned = roots.union(*self._parts.values(), *(before.family(root) for root in roots))
        self.concerned = sorted(concerned)
        self.kept = sorted({one for canonical in self.buildings for one in self.kept_of(canonical)})
        self._old = {one: link for one, link in old.items() if one in concerned}
        self._links = {one: link for one, link in after.links.items() if one in concerned}

    def members_of(self, canonical: str) -> list[str]:
        """Return who contributes to a building, parts left out."""
        return sorted(self._after.members[canonical])

    def parts_of(self, identifier: str) -> list[str]:
        """Return the parts of an object and theirs."""
        return self._parts.get(identifier, [])

    def kept_of(self, canonical: str) -> list[str]:
        """Return all that is kept beside a building: its members and their parts."""
        members = self.members_of(canonical)
        return [*members, *(part for one in members for part in self.parts_of(one))]

    def choose_parts(self, canonical: str, body: str | None, raw: Mapping[str, Raw]) -> list[str]:
        """Settle whose parts are shown and return those; the others' contribute without being seen."""
        shown: list[str] = []
        for member in self.members_of(canonical):
            for part in self.parts_of(member):
                if part not in raw:
                    continue
                if member == body:
                    self._links[part] = Link(part, Match.BODY)
                    shown.append(part)
                else:
                    self._links[part] = Link(canonical, Match.PART)
        return shown

    def changes(self) -> list[tuple[str, Link | None]]:
        """Return whose link differs now and what it is, in the order of ids."""
        return [
            (one, self._links.get(one))
            for one in sorted(self._old.keys() | self._links.keys())
            if self._old.get(one) != self._links.get(one)
        ]


def without_parts(links: Mapping[str, Link]) -> dict[str, Link]:
    """Return the links of buildings: those of parts follow from who is part of what."""
    return {one: link for one, link in links.items() if link.match not in _OF_PARTS}
