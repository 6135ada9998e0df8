"""Tiles of a published scheme: little is stored, all is served, and they leave with it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cim.config import Settings
from cim.errors import NotFound
from cim.jobs.model import JobState
from cim.main import City, copy_tiles, open_city, run_job, verify_tiles
from cim.schemes.model import Text, Words
from cim.schemes.service import Wish
from ingest.scheme_tiling import Draughtsman
from tests.readers_independent.tile_reader import leaves
from tests.support.scheme_city import MEI, X, Y, deliver, plain_city

RING = [[[X + 20, Y + 40], [X + 50, Y + 40], [X + 50, Y + 60], [X + 20, Y + 60]]]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[City]:
    with open_city(tmp_path / "data", Settings(data=tmp_path / "data")) as city:
        deliver(city.city, "first", plain_city(900))
        yield city


def draw(opened: City, kind: str, **params: str) -> None:
    job = run_job(opened, kind, params, kind, lambda _: None)
    assert job["state"] == JobState.SUCCEEDED, job


def published(opened: City) -> str:
    planning = opened.planning
    scheme = planning.schemes.create(Words(Text("Towers", "塔楼")), MEI).scheme.id
    for kind, target, params in (
        ("building.add", None, {"footprint": RING, "storeys": [[4, "retail"], [3, "office"]]}),
        ("building.height", "test:b2", {"height_m": 40}),
        ("building.demolish", "test:b4", {}),
        ("park.add", None, {"footprint": RING}),
    ):
        planning.schemes.edit(scheme, Wish(kind, target, params), MEI)
    planning.joining.publish(scheme, MEI)
    return scheme


def test_a_published_scheme_has_tiles_that_rest_on_the_citys(opened: City, tmp_path: Path) -> None:
    draw(opened, "tiles")
    scheme = published(opened)
    draw(opened, "scheme-tiles", scheme=scheme)
    data = opened.directory.path
    assert verify_tiles(data, "base") == []
    assert verify_tiles(data, scheme) == []
    copy_tiles(data, scheme, tmp_path / "copy")
    rows: dict[object, tuple[object, object]] = {}
    for tile in leaves(tmp_path / "copy" / "buildings"):
        table = tile.table()
        changes = table.get("change", [""] * len(table["id"]))
        rows |= dict(zip(table["id"], zip(changes, table["height_m"], strict=True), strict=True))
    assert len(rows) == 900
    assert "test:b4" not in rows
    assert rows[f"{scheme}:b/1"] == ("added", pytest.approx(7.0))
    assert rows["test:b2"] == ("changed", pytest.approx(40.0))
    kinds = [kind for tile in leaves(tmp_path / "copy" / "ground") for kind in tile.table()["kind"]]
    assert "green" in kinds
    own = [path for path in (data / "tiles" / scheme).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in own) < 0.5 * sum(
        path.stat().st_size for path in (data / "tiles" / "base").rglob("*.br")
    )
    document = opened.tilesets.find(scheme, "buildings/tileset.json")
    assert json.loads(document.content())["asset"]["version"] == "1.1"
    names = {p.name for p in (data / "tiles" / "base").rglob("*.glb")}
    shared = next(name for name in sorted(names) if name in document.content().decode())
    assert opened.tilesets.find(scheme, f"buildings/{shared}").path.is_file()


def test_tiles_follow_the_scheme_and_the_city_and_leave_with_it(opened: City) -> None:
    jobs, planning = opened.jobs, opened.planning
    drawing = Draughtsman(opened.city, opened.tilesets, jobs, planning.all_published, planning.published)
    jobs.start()
    jobs.subscribe(drawing.after)
    scheme = published(opened)
    try:
        drawing.look()
        first = _drawn(opened, scheme)
        deliver(opened.city, "second", plain_city(910))
        drawing.look()
        assert _drawn(opened, scheme, other_than=first)
        planning.joining.withdraw(scheme)
        drawing.look_at_schemes()
        with pytest.raises(NotFound):
            opened.tilesets.find(scheme, "tileset.json")
    finally:
        jobs.stop()


def _drawn(opened: City, scheme: str, other_than: str = "") -> str:
    for _ in range(600):
        pointer = opened.tilesets.refresh(scheme)
        if pointer is not None and pointer.base != other_than:
            return str(pointer.base)
        time.sleep(0.1)
    raise AssertionError([(job.kind, job.state, job.error) for job in opened.jobs.list()])


def test_a_draft_has_no_tiles(opened: City) -> None:
    scheme = opened.planning.schemes.create(Words(Text("Draft", "草案")), MEI).scheme.id
    job = run_job(opened, "scheme-tiles", {"scheme": scheme}, "tiles", lambda _: None)
    assert job["error"]["code"] == "scheme-not-found"
    with pytest.raises(NotFound):
        opened.tilesets.find(scheme, "tileset.json")
