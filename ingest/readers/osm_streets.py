"""Streets from OpenStreetMap: facts of a road, and the graph of those that carry vehicles; pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cim.city.model import Attribute
from cim.findings import Quality
from cim.networks.model import Network, NetworkLink, NetworkNode
from ingest.readers.limits import NETWORK_ELEMENTS_MAX, check_limit
from ingest.readers.osm_ground import ROAD_ARTERIAL, ROAD_MOTORWAY, ROAD_STREET
from ingest.readers.osm_tags import Tags, length_m, speed_km_h, whole_number

DRIVABLE: Final = (ROAD_MOTORWAY | ROAD_ARTERIAL | ROAD_STREET) - {"busway"}
LANES_MAX: Final = 16
LANE_WIDTH_M: Final = 3.25
KERB_MARGIN_M: Final = 1.0
"""Gutters on both sides together, metres."""
WIDTH_SPREAD: Final = 0.3
"""A modelled width is right within this share, nine times in ten."""
METHOD_WIDTH_LANES: Final = "lanes × 3.25 m + 1 m"
METHOD_WIDTH_CLASS: Final = "typical width of the class"
METHOD_LANES: Final = "typical lanes of the class"
METHOD_SPEED: Final = "typical speed limit of the class"
METHOD_TRACK: Final = "typical width of a track"
TRACK_WIDTH_M: Final = 3.0

_CLASS_WIDTH_M: Final = {
    "service": 4.0, "footway": 2.5, "path": 1.5, "cycleway": 2.5, "steps": 2.5, "pedestrian": 6.0, "track": 3.0,
    "bridleway": 2.0, "trail": 1.5, "crossing": 2.5,
}  # fmt: skip
_SPEED_KM_H: Final = {
    "motorway": 100.0, "trunk": 80.0, "primary": 50.0, "secondary": 40.0, "tertiary": 40.0, "unclassified": 40.0,
    "residential": 30.0, "living_street": 20.0, "service": 20.0, "road": 30.0,
}  # fmt: skip
_CONSUMED: Final = frozenset({"name", "highway", "lanes", "width", "oneway", "maxspeed"})


def direction(tags: Tags) -> int:
    """Return 1 for a one-way along its line, -1 against it, 0 for both ways."""
    oneway = tags.get("oneway", "")
    if oneway in {"yes", "true", "1"}:
        return 1
    if oneway in {"-1", "reverse"}:
        return -1
    if oneway == "no":
        return 0
    implied = tags.get("junction") in {"roundabout", "circular"} or tags.get("highway") == "motorway"
    return 1 if implied else 0


def lanes(tags: Tags) -> Attribute:
    """Return the lanes of both directions together."""
    tagged = whole_number(tags.get("lanes"), least=1, most=LANES_MAX)
    if tagged is not None:
        return Attribute(tagged)
    wide = tags.get("highway", "").removesuffix("_link") in {"motorway", "trunk", "primary"}
    one_way = direction(tags) != 0
    typical = (2 if one_way else 4) if wide else (1 if one_way or tags.get("highway") == "service" else 2)
    return Attribute(typical, None, Quality.MODELLED, (1, typical + 2), METHOD_LANES)


def width_m(tags: Tags) -> Attribute:
    """Return the width of the carriageway or the path, metres."""
    tagged = length_m(tags.get("width")) or length_m(tags.get("est_width"))
    if tagged is not None:
        return Attribute(tagged, "m")
    highway = tags.get("highway", "")
    if "railway" in tags and not highway:
        return _modelled(TRACK_WIDTH_M, METHOD_TRACK)
    if highway in _CLASS_WIDTH_M and "lanes" not in tags:
        return _modelled(_CLASS_WIDTH_M[highway], METHOD_WIDTH_CLASS)
    count = lanes(tags).value
    assert isinstance(count, int)
    return _modelled(count * LANE_WIDTH_M + KERB_MARGIN_M, METHOD_WIDTH_LANES)


def _modelled(value: float, method: str) -> Attribute:
    interval = (round(value * (1 - WIDTH_SPREAD), 2), round(value * (1 + WIDTH_SPREAD), 2))
    return Attribute(round(value, 2), "m", Quality.MODELLED, interval, method)


def speed(tags: Tags) -> Attribute:
    """Return the speed limit, km/h."""
    tagged = speed_km_h(tags.get("maxspeed"))
    if tagged is not None:
        return Attribute(round(tagged, 1), "km/h")
    typical = _SPEED_KM_H.get(tags.get("highway", "").removesuffix("_link"), 30.0)
    return Attribute(typical, "km/h", Quality.MODELLED, None, METHOD_SPEED)


def road_attributes(tags: Tags) -> dict[str, Attribute]:
    """Return what is known of a road, and its other tags by their own keys."""
    highway = tags["highway"]
    attributes = {"highway": Attribute(highway), "width_m": width_m(tags)}
    if "name" in tags:
        attributes["name"] = Attribute(tags["name"])
    if highway in DRIVABLE:
        attributes["lanes"] = lanes(tags)
        attributes["speed_km_h"] = speed(tags)
        attributes["oneway"] = Attribute(direction(tags) != 0)
    for key, value in tags.items():
        if key not in _CONSUMED and key not in attributes:
            attributes[key] = Attribute(value)
    return attributes


def is_drivable(tags: Tags) -> bool:
    """Tell whether a way carries vehicles and so belongs to the street graph."""
    return tags.get("highway") in DRIVABLE and tags.get("area") != "yes"


@dataclass(frozen=True, slots=True)
class _RawLink:
    way: int
    sequence: int
    refs: tuple[int, int]
    line: NDArray[np.float64]
    tags: Tags


@dataclass(slots=True)
class StreetGraph:
    """The street graph as it grows: first every way is counted, then every way is cut at its crossings.

    Coordinates are degrees (longitude, latitude) until :meth:`network` projects them.  Memory: two
    numbers per node of a drivable way, and the drivable lines themselves, because a network is one
    record.
    """

    uses: Counter[int] = field(default_factory=Counter)
    signals: set[int] = field(default_factory=set)
    _links: list[_RawLink] = field(default_factory=list)
    _ends: dict[int, NDArray[np.float64]] = field(default_factory=dict)

    def count(self, refs: list[int]) -> None:
        """Count the nodes of one way, or of one piece of a way that the border cuts."""
        self.uses.update(refs)
        if refs:
            # An end is always a node of the graph.
            self.uses.update((refs[0], refs[-1]))

    def add(self, way: int, refs: list[int], line: NDArray[np.float64], tags: Tags, sequence: int = 0) -> int:
        """Cut one way, shape (n, 2) degrees, into links; return the next free sequence number."""
        start = 0
        for stop in range(1, len(refs)):
            if self.uses[refs[stop]] > 1 or stop == len(refs) - 1:
                for piece_refs, piece in _open_loop(refs[start : stop + 1], line[start : stop + 1]):
                    self._append(way, sequence, piece_refs, piece, tags)
                    sequence += 1
                start = stop
        return sequence

    def _append(self, way: int, sequence: int, refs: list[int], line: NDArray[np.float64], tags: Tags) -> None:
        if direction(tags) < 0:
            refs, line = refs[::-1], line[::-1]
        check_limit("NETWORK_ELEMENTS_MAX", len(self._links), NETWORK_ELEMENTS_MAX, "The number of street links")
        self._links.append(_RawLink(way, sequence, (refs[0], refs[-1]), line, tags))
        self._ends[refs[0]] = line[0]
        self._ends[refs[-1]] = line[-1]

    def raw_coordinates(self) -> NDArray[np.float64]:
        """Return all coordinates in degrees, node ends first, shape (n, 2): what is to be projected."""
        parts = [*(end[None, :] for end in self._ends.values()), *(link.line for link in self._links)]
        return np.concatenate(parts) if parts else np.empty((0, 2))

    def network(self, dataset: str, xy: NDArray[np.float64]) -> Network:
        """Build the network from the projected :meth:`raw_coordinates`, shape (n, 2), metres."""
        nodes = tuple(
            NetworkNode(
                element_id=f"n{ref}",
                kind="intersection",
                x=float(x),
                y=float(y),
                attributes={"osm_node": f"{dataset}:node/{ref}", "traffic_signals": ref in self.signals},
            )
            for ref, (x, y) in zip(self._ends, xy[: len(self._ends)], strict=True)
        )
        links: list[NetworkLink] = []
        start = len(self._ends)
        for raw in self._links:
            line = xy[start : start + len(raw.line)]
            start += len(raw.line)
            links.append(_link(dataset, raw, line))
        return Network("street", "street", dataset, nodes, tuple(links))


def _open_loop(refs: list[int], line: NDArray[np.float64]) -> list[tuple[list[int], NDArray[np.float64]]]:
    """A loop from a node to itself becomes two links, so that no link joins a node to itself."""
    if refs[0] != refs[-1] or len(refs) < 3:
        return [(refs, line)] if refs[0] != refs[-1] else []
    middle = len(refs) // 2
    return [(refs[: middle + 1], line[: middle + 1]), (refs[middle:], line[middle:])]


def _link(dataset: str, raw: _RawLink, line: NDArray[np.float64]) -> NetworkLink:
    tags = raw.tags
    count, limit, width = lanes(tags), speed(tags), width_m(tags)
    length = float(np.hypot(*np.diff(line, axis=0).T).sum())
    attributes: dict[str, str | int | float | bool | None] = {
        "osm_way": f"{dataset}:way/{raw.way}",
        "highway": tags["highway"],
        "name": tags.get("name"),
        "oneway": direction(tags) != 0,
        "length_m": round(length, 3),
    }
    for name, fact in (("lanes", count), ("speed_km_h", limit), ("width_m", width)):
        assert isinstance(fact.value, int | float)
        attributes[name] = fact.value
        attributes[f"{name}_quality"] = fact.quality.value
    if "access" in tags:
        attributes["access"] = tags["access"]
    return NetworkLink(f"w{raw.way}-{raw.sequence}", "street", f"n{raw.refs[0]}", f"n{raw.refs[1]}", line, attributes)
