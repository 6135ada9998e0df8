"""The documents of OGC API - Features Part 1, clause 7.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from cim.features.columns import ID
from cim.features.cql2_tree import GEOMETRY
from cim.features.crs import CRS84, uris
from cim.features.links import (
    CITYJSON,
    CITYJSONSEQ,
    GEOJSON,
    HTML,
    JSON,
    MVT,
    OPENAPI,
    QUERYABLES,
    SCHEMA,
    TILEJSON,
    TILESETS,
    TILING_SCHEME,
    Addresses,
    Link,
    link,
    representations,
)
from cim.features.model import Collection
from cim.features.mvt import ZOOM_MAX
from cim.features.query import named_properties

CONFORMANCE: Final = (
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/sorting",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
    "http://www.opengis.net/spec/cql2/1.0/conf/advanced-comparison-operators",
    "http://www.opengis.net/spec/cql2/1.0/conf/case-insensitive-comparison",
    "http://www.opengis.net/spec/cql2/1.0/conf/accent-insensitive-comparison",
    "http://www.opengis.net/spec/cql2/1.0/conf/property-property",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions",
    # The name that this class had in drafts: QGIS looks for it before it hands a filter to the server.
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-operators",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tileset",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tilesets-list",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/geodata-tilesets",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/mvt",
)

TILE_MATRIX_SET: Final = "WebMercatorQuad"
_TILE_MATRIX_SET_URI: Final = f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{TILE_MATRIX_SET}"


def instant_text(value: datetime | None) -> str | None:
    """Return an instant as RFC 3339 in UTC."""
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if value else None


def landing_document(
    addresses: Addresses, title: str, attributions: Sequence[str], parameters: Mapping[str, str], *, as_html: bool
) -> dict[str, Any]:
    """Return the landing page (``/req/core/root-success``)."""
    return {
        "title": title,
        "description": "The city as features: buildings, streets, networks, sensors. No key is needed.",
        **({"attribution": "; ".join(attributions)} if attributions else {}),
        "links": [
            *representations(addresses.landing(), parameters, as_html=as_html),
            link(addresses.api(), "service-desc", OPENAPI, "The definition of this API"),
            link(f"{addresses.api()}?f=html", "service-doc", HTML, "The documentation of this API"),
            link(addresses.conformance(), "conformance", JSON, "The conformance classes"),
            link(addresses.collections(), "data", JSON, "The collections"),
        ],
    }


def conformance_document(addresses: Addresses, parameters: Mapping[str, str], *, as_html: bool) -> dict[str, Any]:
    """Return the conformance declaration (``/req/core/conformance-success``)."""
    return {
        "conformsTo": list(CONFORMANCE),
        "links": representations(addresses.conformance(), parameters, as_html=as_html),
    }


def collection_document(collection: Collection, addresses: Addresses, own_links: Sequence[Link] = ()) -> dict[str, Any]:
    """Return what ``/collections/{id}`` says (``/req/core/sfc-md-success``); ``own_links`` are self and alternate."""
    extent: dict[str, Any] = {
        "temporal": {
            "interval": [[instant_text(end) for end in collection.interval]],
            "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian",
        }
    }
    if collection.bbox is not None:
        extent["spatial"] = {"bbox": [list(collection.bbox)], "crs": CRS84}
    return {
        "id": collection.id,
        "title": collection.title,
        **({"description": collection.description} if collection.description else {}),
        **({"attribution": "; ".join(collection.attributions)} if collection.attributions else {}),
        "generated": collection.generated,
        "itemType": "feature",
        "extent": extent,
        "crs": uris(collection.crs),
        "storageCrs": collection.storage.uri,
        "links": [
            *(own_links or [link(addresses.collection(collection.id), "self", JSON, collection.title)]),
            link(f"{addresses.items(collection.id)}?f=json", "items", GEOJSON, f"{collection.title} as GeoJSON"),
            link(f"{addresses.items(collection.id)}?f=html", "items", HTML, f"{collection.title} as a page"),
            *_model_links(collection, addresses),
            link(addresses.queryables(collection.id), QUERYABLES, SCHEMA, "What it can be asked by"),
            link(addresses.tiles(collection.id), TILESETS, JSON, f"{collection.title} as vector tiles"),
        ],
    }


def collections_document(
    collections: Sequence[Collection], addresses: Addresses, parameters: Mapping[str, str], *, as_html: bool
) -> dict[str, Any]:
    """Return the list of collections (``/req/core/fc-md-success``)."""
    return {
        "links": representations(addresses.collections(), parameters, as_html=as_html),
        "crs": list(dict.fromkeys(uri for collection in collections for uri in uris(collection.crs))),
        "collections": [collection_document(collection, addresses) for collection in collections],
    }


def _model_links(collection: Collection, addresses: Addresses) -> list[Link]:
    if not collection.models:
        return []
    items = addresses.items(collection.id)
    return [
        link(f"{items}?f=cityjson", "items", CITYJSON, f"{collection.title} as CityJSON"),
        link(f"{items}?f=cityjsonseq", "items", CITYJSONSEQ, f"{collection.title} as CityJSON text sequence"),
    ]


def queryables_document(collection: Collection, addresses: Addresses) -> dict[str, Any]:
    """Return what a filter may name, as JSON Schema (``/req/queryables/get-queryables-response``)."""
    properties: dict[str, Any] = {
        GEOMETRY: {"title": "Where it is", "x-ogc-role": "primary-geometry", "format": "geometry-any"}
    }
    told = {item.name: item for item in collection.properties}
    for named in named_properties(collection):
        item = told.get(named.name)
        properties[named.name] = {
            "type": named.type,
            "title": (item.title if item else "") or named.name,
            **({"x-ogc-unit": item.unit} if item and item.unit else {}),
            **({"x-ogc-role": "id"} if named.name == ID and item is None else {}),
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": addresses.queryables(collection.id),
        "type": "object",
        "title": collection.title,
        "properties": properties,
        "additionalProperties": False,
    }


def tilesets_document(
    collection: Collection, addresses: Addresses, parameters: Mapping[str, str], *, as_html: bool
) -> dict[str, Any]:
    """Return the list of the tilesets of a collection: one (OGC 20-057, ``/req/tilesets-list``)."""
    own = addresses.tiles(collection.id)
    tileset = {
        "title": collection.title,
        "dataType": "vector",
        "crs": "http://www.opengis.net/def/crs/EPSG/0/3857",
        "tileMatrixSetURI": _TILE_MATRIX_SET_URI,
        "links": [
            link(addresses.tiles(collection.id, f"/{TILE_MATRIX_SET}"), "self", JSON, "The tileset"),
            link(_TILE_MATRIX_SET_URI, TILING_SCHEME, JSON, TILE_MATRIX_SET),
        ],
    }
    return {"links": representations(own, parameters, as_html=as_html), "tilesets": [tileset]}


def tileset_document(
    collection: Collection, addresses: Addresses, parameters: Mapping[str, str], *, as_html: bool
) -> dict[str, Any]:
    """Return what the tileset of a collection is (OGC 17-083r4, tileset metadata)."""
    own = addresses.tiles(collection.id, f"/{TILE_MATRIX_SET}")
    template = link(f"{own}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}", "item", MVT, "A tile")
    document: dict[str, Any] = {
        "title": collection.title,
        "dataType": "vector",
        "crs": "http://www.opengis.net/def/crs/EPSG/0/3857",
        "tileMatrixSetURI": _TILE_MATRIX_SET_URI,
        "layers": [{"id": collection.id, "title": collection.title, "dataType": "vector"}],
        "links": [
            *representations(own, parameters, as_html=as_html),
            link(f"{own}?f=tilejson", "alternate", TILEJSON, "The tileset as TileJSON"),
            link(_TILE_MATRIX_SET_URI, TILING_SCHEME, JSON, TILE_MATRIX_SET),
            {**template, "templated": True},
        ],
    }
    if collection.bbox is not None:
        west, south, east, north = collection.bbox
        document["boundingBox"] = {"lowerLeft": [west, south], "upperRight": [east, north], "crs": CRS84}
    return document


def tilejson_document(collection: Collection, addresses: Addresses) -> dict[str, Any]:
    """Return the tileset as TileJSON 3.0."""
    own = addresses.tiles(collection.id, f"/{TILE_MATRIX_SET}")
    fields = {
        item.name: {"boolean": "Boolean", "string": "String"}.get(item.type, "Number") for item in collection.properties
    }
    return {
        "tilejson": "3.0.0",
        "name": collection.title,
        "tiles": [f"{own}/{{z}}/{{y}}/{{x}}"],
        "minzoom": 0,
        "maxzoom": ZOOM_MAX,
        "vector_layers": [{"id": collection.id, "description": collection.title, "fields": {ID: "String", **fields}}],
        **({"bounds": list(collection.bbox)} if collection.bbox else {}),
        **({"attribution": "; ".join(collection.attributions)} if collection.attributions else {}),
    }
