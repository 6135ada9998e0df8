"""What a feature has to meet, as a tree of checked nodes: built by the readers of queries, compiled to SQL.  Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import shapely

from cim.features.crs import FeatureCrs
from cim.features.model_types import PropertyType, Scalar

Comparison = Literal["=", "<>", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Named:
    """A property that the collection has."""

    name: str
    type: PropertyType


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that was asked for."""

    value: Scalar


@dataclass(frozen=True, slots=True)
class Folded:
    """A text whose case or whose accents do not count."""

    operand: Operand
    how: Literal["casei", "accenti"]


Operand: TypeAlias = Named | Constant | Folded


@dataclass(frozen=True, slots=True)
class Compare:
    """One value beside another."""

    op: Comparison
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Between:
    """A number within two others, both included."""

    operand: Operand
    low: Operand
    high: Operand


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a list."""

    operand: Operand
    options: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """A text of a pattern: ``%`` for any, ``_`` for one character, backslash before one that is meant."""

    operand: Operand
    pattern: Operand


@dataclass(frozen=True, slots=True)
class Unknown:
    """A property without a value."""

    operand: Named


@dataclass(frozen=True, slots=True)
class Meets:
    """The feature's place intersects an area, which has longitude or easting first."""

    area: shapely.Geometry
    system: FeatureCrs


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """Not this."""

    part: Condition


@dataclass(frozen=True, slots=True)
class Always:
    """True of every feature, or of none."""

    value: bool


Condition: TypeAlias = Compare | Between | OneOf | Like | Unknown | Meets | AllOf | AnyOf | Negated | Always


def flattened(conditions: tuple[Condition, ...]) -> list[Condition]:
    """Return conditions that all have to hold, those inside of an :class:`AllOf` on their own."""
    out: list[Condition] = []
    for condition in conditions:
        out += flattened(condition.parts) if isinstance(condition, AllOf) else [condition]
    return out
