"""Words of the impact: ranges, outcomes, readings; pure.

A :class:`Reading` is one indicator of one scheme, ready for JSON: what it is now, what it was without
the scheme, by how much it moved, against which target, how it was made and from what.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

from cim.findings import Factor, Finding, Quality, Verdict

DIGITS: Final = 9
"""Significant digits that leave the server; what is beyond them is noise of the last operation."""

Better = Literal["more", "less", "none"]


class Scope(StrEnum):
    """What land a value speaks of."""

    CITY = "city"
    """The whole city: quantities that add up."""
    SITE = "site"
    """The parcels that the scheme touches: shares and intensities, which the city would drown."""


class State(StrEnum):
    """Where a reading stands."""

    READY = "ready"
    PENDING = "pending"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Range:
    """A value with the lowest and the highest that it may have; exact where all three are equal."""

    value: float
    low: float
    high: float

    @staticmethod
    def exact(value: float) -> Range:
        """Return a value that is known."""
        return Range(value, value, value)

    @property
    def is_exact(self) -> bool:
        """Whether there is nothing to say about an interval."""
        return self.low == self.high

    def __add__(self, other: Range) -> Range:
        return Range(self.value + other.value, self.low + other.low, self.high + other.high)

    def __mul__(self, other: Range) -> Range:
        corners = (self.low * other.low, self.low * other.high, self.high * other.low, self.high * other.high)
        return Range(self.value * other.value, min(corners), max(corners))

    def scaled(self, number: float) -> Range:
        """Return the range times a number, which may be negative."""
        low, high = self.low * number, self.high * number
        return Range(self.value * number, min(low, high), max(low, high))

    def over(self, other: Range) -> Range:
        """Return the range divided by another that lies above zero."""
        return self * Range(1.0 / other.value, 1.0 / other.high, 1.0 / other.low)

    def interval(self) -> tuple[float, float] | None:
        """Return the interval, ``None`` for an exact value."""
        return None if self.is_exact else (self.low, self.high)


def total(ranges: Iterable[Range]) -> Range:
    """Return the sum of ranges, zero for none."""
    result = Range.exact(0.0)
    for item in ranges:
        result += item
    return result


@dataclass(frozen=True, slots=True)
class Title:
    """A name in both languages of the city's readers; the Chinese one is the official planning term."""

    en: str
    zh: str

    def as_json(self) -> dict[str, str]:
        """Return the members."""
        return {"en": self.en, "zh": self.zh}


@dataclass(frozen=True, slots=True)
class Target:
    """What a value should be: at least, at most or between; ``source`` names the clause."""

    source: str
    min: float | None = None
    max: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the members that are set."""
        limits = {"min": self.min, "max": self.max}
        return {**{name: limit for name, limit in limits.items() if limit is not None}, "source": self.source}


@dataclass(frozen=True, slots=True)
class Share:
    """A row of a breakdown: an object's id or a word, and its value in the reading's unit unless it says its own."""

    key: str
    value: float | None
    unit: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the members."""
        own = {} if self.unit is None else {"unit": self.unit}
        return {"key": self.key, "value": rounded(self.value), **own}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a node found for one state of the city.

    ``value`` is ``None`` where the city has nothing that it could be measured on.
    """

    value: Range | None
    breakdown: tuple[Share, ...] = ()
    factors: tuple[Factor, ...] = ()
    findings: tuple[Finding, ...] = ()
    target: Target | None = None
    change: Range | None = None
    """What the scheme changes by itself, where its interval is narrower than the difference of two wide ones."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One indicator of one scheme at one sequence of its log."""

    id: str
    unit: str
    scope: Scope
    quality: Quality
    method: str
    inputs: tuple[str, ...]
    sequence: int
    state: State
    outcome: Outcome | None = None
    base: Range | None = None
    sources: tuple[str, ...] = ()
    verdict: Verdict | None = None
    target: Target | None = None
    better: Better = "none"
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> float | None:
        """The number, ``None`` where there is none."""
        return None if self.outcome is None or self.outcome.value is None else self.outcome.value.value

    @property
    def delta(self) -> float | None:
        """How far the scheme moved it."""
        value = self.value
        return None if value is None or self.base is None else value - self.base.value

    def as_json(self) -> dict[str, Any]:
        """Return the reading as JSON members."""
        outcome = self.outcome or Outcome(None)
        change = outcome.change
        return {
            "id": self.id,
            "value": rounded(self.value),
            "unit": self.unit,
            "base": None if self.base is None else rounded(self.base.value),
            "delta": rounded(self.delta),
            "delta_interval": _pair(change.interval() if change is not None else None),
            "target": None if self.target is None else self.target.as_json(),
            "interval": _pair(outcome.value.interval() if outcome.value is not None else None),
            "quality": self.quality.value,
            "scope": self.scope.value,
            "better": self.better,
            "method": self.method,
            "inputs": list(self.inputs),
            "sources": list(self.sources),
            "factors": [factor_json(factor) for factor in outcome.factors],
            "state": self.state.value,
            "sequence": self.sequence,
            "verdict": None if self.verdict is None else self.verdict.value,
            "breakdown": [share.as_json() for share in outcome.breakdown] or None,
            **self.extra,
        }


def factor_json(factor: Factor) -> dict[str, Any]:
    """Return a factor's members."""
    return {
        "id": factor.id,
        "value": factor.value,
        "low": factor.low,
        "high": factor.high,
        "unit": factor.unit,
        "jurisdiction": factor.jurisdiction,
        "source": factor.source,
    }


def rounded(value: float | None) -> float | None:
    """Return a finite value with :data:`DIGITS` significant digits, ``None`` for anything else."""
    if value is None or not math.isfinite(value):
        return None
    number = float(f"{value:.{DIGITS}g}")
    return 0.0 if number == 0 else number


def _pair(interval: tuple[float, float] | None) -> list[float | None] | None:
    return None if interval is None else [rounded(interval[0]), rounded(interval[1])]
