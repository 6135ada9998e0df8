"""Vector tiles made by tests: a protobuf writer of a few lines, independent of the reader's."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

EXTENT = 4096


def varint(value: int) -> bytes:
    """Return a number as protobuf writes it."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, body: bytes | int) -> bytes:
    """Return one field: a number, or bytes with their length."""
    if isinstance(body, int):
        return varint(number << 3) + varint(body)
    return varint(number << 3 | 2) + varint(len(body)) + body


def zigzag(value: int) -> int:
    """Return a signed number as an unsigned one."""
    return value << 1 ^ value >> 31


def ring(points: Sequence[tuple[int, int]]) -> bytes:
    """Return the commands of one ring; y runs down, the outer ring clockwise on the screen."""
    x = y = 0
    out = b""
    for place, (px, py) in enumerate(points):
        if place == 0:
            out += varint(1 << 3 | 1)
        elif place == 1:
            out += varint((len(points) - 1) << 3 | 2)
        out += varint(zigzag(px - x)) + varint(zigzag(py - y))
        x, y = px, py
    return out + varint(1 << 3 | 7)


def tile(features: Sequence[tuple[int | None, float, Sequence[tuple[int, int]]]], layer: str = "bldg") -> bytes:
    """Return a tile of polygons: id, height, ring."""
    heights = sorted({height for _, height, _ in features})
    body = field(15, 2) + field(1, layer.encode())
    for key, height, points in features:
        tags = varint(0) + varint(heights.index(height))
        identity = b"" if key is None else field(1, key)
        body += field(2, identity + field(2, tags) + field(3, 3) + field(4, ring(points)))
    body += field(3, b"z")
    for height in heights:
        body += field(4, varint(3 << 3 | 1) + struct.pack("<d", height))
    return field(3, body + field(5, EXTENT))


def box(x: int, y: int, width: int, depth: int) -> list[tuple[int, int]]:
    """Return a rectangle in tile units."""
    return [(x, y), (x + width, y), (x + width, y + depth), (x, y + depth)]


def write_tiles(folder: Path, tiles: dict[tuple[int, int], bytes], zoom: int = 16) -> Path:
    """Write tiles by x and y."""
    for (x, y), body in tiles.items():
        place = folder / str(zoom) / str(x)
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{y}.pbf").write_bytes(body)
    return folder
