"""Factor sets: coefficients with source, range and jurisdiction, each under the role it plays; pure.

A city names its set.  A set may hold figures of several jurisdictions, but every one says whose it is,
and a reading carries all that it used, so that nothing is mixed silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cim.errors import IntegrityError
from cim.findings import Factor
from cim.impact.model import Range, Target

GENERIC_SET: Final = "generic"
SET_OF_CITY: Final = {"helsinki": "helsinki-sample"}
"""Sets by the slug of a city that has one of its own."""
SET_OF_CRS: Final = {"CGCS2000": "cn"}
"""Sets by a word in the name of the working CRS."""


@dataclass(frozen=True, slots=True)
class FactorSet:
    """The coefficients of a city, by role; targets by indicator; the objects that are its landmarks."""

    id: str
    jurisdiction: str
    currency: str
    factors: Mapping[str, Factor]
    targets: Mapping[str, Target]
    landmarks: tuple[str, ...] = ()

    def factor(self, role: str) -> Factor:
        """Return the factor that plays a role; ``KeyError`` is a programming error."""
        return self.factors[role]

    def range(self, role: str) -> Range:
        """Return a role's value with its range."""
        found = self.factors[role]
        low = found.value if found.low is None else found.low
        high = found.value if found.high is None else found.high
        return Range(found.value, low, high)

    def used(self, roles: Iterable[str]) -> tuple[Factor, ...]:
        """Return the factors of some roles, each once."""
        return tuple({self.factors[role].id: self.factors[role] for role in roles}.values())


def parse_set(document: Mapping[str, Any]) -> FactorSet:
    """Return a packaged set; raises :class:`IntegrityError` (``factor-set``) for one that contradicts itself."""
    factors = {item["id"]: _factor(item) for item in document["factors"]}
    for factor in factors.values():
        if factor.low is None or factor.high is None or not factor.low <= factor.value <= factor.high:
            raise IntegrityError("A factor lies outside its own range.", code="factor-set", factor=factor.id)
    missing = sorted(set(document["roles"].values()) - factors.keys())
    if missing:
        raise IntegrityError("A role of the set has no factor.", code="factor-set", factor=missing[0])
    return FactorSet(
        id=document["id"],
        jurisdiction=document["jurisdiction"],
        currency=document["currency"],
        factors={role: factors[identifier] for role, identifier in document["roles"].items()},
        targets={
            item["indicator"]: Target(item["source"], item.get("min"), item.get("max")) for item in document["targets"]
        },
        landmarks=tuple(document.get("landmarks", ())),
    )


def _factor(item: Mapping[str, Any]) -> Factor:
    # Who reads an interval must see whether the source gave it.
    source = item["source"] + ("; range assumed by us" if item["range"] == "assumed" else "")
    return Factor(item["id"], item["value"], item["unit"], source, item["jurisdiction"], item["low"], item["high"])


def set_name(slug: str, crs_name: str) -> str:
    """Return the set that a city uses: its own, its CRS's country's, or the generic one."""
    if slug in SET_OF_CITY:
        return SET_OF_CITY[slug]
    return next((name for word, name in SET_OF_CRS.items() if word in crs_name), GENERIC_SET)
