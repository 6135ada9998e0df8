"""A scheme as all may see it, for those who draw it (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from cim.city.model import CityObject


@dataclass(frozen=True, slots=True)
class PublishedScheme:
    """A published scheme: the edit up to which it is, and what it adds, changes and (``None``) takes away."""

    sequence: int
    changes: Callable[[], Mapping[str, CityObject | None]]


Published: TypeAlias = Callable[[str], PublishedScheme | None]
"""Gives a scheme that is published now, ``None`` for any other."""
