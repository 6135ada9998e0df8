"""Elements of the baseline's networks as things that a scheme can change, and who is cut off when it does (pure).

An element's id is that of its feature: ``{dataset}:{network}/{element}``.  Pipes are mains, lines are feeders,
transformers are substations; junctions and valves belong to what joins at them and are no targets of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.findings import Finding, Severity, Verdict
from cim.networks.model import Network, NetworkLink, NetworkNode
from cim.schemes.faults import EditRefused
from cim.schemes.fields import canonical
from cim.schemes.model import EXISTS, TYPE, Value
from cim.schemes.state import State

LINK_TYPES: Final[Mapping[tuple[str, str], str]] = {
    ("water", "pipe"): "+Main",
    ("gas", "pipe"): "+Main",
    ("water", "pump"): "+Pump",
    ("power", "line"): "+Feeder",
}
NODE_TYPES: Final[Mapping[tuple[str, str], str]] = {("water", "tank"): "+Tank", ("power", "transformer"): "+Substation"}
TYPES: Final = ("+Main", "+Pump", "+Tank", "+Feeder", "+Substation")
_ALONG: Final = ("+Main", "+Feeder")
_SOURCES: Final = frozenset({"reservoir", "tank", "source"})

CUTS_OFF: Final = "network-cuts-off"
JOIN_M: Final = 15.0
"""An end of a new main or feeder joins the nearest node within this, metres: half the width of a street."""
WITNESSES_MAX: Final = 500

Fields: TypeAlias = dict[str, Value]
Flags: TypeAlias = NDArray[np.bool_]


def element_target(network: Network, element_id: str) -> str:
    """Return the id that an element has as a target of edits."""
    return f"{network.dataset}:{network.id}/{element_id}"


def read_elements(networks: Iterable[Network]) -> dict[str, Fields]:
    """Return the fields of every element that a scheme may change, each in its canonical form."""
    found: dict[str, Fields] = {}
    for network in networks:
        for link in network.links:
            type_ = LINK_TYPES.get((network.kind, link.kind))
            if type_ is not None:
                found[element_target(network, link.element_id)] = _read(network, type_, _of_link(type_, link))
        ratings = {link.to_node: link.attributes.get("rating_va") for link in network.links}
        for node in network.nodes:
            type_ = NODE_TYPES.get((network.kind, node.kind))
            if type_ is not None:
                said = {"place": [node.x, node.y], "name": node.attributes.get("name"), **_capacity(node, ratings)}
                found[element_target(network, node.element_id)] = _read(network, type_, said)
    return found


def _of_link(type_: str, link: NetworkLink) -> Fields:
    line = link.line[:, :2]
    if type_ not in _ALONG:
        middle = shapely.line_interpolate_point(shapely.linestrings(line), 0.5, normalized=True)
        return {"place": [middle.x, middle.y], "name": link.attributes.get("name")}
    return {
        "axis": line.tolist(),
        "name": link.attributes.get("name"),
        "diameter_m": link.attributes.get("diameter_m"),
        "capacity": link.attributes.get("capacity"),
    }


def _capacity(node: NetworkNode, ratings: Mapping[str, Any]) -> Fields:
    rating_va = ratings.get(node.element_id)
    stated = node.attributes.get("capacity", node.attributes.get("capacity_m3"))
    # Apparent power of a transformer in kVA stands for the kW that it can carry.
    return {"capacity": rating_va / 1000.0 if isinstance(rating_va, int | float) else stated}


def _read(network: Network, type_: str, said: Fields) -> Fields:
    fields: Fields = {EXISTS: True, TYPE: type_}
    for name, value in {"network_id": network.id, "closed": False, **said}.items():
        try:
            fields[name] = canonical(type_, name, value)
        except EditRefused:
            continue
    return fields


def check_supply(networks: Iterable[Network], state: State, targets: Iterable[str]) -> list[Finding]:
    """Return whom a state cuts off, a finding for each network that ``targets`` touch.

    A node is cut off where it reached a source of its network (reservoir, tank, feed) in the baseline and
    reaches none now.  What is demolished or closed carries nothing.
    """
    touched = {state.value(target, "network_id") for target in targets if state.value(target, TYPE) in TYPES}
    if not touched:
        return []
    out = sorted(target for target in state.targets if _is_out(state, target))
    found = []
    for network in networks:
        own = {target for target in out if state.value(target, "network_id") == network.id}
        if network.id in touched and own:
            cut = _cut_off(network, own, _new_lines(state, network))
            if cut:
                found.append(_finding(network, cut, min(own)))
    return found


def _is_out(state: State, target: str) -> bool:
    if state.base.fields(target) is None or state.value(target, TYPE) not in TYPES:
        return False
    return not state.exists(target) or state.value(target, "closed") is True


def _new_lines(state: State, network: Network) -> list[Sequence[Sequence[float]]]:
    return [
        state.value(target, "axis")
        for target in state.targets
        if state.base.fields(target) is None
        and state.exists(target)
        and state.type_of(target) in _ALONG
        and state.value(target, "network_id") == network.id
        and state.value(target, "closed") is not True
    ]


def _cut_off(network: Network, out: set[str], lines: Sequence[Sequence[Sequence[float]]]) -> list[NetworkNode]:
    rows = {node.element_id: row for row, node in enumerate(network.nodes)}
    feeds = np.array([node.kind in _SOURCES for node in network.nodes], dtype=bool)
    ends = [(rows[link.from_node], rows[link.to_node]) for link in network.links]
    before = _served(len(rows), ends, feeds)
    gone = np.array([element_target(network, node.element_id) in out for node in network.nodes], dtype=bool)
    stays = [
        pair
        for link, pair in zip(network.links, ends, strict=True)
        if element_target(network, link.element_id) not in out and not gone[list(pair)].any()
    ]
    after = _served(len(rows), [*stays, *_joins(network, lines, gone)], feeds & ~gone)
    return [network.nodes[row] for row in np.flatnonzero(before & ~after & ~gone).tolist()]


def _joins(network: Network, lines: Sequence[Sequence[Sequence[float]]], gone: Flags) -> list[tuple[int, int]]:
    if not lines or not network.nodes:
        return []
    places = np.array([[node.x, node.y] for node in network.nodes])
    places[gone] = np.inf
    found = []
    for line in lines:
        away = [np.hypot(*(places - np.array(end)).T) for end in (line[0], line[-1])]
        first, last = (int(one.argmin()) for one in away)
        if away[0][first] <= JOIN_M and away[1][last] <= JOIN_M:
            found.append((first, last))
    return found


def _served(count: int, ends: Sequence[tuple[int, int]], feeds: Flags) -> Flags:
    """Return which of ``count`` nodes are joined to a feed."""
    beside: list[list[int]] = [[] for _ in range(count)]
    for first, last in ends:
        beside[first].append(last)
        beside[last].append(first)
    served = feeds.copy()
    waiting = np.flatnonzero(feeds).tolist()
    while waiting:
        for row in beside[waiting.pop()]:
            if not served[row]:
                served[row] = True
                waiting.append(row)
    return served


def _finding(network: Network, cut: Sequence[NetworkNode], target: str) -> Finding:
    witness = shapely.MultiPoint([(node.x, node.y) for node in cut[:WITNESSES_MAX]])
    return Finding(
        rule=CUTS_OFF,
        clause="product rule: every node of a network is joined to a source",
        verdict=Verdict.FAIL,
        severity=Severity.FAIL,
        measured=float(len(cut)),
        limit=0.0,
        margin=-float(len(cut)),
        object_id=target,
        witness_wkb=shapely.to_wkb(witness),
        params={"network": network.id, "nodes": len(cut)},
    )
