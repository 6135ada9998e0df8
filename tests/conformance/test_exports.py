"""Whole collections as files, opened with other people's code."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import duckdb
import httpx
import numpy as np
import orjson
import pyarrow.parquet as pq
import pyogrio
import pyproj
import pytest
import shapely
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from cim.app import Services, build_app
from cim.city.model import Attribute, CityObject
from cim.city.service import CityService
from cim.config import Settings
from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.features.exports.csv_text import guarded
from cim.live.hub import LiveHub
from cim.ports import SystemClock
from cim.tilesets.service import TilesetService
from cim.tilesets.store import TilesetStore
from cim.wiring.features import wire_features
from cim.wiring.schemes import wire_planning
from tests.support.scheme_city import X, Y, deliver, house, plain_city, tram_line
from tests.support.tile_city import box_surfaces
from tests.support.web_city import asgi_client, one_view

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "viewer" / "web"
TOOL = Path(__file__).parent / "tools" / "validate_glb.mjs"
EXPORT = "/api/v1/export/buildings"
EVIL = '=HYPERLINK("http://x")'


def things() -> list[CityObject]:
    solid = CityObject(
        "test:solid",
        "Building",
        shapely.box(X - 40, Y - 40, X - 30, Y - 28),
        geometries=(box_surfaces(0, 0, 0, 12, 9),),
        attributes={"height_m": Attribute(9.0)},
    )
    part = CityObject("test:part", "BuildingPart", geometries=(box_surfaces(20, 0, 0, 5, 4),), parent_id="test:solid")
    return [*plain_city(), tram_line(), house(20, name=EVIL), house(21, name="+1", ground_m=3.5), solid, part]


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    with DataDirectory(tmp_path / "data") as directory, Database.open(directory) as database:
        city = CityService(database)
        deliver(city, "first", things())
        planning = wire_planning(database, city, LiveHub("e1", clock=SystemClock()), SystemClock())
        _, features = wire_features(city, planning, lambda _: (), list, version="0.1.0", clock=SystemClock())
        services = Services(
            version="0.1.0",
            bundle=tmp_path / "static",
            tiles=TilesetService(TilesetStore(tmp_path / "tiles")),
            features=features,
            view=one_view,
        )
        async with asgi_client(build_app(services, Settings(rate_per_s=0))) as client:
            yield client


async def fetched(client: httpx.AsyncClient, path: str = EXPORT, **parameters: str) -> httpx.Response:
    answer = await client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    return answer


@pytest.fixture
async def offered(client: httpx.AsyncClient) -> dict[str, Any]:
    page = (await client.get("/ogc/collections/buildings/items?limit=1000")).json()
    return {feature["id"]: feature for feature in page["features"]}


async def test_transit_routes_are_written_as_any_collection(client: httpx.AsyncClient, tmp_path: Path) -> None:
    path = tmp_path / "routes.parquet"
    path.write_bytes((await fetched(client, "/api/v1/export/transit-routes", format="geoparquet")).content)
    (row,) = duckdb.sql(f"SELECT id, mode, trips_per_day, geometry::VARCHAR FROM '{path}'").fetchall()
    assert row[:3] == ("test:route/4", "tram", 120)
    assert row[3].startswith("MULTILINESTRING")
    answer = await fetched(client, "/api/v1/export/transit-routes", format="csv")
    assert [one["mode"] for one in csv.DictReader(io.StringIO(answer.text))] == ["tram"]


async def test_geoparquet_is_read_by_arrow_and_duckdb(
    client: httpx.AsyncClient, offered: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "buildings.parquet"
    path.write_bytes((await fetched(client, format="geoparquet")).content)
    table = pq.read_table(path)
    geo = json.loads(table.schema.metadata[b"geo"])
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    column = geo["columns"]["geometry"]
    assert (column["encoding"], column["geometry_types"]) == ("WKB", ["Polygon"])
    assert "crs" not in column, "longitude and latitude are what a file without crs has"
    places = shapely.from_wkb(table["geometry"].to_pylist())
    assert set(table["id"].to_pylist()) == set(offered)
    for identifier, place, box in zip(table["id"].to_pylist(), places, table["bbox"].to_pylist(), strict=True):
        there = shapely.from_geojson(orjson.dumps(offered[identifier]["geometry"]))
        assert place.normalize().equals_exact(there.normalize(), 1e-9)
        assert [box[side] for side in ("xmin", "ymin", "xmax", "ymax")] == pytest.approx(place.bounds)
    assert column["bbox"] == pytest.approx(shapely.total_bounds(places).tolist())
    kind, count, height = duckdb.sql(
        f"SELECT any_value(typeof(geometry)), count(*), max(height_m) FROM read_parquet('{path}')"
    ).fetchall()[0]
    assert kind.startswith("GEOMETRY")
    assert (count, height) == (len(offered), 12.8)


async def test_geoparquet_in_the_citys_own_system_says_so(client: httpx.AsyncClient, tmp_path: Path) -> None:
    crs = "http://www.opengis.net/def/crs/EPSG/0/3879"
    path = tmp_path / "own.parquet"
    path.write_bytes((await fetched(client, format="geoparquet", crs=crs, filter="id = 'test:b0'")).content)
    table = pq.read_table(path)
    column = json.loads(table.schema.metadata[b"geo"])["columns"]["geometry"]
    assert pyproj.CRS.from_json_dict(column["crs"]).to_epsg() == 3879
    (place,) = shapely.from_wkb(table["geometry"].to_pylist())
    assert place.equals(shapely.box(X, Y, X + 20, Y + 10)), "easting first, as the format has it"


@pytest.mark.skipif("Parquet" not in pyogrio.list_drivers(), reason="this GDAL is built without Parquet")
async def test_geoparquet_is_read_by_gdal(client: httpx.AsyncClient, offered: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "buildings.parquet"
    path.write_bytes((await fetched(client, format="geoparquet")).content)
    assert pyogrio.read_info(path)["features"] == len(offered)


async def test_cityjsonseq_has_every_family(client: httpx.AsyncClient, offered: dict[str, Any]) -> None:
    answer = await fetched(client, format="cityjsonseq")
    assert answer.headers["content-type"] == "application/city+json-seq"
    head, *features = [orjson.loads(line) for line in answer.content.splitlines()]
    assert (head["type"], head["version"], head["CityObjects"]) == ("CityJSON", "2.0", {})
    assert head["metadata"]["referenceSystem"] == "http://www.opengis.net/def/crs/EPSG/0/3879"
    assert {feature["id"] for feature in features} == set(offered)
    (solid,) = [feature for feature in features if feature["id"] == "test:solid"]
    assert set(solid["CityObjects"]) == {"test:solid", "test:part"}
    assert solid["CityObjects"]["test:part"]["parents"] == ["test:solid"]
    (plain,) = [feature for feature in features if feature["id"] == "test:b21"]
    (shape,) = plain["CityObjects"]["test:b21"]["geometry"]
    points = np.array(plain["vertices"]) * head["transform"]["scale"] + head["transform"]["translate"]
    assert (shape["type"], shape["lod"]) == ("MultiSurface", "0")
    assert set(points[:, 2]) == {3.5}, "a footprint alone lies on its ground"
    assert points[:, 0].min() == pytest.approx(X + 40 * 21)


@pytest.mark.parametrize(
    ("form", "accept"), [("cityjson", "application/city+json"), ("cityjsonseq", "application/city+json-seq")]
)
async def test_items_come_as_cityjson_by_the_header_too(client: httpx.AsyncClient, form: str, accept: str) -> None:
    items = "/ogc/collections/buildings/items"
    by_name = await client.get(items, params={"f": form, "filter": "height_m < 10"})
    by_header = await client.get(items, params={"filter": "height_m < 10"}, headers={"accept": accept})
    assert by_name.content == by_header.content
    assert by_header.headers["content-type"] == accept
    first = orjson.loads(by_header.content.splitlines()[0])
    assert first["type"] == "CityJSON"
    page = await client.get(items, params={"f": form, "limit": "3"})
    assert (page.headers["ogc-numbermatched"], page.headers["ogc-numberreturned"]) == ("9", "3")
    following = await client.get(page.links["next"]["url"])
    assert following.headers["content-type"] == accept
    alone = await client.get(f"{items}/test:solid", headers={"accept": "application/city+json"})
    assert set(alone.json()["CityObjects"]) == {"test:solid", "test:part"}


async def test_a_glb_of_a_selection_passes_the_validator(client: httpx.AsyncClient, tmp_path: Path) -> None:
    path = tmp_path / "some.glb"
    path.write_bytes((await fetched(client, format="glb", ids="test:b0,test:solid")).content)
    scene = trimesh.load(path, force="scene")
    assert set(scene.geometry) == {"test:b0", "test:solid", "test:part"}
    scene.geometry["test:b0"].merge_vertices(merge_norm=True)
    assert scene.geometry["test:b0"].is_watertight
    assert scene.geometry["test:b0"].volume == pytest.approx(20 * 10 * 12.8, rel=1e-4)
    node = shutil.which("node", path=os.pathsep.join([str(ROOT / ".venv/bin"), os.environ["PATH"]]))
    if node is None or not (WEB / "node_modules" / "gltf-validator").is_dir():
        pytest.skip("node_modules is not installed: make bundle")
    issues = validated(node, path)
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"]


def validated(node: str, path: Path) -> dict[str, Any]:
    done = subprocess.run([node, str(TOOL), str(WEB), str(path)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["issues"]


async def test_csv_holds_no_formula(client: httpx.AsyncClient, offered: dict[str, Any]) -> None:
    answer = await fetched(client, format="csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(answer.text, newline=""))}
    assert set(rows) == set(offered)
    assert rows["test:b20"]["name"] == f"'{EVIL}"
    assert rows["test:b21"]["name"] == "'+1"
    for identifier, row in rows.items():
        assert shapely.from_geojson(orjson.dumps(offered[identifier]["geometry"])).covers(
            shapely.Point(float(row["longitude"]), float(row["latitude"])).buffer(1e-9)
        )
    assert float(rows["test:b0"]["height_m"]) == 12.8


@given(st.text() | st.sampled_from(["=1", "+1", "-1", "@x", "\tx", "\rx", "\n=1", " =1", "＝1", "-"]))
def test_no_text_begins_a_formula(text: str) -> None:
    out = guarded(text)
    assert out.removeprefix("'") == text.removeprefix("'") if out == text else out == f"'{text}"
    assert not out.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))


@pytest.mark.parametrize(
    ("path", "parameters", "status", "code"),
    [
        (EXPORT, {}, 400, "parameter"),
        (EXPORT, {"format": "dwg"}, 400, "parameter"),
        (EXPORT, {"format": "csv", "limit": "3"}, 400, "parameter"),
        (EXPORT, {"format": "csv", "filter": "nothing = 1"}, 400, "filter-property"),
        (EXPORT, {"format": "glb", "bbox": "0,0,1,1"}, 400, "export-empty"),
        (EXPORT, {"format": "csv", "scheme": "nothing"}, 404, "scheme"),
        ("/api/v1/export/nothing", {"format": "csv"}, 404, "collection"),
    ],
)
async def test_what_cannot_be_made_is_said_before_anything_is_sent(
    client: httpx.AsyncClient, path: str, parameters: dict[str, str], status: int, code: str
) -> None:
    answer = await client.get(path, params=parameters)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
