"""How ``/openapi.json`` describes downloads (pure)."""

from __future__ import annotations

from typing import Any

from cim.features.cql2_tree import FILTER_CHARACTERS_MAX, LANGS
from cim.features.exports.service import CSV, FORMATS, GEOPARQUET, GLB, IDS_MAX
from cim.features.links import CITYJSONSEQ
from cim.features.openapi import BBOX, query
from cim.web.routes import path_parameter


def export_operation() -> dict[str, Any]:
    """Return the description of ``GET /api/v1/export/{name}``."""
    text = {"type": "string"}
    plain = {"schema": text}
    binary = {"schema": {"type": "string", "format": "binary"}}
    summary = "A collection, or what is chosen of it, as a file"
    wanted = query("format", {**text, "enum": list(FORMATS)}, "GLB and CityJSON are of 3D collections only")
    return {
        "tags": ["export"],
        "summary": summary,
        "operationId": "exportCollection",
        "parameters": [
            path_parameter("name", "The id of a collection, as /ogc/collections has it"),
            {**wanted, "required": True},
            query("scheme", {**text, "default": "base"}, "As this scheme would have it"),
            query("ids", {"type": "array", "items": text, "minItems": 1, "maxItems": IDS_MAX}, "These alone"),
            query("bbox", BBOX, "Only features that intersect: the lower corner, then the upper"),
            query("bbox-crs", text, "CRS of bbox, as a URI"),
            query("crs", text, "CRS of a GeoParquet file, as a URI"),
            query("filter", text, f"A condition in CQL2, at most {FILTER_CHARACTERS_MAX} characters"),
            query("filter-lang", {**text, "enum": list(LANGS), "default": LANGS[0]}, "How it is written"),
            query("filter-crs", text, "CRS of the shapes in the filter, as a URI"),
        ],
        "responses": {
            "200": {
                "description": summary,
                "content": {GEOPARQUET: binary, GLB: binary, CITYJSONSEQ: plain, CSV: plain},
            }
        },
    }
