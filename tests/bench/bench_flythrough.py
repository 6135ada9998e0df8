"""What a map loads and holds that flies through a city: ``python -m tests.bench.bench_flythrough [--tokyo]``.

A real server, a real Chromium: the bytes are those that its network events count, the memory is what the page's own
tile cache counts (arrays that it decoded; the graphics card holds those that are drawn once more) and, beside it, the
heap that the browser reports.  The city is generated; ``--tokyo`` takes the footprints of central Tokyo from the
shared data.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyogrio
from playwright.sync_api import Page, sync_playwright

from cim.city.columns import attributes_from_json
from tests.bench.bench_tiles import REFERENCE, generated, tokyo
from tests.conftest import CHROMIUM_HINT, chromium_path
from tests.support.browser import FLAGS, Explorer
from tests.support.city_server import CityServer, run_cim

MB: Final = 1_000_000
FIRST_MB: Final = 5.0
HELD_MB: Final = 300.0
SIZE: Final = {"width": 1280, "height": 800}
SETTLED_S: Final = 240.0
_HELD: Final = "app.map.scene.held"
_LOADED: Final = """app.map.scene.settled && app.state.layers.every((l) => !l.visible || l.phase !== 'loading')"""


class Wire:
    """Bytes over the wire, as the browser counts them, by what was asked for."""

    def __init__(self, page: Page) -> None:
        self.asked: dict[str, str] = {}
        self.bytes: dict[str, int] = {}
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.loadingFinished", self._came)
        session.on("Network.webSocketFrameReceived", self._heard)

    def _asked(self, event: dict[str, Any]) -> None:
        self.asked[event["requestId"]] = event["request"]["url"]

    def _came(self, event: dict[str, Any]) -> None:
        url = self.asked.get(event["requestId"], "")
        self.bytes[url] = self.bytes.get(url, 0) + int(event["encodedDataLength"])

    def _heard(self, event: dict[str, Any]) -> None:
        self.bytes["/live"] = self.bytes.get("/live", 0) + len(event["response"]["payloadData"])

    def of(self, part: str = "") -> int:
        """Bytes of all addresses that contain a part."""
        return sum(count for url, count in self.bytes.items() if part in url)


def city(data: Path, count: int, *, real: bool) -> None:
    """Take blocks into a city and draw them, as anybody would."""
    objects, _, frame = tokyo() if real else generated(count)
    source = data.parent / "blocks.gpkg"
    heights = np.array([attributes_from_json(text)["height_m"].value for text in objects["attributes"].to_pylist()])
    pyogrio.raw.write(
        source,
        geometry=np.array(objects["place"].to_pylist(), dtype=object),
        geometry_type="Polygon",
        field_data=[np.array(objects["id"].to_pylist(), dtype=object), heights.astype(np.float64)],
        fields=np.array(["building_id", "height"]),
        layer="buildings",
        driver="GPKG",
        crs=frame.crs,
    )
    begun = time.monotonic()
    done = run_cim("ingest", str(source), "--data", str(data), "--dataset", "bench", timeout_s=3600)
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    print(f"{objects.num_rows:,} buildings taken in and drawn in {time.monotonic() - begun:.0f} s")
    source.unlink()


def flight(west: float, south: float, east: float, north: float) -> Iterator[dict[str, float]]:
    """Views of a flight: down over the middle, then from corner to corner low above the roofs, turning."""
    middle = ((west + east) / 2, (south + north) / 2)
    for zoom in np.linspace(12.5, 17.0, 10):
        yield {"longitude": middle[0], "latitude": middle[1], "zoom": float(zoom), "pitch": 45.0, "bearing": 20.0}
    for number, share in enumerate(np.linspace(0.1, 0.9, 24)):
        yield {
            "longitude": west + share * (east - west),
            "latitude": south + share * (north - south),
            "zoom": 16.0,
            "pitch": 60.0,
            "bearing": -180.0 + 15.0 * number,
        }


def box(server: CityServer) -> Sequence[float]:
    """West, south, east, north of the city."""
    found: Sequence[float] = server.get("/api/v1/city").json()["bbox"]
    return found


def fly(page: Page, server: CityServer, limit: int) -> None:
    """Open the city, fly, say what it took and what is over the aim."""
    wire, explorer = Wire(page), Explorer(page)
    explorer.visit(server.address, "/explore?quality=fast&lang=en")
    explorer.until("app && app.map && app.state.layers.length > 0", SETTLED_S)
    explorer.until(f"{_LOADED} && app.map.featuresInView().some((f) => f.kind === 'object')", SETTLED_S)
    first, of_tiles = wire.of(), wire.of("/tiles/")
    print(f"  first picture {first / MB:8.2f} MB over the wire, {of_tiles / MB:.2f} MB of tiles (aim {FIRST_MB:.0f})")
    most = heap = 0.0
    views = list(flight(*box(server)))[:limit]
    for view in views:
        explorer.evaluate("(app.map.setView(argument, false), true)", view)
        explorer.until(_LOADED, SETTLED_S)
        held = explorer.evaluate(_HELD)
        most = max(most, held["bytes"])
        heap = max(heap, explorer.evaluate("performance.memory ? performance.memory.usedJSHeapSize : 0"))
    sent = wire.of("/tiles/")
    print(
        f"  flight of {len(views)} views: {sent / MB:.1f} MB of tiles sent; at the end {held['tiles']} tiles held\n"
        f"  tile content  {most / MB:8.1f} MB in arrays at most, {2 * most / MB:.1f} MB with the graphics card's "
        f"(aim {HELD_MB:.0f})\n"
        f"  heap          {heap / MB:8.1f} MB at most, all of the page"
    )
    if explorer.errors:
        print("  the page said: " + "; ".join(explorer.errors[:3]))
    over = [name for name, is_over in (("first", first > FIRST_MB * MB), ("held", 2 * most > HELD_MB * MB)) if is_over]
    print(f"  over the aim: {', '.join(over) or 'nothing'}")


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--buildings", type=int, default=258_000)
    parser.add_argument("--tokyo", action="store_true")
    parser.add_argument("--views", type=int, default=10_000, help="of the flight, at most")
    parser.add_argument("--data", type=Path, help="a city that is there already; it is not written to")
    wanted = parser.parse_args()
    chromium = chromium_path()
    if chromium is None:
        print(CHROMIUM_HINT)
        return
    if wanted.tokyo and not (REFERENCE / "tokyo").is_dir():
        raise SystemExit("The footprints of Tokyo are not beside the checkout; leave --tokyo out.")
    with tempfile.TemporaryDirectory() as folder:
        data = wanted.data or Path(folder) / "city"
        if wanted.data is None:
            city(data, wanted.buildings, real=wanted.tokyo)
        with CityServer(data) as server, sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium, args=[*FLAGS, "--enable-precise-memory-info"])
            page = browser.new_context(viewport=SIZE, reduced_motion="reduce").new_page()
            fly(page, server, wanted.views)
            browser.close()


if __name__ == "__main__":
    main()
