"""Tiles of a published scheme: little is stored, all is served, and they leave with it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import shapely

from cim.city.model import Attribute, CityObject
from cim.config import Settings
from cim.errors import NotFound
from cim.jobs.model import JobState
from cim.main import City, copy_tiles, open_city, run_job, verify_tiles
from cim.schemes.model import Text, Words
from cim.schemes.service import Wish
from cim.schemes.solids import solid_of
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


def body(opened: City, scheme: str, out: Path, identifier: str) -> list[tuple[tuple[float, float, float], ...]]:
    """The triangles of one building in the tiles of a scheme: east, north, up about the origin of the city's tiles."""
    copy_tiles(opened.directory.path, scheme, out)
    for tile in leaves(out / "buildings"):
        ids = tile.table()["id"]
        if identifier in ids:
            row = ids.index(identifier)
            corners = tile.positions(0)
            owners = [int(owner) for (owner,) in tile.attribute(0, "_FEATURE_ID_0")]
            threes = range(0, len(corners), 3)
            return [tuple(corners[at : at + 3]) for at in threes if owners[at] == row]
    raise AssertionError(identifier)


def measures(triangles: list[tuple[tuple[float, float, float], ...]]) -> tuple[float, list[float], list[float]]:
    """Volume by the divergence theorem, the heights of all corners, and their middle on the ground."""
    volume = sum(
        a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) + a[2] * (b[0] * c[1] - b[1] * c[0])
        for a, b, c in triangles
    )
    corners = [corner for triangle in triangles for corner in triangle]
    middle = [sum(corner[axis] for corner in corners) / len(corners) for axis in (0, 1)]
    return volume / 6, sorted({round(corner[2], 1) for corner in corners}), middle


@pytest.mark.parametrize("moved", ["test:pitched", "test:whole"])
def test_a_building_that_is_moved_keeps_its_roof_in_the_tiles(tmp_path: Path, moved: str) -> None:
    """A hipped roof of the source, and one of a building whose part has it."""
    with open_city(tmp_path / "data", Settings(data=tmp_path / "data")) as opened:
        deliver(opened.city, "first", [*plain_city(6), *roofed()])
        draw(opened, "tiles")
        planning = opened.planning
        scheme = planning.schemes.create(Words(Text("Moved", "移动")), MEI).scheme.id
        planning.schemes.edit(scheme, Wish("building.move", moved, {"dx_m": 30, "dy_m": -12}), MEI)
        planning.joining.publish(scheme, MEI)
        draw(opened, "scheme-tiles", scheme=scheme)

        before = measures(body(opened, "base", tmp_path / "base", moved))
        after = measures(body(opened, scheme, tmp_path / "scheme", moved))
    assert len(before[1]) == 3, "foot, eaves and ridge"
    assert after[0] == pytest.approx(before[0], rel=0.01)
    assert after[1] == pytest.approx(before[1], abs=0.15)
    # Grid north and true north differ by a degree here at most.
    way = (after[2][0] - before[2][0], after[2][1] - before[2][1])
    assert way == (pytest.approx(30, abs=1.0), pytest.approx(-12, abs=1.0))


def roofed() -> list[CityObject]:
    facts = {"height_m": Attribute(9.0, "m"), "roof_type": Attribute("hipped"), "roof_height_m": Attribute(3.0, "m")}
    found = []
    for name, y in (("test:pitched", Y + 80), ("test:whole", Y + 140)):
        ring = ((X, y), (X + 20, y), (X + 20, y + 10), (X, y + 10))
        solid = solid_of((ring,), 0.0, 6.0, "hipped", 3.0)
        place = shapely.Polygon(ring)
        if name == "test:whole":
            found.append(CityObject(f"{name}-1", "BuildingPart", place, (solid,), facts, name))
        found.append(CityObject(name, "Building", place, () if name == "test:whole" else (solid,), facts))
    return found


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
