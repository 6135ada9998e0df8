"""Driving the pages as a person would, and reading what they drew.

The pages run under a strict content security policy, which Playwright's ``wait_for_function`` does
not get along with; what a test waits for is therefore asked again and again (:meth:`Explorer.until`).
"""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np
from PIL import Image
from playwright.sync_api import ConsoleMessage, Page

FLAGS: Final = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
READY_S: Final = 90.0
ASK_EVERY_S: Final = 0.1
AXE: Final = Path(__file__).resolve().parents[2] / "viewer/web/node_modules/axe-core/axe.min.js"

_READY = """app && app.map
  && ['ground', 'buildings'].every((id) => app.state.layers.some((l) => l.id === id && l.phase === 'ready'))
  && app.map.featuresInView().some((f) => f.kind === 'object')"""
_SETTLED = (
    "app.map.scene.settled && app.state.layers.every((l) => !l.visible || l.phase === 'ready' || l.phase === 'empty')"
)
_PIXELS = """app.map.toImage().then((blob) => new Promise((done) => {
  const reader = new FileReader(); reader.onload = () => done(reader.result); reader.readAsDataURL(blob); }))"""
_TARGET = """(() => {
  const map = document.querySelector('.city-map-canvas').getBoundingClientRect();
  const far = (f) => Math.hypot(f.x - map.width / 2, f.y - map.height / 2);
  const free = (f) => document.elementFromPoint(map.x + f.x, map.y + f.y) instanceof HTMLCanvasElement;
  const found = app.map.featuresInView().filter((f) => f.kind === 'object' && free(f)).sort((a, b) => far(a) - far(b));
  for (const f of found.slice(0, 12)) {
    const pick = app.map.pickAt(f.x, f.y);
    if (pick && pick.kind === 'object') return { id: pick.id, x: map.x + f.x, y: map.y + f.y };
  }
  return null; })()"""


class Explorer:
    """A page of the city: what it asked for, what it said, what it drew."""

    element = "cim-app"

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        page.on("console", self._hear)

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.errors.append(f"{said.text} {said.location.get('url', '')}".rstrip())

    def open(self, address: str, query: str = "") -> None:
        """Open the map of the city as it is, in fast quality, and wait until buildings stand in view."""
        shown = "" if "schemes=" in query else "&schemes=base&mode=one"
        self.visit(address, f"/explore?quality=fast{shown}{query}")
        self.until(_READY, READY_S)

    def visit(self, address: str, path: str) -> None:
        """Open any page."""
        self.page.goto(address + path, wait_until="domcontentloaded")

    def evaluate(self, expression: str, argument: Any = None) -> Any:
        """Return the value of a JavaScript expression; it sees the app element as ``app``."""
        return self.page.evaluate(
            f"(argument) => {{ const app = document.querySelector('{self.element}'); return ({expression}); }}",
            argument,
        )

    def until(self, expression: str, wait_s: float = 20.0, argument: Any = None) -> Any:
        """Ask until an expression is true; returns its value."""
        deadline = time.monotonic() + wait_s
        while True:
            value = self.evaluate(expression, argument)
            if value:
                return value
            assert time.monotonic() < deadline, f"not true within {wait_s} s: {expression}"
            time.sleep(ASK_EVERY_S)

    def settle(self, wait_s: float = READY_S) -> None:
        """Wait until all that is shown has been loaded."""
        self.until(_SETTLED, wait_s)

    def still(self, wait_s: float = READY_S) -> None:
        """Hold live colours and wait until nothing on the map moves."""
        self.settle(wait_s)
        self.evaluate("app.map.pauseLive(true)")
        self.until("app.map.isIdle", wait_s)

    def at_start(self) -> None:
        """Undo what a test may have done: selection, colours, layers, camera, panels, language, theme."""
        self.evaluate(
            """(app.explore.select(null), app.explore.setColour(null), app.explore.setLanguage('en'),
                app.explore.setTheme('light'), app.state.layers.forEach((l) => app.explore.setLayer(l.id,
                app.state.spec.value.layers.find((s) => s.id === l.id).cim.visible)),
                app.explore.store.set({ leftOpen: true, rightOpen: false }), app.explore.home(), true)"""
        )
        self.still()

    def picture(self) -> np.ndarray:
        """The map's own pixels, shape (h, w, 3), without panels; its middle part.

        Asked of the map, not of the browser: while live values move, software drawing is never still
        for long enough for a screenshot.
        """
        encoded = self.evaluate(_PIXELS)
        pixels = np.asarray(
            Image.open(io.BytesIO(base64.b64decode(encoded.partition(",")[2]))).convert("RGB"), dtype=np.int16
        )
        height, width = pixels.shape[:2]
        return pixels[height // 5 : 4 * height // 5, width // 5 : 4 * width // 5]

    def building(self) -> dict[str, Any]:
        """A building that is seen from here: ``id``, and ``x``, ``y`` of a point of it no panel covers."""
        return self.until(_TARGET)

    def text(self, testid: str) -> str:
        """The text of a part of the page, as a person reads it."""
        return self.page.get_by_test_id(testid).first.inner_text().strip()

    def foreign(self, address: str) -> list[str]:
        """What was asked of any other origin."""
        own = urlsplit(address).netloc
        return [u for u in self.requests if urlsplit(u).scheme not in {"data", "blob"} and urlsplit(u).netloc != own]

    def violations(self, *selectors_out: str) -> list[str]:
        """What axe-core finds serious or critical; parts of other makers can be left out."""
        return violations(self.page, *selectors_out)


def violations(page: Page, *selectors_out: str) -> list[str]:
    """What axe-core finds serious or critical on a page, one line each."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: Sequence[Mapping[str, Any]] = page.evaluate(
        """async (out) => {
          const found = await axe.run({ exclude: out.map((s) => [s]) }, { resultTypes: ['violations'] });
          const said = (n) => n.html.slice(0, 160) + ' | ' + n.any.map((a) => a.message).join('; ').slice(0, 200);
          return found.violations.filter((v) => ['serious', 'critical'].includes(v.impact))
            .map((v) => ({ id: v.id, nodes: v.nodes.map(said) })); }""",
        list(selectors_out),
    )
    return [f"{one['id']}: {node}" for one in found for node in one["nodes"]]


def changed_share(before: np.ndarray, after: np.ndarray, step: int = 12) -> float:
    """The share of pixels whose colour moved by more than ``step`` of 255 in any channel."""
    return float((np.abs(before - after).max(axis=2) > step).mean())
