"""Tiles of a scheme: a chain built by itself is the whole tree built anew, byte for byte, and little is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import brotli
import numpy as np
import orjson
import pyarrow as pa
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cim.city.model import Attribute, CityObject
from cim.schemes.solids import solid_of
from tests.support.tile_city import CRS, EAST, NORTH, at, grid_city, painted, tables
from tiles.build import build_tileset
from tiles.chain import Altered, boxes_of_ground, build_chains
from tiles.frame import TileFrame
from tiles.plan import PLAN_NAME, Plan

COUNT = 900
GROUND = [
    painted("t:park", "PlantCover", shapely.box(*at(100, 100), *at(380, 300)), "green"),
    painted("t:lake", "WaterBody", shapely.box(*at(700, 700), *at(900, 990)), "water"),
    *(
        painted(f"t:street/{n}", "Road", shapely.LineString([at(-50, 75 * n), at(1300, 75 * n + 40)]), "road_street", 7)
        for n in range(12)
    ),
]


def house(identifier: str, x: float, y: float, height_m: float, change: str = "") -> CityObject:
    """A gabled house of its own surfaces."""
    ring = tuple((EAST + x + dx, NORTH + y + dy) for dx, dy in ((0, 0), (14, 0), (14, 9), (0, 9)))
    facts = {"scheme_change": Attribute(change)} if change else {}
    body = solid_of((ring,), 0.0, height_m, "gabled", 3.0)
    return CityObject(identifier, "Building", shapely.Polygon(ring), (body,), facts)


def city() -> list[CityObject]:
    found = grid_city(COUNT)
    for index in range(0, COUNT, 9):
        found[index] = house(found[index].id, (index % 30) * 30.0, (index // 30) * 30.0, 5.0 + index % 17)
    return found


@pytest.fixture(scope="module", params=["flat", "interpolated"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[CityObject], Path]:
    out = tmp_path_factory.mktemp("base")
    objects = city()
    build_tileset(*tables([*objects, *GROUND]), TileFrame(CRS, request.param, "Test", 3), out, compress=False)
    return objects, out


def table_of(objects: list[CityObject]) -> tuple[pa.Table, pa.Table]:
    return tables(objects)


def contents(folder: Path) -> dict[str, bytes]:
    packed = {str(path.relative_to(folder))[:-3]: path for path in folder.rglob("*.br")}
    return {name: brotli.decompress(path.read_bytes()) for name, path in packed.items()}


def uris(document: dict[str, Any]) -> set[str]:
    found = {document["content"]["uri"]} if "content" in document else set()
    return found.union(*(uris(child) for child in document.get("children", ())))


ALTERATIONS = st.fixed_dictionaries(
    {
        "gone": st.sets(st.integers(0, COUNT - 1), max_size=4),
        "higher": st.dictionaries(st.integers(0, COUNT - 1), st.floats(4, 120), max_size=4),
        "new": st.lists(st.tuples(st.floats(-80, 1300), st.floats(-80, 1300), st.floats(4, 90)), max_size=4),
        "park": st.none() | st.tuples(st.floats(0, 1100), st.floats(0, 1100)),
        "no_street": st.none() | st.integers(0, 11),
    }
)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=ALTERATIONS)
def test_a_chain_is_a_clean_build_of_the_same_tree(
    base: tuple[list[CityObject], Path], made: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    objects, folder = base
    plan = Plan.load(folder / PLAN_NAME)
    now, touched = altered_city(objects, made)
    ground, boxes = altered_ground(made)
    needed = set(plan.needed(touched, [middle(item) for item in now[len(objects) - len(made["gone"]) :]]))
    some = [item for item in now if item.id in needed or item.id in touched]
    rows = table_of(ground)[0] if len(boxes) else None
    chain, clean = (tmp_path_factory.mktemp(name) for name in ("chain", "clean"))
    report = build_chains(plan, Altered(*table_of(some), touched, rows, boxes), chain)
    build_chains(plan, Altered(*table_of(now), touched, table_of(ground)[0]), clean, everything=True)
    mine, whole = contents(chain), contents(clean)
    assert mine.items() <= whole.items()
    of_base = {str(path.relative_to(folder)) for path in folder.rglob("*.glb")}
    assert report.tiles == len([name for name in mine if name.endswith(".glb")])
    for part in ("buildings", "ground"):
        if f"{part}/tileset.json" not in mine:
            assert whole[f"{part}/tileset.json"] == (folder / part / "tileset.json").read_bytes()
            continue
        document = orjson.loads(mine[f"{part}/tileset.json"])
        named = {f"{part}/{uri}" for uri in uris(document["root"])}
        assert named <= of_base | set(mine)
    assert not (of_base & set(mine))


def altered_city(objects: list[CityObject], made: dict[str, Any]) -> tuple[list[CityObject], set[str]]:
    now, touched = [], set()
    for index, item in enumerate(objects):
        if index in made["gone"]:
            touched.add(item.id)
            continue
        if index in made["higher"]:
            touched.add(item.id)
            place = bounds(item)
            now.append(house(item.id, place[0] - EAST, place[1] - NORTH, made["higher"][index], "changed"))
            continue
        now.append(item)
    new = [house(f"s1:b/{n}", x, y, height_m, "added") for n, (x, y, height_m) in enumerate(made["new"])]
    return [*now, *new], touched | {item.id for item in new}


def altered_ground(made: dict[str, Any]) -> tuple[list[CityObject], np.ndarray[Any, Any]]:
    changed: list[CityObject] = []
    ground = list(GROUND)
    if made["no_street"] is not None:
        changed.append(ground.pop(2 + made["no_street"]))
    if made["park"] is not None:
        x, y = made["park"]
        changed.append(painted("s1:k/1", "PlantCover", shapely.box(*at(x, y), *at(x + 90, y + 60)), "green"))
        ground.append(changed[-1])
    return ground, boxes_of_ground(table_of(changed)[0]) if changed else np.empty((0, 4))


def bounds(item: CityObject) -> tuple[float, float, float, float]:
    assert item.place is not None
    west, south, east, north = item.place.bounds
    return (west, south, east, north)


def middle(item: CityObject) -> tuple[float, float]:
    west, south, east, north = bounds(item)
    return ((west + east) / 2, (south + north) / 2)


def test_nothing_altered_is_nothing_new(base: tuple[list[CityObject], Path], tmp_path: Path) -> None:
    objects, folder = base
    plan = Plan.load(folder / PLAN_NAME)
    build_chains(plan, Altered(*table_of(objects), [], table_of(GROUND)[0]), tmp_path, everything=True)
    again = contents(tmp_path)
    for path in folder.rglob("*.glb"):
        assert again[str(path.relative_to(folder))] == path.read_bytes()
    for name in ("tileset.json", "buildings/tileset.json", "ground/tileset.json"):
        assert again[name] == (folder / name).read_bytes()


def test_one_storey_more_writes_a_leaf_and_the_tiles_above_it(
    base: tuple[list[CityObject], Path], tmp_path: Path
) -> None:
    objects, folder = base
    plan = Plan.load(folder / PLAN_NAME)
    now, touched = altered_city(objects, {"gone": [], "higher": {500: 70.0}, "new": []})
    needed = set(plan.needed(touched, []))
    assert len(needed) < COUNT
    report = build_chains(plan, Altered(*table_of([i for i in now if i.id in needed]), touched), tmp_path)
    assert report.tiles <= 4
    assert not any(name.startswith("ground/") and name.endswith(".glb") for name in contents(tmp_path))
