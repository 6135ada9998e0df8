"""The report on a delivery in a browser: what was found, in both languages, and the way from a fault to the map."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import PHONE
from tests.support.browser import Explorer
from tests.support.city_server import CityServer, run_cim
from tests.support.faulty_city import write_cubes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

OPEN = "two:open"
"""The cube without a floor."""


class Reader(Explorer):
    """The report, as a person reads it."""

    element = "cim-quality"

    def read(self, address: str, job: str, query: str = "") -> None:
        self.visit(address, f"/jobs/{job}/quality{query}")
        self.page.get_by_test_id("worst").first.wait_for()

    def rows(self, group: str) -> list[list[str]]:
        """What the first table after a group's heading says, cell by cell, without the bars."""
        return self.evaluate(
            """(() => {
              const table = document.getElementById(argument).nextElementSibling.querySelector('table');
              const said = (row) => [...row.cells].map((cell) => cell.innerText.trim());
              return [...table.tBodies[0].rows].map(said); })()""",
            group,
        )


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[CityServer, str]]:
    folder = tmp_path_factory.mktemp("faulty")
    source = write_cubes(folder / "two.city.json")
    done = run_cim("ingest", str(source), "--data", str(folder / "data"), "--dataset", "two")
    assert done.returncode == 0, done.stderr
    with CityServer(folder / "data") as server:
        jobs = server.get("/api/v1/jobs").json()["items"]
        yield server, next(job["id"] for job in jobs if job["kind"] == "ingest")


def test_counts_stand_by_code_and_the_worst_feature_is_a_click_away(
    opened: Callable[..., Page], delivered: tuple[CityServer, str]
) -> None:
    server, job = delivered
    reader = Reader(opened())
    reader.read(server.address, job, "?lang=en&theme=light")
    said = server.get(f"/api/v1/jobs/{job}/quality").json()
    geometry = [fault for fault in said["faults"] if fault["group"] == "geometry"]
    shown = reader.rows("geometry")
    assert [(row[0], row[2], row[3]) for row in shown] == [
        (fault["code"], str(fault["objects"]), str(fault["occurrences"])) for fault in geometry
    ]
    assert [row[0] for row in shown] == ["302"]
    assert "A shell is not closed" in shown[0][1]
    assert any("Built in the future" in row[0] for row in reader.rows("attributes"))
    assert reader.violations() == []
    reader.page.get_by_test_id("theme").click()
    assert reader.violations() == []
    assert reader.foreign(server.address) == []
    link = reader.page.get_by_test_id("worst").first
    assert link.inner_text() == OPEN
    link.click()
    reader.page.wait_for_url(re.compile(r"/explore\?"))
    explorer = Explorer(reader.page)
    explorer.until("app && app.map && app.state.object.state === 'ready'", 90)
    assert explorer.evaluate("[app.state.selection.kind, app.state.selection.id]") == ["object", OPEN]
    # The camera has flown: it looks at the cube from near.
    place = geometry[0]["worst"][0]["place"]
    view = explorer.evaluate("app.map.getView()")
    assert view["zoom"] > 17
    assert (view["longitude"], view["latitude"]) == pytest.approx(place[:2], abs=3e-4)
    # The card says the same in plain words, and leads back.
    assert "A shell is not closed" in explorer.text("validity")
    back = explorer.page.get_by_test_id("quality-link")
    assert back.get_attribute("href") == f"/jobs/{job}/quality#f-302"
    assert explorer.violations() == []


def test_it_speaks_chinese_and_fits_a_phone(opened: Callable[..., Page], delivered: tuple[CityServer, str]) -> None:
    server, job = delivered
    reader = Reader(opened(viewport=PHONE, has_touch=True))
    reader.read(server.address, job, "?lang=zh&theme=light")
    assert reader.evaluate("document.documentElement.lang") == "zh-CN"
    assert "壳未闭合" in reader.rows("geometry")[0][1]
    assert "A shell is not closed" not in reader.page.inner_text("body")
    assert reader.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert reader.violations() == []
    reader.page.get_by_test_id("language").click()
    assert "A shell is not closed" in reader.rows("geometry")[0][1]
    assert reader.evaluate("document.documentElement.lang") == "en"


def test_a_job_without_a_report_says_so(opened: Callable[..., Page], delivered: tuple[CityServer, str]) -> None:
    server, _ = delivered
    reader = Reader(opened())
    reader.visit(server.address, "/jobs/nothing/quality?lang=en")
    reader.page.locator("html[data-ready=failed]").wait_for()
    assert reader.page.get_by_role("link", name="Back to the map").get_attribute("href") == "/explore"
