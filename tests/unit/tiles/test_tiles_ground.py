from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely

from cim.city.model import CityObject
from cim.geometry.ground import ground_through
from tests.readers_independent.tile_reader import leaves
from tests.support.tile_city import CRS, EAST, NORTH, at, block, box_surfaces, painted, rectangle, tables
from tiles.build import build_tileset
from tiles.frame import TileFrame
from tiles.ground import PAINT_ORDER, cased, ground_shapes
from tiles.verify import verify_tileset

FLAT = TileFrame(CRS, "flat", "Test", 1)
HILLY = TileFrame(CRS, "interpolated", "Test", 1, "N2000")
SHEET = (EAST - 150, NORTH - 150, EAST + 350, NORTH + 350)


def street(identifier="t:street", kind="road_street", width_m=6.0):
    return painted(identifier, "Road", shapely.LineString([at(0, 50), at(200, 50)]), kind, width_m)


def by_kind(objects):
    ground = ground_shapes(tables(objects)[0], sheet=SHEET)
    shapes = cased(ground.shapes, ground.casing(SHEET))
    kinds = np.array(PAINT_ORDER)[shapes.rank]
    return {kind: shapely.union_all(shapes.polygons[kinds == kind]) for kind in set(kinds.tolist())}


def test_a_street_is_a_casing_under_a_surface_of_its_width():
    made = by_kind([street()])
    assert made["road_street"].bounds[3] - made["road_street"].bounds[1] == pytest.approx(6.0, abs=0.01)
    assert made["road_casing"].covers(made["road_street"])
    assert made["road_casing"].bounds[3] - made["road_casing"].bounds[1] == pytest.approx(7.2, abs=0.01)


def test_a_path_has_no_casing_and_land_is_always_there():
    made = by_kind([street(kind="road_path", width_m=None)])
    assert "road_casing" not in made
    assert made["land"].area == pytest.approx(500 * 500)


def test_what_has_no_known_kind_is_not_painted():
    assert set(by_kind([painted("t:x", "LandUse", rectangle(0, 0, 9, 9), "lava")])) == {"land"}


def test_a_line_of_absurd_width_is_bounded():
    made = by_kind([street(width_m=5000.0)])
    assert made["road_street"].bounds[3] - made["road_street"].bounds[1] <= 60.01


def city():
    return [
        block("t:house", rectangle(60, 60, 20, 20)), street(),
        painted("t:park", "PlantCover", rectangle(100, 100, 80, 60), "green"),
        painted("t:sea", "WaterBody", rectangle(-100, 0, 90, 200), "sea"),
        painted("t:pond", "WaterBody", rectangle(120, 110, 10, 10), "water"),
    ]  # fmt: skip


def test_triangles_come_in_paint_order_and_later_ones_lie_higher(tmp_path):
    build_tileset(*tables(city()), FLAT, tmp_path)
    tiles = leaves(tmp_path / "ground")
    assert {"land", "sea", "water", "green", "road_street", "road_casing"} == {
        str(kind) for tile in tiles for kind in tile.table()["kind"]
    }
    for tile in tiles:
        kinds = tile.table()["kind"]
        rank = [PAINT_ORDER.index(str(kinds[int(i)])) for (i,) in tile.attribute(0, "_FEATURE_ID_0")]
        assert rank == sorted(rank)
        lift = {r: p[2] for r, p in zip(rank, tile.positions(0), strict=True)}
        levels = [lift[r] for r in sorted(lift)]
        assert all(b > a for a, b in pairwise(levels))
        assert max(levels) < 0.5
        assert all(normal[2] > 0.99 for normal in tile.normals(0))


def test_ground_ids_are_the_stores_and_the_sheet_has_none(tmp_path):
    build_tileset(*tables(city()), FLAT, tmp_path)
    rows = {
        (identifier, kind)
        for tile in leaves(tmp_path / "ground")
        for identifier, kind in zip(tile.table()["id"], tile.table()["kind"], strict=True)
    }
    assert rows == {
        (None, "land"), (None, "road_casing"), ("t:street", "road_street"), ("t:park", "green"), ("t:sea", "sea"),
        ("t:pond", "water"),
    }  # fmt: skip


def test_cutting_into_tiles_loses_no_area(tmp_path):
    wide = [painted("t:park", "PlantCover", rectangle(0, 0, 2500, 1900), "green")]
    report = build_tileset(*tables(wide), FLAT, tmp_path)
    assert report.ground_tiles > 4
    total = 0.0
    for tile in leaves(tmp_path / "ground"):
        kinds = tile.table()["kind"]
        place = np.array(tile.positions(0)).reshape(-1, 3, 3)
        green = np.array([kinds[int(i)] == "green" for (i,) in tile.attribute(0, "_FEATURE_ID_0")[::3]])
        cross = np.cross(place[:, 1] - place[:, 0], place[:, 2] - place[:, 0])
        total += float(np.linalg.norm(cross[green], axis=1).sum() / 2)
    assert total == pytest.approx(2500 * 1900, rel=1e-3)
    assert verify_tileset(tmp_path) == []


def test_wide_empty_ground_is_a_few_tiles_that_nothing_sinks_into(tmp_path):
    # Two houses ten kilometres apart, and a street beside one.
    city = [block("t:a", rectangle(0, 0, 20, 20)), block("t:b", rectangle(9800, 9800, 20, 20)), street()]
    report = build_tileset(*tables(city), FLAT, tmp_path)
    tiles = leaves(tmp_path / "ground")
    plain = [tile for tile in tiles if {str(kind) for kind in tile.table()["kind"]} == {"land"}]
    assert len(plain) < 40 < (10_000 / 1_280) ** 2, "as wide as may be where nothing is painted"
    wide = 0
    for tile in plain:
        place = np.array(tile.positions(0)).reshape(-1, 3, 3)
        wide += np.ptp(place[..., 0]) > 2_000
        # Along a triangle's side the Earth bulges most: there the ground lies deepest below it.
        middle = ((place + np.roll(place, 1, axis=1)) / 2).reshape(-1, 3)
        for found, deepest in ((place.reshape(-1, 3), 0.1), (middle, 0.25)):
            below = level_m(found) - found[:, 2]
            # Shade lies 2.5 cm over the surface.
            assert below.min() > -0.02
            assert below.max() < deepest
    assert wide >= 6
    assert report.ground_tiles < 100
    assert verify_tileset(tmp_path) == []


def level_m(places):
    """How high the Earth's surface is in a chart that touches it in the middle, nearly."""
    return -(places[:, 0] ** 2 + places[:, 1] ** 2) / 2 / 6.371e6


def slope(x, y):
    return 20.0 + 0.03 * x - 0.02 * y


def hillside():
    made = []
    for index in range(64):
        x, y = (index % 8) * 40.0, (index // 8) * 40.0
        made.append(CityObject(f"t:{index}", "Building", geometries=(box_surfaces(x, y, slope(x, y), 10, 8),)))
    return made


def test_interpolated_ground_passes_through_the_feet():
    random = np.random.default_rng(3)
    xy = random.uniform(0, 1000, (400, 2))
    feet = np.column_stack((xy, slope(xy[:, 0], xy[:, 1])))
    feet[7, 2] += 30.0  # one stands on a viaduct
    ground = ground_through(feet, (-150, -150, 1150, 1150))
    inside = random.uniform(150, 850, (300, 2))
    assert np.abs(ground.height_m(inside) - slope(inside[:, 0], inside[:, 1])).max() < 0.5
    assert np.isfinite(ground.height_m(np.array([[-9999.0, 9999.0]]))).all()


def test_nothing_floats_or_sinks_on_a_slope(tmp_path):
    report = build_tileset(*tables(hillside()), HILLY, tmp_path)
    assert report.sunk_m < 1.0
    assert verify_tileset(tmp_path, {f"t:{i}" for i in range(64)}) == []
    land = np.concatenate([np.array(tile.positions(0)) for tile in leaves(tmp_path / "ground")])
    assert np.ptp(land[:, 2]) > 8.0
    for tile in leaves(tmp_path / "buildings"):
        ids = np.array([int(i) for (i,) in tile.attribute(0, "_FEATURE_ID_0")])
        place = np.array(tile.positions(0))
        grounds = tile.table()["ground_m"]
        for row in range(len(grounds)):
            own = place[ids == row]
            foot = own[:, 2].min()
            near = land[np.linalg.norm(land[:, :2] - own[:, :2].mean(axis=0), axis=1) < 25.0, 2]
            assert foot <= near.max()
            assert foot > near.min() - 2.0


def test_blocks_without_heights_of_ground_stand_on_the_interpolated_one(tmp_path):
    added = block("t:new", rectangle(100, 100, 10, 10), 12.0)
    build_tileset(*tables([*hillside(), added]), HILLY, tmp_path)
    found = {}
    for tile in leaves(tmp_path / "buildings"):
        found.update(zip(tile.table()["id"], tile.table()["ground_m"], strict=True))
    assert found["t:new"] == pytest.approx(slope(105, 105), abs=0.8)
