"""A city on its own relief: tiles, buildings and light stand on the heights that the source states."""

import numpy as np
import pyproj
import pytest
from lxml import etree

from cim.impact.light.scene import scene_of_tables
from tests.support.city_server import run_cim
from tests.support.gml_city import box, building, envelope, member, multi_surface, polygon, pos_list, solid, write
from tests.support.tiled_terrain import heights_on, on_earth, tables_of, tiles_of
from tiles.build import build_tileset
from tiles.frame import TileFrame
from tiles.verify import verify_tileset

CRS = "EPSG:32654"
LAT, LON = 35.26, 139.74
METRE_LAT, METRE_LON = 1 / 110_950, 1 / 90_980
"""Degrees of a metre there, roughly; only the layout of the made city depends on it."""
GML = "{http://www.opengis.net/gml}"


def hill(lat, lon):
    """The true ground, in degrees, so that no projection is part of the oracle."""
    return 40 + 12 * np.sin((lat - LAT) / METRE_LAT / 80) + 9 * np.cos((lon - LON) / METRE_LON / 70)


def place(east, north):
    return LAT + north * METRE_LAT, LON + east * METRE_LON


def made_city(path, step=10, size=600):
    """Blocks of 12 m on a hill, each on the height of the hill under its middle, all in EPSG:6697."""
    patches = []
    for east in range(0, size, step):
        for north in range(0, size, step):
            corners = [place(east + dx, north + dy) for dx, dy in ((0, 0), (step, 0), (step, step), (0, step))]
            a, b, c, d = ((lat, lon, hill(lat, lon)) for lat, lon in corners)
            patches += [(a, b, c), (a, c, d)]
    triangles = "".join(
        f"<gml:Triangle><gml:exterior><gml:LinearRing><gml:posList>{pos_list(one)}</gml:posList></gml:LinearRing>"
        "</gml:exterior></gml:Triangle>"
        for one in patches
    )
    relief = (
        '<core:cityObjectMember><dem:ReliefFeature gml:id="f"><dem:reliefComponent><dem:TINRelief gml:id="tin">'
        f"<dem:lod>1</dem:lod><dem:tin><gml:TriangulatedSurface><gml:trianglePatches>{triangles}</gml:trianglePatches>"
        "</gml:TriangulatedSurface></dem:tin></dem:TINRelief></dem:reliefComponent></dem:ReliefFeature>"
        "</core:cityObjectMember>"
    )
    blocks, grounds = [], {}
    for number in range(36):
        east, north = 60 + (number % 6) * 85, 60 + (number // 6) * 85
        foot = float(hill(*place(east + 6, north + 6)))
        faces = box(east, north, foot, 12.0, 9.0)
        on_map = {name: [(*place(x, y), z) for x, y, z in points] for name, points in faces.items()}
        inside = f"<bldg:lod1Solid>{solid(*(member(polygon(p)) for p in on_map.values()))}</bldg:lod1Solid>"
        if number % 3 == 0:
            # One in three has a footprint and a height only: it stands where the ground is.
            flat = multi_surface(member(polygon([(lat, lon, 0.0) for lat, lon, _ in on_map["roof"]])))
            inside = (
                f'<bldg:measuredHeight uom="m">9</bldg:measuredHeight><bldg:lod0FootPrint>{flat}</bldg:lod0FootPrint>'
            )
        blocks.append(building(f"b{number}", inside))
        grounds[f"c:b{number}"] = foot
    write(path, relief, *blocks, bounds=envelope("http://www.opengis.net/def/crs/EPSG/0/6697", (LAT, LON, 0)))
    return grounds


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hill")
    grounds = made_city(folder / "hill.gml")
    tables = tables_of(("c", folder / "hill.gml"), working_crs=CRS)
    build_tileset(*tables, TileFrame(CRS, "terrain", "Hill"), folder / "tiles", compress=False)
    return folder / "tiles", tables, grounds


def kind_of(tile):
    return tile.json["extensions"]["EXT_structural_metadata"]["propertyTables"][0]["class"]


def land_of(folder):
    """The drawn triangles of the ground as latitude, longitude, height, shape (t, 3, 3)."""
    found = [on_earth(tile, way) for tile, way in tiles_of(folder) if kind_of(tile) == "Ground"]
    return np.concatenate(found).reshape(-1, 3, 3)


def test_the_drawn_ground_is_the_hill(made):
    folder, _, grounds = made
    assert verify_tileset(folder, set(grounds)) == []
    land = land_of(folder)
    inside = (np.abs((land[..., 0] - LAT) / METRE_LAT - 300) < 290).all(axis=1)
    inside &= (np.abs((land[..., 1] - LON) / METRE_LON - 300) < 290).all(axis=1)
    corners, middles = land[inside].reshape(-1, 3), land[inside].mean(axis=1)
    assert len(corners) > 3_000
    assert np.abs(corners[:, 2] - hill(corners[:, 0], corners[:, 1])).max() < 0.25
    assert np.abs(middles[:, 2] - hill(middles[:, 0], middles[:, 1])).max() < 0.35


def test_every_building_stands_on_the_hill(made):
    folder, _, grounds = made
    land = land_of(folder)
    seen = set()
    for tile, way in tiles_of(folder):
        if kind_of(tile) != "CityObject":
            continue
        rows = np.array([int(row) for (row,) in tile.attribute(0, "_FEATURE_ID_0")])
        earth, table = on_earth(tile, way), tile.table()
        for row, identifier in enumerate(table["id"]):
            own = earth[rows == row]
            seen.add(identifier)
            number = int(identifier.removeprefix("c:b"))
            middle = np.array(place(66 + (number % 6) * 85, 66 + (number // 6) * 85))
            # A block without heights stands at the lowest of its corners, 8.5 m from the middle; others as they say.
            slack = 2.5 if number % 3 == 0 else 0.02
            assert table["ground_m"][row] == pytest.approx(grounds[identifier], abs=slack)
            off_m = (own[:, :2].mean(axis=0) - middle) / (METRE_LAT, METRE_LON)
            assert np.hypot(*off_m) < 4.0
            under = heights_on(land, own[:, :2])
            foot = own[:, 2].min()
            assert foot < np.nanmin(under) + 0.02, "it floats"
            assert foot > np.nanmin(under) - 3.0
            assert own[:, 2].max() - table["ground_m"][row] == pytest.approx(9.0, abs=0.05)
    assert seen == set(grounds)


def test_the_light_takes_the_same_ground(made):
    _, tables, _ = made
    ground = scene_of_tables(*tables, flat=False).ground
    chance = np.random.default_rng(5)
    lat, lon = place(chance.uniform(20, 580, 400), chance.uniform(20, 580, 400))
    east, north = pyproj.Transformer.from_crs("EPSG:6668", CRS).transform(lat, lon)
    assert np.abs(ground.height_m(np.column_stack((east, north))) - hill(lat, lon)).max() < 0.3


def test_the_command_line_makes_the_relief_the_ground_of_a_city_that_has_buildings_already(tmp_path):
    made_city(tmp_path / "all.gml", step=50, size=300)
    whole = (tmp_path / "all.gml").read_text()
    head, first, rest = whole.partition("<core:cityObjectMember>")
    relief, _, blocks = rest.partition("</core:cityObjectMember>")
    (tmp_path / "blocks.gml").write_text(head + blocks)
    (tmp_path / "relief.gml").write_text(head + first + relief + "</core:cityObjectMember></core:CityModel>")
    data = str(tmp_path / "data")
    for name in ("blocks.gml", "relief.gml"):
        done = run_cim("ingest", str(tmp_path / name), "--data", data, "--time-zone", "Asia/Tokyo")
        assert done.returncode == 0, done.stdout + done.stderr
    assert run_cim("tiles", "verify", "--data", data).returncode == 0
    from cim.city.service import CityService
    from cim.db.directory import DataDirectory
    from cim.db.store import Database

    with DataDirectory(tmp_path / "data") as directory, Database.open(directory) as database:
        city = CityService(database)
        assert (city.frame.ground, city.frame.vertical_datum) == ("terrain", "JGD2011 (vertical) height")
        assert city.view.index.counts() == {"Building": 36, "TINRelief": 1}


@pytest.mark.reference
def test_plateau_stands_at_the_right_place_on_the_right_ground(reference, tmp_path):
    """Buildings and relief of Yokosuka; in this delivery they lie 7 km apart, so each has its own ground."""
    folder = reference / "citygml"
    files = (("b", folder / "52397519_bldg_6697_op.gml"), ("r", folder / "523965_dem_6697_05_op.gml"))
    build_tileset(*tables_of(*files, working_crs=CRS), TileFrame(CRS, "terrain", "P"), tmp_path, compress=False)
    assert verify_tileset(tmp_path) == []
    # Every corner that is drawn of a building is a corner that the file states, to the step of a tile's grid.
    rings = [e.text.split() for e in etree.parse(files[0][1]).iter(f"{GML}posList")]
    stated = np.array([value for ring in rings for value in ring], dtype=float).reshape(-1, 3)
    metres = np.array([110_950.0, 90_980.0, 1.0])
    from scipy.spatial import KDTree

    corners, grounds = KDTree(stated[:, :2] * metres[:2]), []
    land = land_of(tmp_path)
    for tile, way in tiles_of(tmp_path):
        if kind_of(tile) != "CityObject":
            continue
        earth, table = on_earth(tile, way), tile.table()
        assert corners.query(earth[:, :2] * metres[:2])[0].max() < 0.02
        rows = np.array([int(row) for (row,) in tile.attribute(0, "_FEATURE_ID_0")])
        for row, ground_m in enumerate(table["ground_m"]):
            own = earth[rows == row]
            under = heights_on(land[np.abs(land[:, 0, 0] - LAT) < 0.01], own[:, :2])
            grounds.append((ground_m, float(np.nanmin(under)), float(own[:, 2].min())))
            known = own[own[:, 2] > ground_m + 0.5]
            away = KDTree(stated * metres).query(known * metres)[0]
            assert np.median(away) < 0.03
    assert len(grounds) == 13
    stands, under, foot = np.array(grounds).T
    assert np.median(np.abs(stands - under)) < 0.5
    assert (foot < under + 0.05).all()
    # The drawn ground over the relief, against the relief's own triangles taken from the file by hand.
    relief = etree.parse(files[1][1]).iter(f"{GML}posList")
    tin = np.array([np.array(e.text.split(), dtype=float).reshape(-1, 3)[:3] for e in relief])
    middles = land.mean(axis=1)
    off = np.abs(middles[:, 2] - heights_on(tin, middles[:, :2]))
    off = off[~np.isnan(off)]
    assert len(off) > 3_000
    assert np.median(off) < 0.05
    assert np.quantile(off, 0.95) < 0.5
