"""The newest baseline as collections of features: city objects, networks, sensors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import shapely

from cim.city.index import CityIndex
from cim.city.model import CityObject
from cim.city.service import CityService, View
from cim.features.cityjson import with_parts
from cim.features.members import MemberFeatures, Members, flat_attributes, members_of
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
    "transit-routes": ("Transit routes", ("+TransitRoute",)),
    "places": ("Schools and services", ("+Amenity",)),
    "parcels": ("Parcels", ("+Parcel",)),
    "districts": ("Districts", ("+District",)),
}
"""Collections of city objects: id, title, and the types in it."""


class BaselineFeatures(MemberFeatures):
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
        self._members: dict[str, Members] = {}

    @property
    def working(self) -> WorkingFrame:
        """The way between the working CRS and degrees."""
        return self._city.working

    @property
    def revision(self) -> str:  # type: ignore[override]
        """What changes whenever an answer may."""
        return f"{self._city.baseline_version}-{len(self._datastreams())}"

    def city_objects(self, identifiers: Sequence[str]) -> list[CityObject]:
        """Return objects of the newest baseline with all that are part of them."""
        view = self._city.view
        wanted = with_parts(identifiers, view.index.children)
        found = self._city.objects_at(view.index.baseline_version, wanted)
        return [found[identifier] for identifier in wanted if identifier in found]

    def members(self) -> Mapping[str, Members]:
        """Return the members of every collection that holds anything, always in the same order."""
        view, streams = self._city.view, self._datastreams()
        key = (view.index.baseline_version, len(streams))
        with self._guard:
            if key != self._key:
                self._members = self._build(view, streams) if view.working is not None else {}
                self._key = key
            return self._members

    def _build(self, view: View, streams: Sequence[Datastream]) -> dict[str, Members]:
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


def _object_members(
    name: str,
    title: str,
    types: tuple[str, ...],
    index: CityIndex,
    working: WorkingFrame,
    attributions: tuple[str, ...],
) -> Members:
    rows = sorted(row for type_ in types for row in index.rows_of_type.get(type_, ()))

    def properties(position: int) -> dict[str, Any]:
        return _object_properties(index, rows[position])

    ids = [index.ids[row] for row in rows]
    first = index.attributes(rows[0]) if rows else {}
    generated = bool(first) and all(a.quality is Quality.GENERATED for a in first.values())
    return members_of(
        *((name, title), ids, index.places[rows], properties, working),
        generated=generated,
        attributions=attributions,
        models=True,
    )


def _object_properties(index: CityIndex, row: int) -> dict[str, Any]:
    properties: dict[str, Any] = {"type": index.types[row], **flat_attributes(index.attributes_json(row))}
    if index.parents[row]:
        properties["parent_id"] = index.parents[row]
    return properties


def _sensor_members(streams: Sequence[Datastream], working: WorkingFrame) -> Members:
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
    return members_of(
        ("sensors", "Sensors"),
        [stream.id for stream in streams],
        places,
        properties,
        working,
        generated=any(stream.generated for stream in streams),
    )


def _node_members(
    network: Network, on_element: Mapping[tuple[str | None, str | None], str], working: WorkingFrame
) -> Members:
    def properties(row: int) -> dict[str, Any]:
        node = network.nodes[row]
        return {**_element(network, node.element_id, node.kind, on_element), "z": node.z, **node.attributes}

    places = shapely.points([[n.x, n.y] for n in network.nodes]) if network.nodes else np.empty(0, dtype=object)
    ids = [f"{network.dataset}:{network.id}/{node.element_id}" for node in network.nodes]
    identity = (f"{network.id}-nodes", f"{network.id.capitalize()} network, nodes")
    return members_of(identity, ids, places, properties, working, generated=network.generated)


def _link_members(
    network: Network, on_element: Mapping[tuple[str | None, str | None], str], working: WorkingFrame
) -> Members:
    def properties(row: int) -> dict[str, Any]:
        link = network.links[row]
        ends = {"from_node": link.from_node, "to_node": link.to_node}
        return {**_element(network, link.element_id, link.kind, on_element), **ends, **link.attributes}

    places = np.array([shapely.linestrings(link.line[:, :2]) for link in network.links], dtype=object)
    ids = [f"{network.dataset}:{network.id}/{link.element_id}" for link in network.links]
    identity = (f"{network.id}-links", f"{network.id.capitalize()} network, links")
    return members_of(identity, ids, places, properties, working, generated=network.generated)


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
