"""Walks, by hand: one straight street of 1,200 m with a park at its west end."""

from __future__ import annotations

import pytest
import shapely

from cim.city.model import Attribute, CityObject
from cim.findings import Verdict
from cim.impact.graph import Case
from cim.impact.indicators import indicator_graph
from cim.impact.reach import graph_of, walks_of
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
    assert walks_of(stock, "park").way_mm.tolist() == [10_000 + 100_000 * i for i in range(13)]


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


def peninsula() -> list[CityObject]:
    """A town on a grid of streets, a bridge of 400 m, and behind it a district on a street of its own."""
    grid = [line(*((x, y) for x in range(0, 601, 100))) for y in (0, 200)]
    grid += [line((x, 0), (x, 100), (x, 200)) for x in (0, 300, 600)]
    return [
        *(thing(f"t:g{i}", "Road", place, highway="residential") for i, place in enumerate(grid)),
        thing("t:bridge", "Road", line((600, 0), (800, 0), (1_000, 0)), highway="tertiary"),
        thing("t:path", "Road", line((600, 200), (1_000, 200), (1_000, 0)), highway="footway"),
        thing("t:row", "Road", line(*((x, 0) for x in range(1_000, 1_401, 100))), highway="residential"),
        *(house(f"t:town{i}", box(100 * i, 20, 10, 10), function="apartments", storeys_above_ground=1)
          for i in range(6)),
        *(house(f"t:far{i}", box(1_000 + 100 * i, 20, 10, 10), function="apartments", storeys_above_ground=1)
          for i in range(4)),
        thing("t:kiosk", "PlantCover", box(1_300, -50, 40, 40), function="park"),
        thing("t:centre", "+District", box(-50, -50, 750, 300)),
        thing("t:island", "+District", box(900, -100, 600, 200)),
    ]  # fmt: skip


def closed(objects, *identifiers: str):
    found = {item.id: item for item in objects}
    return {
        name: CityObject(name, "Road", found[name].place, (), {**found[name].attributes, "closed": Attribute(True)})
        for name in identifiers
    }


def test_a_bridge_that_is_closed_isolates_the_whole_district_behind_it() -> None:
    objects = peninsula()
    assert outcome("people.street_connection", objects).value.value == 1.0
    found = outcome("people.street_connection", objects, closed(objects, "t:bridge"))
    assert found.value.value == 0.6
    (finding,) = found.findings
    assert (finding.rule, finding.verdict, finding.params["buildings"]) == ("street-isolates", Verdict.FAIL, 4)
    assert (finding.object_id, finding.params["whole_district"]) == ("t:island", 1)
    assert finding.params["residents"] > 0
    witness = shapely.from_wkb(finding.witness_wkb)
    assert box(990, 0, 400, 100).contains(witness)


def test_a_way_on_foot_is_no_way_for_cars_and_stays_open_where_cars_are_kept_out() -> None:
    objects = peninsula()
    base = stock_of(objects)
    stock = base.with_changes(closed(objects, "t:bridge"))
    # On foot nothing has changed: not one walk is asked again.
    assert graph_of(stock, "walk") is graph_of(base, "walk")
    assert walks_of(stock, "park").way_mm.tolist() == walks_of(base, "park").way_mm.tolist()
    before, after = (NODES["people.access_park"].compute(Case(one, factor_set())).value for one in (base, stock))
    assert before == after


def test_a_street_closed_in_a_grid_isolates_nobody() -> None:
    objects = peninsula()
    for name in ("t:g0", "t:g1", "t:g2", "t:g3"):
        found = outcome("people.street_connection", objects, closed(objects, name))
        assert found.findings == (), name
        assert found.value.value == 1.0


def test_the_street_at_the_door_may_close_where_the_next_one_leads_on() -> None:
    """A yard that was always apart is no entrance, however near; nor is it one that the scheme took away."""
    objects = peninsula()
    yard = thing("t:yard", "Road", line((100, 35), (150, 35), (150, 60)), highway="service")
    long_yard = thing("t:long", "Road", line((290, 35), (200, 35), (200, 60), (290, 60)), highway="service")
    for more in ([yard], [long_yard], [yard, long_yard]):
        city = [*objects, *more]
        assert outcome("people.street_connection", city, closed(city, "t:g0")).findings == ()


def test_two_districts_that_are_cut_off_are_told_apart() -> None:
    objects = peninsula()
    objects += [
        thing("t:other", "Road", line((0, 200), (0, 700), (100, 700), (200, 700)), highway="residential"),
        thing("t:lane", "Road", line((200, 700), (400, 700)), highway="residential"),
        house("t:b", box(200, 710, 10, 10), function="apartments", storeys_above_ground=1),
    ]
    found = outcome("people.street_connection", objects, closed(objects, "t:bridge", "t:other"))
    assert sorted(one.params["buildings"] for one in found.findings) == [1, 4]


def test_a_street_alone_that_is_closed_leaves_its_buildings_without_one() -> None:
    objects = street()
    found = outcome("people.street_connection", objects, closed(objects, "t:r"))
    assert found.value.value == 0.0
    (finding,) = found.findings
    assert finding.params["buildings"] == 2


def test_streets_meet_where_they_share_a_vertex_and_where_one_stops_just_short() -> None:
    objects = [
        thing("t:1", "Road", line((0, 0), (50, 0), (100, 0)), highway="residential"),
        thing("t:2", "Road", line((50, 0), (50, 50)), highway="footway"),
        thing("t:3", "Road", line((80, 2), (80, 60)), highway="footway"),
        thing("t:4", "Road", line((20, 5), (20, 60)), highway="footway"),
        thing("t:5", "Road", line((0, -50), (0, 50)), highway="motorway"),
    ]
    graph = graph_of(stock_of(objects), "walk")
    parts = {tuple(xy - graph.xy.min(axis=0)): part for xy, part in zip(graph.xy.round(2), graph.part_of, strict=True)}
    assert parts[50, 50] == parts[0, 0] == parts[80, 60]
    assert parts[20, 60] != parts[0, 0]
    # From the dead end: 2 m to the street and 30 m or 20 m along it.
    stop = [thing("t:s", "+TransitStop", line((80, 60), (80, 60.01)).centroid, function="bus_stop")]
    ways = walks_of(stock_of([*objects, *stop]), "transit").way_mm
    at = {tuple(xy - graph.xy.min(axis=0)): way for xy, way in zip(graph.xy.round(2), ways.tolist(), strict=True)}
    assert at[100, 0] == pytest.approx(58_000 + 2_000 + 20_000, abs=20)
    assert at[50, 0] == pytest.approx(58_000 + 2_000 + 30_000, abs=20)


def test_a_new_school_shortens_walks_and_leaves_the_streets_alone() -> None:
    base = stock_of(street())
    stock = base.with_changes({"s:b/1": drawn("s:b/1", box(1_010, 10, 20, 20), [[3.5, "school"]])})
    assert graph_of(stock, "walk") is graph_of(base, "walk")
    found = NODES["people.access_school"].compute(Case(stock, factor_set()))
    assert found.value.value == 0.25
    assert NODES["people.access_school"].compute(Case(base, factor_set())).value.value == 0.0
