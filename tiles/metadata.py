"""Property tables (EXT_structural_metadata): classes, columns, and their bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tiles.glb import GlbWriter

MISSING_HEIGHT: Final = -9999.0
MISSING_COUNT: Final = 65535


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a class; ``component`` is ``None`` for text, else FLOAT32, UINT16, UINT8."""

    name: str
    component: str | None = None
    missing: float | int | str | None = None
    required: bool = False

    def schema(self) -> dict[str, Any]:
        """Return the members in the class."""
        members: dict[str, Any] = {"type": "STRING"} if self.component is None else {"type": "SCALAR"}
        if self.component is not None:
            members["componentType"] = self.component
        if self.required:
            members["required"] = True
        elif self.missing is not None:
            members["noData"] = self.missing
        return members


CITY_OBJECT: Final = (
    Property("id", required=True),
    Property("type", required=True),
    Property("name", missing=""),
    Property("height_m", "FLOAT32", MISSING_HEIGHT),
    Property("storeys", "UINT16", MISSING_COUNT),
    Property("year", "UINT16", MISSING_COUNT),
    Property("use", missing=""),
    Property("roof", missing=""),
    Property("modelled", "UINT8", required=True),
    Property("ground_m", "FLOAT32", MISSING_HEIGHT),
)
CHANGE: Final = Property("change", missing="")
"""What a scheme has done to a building; only in tables that have such a one."""
GROUND: Final = (Property("id", missing=""), Property("kind", required=True))

_DTYPES: Final = {"FLOAT32": "<f4", "UINT16": "<u2", "UINT8": "<u1"}
_OFFSETS: Final = (("UINT8", "<u1", 0xFF), ("UINT16", "<u2", 0xFFFF), ("UINT32", "<u4", 0xFFFFFFFF))

Column = Sequence[str] | NDArray[np.float64] | Any
"""Texts (also as an Arrow column) or numbers."""


def property_table(
    writer: GlbWriter, class_name: str, properties: Sequence[Property], columns: Mapping[str, Column]
) -> dict[str, Any]:
    """Append the columns to the buffer and return the whole extension: schema and one table.

    Every property of the class is written, with its ``noData`` where a number is NaN or does not fit.
    """
    count = len(columns[properties[0].name])
    table: dict[str, Any] = {}
    for prop in properties:
        values = columns[prop.name]
        table[prop.name] = _text(writer, values) if prop.component is None else _numbers(writer, prop, values)
    return {
        "schema": {
            "id": "cim",
            "classes": {class_name: {"properties": {prop.name: prop.schema() for prop in properties}}},
        },
        "propertyTables": [{"class": class_name, "count": count, "properties": table}],
    }


def has_text(column: Column) -> bool:
    """Tell whether any text of a column is not empty."""
    if isinstance(column, pa.Array):
        return any(found != "" for found in pc.unique(column).to_pylist())
    return any(column)


def _text(writer: GlbWriter, values: Column) -> dict[str, Any]:
    column = values if isinstance(values, pa.LargeStringArray) else pa.array(values, pa.large_string())
    _, offsets, characters = column.buffers()
    ends = np.frombuffer(offsets, dtype="<i8", count=column.offset + len(column) + 1)[column.offset :]
    first, ends = int(ends[0]), ends - ends[0]
    name, dtype = next((name, dtype) for name, dtype, most in _OFFSETS if ends[-1] <= most)
    # A view may not be empty, so a column of empty texts keeps one byte that no offset reaches.
    content = b"" if characters is None else memoryview(characters)[first : first + int(ends[-1])]
    members: dict[str, Any] = {
        "values": writer.view(content if len(content) else b"\0"),
        "stringOffsets": writer.view(ends.astype(dtype)),
    }
    if name != "UINT32":
        members["stringOffsetType"] = name
    return members


def _numbers(writer: GlbWriter, prop: Property, values: Column) -> dict[str, Any]:
    dtype = np.dtype(_DTYPES[str(prop.component)])
    numbers = np.asarray(values, dtype=np.float64)
    missing = float(prop.missing) if isinstance(prop.missing, (int, float)) else 0.0
    good = np.isfinite(numbers)
    if dtype.kind == "u":
        good &= (numbers >= 0) & (numbers <= np.iinfo(dtype).max)
    return {"values": writer.view(np.where(good, numbers, missing).astype(dtype))}
