"""A real application around small services, for the tests of the web parts."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import httpx
import orjson
import uvicorn
from fastapi import APIRouter, FastAPI, Query, Request
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from cim.app import Services, build_app
from cim.config import Settings
from cim.errors import Conflict, NotFound
from cim.features.model import FeatureSource
from cim.features.service import FeatureService
from cim.tilesets.model import Pointer
from cim.tilesets.service import TilesetService
from cim.tilesets.store import TilesetStore

HASHED = "0123456789abcdef.glb"


def write_bundle(root: Path) -> Path:
    (root / "assets").mkdir(parents=True)
    for page in ("explore", "table", "docs"):
        (root / f"{page}.html").write_text(f"<!doctype html><title>{page}</title>" + "<p>city</p>" * 200)
    (root / "assets" / "main-1a2b.js").write_text("export const city = 1;\n" * 400)
    (root / "assets" / "dot.png").write_bytes(b"\x89PNG" + b"\0" * 2000)
    (root / "secret.txt").write_text("not an asset")
    return root


def write_build(store: TilesetStore, build: str, version: int, extra: str = HASHED) -> None:
    staged = store.staging_path("base", build)
    (staged / "buildings").mkdir()
    (staged / "tileset.json").write_bytes(
        orjson.dumps({"asset": {"version": "1.1"}, "pad": "x" * 2000, "extras": {"cim": {"baseline_version": version}}})
    )
    (staged / "buildings" / extra).write_bytes(b"glTF" + bytes(5000) + extra.encode())
    store.publish("base", staged, Pointer(build, version))


def echo_router() -> APIRouter:
    router = APIRouter(prefix="/api/v1")

    @router.get("/fail")
    async def fail() -> None:
        raise RuntimeError("the password is hunter2")

    @router.get("/conflict")
    async def conflict() -> None:
        raise Conflict("The city moved on.", hint="Reload.", baseline_version=4)

    @router.post("/echo")
    async def echo(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @router.get("/numbers")
    async def numbers(count: Annotated[int, Query(ge=0, le=100_000)]) -> list[int]:
        return list(range(count))

    return router


async def hello(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


def one_view(name: str) -> dict[str, object]:
    if name != "explore":
        raise NotFound("There is no such view.", code="view")
    return {"layers": []}


class FixedClock:
    """A clock that stands still."""

    def now(self) -> datetime:
        return datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def monotonic_s(self) -> float:
        return 100.0


def feature_service(source: FeatureSource) -> FeatureService:
    return FeatureService(
        lambda scheme, _authorization: source if scheme == "base" else None,
        title=lambda: "A small city",
        version="0.1.0",
        clock=FixedClock(),
    )


def build_test_app(
    folder: Path, *routers: APIRouter, source: FeatureSource | None = None, **settings: object
) -> FastAPI:
    store = TilesetStore(folder / "tiles")
    services = Services(
        version="0.1.0",
        bundle=folder / "static",
        tiles=TilesetService(store),
        routers=(echo_router(), *routers),
        routes=(WebSocketRoute("/live", hello),),
        health=lambda: {"baseline_version": 3, "epoch": "e1"},
        view=one_view,
        features=feature_service(source) if source else None,
    )
    return build_app(services, Settings(**settings))  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def asgi_client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client


@contextlib.contextmanager
def live_server(app: FastAPI) -> Iterator[str]:
    """Serve ``app`` on a free loopback port; yield its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", ws="websockets-sansio", ws_per_message_deflate=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the server did not start")
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
