"""Every tile of the sample city and of Rotterdam, before the Khronos validator and two readers, against the store."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cim.city.service import TILED_TYPES, CityService
from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.main import verify_tiles
from cim.tilesets.store import TilesetStore
from tests.conformance.test_tiles_foreign_readers import read_with_node
from tests.readers_independent.tile_reader import Tile
from tests.support.city_server import run_cim

CITIES = ["sample", "rotterdam"]
EXPECTED = {"sample": 446 + 6, "rotterdam": 853}
"""Buildings; in Helsinki six tagged parts of no building stand for themselves."""


def current_tiles(data: Path) -> Path:
    store = TilesetStore(data / "tiles")
    pointer = store.pointer("base")
    assert pointer is not None
    return store.build_path("base", pointer.build)


@pytest.fixture(scope="module", params=CITIES)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A data directory with its tiles built by the command line."""
    data = tmp_path_factory.mktemp("city") / "data"
    if request.param == "sample":
        shutil.copytree(request.getfixturevalue("sample_data"), data)
    else:
        source = request.getfixturevalue("reference") / "rotterdam" / "3-20-DELFSHAVEN.city.json"
        done = run_cim("ingest", str(source), "--data", str(data), "--time-zone", "Europe/Amsterdam")
        assert done.returncode == 0, done.stderr
    return request.param, data


def stored(data: Path) -> dict[str, dict[str, object]]:
    """Id to facts of every building in the store."""
    with DataDirectory(data) as directory, Database.open(directory) as database:
        index = CityService(database).view.index
        return {
            identifier: {name: fact.value for name, fact in index.attributes(row).items()}
            for row, identifier in enumerate(index.ids)
            if index.types[row] in TILED_TYPES and index.parents[row] is None
        }


def test_our_own_checks_find_nothing(built: tuple[str, Path]) -> None:
    assert verify_tiles(built[1]) == []


def test_khronos_and_loaders_gl_agree_with_the_store(built: tuple[str, Path]) -> None:
    name, data = built
    facts = stored(data)
    tiles = current_tiles(data)
    seen: set[str] = set()
    decoded = read_with_node(tiles)
    assert len(decoded) == len(list(tiles.rglob("*.glb")))
    assert [tile["messages"] for tile in decoded if tile["errors"]] == []
    for tile in decoded:
        columns = tile["columns"]
        if "kind" in columns:
            continue
        seen.update(columns["id"])
        for row, identifier in enumerate(columns["id"]):
            assert_same(facts[identifier], {key: values[row] for key, values in columns.items()})
    assert len(facts) == EXPECTED[name]
    assert seen == set(facts)


def test_a_reader_that_shares_no_code_agrees_with_the_store(built: tuple[str, Path]) -> None:
    facts = stored(built[1])
    seen: set[str] = set()
    for path in (current_tiles(built[1]) / "buildings").glob("*.glb"):
        tile = Tile(path)
        columns = tile.table()
        ids = [str(identifier) for identifier in columns["id"]]
        seen.update(ids)
        assert {int(number) for (number,) in tile.attribute(0, "_FEATURE_ID_0")} == set(range(len(ids)))
        for row, identifier in enumerate(ids):
            assert_same(facts[identifier], {name: values[row] for name, values in columns.items()})
    assert seen == set(facts)


def assert_same(facts: dict[str, object], row: dict[str, object]) -> None:
    """A row of a tile's property table says what the store says; a missing number is None or noData."""
    assert (row["name"] or "") == (facts.get("name") or "")
    for column, name, no_data in (
        ("year", "year_of_construction", 65535),
        ("storeys", "storeys_above_ground", 65535),
        ("height_m", "height_m", -9999),
    ):
        expected, found = facts.get(name), row[column]
        if expected is None:
            assert found in (None, no_data)
        else:
            assert found == pytest.approx(expected, abs=1e-4)
