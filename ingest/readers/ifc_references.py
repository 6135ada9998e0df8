"""What the lines of a STEP file refer to: circles and chains without end are refused before they are followed.

The lines of an IFC model (ISO 10303-21) refer to one another without circles; the library that makes the shapes
follows them by recursion, and a model that refers to itself takes the process with it.
Memory: some 40 bytes per reference.
"""

from __future__ import annotations

import mmap
import re
from array import array
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cim.errors import InvalidInput
from cim.geometry.wkb import offsets_of
from ingest.readers.limits import check_limit

REFERENCES_DEPTH_MAX: Final = 1_000
"""References after one another in an IFC model; real ones need about fifty."""

Numbers = NDArray[np.int64]

_TOKENS: Final = re.compile(rb"'(?:[^']|'')*'|/\*.*?\*/|#(\d{1,18})(\s*=)?", re.DOTALL)
"""Texts and remarks, which may hold anything; a reference; the number of a line."""


def check_references(path: Path) -> None:
    """Raise :class:`InvalidInput` (``ifc-circle``) or :class:`cim.errors.LimitExceeded` for what cannot be followed."""
    owners, targets = _references(path)
    numbers, both = np.unique(np.concatenate((owners, targets)), return_inverse=True)
    owner, target = both.reshape(2, -1)
    depth, left = _peeled(owner, target, len(numbers))
    if len(left):
        raise InvalidInput(
            f"The lines of {path.name} refer to one another in a circle, at #{numbers[_within(left, owner, target)]}; "
            "nothing of it was taken in.",
            hint="Export the model again.",
            code="ifc-circle",
            file=path.name,
        )
    check_limit("REFERENCES_DEPTH_MAX", depth, REFERENCES_DEPTH_MAX, "The depth of the model's references")


def _references(path: Path) -> tuple[Numbers, Numbers]:
    """Return for each reference the line that it stands in and the line that it leads to."""
    owners, targets = array("q"), array("q")
    owner = -1
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        for found in _TOKENS.finditer(text):
            number, defines = found.groups()
            if number is None:
                continue
            if defines:
                owner = int(number)
            elif owner >= 0:
                owners.append(owner)
                targets.append(int(number))
    return np.array(owners, dtype=np.int64), np.array(targets, dtype=np.int64)


def _peeled(owner: Numbers, target: Numbers, count: int) -> tuple[int, Numbers]:
    """Take away, round by round, what refers to nothing that is left (A. B. Kahn, 1962).

    Returns the number of rounds and what is in a circle or refers to one.
    """
    order = np.argsort(target, kind="stable")
    above = owner[order]
    starts = offsets_of(np.bincount(target, minlength=count))
    waiting = np.bincount(owner, minlength=count)
    ready = np.flatnonzero(waiting == 0)
    depth = 0
    while len(ready):
        sizes = starts[ready + 1] - starts[ready]
        rows = np.repeat(starts[ready] - offsets_of(sizes)[:-1], sizes) + np.arange(int(sizes.sum()))
        touched, times = np.unique(above[rows], return_counts=True)
        waiting[touched] -= times
        ready = touched[waiting[touched] == 0]
        depth += 1
        if depth > REFERENCES_DEPTH_MAX:
            return depth, np.empty(0, dtype=np.int64)
    return depth, np.flatnonzero(waiting > 0)


def _within(left: Numbers, owner: Numbers, target: Numbers) -> int:
    """Return one that is in a circle itself: what is left leads to one, whichever reference is followed."""
    inner = np.isin(owner, left) & np.isin(target, left)
    after = dict(zip(owner[inner].tolist(), target[inner].tolist(), strict=True))
    here = int(left[0])
    seen: set[int] = set()
    while here not in seen:
        seen.add(here)
        here = after[here]
    return here
