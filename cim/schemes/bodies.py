"""What may be sent to schemes, read strictly (pure)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from cim.errors import InvalidInput
from cim.schemes.model import BASE, Choices, Side, Text, Words

_STRICT = ConfigDict(extra="forbid")
NAME_MAX, SUMMARY_MAX, STOPS_MAX = 120, 2_000, 50

Line = Annotated[str, Field(max_length=NAME_MAX)]
Paragraph = Annotated[str, Field(max_length=SUMMARY_MAX)]


class Both(BaseModel):
    """Words in both languages."""

    model_config = _STRICT

    en: Paragraph = ""
    zh: Paragraph = ""


class Stop(BaseModel):
    """One stop of a tour: ``view`` is longitude, latitude, zoom, pitch, bearing; ``sun`` an instant."""

    model_config = _STRICT

    title: Both = Both()
    text: Both = Both()
    view: Annotated[str, Field(max_length=120, pattern=r"^-?[0-9.]+(,-?[0-9.]+){2,4}$")]
    sun: Annotated[str | None, Field(max_length=40)] = None


class NewScheme(BaseModel):
    """A branch to be made; ``at`` is the parent's edit to branch at (its last)."""

    model_config = _STRICT

    name: Line | Both
    summary: Paragraph | Both = ""
    parent: Annotated[str, Field(max_length=40)] = BASE
    at: Annotated[int | None, Field(ge=0)] = None


class SchemeWords(BaseModel):
    """What is to be said of a scheme; what is left out stays."""

    model_config = _STRICT

    name: Line | Both | None = None
    summary: Paragraph | Both | None = None
    tour: Annotated[list[Stop] | None, Field(max_length=STOPS_MAX)] = None
    letter: Annotated[str | None, Field(pattern=r"^[A-Z]{1,2}$")] = None


class NewEdit(BaseModel):
    """An edit that is asked for."""

    model_config = _STRICT

    kind: Annotated[str, Field(max_length=40)]
    target: Annotated[str | None, Field(max_length=250)] = None
    params: dict[str, Any] = {}
    phase_year: int | None = None
    expect: dict[str, Any] = {}


class Numbered(BaseModel):
    """An edit by its number, the author's last where none is named."""

    model_config = _STRICT

    sequence: Annotated[int | None, Field(ge=1)] = None


class MergeWish(BaseModel):
    """A scheme to be merged in; a choice is named ``target|field``."""

    model_config = _STRICT

    source: Annotated[str, Field(alias="from", max_length=40)]
    choices: dict[str, Side] = {}


class RebaseWish(BaseModel):
    """A baseline to move to, the newest where none is named."""

    model_config = _STRICT

    baseline_version: Annotated[int | None, Field(ge=1)] = None
    choices: dict[str, Side] = {}


class Greeting(BaseModel):
    """Somebody who looks at a scheme."""

    model_config = _STRICT

    who: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]
    selection: Annotated[list[Annotated[str, Field(max_length=250)]], Field(max_length=200)] = []


def text_of(said: str | Both) -> Text:
    """Return words in both languages; said once, they are for both."""
    return Text(said.en or said.zh, said.zh or said.en) if isinstance(said, Both) else Text(said, said)


def words_of(body: SchemeWords, now: Words) -> Words:
    """Return what is said of a scheme after a change."""
    return Words(
        now.name if body.name is None else text_of(body.name),
        now.summary if body.summary is None else text_of(body.summary),
        now.tour if body.tour is None else tuple(stop.model_dump() for stop in body.tour),
        now.letter if body.letter is None else body.letter,
    )


def choices_of(said: dict[str, Side]) -> Choices:
    """Return choices by target and field; raises :class:`InvalidInput` (``choice``)."""
    chosen = {}
    for name, side in said.items():
        target, bar, field = name.rpartition("|")
        if not bar or not target:
            raise InvalidInput("A choice is named target|field.", code="choice", choice=name[:300])
        chosen[target, field] = side
    return chosen
