"""Clients that know nothing of this server: GDAL (as in QGIS) and OWSLib, over a real socket."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pyogrio
import pytest
import shapely
from owslib.ogcapi.features import Features

from tests.support.feature_city import BUILDINGS, MemorySource
from tests.support.web_city import build_test_app, live_server

needs_gdal = pytest.mark.skipif(
    "OAPIF" not in pyogrio.list_drivers(), reason="this GDAL is built without the OAPIF driver"
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    app = build_test_app(tmp_path_factory.mktemp("city"), source=MemorySource(), rate_per_s=0)
    with live_server(app) as base:
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


class TestOwsLib:
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
