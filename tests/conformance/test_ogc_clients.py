"""Clients that know nothing of this server: GDAL (as in QGIS) and OWSLib, over a real socket."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import httpx
import pyogrio
import pytest
import shapely
from owslib.ogcapi.features import Features
from starlette.types import ASGIApp, Receive, Scope, Send

from cim.city.service import CityService
from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.features.baseline import BaselineFeatures
from tests.support.feature_city import BUILDINGS, MemorySource
from tests.support.scheme_city import X, Y, deliver, plain_city, tram_line
from tests.support.web_city import build_test_app, live_server

needs_gdal = pytest.mark.skipif(
    "OAPIF" not in pyogrio.list_drivers(), reason="this GDAL is built without the OAPIF driver"
)


class Heard:
    """An application that remembers what it was asked for."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.addresses: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.addresses.append(f"{scope['path']}?{unquote_plus(scope['query_string'].decode())}")
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Heard:
    return Heard(build_test_app(tmp_path_factory.mktemp("city"), source=MemorySource(), rate_per_s=0))


@pytest.fixture(scope="module")
def base(heard: Heard) -> Iterator[str]:
    with live_server(heard) as base:
        yield base


@pytest.fixture(scope="module")
def metric(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A city in EPSG:3879, whose first axis is north."""
    folder = tmp_path_factory.mktemp("metric")
    with DataDirectory(folder / "data") as directory, Database.open(directory) as database:
        city = CityService(database)
        deliver(city, "first", [*plain_city(), tram_line()])
        source = BaselineFeatures(city, lambda _: (), list)
        with live_server(build_test_app(folder, source=source, rate_per_s=0)) as base:
            yield base


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def ask_gdal(expression: str) -> Any:
    """Evaluate an expression in another process: GDAL holds the interpreter while it waits for the server."""
    program = f"import json, pyogrio, pyogrio.raw as raw, shapely; print(json.dumps({expression}))"
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "GDAL_HTTP_TIMEOUT": "20"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


CONDITIONS: dict[str, Callable[[Any], bool]] = {
    "storeys_above_ground = 3": lambda f: f["storeys_above_ground"] == 3,
    "height_m > 20 AND generated = 1": lambda f: f["height_m"] > 20 and f["generated"],
    "name LIKE 'No. 1%' AND storeys_above_ground < 5": lambda f: (
        f["name"].startswith("No. 1") and f["storeys_above_ground"] < 5
    ),
    "storeys_above_ground = 1 OR NOT (height_m < 25)": lambda f: f["storeys_above_ground"] == 1 or f["height_m"] >= 25,
    "storeys_above_ground BETWEEN 2 AND 3": lambda f: f["storeys_above_ground"] in (2, 3),
}


class TestGdal:
    pytestmark = needs_gdal

    @pytest.mark.parametrize("mount", ["/ogc", "/s/base/ogc"])
    def test_it_lists_the_collections(self, base: str, mount: str) -> None:
        layers = ask_gdal(f"pyogrio.list_layers('OAPIF:{base}{mount}')[:, 0].tolist()")
        assert set(layers) == {"buildings", "sensors", "land-use"}

    def test_it_reads_every_page(self, base: str) -> None:
        values, crs = ask_gdal(
            f"(lambda r: (dict(zip(r[0]['fields'].tolist(), [v.tolist() for v in r[3]]))['storeys_above_ground'],"
            f" r[0]['crs']))(raw.read('OAPIF:{base}/ogc', layer='buildings', PAGE_SIZE='40'))"
        )
        assert sorted(values) == sorted(n % 9 + 1 for n in range(BUILDINGS))
        assert "4326" in crs or "CRS84" in crs

    def test_it_hands_a_box_to_the_server(self, base: str) -> None:
        box = (24.9, 60.1, 24.95, 60.15)
        expected = [f for f in MemorySource().features["buildings"] if f.geometry.intersects(shapely.box(*box))]
        bounds = ask_gdal(
            f"shapely.bounds(shapely.from_wkb(raw.read('OAPIF:{base}/ogc', layer='buildings', bbox={box})[2])).tolist()"
        )
        assert len(bounds) == len(expected)
        assert min(b[0] for b in bounds) >= 24.899
        assert max(b[2] for b in bounds) <= 24.952

    @pytest.mark.parametrize(
        ("where", "count"),
        [
            ("storeys_above_ground = 3", 28),
            ("height_m > 20 AND generated = 1", 41),
            ("name LIKE 'No. 1%' AND storeys_above_ground < 5", None),
            ("storeys_above_ground BETWEEN 2 AND 3", None),
            ("storeys_above_ground = 1 OR NOT (height_m < 25)", None),
        ],
    )
    def test_it_hands_a_condition_to_the_server(self, base: str, heard: Heard, where: str, count: int | None) -> None:
        heard.addresses.clear()
        values = ask_gdal(
            f"(lambda r: [v.tolist() for n, v in zip(r[0]['fields'].tolist(), r[3]) if n == 'id' or n == 'name'])"
            f"(raw.read('OAPIF:{base}/ogc', layer='buildings', where={where!r}))"
        )
        told = [one for one in heard.addresses if "filter=" in one]
        assert told, "GDAL left the condition to itself"
        every = {feature.properties["name"]: feature.properties for feature in MemorySource().features["buildings"]}
        expected = {name for name, facts in every.items() if CONDITIONS[where](facts)}
        assert set(values[-1]) == expected
        assert count is None or len(expected) == count

    def test_it_counts_without_reading_all(self, base: str, heard: Heard) -> None:
        heard.addresses.clear()
        count = ask_gdal(
            f"pyogrio.read_info('OAPIF:{base}/ogc', layer='buildings', force_feature_count=True)['features']"
        )
        assert count == BUILDINGS
        assert len([one for one in heard.addresses if "/items" in one]) <= 3

    def test_it_asks_in_the_citys_own_system(self, metric: str) -> None:
        crs, bounds = ask_gdal(
            f"(lambda r: (r[0]['crs'], shapely.total_bounds(shapely.from_wkb(r[2])).tolist()))"
            f"(raw.read('OAPIF:{metric}/ogc', layer='buildings', CRS='EPSG:3879'))"
        )
        assert "3879" in crs
        # GDAL hands easting first to those who read; the server sent northing first, as the system has it.
        assert bounds == pytest.approx([X, Y, X + 40 * 5 + 20, Y + 10], abs=0.001)

    def test_it_reads_transit_routes(self, metric: str) -> None:
        kind, names, metres = ask_gdal(
            f"(lambda r: (r[0]['geometry_type'], r[3][r[0]['fields'].tolist().index('name')].tolist(),"
            f" shapely.length(shapely.from_wkb(r[2])).tolist()))(raw.read('OAPIF:{metric}/ogc', layer='transit-routes',"
            f" CRS='EPSG:3879', where=\"mode = 'tram' AND trips_per_day > 100\"))"
        )
        assert (kind, names) == ("MultiLineString", ["4"])
        assert metres == [pytest.approx(600.0)]

    def test_it_reads_our_vector_tiles(self, metric: str, tmp_path: Path) -> None:
        page = httpx.get(f"{metric}/ogc/collections/buildings/tiles/WebMercatorQuad", params={"f": "tilejson"}).json()
        west, south, east, north = page["bounds"]
        lon, lat = math.radians((west + east) / 2), math.radians((south + north) / 2)
        z = 16
        x = int((lon / math.pi + 1) / 2 * 2**z)
        y = int((1 - math.asinh(math.tan(lat)) / math.pi) / 2 * 2**z)
        (template,) = page["tiles"]
        address = template.replace("{z}", str(z)).replace("{y}", str(y)).replace("{x}", str(x))
        answer = httpx.get(address)
        assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
        again = httpx.get(address, headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == 304
        path = tmp_path / str(z) / str(x) / f"{y}.mvt"
        path.parent.mkdir(parents=True)
        path.write_bytes(answer.content)
        names = ask_gdal(
            f"(lambda r: dict(zip(r[0]['fields'].tolist(), [v.tolist() for v in r[3]]))['id'])"
            f"(raw.read({str(path)!r}, layer='buildings', X={x}, Y={y}, Z={z}))"
        )
        assert set(names) <= {f"test:b{n}" for n in range(6)}
        assert names
        assert httpx.get(template.replace("{z}/{y}/{x}", "3/0/0")).status_code == 204


class TestOwsLib:
    def test_it_filters_and_learns_what_it_may_filter_by(self, base: str) -> None:
        client = Features(f"{base}/ogc")
        assert "height_m" in client.collection_queryables("buildings")["properties"]
        text = client.collection_items("buildings", limit=1000, filter="storeys_above_ground = 3")
        tree = {"op": "=", "args": [{"property": "storeys_above_ground"}, 3]}
        assert text["numberMatched"] == len([n for n in range(BUILDINGS) if n % 9 + 1 == 3])
        address = f"{base}/ogc/collections/buildings/items"
        parameters = {"filter": json.dumps(tree), "filter-lang": "cql2-json", "limit": 1000}
        assert httpx.get(address, params=parameters).json()["features"] == text["features"]

    def test_it_finds_its_way(self, base: str) -> None:
        client = Features(f"{base}/ogc")
        assert "buildings" in client.feature_collections()
        assert client.api()["openapi"].startswith("3.0")
        assert any(name.endswith("/conf/core") for name in client.conformance()["conformsTo"])
        assert client.collection("buildings")["extent"]["spatial"]["bbox"]

    def test_it_reads_items(self, base: str) -> None:
        client = Features(f"{base}/ogc")
        page = client.collection_items("buildings", limit=5, bbox=[24.9, 60.1, 25.2, 60.2])
        assert page["numberReturned"] == 5
        first = page["features"][0]
        again = client.collection_item("buildings", first["id"].replace("/", "%2F"))
        assert again["geometry"] == first["geometry"]
