"""500 edits on a city of 100,000 buildings: every sum is that of the city as it then stands."""

from __future__ import annotations

import numpy as np
import shapely

from cim.impact.graph import Case
from cim.impact.indicators import indicator_graph
from cim.impact.rows import area_cm2, building_row, members_of
from tests.support.impact_city import Editor, factor_set, materialised, same_land, stock_of, town

EDITS = 500
SUMS = ("land.floor_area", "land.floor_area_ratio", "land.building_density", "land.height_mean", "land.use_mix")
COUNTED = ("people.dwellings", "people.residents", "people.jobs", "people.school_places", "carbon.operational")


def tallies_of(objects) -> dict[str, list[int]]:
    """The row of each building, worked out one by one."""
    return {
        item.id: building_row(members_of(item), area_cm2(item.place)).tally
        for item in objects
        if item.type == "Building" and item.place is not None
    }


def test_sums_at_100_000_buildings() -> None:
    objects = town(100_000, seed=8)
    base, factors, graph = stock_of(objects), factor_set(), indicator_graph()
    rows = tallies_of(objects)
    editor = Editor(objects, seed=21)
    # A plain running list of all buildings, summed anew after every edit.
    order = {identifier: place for place, identifier in enumerate(rows)}
    table = np.array(list(rows.values()), dtype=np.int64)
    stock, overlay = base, {}
    for _ in range(EDITS):
        before, overlay = overlay, editor.step()
        stock = base.with_changes(overlay, stock if not stock.is_base else None)
        for identifier in before.keys() | overlay.keys():
            if before.get(identifier) is overlay.get(identifier) and (identifier in before) == (identifier in overlay):
                continue
            item = editor.now.get(identifier)
            now = tallies_of([item]).get(identifier) if item is not None else None
            if identifier not in order:
                if now is None:
                    continue
                order[identifier] = len(table)
                table = np.vstack((table, now))
            else:
                table[order[identifier]] = 0 if now is None else now
        assert stock.tally().tolist() == table.sum(axis=0).tolist()
    full = stock_of(materialised(objects, overlay), cells=False)
    case = Case(stock, factors, stock.touched_units, overlay)
    truth = Case(full, factors, same_land(case, full))
    for name in (*SUMS, *COUNTED):
        assert graph.nodes[name].compute(case).value == graph.nodes[name].compute(truth).value, name
    assert shapely.equals(stock.units.places[0], base.units.places[0])
