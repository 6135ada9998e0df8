"""A real Chromium that draws WebGL in software, and a page that remembers what it asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.browser import FLAGS, Explorer
from tests.support.city_server import CityServer

DESKTOP = {"width": 900, "height": 480}
PHONE = {"width": 390, "height": 844}


def empty_page(browser: Browser, **options: Any) -> Page:
    """An empty page in a context of its own."""
    context = browser.new_context(**{"viewport": DESKTOP, "reduced_motion": "reduce", "locale": "en-GB", **options})
    page = context.new_page()
    page.set_default_timeout(60_000)
    return page


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as play:
        launched = play.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens empty pages, each in a context of its own: ``opened(viewport=…)``."""
    pages = []

    def make(**options: Any) -> Page:
        pages.append(empty_page(browser, **options))
        return pages[-1]

    yield make
    for page in pages:
        page.context.close()


@pytest.fixture
def explorer(opened: Callable[..., Page]) -> Explorer:
    """A page of a test's own."""
    return Explorer(opened())


@pytest.fixture(scope="module")
def drawn(browser: Browser, sample_server: CityServer) -> Iterator[Explorer]:
    """The map of the sample city, drawn once for all tests of a module; ``at_start`` resets it."""
    page = empty_page(browser)
    explorer = Explorer(page)
    explorer.open(sample_server.address)
    explorer.still()
    yield explorer
    page.context.close()


@pytest.fixture
def city(drawn: Explorer) -> Explorer:
    """The shared map as it was when it had just been drawn."""
    drawn.at_start()
    return drawn


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try a browser scenario again that failed: drawn in software, one frame may hold the page past a deadline.

    What is wrong fails every time; nothing else in the tests is tried twice.
    """
    for item in items:
        if "e2e" in item.path.parts:
            item.add_marker(pytest.mark.flaky(reruns=2))
