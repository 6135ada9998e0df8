"""Features as GeoJSON (RFC 7946): outer rings counter-clockwise, flat.  Pure.

Coordinates come rounded by the source, to what their system deserves; here 8 decimals are the most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from cim.features.documents import instant_text
from cim.features.links import Link
from cim.features.model import Feature, ItemsPage
from cim.geometry.geojson import geometry_texts

DECIMALS: Final = 8


def geometry_fragments(geometries: Sequence[shapely.Geometry | None]) -> list[orjson.Fragment | None]:
    """Return each geometry as ready JSON; an empty one is ``None``, as a missing one is."""
    array: NDArray[np.object_] = np.empty(len(geometries), dtype=object)
    array[:] = geometries
    texts = geometry_texts(shapely.orient_polygons(array), DECIMALS)
    return [None if text is None else orjson.Fragment(text) for text in texts]


def feature_documents(features: Sequence[Feature]) -> list[dict[str, Any]]:
    """Return GeoJSON features; property ``id`` is left to the member of that name."""
    if not features:
        return []
    geometries = geometry_fragments([feature.geometry for feature in features])
    return [
        {"type": "Feature", "id": feature.id, "geometry": geometry, "properties": dict(feature.properties)}
        for feature, geometry in zip(features, geometries, strict=True)
    ]


def encode(document: Mapping[str, Any]) -> bytes:
    """Return JSON; NaN and infinities as null."""
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def items_document(page: ItemsPage, links: Sequence[Link], now: datetime, revision: str) -> dict[str, Any]:
    """Return a page of features (``/req/core/fc-response`` to ``fc-numberReturned``)."""
    return {
        "type": "FeatureCollection",
        "timeStamp": instant_text(now),
        "numberMatched": page.matched,
        "numberReturned": len(page.features),
        "baselineVersion": revision,
        "links": list(links),
        "features": feature_documents(page.features),
    }


def item_document(feature: Feature, links: Sequence[Link]) -> dict[str, Any]:
    """Return one feature (``/req/core/f-success``)."""
    return {**feature_documents([feature])[0], "links": list(links)}
