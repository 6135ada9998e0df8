"""Every indicator of a city with a scheme laid over it equals the one of that city built from the start."""

from __future__ import annotations

import pytest

from cim.impact.graph import Case, touched_inputs
from cim.impact.indicators import indicator_graph
from tests.support.impact_city import Editor, factor_set, materialised, same_land, stock_of, town

EDITS = 500
PER_TOWN = 25


@pytest.mark.parametrize("chunk", range(EDITS // PER_TOWN))
def test_incremental_is_full(chunk: int) -> None:
    """25 edits each on 20 towns of up to 300 buildings: all indicators, exactly."""
    objects = town(30 + chunk * 14, seed=chunk)
    base, factors, graph = stock_of(objects), factor_set(), indicator_graph()
    editor = Editor(objects, seed=100 + chunk)
    kept, before, site = {}, {}, frozenset()
    for _ in range(PER_TOWN):
        overlay = editor.step()
        stock = base.with_changes(overlay)
        case = Case(stock, factors, stock.touched_units, overlay)
        touched = touched_inputs(base, before, overlay) | ({"site"} if case.site != site else set())
        for node in graph.reached(touched) if kept else graph.nodes.values():
            kept[node.id] = node.compute(case)
        before, site = overlay, case.site
        full = stock_of(materialised(objects, overlay), cells=False)
        truth = Case(full, factors, same_land(case, full))
        for node in graph.nodes.values():
            assert kept[node.id].value == node.compute(truth).value, node.id
            assert kept[node.id].breakdown == node.compute(truth).breakdown, node.id
