import numpy as np
import pytest

from cim.findings import Quality
from ingest.readers.osm_buildings import (
    METHOD_DEFAULT,
    METHOD_LEVELS,
    METHOD_LIFTED,
    METHOD_LOW_KIND,
    METHOD_NEIGHBOURS,
    KnownLevels,
    building_attributes,
    estimate,
)
from ingest.readers.osm_ground import area_meaning, line_meaning, point_meaning
from ingest.readers.osm_streets import direction, lanes, speed, width_m
from ingest.readers.osm_tags import length_m, level_count, speed_km_h, whole_number, year


@pytest.mark.parametrize(
    ("text", "metres"),
    [("12", 12.0), ("12.13 m", 12.13), ("12,5", 12.5), ("40 ft", 12.192), ("12'6\"", 3.81), ("7'", 2.1336)],
)
def test_lengths_in_every_form_of_the_wiki(text, metres):
    assert length_m(text) == pytest.approx(metres)


@pytest.mark.parametrize("text", [None, "", "high", "-3", "0", "1e9", "NaN", "5000 m", "12 m; 13 m"])
def test_what_is_no_length_is_none(text):
    assert length_m(text) is None


def test_levels_speeds_numbers_and_years():
    assert level_count("5;6") == 6
    assert level_count("3-4") == 4
    assert level_count("five") is None
    assert speed_km_h("30 mph") == pytest.approx(48.28, abs=0.01)
    assert speed_km_h("FI:urban") is None
    assert whole_number("2;3", least=1, most=16) == 2
    assert whole_number("²", least=0, most=9) is None
    assert year("~1899") == 1899
    assert year("C19") is None


def known(levels_by_kind):
    notes = KnownLevels()
    for kind, levels in levels_by_kind.items():
        for place, level in enumerate(levels):
            notes.add(kind, (float(place), 0.0), level)
    notes.index(np.array(notes.positions))
    return notes


def test_the_height_rule_in_its_order():
    notes = known({"apartments": [3, 4, 5, 6, 7, 100], "church": [2, 2]})
    tagged = estimate({"building": "yes", "height": "12.13 m", "building:levels": "9"}, 0, 0, notes)
    assert (tagged.height_m.value, tagged.height_m.quality) == (12.13, Quality.RECORDED)
    levels = estimate({"building": "yes", "building:levels": "4"}, 0, 0, notes)
    assert (levels.height_m.value, levels.height_m.method) == (12.8, METHOD_LEVELS)
    near = estimate({"building": "apartments"}, 0, 0, notes)
    assert (near.height_m.value, near.height_m.method) == (16.0, METHOD_NEIGHBOURS)
    assert near.height_m.interval == pytest.approx(((3 - 1) * 2.8, (7 + 1) * 4.2))
    assert estimate({"building": "kiosk"}, 0, 0, notes).height_m.method == METHOD_LOW_KIND
    nothing = estimate({"building": "church"}, 0, 0, notes)
    assert (nothing.height_m.value, nothing.height_m.method) == (16.0, METHOD_DEFAULT)
    for guess in (levels, near, nothing):
        low, high = guess.height_m.interval
        assert guess.height_m.quality is Quality.MODELLED
        assert low < guess.height_m.value < high


def test_what_begins_above_its_own_height_stands_on_its_foot():
    """The corner domes of the cathedral: a roof of 5 m that begins at 18 m, and no height tagged."""
    tags = {"building": "church", "min_height": "18", "roof:height": "5", "roof:shape": "dome"}
    facts = building_attributes(tags, estimate(tags, 0, 0, known({})))
    assert (facts["height_m"].value, facts["height_m"].method) == (23.0, METHOD_LIFTED)
    low, high = facts["height_m"].interval
    assert 18 < low < 23 < high
    tagged = {**tags, "height": "17"}
    assert building_attributes(tagged, estimate(tagged, 0, 0, known({})))["height_m"].value == 17.0


def test_streets():
    assert direction({"highway": "primary", "oneway": "-1"}) == -1
    assert direction({"highway": "residential", "junction": "roundabout"}) == 1
    assert direction({"highway": "motorway", "oneway": "no"}) == 0
    assert lanes({"highway": "residential", "lanes": "3"}).value == 3
    assert lanes({"highway": "residential"}).quality is Quality.MODELLED
    assert width_m({"highway": "residential", "lanes": "2"}).value == 7.5
    assert width_m({"highway": "footway", "width": "1.8"}).quality is Quality.RECORDED
    assert speed({"highway": "primary_link"}).value == 50.0


def test_what_lies_below_is_not_painted_on_the_ground():
    assert line_meaning({"highway": "primary"}, closed=False).ground_kind == "road_arterial"
    assert line_meaning({"highway": "primary", "tunnel": "yes"}, closed=False).ground_kind is None
    assert area_meaning({"amenity": "parking"}, from_way=True).ground_kind == "parking"
    assert area_meaning({"amenity": "parking", "parking": "underground"}, from_way=True).ground_kind is None


def test_a_loop_road_is_no_area_unless_it_says_so():
    assert area_meaning({"highway": "pedestrian"}, from_way=True) is None
    assert area_meaning({"highway": "pedestrian", "area": "yes"}, from_way=True).ground_kind == "plaza"
    assert area_meaning({"highway": "pedestrian"}, from_way=False).ground_kind == "plaza"


def test_points():
    assert point_meaning({"natural": "tree"}).type == "SolitaryVegetationObject"
    assert point_meaning({"highway": "bus_stop"}).type == "+TransitStop"
    assert point_meaning({"amenity": "school"}).function == "school"
    assert point_meaning({"amenity": "bench"}) is None
