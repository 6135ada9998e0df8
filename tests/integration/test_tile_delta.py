"""A changed building in the server: its chain is drawn, the rest is shared, who looks on is told what is new."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

import tiles.plan
from cim.city.model import Attribute
from cim.config import Settings
from cim.main import open_city, run_job, verify_tiles
from cim.tilesets.model import Pointer
from cim.tilesets.service import TilesetService
from cim.tilesets.store import TilesetStore
from ingest.tile_delta import CHANGES_MAX, bring_up_to_date
from ingest.tiling import tiles_are_old
from tests.support.scheme_city import deliver, plain_city


def test_one_higher_building_is_drawn_without_the_others(tmp_path: Path) -> None:
    data = tmp_path / "data"
    told: list[tuple[str, Sequence[str] | None]] = []
    with open_city(data, Settings(data=data)) as opened:
        city = plain_city(900)
        deliver(opened.city, "first", city)
        assert not bring_up_to_date(opened.city, opened.tilesets)
        run_job(opened, "tiles", {}, "tiles", lambda _: None)

        def listen(_scheme: str, pointer: Pointer, changed: Sequence[str] | None) -> None:
            told.append((pointer.build, changed))

        tilesets = TilesetService(TilesetStore(data / "tiles"), listen)
        first = tilesets.refresh()
        assert first is not None
        assert not bring_up_to_date(opened.city, tilesets)
        row = next(i for i, item in enumerate(city) if item.type == "Building")
        facts = {**city[row].attributes, "height_m": Attribute(77.0)}
        city[row] = type(city[row])(city[row].id, "Building", city[row].place, (), facts)
        deliver(opened.city, "second", city)
        assert bring_up_to_date(opened.city, tilesets)
        now = tilesets.refresh()
        assert now is not None
        assert (now.baseline_version, now.build) != (first.baseline_version, first.build)
        ((build, changed),) = told
        assert build == now.build
        assert changed is not None
        assert 1 <= sum(name.endswith(".glb") for name in changed) <= 5
        for name in changed:
            assert tilesets.find("base", name).path.is_file()
            assert (tilesets.base_file(build, f"{name}.br")).is_file()
        folder = tilesets.base_file(build, "buildings")
        assert sum(path.stat().st_nlink > 1 for path in folder.glob("*.glb")) >= 1
        # Much at once is left to a process of its own.
        deliver(opened.city, "third", plain_city(900 + CHANGES_MAX + 1))
        assert not bring_up_to_date(opened.city, tilesets)
    assert verify_tiles(data) == []


def test_tiles_of_another_version_are_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    with open_city(data, Settings(data=data)) as opened:
        deliver(opened.city, "first", plain_city(60))
        assert tiles_are_old(opened.city, opened.tilesets)
        run_job(opened, "tiles", {}, "tiles", lambda _: None)
        assert not tiles_are_old(opened.city, opened.tilesets)
        monkeypatch.setattr(tiles.plan, "FORM", tiles.plan.FORM + 1)
        assert tiles_are_old(opened.city, opened.tilesets)
        city = plain_city(60)
        row = next(i for i, item in enumerate(city) if item.type == "Building")
        city[row] = type(city[row])(city[row].id, "Building", city[row].place, (), {"height_m": Attribute(77.0)})
        deliver(opened.city, "second", city)
        assert not bring_up_to_date(opened.city, opened.tilesets)
