"""Vector tiles (Mapbox Vector Tile 2.1) in the tiles of WebMercatorQuad (OGC 17-083r4).  Pure.

The encoder is our own: what it has to say is four messages of protocol buffers, and shapely and numpy have done the
cutting and rounding for all features of a tile at once before it begins.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.errors import NotFound

EXTENT: Final = 4096
TILE_BUFFER: Final = 64
"""Units of a tile beyond its border that are in it, so that lines join up."""
ZOOM_MAX: Final = 22
TILE_FEATURES_MAX: Final = 50_000
"""Features of one tile; of more, the largest."""
HALF_WORLD_M: Final = 20037508.342789244

_POINT, _LINE, _POLYGON = 1, 2, 3
_MOVE, _DRAW, _CLOSE = 1, 2, 7
_DIMENSION_KIND: Final = {0: _POINT, 1: _LINE, 2: _POLYGON}


def tile_bounds(z: int, y: int, x: int, buffer: int = 0) -> tuple[float, float, float, float]:
    """Return xmin, ymin, xmax, ymax of a tile in EPSG:3857, with a border of so many of its units.

    Raises :class:`NotFound` for a tile that the scheme of tiles has not.
    """
    if not (0 <= z <= ZOOM_MAX and 0 <= y < 2**z and 0 <= x < 2**z):
        raise NotFound("There is no such tile.", code="tile")
    side = 2 * HALF_WORLD_M / 2**z
    west, north = x * side - HALF_WORLD_M, HALF_WORLD_M - y * side
    border = side * buffer / EXTENT
    return west - border, north - side - border, west + side + border, north + border


def encoded_tile(
    layer: str,
    tile: tuple[int, int, int],
    ids: Sequence[str],
    places: NDArray[np.object_],
    rows: NDArray[np.int64],
    properties: Callable[[int], Mapping[str, Any]],
) -> bytes:
    """Return a tile with one layer; ``places`` in EPSG:3857, each with its id and its row for ``properties``."""
    west, _, _, north = tile_bounds(*tile)
    scale = EXTENT / (2 * HALF_WORLD_M / 2 ** tile[0])
    units = shapely.transform(
        places, lambda xy: np.column_stack(((xy[:, 0] - west) * scale, (north - xy[:, 1]) * scale))
    )
    clipped = _clipped(units)
    size = np.hypot(shapely.area(clipped), shapely.length(clipped))
    kept = np.flatnonzero(~(shapely.is_missing(clipped) | shapely.is_empty(clipped)))
    if len(kept) > TILE_FEATURES_MAX:
        kept = np.sort(kept[np.argsort(-size[kept], kind="stable")[:TILE_FEATURES_MAX]])
    keys, values = _Dictionary(), _Dictionary()
    features: list[bytes] = []
    for at in kept.tolist():
        kind, commands = _commands(clipped[at])
        if not commands:
            continue
        tags: list[int] = []
        for name, value in ({"id": ids[at]} | dict(properties(int(rows[at])))).items():
            encoded = _value(value)
            if encoded is not None:
                tags += (keys.number(name.encode()), values.number(encoded))
        features.append(_field(2, _packed(2, tags) + b"\x18" + bytes([kind]) + _packed(4, commands)))
    if not features:
        return b""
    body = [
        _field(1, layer.encode()),
        *features,
        *(_field(3, key) for key in keys.entries),
        *(_field(4, value) for value in values.entries),
        b"\x28" + _varint(EXTENT),
        b"\x78\x02",
    ]
    return _field(3, b"".join(body))


def _clipped(units: NDArray[np.object_]) -> NDArray[np.object_]:
    low, high = -TILE_BUFFER, EXTENT + TILE_BUFFER
    bounds = shapely.bounds(units)
    over = (bounds[:, :2] < low).any(axis=1) | (bounds[:, 2:] > high).any(axis=1)
    out = units.copy()
    if over.any():
        # Cutting wants sound rings; a footprint that crosses itself is not.
        sound = shapely.make_valid(units[over])
        out[over] = shapely.clip_by_rect(sound, low, low, high, high)
    return out


class _Dictionary:
    """Numbers for entries, in the order in which they come."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []
        self._numbers: dict[bytes, int] = {}

    def number(self, entry: bytes) -> int:
        found = self._numbers.get(entry)
        if found is None:
            found = self._numbers[entry] = len(self.entries)
            self.entries.append(entry)
        return found


def _commands(shape: shapely.Geometry) -> tuple[int, list[int]]:
    """Return the kind of a shape and its commands; of a mixture only what has the highest dimension."""
    parts = shapely.get_parts(shape)
    parts = shapely.get_parts(parts) if (shapely.get_type_id(parts) > 3).any() else parts
    dimensions = shapely.get_dimensions(parts)
    top = int(dimensions.max()) if len(parts) else -1
    out: list[int] = []
    place = (0, 0)
    if top == 0:
        _path(_rounded(shapely.get_coordinates(parts)), place, out, _MOVE)
        return _POINT, out
    for part in parts[dimensions == top]:
        lines = [part] if top == 1 else [part.exterior, *part.interiors]
        for number, line in enumerate(lines):
            points = _without_repeats(_rounded(shapely.get_coordinates(line)))
            if top == 2:
                points = points[:-1] if len(points) > 1 and points[0] == points[-1] else points
                turn = _twice_area(points)
                if len(points) < 3 or turn == 0:
                    if number == 0:
                        break
                    continue
                if (turn > 0) != (number == 0):
                    points.reverse()
            elif len(points) < 2:
                continue
            place = _path(points, place, out, _DRAW)
            if top == 2:
                out.append(_CLOSE | 1 << 3)
    return _DIMENSION_KIND.get(top, _POINT), out


def _rounded(xy: NDArray[np.float64]) -> list[tuple[int, int]]:
    return [(a, b) for a, b in np.rint(xy).astype(np.int64).tolist()]


def _without_repeats(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [point for at, point in enumerate(points) if at == 0 or point != points[at - 1]]


def _twice_area(points: list[tuple[int, int]]) -> int:
    """Return twice the area by the surveyor's formula: with y downwards, positive is clockwise on the screen."""
    return (
        sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, [*points[1:], points[0]], strict=True)) if points else 0
    )


def _path(points: list[tuple[int, int]], place: tuple[int, int], out: list[int], command: int) -> tuple[int, int]:
    """Add a path and return where it ends: all its points moved to, or one moved to and lines drawn to the others."""
    moved = len(points) if command == _MOVE else 1
    out.append(_MOVE | moved << 3)
    for number, point in enumerate(points):
        if number == moved:
            out.append(_DRAW | (len(points) - 1) << 3)
        for now, last in zip(point, place, strict=True):
            step = now - last
            out.append(step << 1 if step >= 0 else (-step << 1) - 1)
        place = point
    return place


def _value(value: Any) -> bytes | None:
    """Return the message of a value, ``None`` for one that a tile cannot say."""
    if isinstance(value, bool):
        return b"\x38\x01" if value else b"\x38\x00"
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            return b"\x19" + struct.pack("<d", float(value))
        return b"\x30" + _varint((value << 1) ^ (value >> 63))
    if isinstance(value, float):
        return b"\x19" + struct.pack("<d", value) if math.isfinite(value) else None
    return _field(1, value.encode("utf-8", "replace")) if isinstance(value, str) else None


def _field(number: int, body: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(body)) + body


def _packed(number: int, values: Sequence[int]) -> bytes:
    return _field(number, b"".join(map(_varint, values)))


def _varint(value: int) -> bytes:
    value &= 0xFFFF_FFFF_FFFF_FFFF
    if value < 0x80:
        return _SMALL[value]
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


_SMALL: Final = [bytes([value]) for value in range(128)]
