"""Answer the requests of OGC API - Features from a source; knows no HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson

from cim.city.model import CityObject
from cim.errors import NotFound
from cim.features import cityjson, documents, geojson
from cim.features.crs import LONGITUDE_LATITUDE, FeatureCrs, chosen
from cim.features.links import (
    CITYJSON,
    CITYJSONSEQ,
    GEOJSON,
    HTML,
    JSON,
    MVT,
    OPENAPI,
    SCHEMA,
    TILEJSON,
    Addresses,
    link,
    representations,
)
from cim.features.model import Collection, FeatureSource, ItemsPage
from cim.features.openapi import api_document
from cim.features.paging import cursor_text
from cim.features.query import FORMATS, ItemsRequest, check_format, intersects, read_items_request, single_values
from cim.ports import Clock

Pairs = Sequence[tuple[str, str]]

MODEL_FORMATS: Final = ("cityjson", "cityjsonseq")
TILESET_FORMATS: Final = (*FORMATS, "tilejson")
TILE_DIGITS_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """A document with its type and the title of its page."""

    title: str
    media_type: str
    document: Mapping[str, Any] | bytes
    crs: FeatureCrs | None = None
    """The system of the coordinates in it."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What the document itself has no room for."""


class FeatureService:
    """Features of the city (``base``) and of schemes; every method blocks."""

    def __init__(
        self,
        source_of: Callable[[str, str], FeatureSource | None],
        *,
        title: Callable[[], str],
        version: str,
        clock: Clock,
        authorization: str = "",
    ) -> None:
        """``source_of`` returns the source of a scheme, ``None`` for one that is not there for who asks.

        Its second argument is the ``authorization`` that the asker shows.
        """
        self._source_of = source_of
        self._authorization = authorization
        self._title = title
        self._version = version
        self._clock = clock

    def asked_by(self, authorization: str) -> FeatureService:
        """Return the service as it is to somebody who shows an ``Authorization`` header."""
        return FeatureService(
            self._source_of, title=self._title, version=self._version, clock=self._clock, authorization=authorization
        )

    def revision(self, scheme: str) -> str:
        """Return what changes whenever an answer may."""
        return self._source(scheme).revision

    def landing(self, scheme: str, addresses: Addresses, pairs: Pairs, *, as_html: bool) -> Answer:
        """Return the landing page."""
        source = self._source(scheme)
        attributions = dict.fromkeys(text for item in source.collections() for text in item.attributions)
        parameters = _only_format(pairs)
        document = documents.landing_document(addresses, self._title(), list(attributions), parameters, as_html=as_html)
        return Answer(self._title(), JSON, document)

    def conformance(self, scheme: str, addresses: Addresses, pairs: Pairs, *, as_html: bool) -> Answer:
        """Return the conformance declaration."""
        self._source(scheme)
        document = documents.conformance_document(addresses, _only_format(pairs), as_html=as_html)
        return Answer("Conformance", JSON, document)

    def api(self, scheme: str, addresses: Addresses, pairs: Pairs) -> Answer:
        """Return the API definition."""
        source = self._source(scheme)
        _only_format(pairs)
        document = api_document(addresses.base, self._title(), self._version, source.collections())
        return Answer("API definition", OPENAPI, document)

    def collections(self, scheme: str, addresses: Addresses, pairs: Pairs, *, as_html: bool) -> Answer:
        """Return the list of collections."""
        source = self._source(scheme)
        document = documents.collections_document(source.collections(), addresses, _only_format(pairs), as_html=as_html)
        return Answer("Collections", JSON, document)

    def collection(self, scheme: str, name: str, addresses: Addresses, pairs: Pairs, *, as_html: bool) -> Answer:
        """Return what a collection is."""
        collection = self._collection(self._source(scheme), name)
        own = representations(addresses.collection(name), _only_format(pairs), as_html=as_html)
        return Answer(collection.title, JSON, documents.collection_document(collection, addresses, own))

    def queryables(self, scheme: str, name: str, addresses: Addresses, pairs: Pairs) -> Answer:
        """Return what a filter may name of a collection."""
        collection = self._collection(self._source(scheme), name)
        _only_format(pairs)
        return Answer(collection.title, SCHEMA, documents.queryables_document(collection, addresses))

    def items(self, scheme: str, name: str, addresses: Addresses, pairs: Pairs, *, form: str) -> Answer:
        """Return a page of features."""
        source = self._source(scheme)
        collection = self._collection(source, name)
        request = read_items_request(pairs, collection, formats_of(collection))
        page = _read_page(source, collection, request)
        if form in MODEL_FORMATS:
            objects = source.city_objects([feature.id for feature in page.features])
            links = _page_links(name, addresses, dict(pairs), request, page, form=form)
            return replace(_models(collection, objects, form), headers=_headers(links, page))
        as_html = form == "html"
        parameters = dict(pairs)
        links = [
            *representations(addresses.items(name), parameters, as_html=as_html, json_type=GEOJSON),
            link(addresses.collection(name), "collection", JSON, collection.title),
            *_page_links(name, addresses, parameters, request, page, form=form),
        ]
        document = geojson.items_document(page, links, self._clock.now(), source.revision)
        return Answer(collection.title, GEOJSON, document, request.query.crs)

    def item(self, scheme: str, name: str, feature_id: str, addresses: Addresses, pairs: Pairs, *, form: str) -> Answer:
        """Return one feature; raises :class:`NotFound`."""
        source = self._source(scheme)
        collection = self._collection(source, name)
        parameters = single_values(pairs, ["f", "crs"])
        check_format(parameters, formats_of(collection))
        crs = chosen("crs", parameters["crs"], collection.crs) if "crs" in parameters else LONGITUDE_LATITUDE
        feature = source.item(name, feature_id, crs)
        if feature is None:
            raise NotFound("The collection has no such feature.", code="feature", collection=name)
        if form in MODEL_FORMATS:
            return _models(collection, source.city_objects([feature.id]), form)
        href = addresses.item(name, feature.id)
        links = [
            *representations(href, parameters, as_html=form == "html", json_type=GEOJSON),
            link(addresses.collection(name), "collection", JSON, collection.title),
        ]
        return Answer(feature.id, GEOJSON, geojson.item_document(feature, links), crs)

    def tilesets(self, scheme: str, name: str, addresses: Addresses, pairs: Pairs, *, as_html: bool) -> Answer:
        """Return the tilesets of a collection."""
        collection = self._collection(self._source(scheme), name)
        document = documents.tilesets_document(collection, addresses, _only_format(pairs), as_html=as_html)
        return Answer(f"{collection.title}: tiles", JSON, document)

    def tileset(self, scheme: str, name: str, addresses: Addresses, pairs: Pairs, *, form: str) -> Answer:
        """Return what the tileset of a collection is, or its TileJSON."""
        collection = self._collection(self._source(scheme), name)
        parameters = single_values(pairs, ["f"])
        check_format(parameters, TILESET_FORMATS)
        if form == "tilejson":
            return Answer(collection.title, TILEJSON, documents.tilejson_document(collection, addresses))
        document = documents.tileset_document(collection, addresses, parameters, as_html=form == "html")
        return Answer(f"{collection.title}: tiles", JSON, document)

    def tile(self, scheme: str, name: str, place: tuple[str, str, str], pairs: Pairs) -> Answer:
        """Return a vector tile, ``place`` its zoom, row and column; raises :class:`NotFound`."""
        source = self._source(scheme)
        self._collection(source, name)
        check_format(single_values(pairs, ["f"]), ("mvt",))
        if not all(part.isascii() and part.isdigit() and len(part) <= TILE_DIGITS_MAX for part in place):
            raise NotFound("There is no such tile.", code="tile")
        z, y, x = map(int, place)
        return Answer(name, MVT, source.tile(name, z, y, x))

    def found(self, scheme: str, name: str) -> tuple[FeatureSource, Collection]:
        """Return a collection and where it is read from; raises :class:`NotFound`."""
        source = self._source(scheme)
        return source, self._collection(source, name)

    def _source(self, scheme: str) -> FeatureSource:
        source = self._source_of(scheme, self._authorization)
        if source is None:
            raise NotFound("There is no such scheme.", code="scheme")
        return source

    @staticmethod
    def _collection(source: FeatureSource, name: str) -> Collection:
        for collection in source.collections():
            if collection.id == name:
                return collection
        raise NotFound("There is no such collection.", hint="See /ogc/collections.", code="collection")


def formats_of(collection: Collection) -> tuple[str, ...]:
    """Return the formats that items of a collection come in."""
    return (*FORMATS, *MODEL_FORMATS) if collection.models else FORMATS


def _models(collection: Collection, objects: Sequence[CityObject], form: str) -> Answer:
    bounds = [b for one in objects for b in _corners(one)]
    low = [min((bound[axis] for bound in bounds), default=0.0) for axis in range(2)]
    head = cityjson.Head(collection.storage.uri, cityjson.corner_of(low), collection.title)
    if form == "cityjson":
        body = orjson.dumps(cityjson.document(objects, head), option=orjson.OPT_SERIALIZE_NUMPY)
        return Answer(collection.title, CITYJSON, body)
    lines = [head.document(), *(cityjson.feature(family, head) for family in cityjson.families(objects))]
    option = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
    return Answer(collection.title, CITYJSONSEQ, b"".join(orjson.dumps(line, option=option) for line in lines))


def _headers(links: Sequence[Mapping[str, str]], page: ItemsPage) -> dict[str, str]:
    """Return what a GeoJSON page says in itself: its neighbours, how many there are and how many of them are here."""
    told = ", ".join(f'<{item["href"]}>; rel="{item["rel"]}"; type="{item["type"]}"' for item in links)
    counts = {"OGC-NumberMatched": str(page.matched), "OGC-NumberReturned": str(len(page.features))}
    return {**({"Link": told} if told else {}), **counts}


def _corners(one: CityObject) -> list[tuple[float, ...]]:
    corners: list[tuple[float, ...]] = [geometry.bounds()[:2] for geometry in one.geometries]
    return [*corners, one.place.bounds[:2]] if one.place is not None and not one.place.is_empty else corners


def _only_format(pairs: Pairs) -> dict[str, str]:
    values = single_values(pairs, ["f"])
    check_format(values)
    return values


def _read_page(source: FeatureSource, collection: Collection, request: ItemsRequest) -> ItemsPage:
    if request.when is not None and not intersects(collection.interval, request.when):
        return ItemsPage((), 0)
    return source.items(collection.id, request.query)


def _page_links(
    name: str,
    addresses: Addresses,
    parameters: Mapping[str, str],
    request: ItemsRequest,
    page: ItemsPage,
    *,
    form: str,
) -> list[dict[str, str]]:
    """Return the links to the pages beside this one, in the format of this one."""
    query = request.query
    type_ = {"html": HTML, "cityjson": CITYJSON, "cityjsonseq": CITYJSONSEQ}.get(form, GEOJSON)
    rest = {key: value for key, value in parameters.items() if key not in ("offset", "cursor", "f")}

    def beside(rel: str, where: Mapping[str, str], title: str) -> dict[str, str]:
        return link(addresses.items(name, {**rest, "f": form, **where}), rel, type_, title)

    out = []
    if page.following is not None:
        out.append(beside("next", {"cursor": cursor_text(page.following)}, "The next page"))
    if page.before > 0:
        out.append(beside("prev", {"offset": str(max(0, page.before - query.limit))}, "The page before"))
    return out
