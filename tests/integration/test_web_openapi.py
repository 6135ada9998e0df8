"""Every route that somebody may call is described: in /openapi.json, or where that says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute, Route, WebSocketRoute

from cim.config import Settings
from cim.features.openapi import api_document
from cim.main import build_server, open_city
from cim.web.static import PAGES
from tests.support.feature_city import MemorySource
from tests.support.web_city import build_test_app

ELSEWHERE = {
    "/openapi.json",
    "/asyncapi.json",
    # The socket is described by AsyncAPI, the pages by themselves.
    "/live",
    "/",
    "/assets/{path}",
    "/favicon.ico",
    "/favicon.svg",
    *PAGES,
}


def every_route(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """Included routers are looked into; each has its prefix in its own paths."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from every_route(inner.routes)


def callable_paths(app: FastAPI) -> set[tuple[str, str]]:
    """Method and template of every route; a method of ``WS`` is a socket."""
    found = set()
    for route in every_route(app.routes):
        if isinstance(route, WebSocketRoute | APIWebSocketRoute):
            found.add(("WS", route.path_format))
        else:
            assert isinstance(route, Route | APIRoute), route
            found |= {(method, route.path_format) for method in (route.methods or set()) - {"HEAD"}}
    return found


def described(app: FastAPI) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, item in app.openapi()["paths"].items() for method in item}


def test_every_route_of_the_server_is_described(tmp_path: Path) -> None:
    with open_city(tmp_path / "data", Settings()) as opened:
        app = build_server(opened, Settings(), token="t" * 32)
        there = callable_paths(app)
        named = described(app)
    ogc = {(method, path) for method, path in there if "/ogc" in path}
    silent = {(method, path) for method, path in there - named - ogc if path not in ELSEWHERE}
    assert silent == set()
    # What is described is there, and a look at the test itself: it has met routes of each kind.
    assert named <= there
    assert {("GET", "/api/v1/export/{name}"), ("GET", "/tiles/{scheme}/{path}"), ("GET", "/metrics")} <= named
    assert len(ogc) >= 20


def test_a_download_is_described_with_what_it_can_be_asked(tmp_path: Path) -> None:
    app = build_test_app(tmp_path, source=MemorySource())
    operation = app.openapi()["paths"]["/api/v1/export/{name}"]["get"]
    parameters = {one["name"]: one for one in operation["parameters"]}
    assert set(parameters) == {
        *("name", "format", "scheme", "ids", "bbox", "bbox-crs", "crs", "filter", "filter-lang", "filter-crs"),
    }
    assert parameters["format"]["required"]
    assert parameters["format"]["schema"]["enum"] == ["geoparquet", "cityjsonseq", "glb", "csv"]
    assert "default" in operation["responses"]


def test_the_routes_of_the_features_are_in_their_own_definition(tmp_path: Path) -> None:
    source = MemorySource()
    app = build_test_app(tmp_path, source=source)
    service_paths = {path for _, path in callable_paths(app) if path.startswith("/ogc")}
    names = {"{name}": "buildings", "{feature_id}": "{featureId}", "{z}/{y}/{x}": "{tileMatrix}/{tileRow}/{tileCol}"}
    said = api_document("http://127.0.0.1/ogc", "City", "1", source.collections())["paths"]
    for path in service_paths:
        own = path.removeprefix("/ogc").rstrip("/") or "/"
        for template, name in names.items():
            own = own.replace(template, name)
        assert own in said, path
