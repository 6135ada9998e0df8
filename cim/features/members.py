"""The features of collections held in memory, and how they are asked for."""

from __future__ import annotations

import bisect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from cim.city.model import Attribute, CityObject
from cim.errors import NotFound
from cim.features.columns import column_names, column_table
from cim.features.conditions import Condition, Meets, flattened
from cim.features.cql2_sql import compiled
from cim.features.crs import LONGITUDE_LATITUDE, FeatureCrs, area_in_working, feature_crs, offered, places_in
from cim.features.model import Collection, Feature, ItemsPage, ItemsQuery, Property
from cim.features.model_types import PropertyType
from cim.features.mvt import TILE_BUFFER, encoded_tile, tile_bounds
from cim.features.paging import Cursor
from cim.features.store import Behind, FeatureTable
from cim.findings import Quality
from cim.geometry.crs import WorkingFrame

WEB_MERCATOR = feature_crs("EPSG:3857")


@dataclass(frozen=True)
class Members:
    """The features of one collection in the order of their ids, places in the working CRS."""

    collection: Collection
    ids: Sequence[str]
    places: NDArray[np.object_]
    properties: Callable[[int], Mapping[str, Any]]
    index: Mapping[str, int]

    @cached_property
    def tree(self) -> shapely.STRtree:
        """A tree over the places, made at the first question of where."""
        return shapely.STRtree(self.places)

    @cached_property
    def table(self) -> FeatureTable:
        """The properties as columns, made at the first question of what."""
        return FeatureTable(column_table(self.ids, self.properties, self.collection.properties))

    @cached_property
    def columns(self) -> Mapping[str, str]:
        """The column of each property."""
        return column_names(self.collection.properties)


class MemberFeatures(ABC):
    """A :class:`cim.features.model.FeatureSource` over members in memory."""

    revision: str

    @abstractmethod
    def members(self) -> Mapping[str, Members]:
        """Return the members of every collection that holds anything, always in the same order."""

    @property
    @abstractmethod
    def working(self) -> WorkingFrame:
        """The way between the working CRS and degrees."""

    def city_objects(self, identifiers: Sequence[str]) -> list[CityObject]:  # noqa: ARG002 -- most have none
        """Return city objects with their geometries; a source of something else has none."""
        return []

    def collections(self) -> Sequence[Collection]:
        """Return all collections that hold anything, always in the same order."""
        return [members.collection for members in self.members().values()]

    def items(self, collection_id: str, query: ItemsQuery) -> ItemsPage:
        """Return a page of features."""
        members = self._of(collection_id)
        rows, before = self._matching(members, query)
        if query.cursor is None:
            before = min(query.offset, len(rows))
        page = rows[before : before + query.limit]
        following = None
        if len(page) and before + len(page) < len(rows):
            last = int(page[-1])
            names = [members.columns[name] for name, _ in query.sortby]
            values = members.table.values(last, names) if names else ()
            following = Cursor(self.revision, members.ids[last], values)
        return ItemsPage(self._features(members, page, query.crs), len(rows), before, following)

    def positions(self, collection_id: str, query: ItemsQuery) -> tuple[Members, NDArray[np.int64]]:
        """Return the members of a collection and the positions of all that match, whatever the limit."""
        members = self._of(collection_id)
        return members, self._matching(members, query)[0]

    def item(self, collection_id: str, feature_id: str, crs: FeatureCrs = LONGITUDE_LATITUDE) -> Feature | None:
        """Return one feature, ``None`` if the collection has no such one."""
        members = self._of(collection_id)
        row = members.index.get(feature_id)
        return None if row is None else self._features(members, np.array([row]), crs)[0]

    def tile(self, collection_id: str, z: int, y: int, x: int) -> bytes:
        """Return a vector tile."""
        members = self._of(collection_id)
        west, south, east, north = tile_bounds(z, y, x, TILE_BUFFER)
        area = area_in_working(shapely.box(west, south, east, north), WEB_MERCATOR, self.working)
        if area is None:
            rows = np.arange(len(members.ids))
        else:
            rows = np.sort(members.tree.query(area, predicate="intersects"))
        moved = places_in(members.places[rows], self.working, WEB_MERCATOR)
        return encoded_tile(
            collection_id, (z, y, x), [members.ids[row] for row in rows.tolist()], moved, rows, members.properties
        )

    def _of(self, collection_id: str) -> Members:
        members = self.members().get(collection_id)
        if members is None:
            raise NotFound("There is no such collection.", hint="See /ogc/collections.", code="collection")
        return members

    def _matching(self, members: Members, query: ItemsQuery) -> tuple[NDArray[np.int64], int]:
        """Return the positions that match, in order, and how many of them are not behind the cursor."""
        conditions = flattened(query.where)
        near = [condition for condition in conditions if isinstance(condition, Meets)]
        said = [condition for condition in conditions if not isinstance(condition, Meets)]
        if said or query.sortby:
            rows, before = self._asked(members, query, said)
            if near:
                inside = np.zeros(len(members.ids), dtype=bool)
                inside[self._within(members, near)] = True
                before = int(inside[rows[:before]].sum())
                rows = rows[inside[rows]]
            return rows, before
        rows = self._within(members, near) if near else np.arange(len(members.ids))
        if query.cursor is None:
            return rows, 0
        first = bisect.bisect_right(members.ids, query.cursor.last_id)
        return rows, int(np.searchsorted(rows, first))

    def _asked(
        self, members: Members, query: ItemsQuery, conditions: Sequence[Condition]
    ) -> tuple[NDArray[np.int64], int]:
        asked = compiled(conditions, members.columns)
        areas = []
        for meets in asked.areas:
            met = np.zeros(len(members.ids), dtype=bool)
            met[self._within(members, [meets])] = True
            areas.append(pa.array(met, mask=shapely.is_missing(members.places)))
        sorts = [(members.columns[name], down) for name, down in query.sortby]
        behind = None
        if query.cursor is not None:
            behind = Behind(query.cursor.values, bisect.bisect_right(members.ids, query.cursor.last_id))
        return members.table.positions(asked, areas, sorts, behind)

    def _within(self, members: Members, areas: Sequence[Meets]) -> NDArray[np.int64]:
        """Return the positions, ascending, of the places that meet every area."""
        found: NDArray[np.int64] | None = None
        for meets in areas:
            area = area_in_working(meets.area, meets.system, self.working)
            rows = (
                np.empty(0, dtype=np.int64)
                if area is None
                else np.sort(members.tree.query(area, predicate="intersects"))
            )
            found = rows if found is None else np.intersect1d(found, rows, assume_unique=True)
        return np.empty(0, dtype=np.int64) if found is None else found

    def _features(self, members: Members, rows: NDArray[np.int64], crs: FeatureCrs) -> list[Feature]:
        places = places_in(members.places[rows], self.working, crs)
        return [
            Feature(members.ids[row], place, members.properties(row))
            for row, place in zip(rows.tolist(), places.tolist(), strict=True)
        ]


def members_of(
    identity: tuple[str, str],
    ids: Sequence[str],
    places: NDArray[np.object_],
    properties: Callable[[int], Mapping[str, Any]],
    working: WorkingFrame,
    *,
    generated: bool,
    attributions: tuple[str, ...] = (),
    models: bool = False,
) -> Members:
    """Return the features ``ids`` as the members of a collection, ``identity`` its id and title."""
    bounds = shapely.total_bounds(places) if len(places) else np.full(4, np.nan)
    bbox = None if np.isnan(bounds[0]) else working.bbox_to_lonlat(tuple(bounds.tolist()))
    collection = Collection(
        id=identity[0],
        title=identity[1],
        bbox=bbox,
        properties=described(properties, len(ids)),
        attributions=attributions,
        generated=generated,
        crs=offered(working.crs),
        storage=feature_crs(working.crs),
        models=models,
    )
    return in_order(collection, ids, places, properties)


def in_order(
    collection: Collection,
    ids: Sequence[str],
    places: NDArray[np.object_],
    properties: Callable[[int], Mapping[str, Any]],
) -> Members:
    """Return features in the order of their ids as the members of a collection."""
    order = sorted(range(len(ids)), key=ids.__getitem__)
    ordered = [ids[row] for row in order]
    return Members(
        collection,
        ordered,
        places[order],
        lambda row: properties(order[row]),
        {identifier: row for row, identifier in enumerate(ordered)},
    )


def flat_attribute(name: str, attribute: Attribute) -> dict[str, Any]:
    """Return the properties that tell an attribute: its value, and its quality where it was not recorded."""
    if attribute.value is not None and not isinstance(attribute.value, str | int | float | bool):
        return {}
    if attribute.quality in (Quality.MODELLED, Quality.MEASURED):
        return {name: attribute.value, f"{name}_quality": attribute.quality.value}
    return {name: attribute.value}


_TOLD = frozenset({Quality.MODELLED.value, Quality.MEASURED.value})


def flat_attributes(text: str) -> dict[str, Any]:
    """Return what :func:`flat_attribute` tells of all attributes of a row of the store."""
    out: dict[str, Any] = {}
    for name, members in orjson.loads(text).items():
        value = members.get("v")
        if value is not None and not isinstance(value, str | int | float | bool):
            continue
        out[name] = value
        if members.get("q") in _TOLD:
            out[f"{name}_quality"] = members["q"]
    return out


def described(properties: Callable[[int], Mapping[str, Any]], count: int) -> tuple[Property, ...]:
    """Return the properties that any feature has, each with the widest type that was seen."""
    seen: dict[str, set[type]] = {}
    for row in range(count):
        for name, value in properties(row).items():
            if value is not None:
                kinds = seen.get(name)
                if kinds is None:
                    seen[name] = {type(value)}
                else:
                    kinds.add(type(value))
    return tuple(Property(name, _property_type(types)) for name, types in seen.items())


def _property_type(types: set[type]) -> PropertyType:
    if types == {bool}:
        return "boolean"
    if types == {int}:
        return "integer"
    return "number" if types <= {int, float} else "string"
