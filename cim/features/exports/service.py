"""Write whole collections, page by page: what is held in memory is one page, whatever the size of the city."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import orjson

from cim.city.model import CityObject
from cim.errors import InvalidInput
from cim.features import cityjson
from cim.features.columns import ID
from cim.features.conditions import Constant, Named, OneOf
from cim.features.exports import csv_text, geoparquet, glb
from cim.features.links import CITYJSONSEQ
from cim.features.model import LIMIT_MAX, Collection, Feature, FeatureSource, ItemsQuery
from cim.features.query import read_items_request
from cim.features.service import FeatureService, Pairs
from cim.geometry.crs import parse_crs, transformer

OBJECTS_A_PAGE: Final = 1_000
"""City objects, whose geometry in 3D is large, are read so many at once."""
IDS_MAX: Final = 5_000

FORMATS: Final = ("geoparquet", "cityjsonseq", "glb", "csv")
GEOPARQUET: Final = "application/vnd.apache.parquet"
CSV: Final = "text/csv"
GLB: Final = "model/gltf-binary"
_OWN: Final = ("format", "ids", "scheme")
_TAKEN: Final = ("bbox", "bbox-crs", "crs", "filter", "filter-crs", "filter-lang")


@dataclass(frozen=True, slots=True)
class Export:
    """A file on its way: its parts are made as they are asked for."""

    filename: str
    media_type: str
    parts: Iterator[bytes]


class ExportService:
    """Exports what the collections hold; every method blocks."""

    def __init__(self, features: FeatureService) -> None:
        self._features = features

    def asked_by(self, authorization: str) -> ExportService:
        """Return the service as it is to somebody who shows an ``Authorization`` header."""
        return ExportService(self._features.asked_by(authorization))

    def export(self, name: str, pairs: Pairs) -> Export:
        """Return a collection, or what is chosen of it, as a file.

        Raises :class:`InvalidInput` and :class:`NotFound`, before the first part is made.
        """
        own = dict(pair for pair in pairs if pair[0] in _OWN)
        wanted = own.get("format", "")
        if wanted not in FORMATS:
            raise _invalid("format", "That format is not offered.", f"Known: {', '.join(FORMATS)}.")
        unknown = next((key for key, _ in pairs if key not in (*_OWN, *_TAKEN)), None)
        if unknown is not None:
            raise _invalid(unknown, "There is no such parameter here.", f"Known: {', '.join((*_OWN, *_TAKEN))}.")
        source, collection = self._features.found(own.get("scheme", "base"), name)
        query = read_items_request([pair for pair in pairs if pair[0] not in _OWN], collection).query
        if "ids" in own:
            query = replace(query, where=(*query.where, _one_of(own["ids"])))
        makers: dict[str, Callable[[], Export]] = {
            "geoparquet": lambda: _geoparquet(source, collection, query),
            "csv": lambda: _csv(source, collection, query),
            "cityjsonseq": lambda: _cityjsonseq(source, collection, query),
            "glb": lambda: _glb(source, collection, query),
        }
        if wanted in ("cityjsonseq", "glb") and not collection.models:
            raise _invalid("format", "The collection has no geometry in 3D.", "Known: geoparquet, csv.")
        return makers[wanted]()


def _one_of(text: str) -> OneOf:
    wanted = [part for part in text.split(",") if part]
    if not wanted or len(wanted) > IDS_MAX:
        raise _invalid("ids", f"ids are 1 to {IDS_MAX:,} ids with commas between them.")
    return OneOf(Named(ID, "string"), tuple(Constant(one) for one in wanted))


def _pages(source: FeatureSource, collection: Collection, query: ItemsQuery, size: int) -> Iterator[Sequence[Feature]]:
    query = replace(query, limit=size)
    while True:
        page = source.items(collection.id, query)
        if page.features:
            yield page.features
        if page.following is None:
            return
        query = replace(query, cursor=page.following)


def _geoparquet(source: FeatureSource, collection: Collection, query: ItemsQuery) -> Export:
    system = replace(query.crs, swapped=False)
    pages = _pages(source, collection, replace(query, crs=system), LIMIT_MAX)
    parts = geoparquet.parts(pages, collection, system, source.revision)
    return Export(f"{collection.id}.parquet", GEOPARQUET, parts)


def _csv(source: FeatureSource, collection: Collection, query: ItemsQuery) -> Export:
    def parts() -> Iterator[bytes]:
        yield csv_text.header(collection)
        for page in _pages(source, collection, query, LIMIT_MAX):
            yield csv_text.rows(page, collection)

    return Export(f"{collection.id}.csv", f"{CSV}; charset=utf-8; header=present", parts())


def _objects(source: FeatureSource, collection: Collection, query: ItemsQuery) -> Iterator[list[CityObject]]:
    for page in _pages(source, collection, query, OBJECTS_A_PAGE):
        yield source.city_objects([feature.id for feature in page])


def _cityjsonseq(source: FeatureSource, collection: Collection, query: ItemsQuery) -> Export:
    option = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
    head = cityjson.Head(collection.storage.uri, _corner(collection), collection.title)

    def parts() -> Iterator[bytes]:
        yield orjson.dumps(head.document(), option=option)
        for objects in _objects(source, collection, query):
            families = cityjson.families(objects)
            yield b"".join(orjson.dumps(cityjson.feature(family, head), option=option) for family in families)

    return Export(f"{collection.id}.city.jsonl", CITYJSONSEQ, parts())


def _corner(collection: Collection) -> tuple[float, float, float]:
    """Return whole metres near the middle of a collection: any corner does, a near one keeps numbers short."""
    if collection.bbox is None:
        return (0.0, 0.0, 0.0)
    west, south, east, north = collection.bbox
    way = transformer("OGC:CRS84", collection.storage.code)
    return cityjson.corner_of(way.transform((west + east) / 2, (south + north) / 2))


def _glb(source: FeatureSource, collection: Collection, query: ItemsQuery) -> Export:
    objects: list[CityObject] = []
    for some in _objects(source, collection, query):
        objects += some
        if len(objects) > glb.OBJECTS_MAX:
            break
    content = glb.model(objects, parse_crs(collection.storage.code).to_string())
    return Export(f"{collection.id}.glb", GLB, iter((content,)))


def _invalid(name: str, message: str, hint: str = "") -> InvalidInput:
    return InvalidInput(message, hint=hint, code="parameter", parameter=name[:80])
