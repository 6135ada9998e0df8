"""OGC API - Features Part 1: Core (OGC 17-069r4), by requirement.

Each test names the requirement that it tests; the expectations are from the standard's text and its
abstract test suite, not from the implementation.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import shapely

from tests.support.feature_city import BUILDINGS, MemorySource
from tests.support.web_city import asgi_client, build_test_app

BASE = "http://127.0.0.1:8000"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
PATHS = [
    *("", "/conformance", "/collections", "/collections/buildings", "/collections/buildings/items"),
    *("/collections/buildings/queryables", "/collections/buildings/tiles"),
    "/collections/buildings/tiles/WebMercatorQuad",
]


@pytest.fixture(params=["/ogc", "/s/base/ogc"])
def mount(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with asgi_client(build_test_app(tmp_path, source=MemorySource(), rate_per_s=0)) as client:
        yield client


async def get(client: httpx.AsyncClient, path: str, **parameters: object) -> Any:
    answer = await client.get(path, params=parameters or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


def hrefs(document: dict[str, Any], rel: str) -> list[str]:
    return [item["href"] for item in document["links"] if item["rel"] == rel]


class TestCore:
    async def test_req_core_root_success(self, client: httpx.AsyncClient, mount: str) -> None:
        landing = await get(client, mount)
        for rel in ("service-desc", "service-doc", "conformance", "data", "self", "alternate"):
            assert hrefs(landing, rel), rel
        assert hrefs(landing, "data") == [f"{BASE}{mount}/collections"]

    async def test_req_core_api_definition_success(self, client: httpx.AsyncClient, mount: str) -> None:
        landing = await get(client, mount)
        for item in landing["links"]:
            answer = await client.get(item["href"])
            assert answer.status_code == 200, item
            assert answer.headers["content-type"].partition(";")[0] == item["type"].partition(";")[0]

    async def test_req_core_conformance_success(self, client: httpx.AsyncClient, mount: str) -> None:
        declared = (await get(client, f"{mount}/conformance"))["conformsTo"]
        for name in ("core", "geojson", "oas30", "html"):
            assert f"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/{name}" in declared

    async def test_req_core_http(self, client: httpx.AsyncClient) -> None:
        for path in PATHS:
            assert (await client.get(f"/ogc{path}")).http_version == "HTTP/1.1"
            assert (await client.head(f"/ogc{path}")).status_code == 200
            assert (await client.post(f"/ogc{path}")).status_code == 405

    @pytest.mark.parametrize("path", PATHS)
    async def test_req_core_query_param_unknown(self, client: httpx.AsyncClient, path: str) -> None:
        answer = await client.get(f"/ogc{path}", params={"no-such-parameter": "1"})
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("limit", "0"),
            ("limit", "x"),
            ("bbox", "1,2,3"),
            ("bbox", "a,b,c,d"),
            ("datetime", "soon"),
            ("offset", "-1"),
        ],
    )
    async def test_req_core_query_param_invalid(self, client: httpx.AsyncClient, name: str, value: str) -> None:
        answer = await client.get("/ogc/collections/buildings/items", params={name: value})
        assert answer.status_code == 400
        assert answer.json()["params"]["parameter"] == name

    async def test_req_core_crs84(self, client: httpx.AsyncClient) -> None:
        page = await get(client, "/ogc/collections/buildings/items")
        lon, lat = page["features"][0]["geometry"]["coordinates"][0][0]
        assert 24 < lon < 26
        assert 60 < lat < 61

    async def test_req_core_fc_md_success(self, client: httpx.AsyncClient, mount: str) -> None:
        document = await get(client, f"{mount}/collections")
        assert hrefs(document, "self")
        assert hrefs(document, "alternate")
        assert [item["id"] for item in document["collections"]] == ["buildings", "sensors", "land-use"]

    async def test_req_core_fc_md_items_links(self, client: httpx.AsyncClient, mount: str) -> None:
        for collection in (await get(client, f"{mount}/collections"))["collections"]:
            items = [item for item in collection["links"] if item["rel"] == "items"]
            assert {item["type"] for item in items} == {"application/geo+json", "text/html"}
            for item in items:
                assert (await client.get(item["href"])).status_code == 200

    async def test_req_core_fc_md_extent(self, client: httpx.AsyncClient) -> None:
        buildings, _, empty = (await get(client, "/ogc/collections"))["collections"]
        assert buildings["extent"]["spatial"] == {"bbox": [[24.90, 60.10, 25.15, 60.20]], "crs": CRS84}
        assert buildings["extent"]["temporal"]["interval"] == [["2026-03-01T00:00:00Z", None]]
        assert "spatial" not in empty["extent"]

    async def test_req_core_sfc_md_success(self, client: httpx.AsyncClient, mount: str) -> None:
        listed = (await get(client, f"{mount}/collections"))["collections"]
        for collection in listed:
            alone = await get(client, f"{mount}/collections/{collection['id']}")
            for name in ("id", "title", "extent", "crs", "itemType"):
                assert alone[name] == collection[name]
        assert (await client.get(f"{mount}/collections/nothing")).status_code == 404

    async def test_req_core_fc_limit(self, client: httpx.AsyncClient) -> None:
        items = "/ogc/collections/buildings/items"
        assert (await get(client, items))["numberReturned"] == 10
        assert (await get(client, items, limit=7))["numberReturned"] == 7
        assert (await get(client, items, limit=10_000))["numberReturned"] == BUILDINGS
        assert (await get(client, items, limit=10_001))["numberReturned"] == BUILDINGS, "above the maximum is no error"

    @pytest.mark.parametrize(
        "bbox",
        [
            "24.9,60.1,24.95,60.15",
            "24.9,60.1,-100,24.95,60.15,100",
            "24.9,60.1,24.9,60.1",
            "0,0,1,1",
            "-180,-90,180,90",
        ],
    )
    async def test_req_core_fc_bbox_response(self, client: httpx.AsyncClient, bbox: str) -> None:
        numbers = [float(part) for part in bbox.split(",")]
        half = len(numbers) // 2
        box = shapely.box(*numbers[:2], *numbers[half : half + 2])
        expected = {feature.id for feature in MemorySource().features["buildings"] if feature.geometry.intersects(box)}
        page = await get(client, "/ogc/collections/buildings/items", bbox=bbox, limit=10_000)
        assert {feature["id"] for feature in page["features"]} == expected
        assert page["numberMatched"] == len(expected)

    async def test_req_core_fc_bbox_antimeridian(self, client: httpx.AsyncClient) -> None:
        page = await get(client, "/ogc/collections/sensors/items", bbox="170,-20,-170,0")
        assert [feature["id"] for feature in page["features"]] == ["sample:p3"]

    @pytest.mark.parametrize(
        ("datetime", "found"),
        [
            ("2026-03-01T00:00:00Z", True),
            ("2026-02-28T23:59:59Z", False),
            ("../2026-02-01T00:00:00Z", False),
            ("2026-01-01T00:00:00Z/..", True),
            ("/2026-04-01T00:00:00Z", True),
        ],
    )
    async def test_req_core_fc_time_response(self, client: httpx.AsyncClient, datetime: str, found: bool) -> None:
        page = await get(client, "/ogc/collections/buildings/items", datetime=datetime)
        assert (page["numberMatched"] > 0) is found

    async def test_req_core_fc_response_and_links(self, client: httpx.AsyncClient, mount: str) -> None:
        answer = await client.get(f"{mount}/collections/buildings/items?limit=3&offset=3&generated=true")
        page = answer.json()
        assert answer.headers["content-type"] == "application/geo+json"
        assert page["type"] == "FeatureCollection"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", page["timeStamp"])
        assert page["numberReturned"] == len(page["features"]) == 3
        assert page["numberMatched"] == BUILDINGS // 2
        assert hrefs(page, "self")
        assert hrefs(page, "alternate")
        again = (await client.get(hrefs(page, "self")[0])).json()
        assert {**again, "links": None} == {**page, "links": None}
        assert {(item["rel"], item["type"]) for item in again["links"]} == {
            (item["rel"], item["type"]) for item in page["links"]
        }
        assert {f["id"] for f in (await get(client, hrefs(page, "prev")[0]))["features"]}.isdisjoint(
            f["id"] for f in page["features"]
        )

    async def test_paging_visits_every_feature_once_in_order(self, client: httpx.AsyncClient, mount: str) -> None:
        url: str | None = f"{mount}/collections/buildings/items?limit=37"
        seen: list[str] = []
        while url:
            page = await get(client, url)
            seen += [feature["id"] for feature in page["features"]]
            assert len(page["features"]) <= 37
            following = hrefs(page, "next")
            assert len(following) <= 1
            url = following[0] if following else None
        assert seen == sorted(f"helsinki:way/{number}" for number in range(BUILDINGS))

    async def test_beyond_the_end_is_an_empty_page(self, client: httpx.AsyncClient) -> None:
        page = await get(client, "/ogc/collections/buildings/items", offset=100_000)
        assert (page["features"], page["numberMatched"], hrefs(page, "next")) == ([], BUILDINGS, [])

    async def test_rec_core_fc_filters(self, client: httpx.AsyncClient) -> None:
        page = await get(client, "/ogc/collections/buildings/items", limit=10_000, storeys_above_ground=3)
        assert page["numberMatched"] == len([n for n in range(BUILDINGS) if n % 9 + 1 == 3])
        assert {feature["properties"]["storeys_above_ground"] for feature in page["features"]} == {3}

    async def test_req_core_f_success_and_links(self, client: httpx.AsyncClient, mount: str) -> None:
        answer = await client.get(f"{mount}/collections/buildings/items/helsinki:way%2F7")
        feature = answer.json()
        assert answer.headers["content-type"] == "application/geo+json"
        assert answer.headers["content-crs"] == f"<{CRS84}>"
        assert (feature["type"], feature["id"]) == ("Feature", "helsinki:way/7")
        assert feature["properties"]["height_m"] is None
        for rel in ("self", "alternate", "collection"):
            for href in hrefs(feature, rel):
                assert (await client.get(href)).status_code == 200
        assert (await client.get(f"{mount}/collections/buildings/items/helsinki:way/7")).json()["id"] == feature["id"]

    @pytest.mark.parametrize(
        "path",
        ["/ogc/collections/nothing/items", "/ogc/collections/buildings/items/nothing", "/s/other/ogc",
         "/s/other/ogc/collections/buildings/items", "/ogc/nothing"],
    )  # fmt: skip
    async def test_what_does_not_exist_is_404(self, client: httpx.AsyncClient, path: str) -> None:
        answer = await client.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


class TestGeoJson:
    async def test_req_geojson_content(self, client: httpx.AsyncClient) -> None:
        page = await get(client, "/ogc/collections/buildings/items", limit=10_000)
        for feature in page["features"]:
            assert feature["type"] == "Feature"
            shape = shapely.from_geojson(orjson.dumps(feature["geometry"]))
            assert shape.is_valid
            assert shape.exterior.is_ccw, "RFC 7946 section 3.1.6"

    async def test_a_feature_without_a_place_has_null(self, client: httpx.AsyncClient) -> None:
        page = await get(client, "/ogc/collections/sensors/items")
        assert [feature["geometry"] is None for feature in page["features"]] == [False, True, False]


class _Hyperlinks(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hrefs: set[str] = set()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.hrefs |= {value for name, value in attrs if name == "href" and value}
        assert not {name for name, _ in attrs} & {"style", "onclick"}


class TestHtml:
    @pytest.mark.parametrize("path", [*PATHS, "/api", "/collections/buildings/items/helsinki:way%2F7"])
    async def test_req_html_content(self, client: httpx.AsyncClient, path: str) -> None:
        shown = await client.get(f"/ogc{path}", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert shown.headers["content-type"] == "text/html; charset=utf-8"
        assert shown.text.startswith("<!doctype html>")
        parsed = _Hyperlinks()
        parsed.feed(shown.text)
        assert not parsed.tags & {"script", "style"}
        links = (await client.get(f"/ogc{path}?f=json")).json().get("links", [])
        plain = {httpx.URL(href).copy_remove_param("f") for href in parsed.hrefs}
        assert {httpx.URL(item["href"]).copy_remove_param("f") for item in links} <= plain

    @pytest.mark.parametrize("accept", ["*/*", "application/json", "application/geo+json, text/html;q=0.5", ""])
    async def test_json_is_the_default(self, client: httpx.AsyncClient, accept: str) -> None:
        answer = await client.get("/ogc/collections/buildings/items", headers={"accept": accept})
        assert answer.headers["content-type"] == "application/geo+json"


class TestOas30:
    async def test_req_oas30_oas_definition(self, client: httpx.AsyncClient, mount: str) -> None:
        answer = await client.get(f"{mount}/api", headers={"accept": "application/vnd.oai.openapi+json;version=3.0"})
        assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
        document = answer.json()
        assert document["openapi"].startswith("3.0.")
        assert document["servers"] == [{"url": f"{BASE}{mount}"}]

    async def test_req_core_parameter_definitions(self, client: httpx.AsyncClient) -> None:
        document = (await client.get("/ogc/api")).json()
        operation = document["paths"]["/collections/buildings/items"]["get"]
        resolved = [
            document["components"]["parameters"][item["$ref"].rpartition("/")[2]] if "$ref" in item else item
            for item in operation["parameters"]
        ]
        parameters = {item["name"]: item for item in resolved}
        for name in ("bbox", "limit", "datetime"):
            assert (parameters[name]["in"], parameters[name]["required"]) == ("query", False)
            assert (parameters[name]["style"], parameters[name]["explode"]) == ("form", False)
        assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 10}
        assert parameters["bbox"]["schema"]["items"] == {"type": "number"}
        assert parameters["height_m"]["schema"] == {"type": "number"}

    async def test_every_path_of_the_definition_is_answered(self, client: httpx.AsyncClient) -> None:
        for path in (await client.get("/ogc/api")).json()["paths"]:
            url = "/ogc" + path.replace("{featureId}", "helsinki:way%2F1")
            assert (await client.get(url)).status_code in (200, 404), url
            if "{" not in path:
                assert (await client.get(url)).status_code == 200, url

    async def test_answers_are_as_the_definition_says(self, client: httpx.AsyncClient) -> None:
        import jsonschema_rs

        document = (await client.get("/ogc/api")).json()
        for path, operation in document["paths"].items():
            if path == "/api":
                continue
            url = "/ogc" + path.replace("{featureId}", "helsinki:way%2F1")
            answer = await client.get(url)
            if answer.status_code != 200:
                continue
            media = answer.headers["content-type"]
            schema = operation["get"]["responses"]["200"]["content"][media]["schema"]
            resolver = {"components": document["components"], **schema}
            jsonschema_rs.Draft4Validator(_null_allowed(resolver)).validate(answer.json())


def _null_allowed(schema: Any) -> Any:
    """Say OpenAPI's ``nullable`` in the words of JSON Schema."""
    if isinstance(schema, list):
        return [_null_allowed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {name: _null_allowed(value) for name, value in schema.items() if name != "nullable"}
    if schema.get("nullable"):
        out["type"] = [schema["type"], "null"]
    return out
