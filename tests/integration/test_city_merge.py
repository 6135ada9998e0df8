"""The same building in several sources, on a real DuckDB: one object, nothing lost, everything said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import shapely

from cim.city.model import Attribute, CityObject
from cim.city.store import Published
from cim.findings import Quality
from tests.support.merged_city import MergedCity, box, building, merged_city


@pytest.fixture
def city(tmp_path: Path) -> Iterator[MergedCity]:
    with merged_city(tmp_path) as opened:
        yield opened


def models(count: int = 3) -> list[CityObject]:
    return [building(f"models:{n}", box(n), "2", height_m=Attribute(10.0 + n, "m")) for n in range(count)]


def prints(count: int = 3) -> list[CityObject]:
    return [
        building(f"prints:{n}", box(n, 1.0), "1", height_m=Attribute(20.0 + n, "m"), storeys_above_ground=3 + n)
        for n in range(count)
    ]


def test_the_same_buildings_of_two_sources_are_one_each(city: MergedCity) -> None:
    city.deliver(models())
    assert city.deliver(prints()) == Published(2, added=3, changed=0, removed=0, unchanged=0)
    shown = city.shown()
    assert sorted(shown) == ["models:0", "models:1", "models:2"]
    one = shown["models:1"]
    assert one.attributes["storeys_above_ground"] == Attribute(4, source="prints")
    # Of equals the height that came with the geometry that is shown.
    assert one.attributes["height_m"] == Attribute(11.0, "m")
    assert {geometry.lod for geometry in one.geometries} == {"1", "2"}
    assert city.report()["matched"] == {"count": 3, "overlap": 3}
    assert city.report()["overlap"]["median"] == 0.9
    conflict = city.report()["conflicts"]["items"][0]
    assert conflict == {
        "object_id": "models:0",
        "attribute": "height_m",
        "kept": {"value": 10.0, "dataset": "models"},
        "other": {"value": 20.0, "dataset": "prints"},
    }


def test_the_same_delivery_again_changes_nothing(city: MergedCity) -> None:
    city.deliver(models())
    city.deliver(prints())
    before = city.state()
    assert city.deliver(prints()) == Published(3, 0, 0, 0, unchanged=3)
    assert city.deliver(models()) == Published(4, 0, 0, 0, unchanged=3)
    assert city.state() == before
    assert city.report()["shown"] == {"added": 0, "changed": 0, "removed": 0}


def test_a_source_that_goes_leaves_the_others_as_they_were(city: MergedCity) -> None:
    city.deliver(models())
    before = {one: found.attributes for one, found in city.shown().items()}
    city.deliver(prints())
    city.deliver([building("prints:9", box(9))])
    shown = city.shown()
    assert {one: shown[one].attributes for one in before} == before
    assert shown.keys() - before.keys() == {"prints:9"}
    assert city.links() == {}


def test_the_first_source_may_go_and_come_back_and_the_id_stays(city: MergedCity) -> None:
    city.deliver(models())
    city.deliver(prints())
    both = city.state()
    city.deliver(models(1))
    assert city.state() != both
    one = city.shown()["models:1"]
    assert one.attributes["height_m"] == Attribute(21.0, "m", source="prints")
    assert [geometry.lod for geometry in one.geometries] == ["1"]
    assert city.links()["prints:1"] == "models:1"
    city.deliver(models())
    assert city.links().keys() == {f"{source}:{n}" for source in ("models", "prints") for n in range(3)}
    assert city.shown()["models:1"].attributes["height_m"] == Attribute(11.0, "m")


def test_a_source_that_renames_its_buildings_keeps_the_ids_of_the_city(city: MergedCity) -> None:
    city.deliver(models())
    city.deliver(prints())
    city.deliver([building(f"models:new-{n}", box(n), "2", height_m=Attribute(10.0 + n, "m")) for n in range(3)])
    assert sorted(city.shown()) == ["models:0", "models:1", "models:2"]
    assert city.links()["models:new-2"] == "models:2"


def test_a_block_that_is_five_buildings_elsewhere_is_reported_and_not_merged(city: MergedCity) -> None:
    city.deliver([building(f"many:{n}", box(0, 2.0 * n, 2.0)) for n in range(5)])
    city.deliver([building("one:1", shapely.union_all([box(0, 2.0 * n, 2.0) for n in range(5)]), name="Block")])
    assert len(city.shown()) == 6
    assert city.links() == {}
    assert city.report()["blocks"] == {
        "count": 1,
        "items": [{"incoming": ["one:1"], "present": [f"many:{n}" for n in range(5)]}],
    }


def test_a_declared_id_and_a_parcel_match_without_a_common_footprint(city: MergedCity) -> None:
    city.deliver(
        [
            building("models:a", box(0), parcel_id="0000123"),
            building("models:b", box(5)),
            building("models:c", box(8)),
        ]
    )
    city.deliver(
        [
            building("facts:1", None, parcel_id=123, function="office"),
            building("facts:2", box(40), b_id="models:b", function="church"),
            building("facts:3", box(41), b_id="c", function="school"),
        ],
        match_attribute="b_id",
    )
    shown = city.shown()
    assert {one: shown[one].attributes["function"].value for one in sorted(shown)} == {
        "models:a": "office",
        "models:b": "church",
        "models:c": "school",
    }
    assert city.report()["matched"] == {"count": 3, "id": 2, "parcel": 1}


def test_a_declared_priority_decides_and_applies_to_what_is_there(city: MergedCity) -> None:
    city.deliver(models())
    city.deliver(prints())
    assert city.shown()["models:0"].attributes["height_m"].value == 10.0
    city.deliver(prints(), priority="height_m=prints; geometry=prints")
    one = city.shown()["models:0"]
    assert one.attributes["height_m"] == Attribute(20.0, "m", source="prints")
    city.deliver(models(), priority="")
    assert city.shown()["models:0"].attributes["height_m"].value == 10.0


def test_a_recorded_value_comes_before_a_modelled_one(city: MergedCity) -> None:
    city.deliver([building("models:0", box(0), "2", year_of_construction=Attribute(1900, quality=Quality.MODELLED))])
    city.deliver([building("facts:0", box(0), year_of_construction=1911)])
    kept = city.shown()["models:0"].attributes["year_of_construction"]
    assert kept == Attribute(1911, source="facts")
    assert city.report()["conflicts"]["count"] == 0


def test_parts_of_the_better_model_are_shown_and_those_of_the_other_are_kept_unseen(city: MergedCity) -> None:
    city.deliver(
        [
            building("coarse:1", box(0)),
            building("coarse:1a", box(0), "1", parent="coarse:1", kind="BuildingPart"),
        ]
    )
    city.deliver(
        [
            building("fine:1", box(0)),
            building("fine:1a", box(0, 0, 5), "2", parent="fine:1", kind="BuildingPart"),
            building("fine:1b", box(0, 5, 5), "2", parent="fine:1", kind="BuildingPart"),
        ]
    )
    shown = city.shown()
    assert sorted(shown) == ["coarse:1", "fine:1a", "fine:1b"]
    assert {shown["fine:1a"].parent_id, shown["fine:1b"].parent_id} == {"coarse:1"}
    assert city.links()["coarse:1a"] == "coarse:1"
    city.deliver([], "fine")
    assert sorted(city.shown()) == ["coarse:1", "coarse:1a"]
    assert city.links() == {}


def test_a_building_that_moved_away_takes_its_id_along(city: MergedCity) -> None:
    city.deliver(models())
    city.deliver(prints())
    city.deliver([*models(2), building("models:2", box(30), "2", height_m=Attribute(12.0, "m"))])
    shown = city.shown()
    assert sorted(shown) == ["models:0", "models:1", "models:2", "prints:2"]
    assert "storeys_above_ground" not in shown["models:2"].attributes
    assert shown["prints:2"].attributes["storeys_above_ground"] == Attribute(5)


def test_three_sources_make_one_building(city: MergedCity) -> None:
    city.deliver(models())
    city.deliver(prints())
    city.deliver([building(f"register:{n}", box(n), function="dwelling") for n in range(3)])
    one = city.shown()["models:2"]
    assert one.attributes["function"].source == "register"
    assert one.attributes["storeys_above_ground"].source == "prints"
    assert len(city.links()) == 9
