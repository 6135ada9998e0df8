"""Whose word counts: the declared order of datasets for each attribute, and the order where none is declared (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cim.errors import InvalidInput

ANY: Final = "*"
"""Stands for all attributes that have no order of their own."""

GEOMETRY: Final = "geometry"
PLACE: Final = "place"

RULES_MAX: Final = 200
"""Attributes for which an order may be declared."""

TEXT_MAX: Final = 8_000
"""Characters of a declaration."""

_QUALITY_RANK: Final = {"recorded": 0, "measured": 0, "modelled": 1, "generated": 2}
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Priority:
    """Datasets by attribute, first first; ``seniority`` is the place of a dataset in the order of arrival.

    Without a rule a recorded or measured value comes before a modelled one and that before a generated one, and
    of equals the dataset that came to the city later is taken to be the newer.
    """

    rules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seniority: Mapping[str, int] = field(default_factory=dict)

    def declared(self, attribute: str, dataset: str) -> int:
        """Return the place of a dataset in the order that is declared for an attribute; those not named come last."""
        if not self.rules:
            return 0
        order = self.rules.get(attribute, self.rules.get(ANY, ()))
        return order.index(dataset) if dataset in order else len(order)

    def age(self, dataset: str) -> int:
        """Return a number that is smaller for a newer dataset."""
        return -self.seniority.get(dataset, len(self.seniority))


def quality_rank(fact: Mapping[str, Any]) -> int:
    """Return 0 for what was recorded or measured, 1 for what was modelled, 2 for what was generated."""
    return _QUALITY_RANK[fact.get("q", "recorded")]


def read_priority(text: str) -> dict[str, tuple[str, ...]]:
    """Read a declaration such as ``geometry=models; height_m=lidar,register; *=register``.

    ``geometry`` and ``place`` are ordered like attributes; ``*`` stands for all attributes without a rule.
    Raises :class:`InvalidInput` (``priority``).
    """
    rules: dict[str, tuple[str, ...]] = {}
    if len(text) > TEXT_MAX:
        raise _refused("It is longer than may be.", limit=TEXT_MAX)
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        attribute, equals, order = (piece.strip() for piece in part.partition("="))
        datasets = tuple(name.strip() for name in order.split(","))
        if not equals or not attribute or not all(_NAME.fullmatch(name) for name in datasets):
            raise _refused(f"“{part[:80]}” is not of that form.")
        if attribute in rules or len(set(datasets)) != len(datasets):
            raise _refused(f"“{part[:80]}” says something twice.")
        rules[attribute] = datasets
    if len(rules) > RULES_MAX:
        raise _refused("It has more rules than may be.", limit=RULES_MAX)
    return rules


def say_priority(rules: Mapping[str, Sequence[str]]) -> str:
    """Return a declaration in the form that :func:`read_priority` reads, in one order."""
    return "; ".join(f"{attribute}={','.join(rules[attribute])}" for attribute in sorted(rules))


def _refused(what: str, **params: int) -> InvalidInput:
    return InvalidInput(
        f"The priority cannot be read. {what} The city is unchanged.",
        hint="Write it like this: geometry=models; height_m=lidar,register; *=register",
        code="priority",
        **params,
    )
