"""Binary glTF 2.0 by numpy: buffer views, accessors, chunks. Bytes depend on nothing but the input."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

ARRAY_BUFFER: Final = 34962
ELEMENT_ARRAY_BUFFER: Final = 34963
TRIANGLES: Final = 4
TRIANGLE_STRIP: Final = 5
LINES: Final = 1
MAGIC: Final = 0x46546C67
JSON_CHUNK: Final = 0x4E4F534A
BIN_CHUNK: Final = 0x004E4942
INDEX_16_MAX: Final = 65534
"""The largest index that fits 16 bits; 65535 restarts a primitive."""

ALIGNMENT: Final = 8
_COMPONENTS: Final = {
    np.dtype("<i1"): 5120,
    np.dtype("<u1"): 5121,
    np.dtype("<u2"): 5123,
    np.dtype("<u4"): 5125,
    np.dtype("<f4"): 5126,
}
Extent = tuple[list[int], list[int]]
_SHAPES: Final = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}


@dataclass(slots=True)
class GlbWriter:
    """Gathers one buffer; every view starts at a multiple of 8 bytes, as metadata demands."""

    _chunks: list[bytes | memoryview] = field(default_factory=list)
    _length: int = 0
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)

    def view(
        self, content: bytes | memoryview | NDArray[Any], *, target: int | None = None, stride: int | None = None
    ) -> int:
        """Append bytes and return the index of their view."""
        padding = -self._length % ALIGNMENT
        self._chunks.append(bytes(padding))
        self._length += padding
        chunk = np.ascontiguousarray(content).data.cast("B") if isinstance(content, np.ndarray) else content
        members: dict[str, Any] = {"buffer": 0, "byteOffset": self._length, "byteLength": len(chunk)}
        if stride is not None:
            members["byteStride"] = stride
        if target is not None:
            members["target"] = target
        self.views.append(members)
        self._chunks.append(chunk)
        self._length += len(chunk)
        return len(self.views) - 1

    def attribute(
        self, values: NDArray[Any], *, width: int | None = None, extent: Extent | None = None, normalized: bool = False
    ) -> int:
        """Append a vertex attribute, shape (n,) or (n, k); return its accessor.

        Vertices must be whole multiples of 4 bytes: where a row has more than ``width`` values, the rest is padding.
        ``extent`` are the least and the greatest of each column, which positions must state.
        """
        table = values.reshape(len(values), -1)
        width = table.shape[1] if width is None else width
        stride = table.shape[1] * table.itemsize
        members: dict[str, Any] = {
            "bufferView": self.view(table, target=ARRAY_BUFFER, stride=stride if width < table.shape[1] else None),
            "componentType": _COMPONENTS[table.dtype],
            "count": len(table),
            "type": _SHAPES[width],
        }
        if normalized:
            members["normalized"] = True
        if extent is not None:
            members["min"], members["max"] = extent
        self.accessors.append(members)
        return len(self.accessors) - 1

    def indices(self, values: NDArray[Any]) -> int:
        """Append indices in the narrowest type that holds them; return their accessor."""
        flat = values.reshape(-1)
        dtype = "<u2" if int(flat.max(initial=0)) <= INDEX_16_MAX else "<u4"
        self.accessors.append(
            {
                "bufferView": self.view(flat.astype(dtype), target=ELEMENT_ARRAY_BUFFER),
                "componentType": _COMPONENTS[np.dtype(dtype)],
                "count": len(flat),
                "type": "SCALAR",
            }
        )
        return len(self.accessors) - 1

    def finish(self, document: dict[str, Any]) -> bytes:
        """Return the whole file: ``document`` is the glTF without accessors, views and buffer."""
        size = self._length + -self._length % 4
        document = {
            **document,
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": [{"byteLength": self._length}],
        }
        text = orjson.dumps(document)
        text += b" " * (-len(text) % 4)
        return b"".join(
            (
                struct.pack("<III", MAGIC, 2, 12 + 8 + len(text) + 8 + size),
                struct.pack("<II", len(text), JSON_CHUNK),
                text,
                struct.pack("<II", size, BIN_CHUNK),
                *self._chunks,
                bytes(size - self._length),
            )
        )
