"""A reader of our tiles written from the specifications alone: glTF 2.0, 3D Tiles 1.1, EXT_structural_metadata.

Only struct, json and plain Python, so that it shares no code and no numpy trick with the writer.
"""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

COMPONENT = {5120: ("b", 1), 5121: ("B", 1), 5122: ("h", 2), 5123: ("H", 2), 5125: ("I", 4), 5126: ("f", 4)}
WIDTH = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
TABLE = {"UINT8": "B", "UINT16": "H", "UINT32": "I", "FLOAT32": "f"}


class Tile:
    """One GLB, decoded."""

    def __init__(self, path: Path) -> None:
        content = path.read_bytes()
        magic, version, length = struct.unpack_from("<4sII", content, 0)
        assert (magic, version, length) == (b"glTF", 2, len(content))
        size, kind = struct.unpack_from("<I4s", content, 12)
        assert kind == b"JSON"
        self.json = json.loads(content[20 : 20 + size].decode("utf-8"))
        binary_size, kind = struct.unpack_from("<I4s", content, 20 + size)
        assert kind == b"BIN\0"
        self.binary = content[28 + size : 28 + size + binary_size]
        self.primitives = self.json["meshes"][self.json["nodes"][0]["mesh"]]["primitives"]

    def view(self, index: int) -> bytes:
        view = self.json["bufferViews"][index]
        return self.binary[view.get("byteOffset", 0) :][: view["byteLength"]]

    def accessor(self, index: int) -> list[tuple[float, ...]]:
        accessor = self.json["accessors"][index]
        letter, size = COMPONENT[accessor["componentType"]]
        width = WIDTH[accessor["type"]]
        content = self.view(accessor["bufferView"])
        stride = self.json["bufferViews"][accessor["bufferView"]].get("byteStride", size * width)
        return [struct.unpack_from(f"<{width}{letter}", content, i * stride) for i in range(accessor["count"])]

    def attribute(self, primitive: int, name: str) -> list[tuple[float, ...]]:
        """Values in drawing order, indices resolved."""
        part = self.primitives[primitive]
        values = self.accessor(part["attributes"][name])
        if "indices" in part:
            return [values[i] for (i,) in self.accessor(part["indices"])]
        return values

    def positions(self, primitive: int) -> list[tuple[float, float, float]]:
        """East, north, up in metres: node matrix, then glTF's y up turned to z up."""
        node = self.json["nodes"][0]
        sx, sy, sz = node.get("scale", (1, 1, 1))
        tx, ty, tz = node.get("translation", (0, 0, 0))
        out = []
        for x, y, z in self.attribute(primitive, "POSITION"):
            a, b, c = turn(node.get("rotation", (0, 0, 0, 1)), (x * sx, y * sy, z * sz))
            out.append((a + tx, -(c + tz), b + ty))
        return out

    def normals(self, primitive: int) -> list[tuple[float, float, float]]:
        """East, north, up; only an even scale is expected."""
        node = self.json["nodes"][0]
        out = []
        for stored in self.attribute(primitive, "NORMAL"):
            a, b, c = turn(node.get("rotation", (0, 0, 0, 1)), tuple(max(v / 127, -1) for v in stored))
            out.append((a, -c, b))
        return out

    def table(self) -> dict[str, list[object]]:
        """The property table as Python columns, noData as None."""
        extension = self.json["extensions"]["EXT_structural_metadata"]
        table = extension["propertyTables"][0]
        properties = extension["schema"]["classes"][table["class"]]["properties"]
        return {
            name: self._column(member, properties[name], table["count"]) for name, member in table["properties"].items()
        }

    def _column(self, member: dict, schema: dict, count: int) -> list[object]:
        raw = self.view(member["values"])
        if schema["type"] == "STRING":
            letter = TABLE[member.get("stringOffsetType", "UINT32")]
            ends = struct.unpack(f"<{count + 1}{letter}", self.view(member["stringOffsets"]))
            values: list[object] = [raw[ends[i] : ends[i + 1]].decode("utf-8") for i in range(count)]
        else:
            values = list(struct.unpack(f"<{count}{TABLE[schema['componentType']]}", raw))
        missing = schema.get("noData", object())
        return [None if value == missing else value for value in values]


def turn(q: tuple[float, ...], v: tuple[float, ...]) -> tuple[float, float, float]:
    """Rotate by a unit quaternion: v + 2w(u x v) + 2u x (u x v)."""
    x, y, z, w = q
    assert math.isclose(x * x + y * y + z * z + w * w, 1.0, abs_tol=1e-9)
    tx, ty, tz = 2 * (y * v[2] - z * v[1]), 2 * (z * v[0] - x * v[2]), 2 * (x * v[1] - y * v[0])
    return (
        v[0] + w * tx + y * tz - z * ty,
        v[1] + w * ty + z * tx - x * tz,
        v[2] + w * tz + x * ty - y * tx,
    )


def leaves(directory: Path) -> list[Tile]:
    """The tiles without children of one tileset."""
    document = json.loads((directory / "tileset.json").read_text())
    found: list[Tile] = []

    def walk(tile: dict) -> None:
        if "children" in tile:
            for child in tile["children"]:
                walk(child)
        elif "content" in tile:
            found.append(Tile(directory / tile["content"]["uri"]))

    walk(document["root"])
    return found
