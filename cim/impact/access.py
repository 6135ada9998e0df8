"""Access on foot: which share of the residents has a park, a school, a stop within a walk; pure.

Method: docs/methods/access.md.  Walks follow the streets (:mod:`cim.impact.walking`); a closed street
is no way.  Residents are where the floor area of homes is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.findings import Finding, Quality, Severity, Verdict
from cim.impact.graph import Case, Node
from cim.impact.layers import NOWHERE, Flags, Ints
from cim.impact.model import Outcome, Range, Scope, Share, Title
from cim.impact.people import residents_of
from cim.impact.rows import COLUMN
from cim.impact.stock import Stock
from cim.impact.walking import MM_PER_M, UNREACHED, Distances, WalkGraph, walk_graph

WALKS_M: Final = (300, 500, 800, 1_000)
"""Walks that a breakdown tells of: 5, 10 and 15 minutes and the quarter hour's outer edge (GB 50180-2018, 2.0.2)."""
WALK_M: Final = {"park": 500, "school": 500, "transit": 500}
"""The walk that a reading's value speaks of."""
LAYERS_OF: Final = {"park": ("green",), "school": ("schools", "buildings"), "transit": ("stops",)}
STATES_KEPT_MAX: Final = 4
"""States of places whose walks are kept beside the streets."""
HUNDREDTHS: Final = 100
DISTRICTS_LISTED_MAX: Final = 40
"""Districts that a breakdown names."""
HULL_POINTS_MIN: Final = 3
DISTRICT_SHARE: Final = 0.9
"""A district is cut off when this share of its buildings is."""


def graph_of(stock: Stock) -> WalkGraph:
    """Return the graph of a stock's streets; worked out once for each state of them."""
    memo = stock.streets.memo
    if "walk_graph" not in memo:
        memo["walk_graph"] = walk_graph(stock.streets)
    found: WalkGraph = memo["walk_graph"]
    return found


def doors_of(stock: Stock) -> tuple[Ints, Distances]:
    """Return the street node of every building, by row, and the way to it in mm."""
    found: tuple[Ints, Distances] | None = stock.memo.get("doors")
    if found is None:
        graph, memo = graph_of(stock), stock.streets.memo
        if "doors" not in memo:
            memo["doors"] = graph.doors(stock.base.own_rows.points)
        found = memo["doors"]
        if not stock.is_base:
            more = graph.doors(stock.own_rows.points)
            found = (np.concatenate((found[0], more[0])), np.concatenate((found[1], more[1])))
        stock.memo["doors"] = found
    return found


def _parks(stock: Stock) -> list[shapely.Geometry]:
    return [stock.green.places[row] for row in stock.green.rows().tolist() if stock.green.facts[row]]


def _stops(stock: Stock) -> list[shapely.Geometry]:
    return list(stock.stops.places[stock.stops.rows()])


def school_rows(stock: Stock) -> list[int]:
    """Return the buildings that are schools."""
    column = COLUMN["pupil_floor"]
    base = np.flatnonzero(stock.base.own_rows.tallies[:, column] > 0)
    rows: list[int] = base[stock.buildings.alive[base]].tolist()
    if not stock.is_base:
        rows += (np.flatnonzero(stock.own_rows.tallies[:, column] > 0) + stock.buildings.base_count).tolist()
    return rows


def _schools(stock: Stock) -> list[shapely.Geometry]:
    places = list(stock.schools.places[stock.schools.rows()])
    return [*places, *(stock.buildings.places[row] for row in school_rows(stock))]


PLACES: Final[dict[str, Callable[[Stock], list[shapely.Geometry]]]] = {
    "park": _parks,
    "school": _schools,
    "transit": _stops,
}


def _state_of(stock: Stock, kind: str) -> tuple[object, ...]:
    """Return what tells one state of the places of a kind from another; layers are told apart by being others."""
    layers: tuple[object, ...] = tuple(stock.layer(name) for name in LAYERS_OF[kind] if name != "buildings")
    if kind != "school":
        return layers
    rows, count = school_rows(stock), stock.buildings.base_count
    return *layers, tuple(row if row < count else stock.buildings.places[row].wkb for row in rows)


def distances(stock: Stock, kind: str) -> Distances:
    """Return the way from every street node to the nearest place of a kind, mm."""
    state = _state_of(stock, kind)
    known: dict[tuple[object, ...], Distances] = stock.streets.memo.setdefault(f"distances/{kind}", {})
    found = known.get(state)
    if found is None:
        found = graph_of(stock).distance_to(PLACES[kind](stock))
        if len(known) >= STATES_KEPT_MAX:
            known.clear()
        known[state] = found
    return found


def home_weights(stock: Stock, homes_of_mixed: float) -> NDArray[np.int64]:
    """Return the floor area of homes of every building by row, hundredths of cm²; dead rows count nothing."""
    share = round(homes_of_mixed * HUNDREDTHS)

    def weigh(tallies: NDArray[np.int64]) -> NDArray[np.int64]:
        known, mixed = tallies[:, COLUMN["floor_residential"]], tallies[:, COLUMN["upper_unknown"]]
        return np.asarray(known * HUNDREDTHS + mixed * share)

    weights = weigh(stock.base.own_rows.tallies)
    if not stock.is_base:
        weights = np.concatenate((weights, weigh(stock.own_rows.tallies)))
    return np.asarray(np.where(stock.buildings.alive, weights, 0))


def _walks(stock: Stock, kind: str) -> Distances:
    """Return the walk from every building to the nearest place of a kind, mm; :data:`UNREACHED` for none."""
    node, door = doors_of(stock)
    way = distances(stock, kind)
    if not len(way):
        return np.full(len(node), UNREACHED, dtype=np.int64)
    found = way[node]
    none = (node == NOWHERE) | (found == UNREACHED)
    return np.asarray(np.where(none, UNREACHED, found + door))


def _share(weights: NDArray[np.int64], inside: Flags) -> float | None:
    whole = int(weights.sum())
    return int(weights[inside].sum()) / whole if whole else None


def _ranged(case: Case, inside: Flags) -> Range | None:
    """Return the share of residents that is inside, whatever the share of homes in buildings of unknown use is."""
    mixed = case.factors.range("mixed_homes")
    found = [_share(home_weights(case.stock, homes), inside) for homes in (mixed.value, mixed.low, mixed.high)]
    value = found[0]
    if value is None:
        return None
    known = [share for share in found if share is not None]
    return Range(value, min(known), max(known))


def access(case: Case, kind: str) -> Outcome:
    """Return the share of residents within a walk of a kind of place."""
    stock = case.stock
    walks = _walks(stock, kind)
    weights = home_weights(stock, case.factors.range("mixed_homes").value)
    reached = walks != UNREACHED
    shares = [
        Share(f"within_{metres}_m", _share(weights, reached & (walks <= metres * MM_PER_M))) for metres in WALKS_M
    ]
    inside = reached & (walks <= WALK_M[kind] * MM_PER_M)
    shares += worst_districts(stock, weights, inside)
    return Outcome(_ranged(case, inside), tuple(shares), case.factors.used(("mixed_homes",)))


def district_rows(stock: Stock) -> Ints:
    """Return the district of every building by row, :data:`NOWHERE` for none."""
    found: Ints | None = stock.memo.get("district_rows")
    if found is None:
        found = stock.districts.holders(stock.own_rows.points)
        if not stock.is_base:
            base = stock.base
            same = stock.districts is base.districts
            before = district_rows(base) if same else stock.districts.holders(base.own_rows.points)
            found = np.concatenate((before, found))
        stock.memo["district_rows"] = found
    return found


def worst_districts(stock: Stock, weights: NDArray[np.int64], inside: Flags) -> list[Share]:
    """Return the share of each district, in the order of their ids; of very many, those with the least."""
    held = district_rows(stock)
    homes, reached = (np.zeros(len(stock.districts.ids), dtype=np.int64) for _ in range(2))
    placed = held != NOWHERE
    # Whole numbers are added as such: a sum of floats would depend on the order of the buildings.
    np.add.at(homes, held[placed], weights[placed])
    np.add.at(reached, held[placed & inside], weights[placed & inside])
    found = [
        (int(reached[row]) / int(homes[row]) if homes[row] else None, stock.districts.ids[row])
        for row in stock.districts.rows().tolist()
    ]
    if len(found) > DISTRICTS_LISTED_MAX:
        found = sorted(((share, key) for share, key in found if share is not None), key=lambda one: one)
        found = found[:DISTRICTS_LISTED_MAX]
    return [Share(key, share) for share, key in sorted(found, key=lambda one: one[1])]


# -- streets that hold together ---------------------------------------------------------------------------


def main_part(stock: Stock) -> Flags:
    """Return which buildings stand on the part of the streets that most buildings stand on, by row."""
    graph = graph_of(stock)
    node, _ = doors_of(stock)
    placed = (node != NOWHERE) & stock.buildings.alive
    if not placed.any():
        return np.asarray(placed)
    part = graph.part_of[node]
    counts = np.bincount(part[placed])
    # Parts are numbered in the order of their first node, which is that of places: a draw goes to the first.
    return np.asarray(placed & (part == int(counts.argmax())))


def connected(case: Case) -> Outcome:
    """Return the share of residents whose street leads to the rest of the city, and who was cut off from it."""
    stock = case.stock
    joined = main_part(stock)
    findings = () if stock.is_base else tuple(_cut_off(case, joined))
    return Outcome(_ranged(case, joined), (), case.factors.used(("mixed_homes",)), findings)


def _cut_off(case: Case, joined: Flags) -> list[Finding]:
    """Return a finding for each part of the city that the scheme's streets no longer reach."""
    stock = case.stock
    if "streets" not in stock.changed:
        return []
    count = stock.buildings.base_count
    before = np.zeros(len(joined), dtype=bool)
    before[:count] = main_part(stock.base)
    # What the scheme puts up is cut off where no street leads on from it.
    before[count:] = True
    lost = np.flatnonzero(before & ~joined & stock.buildings.alive)
    node, _ = doors_of(stock)
    graph = graph_of(stock)
    parts = np.where(node[lost] == NOWHERE, NOWHERE, graph.part_of[node[lost]] if len(graph.xy) else NOWHERE)
    return [_isolated(case, lost[parts == part]) for part in np.unique(parts).tolist()]


def _isolated(case: Case, rows: Ints) -> Finding:
    stock = case.stock
    held = district_rows(stock)
    named = ""
    found, counts = np.unique(held[rows][held[rows] != NOWHERE], return_counts=True)
    if len(found):
        # The district that loses most; whole where nearly all of its buildings are cut off.
        district = int(found[counts.argmax()])
        named = stock.districts.ids[district]
        whole = int(((held == district) & stock.buildings.alive).sum())
        is_whole = int(counts.max()) >= DISTRICT_SHARE * whole
    else:
        is_whole = False
    people = round(residents_of(stock.tally(rows), case.factors).value)
    points = stock.column("points")[rows]
    witness = shapely.MultiPoint(list(points))
    return Finding(
        rule="street-isolates",
        clause="",
        verdict=Verdict.FAIL,
        severity=Severity.FAIL,
        measured=float(len(rows)),
        limit=0.0,
        margin=-float(len(rows)),
        object_id=named or None,
        witness_wkb=(witness.convex_hull if len(rows) >= HULL_POINTS_MIN else witness).wkb,
        params={"buildings": len(rows), "residents": people, "district": named, "whole_district": int(is_whole)},
    )


def _node(kind: str, en: str, zh: str) -> Node:
    def compute(case: Case) -> Outcome:
        return access(case, kind)

    return _made(f"people.access_{kind}", en, zh, compute, ("buildings", "streets", "districts", *LAYERS_OF[kind]))


def _made(identifier: str, en: str, zh: str, compute: Any, inputs: tuple[str, ...]) -> Node:
    return Node(
        identifier,
        "1",
        Title(en, zh),
        tuple(dict.fromkeys(inputs)),
        "access",
        compute,
        quality=Quality.MODELLED,
        better="more",
        scope=Scope.CITY,
        rank=40,
    )


def access_nodes() -> tuple[Node, ...]:
    """Return the indicators of walks."""
    return (
        _node("park", "Residents within a 500 m walk of a park", "公园绿地500米步行覆盖居住人口比例"),
        _node("school", "Residents within a 500 m walk of a school", "学校500米步行覆盖居住人口比例"),
        _node("transit", "Residents within a 500 m walk of a stop", "公共交通站点500米步行覆盖居住人口比例"),
        _made(
            "people.street_connection",
            "Residents whose street leads to the rest of the city",
            "道路连通居住人口比例",
            connected,
            ("buildings", "streets", "districts"),
        ),
    )
