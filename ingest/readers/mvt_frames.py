"""The frames of a vector tile, without its geometry: whether it is whole, its layers and how many features; pure.

Mapbox Vector Tile 2.1: a protobuf message; field 3 of the tile are layers, fields 1, 2 and 5 of a layer its name,
its features and its extent.  GDAL passes over a tile that ends early, so the frames are walked first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_LAYER, _NAME, _FEATURE = 3, 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_VARINT_BYTES_MAX: Final = 10


class BrokenTile(ValueError):
    """The bytes are no vector tile, or end inside a field."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A layer of a tile."""

    name: str
    features: int


def layers_of(tile: bytes) -> list[Frame]:
    """Return the layers of a tile; raises :class:`BrokenTile`."""
    out = []
    for number, start, stop in _fields(tile, 0, len(tile)):
        if number != _LAYER:
            continue
        name, features = "", 0
        for inner, begin, end in _fields(tile, start, stop):
            if inner == _NAME:
                name = tile[begin:end].decode("utf-8", "replace")
            elif inner == _FEATURE:
                features += 1
        out.append(Frame(name, features))
    return out


def _fields(text: bytes, at: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, start and end of each field of a message."""
    while at < stop:
        key, at = _varint(text, at, stop)
        kind, end = key & 7, at
        if kind == _BYTES:
            size, at = _varint(text, at, stop)
            end = at + size
        elif kind == _VARINT:
            _, end = _varint(text, at, stop)
        elif kind in {_FIXED32, _FIXED64}:
            end = at + (4 if kind == _FIXED32 else 8)
        else:
            raise BrokenTile
        if end > stop or not key >> 3:
            raise BrokenTile
        yield key >> 3, at, end
        at = end


def _varint(text: bytes, at: int, stop: int) -> tuple[int, int]:
    value = shift = 0
    for place in range(at, min(stop, at + _VARINT_BYTES_MAX)):
        byte = text[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place + 1
        shift += 7
    raise BrokenTile
