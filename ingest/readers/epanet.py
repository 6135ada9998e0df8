"""EPANET input files (.inp) as water networks (EPANET 2.2 user manual, appendix C).

Nodes and links have ids of their own kinds in EPANET (junction 10 and pump 10 may both exist), so
that an element's id carries its kind: ``junction/10``, ``pump/10``.  Memory: the network, which is one
record.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from cim.city.model import COORDINATE_M_MAX, Quarantined
from cim.errors import InvalidInput
from cim.findings import to_discuss
from cim.geometry.crs import LONLAT, in_area, transformer
from cim.networks.model import Network, NetworkLink, NetworkNode
from ingest.readers.epanet_rebuild import KEPT_SECTIONS
from ingest.readers.epanet_sections import Row, read_sections
from ingest.readers.epanet_units import FLOW_DEFAULT, UnitSystem, unit_system
from ingest.readers.limits import check_file_size
from ingest.readers.source_crs import Projection, projection, source_crs
from ingest.records import Progress, ReadContext, Record, SourceHeader

_SECTION: Final = re.compile(rb"(?im)^[ \t]*\[(?:JUNC|RESE|PIPE|TANK)[A-Z]*\]")
_SWMM: Final = re.compile(rb"(?im)^[ \t]*\[(?:RAINGAGES|SUBCATCHMENTS|CONDUITS|EVAPORATION)\]|^[ \t]*FLOW_UNITS")
_ID_LENGTH_MAX: Final = 64

Facts = dict[str, str | int | float | bool | None]


class RowFault(ValueError):
    """One row cannot be used; the message is what quarantine says."""


AREA_MARGIN_DEG: Final = 1.0
"""How far beyond the area that its coordinate system is made for a network may lie, degrees."""


class EpanetReader:
    """Reads .inp.  Option ``network_id``: the id of the network, ``water`` without it."""

    name = "epanet"
    version = "1"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002 -- the bytes say enough
        """Tell by section names that EPANET has and its sister SWMM has not."""
        return b"\x00" not in head and bool(_SECTION.search(head)) and not _SWMM.search(head)

    def read(self, path: Path, context: ReadContext) -> Iterator[Record]:
        """Yield the header, faults, and one network."""
        size = check_file_size(path)
        sections = read_sections(path)
        if not sections["COORDINATES"] or not (sections["PIPES"] or sections["PUMPS"] or sections["VALVES"]):
            raise InvalidInput(
                f"{path.name} has no coordinates or no pipes; nothing of it was taken in.",
                hint="Export the network from EPANET again, with its map.",
                code="network-empty",
                file=path.name,
            )
        if context.source_crs is None:
            raise InvalidInput(
                f"{path.name} does not say which coordinate system its map is in.",
                hint="Name it with --crs, for example --crs EPSG:3547. A schematic map without one cannot be placed.",
                code="crs-missing",
                file=path.name,
            )
        flow_unit = _option(sections["OPTIONS"], "UNITS", FLOW_DEFAULT)
        build = _Builder(sections, unit_system(flow_unit))
        build.read_points()
        middle = build.middle()
        way = projection(source_crs(None, context.source_crs), context.working_crs, middle)
        build.project(way)
        yield SourceHeader(
            title=" ".join(sections["TITLE"][0][1])[:200] if sections["TITLE"] else path.name,
            working_crs=way.working_crs,
            vertical_datum=way.source.vertical_datum,
            ground="interpolated",
            licence="unstated",
            attribution="",
            reader=self.name,
            reader_version=self.version,
        )
        nodes = tuple(build.nodes())
        links = tuple(build.links({node.element_id for node in nodes}))
        yield from build.faults
        lonlat = np.array([transformer(way.source.horizontal, LONLAT).transform(*middle)])
        if not in_area(way.source.horizontal, lonlat, AREA_MARGIN_DEG)[0]:
            yield to_discuss("network-outside-crs-area", "a map where its coordinate system is not made for", 1)
        network_id = str(context.options.get("network_id", "water"))
        kept: dict[str, object] = {
            name: [words for _, words in sections[name]] for name in KEPT_SECTIONS if sections[name]
        }
        epanet: dict[str, object] = {"flow_unit": flow_unit, "sections": kept}
        yield Network(network_id, "water", context.dataset, nodes, links, attributes={"epanet": epanet})
        yield Progress(size, size, "bytes")


def _option(rows: list[Row], name: str, default: str) -> str:
    return next((words[1] for _, words in rows if len(words) > 1 and words[0].upper() == name), default)


def number(words: list[str], place: int, what: str, default: float | None = None) -> float:
    """Return a finite number of a row; raises :class:`RowFault` where it is none and has no default."""
    if place >= len(words) or words[place] == "*":
        if default is None:
            raise RowFault(f"The {what} is missing.")
        return default
    try:
        value = float(words[place])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise RowFault(f"The {what} is not a number.")
    return value


def positive(words: list[str], place: int, what: str) -> float:
    """Return a number above zero of a row."""
    value = number(words, place, what)
    if value <= 0:
        raise RowFault(f"The {what} is not above zero.")
    return value


@dataclass(slots=True)
class _Builder:
    sections: dict[str, list[Row]]
    units: UnitSystem
    faults: list[Quarantined] = field(default_factory=list)
    _points: dict[str, tuple[float, float]] = field(default_factory=dict)
    _bends: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    _kinds: dict[str, str] = field(default_factory=dict)

    def _fault(self, line: int, words: list[str], code: str, reason: str) -> None:
        self.faults.append(Quarantined(f"line {line}: {words[0][:40] if words else ''}", code, reason))

    def read_points(self) -> None:
        """Read the map: a position per node, bends per link."""
        for line, words in self.sections["COORDINATES"]:
            try:
                self._points[words[0]] = (number(words, 1, "x"), number(words, 2, "y"))
            except RowFault as fault:
                self._fault(line, words, "coordinate-absurd", str(fault))
        for line, words in self.sections["VERTICES"]:
            try:
                self._bends.setdefault(words[0], []).append((number(words, 1, "x"), number(words, 2, "y")))
            except RowFault as fault:
                self._fault(line, words, "coordinate-absurd", str(fault))

    def middle(self) -> tuple[float, float]:
        """Return the median position, which one odd node does not move."""
        if not self._points:
            raise InvalidInput(
                "No node has a usable position.",
                hint="Export the network from EPANET again, with its map.",
                code="network-empty",
            )
        x, y = np.median(np.array(list(self._points.values())), axis=0)
        return float(x), float(y)

    def project(self, way: Projection) -> None:
        """Bring the map into the working CRS; what cannot be is forgotten and so quarantines its element."""
        bends = [(name, bend) for name, own in self._bends.items() for bend in own]
        flat = np.array([*self._points.values(), *(bend for _, bend in bends)])
        xy = way(np.column_stack((flat, np.zeros(len(flat)))))[:, :2]
        near = np.abs(xy) < COORDINATE_M_MAX
        good = near[:, 0] & near[:, 1]
        count = len(self._points)
        named = zip([*self._points, *(name for name, _ in bends)], xy.tolist(), good.tolist(), strict=True)
        self._points, self._bends = {}, {}
        for row, (name, (x, y), is_good) in enumerate(named):
            if is_good and row < count:
                self._points[name] = (x, y)
            elif is_good:
                self._bends.setdefault(name, []).append((x, y))

    def nodes(self) -> Iterator[NetworkNode]:
        """Yield junctions, reservoirs and tanks."""
        demands = self._demands()
        for section, kind in (("JUNCTIONS", "junction"), ("RESERVOIRS", "reservoir"), ("TANKS", "tank")):
            for line, words in self.sections[section]:
                try:
                    yield self._node(words, kind, demands)
                except RowFault as fault:
                    self._fault(line, words, "network-node", str(fault))

    def _demands(self) -> dict[str, float]:
        """Sum the demands that are listed apart; they replace those of the junction's own row."""
        sums: dict[str, float] = {}
        for line, words in self.sections["DEMANDS"]:
            try:
                sums[words[0]] = sums.get(words[0], 0.0) + number(words, 1, "demand")
            except RowFault as fault:
                self._fault(line, words, "network-demand", str(fault))
        return sums

    def _node(self, words: list[str], kind: str, demands: dict[str, float]) -> NetworkNode:
        name = _checked_id(words)
        if name in self._kinds:
            raise RowFault("The file has this node twice; the first one was taken.")
        if name not in self._points:
            raise RowFault("The node has no usable position on the map.")
        length = self.units.length_m
        height = number(words, 1, "elevation") * length
        facts: Facts = {"epanet_id": name}
        if kind == "junction":
            demand = demands.get(name, number(words, 2, "demand", 0.0))
            facts |= {"elevation_m": height, "demand_m3_s": demand * self.units.flow_m3_s}
            _name_of(facts, "demand_pattern", words, 3)
        elif kind == "reservoir":
            facts["head_m"] = height
            _name_of(facts, "head_pattern", words, 2)
        else:
            facts["elevation_m"] = height
            for place, what in enumerate(("initial_level_m", "minimum_level_m", "maximum_level_m"), start=2):
                facts[what] = number(words, place, what) * length
            facts["diameter_m"] = positive(words, 5, "diameter") * length
            facts["minimum_volume_m3"] = number(words, 6, "volume", 0.0) * self.units.volume_m3
            _name_of(facts, "volume_curve", words, 7)
        self._kinds[name] = kind
        x, y = self._points[name]
        return NetworkNode(f"{kind}/{name}", kind, x, y, height, facts)

    def links(self, known: set[str]) -> Iterator[NetworkLink]:
        """Yield pipes, pumps and valves between nodes that are ``known``."""
        states = {words[0]: words[1].lower() for _, words in self.sections["STATUS"] if len(words) > 1}
        seen: set[str] = set()
        for section, kind in (("PIPES", "pipe"), ("PUMPS", "pump"), ("VALVES", "valve")):
            for line, words in self.sections[section]:
                try:
                    link = self._link(words, kind, known, states)
                    if link.attributes["epanet_id"] in seen:
                        raise RowFault("The file has this link twice; the first one was taken.")  # noqa: TRY301 -- one way out
                except RowFault as fault:
                    self._fault(line, words, "network-link", str(fault))
                    continue
                seen.add(words[0])
                yield link

    def _link(self, words: list[str], kind: str, known: set[str], states: dict[str, str]) -> NetworkLink:
        name = _checked_id(words)
        if len(words) < 4:
            raise RowFault("The row ends early.")
        ends = [f"{self._kinds.get(word, '')}/{word}" for word in words[1:3]]
        if ends[0] not in known or ends[1] not in known:
            raise RowFault("One of its nodes is missing or was kept out.")
        if ends[0] == ends[1]:
            raise RowFault("It joins a node to itself.")
        facts: Facts = {"epanet_id": name, "status": states.get(name, "open")}
        if kind == "pipe":
            self._pipe(words, facts, stated=name in states)
        elif kind == "pump":
            self._pump(words, facts)
        else:
            facts["diameter_m"] = positive(words, 3, "diameter") * self.units.diameter_m
            facts["valve_type"] = words[4].upper() if len(words) > 4 else None
            self._setting(words, facts)
            if len(words) > 6:
                facts["minor_loss"] = number(words, 6, "minor loss")
        line = np.array([self._points[words[1]], *self._bends.get(name, []), self._points[words[2]]])
        return NetworkLink(f"{kind}/{name}", kind, ends[0], ends[1], line, facts)

    def _pipe(self, words: list[str], facts: Facts, *, stated: bool) -> None:
        facts["length_m"] = positive(words, 3, "length") * self.units.length_m
        facts["diameter_m"] = positive(words, 4, "diameter") * self.units.diameter_m
        facts["roughness"] = positive(words, 5, "roughness")
        rest = words[6:]
        if rest and not rest[0][0].isalpha():
            facts["minor_loss"] = number(rest, 0, "minor loss")
            rest = rest[1:]
        if rest and not stated:
            facts["status"] = "check_valve" if rest[0].upper() == "CV" else rest[0].lower()

    def _pump(self, words: list[str], facts: Facts) -> None:
        for keyword, value in zip(words[3::2], words[4::2], strict=False):
            if keyword.upper() == "POWER":
                facts["power_kw"] = positive([value], 0, "power") * self.units.power_kw
            elif keyword.upper() in {"HEAD", "SPEED", "PATTERN"}:
                facts[f"{keyword.lower()}_{'curve' if keyword.upper() == 'HEAD' else 'setting'}"] = value[:40]

    def _setting(self, words: list[str], facts: Facts) -> None:
        if facts["valve_type"] in {"PRV", "PSV", "PBV"}:
            facts["setting_m"] = number(words, 5, "setting") * self.units.pressure_m
        elif facts["valve_type"] == "FCV":
            facts["setting_m3_s"] = number(words, 5, "setting") * self.units.flow_m3_s
        elif len(words) > 5:
            facts["setting"] = words[5][:40]


def _name_of(facts: Facts, fact: str, words: list[str], place: int) -> None:
    """Note the name of a pattern or a curve where a row has one."""
    if place < len(words) and words[place] != "*":
        facts[fact] = words[place][:_ID_LENGTH_MAX]


def _checked_id(words: list[str]) -> str:
    if len(words[0]) > _ID_LENGTH_MAX or not words[0].isprintable():
        raise RowFault("The id is too long or not printable.")
    return words[0]
