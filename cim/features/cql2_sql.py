"""Compile conditions to SQL.  Pure.

No text of a request is ever part of the SQL: columns have names of our own (``p0``, ``p1`` …), values are parameters,
and areas are columns of truth that shapely has worked out (``a0``, ``a1`` …).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cim.features.conditions import (
    AllOf,
    Always,
    AnyOf,
    Between,
    Compare,
    Condition,
    Constant,
    Folded,
    Like,
    Meets,
    Named,
    Negated,
    OneOf,
    Operand,
    Unknown,
)
from cim.features.model_types import Scalar

_FOLDS: Final = {"casei": "lower", "accenti": "strip_accents"}


@dataclass(slots=True)
class Compiled:
    """A condition as SQL: its parameters in the order of their marks, its areas in the order of their columns."""

    columns: Mapping[str, str]
    parameters: list[Scalar] = field(default_factory=list)
    areas: list[Meets] = field(default_factory=list)
    sql: str = "TRUE"


def compiled(conditions: Sequence[Condition], columns: Mapping[str, str]) -> Compiled:
    """Return SQL that is true where all conditions hold; ``columns`` names the column of each property."""
    out = Compiled(columns)
    if conditions:
        out.sql = " AND ".join(_condition(condition, out) for condition in conditions)
    return out


def _condition(condition: Condition, out: Compiled) -> str:
    match condition:
        case AllOf(parts) | AnyOf(parts):
            word = " AND " if isinstance(condition, AllOf) else " OR "
            return f"({word.join(_condition(part, out) for part in parts)})"
        case Negated(part):
            return f"(NOT {_condition(part, out)})"
        case Always(value):
            return "TRUE" if value else "FALSE"
        case Meets():
            out.areas.append(condition)
            return f"a{len(out.areas) - 1}"
        case Unknown(operand):
            return f"({_operand(operand, out)} IS NULL)"
        case _:
            return _comparison(condition, out)


def _comparison(condition: Compare | Between | OneOf | Like, out: Compiled) -> str:
    match condition:
        case Compare(op, left, right):
            return f"({_operand(left, out)} {op} {_operand(right, out)})"
        case Between(operand, low, high):
            return f"({_operand(operand, out)} BETWEEN {_operand(low, out)} AND {_operand(high, out)})"
        case OneOf(operand, options):
            first = _operand(operand, out)
            return f"({first} IN ({', '.join(_operand(option, out) for option in options)}))"
        case Like(operand, pattern):
            return f"({_operand(operand, out)} LIKE {_operand(pattern, out)} ESCAPE '\\')"


def _operand(operand: Operand, out: Compiled) -> str:
    match operand:
        case Named(name):
            return out.columns[name]
        case Constant(value):
            out.parameters.append(value)
            return "?"
        case Folded(inner, how):
            return f"{_FOLDS[how]}({_operand(inner, out)})"
