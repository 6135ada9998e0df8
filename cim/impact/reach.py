"""Streets, doors and walks of a city, kept from one state of a scheme to the next; pure.

The streets are two graphs: one to walk on, one to drive on.  A street that a scheme closes is closed to
cars; people still walk there, so that what was worked out for walks stays as it was.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
import shapely

from cim.impact.layers import Ints, Layer, Shapes
from cim.impact.rows import COLUMN
from cim.impact.stock import Stock, Street
from cim.impact.walking import (
    ENTRY_M_MAX,
    Doors,
    Entries,
    Walks,
    doors,
    entries_of,
    lead_of,
    mended,
    mended_doors,
    walks_from,
)
from cim.impact.ways import StreetGraph, street_graph

Going = Literal["walk", "drive"]

GRAPHS_KEPT_MAX: Final = 4
"""Altered states of a graph that are kept beside a baseline's."""
LAYERS_OF: Final = {"park": ("green",), "school": ("schools", "buildings"), "transit": ("stops",)}


def _may(street: Street, going: Going) -> bool:
    return street.walkable if going == "walk" else street.drivable


def graph_of(stock: Stock, going: Going) -> StreetGraph:
    """Return the graph of a stock's streets; one for all states that differ in nothing that matters to it."""
    layer = stock.streets
    name = f"graph/{going}"
    found: StreetGraph | None = layer.memo.get(name)
    if found is None:
        found = layer.memo[name] = _graph(layer, going)
    return found


def _graph(layer: Layer, going: Going) -> StreetGraph:
    base = layer.base
    if layer is base:
        return street_graph([base.places[row] for row in base.rows().tolist() if _may(base.facts[row], going)])
    whole: StreetGraph | None = base.memo.get(f"graph/{going}")
    if whole is None:
        whole = base.memo[f"graph/{going}"] = _graph(base, going)
    dead = layer.dead_rows.tolist()
    gone = [row for row in dead if _may(base.facts[row], going) and not _stays(layer, row, going)]
    new = []
    for row in layer.extra_rows():
        old = base.row(layer.ids[row])
        there = old is not None and _may(base.facts[old], going) and _stays(layer, old, going)
        if _may(layer.facts[row], going) and not there:
            new.append(row)
    key = (tuple(gone), tuple(layer.places[row].wkb for row in new))
    known: dict[Any, StreetGraph] = base.memo.setdefault(f"graphs/{going}", {})
    found = known.get(key)
    if found is None:
        found = whole.altered([base.places[row] for row in gone], [layer.places[row] for row in new])
        while len(known) >= GRAPHS_KEPT_MAX:
            known.pop(next(iter(known)))
        known[key] = found
    return found


def _stays(layer: Layer, row: int, going: Going) -> bool:
    """Tell whether a replaced street of the baseline is where it was, and may be used as it might."""
    now = layer.row(layer.base.ids[row])
    if now is None or not _may(layer.facts[now], going):
        return False
    return bool(shapely.equals_exact(layer.base.places[row], layer.places[now]))


def doors_of(stock: Stock, going: Going) -> Doors:
    """Return the street node of every building, by row."""
    found: Doors | None = stock.memo.get(f"doors/{going}")
    if found is None:
        graph, base = graph_of(stock, going), stock.base
        found = _base_doors(base, graph, going)
        if not stock.is_base:
            own = doors(graph, stock.own_rows.points)
            found = Doors(np.concatenate((found.node, own.node)), np.concatenate((found.far_m, own.far_m)))
        stock.memo[f"doors/{going}"] = found
    return found


def _base_doors(base: Stock, graph: StreetGraph, going: Going) -> Doors:
    """Return the doors of the baseline's buildings onto a graph; kept with it."""
    name = f"doors/{going}"
    found: Doors | None = graph.memo.get(name)
    if found is None:
        points = base.own_rows.points
        if graph.base is None:
            found = doors(graph, points)
        else:
            found = mended_doors(_base_doors(base, graph.origin, going), graph, points)
        graph.memo[name] = found
    return found


# -- places -----------------------------------------------------------------------------------------------


def _school_rows(stock: Stock) -> list[int]:
    """Return the buildings that are schools."""
    column, base = COLUMN["pupil_floor"], stock.base
    rows: list[int] | None = base.memo.get("school_rows")
    if rows is None:
        rows = base.memo["school_rows"] = np.flatnonzero(base.own_rows.tallies[:, column] > 0).tolist()
    if stock.is_base:
        return rows
    own = np.flatnonzero(stock.own_rows.tallies[:, column] > 0) + stock.buildings.base_count
    return [*(row for row in rows if stock.buildings.alive[row]), *own.tolist()]


def _rows(stock: Stock, name: str) -> list[int]:
    """Return the living rows of a layer that are places of a kind."""
    if name == "buildings":
        return _school_rows(stock)
    layer = stock.layer(name)
    rows: list[int] = layer.rows().tolist()
    # Green that is not open to all is no park.
    return [row for row in rows if layer.facts[row]] if name == "green" else rows


def _lead(stock: Stock, kind: str) -> Ints:
    """Return the way from each node straight into a place of a kind, mm."""
    graph, base, found = graph_of(stock, "walk"), stock.base, []
    for name in LAYERS_OF[kind]:
        layer, rows = stock.layer(name), np.array(_rows(stock, name), dtype=np.int64)
        count = base.layer(name).base_count
        old, new = rows[rows < count], rows[rows >= count]
        first, entries = _base_entries(base, graph, name)
        there = np.zeros(len(first), dtype=bool)
        there[np.searchsorted(first, old)] = True
        found.append(entries.only(there))
        if len(new):
            found.append(entries_of(graph, layer.places[new]))
    return lead_of(len(graph.keys), found)


def _base_entries(base: Stock, graph: StreetGraph, name: str) -> tuple[Ints, Entries]:
    """Return the places of a baseline's layer by row, and the nodes of a graph that lead into them; kept with it."""
    key = f"entries/{name}"
    found: tuple[Ints, Entries] | None = graph.memo.get(key)
    if found is None:
        rows = np.array(_rows(base, name), dtype=np.int64)
        places = base.layer(name).places[rows]
        if graph.base is None:
            found = rows, entries_of(graph, places)
        else:
            found = rows, _mended_entries(_base_entries(base, graph.origin, name)[1], graph, places)
        graph.memo[key] = found
    return found


def _mended_entries(before: Entries, graph: StreetGraph, places: Shapes) -> Entries:
    """Return entries onto an altered graph: those of places near a node that came or went are asked again."""
    was = np.zeros(len(graph.keys), dtype=bool)
    was[: len(graph.origin.keys)] = graph.origin.open_nodes
    changed = graph.points[np.flatnonzero(was != graph.open_nodes)]
    if not len(changed) or not len(places):
        return before
    asked = np.unique(shapely.STRtree(changed).query(places, predicate="dwithin", distance=ENTRY_M_MAX)[0])
    kept = np.ones(len(places), dtype=bool)
    kept[asked] = False
    old, new = before.only(kept), entries_of(graph, places[asked])
    return Entries(
        np.concatenate((old.place, asked[new.place])),
        np.concatenate((old.node, new.node)),
        np.concatenate((old.way_mm, new.way_mm)),
    )


# -- walks ------------------------------------------------------------------------------------------------


def walks_of(stock: Stock, kind: str) -> Walks:
    """Return the walks from every street node to the nearest place of a kind.

    Those of a changed city are mended from the last state of the scheme for which they were asked, or from
    the baseline's.
    """
    name = f"walks/{kind}"
    found: Walks | None = stock.memo.get(name)
    if found is None:
        graph, lead = graph_of(stock, "walk"), _lead(stock, kind)
        if stock.is_base:
            found = walks_from(graph, lead)
        else:
            before: Walks = stock.trail.get(name) or walks_of(stock.base, kind)
            found = mended(before, graph, lead)
        stock.memo[name] = found
        if not stock.is_base:
            stock.trail[name] = found
    return found
