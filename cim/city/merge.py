"""One building from what several sources say of it: facts by priority, conflicts, whose geometry is shown (pure).

Facts are in the form in which the store keeps them (:mod:`cim.city.columns`): ``{"v": value, "u": unit, "q": quality,
"i": interval, "m": method, "s": source}``, defaults left out.  A city of 100,000 merged buildings has millions of
them, so they are not made into objects here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from cim.city.merging.naming import PARCEL_ATTRIBUTES, parcel_of
from cim.city.priority import GEOMETRY, PLACE, Priority, quality_rank
from cim.geometry.surfaces import lod_rank

Fact = Mapping[str, Any]
Facts = Mapping[str, Fact]

BODY_FACTS: Final = frozenset({"height_m", "ground_m", "min_height_m", "roof_height_m", "roof_type"})
"""What describes the geometry: of equals, the value that came with the geometry that is shown is kept."""

SHAPE_FACTS: Final = frozenset({"geometry_validity"})
"""What is true of one source's geometry and of no other's: said where that geometry is shown, and never a conflict."""

_UNSAID: Final = (None, "")

AGREE_M: Final = 0.5
"""Lengths within this are no conflict: two surveys of one roof seldom agree better."""

AGREE_RELATIVE: Final = 1e-6
"""Other numbers within this are the same number written with different digits."""


@dataclass(frozen=True, slots=True)
class Member:
    """What one source says of a building.

    ``lods`` are the levels of detail of its own geometries, ``part_lods`` those of its parts' geometries.
    """

    id: str
    dataset: str
    facts: Facts
    lods: tuple[str, ...] = ()
    part_lods: tuple[str, ...] = ()
    has_place: bool = True


class Conflict(NamedTuple):
    """Two sources that say different things: what is kept, and what another says."""

    attribute: str
    kept: object
    kept_dataset: str
    other: object
    other_dataset: str


@dataclass(frozen=True, slots=True)
class Combined:
    """What is shown of a building: its facts, and the ids of the members that its shape comes from.

    ``shapes`` are (level of detail, member); ``body`` is the member whose parts are shown.
    """

    facts: Mapping[str, Fact]
    conflicts: tuple[Conflict, ...]
    place_from: str | None
    shapes: tuple[tuple[str, str], ...]
    body: str | None


def combine(members: Sequence[Member], dataset: str, priority: Priority) -> Combined:
    """Return one building from its members; ``dataset`` is that of the id which it goes by.

    The result does not depend on the order of ``members``.
    """
    members = sorted(members, key=lambda one: (-priority.age(one.dataset), one.id))
    ranked = sorted(members, key=lambda one: _shape_rank(one, priority))
    body = next((one for one in ranked if one.lods or one.part_lods), None)
    with_place = [one for one in ranked if one.has_place]
    place = min(with_place, key=lambda one: (priority.declared(PLACE, one.dataset), one is not body), default=None)
    sayers: dict[str, list[Member]] = {}
    for one in members:
        for name, fact in one.facts.items():
            if fact.get("v") not in _UNSAID and (name not in SHAPE_FACTS or one is body):
                sayers.setdefault(name, []).append(one)
    facts: dict[str, Fact] = {}
    conflicts: list[Conflict] = []
    for name, known in sayers.items():
        kept = known[0] if len(known) == 1 else _keep(name, known, body, priority)
        fact = kept.facts[name]
        facts[name] = fact if kept.dataset == dataset or "s" in fact else {**fact, "s": kept.dataset}
        if len(known) > 1:
            conflicts.extend(_conflicts(name, kept, known))
    return Combined(
        facts,
        _once(conflicts),
        None if place is None else place.id,
        _shapes(ranked, body),
        None if body is None else body.id,
    )


def _shape_rank(member: Member, priority: Priority) -> tuple[int, float, int, str]:
    highest = max(map(lod_rank, (*member.lods, *member.part_lods)), default=-1.0)
    return (priority.declared(GEOMETRY, member.dataset), -highest, priority.age(member.dataset), member.id)


def _shapes(ranked: Sequence[Member], body: Member | None) -> tuple[tuple[str, str], ...]:
    if body is None:
        return ()
    # Where parts are shown, what another source has of the whole would be drawn through them.
    givers = [body] if body.part_lods else ranked
    best: dict[str, str] = {}
    for member in givers:
        for lod in member.lods:
            best.setdefault(lod, member.id)
    return tuple(sorted(best.items()))


def _keep(name: str, known: Sequence[Member], body: Member | None, priority: Priority) -> Member:
    of_body = name in BODY_FACTS
    return min(
        known,
        key=lambda one: (
            priority.declared(name, one.dataset),
            quality_rank(one.facts[name]),
            of_body and one is not body,
            priority.age(one.dataset),
            one.id,
        ),
    )


def _conflicts(name: str, kept: Member, known: Sequence[Member]) -> list[Conflict]:
    """Return those who say otherwise; an estimate that gave way to a record is no contradiction."""
    mine = kept.facts[name]
    rank = quality_rank(mine)
    return [
        Conflict(name, mine["v"], mine.get("s") or kept.dataset, fact["v"], fact.get("s") or other.dataset)
        for other in known
        if other is not kept and quality_rank(fact := other.facts[name]) <= rank
        if not agree(mine, fact) and not _same_parcel(name, mine, fact)
    ]


def _same_parcel(name: str, one: Fact, other: Fact) -> bool:
    """Tell whether two facts name one parcel: zeros in front of its number are a habit, not another parcel."""
    return name.lower() in PARCEL_ATTRIBUTES and parcel_of({name: one}) == parcel_of({name: other})


def _once(conflicts: Sequence[Conflict]) -> tuple[Conflict, ...]:
    """Leave out what a source says twice: readers keep ``yearOfConstruction`` beside ``year_of_construction``."""
    found: dict[tuple[str, str], Conflict] = {}
    for one in sorted(conflicts, key=lambda one: "_" not in one.attribute):
        found.setdefault((one.attribute.replace("_", "").casefold(), one.other_dataset), one)
    return tuple(one for one in conflicts if one in found.values()) if len(found) < len(conflicts) else tuple(conflicts)


def agree(one: Fact, other: Fact) -> bool:
    """Tell whether two facts say the same."""
    first, second = one["v"], other["v"]
    if one.get("u") != other.get("u"):
        return False
    if _is_number(first) and _is_number(second):
        within = AGREE_M if one.get("u") == "m" else AGREE_RELATIVE * max(abs(first), abs(second))
        return bool(abs(first - second) <= within)
    if isinstance(first, str) and isinstance(second, str):
        return " ".join(first.casefold().split()) == " ".join(second.casefold().split())
    return bool(first == second)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
