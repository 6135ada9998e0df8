"""The pages keep to themselves: no request leaves the origin, and nothing is logged as an error."""

from __future__ import annotations

import pytest

from tests.support.browser import Explorer
from tests.support.city_server import CityServer

pytestmark = pytest.mark.browser


def test_nothing_is_asked_of_others_and_nothing_is_logged(explorer: Explorer, sample_server: CityServer) -> None:
    explorer.open(sample_server.address)
    explorer.still()
    target = explorer.building()
    explorer.page.mouse.click(target["x"], target["y"])
    explorer.until("app.state.object.state === 'ready' && app.state.live.status === 'live'")
    for path in ("/table", "/docs"):
        explorer.visit(sample_server.address, path)
        explorer.page.wait_for_load_state("networkidle")
        assert explorer.page.locator("main").first.inner_text().strip()
    assert explorer.foreign(sample_server.address) == []
    assert explorer.errors == []
    assert any(url.startswith("ws://") for url in explorer.requests)


def test_the_detector_of_foreign_requests_trips(explorer: Explorer, sample_server: CityServer) -> None:
    """A planted fault: pages that do ask another host, with and without a policy that stops them."""
    other = "http://elsewhere.invalid/pixel.png"
    planted = f"{sample_server.address}/planted"
    explorer.page.route(other, lambda route: route.abort())
    explorer.page.route(
        planted, lambda route: route.fulfill(content_type="text/html", body=f'<main>planted</main><img src="{other}">')
    )
    explorer.page.goto(planted, wait_until="load")
    assert explorer.foreign(sample_server.address) == [other]

    watched = Explorer(explorer.page.context.new_page())
    watched.visit(sample_server.address, "/table")
    watched.page.evaluate("(url) => fetch(url).catch(() => null)", other)
    assert any("elsewhere.invalid" in text for text in [*watched.errors, *watched.foreign(sample_server.address)])
