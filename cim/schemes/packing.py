"""Changes as they are stored: targets named once, equal storeys counted (pure).

A scheme is mostly storeys and ids; written out in full they would be most of what a branch weighs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

import orjson

from cim.schemes.model import Change, Value

_STACKED: Final = "storeys"


def pack(changes: Sequence[Change]) -> str:
    """Return changes as JSON: ``t`` the targets, ``c`` rows of target's place, field, old, new and phase."""
    places = {target: place for place, target in enumerate(dict.fromkeys(change.target for change in changes))}
    rows: list[list[Any]] = []
    for change in changes:
        row = [places[change.target], change.field, _short(change.field, change.old), _short(change.field, change.new)]
        rows.append(row if change.phase_year is None else [*row, change.phase_year])
    return orjson.dumps({"t": list(places), "c": rows}).decode("utf-8")


def unpack(text: str) -> tuple[Change, ...]:
    """Return the changes of a stored edit."""
    said = orjson.loads(text)
    targets = said["t"]
    return tuple(
        Change(targets[row[0]], row[1], _long(row[1], row[2]), _long(row[1], row[3]), row[4] if len(row) > 4 else None)
        for row in said["c"]
    )


def _short(field: str, value: Value) -> Value:
    """Return storeys as runs: count, height, use."""
    if field != _STACKED or not isinstance(value, list):
        return value
    return [[len(list(run)), *storey] for storey, run in groupby(value)]


def _long(field: str, value: Value) -> Value:
    if field != _STACKED or not isinstance(value, list):
        return value
    return [list(run[1:]) for run in value for _ in range(run[0])]
