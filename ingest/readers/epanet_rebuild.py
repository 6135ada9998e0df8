"""From a water network as the city keeps it back to an EPANET input file, for a solver; pure.

Elements are in SI in the city and go back into the units of their file, because patterns, curves, controls
and options were kept in the file's own words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cim.errors import InvalidInput
from cim.networks.model import Network, NetworkLink, NetworkNode
from ingest.readers.epanet_units import UnitSystem, unit_system

KEPT_SECTIONS: Final = (
    "DEMANDS", "STATUS", "PATTERNS", "CURVES", "CONTROLS", "RULES", "ENERGY", "EMITTERS", "QUALITY", "SOURCES",
    "REACTIONS", "MIXING", "TIMES", "OPTIONS",
)  # fmt: skip
"""Sections that say how a network is run; kept word by word."""

_FILES: Final = frozenset({"HYDRAULICS", "MAP"})
"""Options that name files: a solver must not open what a source names."""

_PRESSURE_VALVES: Final = frozenset({"PRV", "PSV", "PBV"})

Facts = Mapping[str, Any]


def network_to_inp(network: Network) -> str:
    """Return the text of an input file; raises :class:`InvalidInput` for a network that came from elsewhere."""
    kept: Any = network.attributes.get("epanet")
    if not isinstance(kept, dict):
        raise InvalidInput("The network was not read from an EPANET file.", code="network-not-epanet", id=network.id)
    units = unit_system(kept["flow_unit"])
    sections: dict[str, list[list[str]]] = {
        name: [row for row in kept["sections"].get(name, ()) if name != "OPTIONS" or row[0].upper() not in _FILES]
        for name in KEPT_SECTIONS
    }
    for node in network.nodes:
        name, row = _node_row(node, units)
        sections.setdefault(name, []).append(row)
    ids = {node.element_id: str(node.attributes["epanet_id"]) for node in network.nodes}
    for link in network.links:
        name, row = _link_row(link, ids, units)
        sections.setdefault(name, []).append(row)
    sections["COORDINATES"] = [[ids[node.element_id], repr(node.x), repr(node.y)] for node in network.nodes]
    return "\n".join([*_lines(sections), "[END]", ""])


def _lines(sections: Mapping[str, list[list[str]]]) -> Iterator[str]:
    for name, rows in sections.items():
        yield f"[{name}]"
        yield from (" ".join(row) for row in rows)


def _node_row(node: NetworkNode, units: UnitSystem) -> tuple[str, list[str]]:
    facts: Facts = node.attributes
    name, length = str(facts["epanet_id"]), units.length_m
    if node.kind == "junction":
        row = [name, repr(facts["elevation_m"] / length), repr(facts["demand_m3_s"] / units.flow_m3_s)]
        return "JUNCTIONS", [*row, *_stated(facts, "demand_pattern")]
    if node.kind == "reservoir":
        return "RESERVOIRS", [name, repr(facts["head_m"] / length), *_stated(facts, "head_pattern")]
    lengths = ("elevation_m", "initial_level_m", "minimum_level_m", "maximum_level_m", "diameter_m")
    row = [name, *(repr(facts[fact] / length) for fact in lengths)]
    return "TANKS", [*row, repr(facts["minimum_volume_m3"] / units.volume_m3), *_stated(facts, "volume_curve")]


def _link_row(link: NetworkLink, ids: Mapping[str, str], units: UnitSystem) -> tuple[str, list[str]]:
    facts: Facts = link.attributes
    row = [str(facts["epanet_id"]), ids[link.from_node], ids[link.to_node]]
    if link.kind == "pipe":
        row += [repr(facts["length_m"] / units.length_m), repr(facts["diameter_m"] / units.diameter_m)]
        status = "CV" if facts["status"] == "check_valve" else str(facts["status"])
        return "PIPES", [*row, repr(facts["roughness"]), repr(facts.get("minor_loss", 0.0)), status]
    if link.kind == "pump":
        if "power_kw" in facts:
            row += ["POWER", repr(facts["power_kw"] / units.power_kw)]
        for keyword, fact in (("HEAD", "head_curve"), ("SPEED", "speed_setting"), ("PATTERN", "pattern_setting")):
            row += [keyword, str(facts[fact])] if fact in facts else []
        return "PUMPS", row
    row += [repr(facts["diameter_m"] / units.diameter_m), str(facts["valve_type"])]
    if facts["valve_type"] in _PRESSURE_VALVES:
        setting = repr(facts["setting_m"] / units.pressure_m)
    elif facts["valve_type"] == "FCV":
        setting = repr(facts["setting_m3_s"] / units.flow_m3_s)
    else:
        setting = str(facts.get("setting", "0"))
    return "VALVES", [*row, setting, repr(facts.get("minor_loss", 0.0))]


def _stated(facts: Facts, name: str) -> list[str]:
    return [str(facts[name])] if name in facts else []
