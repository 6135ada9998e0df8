"""A shared link brings back what was seen; the second city is drawn as the first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.support.browser import Explorer, changed_share
from tests.support.city_server import CityServer, run_cim

pytestmark = pytest.mark.browser


def test_a_shared_link_brings_everything_back(opened: Callable[..., Page], sample_server: CityServer) -> None:
    first = Explorer(opened(permissions=["clipboard-read", "clipboard-write"]))
    first.open(sample_server.address)
    first.still()
    chosen = first.building()["id"]
    first.evaluate(
        """(app.explore.setLanguage('zh'), app.explore.setTheme('dark'), app.explore.setLayer('trees', false),
            app.explore.setLayer('water-network', true), app.explore.setColour('year'),
            app.map.setView({ zoom: 16.4, bearing: 30, pitch: 41 }),
            app.explore.select({ kind: 'object', id: argument }), true)""",
        chosen,
    )
    first.until("app.state.view && Math.abs(app.state.view.zoom - 16.4) < 0.01")
    first.page.get_by_test_id("copy-link").click()
    link = first.until("navigator.clipboard.readText()")
    assert link.startswith(sample_server.address)

    second = Explorer(opened())
    second.page.goto(link)
    second.until("app && app.state.object.state === 'ready' && app.state.layers.length > 0")
    then, now = first.evaluate("app.map.getView()"), second.evaluate("app.map.getView()")
    for part, within in {"longitude": 1e-5, "latitude": 1e-5, "zoom": 0.01, "pitch": 0.1, "bearing": 0.1}.items():
        assert abs(then[part] - now[part]) <= within, part
    assert second.text("object-id") == chosen
    visible = dict(second.evaluate("app.state.layers.map((l) => [l.id, l.visible])"))
    assert (visible["trees"], visible["water-network"], visible["buildings"]) == (False, True, True)
    assert second.evaluate("app.state.colourBy") == "year"
    assert second.evaluate("[document.documentElement.lang, document.documentElement.dataset.theme]") == [
        "zh-CN",
        "dark",
    ]


@pytest.mark.reference
def test_rotterdam_is_drawn(explorer: Explorer, reference: Path, tmp_path: Path) -> None:
    source = next(iter(sorted((reference / "rotterdam").glob("*.city.json*"))), None)
    if source is None:
        pytest.skip("The Rotterdam reference city is not beside the checkout.")
    data = tmp_path / "rotterdam"
    done = run_cim("ingest", str(source), "--data", str(data))
    assert done.returncode == 0, done.stdout + done.stderr
    with CityServer(data) as server:
        explorer.open(server.address)
        explorer.still()
        drawn = explorer.picture()
        assert explorer.evaluate("app.map.featuresInView().filter((f) => f.kind === 'object').length") > 100
        explorer.evaluate("(app.explore.setLayer('buildings', false), true)")
        explorer.still()
        assert changed_share(drawn, explorer.picture()) > 0.1
        assert explorer.errors == []
        assert explorer.foreign(server.address) == []
