"""The attributes of many objects by column: only the names that are asked for are looked at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from tiles.soup import FloatArray

NAN: Final = float("nan")


@dataclass(frozen=True, slots=True)
class Facts:
    """One mapping of names to members per object."""

    rows: list[dict[str, Any]]

    def numbers(self, name: str) -> FloatArray:
        """Return the finite numbers of a fact, shape (n,), NaN where there is none."""
        return np.array([number(row[name]) if name in row else NAN for row in self.rows], dtype=np.float64)

    def texts(self, name: str) -> NDArray[np.object_]:
        """Return the texts of a fact, shape (n,), ``""`` where there is none."""
        return np.array([text(row[name]) if name in row else "" for row in self.rows], dtype=object)

    def modelled(self, name: str) -> NDArray[np.bool_]:
        """Tell where a fact is an estimate, shape (n,)."""
        return np.array([name in row and modelled(row[name]) for row in self.rows], dtype=np.bool_)


def parse_facts(attributes: Sequence[str]) -> Facts:
    """Decode the attributes of the store's rows, all in one pass."""
    return Facts(orjson.loads(f"[{','.join(attributes)}]"))


def number(members: object) -> float:
    """Return the finite number of a fact, NaN if it is none."""
    value = members.get("v") if isinstance(members, dict) else members
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return NAN
    return float(value) if math.isfinite(value) else NAN


def text(members: object) -> str:
    """Return the text of a fact, ``""`` if it has none."""
    value = members.get("v") if isinstance(members, dict) else None
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def modelled(members: object) -> bool:
    """Tell whether a fact is an estimate."""
    return isinstance(members, dict) and members.get("q") in {"modelled", "generated"}
