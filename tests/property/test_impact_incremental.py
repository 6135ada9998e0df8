"""Every indicator of a city with a scheme laid over it equals the one of that city built from the start."""

from __future__ import annotations

import pytest

from cim.impact.graph import Case, touched_inputs
from cim.impact.indicators import indicator_graph
from cim.impact.land import floor_cm2
from cim.impact.sky import landmark_observers, landmark_share, landmarks, observers, sky_factors
from cim.impact.works import works_of
from tests.support.impact_city import Editor, factor_set, materialised, same_land, stock_of, town

EDITS = 500
PER_TOWN = 25
SKY_EVERY = 6
"""Views take long: they are looked at after every sixth edit, and must then be right for all edits before."""
OF_WORKS = {"cost.construction", "carbon.embodied", "carbon.demolition_waste"}
"""What a city that was always so has not built: held against two cities side by side instead."""


def floors_by_id(stock):
    return {
        stock.buildings.ids[row]: (floor_cm2(stock.tally_of_row(row)), stock.buildings.places[row])
        for row in stock.buildings.rows().tolist()
    }


def works_side_by_side(before, after) -> tuple[int, int]:
    """Floor area put up and pulled down, from two cities that know nothing of each other."""
    old, new = floors_by_id(before), floors_by_id(after)
    built = demolished = 0
    for identifier in old.keys() | new.keys():
        floor_before, place_before = old.get(identifier, (0, None))
        floor_after, place_after = new.get(identifier, (0, None))
        if place_before is not None and place_after is not None:
            if place_before.equals(place_after) and floor_before == floor_after:
                continue
            if place_before.intersection(place_after).area >= 0.5 * place_before.area:
                floor_before, floor_after = max(0, floor_before - floor_after), max(0, floor_after - floor_before)
        built += floor_after
        demolished += floor_before
    return built, demolished


def compare_views(case, full) -> None:
    """The same eyes see the same, in the city with a scheme over it and in one that was always so."""
    eyes = observers(case)
    assert sky_factors(case.stock, eyes).tolist() == sky_factors(full, eyes).tolist()
    for landmark in landmarks(case):
        eyes = landmark_observers(case.stock, landmark)
        assert landmark_share(case.stock, landmark, eyes) == landmark_share(full, landmark, eyes)


@pytest.mark.parametrize("chunk", range(EDITS // PER_TOWN))
def test_incremental_is_full(chunk: int) -> None:
    """25 edits each on 20 towns of up to 300 buildings: all indicators, exactly."""
    objects = town(30 + chunk * 14, seed=chunk)
    base, factors, graph = stock_of(objects), factor_set(), indicator_graph()
    editor = Editor(objects, seed=100 + chunk)
    kept, before, site = {}, {}, frozenset()
    owed, like = set(graph.nodes), None
    for number in range(PER_TOWN):
        overlay = editor.step()
        stock = base.with_changes(overlay, like)
        like = stock
        case = Case(stock, factors, stock.touched_units, overlay)
        touched = touched_inputs(base, before, overlay) | ({"site"} if case.site != site else set())
        owed |= {node.id for node in graph.reached(touched)}
        before, site = overlay, case.site
        full = stock_of(materialised(objects, overlay), cells=False)
        truth = Case(full, factors, same_land(case, full))
        works = works_of(stock)
        assert (works.built_cm2, works.demolished_cm2) == works_side_by_side(base, full)
        fresh = Case(stock_of(objects).with_changes(overlay), factors, case.site, overlay)
        for node in graph.nodes.values():
            if node.id.startswith("sky.") and number % SKY_EVERY:
                continue
            if node.id in owed:
                kept[node.id] = node.compute(case)
                owed.discard(node.id)
            expected = node.compute(fresh if node.id in OF_WORKS or node.id.startswith("sky.") else truth)
            assert kept[node.id].value == expected.value, node.id
            assert kept[node.id].breakdown == expected.breakdown, node.id
        if number % SKY_EVERY == 0:
            compare_views(case, full)
