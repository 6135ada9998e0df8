"""An exported view, opened from the disk: it asks nobody for anything, draws the city and answers a click."""

from __future__ import annotations

import base64
import io
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.support.browser import changed_share, violations
from tests.support.city_server import run_cim

READY_S: Final = 90.0
BUNDLE = Path(__file__).resolve().parents[2] / "viewer/static/export.js"

READY: Final = """page && page.map && page.ready.has('ground') && page.ready.has('buildings') && page.map.scene.settled
  && page.map.featuresInView().some((f) => f.kind === 'object')"""
SETTLED: Final = "page.map.scene.settled"
# What was just chosen is drawn in the frame after the next.
PIXELS: Final = """new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))
  .then(() => page.map.toImage()).then((blob) => new Promise((done) => {
  const reader = new FileReader(); reader.onload = () => done(reader.result); reader.readAsDataURL(blob); }))"""
TARGET: Final = """(() => {
  const { left, top } = document.querySelector('.map canvas').getBoundingClientRect();
  for (const f of page.map.featuresInView().filter((f) => f.kind === 'object')) {
    const [x, y] = [f.x + left, f.y + top];
    if (!(document.elementFromPoint(x, y) instanceof HTMLCanvasElement)) continue;
    const pick = page.map.pickAt(f.x, f.y);
    const height = pick && pick.kind === 'object' ? pick.properties.height_m : null;
    if (height !== null) return { id: pick.id, height, x, y };
  }
  return null; })()"""


class Exported:
    """The page: what it asked for, what went wrong, what it drew."""

    def __init__(self, page: Page, file: Path) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.goto(f"{file.as_uri()}?quality=fast&lang=en&theme=light", wait_until="domcontentloaded")
        self.until(READY)

    def evaluate(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(
            f"(argument) => {{ const page = document.querySelector('cim-export'); return ({script}); }}", argument
        )

    def until(self, script: str) -> None:
        """Ask again and again: the policy of the page refuses what Playwright waits with."""
        deadline = time.monotonic() + READY_S
        while not self.evaluate(script):
            assert time.monotonic() < deadline, f"not within {READY_S:.0f} s: {script}; {self.errors}"
            time.sleep(0.2)

    def picture(self) -> np.ndarray:
        """The map's own pixels, shape (h, w, 3), its middle part; panels are not in it."""
        encoded = self.evaluate(PIXELS).partition(",")[2]
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB"), dtype=np.int16)
        height, width = pixels.shape[:2]
        return pixels[height // 5 : 4 * height // 5, width // 5 : 4 * width // 5]


@pytest.fixture(scope="module")
def file(sample_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample city's view, exported by the command line from a copy of its directory."""
    if not BUNDLE.is_file():
        pytest.skip("the bundle is not built: make bundle")
    folder = tmp_path_factory.mktemp("exported")
    shutil.copytree(sample_data, folder / "cim-data")
    done = run_cim("export", str(folder / "city.html"), "--data", str(folder / "cim-data"))
    assert done.returncode == 0, done.stderr
    return folder / "city.html"


@pytest.fixture(scope="module")
def exported(browser: Browser, file: Path) -> Iterator[Exported]:
    """The page, opened once: drawing is slow without a graphics card."""
    context = browser.new_context(viewport={"width": 780, "height": 420}, reduced_motion="reduce", locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield Exported(page, file)
    context.close()


def test_it_draws_the_city(exported: Exported) -> None:
    drawn = exported.picture()
    assert len(np.unique(drawn.reshape(-1, 3) // 8, axis=0)) > 40
    exported.evaluate("page.setLayer('buildings', false)")
    exported.until(SETTLED)
    bare = exported.picture()
    exported.evaluate("page.setLayer('buildings', true)")
    exported.until(READY)
    assert changed_share(drawn, bare) > 0.1, "buildings cover much of the middle of the map"


def test_a_click_gives_the_building_and_its_facts(exported: Exported) -> None:
    target = exported.evaluate(TARGET)
    assert target is not None
    exported.page.mouse.click(target["x"], target["y"])
    exported.until("document.querySelector('[data-testid=card]') !== null")
    card = exported.page.get_by_test_id("card")
    assert card.get_by_test_id("object-id").inner_text() == target["id"]
    height = card.get_by_test_id("fact-height_m")
    assert f"{target['height']:.1f} m" in height.inner_text()
    assert "Helsinki.osm.pbf" not in height.inner_text()
    height.locator("summary").press("Enter")
    assert "Helsinki.osm.pbf" in height.inner_text()
    assert "ODbL-1.0" in height.inner_text()


def test_axe_finds_nothing_serious(exported: Exported) -> None:
    assert exported.page.get_by_test_id("card").is_visible(), "the card of the test before is looked at too"
    for language, theme in (("en", "light"), ("zh", "dark")):
        exported.evaluate(f"(page.setLanguage('{language}'), page.setTheme('{theme}'))")
        assert violations(exported.page) == [], (language, theme)
    exported.evaluate("(page.setLanguage('en'), page.setTheme('light'))")


def test_buildings_take_the_colour_of_their_height(exported: Exported) -> None:
    plain = exported.picture()
    exported.page.get_by_test_id("colour-height_m").check(force=True)
    exported.until(SETTLED)
    assert changed_share(plain, exported.picture()) > 0.1
    exported.page.get_by_test_id("colour-none").check(force=True)


def test_the_sun_moves_the_shadows(exported: Exported) -> None:
    before, renders = exported.picture(), exported.evaluate("page.map.shadowRenders")
    exported.evaluate("page.setSun({ date: '2026-06-21', minutes: 8 * 60 })")
    exported.until(f"page.map.shadowRenders > {renders}")
    assert changed_share(before, exported.picture()) > 0.05
    exported.evaluate("page.setSun(null)")


def test_sensors_show_their_last_value(exported: Exported) -> None:
    stream = exported.evaluate("page.content.datastreams.find((d) => d.observed_property === 'pressure_head')")
    exported.evaluate(
        """page.pick({ layerId: 'sensors', id: argument.id, kind: 'sensor', lngLat: argument.location, x: 0, y: 0,
             properties: argument, datastreamId: argument.id })""",
        stream,
    )
    card = exported.page.get_by_test_id("card")
    assert card.get_by_test_id("card-title").inner_text() == stream["name"]["en"]
    assert float(card.get_by_test_id("sensor-value").inner_text()) == pytest.approx(
        stream["latest"]["result"], abs=0.06
    )


def test_it_speaks_both_languages_and_always_says_where_it_is_from(exported: Exported) -> None:
    credits_ = exported.page.get_by_test_id("attribution")
    assert "© OpenStreetMap contributors" in credits_.inner_text()
    assert "generated" in credits_.inner_text()
    assert "Exported" in credits_.inner_text()
    exported.page.get_by_test_id("lang-zh").click()
    assert "OpenStreetMap 贡献者" in credits_.inner_text()
    assert "导出于" in credits_.inner_text()
    assert exported.page.evaluate("document.documentElement.lang") == "zh-CN"
    assert exported.page.get_by_test_id("layers").get_by_text("建筑", exact=True).is_visible()
    exported.page.get_by_test_id("lang-en").click()


def test_nobody_was_asked_for_anything_and_nothing_was_refused(exported: Exported) -> None:
    assert {urlsplit(address).scheme for address in exported.requests} <= {"file", "data", "blob"}
    files = [address for address in exported.requests if urlsplit(address).scheme == "file"]
    assert len(files) == 1, "the page itself, and no file beside it"
    assert exported.errors == []
