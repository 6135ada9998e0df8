"""Tiles over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import brotli
import httpx
import pytest

from cim.tilesets.store import TilesetStore
from tests.support.web_city import HASHED, asgi_client, build_test_app, write_build

TILE = f"/tiles/base/buildings/{HASHED}"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    write_build(TilesetStore(tmp_path / "tiles"), "b1", 3)
    async with asgi_client(build_test_app(tmp_path)) as client:
        yield client


async def test_types_and_caching(client: httpx.AsyncClient) -> None:
    tileset, tile = await client.get("/tiles/base/tileset.json"), await client.get(TILE)
    assert tileset.headers["content-type"] == "application/json"
    assert tileset.headers["cache-control"] == "no-cache"
    assert tileset.json()["asset"]["version"] == "1.1"
    assert tile.headers["content-type"] == "model/gltf-binary"
    assert tile.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert tile.content.startswith(b"glTF")
    assert tile.headers["content-encoding"] == "br"


@pytest.mark.parametrize("path", ["/tiles/base/tileset.json", TILE])
async def test_a_known_tile_is_not_sent_again(client: httpx.AsyncClient, path: str) -> None:
    etag = (await client.get(path)).headers["etag"]
    again = await client.get(path, headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")


async def test_another_build_is_another_tileset(client: httpx.AsyncClient, tmp_path: Path) -> None:
    before = (await client.get("/tiles/base/tileset.json")).headers["etag"]
    write_build(TilesetStore(tmp_path / "tiles"), "b2", 4, "fedcba9876543210.glb")
    after = await client.get("/tiles/base/tileset.json", headers={"if-none-match": before})
    assert after.status_code == 200
    assert after.json()["extras"]["cim"]["baseline_version"] == 4
    assert (await client.get(TILE)).status_code == 200, "a client of the older tileset finishes"


@pytest.mark.parametrize("path", ["/tiles/base/tileset.json", "/ogc", "/tiles/base/none.json"])
async def test_other_origins_may_read(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers={"origin": "https://viewer.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    preflight = await client.options(path, headers={"origin": "https://viewer.example"})
    assert preflight.status_code == 204
    assert "POST" not in preflight.headers["access-control-allow-methods"]


@pytest.mark.parametrize(
    "path",
    [
        "/tiles/base/current",
        "/tiles/base/../secret.json",
        "/tiles/base/%2e%2e/%2e%2e/secret.json",
        "/tiles/base/..%2f..%2fsecret.json",
        "/tiles/%2e%2e/secret.json",
        "/tiles/BASE/tileset.json",
        "/tiles/other/tileset.json",
        "/tiles/base/tileset.json.br",
        "/tiles/base/buildings/",
        "/tiles/base/b1/tileset.json",
    ],
)
async def test_nothing_else_has_an_address(client: httpx.AsyncClient, tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.json").write_text("{}")
    (tmp_path / "tiles" / "secret.json").write_text("{}")
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_twins_that_were_written_are_served(client: httpx.AsyncClient, tmp_path: Path) -> None:
    folder = tmp_path / "tiles/base/b1"
    written = folder / "buildings" / HASHED
    written.with_name(f"{HASHED}.br").write_bytes(brotli.compress(written.read_bytes(), quality=5))
    async with client.stream("GET", TILE, headers={"accept-encoding": "br"}) as answer:
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    assert raw == (folder / "buildings" / f"{HASHED}.br").read_bytes()
    assert brotli.decompress(raw) == (folder / "buildings" / HASHED).read_bytes()


async def test_a_tile_that_vanishes_is_not_found(client: httpx.AsyncClient, tmp_path: Path) -> None:
    await client.get(TILE)
    (tmp_path / "tiles/base/b1/buildings" / HASHED).unlink()
    assert (await client.get(TILE)).json()["code"] == "tile"
