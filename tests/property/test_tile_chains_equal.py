"""Chains: what is made of a change alone is what a whole build makes, byte for byte, and little is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

import tiles.tree
from cim.city.model import Attribute, CityObject
from cim.schemes.solids import solid_of
from tests.support.tile_city import CRS, EAST, NORTH, at, block, grid_city, painted, rectangle, tables
from tiles.build import build_tileset
from tiles.chain import Altered, boxes_of_ground, build_chains, build_delta
from tiles.draft import NotLocal, draft_chains
from tiles.frame import TileFrame
from tiles.plan import PLAN_NAME, Plan
from tiles.verify import verify_tileset

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


def wing(identifier: str, parent: str, x: float, y: float, height_m: float) -> CityObject:
    """A part of a building."""
    part = block(identifier, rectangle(x, y, 6, 6), height_m)
    return CityObject(identifier, "BuildingPart", part.place, (), part.attributes, parent_id=parent)


def city() -> list[CityObject]:
    """Blocks, houses with surfaces, and blocks with wings."""
    found = grid_city(COUNT)
    for index in range(0, COUNT, 9):
        found[index] = house(found[index].id, (index % 30) * 30.0, (index // 30) * 30.0, 5.0 + index % 17)
    wings = [
        wing(f"test:wing/{index}/{n}", found[index].id, (index % 30) * 30.0 + 7 * n, (index // 30) * 30.0, 4.0 + 3 * n)
        for index in range(4, COUNT, 50)
        for n in range(2)
    ]
    return [*found, *wings]


class Store:
    """Objects by id, read as the store's rows."""

    def __init__(self, objects: Sequence[CityObject]) -> None:
        self.of = {item.id: item for item in objects}

    def read(self, ids: Sequence[str]) -> tuple[pa.Table, pa.Table]:
        return tables([self.of[name] for name in ids if name in self.of])

    def all(self) -> tuple[pa.Table, pa.Table]:
        return tables([*self.of.values()])


@pytest.fixture(scope="module", autouse=True)
def deep() -> Iterator[None]:
    """Small leaves, and inner tiles that there are while no building of a quarter is taken away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles.tree, "LEAF_FEATURES_MAX", 120)
        patch.setattr(tiles.tree, "FAR_FEATURES_MIN", 224)
        yield


@pytest.fixture(scope="module", params=["flat", "interpolated"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Path]:
    out = tmp_path_factory.mktemp("base")
    store = Store([*city(), *GROUND])
    build_tileset(*store.all(), TileFrame(CRS, request.param, "Test", 3), out)
    return store, out


def contents(folder: Path) -> dict[str, bytes]:
    """Every file, by its path; of one that is only there packed what it holds."""
    plain = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    packed = {name[:-3]: brotli.decompress(b) for name, b in plain.items() if name.endswith(".br")}
    return {name: b for name, b in {**packed, **plain}.items() if not name.endswith((".br", ".gz", ".made", ".npz"))}


ALTERATIONS = st.fixed_dictionaries(
    {
        "gone": st.sets(st.integers(0, COUNT - 1), max_size=4),
        "higher": st.dictionaries(st.integers(0, COUNT - 1), st.floats(4, 120), max_size=4),
        "moved": st.dictionaries(
            st.integers(0, COUNT - 1), st.tuples(st.floats(0, 880), st.floats(0, 880)), max_size=3
        ),
        "new": st.lists(st.tuples(st.floats(-20, 980), st.floats(-20, 980), st.floats(4, 90)), max_size=4),
        "many": st.none() | st.tuples(st.integers(0, 700), st.integers(1, 190), st.booleans()),
        "wings": st.lists(st.tuples(st.integers(0, COUNT - 1), st.floats(2, 50)), max_size=3),
        "no_wing": st.booleans(),
        "park": st.none() | st.tuples(st.floats(0, 700), st.floats(0, 700)),
        "no_street": st.none() | st.integers(0, 11),
    }
)  # fmt: skip


def alter_many(now: dict[str, CityObject], blocks: list[str], many: tuple[int, int, bool] | None) -> None:
    """Crowd one place, or clear a row of blocks: leaves split and join."""
    first, count, more = many or (0, 0, False)
    for n in range(count):
        if more:
            now[f"s2:b/{n}"] = house(f"s2:b/{n}", 300.0 + n, 300.0 + 2 * n, 6.0 + n % 7)
        else:
            now.pop(blocks[first + n], None)


def altered(store: Store, made: dict[str, Any]) -> tuple[Store, set[str], list[CityObject]]:
    """The city after a change, the ids of what is other in it, and what is other on the ground."""
    now = dict(store.of)
    blocks = [name for name in now if name.startswith("test:楼")]
    for index, height_m in made["higher"].items():
        place = now[blocks[index]].place.bounds
        now[blocks[index]] = house(blocks[index], place[0] - EAST, place[1] - NORTH, height_m)
    for index, (x, y) in made["moved"].items():
        now[blocks[index]] = house(blocks[index], x, y, 9.0)
    for n, (x, y, height_m) in enumerate(made["new"]):
        now[f"s1:b/{n}"] = house(f"s1:b/{n}", x, y, height_m, "added")
    alter_many(now, blocks, made["many"])
    for n, (index, height_m) in enumerate(made["wings"]):
        now[f"s3:w/{n}"] = wing(f"s3:w/{n}", blocks[index], (index % 30) * 30.0 + 3, (index // 30) * 30.0, height_m)
    if made["no_wing"]:
        now.pop("test:wing/4/1", None)
    for index in made["gone"]:
        now.pop(blocks[index], None)
    # A part goes with its building: what happens where it does not has a test of its own.
    now = {name: item for name, item in now.items() if not item.parent_id or item.parent_id in now}
    ground: list[CityObject] = []
    if made["no_street"] is not None:
        ground.append(now.pop(f"t:street/{made['no_street']}"))
    if made["park"] is not None:
        x, y = made["park"]
        ground.append(painted("s1:k/1", "PlantCover", shapely.box(*at(x, y), *at(x + 90, y + 60)), "green"))
        now["s1:k/1"] = ground[-1]
    other = {name for name in {*now, *store.of} if now.get(name) is not store.of.get(name)}
    return Store([now[name] for name in sorted(now)]), other, ground


def alter(plan: Plan, store: Store, now: Store, other: set[str], ground: list[CityObject]) -> Altered:
    draft = draft_chains(plan, other, store.read, now.read)
    if not ground:
        return Altered(draft)
    return Altered(draft, now.all()[0], boxes_of_ground(tables(ground)[0]))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=ALTERATIONS)
def test_a_delta_is_a_clean_build(
    base: tuple[Store, Path], made: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    store, folder = base
    plan = Plan.load(folder / PLAN_NAME)
    now, other, ground = altered(store, made)
    delta, clean, chain = (tmp_path_factory.mktemp(name) for name in ("delta", "clean", "chain"))
    change = alter(plan, store, now, other, ground)
    frame = TileFrame(CRS, plan.site.frame.ground, "Test", 4)
    build_delta(plan, change, delta, frame)
    build_tileset(*now.all(), frame, clean, before=folder)
    mine, whole = contents(delta), contents(clean)
    assert sorted(mine) == sorted(whole)
    assert [name for name in mine if mine[name] != whole[name]] == []
    assert verify_tileset(delta) == []
    # Twins are the same too: the same bytes were compressed the same way.
    for name in ("buildings/tileset.json", "tileset.json"):
        assert (delta / f"{name}.br").read_bytes() == (clean / f"{name}.br").read_bytes()
    # What a scheme keeps is a part of the same.
    report = build_chains(plan, change, chain)
    kept = contents(chain)
    for name in kept:
        if not name.endswith("tileset.json"):
            assert kept[name] == whole[name]
            assert not (folder / name).exists()
    assert report.tiles == sum(name.endswith(".glb") for name in kept)


def test_nothing_altered_is_nothing_new(base: tuple[Store, Path], tmp_path: Path) -> None:
    store, folder = base
    plan = Plan.load(folder / PLAN_NAME)
    report = build_chains(plan, Altered(draft_chains(plan, [], store.read, store.read)), tmp_path)
    assert (report.tiles, report.changed, report.dropped) == (0, [], [])
    assert sorted(contents(tmp_path)) == ["tileset.json"]


def test_one_storey_more_writes_a_leaf_and_the_tiles_above_it(base: tuple[Store, Path], tmp_path: Path) -> None:
    store, folder = base
    plan = Plan.load(folder / PLAN_NAME)
    made = dict.fromkeys(("gone", "moved", "new", "wings"), ()) | {
        "higher": {500: 70.0}, "moved": {}, "many": None, "no_wing": False, "park": None, "no_street": None,
    }  # fmt: skip
    now, other, _ = altered(store, made)
    change = Altered(draft_chains(plan, other, store.read, now.read))
    assert change.draft.objects.num_rows < 450
    report = build_chains(plan, change, tmp_path)
    assert 1 <= report.tiles <= 4
    assert not any(name.startswith("ground/") for name in report.changed)
    assert {name.split("/")[0] for name in report.dropped} <= {"buildings", "plan"}


def test_what_lies_beyond_the_sheet_is_not_local(base: tuple[Store, Path]) -> None:
    store, folder = base
    plan = Plan.load(folder / PLAN_NAME)
    now = Store([*store.of.values(), house("s1:far", 40_000, 0, 9)])
    with pytest.raises(NotLocal):
        draft_chains(plan, ["s1:far"], store.read, now.read)


def test_a_part_without_a_parent_may_change_hands_so_it_is_not_local(base: tuple[Store, Path]) -> None:
    store, folder = base
    plan = Plan.load(folder / PLAN_NAME)
    part = block("s1:p", rectangle(2, 2, 4, 4), 30.0)
    orphan = CityObject("s1:p", "BuildingPart", part.place, (), part.attributes)
    with pytest.raises(NotLocal):
        draft_chains(plan, ["s1:p"], store.read, Store([*store.of.values(), orphan]).read)


def test_a_part_that_loses_its_building_is_not_local(base: tuple[Store, Path]) -> None:
    store, folder = base
    plan = Plan.load(folder / PLAN_NAME)
    host = next(item.parent_id for item in store.of.values() if item.parent_id)
    now = Store([item for item in store.of.values() if item.id != host])
    with pytest.raises(NotLocal):
        draft_chains(plan, [host], store.read, now.read)


def test_files_that_stay_are_the_same_files(base: tuple[Store, Path], tmp_path: Path) -> None:
    store, folder = base
    plan = Plan.load(folder / PLAN_NAME)
    now = Store([item for name, item in store.of.items() if not name.endswith("/7 α")])
    other = set(store.of) - set(now.of)
    frame = TileFrame(CRS, plan.site.frame.ground, "Test", 4)
    report = build_delta(plan, Altered(draft_chains(plan, other, store.read, now.read)), tmp_path, frame)
    shared = [path for path in tmp_path.rglob("*.glb") if path.stat().st_nlink > 1]
    assert len(shared) == len(list(tmp_path.rglob("*.glb"))) - report.tiles
    assert orjson.loads((tmp_path / "tileset.json").read_bytes())["extras"]["cim"]["baseline_version"] == 4
    assert not any((tmp_path / name).exists() for name in report.dropped)
    assert np.all([(tmp_path / name).exists() for name in report.changed])
