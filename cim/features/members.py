"""The features of collections held in memory, and how they are asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.city.model import Attribute
from cim.features.model import Bbox, Collection, Feature, ItemsPage, ItemsQuery, Property, PropertyType, Scalar
from cim.findings import Quality
from cim.geometry.crs import WorkingFrame

_SEGMENT_DEGREES: Final = 0.01
"""A box in degrees is densified to this step before it is bent into the working CRS."""

_DIGITS: Final = 7
"""Decimals of a degree in answers: about 1 cm."""


@dataclass(frozen=True, slots=True)
class Members:
    """The features of one collection, places in the working CRS."""

    collection: Collection
    ids: Sequence[str]
    places: NDArray[np.object_]
    properties: Callable[[int], Mapping[str, Any]]
    index: Mapping[str, int]


class MemberFeatures(ABC):
    """A :class:`cim.features.model.FeatureSource` over members in memory."""

    @abstractmethod
    def members(self) -> Mapping[str, Members]:
        """Return the members of every collection that holds anything, always in the same order."""

    @property
    @abstractmethod
    def working(self) -> WorkingFrame:
        """The way between the working CRS and degrees."""

    def collections(self) -> Sequence[Collection]:
        """Return all collections that hold anything, always in the same order."""
        return [members.collection for members in self.members().values()]

    def items(self, collection_id: str, query: ItemsQuery) -> ItemsPage:
        """Return a page of features in the order of the baseline."""
        members = self.members()[collection_id]
        rows = np.arange(len(members.ids))
        if query.boxes:
            rows = rows[self._meets(members.places, query.boxes)]
        if query.filters:
            rows = np.array(
                [row for row in rows.tolist() if _equals(members.properties(row), query.filters)], dtype=np.int64
            )
        page = rows[query.offset : query.offset + query.limit].tolist()
        return ItemsPage(self._features(members, page), len(rows))

    def item(self, collection_id: str, feature_id: str) -> Feature | None:
        """Return one feature, ``None`` if the collection has no such one."""
        members = self.members()[collection_id]
        row = members.index.get(feature_id)
        return None if row is None else self._features(members, [row])[0]

    def _features(self, members: Members, rows: list[int]) -> list[Feature]:
        places = _to_degrees(members.places[rows], self.working)
        return [
            Feature(members.ids[row], place, members.properties(row)) for row, place in zip(rows, places, strict=True)
        ]

    def _meets(self, places: NDArray[np.object_], boxes: Sequence[Bbox]) -> NDArray[np.bool_]:
        met = np.zeros(len(places), dtype=bool)
        for box in boxes:
            outline = shapely.segmentize(shapely.box(*box), _SEGMENT_DEGREES)
            area = shapely.transform(outline, self.working.from_lonlat)
            shapely.prepare(area)
            met |= shapely.intersects(area, places)
        return met


def _to_degrees(places: NDArray[np.object_], working: WorkingFrame) -> list[shapely.Geometry | None]:
    def out(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.round(working.to_lonlat(xy), _DIGITS)

    degrees: list[shapely.Geometry | None] = shapely.transform(places, out).tolist()
    return degrees


def members_of(
    identity: tuple[str, str],
    ids: Sequence[str],
    places: NDArray[np.object_],
    properties: Callable[[int], Mapping[str, Any]],
    working: WorkingFrame,
    *,
    generated: bool,
    attributions: tuple[str, ...] = (),
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
    )
    return Members(collection, ids, places, properties, {identifier: row for row, identifier in enumerate(ids)})


def flat_attribute(name: str, attribute: Attribute) -> dict[str, Any]:
    """Return the properties that tell an attribute: its value, and its quality where it was not recorded."""
    if attribute.value is not None and not isinstance(attribute.value, str | int | float | bool):
        return {}
    if attribute.quality in (Quality.MODELLED, Quality.MEASURED):
        return {name: attribute.value, f"{name}_quality": attribute.quality.value}
    return {name: attribute.value}


def described(properties: Callable[[int], Mapping[str, Any]], count: int) -> tuple[Property, ...]:
    """Return the properties that any feature has, each with the widest type that was seen."""
    seen: dict[str, set[type]] = {}
    for row in range(count):
        for name, value in properties(row).items():
            if value is not None:
                seen.setdefault(name, set()).add(type(value))
    return tuple(Property(name, _property_type(types)) for name, types in seen.items())


def _property_type(types: set[type]) -> PropertyType:
    if types == {bool}:
        return "boolean"
    if types == {int}:
        return "integer"
    return "number" if types <= {int, float} else "string"


def _equals(properties: Mapping[str, Any], filters: Mapping[str, Scalar]) -> bool:
    return all(name in properties and properties[name] == value for name, value in filters.items())
