"""The documents of OGC API - Features Part 1, clause 7.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from cim.features.links import GEOJSON, HTML, JSON, OPENAPI, Addresses, Link, link, representations
from cim.features.model import CRS84, Collection

CONFORMANCE: Final = (
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
)


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
        "crs": [CRS84],
        "storageCrs": CRS84,
        "links": [
            *(own_links or [link(addresses.collection(collection.id), "self", JSON, collection.title)]),
            link(f"{addresses.items(collection.id)}?f=json", "items", GEOJSON, f"{collection.title} as GeoJSON"),
            link(f"{addresses.items(collection.id)}?f=html", "items", HTML, f"{collection.title} as a page"),
        ],
    }


def collections_document(
    collections: Sequence[Collection], addresses: Addresses, parameters: Mapping[str, str], *, as_html: bool
) -> dict[str, Any]:
    """Return the list of collections (``/req/core/fc-md-success``)."""
    return {
        "links": representations(addresses.collections(), parameters, as_html=as_html),
        "collections": [collection_document(collection, addresses) for collection in collections],
    }
