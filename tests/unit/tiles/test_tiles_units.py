"""Units of a large city: documents of their own, workers, and a build that goes on where it was ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.tile_city import CRS, grid_city, tables
from tiles.archive import write_archive
from tiles.build import build_tileset
from tiles.crew import Crew
from tiles.frame import TileFrame
from tiles.plan import PLAN_NAME, Plan
from tiles.verify import verify_tileset

FLAT = TileFrame(CRS, "flat", "Test", 3)
COUNT = 3_000


class Ended(Exception):
    """The build is ended in the middle."""


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def small_units(monkeypatch):
    monkeypatch.setattr("tiles.plan.UNIT_FEATURES_MAX", 400)


def test_units_have_documents_that_hold_together(tmp_path, small_units):
    city = grid_city(COUNT)
    report = build_tileset(*tables(city), FLAT, tmp_path, compress=False)
    assert report.units > 4
    assert verify_tileset(tmp_path, [thing.id for thing in city]) == []
    named = [path for path in (tmp_path / "buildings").glob("*.json") if path.name != "tileset.json"]
    assert len(named) == report.units
    assert all("transform" not in json.loads(path.read_text())["root"] for path in named)
    assert len(list(Plan.load(tmp_path / PLAN_NAME).units())) == report.units


def test_a_unit_without_its_document_and_one_in_itself_are_found(tmp_path, small_units):
    build_tileset(*tables(grid_city(COUNT)), FLAT, tmp_path, compress=False)
    first, second = sorted(p for p in (tmp_path / "buildings").glob("*.json") if p.name != "tileset.json")[:2]
    document = json.loads(first.read_text())
    document["root"]["content"] = {"uri": first.name}
    first.write_text(json.dumps(document))
    second.unlink()
    codes = {fault.code for fault in verify_tileset(tmp_path)}
    assert {"tileset-nesting", "content-missing"} <= codes


def test_a_build_that_was_ended_goes_on_and_comes_to_the_same(tmp_path, small_units):
    rows = tables(grid_city(COUNT))
    done: list[int] = []

    def until_half(step: str, tiles: int, total: int) -> None:
        if step == "buildings":
            done.append(tiles)
            if tiles > total / 2:
                raise Ended

    with pytest.raises(Ended):
        build_tileset(*rows, FLAT, tmp_path / "ended", until_half)
    torn = next(path for path in (tmp_path / "ended" / "buildings").glob("*.glb"))
    torn.write_bytes(torn.read_bytes()[:-9])
    report = build_tileset(*rows, FLAT, tmp_path / "ended")
    assert report.units_reused == len(done) - 1
    clean = build_tileset(*rows, FLAT, tmp_path / "clean")
    assert (clean.units_reused, clean.triangles) == (0, report.triangles)
    assert contents(tmp_path / "ended") == contents(tmp_path / "clean")


def test_what_is_the_same_as_in_the_build_before_is_taken_from_it(tmp_path, small_units):
    city = grid_city(COUNT)
    first = build_tileset(*tables(city), FLAT, tmp_path / "first")
    city[1234] = type(city[0])(city[1234].id, "Building", city[1200].place, (), city[1234].attributes)
    second = build_tileset(*tables(city), FLAT, tmp_path / "second", before=tmp_path / "first")
    assert second.units_reused >= first.units - 2
    build_tileset(*tables(city), FLAT, tmp_path / "clean")
    mine, clean = contents(tmp_path / "second"), contents(tmp_path / "clean")
    assert mine == clean


def test_workers_make_the_same_bytes(tmp_path, small_units):
    rows = tables(grid_city(1_200))
    build_tileset(*rows, FLAT, tmp_path / "alone")
    with Crew(2) as crew:
        build_tileset(*rows, FLAT, tmp_path / "two", crew=crew)
    assert contents(tmp_path / "alone") == contents(tmp_path / "two")
    assert write_archive(tmp_path / "two", tmp_path / "two.3tz") > 0
