"""Features and their collections, in the words of OGC API - Features Part 1 (OGC 17-069r4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

import shapely

from cim.city.model import CityObject
from cim.features.conditions import Condition
from cim.features.crs import LONGITUDE_LATITUDE, FeatureCrs
from cim.features.model_types import Bbox, PropertyType
from cim.features.paging import Cursor

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
    crs: tuple[FeatureCrs, ...] = (LONGITUDE_LATITUDE,)
    """Systems in which its features are offered."""
    storage: FeatureCrs = LONGITUDE_LATITUDE
    """The system in which its features are kept."""
    models: bool = False
    """Its features are city objects, which may have geometry in 3D."""
    generated_values: bool = False
    """Of a network's elements: the values that datastreams give them were made up for the sample."""

    def property_named(self, name: str) -> Property | None:
        """Return one of the properties."""
        return next((item for item in self.properties if item.name == name), None)


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature: ``geometry`` in the system that was asked for, or ``None``."""

    id: str
    geometry: shapely.Geometry | None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemsQuery:
    """What is asked of a collection.

    All of ``where`` has to hold; none asks for all.  ``sortby`` names properties, each with whether the largest
    comes first; what it leaves equal, and what has no value, is in the order of the ids.  With a ``cursor`` the page
    begins behind it, and ``offset`` is 0.
    """

    limit: int = LIMIT_DEFAULT
    offset: int = 0
    where: tuple[Condition, ...] = ()
    sortby: tuple[tuple[str, bool], ...] = ()
    cursor: Cursor | None = None
    crs: FeatureCrs = LONGITUDE_LATITUDE


@dataclass(frozen=True, slots=True)
class ItemsPage:
    """A page of features, how many match in all, how many of them come before the page, and where the next begins.

    ``following`` is ``None`` on the last page.
    """

    features: Sequence[Feature]
    matched: int
    before: int = 0
    following: Cursor | None = None


class FeatureSource(Protocol):
    """Where features are read from; each method is called in a thread.

    Items are in the order of their ids unless the query says another, so that pages join up, over a new baseline too.
    """

    @property
    def revision(self) -> str:
        """What is another whenever an answer may be: letters, digits, hyphens; it begins with the baseline's number."""
        ...

    def collections(self) -> Sequence[Collection]:
        """Return all collections, always in the same order."""
        ...

    def items(self, collection_id: str, query: ItemsQuery) -> ItemsPage:
        """Return ``query.limit`` features at most; ``collection_id`` is one of :meth:`collections`."""
        ...

    def item(self, collection_id: str, feature_id: str, crs: FeatureCrs = LONGITUDE_LATITUDE) -> Feature | None:
        """Return a feature of a collection, ``None`` if it has no such one."""
        ...

    def tile(self, collection_id: str, z: int, y: int, x: int) -> bytes:
        """Return a vector tile of a collection, empty where nothing of it lies."""
        ...

    def city_objects(self, identifiers: Sequence[str]) -> list[CityObject]:
        """Return city objects with their geometries and all that are part of them, in the order asked for."""
        ...
