"""Answer the requests of OGC API - Features from a source; knows no HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cim.errors import NotFound
from cim.features import documents, geojson
from cim.features.links import GEOJSON, HTML, JSON, OPENAPI, Addresses, link, representations
from cim.features.model import Collection, FeatureSource, ItemsPage
from cim.features.openapi import api_document
from cim.features.query import ItemsRequest, check_format, intersects, read_items_request, single_values
from cim.ports import Clock

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A document with its type and the title of its page."""

    title: str
    media_type: str
    document: Mapping[str, Any]


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

    def items(self, scheme: str, name: str, addresses: Addresses, pairs: Pairs, *, as_html: bool) -> Answer:
        """Return a page of features."""
        source = self._source(scheme)
        collection = self._collection(source, name)
        request = read_items_request(pairs, collection)
        page = _read_page(source, collection, request)
        parameters = dict(pairs)
        links = [
            *representations(addresses.items(name), parameters, as_html=as_html, json_type=GEOJSON),
            link(addresses.collection(name), "collection", JSON, collection.title),
            *_page_links(name, addresses, parameters, request, page, as_html=as_html),
        ]
        return Answer(collection.title, GEOJSON, geojson.items_document(page, links, self._clock.now()))

    def item(
        self, scheme: str, name: str, feature_id: str, addresses: Addresses, pairs: Pairs, *, as_html: bool
    ) -> Answer:
        """Return one feature; raises :class:`NotFound`."""
        source = self._source(scheme)
        collection = self._collection(source, name)
        parameters = _only_format(pairs)
        feature = source.item(name, feature_id)
        if feature is None:
            raise NotFound("The collection has no such feature.", code="feature", collection=name)
        href = addresses.item(name, feature.id)
        links = [
            *representations(href, parameters, as_html=as_html, json_type=GEOJSON),
            link(addresses.collection(name), "collection", JSON, collection.title),
        ]
        return Answer(feature.id, GEOJSON, geojson.item_document(feature, links))

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
    as_html: bool,
) -> list[dict[str, str]]:
    """Return the links to the pages beside this one, in the format of this one."""
    query = request.query
    format_, type_ = ("html", HTML) if as_html else ("json", GEOJSON)

    def beside(rel: str, offset: int, title: str) -> dict[str, str]:
        return link(addresses.items(name, {**parameters, "f": format_, "offset": str(offset)}), rel, type_, title)

    out = []
    after = query.offset + len(page.features)
    if page.features and after < page.matched:
        out.append(beside("next", after, "The next page"))
    if query.offset > 0:
        out.append(beside("prev", max(0, query.offset - query.limit), "The page before"))
    return out
