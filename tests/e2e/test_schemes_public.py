"""What a resident sees of schemes: cards, the divider by keyboard, what changes, the tour, phone and table."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import PHONE
from tests.support.browser import Explorer
from tests.support.city_server import CityServer

pytestmark = pytest.mark.browser


@pytest.fixture
def compared(opened: Callable[..., Page], sample_server: CityServer) -> Explorer:
    """The page as the sample opens it: a comparison."""
    explorer = Explorer(opened(viewport={"width": 1280, "height": 720}))
    explorer.visit(sample_server.address, "/explore?quality=fast&off=sensors")
    explorer.page.get_by_test_id("changes-panel").wait_for()
    return explorer


def test_the_sample_opens_on_a_comparison_that_keys_can_move(compared: Explorer) -> None:
    page = compared.page
    cards = page.locator("button.sch")
    assert cards.count() == 4
    assert re.search(r"\+\d+ homes, \d+–\d+ storeys", page.get_by_test_id("scheme-B").inner_text())
    handle = page.get_by_test_id("swipe-handle")
    handle.focus()
    before = int(handle.get_attribute("aria-valuenow") or "0")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    compared.until(f"document.querySelector('[data-testid=swipe-handle]').ariaValueNow === '{before - 11}'")
    assert page.get_by_test_id("swipe-position").input_value() == str(before - 11)
    page.get_by_test_id("swipe-position").fill("30")
    page.keyboard.press("Tab")
    compared.until("new URLSearchParams(location.search).get('pos') === '30'")
    assert compared.violations() == []
    assert compared.errors == []


def test_a_card_changes_what_is_told_and_the_link_keeps_it(compared: Explorer) -> None:
    page = compared.page
    page.get_by_test_id("scheme-C").click()
    page.get_by_test_id("changes-panel").get_by_text("What scheme C changes").wait_for()
    page.get_by_test_id("in-short").get_by_text(re.compile(r"new buildings? of")).wait_for()
    page.get_by_test_id("mode-one").click()
    compared.until("/schemes=base,s[a-z2-7]{8}/.test(location.search) && location.search.includes('mode=one')")
    compared.until("document.querySelectorAll('.city-map-canvas').length === 1")
    page.get_by_test_id("reading-people.dwellings").get_by_role("button").click()
    page.get_by_test_id("reading-people.dwellings").get_by_text("Method").wait_for()


def test_the_tour_leads_through_the_scheme(compared: Explorer) -> None:
    page = compared.page
    page.get_by_test_id("tour-start").click()
    page.get_by_test_id("tour").get_by_text("1 of 2").wait_for()
    page.get_by_test_id("tour-next").click()
    page.get_by_test_id("tour").get_by_text("2 of 2").wait_for()
    compared.until("new URLSearchParams(location.search).get('stop') === '2'")
    assert compared.evaluate("app.state.sun !== null")
    page.keyboard.press("Escape")
    page.get_by_test_id("tour").wait_for(state="detached")


def test_a_phone_shows_schemes_first(opened: Callable[..., Page], sample_server: CityServer) -> None:
    explorer = Explorer(opened(viewport=PHONE, has_touch=True))
    explorer.visit(sample_server.address, "/explore?quality=fast&lang=zh&theme=dark&off=sensors")
    explorer.page.get_by_test_id("chip-C").click()
    explorer.page.get_by_test_id("sheet-grip").click()
    explorer.page.locator("button.sch.large[aria-pressed=true] .nam").get_by_text("塔楼").wait_for()
    assert explorer.violations() == []
    explorer.page.locator("#tab-numbers").click()
    explorer.page.get_by_test_id("reading-people.dwellings").wait_for()
    assert explorer.violations() == []


def test_the_table_has_the_same_numbers(explorer: Explorer, sample_server: CityServer) -> None:
    explorer.visit(sample_server.address, "/table?set=schemes")
    table = explorer.page.get_by_test_id("schemes-table")
    table.wait_for()
    assert table.locator("thead th").count() == 7
    assert table.get_by_role("rowheader", name="Homes", exact=True).count() == 1
    assert explorer.violations() == []
