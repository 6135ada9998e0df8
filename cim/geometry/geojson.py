"""Shapes as GeoJSON geometries (RFC 7946), heights left out.  Pure.

Coordinates are rounded by numpy and written by orjson, many shapes at once: the shortest text that reads back as the
same float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

_RING: Final = 2
_COLLECTION: Final = 7
_NAMES: Final = {
    0: b"Point",
    1: b"LineString",
    _RING: b"LineString",
    3: b"Polygon",
    4: b"MultiPoint",
    5: b"MultiLineString",
    6: b"MultiPolygon",
}
"""By :func:`shapely.get_type_id`."""

_OPENING: Final = ord("[")


def geometry_texts(
    shapes: Sequence[shapely.Geometry | None] | NDArray[np.object_], decimals: int
) -> list[bytes | None]:
    """Return each shape as the JSON text of its geometry, ``None`` where it is missing or empty.

    ``decimals`` is how many decimals the coordinates are rounded to, in the unit that they are in.
    """
    array: NDArray[np.object_] = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    texts: list[bytes | None] = [None] * len(array)
    kinds = np.where(shapely.is_empty(array), -1, shapely.get_type_id(array))
    for kind in np.unique(kinds[kinds >= 0]).tolist():
        rows = np.flatnonzero(kinds == kind)
        found = (
            [_collection(shape, decimals) for shape in array[rows]]
            if kind == _COLLECTION
            else _of_one_kind(kind, array[rows], decimals)
        )
        for row, text in zip(rows.tolist(), found, strict=True):
            texts[row] = text
    return texts


def geometry_document(shape: shapely.Geometry | None, decimals: int) -> dict[str, Any] | None:
    """Return one shape as a GeoJSON geometry, ``None`` if it is missing or empty."""
    (text,) = geometry_texts([shape], decimals)
    if text is None:
        return None
    document: dict[str, Any] = orjson.loads(text)
    return document


def _collection(shape: shapely.Geometry, decimals: int) -> bytes:
    members = (text for text in geometry_texts(shapely.get_parts(shape), decimals) if text is not None)
    return b'{"type":"GeometryCollection","geometries":[%b]}' % b",".join(members)


def _of_one_kind(kind: int, shapes: NDArray[np.object_], decimals: int) -> list[bytes]:
    """Return the texts of shapes of one kind, none of them empty."""
    if kind == _RING:
        owner = np.repeat(np.arange(len(shapes)), shapely.get_num_coordinates(shapes))
        shapes = shapely.linestrings(shapely.get_coordinates(shapes), indices=owner)
    _, positions, levels = shapely.to_ragged_array(shapes, include_z=False)
    # A zero has no sign: rounding may have made one.
    rounded = np.ascontiguousarray(np.round(positions, decimals) + 0.0)
    text = orjson.dumps(rounded, option=orjson.OPT_SERIALIZE_NUMPY)
    # Where each position's bracket opens; one position's text ends a comma before the next one's begins.
    opens = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == _OPENING)[1:]
    bounds = np.append(opens, len(text))
    first, deeper = (levels[0], levels[1:]) if levels else (np.arange(len(positions) + 1), ())
    cuts = bounds[first].tolist()
    parts = [text[begin : end - 1] for begin, end in pairwise(cuts)]
    for ends in deeper:
        steps = ends.tolist()
        parts = [b"[" + b"],[".join(parts[a:b]) + b"]" for a, b in pairwise(steps)]
    opening, closing = (b"[", b"]") if levels else (b"", b"")
    head, tail = b'{"type":"%b","coordinates":' % _NAMES[kind] + opening, closing + b"}"
    return [head + part + tail for part in parts]
