"""A city half a kilometre above the sea: the camera looks at it, and what stands on its ground is drawn there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from tests.support.browser import Explorer
from tests.support.city_server import CityServer, run_cim
from tests.support.hill_city import SIDE, write_hillside

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

MIDDLE = SIDE * SIDE // 2 + SIDE // 2


@pytest.fixture(scope="module")
def hillside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CityServer]:
    folder = tmp_path_factory.mktemp("hill")
    source = write_hillside(folder / "hill.city.json")
    done = run_cim("ingest", str(source), "--data", str(folder / "data"), "--dataset", "hill")
    assert done.returncode == 0, done.stderr
    with CityServer(folder / "data") as server:
        yield server


def test_houses_and_trees_stand_on_the_ground_before_the_camera(
    opened: Callable[..., Page], hillside: CityServer
) -> None:
    explorer = Explorer(opened())
    explorer.open(hillside.address, "&lang=en")
    house, tree = f"hill:h{MIDDLE}", f"hill:t{MIDDLE}"
    explorer.until("app.map.screenPositionOf(argument) !== null", 60, tree)
    place = hillside.get(f"/ogc/collections/trees/items/{tree}").json()["geometry"]["coordinates"]
    explorer.evaluate("app.map.setView({longitude: argument[0], latitude: argument[1], zoom: 18, pitch: 55})", place)
    explorer.until("app.map.isIdle", 60)
    width, height = explorer.evaluate(
        "(() => { const box = document.querySelector('.city-map-canvas').getBoundingClientRect();"
        " return [box.width, box.height]; })()"
    )
    at_house = explorer.evaluate("app.map.screenPositionOf(argument)", house)
    at_tree = explorer.evaluate("app.map.screenPositionOf(argument)", tree)
    # The house is known by its tile alone, the tree by its feature and the ground: 9 m from middle to middle.
    metres = explorer.evaluate("app.map.metresPerPixel()")
    assert math.dist(at_house, at_tree) < 16 / metres
    assert math.dist(at_house, (width / 2, height / 2)) < 60 / metres
    # What the eye meets under the house's roof is the house, and the ground under the tree is where the tree stands.
    assert explorer.evaluate("app.map.pickAt(...argument)?.id", at_house) == house
    lon, lat = explorer.evaluate("app.map.unproject(...argument)", at_tree)
    assert math.dist((lon, lat), place[:2]) * 111_320 < 1.0
    assert explorer.errors == []
