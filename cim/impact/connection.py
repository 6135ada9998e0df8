"""Streets that hold together for cars: whom the rest of the city reaches, and whom a scheme cuts off; pure.

Method: docs/methods/access.md.  A street that a scheme closes is closed to cars, so that rescue and
deliveries must come another way.  A building's entrance is the nearest node of the streets that lead
somewhere: stray pieces of the source are none.
"""

# ruff: noqa: PLC0415 -- scipy takes long to import and a server must answer before it is needed

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from cim.findings import Finding, Severity, Verdict
from cim.impact.access import district_rows, share_of_residents, walk_node
from cim.impact.graph import Case, Node
from cim.impact.layers import NOWHERE, Flags, Ints
from cim.impact.model import Outcome, Title
from cim.impact.people import residents_of
from cim.impact.reach import doors_of, graph_of
from cim.impact.stock import Stock
from cim.impact.walking import DOOR_M_MAX
from cim.impact.ways import StreetGraph

HULL_POINTS_MIN: Final = 3
NO_HEIR: Final = -2
"""The part that is left of one without streets."""
DISTRICT_SHARE: Final = 0.9
"""A district is cut off when this share of its buildings is."""


def parts_of(stock: Stock) -> Ints:
    """Return the part of the streets that each building stands on, by row; :data:`NOWHERE` for none."""
    graph, node = graph_of(stock, "drive"), doors_of(stock, "drive").node
    if not len(graph.keys):
        return np.full(len(node), NOWHERE, dtype=np.int64)
    return np.asarray(np.where(node == NOWHERE, NOWHERE, graph.part_of[node]))


def first_of(graph: StreetGraph, parts: Ints) -> int:
    """Return the one of some parts that has the first node by place: the same one however nodes are numbered."""
    if len(parts) == 1:
        return int(parts[0])
    nodes = np.flatnonzero(np.isin(graph.part_of, parts))
    return int(graph.part_of[nodes[graph.keys[nodes].argmin()]])


def _most(graph: StreetGraph, parts: Ints) -> int:
    """Return the part that occurs most often."""
    counts = np.bincount(parts)
    return first_of(graph, np.flatnonzero(counts == counts.max()))


def joined_rows(stock: Stock) -> Flags:
    """Return which buildings stand on the part of the streets that most buildings stand on, by row."""
    parts = parts_of(stock)
    placed = (parts != NOWHERE) & stock.buildings.alive
    if not placed.any():
        return np.asarray(placed)
    return np.asarray(placed & (parts == _most(graph_of(stock, "drive"), parts[placed])))


def connected(case: Case) -> Outcome:
    """Return the share of residents that the rest of the city reaches by car, and who was cut off from it."""
    groups = _cut_off(case.stock)
    findings = tuple(_isolated(case, rows) for rows in groups)
    used = case.factors.used(("mixed_homes",))
    return Outcome(share_of_residents(case, joined_rows(case.stock)), (), used, findings)


def _cut_off(stock: Stock) -> list[Ints]:
    """Return the buildings that the scheme's streets cut off, by the part that they are left on.

    Before the scheme a building stood on a part of the streets; what became of that part is where most of its
    buildings stand now, and who stands elsewhere is cut off.  Parts that were apart before are not compared.
    """
    graph, whole = graph_of(stock, "drive"), graph_of(stock.base, "drive")
    if graph is whole:
        return []
    count, alive = stock.buildings.base_count, stock.buildings.alive
    before, after = np.full(len(alive), NOWHERE, dtype=np.int64), parts_of(stock)
    before[:count] = parts_of(stock.base)
    stood = alive & (before != NOWHERE)
    heir = np.full(len(whole.keys) + 1, NO_HEIR, dtype=np.int64)
    for part in np.flatnonzero(np.bincount(before[stood])).tolist():
        left = after[stood & (before == part)]
        left = left[left != NOWHERE]
        if len(left):
            heir[part] = _most(graph, left)
    lost = np.flatnonzero(stood & (after != heir[before]))
    lost, after = _not_beside(stock, lost, before, after, heir)
    found = [lost[after[lost] == part] for part in np.unique(after[lost]).tolist() if part != NOWHERE]
    found += _left_alone(stock, lost[after[lost] == NOWHERE])
    # What the scheme puts up is cut off where the street that it stands on leads nowhere.
    new = np.flatnonzero(alive & (np.arange(len(alive)) >= count) & (after != NOWHERE) & ~np.isin(after, heir))
    return found + [new[after[new] == part] for part in np.unique(after[new]).tolist()]


def _not_beside(stock: Stock, lost: Ints, before: Ints, after: Ints, heir: Ints) -> tuple[Ints, Ints]:
    """Return who is cut off, and parts, without those whose nearest street was never one with theirs.

    Where a street is closed, the next one may be a yard of its own.  Whoever has the street that leads on within
    a door's reach uses that; the others stand on no street.
    """
    graph, whole = graph_of(stock, "drive"), graph_of(stock.base, "drive")
    count = len(whole.keys)
    broken = np.unique(np.column_stack((graph.part_of[:count], whole.part_of)), axis=0)
    pairs = {(now, was) for now, was in broken.tolist() if NOWHERE not in (now, was)}
    apart = np.array([(after[row], before[row]) not in pairs for row in lost.tolist()], dtype=bool)
    other = lost[apart]
    which, node = graph.near(stock.column("points")[other], DOOR_M_MAX)
    beside = np.unique(which[graph.part_of[node] == heir[before[other[which]]]])
    after = after.copy()
    after[other] = NOWHERE
    return np.setdiff1d(lost, other[beside]), after


def _left_alone(stock: Stock, rows: Ints) -> list[Ints]:
    """Return buildings without any street for cars left, those together that stood on one stretch of them."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    if not len(rows):
        return []
    graph, whole = graph_of(stock, "drive"), graph_of(stock.base, "drive")
    gone = whole.open_nodes & ~graph.open_nodes[: len(whole.keys)]
    ends, _ = whole.edges
    ends = ends[gone[ends].all(axis=1)]
    size = (len(gone), len(gone))
    joined = coo_matrix((np.ones(len(ends), dtype=np.int8), (ends[:, 0], ends[:, 1])), shape=size)
    stretch = connected_components(joined.tocsr(), directed=False)[1][doors_of(stock.base, "drive").node[rows]]
    return [rows[stretch == one] for one in np.unique(stretch).tolist()]


def _isolated(case: Case, rows: Ints) -> Finding:
    stock = case.stock
    held = district_rows(stock)
    named, is_whole = "", False
    found, counts = np.unique(held[rows][held[rows] != NOWHERE], return_counts=True)
    if len(found):
        # The district that loses most; whole where nearly all of its buildings are cut off.
        district = int(found[counts.argmax()])
        named = stock.districts.ids[district]
        whole = int(((held == district) & stock.buildings.alive).sum())
        is_whole = int(counts.max()) >= DISTRICT_SHARE * whole
    people = round(residents_of(stock.tally(rows), case.factors).value)
    witness = shapely.MultiPoint(list(stock.column("points")[rows]))
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


def connection_nodes() -> tuple[Node, ...]:
    """Return the indicator of the streets for cars."""
    title = Title("Residents that the rest of the city reaches by car", "机动车连通居住人口比例")
    return (walk_node("people.street_connection", title, connected, ("buildings", "streets", "districts")),)
