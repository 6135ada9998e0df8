"""A building that grows is seen growing: the map swaps its tile, keeps all others, and loads nothing again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.support.browser import Explorer
from tests.support.city_server import CityServer, run_cim
from tests.support.made_cityjson import write_document

pytestmark = pytest.mark.browser

BUILDINGS = 1_500
HIGH_MM = 95_000
SHOWN_S = 30.0
HEIGHT = """(() => {
  for (const layer of app.map.scene.tileLayers) {
    for (const { content } of layer.selectedTiles()) {
      const row = content.ids.indexOf(argument);
      if (row >= 0) return content.columns.height_m[row];
    }
  }
  return 0; })()"""
CHANGED = f"(({HEIGHT}) > 90)"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[CityServer, Path]]:
    source = tmp_path / "made.city.json"
    write_document(source, BUILDINGS)
    done = run_cim("ingest", str(source), "--data", str(tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    server = CityServer(tmp_path / "data")
    server.start()
    yield server, source
    server.stop()


def raised(source: Path, name: str) -> None:
    """Write the source again with one building higher."""
    document = orjson.loads(source.read_bytes())
    numbers = {n for shell in document["CityObjects"][name]["geometry"][0]["boundaries"][0] for n in shell[0]}
    for number in numbers:
        vertex = document["vertices"][number]
        if vertex[2] > 3_000:
            vertex[2] = HIGH_MM
    source.write_bytes(orjson.dumps(document))


def test_a_changed_building_is_shown_and_the_others_are_not_asked_for_again(
    explorer: Explorer, served: tuple[CityServer, Path]
) -> None:
    server, source = served
    explorer.open(server.address)
    explorer.settle()
    identifier = str(explorer.building()["id"])
    assert explorer.evaluate(HEIGHT, identifier) < 90
    fetched: list[str] = []
    session = explorer.page.context.new_cdp_session(explorer.page)
    session.send("Network.enable")

    def heard(event: dict[str, Any]) -> None:
        response = event["response"]
        if response["url"].endswith(".glb") and not response.get("fromDiskCache"):
            fetched.append(response["url"])

    cached: set[str] = set()
    sent: dict[str, str] = {}
    session.on("Network.requestWillBeSent", lambda event: sent.update({event["requestId"]: event["request"]["url"]}))
    session.on("Network.requestServedFromCache", lambda event: cached.add(sent.get(event["requestId"], "")))
    session.on("Network.responseReceived", heard)
    raised(source, identifier.partition(":")[2])
    done = run_cim("ingest", str(source), "--data", str(server.data))
    assert done.returncode == 0, done.stderr
    begun = time.monotonic()
    explorer.until(CHANGED, SHOWN_S, identifier)
    shown_s = time.monotonic() - begun
    loaded = set(fetched) - cached
    assert 1 <= len(loaded) <= 5, loaded
    print(f"shown {shown_s:.1f} s after the delivery's end, {len(loaded)} tiles loaded")
    assert explorer.errors == []
