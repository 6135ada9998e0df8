"""Walks, by hand: one straight street of 1,200 m with a park at its west end."""

from __future__ import annotations

import pytest

from cim.city.model import Attribute, CityObject
from cim.findings import Verdict
from cim.impact.access import distances, graph_of
from cim.impact.graph import Case
from cim.impact.indicators import indicator_graph
from cim.impact.walking import walk_graph
from tests.support.impact_city import box, drawn, factor_set, house, line, stock_of, thing

NODES = indicator_graph().nodes


def street() -> list[CityObject]:
    axis = line(*((x, 0) for x in range(0, 1_201, 100)))
    return [
        thing("t:r", "Road", axis, highway="residential"),
        thing("t:k", "PlantCover", box(-60, -20, 50, 40), function="park"),
        house("t:near", box(398, 10, 4, 10), function="apartments", storeys_above_ground=3),
        house("t:far", box(998, 10, 4, 10), function="apartments", storeys_above_ground=1),
        thing("t:d", "+District", box(-100, -100, 1_500, 200)),
    ]


def outcome(name: str, objects, overlay=None):
    stock = stock_of(objects).with_changes(overlay or {})
    return NODES[name].compute(Case(stock, factor_set(), overlay=overlay or {}))


def test_a_walk_is_door_street_entry() -> None:
    stock = stock_of(street())
    # The park is 10 m from the street's west end; nodes stand every 100 m.
    assert distances(stock, "park").tolist() == [10_000 + 100_000 * i for i in range(13)]


def test_the_share_of_residents_goes_by_floor_area_of_homes() -> None:
    found = outcome("people.access_park", street())
    # 400 + 10 + 15 m to the near house: three of four storeys are within 500 m; 1,025 m to the other.
    assert found.value.value == 0.75
    assert {item.key: item.value for item in found.breakdown} == {
        "within_300_m": 0.0,
        "within_500_m": 0.75,
        "within_800_m": 0.75,
        "within_1000_m": 0.75,
        "t:d": 0.75,
    }


def test_a_closed_street_is_no_way_and_isolates_who_lives_on_it() -> None:
    objects = street()
    objects[0] = thing("t:r", "Road", line(*((x, 0) for x in range(0, 701, 100))), highway="residential")
    objects.append(thing("t:r2", "Road", line((700, 0), (800, 0)), highway="residential"))
    objects.append(thing("t:r3", "Road", line(*((x, 0) for x in range(800, 1_201, 100))), highway="residential"))
    objects.append(house("t:b", box(300, 10, 4, 10), function="office", storeys_above_ground=1))
    closed = {"t:r2": CityObject("t:r2", "Road", objects[-3].place, (), {"closed": Attribute(True)})}
    assert outcome("people.street_connection", objects).value.value == 1.0
    found = outcome("people.street_connection", objects, closed)
    assert found.value.value == 0.75
    (finding,) = found.findings
    assert (finding.rule, finding.verdict, finding.params["buildings"]) == ("street-isolates", Verdict.FAIL, 1)
    assert finding.object_id == "t:d"


def test_streets_meet_where_they_share_a_vertex_and_where_one_stops_just_short() -> None:
    objects = [
        thing("t:1", "Road", line((0, 0), (50, 0), (100, 0)), highway="residential"),
        thing("t:2", "Road", line((50, 0), (50, 50)), highway="footway"),
        thing("t:3", "Road", line((80, 2), (80, 60)), highway="footway"),
        thing("t:4", "Road", line((20, 5), (20, 60)), highway="footway"),
        thing("t:5", "Road", line((0, -50), (0, 50)), highway="motorway"),
    ]
    graph = walk_graph(stock_of(objects).streets)
    parts = {tuple(xy - graph.xy.min(axis=0)): part for xy, part in zip(graph.xy.round(2), graph.part_of, strict=True)}
    assert parts[50, 50] == parts[0, 0] == parts[80, 60]
    assert parts[20, 60] != parts[0, 0]
    # From the dead end: 2 m to the street and 30 m or 20 m along it.
    stop = [thing("t:s", "+TransitStop", line((80, 60), (80, 60.01)).centroid, function="bus_stop")]
    ways = distances(stock_of([*objects, *stop]), "transit")
    at = {tuple(xy - graph.xy.min(axis=0)): way for xy, way in zip(graph.xy.round(2), ways.tolist(), strict=True)}
    assert at[100, 0] == pytest.approx(58_000 + 2_000 + 20_000, abs=20)
    assert at[50, 0] == pytest.approx(58_000 + 2_000 + 30_000, abs=20)


def test_a_new_school_shortens_walks_and_leaves_the_streets_alone() -> None:
    base = stock_of(street())
    stock = base.with_changes({"s:b/1": drawn("s:b/1", box(1_010, 10, 20, 20), [[3.5, "school"]])})
    assert graph_of(stock) is graph_of(base)
    found = NODES["people.access_school"].compute(Case(stock, factor_set()))
    assert found.value.value == 0.25
    assert NODES["people.access_school"].compute(Case(base, factor_set())).value.value == 0.0
