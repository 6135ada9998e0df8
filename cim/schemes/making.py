"""What makes an edit: the state that it meets, what was asked for, and names for what is new (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import shapely

from cim.findings import Finding
from cim.schemes.faults import EditConflict, refused
from cim.schemes.fields import canonical
from cim.schemes.model import EXISTS, TYPE, Change, Conflict, Value
from cim.schemes.state import State

PREFIX: Final[Mapping[str, str]] = {
    "Building": "b",
    "+Parcel": "p",
    "Road": "r",
    "PlantCover": "k",
    "SolitaryVegetationObject": "t",
}
"""The letter in the ids of what a scheme makes; ``n`` for what belongs to a network."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """An uploaded model: its outline about its own origin, x to the east and y to the north, and its height, metres."""

    outline: shapely.Polygon
    height_m: float


Models: TypeAlias = Callable[[str], ModelFacts | None]
"""Gives an uploaded model by its SHA-256, ``None`` where there is none."""


def no_models(digest: str) -> ModelFacts | None:
    """Know no model."""
    _ = digest
    return None


@dataclass(frozen=True, slots=True)
class Made:
    """An edit that can be appended: its changes, what was found on the way, words for its title."""

    changes: tuple[Change, ...]
    findings: tuple[Finding, ...] = ()
    title: Mapping[str, Value] = field(default_factory=dict)


@dataclass(slots=True)
class Making:
    """One edit being made on a state, for the log of one scheme at one sequence number.

    Geometry in ``params`` is in the working CRS, metres; the edge has converted it.
    """

    state: State
    scheme_id: str
    sequence: int
    kind: str
    target: str | None
    params: Mapping[str, Value]
    model_of: Models = no_models
    made: int = 0

    def new_id(self, type_: str) -> str:
        """Return the id of something new; the first of an edit carries no number of its own."""
        self.made += 1
        suffix = "" if self.made == 1 else f"-{self.made}"
        return f"{self.scheme_id}:{PREFIX.get(type_, 'n')}/{self.sequence}{suffix}"

    def on(self, *types: str) -> str:
        """Return the target, which must be there and be of one of these types.

        Raises :class:`EditRefused` (``target-missing``, ``target-unknown``, ``target-type``), or
        :class:`EditConflict` where somebody has demolished it.
        """
        target = self.target
        if not target:
            raise refused("target-missing", kind=self.kind)
        self.alive(target, {"kind": self.kind})
        type_ = self.state.type_of(target)
        if types and type_ not in types:
            raise refused("target-type", target, type=type_ or "", allowed=" ".join(types))
        return target

    def alive(self, target: str, wanted: Mapping[str, Value]) -> None:
        """Refuse a target that never was, or is in conflict with whoever took it away."""
        if not self.state.known(target):
            raise refused("target-unknown", target)
        if not self.state.exists(target):
            raise EditConflict([Conflict(target, EXISTS, base=True, ours=False, theirs=True, edits=dict(wanted))])

    def param(self, name: str) -> Value:
        """Return a parameter that is needed; raises :class:`EditRefused` (``param-missing``)."""
        value = self.params.get(name)
        if value is None:
            raise refused("param-missing", self.target, param=name)
        return value

    def change(self, target: str, name: str, value: Value) -> Change:
        """Return the change of a field of what is there; a value that cannot be is refused."""
        type_ = self.state.type_of(target) or ""
        return Change(target, name, self.state.value(target, name), canonical(type_, name, value))

    def changes(self, target: str, values: Mapping[str, Value]) -> tuple[Change, ...]:
        """Return the changes of some fields, without those that change nothing."""
        made = (self.change(target, name, value) for name, value in values.items())
        return tuple(change for change in made if change.old != change.new)

    def new(self, type_: str, values: Mapping[str, Value]) -> tuple[Change, ...]:
        """Return the changes that make something new, with all its fields."""
        target = self.new_id(type_)
        return (
            Change(target, TYPE, None, type_),
            Change(target, EXISTS, old=False, new=True),
            *(Change(target, name, None, canonical(type_, name, value)) for name, value in values.items()),
        )

    def gone(self, target: str) -> Change:
        """Return the change that takes something away."""
        return Change(target, EXISTS, old=True, new=False)


Maker: TypeAlias = Callable[[Making], Made]


def together(*parts: Sequence[Change]) -> tuple[Change, ...]:
    """Return the changes of several steps of one edit."""
    return tuple(change for part in parts for change in part)
