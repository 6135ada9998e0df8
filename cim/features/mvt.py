"""Vector tiles (Mapbox Vector Tile 2.1) in the tiles of WebMercatorQuad (OGC 17-083r4).  Pure.

The encoder is our own: what it has to say is four messages of protocol buffers, and shapely and numpy have done the
cutting and rounding for all features of a tile at once before it begins.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
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
_TYPES: Final = {_POINT: (0, 4), _LINE: (1, 2, 5), _POLYGON: (3, 6)}
_COLLECTION, _SIMPLE_MAX = 7, 3


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
    keys: dict[str, int] = {}
    values: dict[tuple[type, Any], int | None] = {}
    encoded: list[bytes] = []
    features: list[bytes] = []
    for at, (kind, nested) in zip(kept.tolist(), _layouts(clipped[kept]), strict=True):
        commands = _commands(kind, nested)
        if not commands:
            continue
        tags: list[int] = []
        for name, value in ({"id": ids[at]} | dict(properties(int(rows[at])))).items():
            if not isinstance(value, str | int | float):
                continue
            known = (value.__class__, value)
            if known not in values:
                message = _value(value)
                values[known] = None if message is None else len(encoded)
                if message is not None:
                    encoded.append(message)
            number = values[known]
            if number is not None:
                tags += (keys.setdefault(name, len(keys)), number)
        features.append(_field(2, _packed(2, tags) + b"\x18" + bytes([kind]) + _packed(4, commands)))
    if not features:
        return b""
    body = [
        _field(1, layer.encode()),
        *features,
        *(_field(3, key.encode("utf-8", "replace")) for key in keys),
        *(_field(4, message) for message in encoded),
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


def _layouts(shapes: NDArray[np.object_]) -> list[tuple[int, list[Any]]]:
    """Return each shape's kind and its points on the grid: polygons of rings, lines, or one list of points."""
    shapes = shapes.copy()
    types = shapely.get_type_id(shapes)
    for at in np.flatnonzero(types == _COLLECTION).tolist():
        # Of a mixture, which cutting may leave, only what has the highest dimension.
        parts = _all_parts(shapes[at])
        dimensions = shapely.get_dimensions(parts)
        top = int(dimensions.max())
        shapes[at] = (shapely.multipoints, shapely.multilinestrings, shapely.multipolygons)[top](
            parts[dimensions == top]
        )
    types = shapely.get_type_id(shapes)
    out: list[tuple[int, list[Any]]] = [(_POINT, [])] * len(shapes)
    for kind, members in _TYPES.items():
        rows = np.flatnonzero(np.isin(types, members))
        if not len(rows):
            continue
        _, positions, offsets = shapely.to_ragged_array(shapes[rows], include_z=False)
        nested: list[Any] = np.rint(positions).astype(np.int64).tolist()
        for ends in offsets:
            bounds = ends.tolist()
            nested = [nested[a:b] for a, b in pairwise(bounds)]
        if len(offsets) < kind:
            nested = [[one] for one in nested]
        for row, one in zip(rows.tolist(), nested, strict=True):
            out[row] = (kind, one)
    return out


def _all_parts(shape: shapely.Geometry) -> NDArray[np.object_]:
    parts: NDArray[np.object_] = shapely.get_parts(shape)
    while (shapely.get_type_id(parts) > _SIMPLE_MAX).any():
        parts = shapely.get_parts(parts)
    return parts


def _commands(kind: int, nested: list[Any]) -> list[int]:
    """Return the commands that draw a shape; none where nothing of it is left on the grid."""
    out: list[int] = []
    place = [0, 0]
    if kind == _POINT:
        _path(nested, place, out, _MOVE)
        return out
    if kind == _LINE:
        for line in nested:
            points = _without_repeats(line)
            if len(points) > 1:
                place = _path(points, place, out, _DRAW)
        return out
    for polygon in nested:
        place = _polygon(polygon, place, out)
    return out


def _polygon(rings: list[Any], place: list[int], out: list[int]) -> list[int]:
    """Add a polygon, its outer ring clockwise on the screen; nothing where that has no area left."""
    for number, ring in enumerate(rings):
        points = _without_repeats(ring)
        if len(points) > 1 and points[0] == points[-1]:
            points.pop()
        turn = _twice_area(points) if len(points) > 2 else 0
        if turn == 0 and number == 0:
            return place
        if turn:
            if (turn > 0) != (number == 0):
                points.reverse()
            place = _path(points, place, out, _DRAW)
            out.append(_CLOSE | 1 << 3)
    return place


def _without_repeats(points: list[list[int]]) -> list[list[int]]:
    return [point for at, point in enumerate(points) if at == 0 or point != points[at - 1]]


def _twice_area(points: list[list[int]]) -> int:
    """Return twice the area by the surveyor's formula: with y downwards, positive is clockwise on the screen."""
    total = 0
    last_x, last_y = points[-1]
    for x, y in points:
        total += last_x * y - x * last_y
        last_x, last_y = x, y
    return total


def _path(points: list[list[int]], place: list[int], out: list[int], command: int) -> list[int]:
    """Add a path and return where it ends: all its points moved to, or one moved to and lines drawn to the others."""
    moved = len(points) if command == _MOVE else 1
    out.append(_MOVE | moved << 3)
    last_x, last_y = place
    for number, (x, y) in enumerate(points):
        if number == moved:
            out.append(_DRAW | (len(points) - 1) << 3)
        dx, dy = x - last_x, y - last_y
        out += (dx << 1 if dx >= 0 else (-dx << 1) - 1, dy << 1 if dy >= 0 else (-dy << 1) - 1)
        last_x, last_y = x, y
    return [last_x, last_y]


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
    return _field(number, b"".join([_SHORT[value] if value < _SHORT_END else _varint(value) for value in values]))


def _varint(value: int) -> bytes:
    value &= 0xFFFF_FFFF_FFFF_FFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


_SHORT_END: Final = 1 << 14
_SHORT: Final = [_varint(value) for value in range(_SHORT_END)]
"""Every number of one or two bytes: what steps within a tile are."""
