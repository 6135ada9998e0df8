"""Edit to the first indicators on a subscribed screen, on the sample city: ``python -m tests.bench.bench_edit``.

A server as a user starts it, a WebSocket that follows the scheme as the Plan page does, and edits sent over HTTP one
after the other, each when the numbers of the one before are there.  Times run from the sending of an edit to
the receipt of a frame: the edit itself, the first reading that counts it in, the last of land, people, cost and
carbon, and the last of all (light and views among them).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from websockets.sync.client import ClientConnection, connect

from cim.live.limits import SUBPROTOCOL
from tests.support.city_server import CityServer, run_cim

SQUARE = (24.9442, 60.1711)
LIGHT = ("light.", "sky.")
WALKS = ("people.access", "people.street")
WORDS = {
    "edit": "the edit itself",
    "first": "first reading            (300 ms)",
    "sums": "land people cost carbon  (1000 ms)",
    "all": "and light and views",
}
STORY_M = 3.2


class Screen:
    """What a subscribed screen receives of a scheme, and when."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._turn = threading.Condition()
        self.edits: dict[int, float] = {}
        self.readings: dict[int, dict[str, float]] = {}
        self.ids: set[str] = set()

    def listen(self) -> None:
        """Take frames until the socket is closed."""
        for text in self._socket:
            now = time.perf_counter()
            frame = json.loads(text)
            with self._turn:
                for item in [*frame.get("state", ()), *frame.get("changes", ())]:
                    self._take(item, now)
                self._turn.notify_all()

    def _take(self, item: dict[str, Any], now: float) -> None:
        if edit := item.get("edit"):
            self.edits.setdefault(edit["sequence"], now)
        if reading := item.get("reading"):
            self.ids.add(reading["id"])
            if reading["state"] == "ready":
                self.readings.setdefault(reading["sequence"], {}).setdefault(reading["id"], now)

    def wait(self, sequence: int, wait_s: float = 120.0) -> dict[str, float]:
        """Wait until all readings of an edit have come; returns when each came."""
        with self._turn:
            done = self._turn.wait_for(
                lambda: self.ids and set(self.readings.get(sequence, ())) >= self.ids and sequence in self.edits, wait_s
            )
            assert done, f"not all readings of edit {sequence} came within {wait_s} s"
            return dict(self.readings[sequence])


@contextmanager
def following(server: CityServer, scheme: str, token: str) -> Iterator[Screen]:
    """A screen that follows a scheme as a planner."""
    address = server.address.replace("http", "ws", 1) + "/live"
    with connect(address, subprotocols=[SUBPROTOCOL], compression=None, proxy=None, max_size=None) as socket:
        socket.send(json.dumps({"op": "subscribe", "topic": f"schemes/{scheme}", "filter": {"token": token}}))
        screen = Screen(socket)
        listener = threading.Thread(target=screen.listen, daemon=True)
        listener.start()
        yield screen
    listener.join(5)


def run(server: CityServer, edits: int) -> dict[str, np.ndarray]:
    """A tower of three to twenty storeys is made, and then made higher and lower; returns milliseconds."""
    token = (server.data / "planner-token").read_text(encoding="utf-8").strip()
    headers = {"authorization": f"Bearer {token}"}
    spans: dict[str, list[float]] = {name: [] for name in WORDS}
    with httpx.Client(base_url=f"{server.address}/api/v1", headers=headers, timeout=60.0, trust_env=False) as api:
        scheme = api.post("/schemes", json={"name": "Bench"}).raise_for_status().json()["id"]
        form = {"form": "tower", "anchor": list(SQUARE), "numbers": {"storeys": 12}}
        with following(server, scheme, token) as screen:
            path = f"/schemes/{scheme}/edits"
            made = api.post(path, json={"kind": "massing.add", "params": form}).raise_for_status().json()["edit"]
            screen.wait(1)  # The first has the baseline to work out, too.
            for number in range(edits):
                height_m = STORY_M * (3 + (number * 7) % 18)
                wish = {"kind": "building.height", "target": made["targets"][0], "params": {"height_m": height_m}}
                begun = time.perf_counter()
                edit = api.post(path, json=wish).raise_for_status().json()["edit"]
                came = screen.wait(edit["sequence"])
                sums = [at for name, at in came.items() if not name.startswith((*LIGHT, *WALKS))]
                spans["edit"].append(screen.edits[edit["sequence"]] - begun)
                spans["first"].append(min(came.values()) - begun)
                spans["sums"].append(max(sums) - begun)
                spans["all"].append(max(came.values()) - begun)
    return {name: np.array(seconds) * 1e3 for name, seconds in spans.items()}


def main() -> None:
    """Build the sample city, edit it, print what a screen saw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=60)
    chosen = parser.parse_args()
    print("edit: from the sending of an edit to a subscribed screen, sample city, real server and WebSocket")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "cim-data"
        done = run_cim("sample", "--data", str(data))
        assert done.returncode == 0, done.stdout + done.stderr
        with CityServer(data) as server:
            spans = run(server, chosen.edits)
    for name, title in WORDS.items():
        p50, p95 = np.percentile(spans[name], (50, 95))
        print(f"  {title:<36} p50 {p50:7.1f} ms   p95 {p95:7.1f} ms")


if __name__ == "__main__":
    main()
