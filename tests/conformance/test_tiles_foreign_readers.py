"""Our tiles before other people's code: Khronos' glTF validator, loaders.gl, py3dtiles, trimesh."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import shapely
import trimesh
from py3dtiles.tileset.tileset import TileSet

from cim.city.model import CityObject
from tests.support.tile_city import CRS, at, box_surfaces, grid_city, painted, rectangle, tables
from tiles.build import build_tileset
from tiles.frame import TileFrame

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "viewer" / "web"
TOOL = Path(__file__).parent / "tools" / "read_tiles.mjs"


def city() -> list[CityObject]:
    return [
        *grid_city(900),
        CityObject("test:cube", "Building", geometries=(box_surfaces(-40, -40, 0, 12, 9),)),
        painted("test:park", "PlantCover", rectangle(0, 0, 300, 200), "green"),
        painted("test:sea", "WaterBody", rectangle(-200, 0, 100, 500), "sea"),
        painted("test:street", "Road", shapely.LineString([at(0, -20), at(400, -20), at(420, 90)]), "road_street", 7.0),
    ]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tiles")
    build_tileset(*tables(city()), TileFrame(CRS, "flat", "Test", 1), out, compress=False)
    return out


@pytest.fixture(scope="module")
def read(built: Path) -> list[dict]:
    return read_with_node(built)


def read_with_node(built: Path) -> list[dict]:
    """Validate and decode every GLB of a build by Khronos' validator and loaders.gl."""
    node = shutil.which("node", path=f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}")
    if node is None or not (WEB / "node_modules" / "gltf-validator").is_dir():
        pytest.skip("Needs Node and viewer/web/node_modules: make setup.")
    files = sorted(str(path) for path in built.rglob("*.glb"))
    done = subprocess.run([node, str(TOOL), str(WEB), *files], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_khronos_validator_finds_no_error_and_no_warning(built, read):
    assert len(read) == len(list(built.rglob("*.glb")))
    assert {tile["file"]: tile["messages"] for tile in read if tile["errors"] or tile["warnings"]} == {}


def test_loaders_gl_reads_the_ids_and_properties_that_went_in(built, read):
    things = {thing.id: thing for thing in city()}
    inner = {str(built / "buildings" / uri) for uri in uris_above_others(built)}
    seen: list[str] = []
    for tile in read:
        columns = tile["columns"]
        if "kind" in columns:
            assert set(columns["id"]) <= {"", "test:park", "test:sea", "test:street"}
            assert tile["modes"] == [4]
            continue
        assert tile["used"] == list(range(len(columns["id"])))
        for row, identifier in enumerate(columns["id"]):
            facts = things[identifier].attributes
            assert columns["name"][row] == (facts["name"].value or "" if "name" in facts else "")
            assert columns["year"][row] == (facts["year_of_construction"].value if facts else 65535)
            if facts:
                assert columns["height_m"][row] == pytest.approx(facts["height_m"].value, abs=1e-5)
        if tile["file"] not in inner:
            seen.extend(columns["id"])
            assert tile["modes"] == [4, 1, 5]
    assert sorted(seen) == sorted(i for i, thing in things.items() if thing.type == "Building")


def uris_above_others(built: Path) -> set[str]:
    """Contents of the tiles that have children."""
    found, pending = set(), [json.loads((built / "buildings" / "tileset.json").read_text())["root"]]
    while pending:
        tile = pending.pop()
        pending.extend(tile.get("children", ()))
        if "children" in tile:
            found.add(tile["content"]["uri"])
    return found


def test_py3dtiles_reads_the_tree(built):
    tileset = TileSet.from_file(built / "buildings" / "tileset.json")
    assert tileset.root_tile.geometric_error > 0
    assert 2 <= len(tileset.root_tile.children) <= 4


def test_trimesh_reads_the_heights_of_the_city(built):
    tallest = 0.0
    for path in (built / "buildings").glob("*.glb"):
        low, high = trimesh.load(path, force="scene").bounds
        assert low[1] == pytest.approx(0.0, abs=0.1)
        tallest = max(tallest, high[1])
    expected = max(thing.attributes["height_m"].value for thing in city() if "height_m" in thing.attributes)
    assert tallest == pytest.approx(expected, abs=0.05)
