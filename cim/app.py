"""The web application, built from services that are handed in; knows no tiles, ingest or viewer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, FastAPI
from fastapi import Path as PathParam
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import BaseRoute

from cim.config import Settings
from cim.features.api import feature_routes
from cim.features.service import FeatureService
from cim.ports import Clock, SystemClock
from cim.tilesets.api import tileset_routes
from cim.tilesets.service import TilesetService
from cim.web.compress import Compress
from cim.web.files import FileSender
from cim.web.head import HeadAsGet
from cim.web.limits import LimitRequests, Limits
from cim.web.metrics import Measure, Metrics
from cim.web.openapi import describe
from cim.web.problems import UnexpectedErrors, install_problems
from cim.web.responses import json_response
from cim.web.security import Security
from cim.web.static import CardOf, static_routes

Hook = Callable[[], Awaitable[None]]

log = structlog.get_logger("cim.app")


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the composition root hands in.

    ``routers`` carry their own prefixes.  ``routes`` are plain Starlette routes (WebSocket too).
    ``health`` adds members to ``/api/v1/health``; ``view`` returns the spec of a view by its name
    and raises :class:`~cim.errors.NotFound`; it runs in a thread, as does ``card``, which returns what a link
    to the public page tells of itself.  ``starts`` run in order, ``stops``
    in reverse order, each within ``Settings.stop_s_max``.
    """

    version: str
    bundle: Path
    tiles: TilesetService
    features: FeatureService | None = None
    routers: Sequence[APIRouter] = ()
    routes: Sequence[BaseRoute] = ()
    health: Callable[[], Mapping[str, Any]] = dict
    view: Callable[[str], Mapping[str, Any]]
    card: CardOf | None = None
    starts: Sequence[Hook] = ()
    stops: Sequence[Hook] = ()
    clock: Clock = field(default_factory=SystemClock)
    metrics: Metrics = field(default_factory=Metrics)
    uploads: Mapping[str, int] = field(default_factory=dict)


def build_app(services: Services, settings: Settings) -> FastAPI:
    """Return the application: routes, then problems, then what stands around every request."""
    app = FastAPI(
        title="City Information Model server",
        version=services.version,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        lifespan=_lifespan(services, settings),
    )
    sender = FileSender()
    app.include_router(_own_routes(services))
    for router in services.routers:
        app.include_router(router)
    app.router.routes.extend(
        [
            *services.routes,
            *tileset_routes(services.tiles, sender),
            *(feature_routes(services.features) if services.features else ()),
            services.metrics.route(),
            *static_routes(services.bundle, sender, services.card),
        ]
    )
    install_problems(app)
    _install_middleware(app, services, settings)
    describe(app)
    return app


def _install_middleware(app: FastAPI, services: Services, settings: Settings) -> None:
    """Add what stands around every request; the last that is added is the outermost."""
    limits = Limits(
        body_bytes_max=settings.body_bytes_max,
        uploads=services.uploads,
        url_bytes_max=settings.url_bytes_max,
        headers_max=settings.headers_max,
        header_bytes_max=settings.header_bytes_max,
        rate_per_s=settings.rate_per_s,
        rate_burst=settings.rate_burst,
    )
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(Compress)
    app.add_middleware(HeadAsGet)
    app.add_middleware(LimitRequests, limits=limits, monotonic_s=services.clock.monotonic_s)
    app.add_middleware(
        Security, hosts=settings.allowed_hosts, origins=settings.allowed_origins, embedders=settings.embed_origins
    )
    app.add_middleware(Measure, metrics=services.metrics)


def _lifespan(services: Services, settings: Settings) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        try:
            for start in services.starts:
                await start()
            yield
        finally:
            for stop in reversed(services.stops):
                await _stop(stop, settings.stop_s_max)

    return lifespan


async def _stop(stop: Hook, seconds_max: float) -> None:
    """Run one stop hook; that it fails or hangs must not keep the next from running."""
    try:
        async with asyncio.timeout(seconds_max):
            await stop()
    except Exception:
        log.exception("stop-failed", hook=getattr(stop, "__qualname__", repr(stop)))


def _own_routes(services: Services) -> APIRouter:
    router = APIRouter(prefix="/api/v1")
    started_s = services.clock.monotonic_s()

    @router.get("/health", tags=["server"], summary="That the server runs, and over which state of the city")
    async def health() -> Response:
        uptime_s = round(services.clock.monotonic_s() - started_s, 3)
        return json_response(
            {"status": "ok", "version": services.version, "uptime_s": uptime_s, **services.health()},
            cache_control="no-store",
        )

    @router.get("/views/{view}.json", tags=["views"], summary="What to draw: a deck.gl specification")
    async def view(view: Annotated[str, PathParam(pattern=r"^[a-z][a-z0-9-]{0,39}$")]) -> Response:
        return json_response(await run_in_threadpool(services.view, view))

    return router
