"""CesiumJS, as it comes from its package, loads the tiles, picks a building and reads what its property table says."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyproj
import pytest
from playwright.sync_api import sync_playwright

from cim.city.model import CityObject
from tests.support.browser import FLAGS
from tests.support.tile_city import CRS, block, box_surfaces, grid_city, rectangle, tables
from tiles.build import build_tileset
from tiles.frame import TileFrame

CESIUM = Path(__file__).resolve().parents[2] / "viewer/web/node_modules/cesium/Build/Cesium"
PAGE = b"""<!doctype html><title>Cesium</title><div id="map" style="width:320px;height:240px"></div>
<script>window.CESIUM_BASE_URL = '/cesium/';</script><script src="/cesium/Cesium.js"></script>"""
SHOW = """async ([lon, lat]) => {
  const bare = { baseLayer: false, globe: false, skyBox: false, skyAtmosphere: false };
  const widget = new Cesium.CesiumWidget('map', bare);
  const { scene } = widget;
  const failed = [];
  const tileset = await Cesium.Cesium3DTileset.fromUrl('/tiles/tileset.json', { maximumScreenSpaceError: 1 });
  tileset.tileFailed.addEventListener((failure) => failed.push(String(failure.message)));
  scene.primitives.add(tileset);
  scene.camera.setView({
    destination: Cesium.Cartesian3.fromDegrees(lon, lat, 160),
    orientation: { heading: 0, pitch: Cesium.Math.toRadians(-90), roll: 0 },
  });
  await new Promise((done) => tileset.initialTilesLoaded.addEventListener(done));
  let names = [];
  let picked;
  // The first tiles may be coarse ones: the finest are drawn a little later, in software much later.
  for (const end = performance.now() + 60000; !names.includes('id') && performance.now() < end;) {
    scene.render();
    picked = scene.pick(new Cesium.Cartesian2(160, 120));
    names = picked ? picked.getPropertyIds() : [];
    await new Promise((done) => setTimeout(done, 200));
  }
  return { failed, facts: Object.fromEntries(names.map((name) => [name, picked.getProperty(name)])) };
}"""


class Handler(SimpleHTTPRequestHandler):
    """Serves the page, the package and the tiles, each under its own name."""

    def __init__(self, *given: Any, tiles: Path, **named: Any) -> None:
        self.tiles = tiles
        super().__init__(*given, **named)

    def translate_path(self, path: str) -> str:
        """Return the file of an address."""
        first, _, rest = path.partition("?")[0].lstrip("/").partition("/")
        return str({"cesium": CESIUM, "tiles": self.tiles}.get(first, self.tiles) / rest)

    def do_GET(self) -> None:
        """Answer with the page, or with a file."""
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_given: Any) -> None:
        """Say nothing."""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    if not CESIUM.is_dir():
        pytest.skip("Needs viewer/web/node_modules: make setup.")
    city = [
        *grid_city(500),
        block("test:tower", rectangle(-200, -200, 60, 60), 40.0, name="Tower 塔", year_of_construction=1987),
        CityObject("test:cube", "Building", geometries=(box_surfaces(-400, -40, 0, 12, 9),)),
    ]
    build_tileset(*tables(city), TileFrame(CRS, "flat", "Test", 1), tmp_path / "tiles", compress=False)
    serve = functools.partial(Handler, tiles=tmp_path / "tiles")
    server = ThreadingHTTPServer(("127.0.0.1", 0), serve)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_cesium_picks_a_building_and_reads_its_properties(address: str, chromium: str) -> None:
    way = pyproj.Transformer.from_crs(CRS, 4326, always_xy=True)
    place = rectangle(-200, -200, 60, 60).centroid
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 360, "height": 280})
        page.set_default_timeout(90_000)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        found = page.evaluate(SHOW, [*way.transform(place.x, place.y)])
        browser.close()
    assert found["failed"] == []
    facts = found["facts"]
    assert (facts["id"], facts["name"], facts["year"]) == ("test:tower", "Tower 塔", 1987)
    assert facts["height_m"] == pytest.approx(40.0)
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
