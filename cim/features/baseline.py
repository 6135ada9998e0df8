"""The newest baseline as collections of features: city objects, networks, sensors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.city.index import CityIndex
from cim.city.service import CityService, View
from cim.features.model import Bbox, Collection, Feature, ItemsPage, ItemsQuery, Property, PropertyType, Scalar
from cim.findings import Quality
from cim.geometry.crs import WorkingFrame
from cim.networks.model import Network
from cim.sensing.model import Datastream

OBJECT_COLLECTIONS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "buildings": ("Buildings", ("Building",)),
    "streets": ("Streets", ("Road",)),
    "railways": ("Railways", ("Railway",)),
    "land-use": ("Land use", ("LandUse", "TransportSquare")),
    "water": ("Water", ("WaterBody", "Waterway")),
    "green": ("Green", ("PlantCover",)),
    "trees": ("Trees", ("SolitaryVegetationObject",)),
    "transit-stops": ("Transit stops", ("+TransitStop",)),
    "places": ("Schools and services", ("+Amenity",)),
    "parcels": ("Parcels", ("+Parcel",)),
    "districts": ("Districts", ("+District",)),
}
"""Collections of city objects: id, title, and the types in it."""

_SEGMENT_DEGREES: Final = 0.01
"""A box in degrees is densified to this step before it is bent into the working CRS."""

_DIGITS: Final = 7
"""Decimals of a degree in answers: about 1 cm."""


@dataclass(frozen=True, slots=True)
class _Members:
    """The features of one collection, places in the working CRS."""

    collection: Collection
    ids: Sequence[str]
    places: NDArray[np.object_]
    properties: Callable[[int], dict[str, Any]]
    index: Mapping[str, int]


class BaselineFeatures:
    """A :class:`cim.features.model.FeatureSource` over the newest baseline.

    What a collection holds is worked out once per baseline and kept.
    """

    def __init__(
        self,
        city: CityService,
        networks: Callable[[int], Iterable[Network]],
        datastreams: Callable[[], Sequence[Datastream]],
    ) -> None:
        self._city = city
        self._networks = networks
        self._datastreams = datastreams
        self._guard = threading.Lock()
        self._key: tuple[int, int] = (-1, -1)
        self._members: dict[str, _Members] = {}

    def collections(self) -> Sequence[Collection]:
        """Return all collections that hold anything, always in the same order."""
        return [members.collection for members in self._current().values()]

    def items(self, collection_id: str, query: ItemsQuery) -> ItemsPage:
        """Return a page of features in the order of the baseline."""
        members = self._current()[collection_id]
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
        members = self._current()[collection_id]
        row = members.index.get(feature_id)
        return None if row is None else self._features(members, [row])[0]

    def _features(self, members: _Members, rows: list[int]) -> list[Feature]:
        places = _to_degrees(members.places[rows], self._city.working)
        return [
            Feature(members.ids[row], place, members.properties(row)) for row, place in zip(rows, places, strict=True)
        ]

    def _meets(self, places: NDArray[np.object_], boxes: Sequence[Bbox]) -> NDArray[np.bool_]:
        met = np.zeros(len(places), dtype=bool)
        for box in boxes:
            outline = shapely.segmentize(shapely.box(*box), _SEGMENT_DEGREES)
            area = shapely.transform(outline, self._city.working.from_lonlat)
            shapely.prepare(area)
            met |= shapely.intersects(area, places)
        return met

    def _current(self) -> dict[str, _Members]:
        view, streams = self._city.view, self._datastreams()
        key = (view.index.baseline_version, len(streams))
        with self._guard:
            if key != self._key:
                self._members = self._build(view, streams) if view.working is not None else {}
                self._key = key
            return self._members

    def _build(self, view: View, streams: Sequence[Datastream]) -> dict[str, _Members]:
        working = self._city.working
        attributions = tuple(dict.fromkeys(d.attribution for d in view.datasets if d.attribution))
        built = [
            _object_members(name, title, types, view.index, working, attributions)
            for name, (title, types) in OBJECT_COLLECTIONS.items()
        ]
        built.append(_sensor_members(streams, working))
        on_element = {(d.network_id, d.element_id): d.id for d in reversed(streams)}
        for network in self._networks(view.index.baseline_version):
            built.append(_node_members(network, on_element, working))
            links = _link_members(network, on_element, working)
            values = any(d.generated for d in streams if d.network_id == network.id)
            built.append(replace(links, collection=replace(links.collection, generated_values=values)))
        since = (view.published_at, None)
        return {
            members.collection.id: replace(members, collection=replace(members.collection, interval=since))
            for members in built
            if members.ids
        }


def _to_degrees(places: NDArray[np.object_], working: WorkingFrame) -> list[shapely.Geometry | None]:
    def out(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.round(working.to_lonlat(xy), _DIGITS)

    degrees: list[shapely.Geometry | None] = shapely.transform(places, out).tolist()
    return degrees


def _members(
    identity: tuple[str, str],
    ids: Sequence[str],
    places: NDArray[np.object_],
    properties: Callable[[int], dict[str, Any]],
    working: WorkingFrame,
    *,
    generated: bool,
    attributions: tuple[str, ...] = (),
) -> _Members:
    bounds = shapely.total_bounds(places) if len(places) else np.full(4, np.nan)
    bbox = None if np.isnan(bounds[0]) else working.bbox_to_lonlat(tuple(bounds.tolist()))
    collection = Collection(
        id=identity[0],
        title=identity[1],
        bbox=bbox,
        properties=_describe(properties, len(ids)),
        attributions=attributions,
        generated=generated,
    )
    return _Members(collection, ids, places, properties, {identifier: row for row, identifier in enumerate(ids)})


def _object_members(
    name: str,
    title: str,
    types: tuple[str, ...],
    index: CityIndex,
    working: WorkingFrame,
    attributions: tuple[str, ...],
) -> _Members:
    rows = sorted(row for type_ in types for row in index.rows_of_type.get(type_, ()))
    cache: dict[int, dict[str, Any]] = {}

    def properties(position: int) -> dict[str, Any]:
        known = cache.get(position)
        if known is None:
            known = cache[position] = _object_properties(index, rows[position])
        return known

    ids = [index.ids[row] for row in rows]
    first = index.attributes(rows[0]) if rows else {}
    generated = bool(first) and all(a.quality is Quality.GENERATED for a in first.values())
    return _members(
        (name, title), ids, index.places[rows], properties, working, generated=generated, attributions=attributions
    )


def _object_properties(index: CityIndex, row: int) -> dict[str, Any]:
    properties: dict[str, Any] = {"type": index.types[row]}
    for name, attribute in index.attributes(row).items():
        if isinstance(attribute.value, str | int | float | bool) or attribute.value is None:
            properties[name] = attribute.value
            if attribute.quality in (Quality.MODELLED, Quality.MEASURED):
                properties[f"{name}_quality"] = attribute.quality.value
    if index.parents[row]:
        properties["parent_id"] = index.parents[row]
    return properties


def _sensor_members(streams: Sequence[Datastream], working: WorkingFrame) -> _Members:
    def properties(row: int) -> dict[str, Any]:
        stream = streams[row]
        return {
            "name": stream.name_en,
            "name_zh": stream.name_zh,
            "observed_property": stream.observed_property,
            "unit": stream.unit,
            "quality": stream.quality.value,
            "generated": stream.generated,
            "object_id": stream.object_id,
            "network_id": stream.network_id,
            "element_id": stream.element_id,
            "limit_min": stream.limit_min,
            "limit_max": stream.limit_max,
        }

    places = shapely.points([[s.x, s.y] for s in streams]) if streams else np.empty(0, dtype=object)
    return _members(
        ("sensors", "Sensors"),
        [stream.id for stream in streams],
        places,
        properties,
        working,
        generated=any(stream.generated for stream in streams),
    )


def _node_members(
    network: Network, on_element: Mapping[tuple[str | None, str | None], str], working: WorkingFrame
) -> _Members:
    def properties(row: int) -> dict[str, Any]:
        node = network.nodes[row]
        return {**_element(network, node.element_id, node.kind, on_element), "z": node.z, **node.attributes}

    places = shapely.points([[n.x, n.y] for n in network.nodes]) if network.nodes else np.empty(0, dtype=object)
    ids = [f"{network.dataset}:{network.id}/{node.element_id}" for node in network.nodes]
    identity = (f"{network.id}-nodes", f"{network.id.capitalize()} network, nodes")
    return _members(identity, ids, places, properties, working, generated=network.generated)


def _link_members(
    network: Network, on_element: Mapping[tuple[str | None, str | None], str], working: WorkingFrame
) -> _Members:
    def properties(row: int) -> dict[str, Any]:
        link = network.links[row]
        ends = {"from_node": link.from_node, "to_node": link.to_node}
        return {**_element(network, link.element_id, link.kind, on_element), **ends, **link.attributes}

    places = np.array([shapely.linestrings(link.line[:, :2]) for link in network.links], dtype=object)
    ids = [f"{network.dataset}:{network.id}/{link.element_id}" for link in network.links]
    identity = (f"{network.id}-links", f"{network.id.capitalize()} network, links")
    return _members(identity, ids, places, properties, working, generated=network.generated)


def _element(
    network: Network, element_id: str, kind: str, on_element: Mapping[tuple[str | None, str | None], str]
) -> dict[str, Any]:
    return {
        "network_id": network.id,
        "element_id": element_id,
        "kind": kind,
        "generated": network.generated,
        "datastream_id": on_element.get((network.id, element_id)),
    }


def _describe(properties: Callable[[int], dict[str, Any]], count: int) -> tuple[Property, ...]:
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
