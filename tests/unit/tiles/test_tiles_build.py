from __future__ import annotations

import gzip
import json
import math
from dataclasses import replace

import brotli
import numpy as np
import pyproj
import pytest
import shapely

from cim.city.model import Attribute, CityObject
from cim.errors import InvalidInput
from cim.geometry.surfaces import Semantics
from tests.readers_independent.tile_reader import Tile, leaves
from tests.support.tile_city import (
    CRS,
    at,
    block,
    box_surfaces,
    grid_city,
    painted,
    rectangle,
    tables,
)
from tiles.build import build_tileset
from tiles.frame import Chart, TileFrame
from tiles.verify import verify_tileset

FLAT = TileFrame(CRS, "flat", "Test", 3)


def build(objects, out, frame=FLAT):
    return build_tileset(*tables(objects), frame, out)


def features(out, folder="buildings"):
    """Every row of every leaf by its id, with the triangles' positions, by the independent reader."""
    found = {}
    for tile in leaves(out / folder):
        table = tile.table()
        ids = [int(i) for (i,) in tile.attribute(0, "_FEATURE_ID_0")]
        places = tile.positions(0)
        for row, identifier in enumerate(table["id"]):
            assert identifier not in found
            found[identifier] = {name: column[row] for name, column in table.items()}
            found[identifier]["positions"] = np.array([p for i, p in zip(ids, places, strict=True) if i == row])
    return found


def to_lonlat(document, position):
    matrix = np.array(document["root"]["transform"]).reshape(4, 4).T
    ecef = matrix @ np.append(position, 1.0)
    lon, lat, height = pyproj.Transformer.from_crs(4978, 4979, always_xy=True).transform(*ecef[:3])
    return lon, lat, height


def test_every_id_and_property_is_the_stores(tmp_path):
    city = grid_city(1000)
    report = build(city, tmp_path)
    assert report.buildings == 1000
    assert report.building_tiles > 1
    found = features(tmp_path)
    assert set(found) == {o.id for o in city}
    for thing in city:
        row, facts = found[thing.id], thing.attributes
        assert row["type"] == "Building"
        assert row["name"] == facts["name"].value
        assert row["use"] == facts["function"].value
        assert row["year"] == facts["year_of_construction"].value
        assert row["storeys"] == facts["storeys_above_ground"].value
        assert row["height_m"] == pytest.approx(facts["height_m"].value, abs=1e-5)
        assert row["modelled"] == 1
        assert row["ground_m"] == 0.0
        assert row["positions"][:, 2].max() == pytest.approx(facts["height_m"].value, abs=0.05)
    assert verify_tileset(tmp_path, {o.id for o in city}) == []


def test_tiles_lie_where_the_city_is(tmp_path):
    build([block("t:1", rectangle(0, 0, 10, 10), 20.0), block("t:2", rectangle(900, 700, 10, 10), 5.0)], tmp_path)
    document = json.loads((tmp_path / "buildings/tileset.json").read_text())
    for identifier, (x, y), top in (("t:1", (0, 0), 20.0), ("t:2", (900, 700), 5.0)):
        corner = features(tmp_path)[identifier]["positions"]
        best = min(corner[corner[:, 2] > top / 2].tolist(), key=lambda p: p[0] + p[1])
        lon, lat, height = to_lonlat(document, best)
        there = pyproj.Transformer.from_crs(CRS, 4326, always_xy=True).transform(*at(x, y))
        east = (lon - there[0]) * 111_320 * math.cos(math.radians(lat))
        assert math.hypot(east, (lat - there[1]) * 111_320) < 0.05
        assert height == pytest.approx(top, abs=0.05)


@pytest.mark.parametrize(
    ("crs", "place"),
    [("EPSG:28992", (90_000, 436_000)), ("EPSG:3879", (25_496_000, 6_672_000)), ("EPSG:32654", (390_000, 3_950_000))],
)
@pytest.mark.parametrize("reach", [4_000, 30_000])
def test_the_chart_follows_the_exact_transformation(crs, place, reach):
    chart = Chart(TileFrame(crs), (place[0] - reach, place[1] - reach, place[0] + reach, place[1] + reach))
    random = np.random.default_rng(1)
    points = np.column_stack((random.uniform(-reach, reach, (500, 2)) + place, random.uniform(-10, 800, 500)))
    assert np.abs(chart.to_local(points) - chart.exact(points)).max() < 0.005


def test_the_chart_refuses_degrees():
    with pytest.raises(InvalidInput) as caught:
        Chart(TileFrame("EPSG:4326"), (24, 60, 25, 61))
    assert caught.value.problem_code == "working-crs"


def test_parts_stand_for_their_building(tmp_path):
    outline = block("t:house", rectangle(0, 0, 20, 10), 30.0)
    low = CityObject("t:low", "BuildingPart", rectangle(0, 0, 10, 10), (), {"height_m": Attribute(8.0)}, "t:house")
    high = CityObject("t:high", "BuildingPart", rectangle(10, 0, 10, 10), (), {"height_m": Attribute(30.0)})
    build([outline, low, high], tmp_path)
    found = features(tmp_path)
    assert set(found) == {"t:house"}
    place = found["t:house"]["positions"]
    west = place[place[:, 0] < place[:, 0].mean() - 2]
    assert west[:, 2].max() == pytest.approx(8.0, abs=0.05)
    assert place[:, 2].max() == pytest.approx(30.0, abs=0.05)


def test_what_parts_leave_open_is_drawn_at_their_mean_height(tmp_path):
    outline = block("t:church", rectangle(0, 0, 40, 10), 60.0)
    tower = CityObject(
        "t:tower", "BuildingPart", rectangle(0, 0, 10, 10), (), {"height_m": Attribute(60.0)}, "t:church"
    )
    nave = CityObject("t:nave", "BuildingPart", rectangle(10, 0, 20, 10), (), {"height_m": Attribute(15.0)}, "t:church")
    build([outline, tower, nave], tmp_path)
    place = features(tmp_path)["t:church"]["positions"]
    east = place[place[:, 0] > place[:, 0].max() - 1]
    assert east[:, 2].max() == pytest.approx(30.0, abs=0.05)


def test_a_part_whose_building_is_not_there_is_drawn_itself(tmp_path):
    part = CityObject("t:part", "BuildingPart", rectangle(0, 0, 10, 10), (), {"height_m": Attribute(8.0)}, "t:gone")
    build([part], tmp_path)
    assert features(tmp_path)["t:part"]["type"] == "BuildingPart"


def test_the_highest_level_of_detail_wins(tmp_path):
    shapes = (box_surfaces(0, 0, 0, 10, 5, "1"), box_surfaces(0, 0, 0, 10, 9, "2.2"), box_surfaces(0, 0, 0, 10, 3, "0"))
    build([CityObject("t:1", "Building", geometries=shapes)], tmp_path)
    assert features(tmp_path)["t:1"]["height_m"] == pytest.approx(9.0)


def test_what_cannot_be_drawn_is_named_and_the_rest_is_drawn(tmp_path):
    bow = shapely.Polygon([at(0, 0), at(10, 10), at(10, 0), at(0, 10)])
    city = [
        block("t:good", rectangle(50, 0, 10, 10)), block("t:bow", bow),
        block("t:no-height", rectangle(0, 50, 9, 9), None),
        block("t:under", rectangle(20, 50, 9, 9), 5.0, min_height_m=6.0), block("t:dot", shapely.Point(*at(80, 80))),
    ]  # fmt: skip
    report = build(city, tmp_path)
    assert set(features(tmp_path)) == {"t:good", "t:bow"}
    assert dict(report.quarantined) == {
        "t:dot": "no-geometry",
        "t:no-height": "height-missing",
        "t:under": "height-missing",
    }


def test_what_lies_far_away_is_named_and_the_rest_is_as_without_it(tmp_path):
    city = [block(f"t:{i}", rectangle(40 * i, 0, 10, 10)) for i in range(5)]
    lost = [
        CityObject("t:zero", "Building", place=shapely.box(0, 0, 9, 9), attributes={"height_m": Attribute(9.0)}),
        block("t:next-town", rectangle(100_500, 0, 10, 10)),
        painted("t:field", "PlantCover", rectangle(0, 3_000_000, 50, 50), "green"),
        CityObject("t:unseen", "LandUse", place=shapely.box(0, 0, 9, 9)),
    ]
    near = block("t:village", rectangle(3_000, 0, 10, 10))
    report = build([*city, near, *lost], tmp_path / "with")
    assert report.quarantined == [("t:field", "far-away"), ("t:next-town", "far-away"), ("t:zero", "far-away")]
    assert set(features(tmp_path / "with")) == {o.id for o in (*city, near)}
    build([*city, near], tmp_path / "without")
    assert (tmp_path / "with" / "tileset.json").read_bytes() == (tmp_path / "without" / "tileset.json").read_bytes()


def test_the_same_city_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        build(grid_city(500), tmp_path / name)
    first = {p.relative_to(tmp_path / "a"): p.read_bytes() for p in (tmp_path / "a").rglob("*") if p.is_file()}
    second = {p.relative_to(tmp_path / "b"): p.read_bytes() for p in (tmp_path / "b").rglob("*") if p.is_file()}
    assert first == second


def test_twins_hold_the_same_bytes(tmp_path):
    build(grid_city(20), tmp_path)
    plain = [p for p in tmp_path.rglob("*") if p.suffix in {".glb", ".json"}]
    assert plain
    for path in plain:
        assert brotli.decompress(path.with_name(path.name + ".br").read_bytes()) == path.read_bytes()
        assert gzip.decompress(path.with_name(path.name + ".gz").read_bytes()) == path.read_bytes()


def test_an_empty_city_is_refused(tmp_path):
    with pytest.raises(InvalidInput) as caught:
        build([CityObject("t:x", "+District", place=rectangle(0, 0, 5, 5))], tmp_path)
    assert caught.value.problem_code == "city-empty"


def test_a_city_without_buildings_still_has_ground(tmp_path):
    report = build([painted("t:park", "PlantCover", rectangle(0, 0, 50, 50), "green")], tmp_path)
    assert report.buildings == 0
    assert verify_tileset(tmp_path, set()) == []


def test_far_tiles_draw_fewer_and_their_errors_say_by_how_much(tmp_path):
    build(grid_city(1000), tmp_path)
    root = json.loads((tmp_path / "buildings/tileset.json").read_text())["root"]
    assert root["refine"] == "REPLACE"
    assert root["geometricError"] > 1.0
    far = Tile(tmp_path / "buildings" / root["content"]["uri"])
    near = leaves(tmp_path / "buildings")
    assert len(far.primitives) == 2
    assert {len(tile.primitives) for tile in near} == {3}
    assert far.json["accessors"][0]["count"] <= sum(tile.json["accessors"][0]["count"] for tile in near)


def test_heights_and_normals_fit_the_walls(tmp_path):
    build([block("t:1", rectangle(0, 0, 10, 10), 12.0)], tmp_path)
    tile = leaves(tmp_path / "buildings")[0]
    for (height,), place, normal in zip(tile.attribute(0, "_HEIGHT"), tile.positions(0), tile.normals(0), strict=True):
        assert height == pytest.approx(place[2], abs=0.1)
        assert math.sqrt(sum(v * v for v in normal)) == pytest.approx(1.0, abs=0.02)
        assert abs(normal[2]) < 0.02 or normal[2] > 0.98


def test_the_skirt_fades_five_metres_from_the_wall(tmp_path):
    build([block("t:1", rectangle(0, 0, 10, 10), 12.0)], tmp_path)
    tile = leaves(tmp_path / "buildings")[0]
    walls = np.array(tile.positions(0))[:, :2]
    outline = shapely.box(*walls.min(axis=0), *walls.max(axis=0))
    for place, (alpha,) in zip(tile.positions(2), tile.attribute(2, "_ALPHA"), strict=True):
        distance = outline.exterior.distance(shapely.Point(place[:2]))
        assert alpha == (1.0 if distance < 0.1 else 0.0)
        assert distance < 0.1 or 4.9 < distance < 7.2
        assert abs(place[2]) < 0.1


def test_roofs_and_walls_have_the_colours_of_what_the_source_calls_them(tmp_path):
    plain = box_surfaces(100, 0, 0, 10, 8)
    kinds = tuple({"type": name} for name in ("GroundSurface", "RoofSurface", "WallSurface"))
    said = replace(box_surfaces(0, 0, 0, 10, 8), semantics=Semantics(kinds, np.array([0, 1, 2, 2, 2, -1])))
    city = [
        CityObject("test:said", "Building", geometries=(said,)),
        CityObject("test:plain", "Building", geometries=(plain,)),
        block("test:block", rectangle(200, 0, 10, 10)),
    ]
    build(city, tmp_path)
    (tile,) = leaves(tmp_path / "buildings")
    names = tile.table()["id"]
    found = {}
    columns = zip(tile.attribute(0, "_FEATURE_ID_0"), tile.normals(0), tile.attribute(0, "COLOR_0"), strict=True)
    for (row,), normal, colour in columns:
        found.setdefault((names[int(row)], normal[2] > 0.9), set()).add(colour)
    white = (255, 255, 255, 255)
    assert found["test:said", False] == {white}
    assert found["test:said", True] == {(214, 178, 160, 255)}
    assert found["test:plain", True] == found["test:block", True] == {white}
