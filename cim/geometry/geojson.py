"""Shapes as GeoJSON geometries (RFC 7946), heights left out.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray


def geometry_texts(shapes: Sequence[shapely.Geometry | None] | NDArray[np.object_], decimals: int) -> list[str | None]:
    """Return each shape as the JSON text of its geometry, ``None`` where it is missing or empty.

    ``decimals`` is how many decimals the coordinates are rounded to, in the unit that they are in.
    """
    array: NDArray[np.object_] = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    array[shapely.is_empty(array)] = None
    # A zero has no sign: rounding may have made one.
    rounded = shapely.transform(array, lambda positions: np.round(positions, decimals) + 0.0)
    texts: list[str | None] = shapely.to_geojson(rounded).tolist()
    return texts


def geometry_document(shape: shapely.Geometry | None, decimals: int) -> dict[str, Any] | None:
    """Return one shape as a GeoJSON geometry, ``None`` if it is missing or empty."""
    (text,) = geometry_texts([shape], decimals)
    if text is None:
        return None
    document: dict[str, Any] = orjson.loads(text)
    return document
