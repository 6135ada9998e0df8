"""Point clouds: a hill with a house on it, in metres and in feet; and what can be wrong."""

import json
import random

import numpy as np
import pyproj
import pytest

from cim.city.model import check_object
from cim.errors import CimError, InvalidInput
from cim.tilesets.service import TilesetService
from cim.tilesets.store import TilesetStore
from ingest.readers.registry import reader_for
from ingest.records import ReadContext
from tests.support.city_records import objects_of
from tests.support.city_server import run_cim
from tests.support.made_cloud import FOOT_M, X, Y, cloud, hill
from tests.support.web_city import asgi_client, build_test_app, write_build


def read(path, **context):
    return list(reader_for(path).read(path, ReadContext("t", **context)))


@pytest.mark.parametrize("name", ["hill.las", "hill.laz"])
def test_the_ground_is_the_terrain(tmp_path, name):
    records = read(cloud(tmp_path / name))
    assert (records[-1].working_crs if hasattr(records[-1], "working_crs") else "EPSG:25832") == "EPSG:25832"
    header = next(one for one in records if hasattr(one, "working_crs"))
    assert (header.working_crs, header.ground, header.reader) == ("EPSG:25832", "terrain", "las")
    found = objects_of(records)
    assert {one.type for one in found.values()} == {"TINRelief"}
    for one in found.values():
        check_object(one)
    corners = np.concatenate([one.geometries[0].coordinates for one in found.values()])
    assert np.ptp(corners[:, 0]) == pytest.approx(80, abs=3)
    off = corners[:, 2] - hill(corners[:, 0], corners[:, 1])
    under_house = (np.abs(corners[:, 0] - X - 40) < 11) & (np.abs(corners[:, 1] - Y - 40) < 11)
    assert np.abs(off[~under_house]).max() < 0.6
    assert np.abs(off[under_house]).max() < 4.5  # filled from around, not the roof


def test_feet(tmp_path):
    path = cloud(tmp_path / "feet.las", crs=None, unit_m=FOOT_M)
    found = objects_of(read(path, source_crs="EPSG:25832+6360"))  # metres on the map, US survey feet over NAVD88
    corners = np.concatenate([one.geometries[0].coordinates for one in found.values()])
    assert np.median(corners[:, 2]) == pytest.approx(102, abs=3)


@pytest.mark.parametrize(
    ("changes", "context", "code"),
    [
        ({"crs": None}, {}, "crs-missing"),
        ({"ground": 1}, {}, "las-no-ground"),
        ({"crs": None}, {"source_crs": "EPSG:4326"}, "las-degrees"),
    ],
)
def test_what_is_wrong_is_refused(tmp_path, changes, context, code):
    with pytest.raises(InvalidInput) as caught:
        read(cloud(tmp_path / "a.las", **changes), **context)
    assert caught.value.problem_code == code
    assert caught.value.hint


@pytest.mark.parametrize("name", ["hill.las", "hill.laz"])
def test_damaged_clouds_are_refused_or_read(tmp_path, name):
    whole = cloud(tmp_path / name, size=20.0).read_bytes()
    chance = random.Random(9)
    path = tmp_path / f"broken-{name}"
    for number in range(40):
        bad = bytearray(whole)
        if number % 2:
            bad = bad[: chance.randrange(8, len(bad))]
        else:
            for _ in range(6):
                bad[chance.randrange(4, 600)] = chance.randrange(256)
        path.write_bytes(bad)
        try:
            found, hint = read(path), "none needed"
        except CimError as error:
            found, hint = [], error.hint
        assert len(found) < 100
        assert hint


def test_the_points_become_a_tileset_that_stands_on_earth(tmp_path):
    out = tmp_path / "points"
    done = run_cim("tiles", "points", str(cloud(tmp_path / "hill.laz", size=20.0)), str(out))
    assert done.returncode == 0, done.stderr
    tileset = json.loads((out / "tileset.json").read_bytes())
    assert tileset["asset"]["version"] == "1.1"
    origin = tileset["root"]["transform"][12:15]
    way = pyproj.Transformer.from_crs(4978, 25832, always_xy=True)
    x, y, z = way.transform(*origin)
    assert abs(x - X) < 50
    assert abs(y - Y) < 50
    assert abs(z - 100) < 60
    assert list(out.glob("points/*.glb"))


async def test_the_points_of_a_city_are_served_beside_its_tiles(tmp_path):
    store = TilesetStore(tmp_path / "tiles")
    path = str(cloud(tmp_path / "hill.laz", size=20.0))
    async with asgi_client(build_test_app(tmp_path)) as client:
        write_build(store, "b1", 1)
        assert (await client.get("/tiles/base/points/tileset.json")).status_code == 404
        done = run_cim("tiles", "points", path, "--data", str(tmp_path))
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == "/tiles/base/points/tileset.json"
        answer = await client.get("/tiles/base/points/tileset.json")
        root = answer.json()["root"]
        contents = [tile["content"]["uri"] for tile in (root, *root.get("children", ())) if "content" in tile]
        assert contents
        for uri in contents:
            tile = await client.get(f"/tiles/base/points/{uri}")
            assert (tile.content[:4], tile.headers["content-type"]) == (b"glTF", "model/gltf-binary")
        # The city's own tiles are where they were; points are no scheme whose tiles could be cleared away.
        assert (await client.get("/tiles/base/tileset.json")).status_code == 200
        assert TilesetService(store).schemes() == []
        assert (await client.get("/tiles/nobody/points/tileset.json")).status_code == 404
        # A cloud that cannot be read leaves the one before.
        (tmp_path / "bad.las").write_bytes(b"LASF")
        assert run_cim("tiles", "points", str(tmp_path / "bad.las"), "--data", str(tmp_path)).returncode == 1
        assert (await client.get("/tiles/base/points/tileset.json")).content == answer.content


@pytest.mark.parametrize("content", [b"", b"LASF", b"LASF" + bytes(400)])
def test_no_tiles_of_what_is_no_cloud(tmp_path, content):
    (tmp_path / "a.las").write_bytes(content)
    done = run_cim("tiles", "points", str(tmp_path / "a.las"), str(tmp_path / "out"))
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert not (tmp_path / "out").exists()
