"""Property tables (EXT_structural_metadata): classes, columns, and their bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
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
    optional: bool = False
    """Only in tables in which some row has it."""

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
    # What a scheme has done to a building.
    Property("change", missing="", optional=True),
)
GROUND: Final = (Property("id", missing=""), Property("kind", required=True))

_DTYPES: Final = {"FLOAT32": "<f4", "UINT16": "<u2", "UINT8": "<u1"}
_OFFSETS: Final = (("UINT8", "<u1", 0xFF), ("UINT16", "<u2", 0xFFFF), ("UINT32", "<u4", 0xFFFFFFFF))

Column = Sequence[str] | NDArray[np.float64] | Any
"""Texts (also as an Arrow column) or numbers."""


@dataclass(frozen=True, slots=True)
class PropertyRows:
    """The rows of one class, its columns as they lie in a file, of which any that follow each other make a table."""

    class_name: str
    _columns: tuple[tuple[Property, dict[str, Any], _Texts | NDArray[Any]], ...]

    @classmethod
    def of(cls, class_name: str, properties: Sequence[Property], columns: Mapping[str, Column]) -> PropertyRows:
        """Return the rows of columns by the properties' names; a number that is NaN or does not fit is none."""
        made = (
            (p, p.schema(), _Texts.of(columns[p.name]) if p.component is None else _numbers(p, columns[p.name]))
            for p in properties
        )
        return cls(class_name, tuple(made))

    def table(self, writer: GlbWriter, first: int, end: int) -> dict[str, Any]:
        """Append some rows to the buffer and return the whole extension: schema and one table.

        Every property of the class is written, but such as are optional and of which these rows say nothing.
        """
        table: dict[str, Any] = {}
        schema: dict[str, Any] = {}
        for prop, members, column in self._columns:
            if isinstance(column, _Texts):
                if prop.optional and not column.any(first, end):
                    continue
                table[prop.name] = column.written(writer, first, end)
            else:
                table[prop.name] = {"values": writer.view(column[first:end])}
            schema[prop.name] = members
        return {
            "schema": {"id": "cim", "classes": {self.class_name: {"properties": schema}}},
            "propertyTables": [{"class": self.class_name, "count": end - first, "properties": table}],
        }


@dataclass(frozen=True, slots=True)
class _Texts:
    """A column of texts: where each begins among the ``characters``, and where the last ends."""

    starts: NDArray[np.int64]
    characters: memoryview

    @classmethod
    def of(cls, values: Column) -> _Texts:
        column = values if isinstance(values, pa.LargeStringArray) else pa.array(values, pa.large_string())
        _, offsets, characters = column.buffers()
        starts = np.frombuffer(offsets, dtype="<i8", count=column.offset + len(column) + 1)[column.offset :]
        return cls(starts, memoryview(b"" if characters is None else characters))

    def any(self, first: int, end: int) -> bool:
        """Tell whether any of some texts is not empty."""
        return bool(self.starts[first] < self.starts[end])

    def written(self, writer: GlbWriter, first: int, end: int) -> dict[str, Any]:
        """Append some texts to the buffer and return the members of their property."""
        begin, stop = int(self.starts[first]), int(self.starts[end])
        name, dtype = next((name, dtype) for name, dtype, most in _OFFSETS if stop - begin <= most)
        members: dict[str, Any] = {
            # A view may not be empty, so a column of empty texts keeps one byte that no offset reaches.
            "values": writer.view(self.characters[begin:stop] if stop > begin else b"\0"),
            "stringOffsets": writer.view((self.starts[first : end + 1] - begin).astype(dtype)),
        }
        if name != "UINT32":
            members["stringOffsetType"] = name
        return members


def _numbers(prop: Property, values: Column) -> NDArray[Any]:
    dtype = np.dtype(_DTYPES[str(prop.component)])
    numbers = np.asarray(values, dtype=np.float64)
    missing = float(prop.missing) if isinstance(prop.missing, (int, float)) else 0.0
    good = np.isfinite(numbers)
    if dtype.kind == "u":
        good &= (numbers >= 0) & (numbers <= np.iinfo(dtype).max)
    filled: NDArray[Any] = np.where(good, numbers, missing).astype(dtype)
    return filled
