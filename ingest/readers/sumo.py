"""SUMO networks (``net.xml``): their edges as streets (https://sumo.dlr.de/docs/Networks/SUMO_Road_Networks.html).

An edge carries one direction; an edge and its reverse (``-id``, between the same junctions) are one street.
``location`` says what was added to the projected coordinates (``netOffset``) and how they were projected
(``projParameter``); a network that was drawn by hand says ``!`` and needs ``--crs``.
Memory: a few texts per edge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.city.model import Attribute, CityObject, Quarantined
from cim.errors import InvalidInput
from cim.findings import Quality
from cim.geometry.crs import LONLAT, transformer, working_crs_for
from ingest.readers.gml_xml import events, forget
from ingest.readers.limits import NETWORK_ELEMENTS_MAX, check_limit
from ingest.readers.source_crs import Projection, projection, source_crs
from ingest.records import Progress, ReadContext, Record, SourceHeader

FloatArray = NDArray[np.float64]

LANE_WIDTH_M: Final = 3.2
"""SUMO's own default."""

METHOD_WIDTH: Final = "sum of the lanes, 3.2 m where none is said"
PROGRESS_EDGES: Final = 10_000
_INSIDE: Final = frozenset({"internal", "connector", "crossing", "walkingarea"})
_KM_H: Final = 3.6
_PEDESTRIAN: Final = "pedestrian"


@dataclass(frozen=True, slots=True)
class _Edge:
    id: str
    start: str
    end: str
    name: str
    kind: str
    shape: str
    speed_m_s: float
    lanes: int
    """Lanes that vehicles may use."""
    width_m: float


class SumoReader:
    """Reads a SUMO network."""

    name = "sumo"
    version = "1"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002 -- the bytes say enough
        """Tell by the root element and what a network begins with."""
        return head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") and b"<net" in head and b"<location" in head

    def read(self, path: Path, context: ReadContext) -> Iterator[Record]:
        """Yield the header, then the streets in the order of the file."""
        twice: list[Quarantined] = []
        place, edges = _read(path, twice)
        way, offset = _way(place, context, edges, path)
        yield SourceHeader(
            title=path.name,
            working_crs=way.working_crs,
            vertical_datum=None,
            ground="flat",
            licence="",
            attribution="",
            reader=self.name,
            reader_version=self.version,
        )
        yield from twice
        done = 0
        for edge in edges.values():
            back = edges.get(_reverse(edge.id))
            if back is not None and _is_back(back, edge) and edge.id.startswith("-"):
                continue  # told with the other direction
            done += 1
            yield _street(edge, back if back is not None and _is_back(back, edge) else None, way, offset, context)
            if done % PROGRESS_EDGES == 0:
                yield Progress(done, len(edges), "edges")


def _read(path: Path, twice: list[Quarantined]) -> tuple[dict[str, str], dict[str, _Edge]]:
    """Return what the location says, and the edges by their ids; ``twice``: edges whose id is taken."""
    place: dict[str, str] = {}
    edges: dict[str, _Edge] = {}
    for event, element, _ in events(path, ("net", "location", "edge")):
        if event == "start":
            continue
        if element.tag == "location":
            place = dict(element.attrib)
        elif element.tag == "edge":
            edge = _edge(element)
            if edge is not None and edge.id in edges:
                twice.append(
                    Quarantined(edge.id[:80], "id-twice", "The network has this id twice: the first is taken.")
                )
            elif edge is not None:
                edges[edge.id] = edge
                check_limit("NETWORK_ELEMENTS_MAX", len(edges), NETWORK_ELEMENTS_MAX, "The number of edges")
            forget(element)
    if not edges:
        raise InvalidInput(
            f"{path.name} has no edges that are streets.",
            hint="Write the network with netconvert.",
            code="source-empty",
        )
    return place, edges


def _edge(element: Any) -> _Edge | None:
    """Return an edge, ``None`` for what lies inside a junction."""
    key = element.get("id", "")
    if element.get("function") in _INSIDE or not key or key.startswith(":"):
        return None
    lanes = [lane for lane in element if lane.tag == "lane"]
    driven = [lane for lane in lanes if lane.get("allow") != _PEDESTRIAN] or lanes
    middle = driven[len(driven) // 2] if driven else None
    shape = element.get("shape") or ("" if middle is None else middle.get("shape", ""))
    return _Edge(
        id=key,
        start=element.get("from", ""),
        end=element.get("to", ""),
        name=element.get("name", ""),
        kind=element.get("type", ""),
        shape=shape,
        speed_m_s=max((_number(lane.get("speed")) for lane in driven), default=0.0),
        lanes=len(driven),
        width_m=sum(_number(lane.get("width")) or LANE_WIDTH_M for lane in lanes),
    )


def _number(text: str | None) -> float:
    try:
        value = float(text or 0.0)
    except ValueError:
        return 0.0
    return value if 0.0 <= value < 1e4 else 0.0


def _reverse(key: str) -> str:
    return key[1:] if key.startswith("-") else f"-{key}"


def _is_back(one: _Edge, other: _Edge) -> bool:
    return one.start == other.end and one.end == other.start


def _way(
    place: dict[str, str], context: ReadContext, edges: dict[str, _Edge], path: Path
) -> tuple[Projection, FloatArray]:
    stated = place.get("projParameter", "!").strip()
    crs = source_crs(None, context.source_crs or (None if stated in {"!", "-", ""} else stated))
    try:
        offset = np.array([float(one) for one in place.get("netOffset", "0,0").split(",")][:2])
    except ValueError:
        offset = np.empty(0)
    if len(offset) != 2 or not np.isfinite(offset).all():
        raise InvalidInput(
            f"{path.name} has a netOffset that is no two numbers.",
            hint="Write the network anew with netconvert.",
            code="sumo-offset",
        )
    first = next((line for edge in edges.values() if (line := _line(edge.shape)) is not None), None)
    if first is None:
        raise InvalidInput(
            f"{path.name} has no edge with a shape.", hint="Write the network with netconvert.", code="source-empty"
        )
    start = (float(first[0, 0] - offset[0]), float(first[0, 1] - offset[1]))
    working = context.working_crs
    if working is None and not crs.horizontal.startswith(("EPSG:", "ESRI:")):
        # A projection that has no name is no frame for a city: its UTM zone is.
        working = working_crs_for(*transformer(crs.horizontal, LONLAT).transform(*start))
    return projection(crs, working, start), offset


def _line(shape: str) -> FloatArray | None:
    """Return the points of a shape, (n, 2), ``None`` for what is no line of two points."""
    try:
        points = [[float(one) for one in point.split(",")[:2]] for point in shape.split()]
    except ValueError:
        return None
    if len(points) < 2 or any(len(point) != 2 for point in points):
        return None
    line = np.array(points)
    return line if np.isfinite(line).all() and np.ptp(line, axis=0).max() > 0.0 else None


def _street(
    edge: _Edge, back: _Edge | None, way: Projection, offset: FloatArray, context: ReadContext
) -> CityObject | Quarantined:
    line = _line(edge.shape)
    if line is None:
        return Quarantined(edge.id[:80], "edge-shape", "The edge has no line of two points.")
    if back is not None:
        other = _line(back.shape)
        if other is not None and len(other) == len(line):
            line = (line + other[::-1]) / 2.0  # between the two carriageways
    placed = way(np.column_stack((line - offset, np.zeros(len(line)))))[:, :2]
    both = (edge,) if back is None else (edge, back)
    width_m = sum(one.width_m for one in both)
    facts = {
        "lanes": Attribute(sum(one.lanes for one in both)),
        "oneway": Attribute(back is None),
        "width_m": Attribute(round(width_m, 2), "m", quality=Quality.MODELLED, method=METHOD_WIDTH),
    }
    speed = max(one.speed_m_s for one in both)
    if speed > 0.0:
        facts["speed_km_h"] = Attribute(round(speed * _KM_H, 1), "km/h")
    if edge.name:
        facts["name"] = Attribute(edge.name)
    if edge.kind:
        facts["highway"] = Attribute(edge.kind.partition("|")[0].removeprefix("highway."))
    return CityObject(f"{context.dataset}:{edge.id}", "Road", shapely.linestrings(placed), attributes=facts)
