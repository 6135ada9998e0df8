"""The attributes of many objects by column: only the names that are asked for are looked at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from tiles.soup import FloatArray, IntArray

NAN: Final = float("nan")
_NOTHING: Final = {"v": NAN}
_PLAIN: Final = frozenset((float, int))
_ROWS_AT_ONCE: Final = 128
"""Decoded rows are let go before Python's collector takes notice of them, and a large city's do not fill memory."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Columns by name, one value per object: numbers NaN where there is none, texts ``""``, and what is an estimate."""

    numbers: dict[str, FloatArray]
    texts: dict[str, NDArray[np.object_]]
    modelled: dict[str, NDArray[np.bool_]]

    def select(self, rows: IntArray) -> Facts:
        """Return some objects' facts."""
        return Facts(
            {name: column[rows] for name, column in self.numbers.items()},
            {name: column[rows] for name, column in self.texts.items()},
            {name: column[rows] for name, column in self.modelled.items()},
        )


def read_facts(
    attributes: Sequence[str], *, numbers: Sequence[str], texts: Sequence[str], estimates: Sequence[str] = ()
) -> Facts:
    """Decode the wanted names from the attributes of the store's rows."""
    # Most names are in no row: to look for them in the text is a hundred times as fast.
    every = "\n".join(attributes)
    there = {name for name in {*numbers, *texts, *estimates} if f'"{name}"' in every}
    unsure = there.intersection(estimates) if '"q"' in every else frozenset[str]()
    number_lists: dict[str, list[FloatArray]] = {name: [np.empty(0)] for name in numbers if name in there}
    text_lists: dict[str, list[str]] = {name: [] for name in texts if name in there}
    modelled_lists: dict[str, list[bool]] = {name: [] for name in unsure}
    for first in range(0, len(attributes), _ROWS_AT_ONCE) if there else ():
        rows = orjson.loads(f"[{','.join(attributes[first : first + _ROWS_AT_ONCE])}]")
        for name, found in number_lists.items():
            found.append(_numbers(rows, name))
        for name, words in text_lists.items():
            words.extend([text(row.get(name)) for row in rows])
        for name, estimated in modelled_lists.items():
            estimated.extend([modelled(row.get(name)) for row in rows])
    count = len(attributes)
    return Facts(
        {n: np.concatenate(number_lists[n]) if n in number_lists else np.full(count, NAN) for n in numbers},
        {n: np.array(text_lists.get(n, [""] * count), dtype=object) for n in texts},
        {n: np.array(modelled_lists.get(n, [False] * count), dtype=np.bool_) for n in estimates},
    )


def _numbers(rows: Sequence[dict[str, Any]], name: str) -> FloatArray:
    """Return one fact of decoded rows as finite numbers, NaN where it is none."""
    try:
        values = [row.get(name, _NOTHING)["v"] for row in rows]
    except (TypeError, KeyError):
        values = []
    # Written out for what nearly all rows are: a call for each takes longer than to decode it.
    if set(map(type, values)) <= _PLAIN and len(values) == len(rows):
        found = np.array(values, dtype=np.float64)
        return found if np.isfinite(found).all() else np.where(np.isfinite(found), found, NAN)
    return np.array([number(row.get(name)) for row in rows], dtype=np.float64)


def number(members: object) -> float:
    """Return the finite number of a fact, NaN if it is none."""
    value = members.get("v") if isinstance(members, dict) else members
    if type(value) is not float and type(value) is not int:
        return NAN
    return float(value) if math.isfinite(value) else NAN


def text(members: object) -> str:
    """Return the text of a fact, ``""`` if it has none."""
    value = members.get("v") if isinstance(members, dict) else None
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def modelled(members: object) -> bool:
    """Tell whether a fact is an estimate."""
    return isinstance(members, dict) and members.get("q") in {"modelled", "generated"}
