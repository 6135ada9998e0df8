"""The network collections of a baseline as a scheme would have them (pure).

Elements that a scheme adds, sizes, closes or removes are targets of their own (:mod:`cim.schemes.elements`).  The links
of a street network follow the street that they are pieces of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import shapely

from cim.city.model import CityObject
from cim.features.members import Members
from cim.features.overlay import CHANGE, UNTOUCHED, Changes, Said, overlaid, properties_of
from cim.geometry.crs import WorkingFrame
from cim.schemes.elements import JOIN_M, LINK_TYPES, NODE_TYPES, TYPES

_KIND_OF: Final = {type_: kind for (_, kind), type_ in (*LINK_TYPES.items(), *NODE_TYPES.items())}
STREET_LINKS: Final = "street-links"
_WAY: Final = "osm_way"
"""The property of a street link that names the street that it is a piece of."""
_OF_STREET: Final = ("closed", "oneway", "lanes", "width_m", "name", CHANGE, "phase_year")
"""What a link has of its street where the scheme has changed that."""
_OPEN: Final[Mapping[str, Any]] = {**UNTOUCHED, "closed": False}


def overlaid_networks(base: Mapping[str, Members], changes: Changes, working: WorkingFrame) -> dict[str, Members]:
    """Return the network collections that a scheme touches, by their ids."""
    mine: dict[str, dict[str, Said]] = defaultdict(dict)
    for identifier, one in changes.items():
        if one is not None and one.type in TYPES and one.place is not None:
            name = _collection_of(identifier, one, base)
            mine[name][identifier] = _element(identifier, one, name, base)
    if STREET_LINKS in base:
        streets, closed_for_good = _street_links(base, changes)
        mine[STREET_LINKS].update(streets)
    else:
        closed_for_good = set()
    gone = {identifier for identifier, one in changes.items() if one is None} | closed_for_good
    touched = {*mine, *(name for name in base if _is_network(name) and not gone.isdisjoint(base[name].index))}
    found = {}
    for name in sorted(touched):
        over = overlaid(
            *(base.get(name), (name, _title(name)), mine[name], gone, working), models=False, untouched=_OPEN
        )
        if over is not None:
            found[name] = over
    return found


def _is_network(name: str) -> bool:
    return name.endswith(("-nodes", "-links"))


def _title(name: str) -> str:
    network, _, part = name.rpartition("-")
    return f"{network.capitalize()} network, {part}"


def _collection_of(identifier: str, one: CityObject, base: Mapping[str, Members]) -> str:
    """Return where an element belongs: where the baseline has it, else by its shape (a new pump is a point)."""
    for name, members in base.items():
        if _is_network(name) and identifier in members.index:
            return name
    network = one.attributes["network_id"].value
    return f"{network}-{'nodes' if one.place is not None and one.place.geom_type == 'Point' else 'links'}"


def _element(identifier: str, one: CityObject, name: str, base: Mapping[str, Members]) -> Said:
    said = {key: value for key, value in properties_of(one).items() if key != "type"}
    members = base.get(name)
    if members is not None and identifier in members.index:
        row = members.index[identifier]
        return Said(members.places[row], {**members.properties(row), **said})
    kind = {"element_id": identifier, "kind": _KIND_OF[one.type], "generated": False, "datastream_id": None}
    return Said(one.place, {**kind, **_ends(one.place, name, base), **said})


def _ends(place: shapely.Geometry, name: str, base: Mapping[str, Members]) -> dict[str, str | None]:
    """Return the nodes that a new link joins: the nearest within reach of each end, as findings have it."""
    if place.geom_type != "LineString":
        return {}
    nodes = base.get(f"{name.rpartition('-')[0]}-nodes")
    ends: dict[str, str | None] = {"from_node": None, "to_node": None}
    if nodes is None:
        return ends
    for key, at in zip(ends, (0, -1), strict=True):
        near = nodes.tree.query_nearest(shapely.get_point(place, at), max_distance=JOIN_M, all_matches=False)
        ends[key] = nodes.properties(int(near[0]))["element_id"] if len(near) else None
    return ends


def _street_links(base: Mapping[str, Members], changes: Changes) -> tuple[dict[str, Said], set[str]]:
    """Return the links of changed and of new streets, and the ids of those whose street is gone."""
    links, streets = base[STREET_LINKS], base.get("streets")
    known = {} if streets is None else streets.index
    touched = {i: one for i, one in changes.items() if i in known or (one is not None and one.type == "Road")}
    mine: dict[str, Said] = {}
    gone: set[str] = set()
    if not touched:
        return mine, gone
    for row, identifier in enumerate(links.ids):
        properties = links.properties(row)
        way = properties.get(_WAY)
        if way not in touched or streets is None:
            continue
        street = touched[way]
        if street is None:
            gone.add(identifier)
        else:
            before = streets.properties(streets.index[way])
            mine[identifier] = _piece(links.places[row], properties, street, before)
    for identifier, street in touched.items():
        if street is not None and street.place is not None and identifier not in known:
            mine[identifier] = _new_street(identifier, street, base)
    return mine, gone


def _piece(
    place: shapely.Geometry, properties: Mapping[str, Any], street: CityObject, before: Mapping[str, Any]
) -> Said:
    """Return a link as its changed street would have it; one that is one-way points where the traffic goes."""
    now = properties_of(street)
    changed: dict[str, Any] = {name: now[name] for name in _OF_STREET if name in now and now[name] != before.get(name)}
    said: dict[str, Any] = {**properties, **_OPEN, **changed}
    if "oneway" not in changed:
        return Said(place, said)
    said["oneway"] = changed["oneway"] != "no"
    if said["oneway"] and _is_along(place, street.place) != (changed["oneway"] == "forward"):
        said["from_node"], said["to_node"] = said["to_node"], said["from_node"]
        place = shapely.reverse(place)
    return Said(place, said)


def _is_along(piece: shapely.Geometry, axis: shapely.Geometry | None) -> bool:
    if axis is None or axis.geom_type != "LineString":
        return True
    first, last = (shapely.line_locate_point(axis, shapely.get_point(piece, at)) for at in (0, -1))
    return bool(first <= last)


def _new_street(identifier: str, street: CityObject, base: Mapping[str, Members]) -> Said:
    said = {key: value for key, value in properties_of(street).items() if key != "type"}
    oneway, place = said.get("oneway", "no"), street.place
    if oneway == "backward":
        place = shapely.reverse(place)
    element = {"network_id": "street", "element_id": identifier, "kind": "street", "generated": False}
    facts = {"datastream_id": None, "length_m": round(float(shapely.length(place)), 3), **said}
    return Said(place, {**element, **_ends(place, STREET_LINKS, base), **facts, "oneway": oneway != "no"})
