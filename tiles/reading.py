"""Reading tiles back, for checking them: the container, accessors, property tables."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from tiles.glb import BIN_CHUNK, JSON_CHUNK, MAGIC

_DTYPES: Final = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS: Final = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_STRINGS: Final = {"UINT8": "<u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8"}
_SCALARS: Final = {
    "INT8": "<i1", "UINT8": "<u1", "INT16": "<i2", "UINT16": "<u2", "INT32": "<i4", "UINT32": "<u4", "FLOAT32": "<f4",
    "FLOAT64": "<f8",
}  # fmt: skip


class BrokenTile(ValueError):
    """A file that is not a readable GLB; the text names the fault."""


@dataclass(frozen=True, slots=True)
class Glb:
    """A parsed file."""

    document: dict[str, Any]
    binary: bytes

    def view(self, index: int) -> bytes:
        """Return the bytes of a buffer view. Raises :class:`BrokenTile` if it leaves the buffer."""
        try:
            view = self.document["bufferViews"][index]
            first, size = int(view.get("byteOffset", 0)), int(view["byteLength"])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise BrokenTile("view-missing") from error
        if first < 0 or size < 0 or first + size > len(self.binary):
            raise BrokenTile("view-range")
        return self.binary[first : first + size]

    def accessor(self, index: int) -> NDArray[Any]:
        """Return the values of an accessor, shape (count, width), as stored."""
        try:
            accessor = self.document["accessors"][index]
            dtype = np.dtype(_DTYPES[accessor["componentType"]])
            width, count = _WIDTHS[accessor["type"]], int(accessor["count"])
            view = self.document["bufferViews"][accessor["bufferView"]]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise BrokenTile("accessor-missing") from error
        content = self.view(accessor["bufferView"])
        stride = int(view.get("byteStride", width * dtype.itemsize))
        offset = int(accessor.get("byteOffset", 0))
        if count and offset + (count - 1) * stride + width * dtype.itemsize > len(content):
            raise BrokenTile("accessor-range")
        values: NDArray[Any] = np.ndarray(
            (count, width), dtype=dtype, buffer=content, offset=offset, strides=(stride, dtype.itemsize)
        )
        return values

    def primitives(self) -> list[dict[str, Any]]:
        """Return the primitives of all meshes."""
        return [p for mesh in self.document.get("meshes", []) for p in mesh.get("primitives", [])]

    def up_positions(self, primitive: dict[str, Any]) -> NDArray[np.float64]:
        """Return a primitive's vertices as 3D Tiles has them: its node applied, z up, shape (n, 3)."""
        stored = self.accessor(primitive["attributes"]["POSITION"]).astype(np.float64)
        node = self.document["nodes"][0]
        scaled = stored * np.array(node.get("scale", [1.0, 1.0, 1.0]))
        turned = scaled @ _rotation(node.get("rotation", [0.0, 0.0, 0.0, 1.0])).T
        moved = turned + np.array(node.get("translation", [0.0, 0.0, 0.0]))
        return np.column_stack((moved[:, 0], -moved[:, 2], moved[:, 1]))

    def tables(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Yield each property table with its class."""
        extension = self.document.get("extensions", {}).get("EXT_structural_metadata", {})
        classes = extension.get("schema", {}).get("classes", {})
        for table in extension.get("propertyTables", []):
            yield table, classes.get(table.get("class"), {})

    def texts(self, prop: dict[str, Any], count: int) -> list[str]:
        """Return a text column. Raises :class:`BrokenTile` (``string-offsets``, ``string-utf8``)."""
        dtype = np.dtype(_STRINGS[prop.get("stringOffsetType", "UINT32")])
        raw = self.view(prop["stringOffsets"])
        if len(raw) != (count + 1) * dtype.itemsize:
            raise BrokenTile("string-offsets")
        offsets = np.frombuffer(raw, dtype=dtype).astype(np.int64)
        values = self.view(prop["values"])
        if offsets[0] != 0 or (np.diff(offsets) < 0).any() or offsets[-1] > len(values):
            raise BrokenTile("string-offsets")
        try:
            return [values[a:b].decode() for a, b in pairwise(offsets.tolist())]
        except UnicodeDecodeError as error:
            raise BrokenTile("string-utf8") from error

    def numbers(self, prop: dict[str, Any], schema: dict[str, Any], count: int) -> NDArray[Any]:
        """Return a column of numbers. Raises :class:`BrokenTile` (``table-size``)."""
        dtype = np.dtype(_SCALARS[schema["componentType"]])
        raw = self.view(prop["values"])
        if len(raw) != count * dtype.itemsize:
            raise BrokenTile("table-size")
        return np.frombuffer(raw, dtype=dtype)


def parse_glb(content: bytes) -> Glb:
    """Parse a GLB strictly. Raises :class:`BrokenTile` naming the fault."""
    if len(content) < 20 or struct.unpack("<I", content[:4])[0] != MAGIC:
        raise BrokenTile("glb-magic")
    _, version, total = struct.unpack("<III", content[:12])
    if version != 2 or total != len(content):
        raise BrokenTile("glb-length")
    chunks: list[tuple[int, bytes]] = []
    at = 12
    while at < len(content):
        if at + 8 > len(content):
            raise BrokenTile("glb-length")
        size, kind = struct.unpack("<II", content[at : at + 8])
        if size % 4 or at + 8 + size > len(content):
            raise BrokenTile("glb-chunk")
        chunks.append((kind, content[at + 8 : at + 8 + size]))
        at += 8 + size
    if [kind for kind, _ in chunks] != [JSON_CHUNK, BIN_CHUNK]:
        raise BrokenTile("glb-chunk")
    text, binary = chunks[0][1], chunks[1][1]
    if text.endswith(b"\0"):
        raise BrokenTile("glb-padding")
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BrokenTile("glb-json") from error
    length = document.get("buffers", [{}])[0].get("byteLength", -1)
    if not 0 <= len(binary) - length <= 3:
        raise BrokenTile("buffer-length")
    return Glb(document, binary[:length])


def _rotation(quaternion: list[float]) -> NDArray[np.float64]:
    x, y, z, w = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
