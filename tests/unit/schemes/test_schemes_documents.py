"""What is sent: degrees, digests that say the same for the same, places that are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cim.errors import InvalidInput
from cim.geometry.crs import WorkingFrame
from cim.schemes.documents import counts, digest, extent, hidden, object_json, to_working
from cim.schemes.edits import make_edit
from cim.schemes.faults import EditRefused
from cim.schemes.making import Making
from cim.schemes.model import Change, Text, Words
from cim.schemes.state import State
from tests.support.scheme_base import SQUARE, building, small_city

FRAME = WorkingFrame("EPSG:32635")
WORDS = Words(Text("Towers", "塔楼"))
RAZED = [Change("h:b1", "exists", old=True, new=False)]
ADDED = [
    Change("s1:b/1", "type", None, "Building"),
    Change("s1:b/1", "exists", old=False, new=True),
    *(Change("s1:b/1", name, None, value) for name, value in building(name="New").items() if name != "type"),
]


def test_a_digest_is_of_the_content_alone() -> None:
    root = State(small_city())
    there = root.apply(RAZED).apply(ADDED)
    back = root.apply(ADDED).apply(RAZED)
    assert digest("s1", WORDS, 2, there) == digest("s1", WORDS, 2, back)
    others = {
        digest("s2", WORDS, 2, there),
        digest("s1", WORDS, 3, there),
        digest("s1", replace(WORDS, name=Text("Tower", "塔楼")), 2, there),
        digest("s1", WORDS, 2, root.apply(RAZED)),
        digest("s1", WORDS, 2, root.apply(RAZED, 2027).apply(ADDED)),
        digest("s1", WORDS, 2, State(small_city(2)).apply(RAZED).apply(ADDED)),
    }
    assert len(others) == 6
    assert digest("s1", WORDS, 2, there) not in others


def test_what_is_replaced_or_gone_is_hidden_and_the_rest_is_not() -> None:
    state = State(small_city()).apply(RAZED).apply(ADDED)
    state = state.apply([Change("h:b2", "solar_share", 0.0, 0.5), Change("h:r1", "closed", old=False, new=True)])
    assert set(hidden(state)) == {"h:b1", "h:b2"}
    assert counts(state) == {"added": 1, "changed": 2, "demolished": 1}
    assert {t: (object_json(state, t, FRAME) or {}).get("change") for t in state.targets} == {
        "h:b1": "demolished",
        "s1:b/1": "added",
        "h:b2": "changed",
        "h:r1": "changed",
    }
    box = extent(state, FRAME)
    assert box is not None
    assert box[0] < box[2]
    assert extent(State(small_city()), FRAME) is None


def test_what_was_added_and_taken_back_is_nothing() -> None:
    state = State(small_city()).apply(ADDED)
    back = state.apply([Change(c.target, c.field, c.new, c.old) for c in reversed(ADDED)])
    assert list(back.targets) == []
    assert object_json(back, "s1:b/1", FRAME) is None


def test_places_come_in_degrees_and_go_in_metres() -> None:
    metres = np.array([[386_000.0, 6_673_000.0], [386_010.5, 6_673_000.0], [386_010.5, 6_673_020.25]])
    degrees = FRAME.to_lonlat(metres).tolist()
    said = {
        "footprint": [degrees],
        "place": degrees[0],
        "height_m": 9,
        "line": {"type": "LineString", "coordinates": degrees},
    }
    moved = to_working(said, FRAME)
    assert np.abs(np.array(moved["footprint"][0]) - metres).max() <= 0.0011
    assert moved["line"] == moved["footprint"][0]
    assert moved["place"] == moved["line"][0]
    assert moved["height_m"] == 9
    assert to_working({"footprint": []}, FRAME) == {"footprint": []}


def test_a_building_moved_to_the_north_of_a_map_goes_north_on_the_ground() -> None:
    centre = FRAME.to_lonlat(np.array([[386_000.0, 6_673_000.0]]))[0]
    north = [centre[0], centre[1] + 0.001]  # along the meridian
    params = to_working({"from": centre.tolist(), "to": north}, FRAME)
    state = State(small_city())
    made = make_edit(Making(state, "s1", 1, "building.move", "h:b1", params))
    was = np.array(state.value("h:b1", "footprint")[0])
    way = (np.array(made.changes[0].new[0]) - was).mean(axis=0)
    length_m = 0.001 * 111_415.2 * 0.99976  # a degree of latitude at 60.17°, by WGS 84; scale 114 km from the meridian
    # Convergence of a transverse Mercator: tan = tan(longitude from the central meridian) sin(latitude).
    turn = np.arctan(np.tan(np.radians(centre[0] - 27.0)) * np.sin(np.radians(centre[1])))
    assert turn < np.radians(-1.5)
    assert way == pytest.approx([-length_m * np.sin(turn), length_m * np.cos(turn)], abs=0.01)
    assert made.title["distance_m"] == pytest.approx(length_m, abs=0.01)


@pytest.mark.parametrize("params", [{"from": [0.0, 0.0]}, {"from": [0.0], "to": [1.0, 1.0]}, {"from": [], "to": []}])
def test_a_way_needs_both_its_ends(params: dict[str, list[float]]) -> None:
    with pytest.raises(EditRefused):
        make_edit(Making(State(small_city()), "s1", 1, "building.move", "h:b1", params))


@pytest.mark.parametrize(
    "place",
    ["here", [181, 0], [0, 91], [1], ["1", "2"], [True, False], [[[[[[1, 2]]]]]], {"type": "Point"}, [[1, 2], 3], 7],
)
def test_what_is_no_place_is_refused(place: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        to_working({"place": place}, FRAME)
    assert refused.value.problem_code == "edit-place"


def test_a_demolished_building_is_drawn_as_it_was() -> None:
    state = State(small_city()).apply([Change("h:b1", "footprint", SQUARE, [[[0.0, 0.0], [5.0, 0.0], [5.0, 5.0]]])])
    gone = object_json(state.apply(RAZED), "h:b1", FRAME)
    assert gone is not None
    assert len(gone["geometry"]["coordinates"][0]) == 5
