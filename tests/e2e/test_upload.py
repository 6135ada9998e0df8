"""A GIS officer on the upload page: files in, a look at them, into the city, and back out.

The city is empty at first and a module's own; its steps follow each other in one test.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyogrio
import pytest
import shapely
from playwright.sync_api import Page

from tests.e2e.conftest import PHONE
from tests.support.browser import Explorer
from tests.support.city_server import CityServer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

WAIT_S = 180.0


class Uploader(Explorer):
    """The upload page."""

    element = "cim-upload"

    def bring(self, *paths: Path, folder: bool = False) -> None:
        self.page.get_by_test_id("choose-folder" if folder else "choose-files").set_input_files(list(paths))

    def see(self, testid: str) -> None:
        self.page.get_by_test_id(testid).first.wait_for(timeout=WAIT_S * 1000)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CityServer]:
    with CityServer(tmp_path_factory.mktemp("empty") / "cim-data") as running:
        yield running


@pytest.fixture
def officer(opened: Callable[..., Page], server: CityServer) -> Uploader:
    uploader = Uploader(opened())
    uploader.visit(server.address, f"/upload#token={token_of(server)}")
    uploader.page.get_by_test_id("choose-files").wait_for(state="attached")
    return uploader


def token_of(server: CityServer) -> str:
    return (server.data / "planner-token").read_text().strip()


def ring(column: int, row: int) -> list[list[float]]:
    x, y = 24.9428 + column * 0.0005, 60.1705 + row * 0.0003
    return [[x, y], [x + 0.0003, y], [x + 0.0003, y + 0.00018], [x, y + 0.00018], [x, y]]


def write_roofs(path: Path) -> Path:
    features: list[dict[str, Any]] = [
        {
            "type": "Feature",
            "properties": {"OBJECTID": 10 * c + r, "HEIGHT_FT": 30 + c, "FLOORS": 3, "REMARK": f"House {c}{r}"},
            "geometry": {"type": "Polygon", "coordinates": [ring(c, r)]},
        }
        for c in range(4)
        for r in range(3)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def write_shapes(folder: Path) -> Path:
    """A shapefile whose .prj was lost on the way, as they are."""
    folder.mkdir()
    shed = shapely.box(25_496_900, 6_673_100, 25_496_920, 6_673_110)
    pyogrio.raw.write(
        folder / "sheds.shp",
        geometry=np.array([shapely.to_wkb(shed)], dtype=object),
        geometry_type="Polygon",
        field_data=[np.array([4.5])],
        fields=np.array(["HEIGHT"]),
        driver="ESRI Shapefile",
    )
    (folder / "notes.tmp").write_bytes(b"")
    return folder


def test_files_go_in_and_come_out_again(officer: Uploader, server: CityServer, tmp_path: Path) -> None:
    officer.bring(write_roofs(tmp_path / "roofs.geojson"))
    officer.see("found")
    assert officer.text("upload-name") == "roofs"
    assert "12" in officer.text("found")
    assert officer.page.get_by_test_id("map-height_m").input_value() == "HEIGHT_FT"
    assert officer.violations() == []
    officer.page.get_by_test_id("map-name").select_option("REMARK")
    officer.page.get_by_test_id("dataset").fill("Old roofs")
    officer.page.get_by_test_id("dataset").press("Tab")
    # What was changed is looked at before it goes in.
    assert officer.page.get_by_test_id("ingest").is_disabled()
    officer.page.get_by_test_id("look-again").click()
    officer.until("app.desk.state.look?.state === 'succeeded' && !app.desk.state.changed", WAIT_S)
    assert officer.evaluate("app.map === null || app.map.scene.overlay.content.areas.length") in {True, 12}
    officer.page.get_by_test_id("ingest").click()
    officer.see("done")
    job = officer.evaluate("app.desk.state.job.id")
    assert officer.page.get_by_test_id("quality").get_attribute("href") == f"/jobs/{job}/quality"
    found = read(server, "/api/v1/search?q=House%2000")["items"]
    assert [one["id"] for one in found] == ["old-roofs:0"]
    assert read(server, f"/api/v1/objects/{found[0]['id']}")["name"] == "House 00"
    # What is in the city is not kept a second time.
    deadline = time.monotonic() + 20
    while list((server.data / "uploads").iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    officer.page.get_by_test_id("lang-zh").click()
    officer.page.get_by_test_id("theme").click()
    assert officer.violations() == []
    officer.page.get_by_test_id("undo").click()
    officer.until("app.desk.state.undo?.state === 'succeeded'", WAIT_S)
    assert read(server, "/api/v1/search?q=House%2000")["items"] == []
    assert officer.foreign(server.address) == []


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_a_folder_without_a_coordinate_system_says_what_it_needs(
    opened: Callable[..., Page], server: CityServer, tmp_path: Path
) -> None:
    officer = Uploader(opened(viewport=PHONE, has_touch=True))
    officer.visit(server.address, "/upload")
    officer.page.get_by_test_id("token-field").fill("not-the-token-of-this-server")
    officer.page.get_by_test_id("token-field").press("Enter")
    officer.page.get_by_role("alert").wait_for()
    officer.page.get_by_test_id("token-field").fill(token_of(server))
    officer.page.get_by_test_id("token-field").press("Enter")
    officer.page.get_by_test_id("choose-folder").wait_for(state="attached")
    officer.bring(write_shapes(tmp_path / "bureau"), folder=True)
    officer.see("job-failed")
    assert officer.page.get_by_test_id("job-failed").get_attribute("data-code") == "crs-missing"
    assert officer.page.get_by_test_id("ingest").is_disabled()
    assert officer.violations() == []
    officer.page.get_by_test_id("crs").fill("EPSG:3879")
    officer.page.get_by_test_id("crs").press("Tab")
    officer.page.get_by_test_id("look-again").click()
    officer.see("found")
    assert officer.page.get_by_test_id("ingest").is_enabled()
    assert officer.evaluate("document.documentElement.scrollWidth <= innerWidth")
    officer.page.get_by_test_id("remove").click()
    officer.page.get_by_test_id("choose-files").wait_for(state="attached")
    assert read(server, "/api/v1/uploads", token_of(server))["items"] == []


def read(server: CityServer, path: str, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = httpx.get(server.address + path, headers=headers, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()
