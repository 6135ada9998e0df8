"""Refresh the pictures in ``docs/pictures``: ``make pictures``, or ``python -m tests.pictures [name …]``.

Chromium draws in software where there is no graphics card; a picture in full quality then takes a
minute.  Live values are held still meanwhile, so that what is photographed is one moment.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.conftest import CHROMIUM_HINT, REFERENCE, ROOT, chromium_path
from tests.support.browser import FLAGS, Explorer
from tests.support.city_server import CityServer, run_cim
from tests.support.planner import Drafts, Planner

FOLDER: Final = ROOT / "docs" / "pictures"
BYTES_MAX: Final = 850_000
"""A city in long shadows does not fit into less without losing the colour of what is decided."""
DESKTOP: Final = (1440, 900)
PHONE: Final = (390, 844)
WAIT_S: Final = 600.0
SETTLED_S: Final = 10.0

ROTTERDAM: Final = (
    "--title",
    "Delfshaven, Rotterdam",
    "--title-zh",
    "鹿特丹代尔夫斯哈芬",
    "--time-zone",
    "Europe/Amsterdam",
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: which page of which city, and what is done before it is taken.

    ``search`` names a building to select; ``script`` is an expression over the page's ``app``; ``{B}`` in
    the query stands for the id of the scheme of that letter.
    """

    name: str
    query: str = ""
    page: str = "explore"
    city: str = "helsinki"
    size: tuple[int, int] = DESKTOP
    search: str = ""
    script: str = ""


ALONE: Final = "schemes=base&mode=one"
"""The city as it is, without the comparison that the sample opens on."""

SHADOW: Final = "schemes=base,{I}&mode=one&sun=2026-03-20T08:40&v=-71.0603,42.3553,15.6,50,-22"
"""The tower at Winthrop Square on the morning of the equinox, when its shadow reaches the Common."""

PICTURES: Final[Sequence[Picture]] = (
    Picture("explore-light-en", f"lang=en&theme=light&{ALONE}", search="Ateneum"),
    Picture("explore-light-zh", f"lang=zh&theme=light&{ALONE}", search="Ateneum"),
    Picture("explore-dark-en", f"lang=en&theme=dark&{ALONE}", search="Ateneum"),
    Picture("explore-height-en", f"lang=en&theme=light&by=height_m&{ALONE}"),
    Picture("operate-dark-en", f"lang=en&theme=dark&on=water-network,traffic&{ALONE}", search="sensor"),
    Picture("explore-compare-light-en", "lang=en&theme=light&schemes=base,{C}"),
    Picture("explore-compare-light-zh", "lang=zh&theme=light&schemes=base,{B}"),
    Picture("plan-light-en", "lang=en&theme=light&scheme={C}", page="plan"),
    Picture("plan-dark-zh", "lang=zh&theme=dark&scheme={B}", page="plan"),
    Picture(
        "explore-phone-en",
        f"lang=en&theme=light&{ALONE}",
        size=PHONE,
        search="Ateneum",
        script="app.map.centreOn(app.state.object.value.centroid, 16.6)",
    ),
    Picture("table-light-en", "lang=en&theme=light", page="table"),
    Picture("rotterdam-light-en", "lang=en&theme=light", city="rotterdam"),
    Picture("boston-light-en", f"lang=en&theme=light&{ALONE}", city="boston"),
    Picture("boston-proposal-light-en", f"lang=en&theme=light&{SHADOW}", city="boston"),
)


def take(browser: Browser, server: CityServer, picture: Picture) -> bytes:
    """Open the page as a person would see it and return it as a PNG."""
    drafts = Drafts(server)
    letters = {scheme["letter"]: scheme["id"] for scheme in drafts.read("/schemes")["items"]}
    query = picture.query.format(**letters)
    width, height = picture.size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
        locale="en-GB",
        has_touch=picture.size == PHONE,
        device_scale_factor=2 if picture.size == PHONE else 1,
    )
    explorer = (Planner if picture.page == "plan" else Explorer)(context.new_page())
    explorer.page.set_default_timeout(WAIT_S * 1000)
    token = f"#token={drafts.token}" if picture.page == "plan" else ""
    explorer.visit(server.address, f"/{picture.page}?{query}{token}")
    if picture.page == "table":
        explorer.page.locator("table.dt tbody tr th").first.wait_for()
    elif picture.page == "plan":
        explorer.until("app && app.map && app.planned.schemes.state === 'ready' && app.map.right.isIdle", WAIT_S)
        # Readings come one after the other, and the scheme's objects with the next frames.
        time.sleep(SETTLED_S)
        explorer.until("app.map.right.isIdle", WAIT_S)
    else:
        _prepare(explorer, picture)
    # The caret is left alone: hiding it would need an inline style, which the pages refuse.
    taken = explorer.page.screenshot(caret="initial", animations="allow")
    context.close()
    return taken


_LEFT: Final = "document.querySelector('cim-compare')?.pair?.left"
"""The left map of a comparison, nothing where there is one map."""


def _prepare(explorer: Explorer, picture: Picture) -> None:
    explorer.until("app && app.map && app.state.streams.state === 'ready'", WAIT_S)
    explorer.until("app.state.streams.value.length === 0 || app.state.live.values.size > 0", WAIT_S)
    if picture.search == "sensor":
        stream = explorer.evaluate(
            """(() => {
              const { longitude, latitude } = app.map.getView();
              const far = (s) => Math.hypot((s.location[0] - longitude) / 2, s.location[1] - latitude);
              return app.state.streams.value.filter((s) => s.observed_property === 'pressure_head')
                .sort((a, b) => far(a) - far(b))[0].id; })()"""
        )
        explorer.evaluate("(app.explore.select({ kind: 'datastream', id: argument }), true)", stream)
    elif picture.search:
        found = explorer.evaluate(
            "fetch('/api/v1/search?limit=1&q=' + encodeURIComponent(argument)).then((r) => r.json())", picture.search
        )
        explorer.evaluate("(app.explore.select({ kind: 'object', id: argument }), true)", found["items"][0]["id"])
        explorer.until("app.state.object.state === 'ready'", WAIT_S)
    explorer.until(
        "Object.values(app.state.histories).every((h) => h.state !== 'loading') && app.state.layers.length > 0", WAIT_S
    )
    if picture.script:
        explorer.evaluate(f"({picture.script}, true)")
    explorer.still(WAIT_S)
    explorer.until(f"!{_LEFT} || {_LEFT}.isIdle", WAIT_S)


def small(png: bytes) -> bytes:
    """Return the picture within its budget: with all its colours, else without their last bits, which nobody sees."""
    values = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    best = png
    for bits in (8, 7, 6):
        top = 2**bits - 1
        coarse = np.round((values >> (8 - bits)) * (255 / top)).astype(np.uint8)
        out = io.BytesIO()
        Image.fromarray(coarse).save(out, "PNG", optimize=True)
        best = out.getvalue()
        if len(best) <= BYTES_MAX:
            break
    return best


def _making(city: str) -> Sequence[Sequence[str]]:
    """Return the commands that make a city."""
    if city == "helsinki":
        return (("sample",),)
    if city == "boston":
        return (("ingest", str(ROOT / "docs" / "boston.toml")), ("schemes", "from-catalogue"))
    return (("ingest", str(next((REFERENCE / city).glob("*.city.json"))), *ROTTERDAM),)


@contextmanager
def server_of(city: str) -> Iterator[CityServer]:
    """A server over a fresh city."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "cim-data"
        for command in _making(city):
            done = run_cim(*command, "--data", str(data), timeout_s=900)
            if done.returncode != 0:
                raise SystemExit(done.stdout + done.stderr)
        with CityServer(data) as server:
            yield server


def main(names: Sequence[str]) -> None:
    """Take the named pictures, or all."""
    chromium = chromium_path()
    if chromium is None:
        raise SystemExit(CHROMIUM_HINT)
    wanted = [picture for picture in PICTURES if not names or picture.name in names]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser: Any = play.chromium.launch(executable_path=chromium, args=FLAGS)
        for city in dict.fromkeys(picture.city for picture in wanted):
            if city != "helsinki" and not (REFERENCE / city).is_dir():
                print(f"{city}: left as it is, its data is not beside the checkout")
                continue
            with server_of(city) as server:
                for picture in (one for one in wanted if one.city == city):
                    begun = time.monotonic()
                    png = small(take(browser, server, picture))
                    (FOLDER / f"{picture.name}.png").write_bytes(png)
                    print(f"{picture.name}: {len(png) // 1000} kB, {time.monotonic() - begun:.0f} s", flush=True)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
