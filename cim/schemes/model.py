"""The words of a scheme: changes, edits, conflicts, and the scheme itself.

A scheme is a branch of a numbered baseline, or of another scheme at one of its edits.  It is an
ordered log of edits that is only ever appended to: undoing, redoing, merging and rebasing are edits
too.  A **field** of a **target** (an object's id) has a **value**: canonical JSON, lengths in metres of
the city's working CRS rounded to 1 mm.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

from cim.findings import Finding

Value: TypeAlias = Any
"""Canonical JSON; ``None`` is what a field has of an object that is not there."""

Key: TypeAlias = tuple[str, str]
"""A target and a field of it."""

BASE: Final = "base"
"""The parent of a scheme that branches off the city as it is."""

EXISTS: Final = "exists"
TYPE: Final = "type"


class SchemeState(StrEnum):
    """How far a scheme has come."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Text:
    """Words in both languages."""

    en: str = ""
    zh: str = ""

    def as_json(self) -> dict[str, str]:
        """Return both."""
        return {"en": self.en, "zh": self.zh}


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one target: what it had, what it gets.

    ``phase_year`` is set where a change keeps the phase of another edit (a merge); else its own
    edit's counts.
    """

    target: str
    field: str
    old: Value
    new: Value
    phase_year: int | None = None

    @property
    def key(self) -> Key:
        """Target and field."""
        return (self.target, self.field)

    def as_json(self) -> dict[str, Value]:
        """Return the members that are stored and sent."""
        members = {"target": self.target, "field": self.field, "old": self.old, "new": self.new}
        return members if self.phase_year is None else {**members, "phase_year": self.phase_year}


@dataclass(frozen=True, slots=True)
class Merged:
    """The other scheme of a merge and how much of it was taken in."""

    scheme_id: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Edit:
    """One atomic step of a log.

    ``title`` is what a client words: a code (the kind) and parameters.  ``undoes`` names the edit of
    the same log that this one takes back.  ``baseline_version`` is set by a rebase, ``merged`` by a merge.
    """

    scheme_id: str
    sequence: int
    kind: str
    changes: tuple[Change, ...]
    author: str
    at: datetime
    phase_year: int | None = None
    undoes: int | None = None
    findings: tuple[Finding, ...] = ()
    title: Mapping[str, Value] = dataclasses.field(default_factory=dict)
    baseline_version: int | None = None
    merged: Merged | None = None

    @property
    def id(self) -> str:
        """The edit's own id."""
        return f"{self.scheme_id}/{self.sequence}"

    @property
    def targets(self) -> list[str]:
        """The targets that it changes, in order."""
        return list(dict.fromkeys(change.target for change in self.changes))


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two sides that want different values of one field.

    ``base`` is what both started from, ``ours`` what this scheme has, ``theirs`` what the other side
    wants.  Where one side demolishes what the other edits, the field is ``exists`` and ``edits`` are the
    fields that the editing side wants.
    """

    target: str
    field: str
    base: Value
    ours: Value
    theirs: Value
    edits: Mapping[str, Value] = dataclasses.field(default_factory=dict)

    @property
    def key(self) -> Key:
        """Target and field."""
        return (self.target, self.field)

    def as_json(self) -> dict[str, Value]:
        """Return the members that are sent."""
        members = {
            "target": self.target,
            "field": self.field,
            "base": self.base,
            "ours": self.ours,
            "theirs": self.theirs,
        }
        return {**members, "edits": dict(self.edits)} if self.edits else members


class Side(StrEnum):
    """Which side of a conflict is to stand."""

    OURS = "ours"
    THEIRS = "theirs"


Choices: TypeAlias = Mapping[Key, Side]


@dataclass(frozen=True, slots=True)
class Words:
    """What a planner says of a scheme: its name, a summary, a tour through it."""

    name: Text
    summary: Text = dataclasses.field(default_factory=Text)
    tour: tuple[Mapping[str, Value], ...] = ()
    letter: str | None = None
    """A letter of the planner's choice in place of the scheme's own."""


@dataclass(frozen=True, slots=True)
class Branch:
    """Where a scheme begins; never changes."""

    id: str
    parent: str
    parent_sequence: int
    baseline_version: int
    position: int
    author: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """A published state: citable by its number, proven by its digest, never changed."""

    scheme_id: str
    number: int
    sequence: int
    baseline_version: int
    digest: str
    words: Words
    author: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Scheme:
    """A branch and what is said of it now."""

    branch: Branch
    words: Words
    state: SchemeState = SchemeState.DRAFT
    version: int | None = None
    updated_at: datetime | None = None

    @property
    def id(self) -> str:
        """The scheme's id."""
        return self.branch.id

    @property
    def letter(self) -> str:
        """B, C, … in the order in which schemes were made, or the planner's choice; A is the city as it is."""
        return self.words.letter or letter_of(self.branch.position)


def letter_of(position: int) -> str:
    """Return the letter of the ``position``-th scheme (from 1): B to Z, then AA, AB."""
    letters, rest = "", position
    while True:
        letters = chr(ord("A") + rest % 26) + letters
        rest = rest // 26 - 1
        if rest < 0:
            return letters
