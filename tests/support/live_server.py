"""A real server with the live endpoints, in a thread of its own, for tests and the bench."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from cim.errors import CimError, Forbidden, LimitExceeded, NotFound, Unavailable
from cim.live.api import live_router
from cim.live.filter import SubjectFacts
from cim.live.hub import LiveHub
from cim.live.limits import LiveLimits
from cim.live.topic import Change, TopicKind

PROPERTIES = ("pressure_head", "flow", "voltage", "traffic_speed")
STATUS = {NotFound: 404, Forbidden: 403, LimitExceeded: 429, Unavailable: 503}


def stream_id(number: int) -> str:
    return f"helsinki:sensor/{number}"


def observation(number: int, value: float, time: str = "2026-11-22T12:00:00.000Z") -> Change:
    name = stream_id(number)
    return Change(name, orjson.dumps({"id": name, "t": time, "v": value, "q": "ok"}))


def facts(count: int) -> dict[str, SubjectFacts]:
    """Sensors along a line eastwards from 24.90, a thousandth of a degree apart."""
    return {stream_id(i): SubjectFacts(24.90 + i * 0.001, 60.17, PROPERTIES[i % 4]) for i in range(count)}


def make_hub(epoch: str = "e1", sensors: int = 10, limits: LiveLimits | None = None) -> LiveHub:
    hub = LiveHub(epoch, limits=limits)
    for name in ("observations", "jobs"):
        hub.open_topic(name)
    hub.open_topic("tiles", TopicKind.EVENTS)
    hub.describe("observations", facts(sensors))
    return hub


def own_origin(headers: Mapping[str, str]) -> bool:
    origin = headers.get("origin")
    return origin is None or origin == f"http://{headers.get('host')}"


class _Server(uvicorn.Server):
    """Ends the live sessions before uvicorn closes their connections."""

    def __init__(self, config: uvicorn.Config, hub: LiveHub) -> None:
        super().__init__(config)
        self._hub = hub

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._hub.stop()
        await super().shutdown(sockets)


@dataclass
class Running:
    hub: LiveHub
    port: int
    loop: asyncio.AbstractEventLoop
    server: uvicorn.Server

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}/live"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run a plain function in the server's loop and return its result."""

        async def run() -> Any:
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)

    def publish(self, *changes: Change, topic: str = "observations") -> int:
        offset: int = self.call(self.hub.publish, topic, changes)
        return offset


@contextlib.contextmanager
def serve(
    make: Callable[[], LiveHub] = make_hub,
    *,
    send_buffer_bytes: int = 0,
    loop: str = "asyncio",
    also: Callable[[FastAPI], None] = lambda _: None,
) -> Iterator[Running]:
    """Serve a hub on a free port until the block ends; ``also`` adds routes."""
    listening = socket.create_server(("127.0.0.1", 0))
    if send_buffer_bytes:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)
    started = threading.Event()
    held: dict[str, Any] = {}

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        held["hub"].start()
        held["loop"] = asyncio.get_running_loop()
        started.set()
        yield

    async def main() -> None:
        hub = held["hub"] = make()
        app = FastAPI(lifespan=lifespan)

        @app.exception_handler(CimError)
        async def problem(_: Request, error: CimError) -> JSONResponse:
            status = next((s for kind, s in STATUS.items() if isinstance(error, kind)), 400)
            return JSONResponse(error.as_problem(), status)

        app.include_router(live_router(hub, allowed_origin=own_origin))
        also(app)
        config = uvicorn.Config(
            app, ws="websockets-sansio", ws_per_message_deflate=False, log_level="warning", timeout_graceful_shutdown=3
        )
        server = held["server"] = _Server(config, hub)
        await server.serve(sockets=[listening])

    def run() -> None:
        if loop == "uvloop":
            import uvloop

            uvloop.run(main())
        else:
            asyncio.run(main())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(10)
    running = Running(held["hub"], listening.getsockname()[1], held["loop"], held["server"])
    try:
        yield running
    finally:
        running.server.should_exit = True
        thread.join(15)
        assert not thread.is_alive()
