"""Links of the documents (RFC 8288 relation types).  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

JSON: Final = "application/json"
GEOJSON: Final = "application/geo+json"
HTML: Final = "text/html"
CITYJSON: Final = "application/city+json"
CITYJSONSEQ: Final = "application/city+json-seq"
MVT: Final = "application/vnd.mapbox-vector-tile"
TILEJSON: Final = "application/vnd.mapbox.tile+json"
SCHEMA: Final = "application/schema+json"
QUERYABLES: Final = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
TILESETS: Final = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
TILING_SCHEME: Final = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"

Link = dict[str, Any]


def link(href: str, rel: str, type_: str, title: str = "") -> Link:
    """Return a link object."""
    out = {"href": href, "rel": rel, "type": type_}
    if title:
        out["title"] = title
    return out


@dataclass(frozen=True, slots=True)
class Addresses:
    """Absolute addresses under one mount, such as ``http://host/ogc`` or ``http://host/s/{scheme}/ogc``."""

    base: str

    def landing(self) -> str:
        """Return the landing page's."""
        return self.base

    def conformance(self) -> str:
        """Return that of the conformance declaration."""
        return f"{self.base}/conformance"

    def api(self) -> str:
        """Return the API definition's."""
        return f"{self.base}/api"

    def collections(self) -> str:
        """Return that of the list of collections."""
        return f"{self.base}/collections"

    def collection(self, collection_id: str) -> str:
        """Return a collection's."""
        return f"{self.base}/collections/{quote(collection_id, safe='')}"

    def queryables(self, collection_id: str) -> str:
        """Return that of the properties that a collection can be asked by."""
        return f"{self.collection(collection_id)}/queryables"

    def tiles(self, collection_id: str, rest: str = "") -> str:
        """Return that of a collection's tiles, or of what is below it."""
        return f"{self.collection(collection_id)}/tiles{rest}"

    def items(self, collection_id: str, parameters: Mapping[str, str] | None = None) -> str:
        """Return that of a collection's items."""
        return with_parameters(f"{self.collection(collection_id)}/items", parameters or {})

    def item(self, collection_id: str, feature_id: str) -> str:
        """Return a feature's; a colon stays readable, a slash is encoded."""
        return f"{self.collection(collection_id)}/items/{quote(feature_id, safe=':')}"


def with_parameters(href: str, parameters: Mapping[str, str]) -> str:
    """Return an address with a query string."""
    return f"{href}?{urlencode(parameters, safe=',:/')}" if parameters else href


def representations(href: str, parameters: Mapping[str, str], *, as_html: bool, json_type: str = JSON) -> list[Link]:
    """Return ``self`` and ``alternate`` of a document that comes as JSON and as HTML."""
    rest = {name: value for name, value in parameters.items() if name != "f"}
    json_href, html_href = (with_parameters(href, {**rest, "f": format_}) for format_ in ("json", "html"))
    return [
        link(json_href, "alternate" if as_html else "self", json_type, "This document as JSON"),
        link(html_href, "self" if as_html else "alternate", HTML, "This document as a page"),
    ]
