"""Access on foot: which share of the residents has a park, a school, a stop within a walk; pure.

Method: docs/methods/access.md.  Walks follow the streets (:mod:`cim.impact.walking`), also those that are
closed to cars.  Residents are where the floor area of homes is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cim.findings import Quality
from cim.impact.graph import Case, Node
from cim.impact.layers import NOWHERE, Flags, Ints
from cim.impact.model import Outcome, Range, Scope, Share, Title
from cim.impact.reach import LAYERS_OF, doors_of, walks_of
from cim.impact.rows import COLUMN
from cim.impact.stock import Stock
from cim.impact.walking import UNREACHED, Distances
from cim.impact.ways import MM_PER_M

WALKS_M: Final = (300, 500, 800, 1_000)
"""Walks that a breakdown tells of: 5, 10 and 15 minutes and the quarter hour's outer edge (GB 50180-2018, 2.0.2)."""
WALK_M: Final = {"park": 500, "school": 500, "transit": 500}
"""The walk that a reading's value speaks of."""
HUNDREDTHS: Final = 100
DISTRICTS_LISTED_MAX: Final = 40
"""Districts that a breakdown names."""


def home_weights(stock: Stock, homes_of_mixed: float) -> NDArray[np.int64]:
    """Return the floor area of homes of every building by row, hundredths of cm²; dead rows count nothing."""
    share = round(homes_of_mixed * HUNDREDTHS)
    name = f"home_weights/{share}"
    found: NDArray[np.int64] | None = stock.memo.get(name)
    if found is None:
        tallies = stock.own_rows.tallies
        found = np.asarray(
            tallies[:, COLUMN["floor_residential"]] * HUNDREDTHS + tallies[:, COLUMN["upper_unknown"]] * share
        )
        if not stock.is_base:
            found = np.concatenate((home_weights(stock.base, homes_of_mixed), found))
            found[stock.buildings.dead_rows] = 0
        stock.memo[name] = found
    return found


def _walks(stock: Stock, kind: str) -> Distances:
    """Return the walk from every building to the nearest place of a kind, mm; :data:`UNREACHED` for none."""
    door, way = doors_of(stock, "walk"), walks_of(stock, kind).way_mm
    if not len(way):
        return np.full(len(door.node), UNREACHED, dtype=np.int64)
    found = way[door.node]
    none = (door.node == NOWHERE) | (found == UNREACHED)
    return np.asarray(np.where(none, UNREACHED, found + door.way_mm))


def _share(weights: NDArray[np.int64], inside: Flags) -> float | None:
    whole = int(weights.sum())
    return int(weights[inside].sum()) / whole if whole else None


def share_of_residents(case: Case, inside: Flags) -> Range | None:
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
    return Outcome(share_of_residents(case, inside), tuple(shares), case.factors.used(("mixed_homes",)))


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
    rows, ids = stock.districts.rows(), stock.districts.ids
    if len(rows) > DISTRICTS_LISTED_MAX:
        rows = rows[homes[rows] > 0]
        shares = reached[rows] / homes[rows]
        if len(rows) > DISTRICTS_LISTED_MAX:
            rows = rows[shares <= np.partition(shares, DISTRICTS_LISTED_MAX - 1)[DISTRICTS_LISTED_MAX - 1]]
    told = zip(rows.tolist(), homes[rows].tolist(), reached[rows].tolist(), strict=True)
    found = [(part / whole if whole else None, ids[row]) for row, whole, part in told]
    if len(found) > DISTRICTS_LISTED_MAX or len(stock.districts) > DISTRICTS_LISTED_MAX:
        found = sorted(((share, key) for share, key in found if share is not None), key=lambda one: one)
        found = found[:DISTRICTS_LISTED_MAX]
    return [Share(key, share) for share, key in sorted(found, key=lambda one: one[1])]


def _node(kind: str, en: str, zh: str) -> Node:
    def compute(case: Case) -> Outcome:
        return access(case, kind)

    inputs = ("buildings", "streets", "districts", *LAYERS_OF[kind])
    return walk_node(f"people.access_{kind}", Title(en, zh), compute, inputs)


def walk_node(identifier: str, title: Title, compute: Callable[[Case], Outcome], inputs: tuple[str, ...]) -> Node:
    """Return an indicator of the streets: a share of the city's residents."""
    return Node(
        identifier,
        "1",
        title,
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
    )
