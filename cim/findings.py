"""How the city says numbers and judgements: Provenance, Factor, Indicator, Finding."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Quality(StrEnum):
    """How a value came to be known."""

    RECORDED = "recorded"
    """Stated by the source."""
    MEASURED = "measured"
    """Read by an instrument."""
    MODELLED = "modelled"
    """Estimated by a method, which is named; carries an interval where one is known."""
    GENERATED = "generated"
    """Made up for the sample city, and says so."""


class Verdict(StrEnum):
    """A judgement has three values; an interval that crosses the limit is to be discussed."""

    PASS = "pass"  # noqa: S105 -- a verdict, not a password
    FAIL = "fail"
    DISCUSS = "discuss"


class Severity(StrEnum):
    """What follows from a rule that is not met."""

    FAIL = "fail"
    DISCUSS = "discuss"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where facts come from: a source as it was taken in, ``dataset`` being the slug in its objects' ids."""

    dataset: str
    title: str
    source_file: str
    source_sha256: str
    licence: str
    attribution: str
    reader: str
    reader_version: str
    read_at: datetime
    generated: bool = False


@dataclass(frozen=True, slots=True)
class Factor:
    """A coefficient with its source; ``low``/``high`` where the source gives a range."""

    id: str
    value: float
    unit: str
    source: str
    jurisdiction: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Indicator:
    """A number: value, unit, method, source, measured or modelled, an interval where modelled."""

    id: str
    value: float
    unit: str
    method: str
    source: str
    quality: Quality
    interval: tuple[float, float] | None = None
    factors: tuple[Factor, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A judgement: which rule, how it came out, by how much, and where."""

    rule: str
    clause: str
    verdict: Verdict
    severity: Severity
    measured: float | None = None
    limit: float | None = None
    margin: float | None = None
    unit: str = "1"
    object_id: str | None = None
    witness_wkb: bytes | None = None
    params: dict[str, str | int | float] = field(default_factory=dict)


def to_discuss(rule: str, clause: str, count: int, *, object_id: str | None = None, **params: str | float) -> Finding:
    """Return what is not wrong by a rule and not as it should be either: how often it was met."""
    return Finding(
        rule, clause, Verdict.DISCUSS, Severity.DISCUSS, measured=float(count), object_id=object_id, params=params
    )


def judge(interval: tuple[float, float], limit: float, *, at_most: bool) -> Verdict:
    """Compare an interval with a limit: all inside passes, all outside fails, crossing is discussed."""
    low, high = interval
    inside = (high <= limit) if at_most else (low >= limit)
    outside = (low > limit) if at_most else (high < limit)
    return Verdict.PASS if inside else Verdict.FAIL if outside else Verdict.DISCUSS
