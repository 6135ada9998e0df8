"""Features and their collections, in the words of OGC API - Features Part 1 (OGC 17-069r4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Protocol

import shapely

PropertyType = Literal["string", "number", "integer", "boolean"]
Bbox = tuple[float, float, float, float]
Scalar = str | int | float | bool

CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"

LIMIT_DEFAULT: Final = 10
LIMIT_MAX: Final = 10_000
OFFSET_MAX: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Property:
    """A property that features of a collection may have; only these can be filtered by.

    ``unit`` is a UCUM code.
    """

    name: str
    type: PropertyType
    title: str = ""
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection of features.

    ``bbox`` is west, south, east, north in degrees (CRS84), ``None`` if the collection is empty.
    ``interval`` is when the collection is true of the city: the time of its baseline, open at the end.
    """

    id: str
    title: str
    description: str = ""
    bbox: Bbox | None = None
    interval: tuple[datetime | None, datetime | None] = (None, None)
    properties: tuple[Property, ...] = ()
    attributions: tuple[str, ...] = ()
    generated: bool = False
    """The features themselves were made up for the sample."""
    generated_values: bool = False
    """Of a network's elements: the values that datastreams give them were made up for the sample."""

    def property_named(self, name: str) -> Property | None:
        """Return one of the properties."""
        return next((item for item in self.properties if item.name == name), None)


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature: ``geometry`` in degrees, longitude before latitude (CRS84), or ``None``."""

    id: str
    geometry: shapely.Geometry | None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemsQuery:
    """What is asked of a collection.

    ``boxes`` in degrees; a feature matches if it intersects any of them (two where the box that was
    asked for crosses the antimeridian); none asks for all.  Every one of ``filters`` has to equal.
    """

    limit: int = LIMIT_DEFAULT
    offset: int = 0
    boxes: tuple[Bbox, ...] = ()
    filters: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemsPage:
    """A page of features and how many match in all."""

    features: Sequence[Feature]
    matched: int


class FeatureSource(Protocol):
    """Where features are read from; each method is called in a thread.

    The order of items is the same each time for one state of the city, so that pages join up; that
    by id is good.
    """

    @property
    def revision(self) -> str:
        """What is another whenever an answer may be: letters, digits, hyphens."""
        ...

    def collections(self) -> Sequence[Collection]:
        """Return all collections, always in the same order."""
        ...

    def items(self, collection_id: str, query: ItemsQuery) -> ItemsPage:
        """Return ``query.limit`` features at most, from ``query.offset`` on.

        ``collection_id`` is one of :meth:`collections`, ``query.filters`` names only its properties.
        """
        ...

    def item(self, collection_id: str, feature_id: str) -> Feature | None:
        """Return a feature of a collection, ``None`` if it has no such one."""
        ...
