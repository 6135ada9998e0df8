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
_SHAPES: Final = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}


@dataclass(slots=True)
class GlbWriter:
    """Gathers one buffer; every view starts at a multiple of 8 bytes, as metadata demands."""

    _chunks: list[bytes] = field(default_factory=list)
    _length: int = 0
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)

    def view(self, content: bytes, *, target: int | None = None, stride: int | None = None) -> int:
        """Append bytes and return the index of their view."""
        padding = -self._length % ALIGNMENT
        self._chunks.append(bytes(padding))
        self._length += padding
        members: dict[str, Any] = {"buffer": 0, "byteOffset": self._length, "byteLength": len(content)}
        if stride is not None:
            members["byteStride"] = stride
        if target is not None:
            members["target"] = target
        self.views.append(members)
        self._chunks.append(content)
        self._length += len(content)
        return len(self.views) - 1

    def attribute(self, values: NDArray[Any], *, bounded: bool = False, normalized: bool = False) -> int:
        """Append a vertex attribute, shape (n,) or (n, k), each vertex padded to 4 bytes; return its accessor."""
        table = values.reshape(len(values), -1)
        width = table.shape[1] * table.itemsize
        stride = width + -width % 4
        if stride != width:
            padded = np.zeros((len(table), stride // table.itemsize), dtype=table.dtype)
            padded[:, : table.shape[1]] = table
            content = padded.tobytes()
        else:
            content = np.ascontiguousarray(table).tobytes()
        members: dict[str, Any] = {
            "bufferView": self.view(content, target=ARRAY_BUFFER, stride=stride if stride != width else None),
            "componentType": _COMPONENTS[table.dtype],
            "count": len(table),
            "type": _SHAPES[table.shape[1]],
        }
        if normalized:
            members["normalized"] = True
        if bounded:
            members["min"] = table.min(axis=0).tolist()
            members["max"] = table.max(axis=0).tolist()
        self.accessors.append(members)
        return len(self.accessors) - 1

    def indices(self, values: NDArray[Any]) -> int:
        """Append indices in the narrowest type that holds them; return their accessor."""
        flat = values.reshape(-1)
        dtype = "<u2" if int(flat.max(initial=0)) <= INDEX_16_MAX else "<u4"
        self.accessors.append(
            {
                "bufferView": self.view(flat.astype(dtype).tobytes(), target=ELEMENT_ARRAY_BUFFER),
                "componentType": _COMPONENTS[np.dtype(dtype)],
                "count": len(flat),
                "type": "SCALAR",
            }
        )
        return len(self.accessors) - 1

    def finish(self, document: dict[str, Any]) -> bytes:
        """Return the whole file: ``document`` is the glTF without accessors, views and buffer."""
        padding = -self._length % 4
        content = b"".join(self._chunks)
        document = {
            **document,
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": [{"byteLength": len(content)}],
        }
        text = orjson.dumps(document)
        text += b" " * (-len(text) % 4)
        content += bytes(padding)
        total = 12 + 8 + len(text) + 8 + len(content)
        return b"".join(
            (
                struct.pack("<III", MAGIC, 2, total),
                struct.pack("<II", len(text), JSON_CHUNK),
                text,
                struct.pack("<II", len(content), BIN_CHUNK),
                content,
            )
        )
