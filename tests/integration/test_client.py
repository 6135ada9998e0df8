"""A notebook's morning: the Python client against a real server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cim.client import City, CityProblem, open_city
from tests.support.city_server import CityServer

SQUARE = (24.9442, 60.1711)


def buildings_over(city: City, height_m: float) -> list[str]:
    """The ids of higher buildings, picked out of all of them."""
    every = city.features("buildings")
    return every.index[every["height_m"] > height_m].tolist()


@pytest.fixture(scope="module")
def served(sample_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and planner token of a city of its own."""
    copy = tmp_path_factory.mktemp("client") / "cim-data"
    shutil.copytree(sample_data, copy)
    with CityServer(copy) as server:
        yield server.address, (copy / "planner-token").read_text("ascii").strip()


@pytest.fixture
def city(served: tuple[str, str]) -> Iterator[City]:
    with open_city(served[0], served[1], author="Lin Yue 林悦") as opened:
        yield opened


def test_the_city_and_its_objects_as_tables(city: City) -> None:
    assert "helsinki" in repr(city)
    found = city.search("Ateneum")
    card = city.object(found.loc[0, "id"])
    assert card["name"].startswith("Ateneum")
    buildings = city.features("buildings", bbox=(24.943, 60.170, 24.947, 60.172))
    tall = city.features("buildings", where="height_m > 25")
    assert set(tall.index) == set(buildings_over(city, 25.0)) != set()
    assert found.loc[0, "id"] in buildings.index
    assert buildings["height_m"].notna().all()
    assert {"land.floor_area", "people.dwellings"} <= set(city.indicators().index)
    assert "courtyard" in city.massings().index


def test_branch_edit_read_compare_publish(city: City) -> None:
    scheme = city.branch("Lower tower", zh="降低塔楼")
    made = scheme.add_massing("tower", SQUARE, numbers={"storeys": 12, "width_m": 20, "depth_m": 20})
    first = scheme.indicators()
    assert (first["state"] == "ready").all()
    # 20 m by 20 m by 12 storeys, to the square millimetre that coordinates are rounded to.
    assert first.loc["land.floor_area", "delta"] == pytest.approx(4_800.0, abs=1.0)
    scheme.set_storeys(made[0], 6)
    scheme.set_use(made[0], "office", storeys=[0])
    second = scheme.indicators()
    assert second.loc["land.floor_area", "delta"] == pytest.approx(2_400.0, abs=1.0)
    assert second.loc["people.jobs", "delta"] > 0
    log = scheme.edits()
    assert list(log["kind"]) == ["massing.add", "building.storeys", "building.use"]
    assert set(log["author"]) == {"Lin Yue 林悦"}
    scheme.undo()
    assert (scheme.diff()["field"] == "storeys").sum() == 1
    scheme.redo()
    both = city.compare(["base", scheme])
    assert both.loc["land.floor_area", scheme.id] == pytest.approx(second.loc["land.floor_area", "value"])
    assert scheme.publish() == 1
    assert city.schemes().loc[scheme.id, "state"] == "published"
    scheme.withdraw()
    assert scheme.summary["state"] == "withdrawn"


def test_a_building_drawn_by_hand_stands_where_it_was_drawn(city: City) -> None:
    scheme = city.branch("Drawn")
    west, south = SQUARE
    corners = [(west, south), (west, south + 1e-4), (west + 2e-4, south + 1e-4), (west + 2e-4, south)]
    made = scheme.add_building(corners, storeys=4, use="residential")
    (ring,) = city.features("buildings", scheme=scheme.id).loc[made, "geometry"]["coordinates"]
    assert {tuple(round(value, 6) for value in point) for point in ring} == {
        (round(x, 6), round(y, 6)) for x, y in corners
    }
    scheme.demolish(made)
    assert made not in city.features("buildings", scheme=scheme.id).index


def test_two_branches_that_disagree_are_told_so(city: City) -> None:
    ours, theirs = city.branch("Ours"), city.branch("Theirs")
    target = city.search("Ateneum").loc[0, "id"]
    ours.set_storeys(target, 5)
    theirs.set_storeys(target, 7)
    answer = ours.merge(theirs)
    assert not answer["merged"]
    (conflict,) = answer["conflicts"]
    assert (conflict["target"], conflict["field"]) == (target, "storeys")
    assert (len(conflict["ours"]), len(conflict["theirs"])) == (5, 7)
    assert ours.merge(theirs, {f"{target}|storeys": "theirs"})["merged"]


def test_what_is_refused_is_a_problem_with_a_code(served: tuple[str, str], city: City) -> None:
    scheme = city.branch("Refused")
    with pytest.raises(CityProblem) as caught:
        scheme.add_massing("tower", SQUARE, numbers={"storeys": 10_000})
    assert caught.value.status == 422
    with open_city(served[0]) as visitor, pytest.raises(CityProblem) as caught:
        visitor.branch("Not mine to make")
    assert caught.value.status == 401
    with pytest.raises(CityProblem, match="unreachable"):
        open_city("http://127.0.0.1:9")
