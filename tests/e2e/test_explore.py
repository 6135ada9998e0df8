"""The map: buildings are drawn, and each can be picked, read and coloured."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.support.browser import READY_S, Explorer, changed_share
from tests.support.city_server import CityServer

pytestmark = pytest.mark.browser


def test_buildings_are_drawn(city: Explorer) -> None:
    drawn = city.picture()
    assert changed_share(drawn, city.picture()) < 0.03, "the same view is drawn the same"
    city.page.get_by_test_id("layer-buildings").click()
    city.until("!app.map.scene.isVisible('buildings')")
    city.still()
    assert changed_share(drawn, city.picture()) > 0.25


def test_a_click_gives_the_buildings_id_and_facts(city: Explorer, sample_server: CityServer) -> None:
    target = city.building()
    city.page.mouse.click(target["x"], target["y"])
    city.until("app.state.object.state === 'ready'")
    assert city.text("object-id") == target["id"]

    told = sample_server.get(f"/api/v1/objects/{quote(target['id'], safe='')}").json()
    shown = city.evaluate("app.state.object.value")
    for part in ("id", "type", "name", "attributes", "provenance"):
        assert shown[part] == told[part]
    height = next(a for a in told["attributes"] if a["name"] == "height_m")
    fact = city.text("fact-height_m")
    assert f"{height['value']:.1f} m" in fact
    assert height["quality"] in fact
    # Where a fact comes from opens with it.
    city.page.get_by_test_id("fact-height_m").get_by_role("button").click()
    source = next(p for p in told["provenance"] if p["dataset"] == height["source"])
    assert source["title"] in city.text("fact-height_m")
    assert source["licence"] in city.text("fact-height_m")


def test_a_drag_moves_the_camera_and_selects_nothing(city: Explorer) -> None:
    target = city.building()
    before = city.evaluate("app.map.getView()")
    mouse = city.page.mouse
    mouse.move(target["x"], target["y"])
    mouse.down()
    mouse.move(target["x"] + 60, target["y"] + 20, steps=4)
    mouse.up()
    city.until("app.map.getView().longitude !== argument", argument=before["longitude"])
    assert city.evaluate("app.state.selection") is None


def test_a_selected_building_wears_its_colour(city: Explorer, sample_server: CityServer) -> None:
    # A large one, seen from near: a tenth of the picture, wherever the city is first looked at from.
    found = sample_server.get("/api/v1/search?q=Ateneum").json()["items"]
    museum = next(item for item in found if item["type"] == "Building")
    target = museum["id"]
    city.evaluate("(app.map.centreOn(argument, 16.5), true)", museum["centroid"])
    # Sensors are blue too, and change by themselves.
    city.evaluate("(app.map.setLayerVisible('sensors', false), true)")
    city.still()
    plain = city.picture()
    city.evaluate("(app.explore.select({ kind: 'object', id: argument }), true)", target)
    city.still()
    chosen = city.picture()
    assert changed_share(plain, chosen, 40) < 0.2, "one building changed, not the city"
    assert blue_share(plain) == 0.0, "nothing else is blue"
    assert blue_share(chosen) > 0.03


def blue_share(pixels: np.ndarray) -> float:
    """The share of pixels in the blue of a selection; water is paler."""
    return float((pixels[..., 2] - pixels[..., 0] > 70).mean())


def test_colouring_by_height_changes_pixels_and_shows_its_legend(city: Explorer) -> None:
    plain = city.picture()
    assert city.page.get_by_test_id("legend").count() == 0
    city.page.get_by_test_id("colour-by").get_by_text("Height", exact=True).click()
    city.until("app.map.scene.colourBy?.attribute === 'height_m'")
    assert "Height above ground, m" in city.text("legend")
    city.still()
    assert changed_share(plain, city.picture(), 40) > 0.1


def test_a_touch_selects_on_a_phone(opened: Callable[..., Page], sample_server: CityServer) -> None:
    explorer = Explorer(opened(viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True))
    explorer.open(sample_server.address)
    explorer.still()
    target = explorer.building()
    explorer.page.touchscreen.tap(target["x"], target["y"])
    explorer.until("app.state.object.state === 'ready'")
    assert explorer.evaluate("app.state.object.value.id") == target["id"]
    # The sheet came up to half with the facts, and steps on to full, to peek, and back.
    stops = []
    for _ in range(3):
        stops.append(explorer.evaluate("app.state.sheet"))
        explorer.page.get_by_test_id("sheet-grip").tap()
    assert stops == ["half", "full", "peek"]
    assert explorer.errors == []


def test_a_page_whose_graphics_are_taken_away_says_so_and_draws_again(
    explorer: Explorer, sample_server: CityServer
) -> None:
    explorer.open(sample_server.address)
    explorer.evaluate(
        """(document.querySelector('.city-map-canvas').getContext('webgl2')
            .getExtension('WEBGL_lose_context').loseContext(), true)"""
    )
    again = explorer.page.get_by_test_id("map-again")
    again.wait_for()
    assert "graphics" in explorer.page.locator(".mapfail").inner_text()
    with explorer.page.expect_navigation():
        again.click()
    explorer.until("app && app.map && app.map.scene.settled && app.map.featuresInView().length > 0", READY_S)
    assert explorer.page.locator(".mapfail").count() == 0
