"""Everybody can use the pages: axe-core finds nothing serious, and the keyboard reaches all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import PHONE
from tests.support.browser import Explorer
from tests.support.city_server import CityServer

pytestmark = pytest.mark.browser

LOOKS = [("en", "light"), ("zh", "dark"), ("en", "dark"), ("zh", "light")]


def select_a_building(explorer: Explorer) -> None:
    explorer.until("app.map.featuresInView().some((f) => f.kind === 'object')", 60)
    first = explorer.evaluate("app.map.featuresInView().find((f) => f.kind === 'object').id")
    explorer.evaluate("(app.explore.select({ kind: 'object', id: argument }), true)", first)
    explorer.until("app.state.object.state === 'ready'")


def test_axe_finds_nothing_serious_on_the_map(city: Explorer) -> None:
    select_a_building(city)
    for language, theme in LOOKS:
        city.evaluate(f"(app.explore.setLanguage('{language}'), app.explore.setTheme('{theme}'), true)")
        city.until("app.updateComplete.then(() => true)")
        assert city.violations() == [], (language, theme)


def test_axe_finds_nothing_serious_on_a_phone(opened: Callable[..., Page], sample_server: CityServer) -> None:
    explorer = Explorer(opened(viewport=PHONE, has_touch=True))
    explorer.open(sample_server.address)
    select_a_building(explorer)
    for language, theme in LOOKS[:2]:
        explorer.evaluate(f"(app.explore.setLanguage('{language}'), app.explore.setTheme('{theme}'), true)")
        for stop in ("peek", "half", "full"):
            explorer.evaluate(f"(app.explore.setSheet('{stop}', 'layers'), app.updateComplete)")
            assert explorer.violations() == [], (language, theme, stop)
        explorer.evaluate("(app.explore.setSheet('half', 'details'), app.updateComplete)")
        assert explorer.violations() == [], (language, theme, "details")


@pytest.mark.parametrize(("language", "theme"), LOOKS[:2])
def test_axe_finds_nothing_serious_in_the_table_and_the_docs(
    explorer: Explorer, sample_server: CityServer, language: str, theme: str
) -> None:
    explorer.visit(sample_server.address, f"/table?lang={language}&theme={theme}")
    explorer.page.locator("table.dt tbody tr th").first.wait_for()
    assert explorer.violations() == []
    explorer.visit(sample_server.address, f"/docs?lang={language}")
    explorer.page.locator(".swagger-ui .info").wait_for()
    # Inside, swagger-ui is its makers' work; the page around it is ours.
    assert explorer.violations(".swagger-ui") == []
    assert explorer.errors == []


def test_the_keyboard_alone_is_enough(explorer: Explorer, sample_server: CityServer) -> None:
    explorer.open(sample_server.address)
    explorer.still()
    press = explorer.page.keyboard.press
    for _ in range(4):
        press("Tab")
        if explorer.evaluate("document.activeElement instanceof HTMLCanvasElement"):
            break
    assert explorer.evaluate("document.activeElement.getAttribute('aria-label')").startswith("3D map of Central")
    press("Tab")
    first = explorer.until("app.explore.walker.current()?.id")
    press("Tab")
    second = explorer.until("app.explore.walker.current()?.id")
    assert first != second
    press("Shift+Tab")
    assert explorer.evaluate("app.explore.walker.current().id") == first
    press("Enter")
    explorer.until("app.state.object.state === 'ready'")
    assert explorer.text("object-id") == first

    press("Escape")
    press("Escape")
    explorer.until("app.state.selection === null")

    press("/")
    assert explorer.evaluate("document.activeElement.dataset.testid") == "search"
    explorer.page.keyboard.type("Ateneum", delay=20)
    explorer.page.get_by_role("option").first.wait_for()
    press("Enter")
    explorer.until("app.state.selection !== null")

    explorer.evaluate("(document.querySelector('.city-map-canvas').focus(), true)")
    press("m")
    explorer.page.wait_for_url("**/table?**")
    explorer.page.locator("table.dt tbody tr th").first.wait_for()
    assert explorer.errors == []


@pytest.mark.parametrize("width", [320, 390])
def test_small_screens_and_large_text_cut_nothing_off(
    opened: Callable[..., Page], sample_server: CityServer, width: int
) -> None:
    for path in ("/explore?quality=fast", "/table"):
        explorer = Explorer(opened(viewport={"width": width, "height": 640}))
        explorer.visit(sample_server.address, path)
        explorer.page.locator("main, .pg").first.wait_for()
        for size in ("100%", "200%"):
            explorer.page.evaluate("(size) => { document.documentElement.style.fontSize = size; }", size)
            over = explorer.page.evaluate(
                "() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert over <= 0, (path, size)
