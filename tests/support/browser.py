"""Driving the pages as a person would, and reading what they drew."""

from __future__ import annotations

import base64
import io
from typing import Any, Final

import numpy as np
from PIL import Image
from playwright.sync_api import Page

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
READY_MS: Final = 90_000
READY: Final = """() => { const app = document.querySelector('cim-app');
  return app && app.map && app.state.layers.some(l => l.id === 'buildings' && l.phase === 'ready'); }"""


class Explorer:
    """The explore page: what it asked for, what it said, what it drew."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)

    def open(self, address: str, query: str = "") -> None:
        """Open the page in fast quality and wait until the buildings are there."""
        self.page.goto(f"{address}/explore?quality=fast{query}", wait_until="domcontentloaded")
        self.page.wait_for_function(READY, timeout=READY_MS)

    def picture(self) -> np.ndarray:
        """The map's own pixels, shape (h, w, 3), without panels; its middle part.

        Asked of the map, not of the browser: while live values move, software drawing is never still
        for long enough for a screenshot.
        """
        encoded = self.page.evaluate(
            """async () => { const blob = await document.querySelector('cim-app').map.toImage();
               const reader = new FileReader();
               return new Promise((done) => { reader.onload = () => done(reader.result); reader.readAsDataURL(blob); }); }"""
        )
        pixels = np.asarray(
            Image.open(io.BytesIO(base64.b64decode(encoded.partition(",")[2]))).convert("RGB"), dtype=np.int16
        )
        height, width = pixels.shape[:2]
        return pixels[height // 5 : 4 * height // 5, width // 5 : 4 * width // 5]

    def evaluate(self, script: str, argument: Any = None) -> Any:
        """Run a script with the app element as ``app``."""
        return self.page.evaluate(
            f"(argument) => {{ const app = document.querySelector('cim-app'); return ({script}); }}", argument
        )


def changed_share(before: np.ndarray, after: np.ndarray, step: int = 12) -> float:
    """The share of pixels whose colour moved by more than ``step`` of 255 in any channel."""
    return float((np.abs(before - after).max(axis=2) > step).mean())
