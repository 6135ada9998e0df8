"""The features of a collection as columns that can be compared.  Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from cim.features.model import Property
from cim.features.model_types import PropertyType

ROW: Final = "ordinal"
ROW_ID: Final = "feature_id"
ID: Final = "id"
_INT64: Final = 2**63

_ARROW: Final[Mapping[PropertyType, pa.DataType]] = {
    "string": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
}


def column_names(properties: Sequence[Property]) -> dict[str, str]:
    """Return the column of each property; the id has its own where no property is called so."""
    return {ID: ROW_ID, **{item.name: f"p{number}" for number, item in enumerate(properties)}}


def column_table(
    ids: Sequence[str], properties: Callable[[int], Mapping[str, Any]], described: Sequence[Property]
) -> pa.Table:
    """Return the features as columns, named by :func:`column_names`, with their positions."""
    names = {item.name: number for number, item in enumerate(described)}
    lists: list[list[Any]] = [[None] * len(ids) for _ in described]
    for row in range(len(ids)):
        for name, value in properties(row).items():
            if value is not None:
                lists[names[name]][row] = value
    arrays = [typed_column(values, item.type) for values, item in zip(lists, described, strict=True)]
    return pa.table(
        [pa.array(range(len(ids)), pa.int64()), pa.array(ids, pa.string()), *arrays],
        names=[ROW, ROW_ID, *(f"p{number}" for number in range(len(described)))],
    )


def typed_column(values: list[Any], kind: PropertyType) -> pa.Array:
    """Return values as a column: what is not finite has no value, what is not a text among texts becomes one."""
    if kind == "string":
        values = [value if value is None or isinstance(value, str) else str(value) for value in values]
    elif kind == "number":
        values = [float(value) if value is not None and math.isfinite(value) else None for value in values]
    elif kind == "integer" and any(value is not None and not -_INT64 <= value < _INT64 for value in values):
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    return pa.array(values, _ARROW[kind])
