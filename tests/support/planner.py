"""The Plan page as a planner uses it, and what the server holds of a scheme meanwhile."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import httpx

from tests.support.browser import READY_S, Explorer
from tests.support.city_server import CityServer

SQUARE: Final = "24.9442,60.1711,17.2,50,-22"
"""Railway Square: open ground with neighbours all round."""
HIDDEN: Final = "trees,labels,streets-labels"
"""Layers that no test looks at and that software takes long to draw."""
PICTURES: Final = "CIM_DAY_PICTURES"
"""Names a folder to which the steps of the planner's day are drawn, in both languages."""


class Drafts:
    """The API of a server, with the planner's token: what is true, whatever the screen says."""

    def __init__(self, server: CityServer, author: str = "") -> None:
        self.server = server
        self.token = (server.data / "planner-token").read_text(encoding="utf-8").strip()
        self._headers = {"authorization": f"Bearer {self.token}", **({"cim-author": author} if author else {})}

    def ask(self, method: str, path: str, body: object = None, *, key: str = "") -> httpx.Response:
        """Ask for a path below the API."""
        headers = {**self._headers, **({"idempotency-key": key} if key else {})}
        address = f"{self.server.address}/api/v1{path}"
        return httpx.request(method, address, json=body, headers=headers, timeout=60.0, trust_env=False)

    def read(self, path: str) -> Any:
        """Read what has to be there."""
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def write(self, path: str, body: object) -> Any:
        """Write what has to be taken."""
        answer = self.ask("POST", path, body)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    def edits(self, scheme: str) -> list[dict[str, Any]]:
        """The log of a scheme."""
        return self.read(f"/schemes/{scheme}/edits")["items"]

    def objects(self, scheme: str) -> dict[str, dict[str, Any]]:
        """What a scheme changes, by id."""
        return {item["id"]: item for item in self.read(f"/schemes/{scheme}/objects")["items"]}

    def losers(self, scheme: str) -> dict[str, float]:
        """Hours of sun that neighbours lose, by id."""
        light = self.read(f"/schemes/{scheme}/light")
        return {one["object_id"]: one["before_h"] - one["after_h"] for one in light["losers"]}


class Planner(Explorer):
    """A planner at the Plan page."""

    element = "cim-plan"

    def plan(self, address: str, *, token: str = "", query: str = "") -> None:
        """Open the Plan page and wait until the square is drawn."""
        hash_ = f"#token={token}" if token else ""
        self.visit(address, f"/plan?quality=fast&lang=en&theme=light&v={SQUARE}&off={HIDDEN}{query}{hash_}")
        self.until("app && app.map && app.planned.schemes.state === 'ready' && app.map.right.isIdle", READY_S)

    @property
    def scheme(self) -> str:
        """The id of the scheme in hand."""
        return str(self.evaluate("app.planned.current"))

    def branch(self, name: str) -> str:
        """Branch what is in hand, by the dialog."""
        before = self.evaluate("app.planned.current")
        self.press("branch")
        self.fill("field-en", name)
        self.press("confirm")
        self.until("app.planned.current !== argument && app.planned.log.state === 'ready'", argument=before)
        return self.scheme

    def press(self, testid: str) -> None:
        """Press a button."""
        self.page.get_by_test_id(testid).first.click()

    def fill(self, testid: str, text: str, *, enter: bool = False) -> None:
        """Type into a field; ``enter`` takes it."""
        field = self.page.get_by_test_id(testid).first
        field.fill(text)
        if enter:
            field.press("Enter")

    def key(self, *keys: str) -> None:
        """Press keys where the focus is."""
        for one in keys:
            self.page.keyboard.press(one)

    def corners(self, points: Sequence[tuple[float, float]]) -> None:
        """Click corners on the map, each when the one before is there."""
        for number, (x, y) in enumerate(points, 1):
            assert self.evaluate(f"document.elementFromPoint({x}, {y}) instanceof HTMLCanvasElement"), (
                f"a panel lies over {x}, {y}"
            )
            self.page.mouse.move(x, y)
            self.page.mouse.click(x, y)
            self.until("document.querySelector('.toolcard')?.innerText.includes(argument)", argument=f"{number} corner")

    def logged(self, count: int) -> list[dict[str, Any]]:
        """Wait until the page's log has so many entries, all safe; returns it."""
        return self.until(
            "app.planned.sending === 0 && app.planned.log.value?.length >= argument && app.planned.log.value",
            argument=count,
        )

    def readings(self, sequence: int, wait_s: float = 60.0) -> Mapping[str, float]:
        """Wait until all numbers on the screen count an edit in; returns their values."""
        ready = "app.planned.readings.value?.every((r) => r.state === 'ready' && r.sequence >= argument)"
        self.until(ready, wait_s, sequence)
        return dict(self.evaluate("app.planned.readings.value.map((r) => [r.id, r.value])"))

    def row(self, reading: str) -> str:
        """The row of a number as it stands on the screen."""
        return " ".join(self.text(f"reading-{reading}").split())

    @property
    def pictured(self) -> Path | None:
        """The folder for pictures, where somebody wants to look at them."""
        folder = os.environ.get(PICTURES)
        return Path(folder) if folder else None

    def unexpected(self) -> list[str]:
        """What the browser logged as an error, but for answers that refuse an edit or a trial of one."""
        return [said for said in self.errors if "409 (Conflict)" not in said and not said.endswith("?dry_run=true")]

    def snap(self, name: str) -> None:
        """Draw the page in both languages, where somebody wants to look at it."""
        folder = self.pictured
        if not folder:
            return
        folder.mkdir(parents=True, exist_ok=True)
        for language in ("zh", "en"):
            button = self.page.get_by_test_id(f"lang-{language}")
            if button.count():
                button.first.dispatch_event("click")  # Under a dialog too, and without taking the focus.
            self.page.wait_for_timeout(1_500)
            self.page.screenshot(path=folder / f"{name}-{language}.png", timeout=120_000)
