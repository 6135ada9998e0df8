"""The API definition as OpenAPI 3.0 (``/req/oas30``): desktop clients read it to learn the parameters.  Pure.

FastAPI writes 3.1, which those clients do not know, so this one is written out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cim.features.cql2_tree import FILTER_CHARACTERS_MAX, LANGS
from cim.features.crs import CRS84, uris
from cim.features.links import CITYJSON, CITYJSONSEQ, GEOJSON, HTML, JSON, MVT, OPENAPI, SCHEMA, TILEJSON
from cim.features.model import LIMIT_DEFAULT, LIMIT_MAX, OFFSET_MAX, Collection, Property
from cim.features.mvt import ZOOM_MAX
from cim.features.query import FORMATS, ITEMS_PARAMETERS

Document = dict[str, Any]

_PROBLEM_TYPE: Final = "application/problem+json"
_ANSWER_400: Final = {"$ref": "#/components/responses/InvalidParameter"}
_ANSWER_404: Final = {"$ref": "#/components/responses/NotFound"}
_TEXT: Final = {"type": "string"}
_ANSWER_500: Final = {"$ref": "#/components/responses/ServerError"}
_ITEMS_NAMES: Final = (
    *("limit", "offset", "cursor", "bbox", "bbox-crs", "crs", "datetime"),
    *("filter", "filter-lang", "filter-crs", "sortby"),
)
BBOX: Final = {
    "type": "array",
    "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
    "items": {"type": "number"},
}
_MODELS: Final = {CITYJSON: {"schema": {"type": "object"}}, CITYJSONSEQ: {"schema": {"type": "string"}}}


def api_document(base: str, title: str, version: str, collections: Sequence[Collection]) -> Document:
    """Return the definition of the API that is mounted at ``base``, an absolute address."""
    paths: Document = {
        "/": _operation("getLandingPage", "Landing page", "landingPage"),
        "/conformance": _operation("getConformance", "Conformance classes", "confClasses"),
        "/api": {"get": _api_operation()},
        "/collections": _operation("getCollections", "The collections", "collections"),
    }
    for collection in collections:
        paths |= _collection_paths(collection)
    return {
        "openapi": "3.0.3",
        "info": {"title": title, "version": version, "description": "OGC API - Features, parts 1 to 3."},
        "servers": [{"url": base}],
        "tags": [{"name": item.id, "description": item.title} for item in collections],
        "paths": paths,
        "components": {
            "parameters": _parameters(_systems(collections)),
            "responses": _problem_answers(),
            "schemas": _schemas(),
        },
    }


def _content(schema: str, json_type: str) -> Document:
    return {
        json_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}},
        HTML: {"schema": {"type": "string"}},
    }


def _get(operation_id: str, summary: str, schema: str, json_type: str = JSON) -> Document:
    return {
        "operationId": operation_id,
        "summary": summary,
        "parameters": [{"$ref": "#/components/parameters/f"}],
        "responses": {
            "200": {"description": summary, "content": _content(schema, json_type)},
            "400": _ANSWER_400,
            "default": _ANSWER_500,
        },
    }


def _operation(operation_id: str, summary: str, schema: str) -> Document:
    return {"get": _get(operation_id, summary, schema)}


def _api_operation() -> Document:
    operation = _get("getApi", "This definition", "any")
    operation["responses"]["200"]["content"] = {
        OPENAPI: {"schema": {"type": "object"}},
        HTML: {"schema": {"type": "string"}},
    }
    return operation


def _collection_paths(collection: Collection) -> Document:
    name = collection.id
    word = "".join(part.capitalize() for part in name.split("-"))
    described = _get(f"describe{word}", f"What {collection.title} is", "collection")
    form = "fModel" if collection.models else "f"
    items = _get(f"get{word}", collection.title, "featureCollectionGeoJSON", GEOJSON)
    items["parameters"] = [
        *({"$ref": f"#/components/parameters/{parameter}"} for parameter in (*_ITEMS_NAMES, form)),
        *(_filter(item) for item in collection.properties if item.name not in ITEMS_PARAMETERS),
    ]
    item = _get(f"get{word}Feature", f"One of {collection.title}", "featureGeoJSON", GEOJSON)
    item["parameters"] = [{"$ref": f"#/components/parameters/{name_}"} for name_ in ("featureId", "crs", form)]
    if collection.models:
        for operation in (items, item):
            operation["responses"]["200"]["content"] |= _MODELS
    item["responses"]["404"] = _ANSWER_404
    queryables = _get(f"queryablesOf{word}", f"What {collection.title} can be asked by", "any", SCHEMA)
    queryables["responses"]["200"]["content"] = {SCHEMA: {"schema": {"type": "object"}}, HTML: {"schema": _TEXT}}
    tilesets = _get(f"tilesetsOf{word}", f"The tilesets of {collection.title}", "any")
    tileset = _get(f"tilesetOf{word}", f"The tileset of {collection.title}", "any")
    tileset["parameters"] = [{"$ref": "#/components/parameters/fTileset"}]
    tileset["responses"]["200"]["content"] |= {TILEJSON: {"schema": {"type": "object"}}}
    tile = _tile_operation(word, collection)
    for operation in (described, items, item, queryables, tilesets, tileset, tile):
        operation["tags"] = [name]
    return {
        f"/collections/{name}": {"get": described},
        f"/collections/{name}/queryables": {"get": queryables},
        f"/collections/{name}/tiles": {"get": tilesets},
        f"/collections/{name}/tiles/WebMercatorQuad": {"get": tileset},
        f"/collections/{name}/tiles/WebMercatorQuad/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": {"get": tile},
        f"/collections/{name}/items": {"get": items},
        f"/collections/{name}/items/{{featureId}}": {"get": item},
    }


def _tile_operation(word: str, collection: Collection) -> Document:
    operation = _get(f"tileOf{word}", f"A tile of {collection.title}", "any")
    operation["parameters"] = [
        {"$ref": f"#/components/parameters/{name}"} for name in ("tileMatrix", "tileRow", "tileCol", "fTile")
    ]
    operation["responses"]["200"]["content"] = {MVT: {"schema": {"type": "string", "format": "binary"}}}
    operation["responses"]["204"] = {"description": "Nothing of the collection lies there."}
    operation["responses"]["404"] = _ANSWER_404
    return operation


def _systems(collections: Sequence[Collection]) -> list[str]:
    return list(dict.fromkeys([CRS84, *(uri for collection in collections for uri in uris(collection.crs))]))


def _filter(item: Property) -> Document:
    unit = f" [{item.unit}]" if item.unit else ""
    return query(item.name, {"type": item.type}, f"Only features whose {item.title or item.name}{unit} is this")


def query(name: str, schema: Document, description: str) -> Document:
    """Return the description of a parameter that may be left out."""
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "style": "form",
        "explode": False,
        "schema": schema,
    }


def _parameters(systems: list[str]) -> Document:
    whole = {"type": "integer"}
    crs = {"type": "string", "enum": systems, "default": CRS84}
    text = {"type": "string"}
    return {
        "limit": query(
            "limit", {**whole, "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT}, "Features on a page"
        ),
        "offset": query(
            "offset", {**whole, "minimum": 0, "maximum": OFFSET_MAX, "default": 0}, "Features to leave out first"
        ),
        "bbox": query("bbox", BBOX, "Only features that intersect: the lower corner, then the upper"),
        "bbox-crs": query("bbox-crs", crs, "CRS of bbox"),
        "crs": query("crs", crs, "CRS of the answer"),
        "datetime": query("datetime", {"type": "string"}, "An instant or an interval (RFC 3339), .. for open"),
        "f": query("f", {"type": "string", "enum": list(FORMATS)}, "Format; without it the Accept header decides"),
        "fModel": query("f", {**text, "enum": [*FORMATS, "cityjson", "cityjsonseq"]}, "Format; else Accept decides"),
        "fTileset": query("f", {**text, "enum": [*FORMATS, "tilejson"]}, "Format; else Accept decides"),
        "fTile": query("f", {**text, "enum": ["mvt"]}, "Format"),
        "cursor": query("cursor", text, "Behind which feature the page begins"),
        "filter": query("filter", text, f"A condition in CQL2, at most {FILTER_CHARACTERS_MAX} characters"),
        "filter-lang": query("filter-lang", {**text, "enum": list(LANGS), "default": LANGS[0]}, "How it is written"),
        "filter-crs": query("filter-crs", crs, "CRS of the shapes in the filter"),
        "sortby": query("sortby", text, "Properties to order by: +name,-height_m"),
        **{
            name: {
                "name": name,
                "in": "path",
                "required": True,
                "description": f"{name} of the tile",
                "schema": {**whole, "minimum": 0, "maximum": most},
            }
            for name, most in (("tileMatrix", ZOOM_MAX), ("tileRow", 2**ZOOM_MAX), ("tileCol", 2**ZOOM_MAX))
        },
        "featureId": {
            "name": "featureId",
            "in": "path",
            "required": True,
            "description": "The id of the feature, percent-encoded",
            "schema": {"type": "string"},
        },
    }


def _problem_answers() -> Document:
    content = {_PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/exception"}}}
    return {
        "InvalidParameter": {"description": "A parameter is unknown or not valid.", "content": content},
        "NotFound": {"description": "There is no such feature or collection.", "content": content},
        "ServerError": {"description": "Any other problem.", "content": content},
    }


def _object(required: Sequence[str], **properties: Any) -> Document:
    return {"type": "object", "required": list(required), "properties": properties}


def _list_of(schema: str) -> Document:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{schema}"}}


def _schemas() -> Document:
    text = {"type": "string"}
    count = {"type": "integer", "minimum": 0}
    links = _list_of("link")
    geometry = {
        "nullable": True,
        "type": "object",
        "required": ["type"],
        "properties": {"type": text, "coordinates": {"type": "array", "items": {}}},
    }
    feature = {
        "type": {"type": "string", "enum": ["Feature"]},
        "id": text,
        "geometry": geometry,
        "properties": {"type": "object", "nullable": True},
        "links": links,
    }
    return {
        "any": {"type": "object"},
        "link": _object(["href", "rel"], href=text, rel=text, type=text, title=text),
        "landingPage": _object(["links"], title=text, description=text, attribution=text, links=links),
        "confClasses": _object(["conformsTo"], conformsTo={"type": "array", "items": text}, links=links),
        "collection": _object(
            ["id", "links"],
            id=text,
            title=text,
            description=text,
            attribution=text,
            itemType=text,
            extent={"type": "object"},
            crs={"type": "array", "items": text},
            storageCrs=text,
            links=links,
        ),
        "collections": _object(["links", "collections"], links=links, collections=_list_of("collection")),
        "featureGeoJSON": _object(["type", "geometry", "properties"], **feature),
        "featureCollectionGeoJSON": _object(
            ["type", "features"],
            type={"type": "string", "enum": ["FeatureCollection"]},
            features=_list_of("featureGeoJSON"),
            links=links,
            timeStamp={"type": "string", "format": "date-time"},
            numberMatched=count,
            numberReturned=count,
            baselineVersion=text,
        ),
        "exception": _object(
            ["type", "title", "status", "code"],
            type=text,
            title=text,
            status={"type": "integer"},
            code=text,
            detail=text,
            hint=text,
            params={"type": "object"},
        ),
    }
