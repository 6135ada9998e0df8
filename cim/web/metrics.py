"""What an operator watches: ``/metrics`` in the Prometheus text format."""

from __future__ import annotations

import time
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cim.web.routes import PlainRoute

_LATENCY_S: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


class Metrics:
    """The instruments of one application; other parts may add theirs to ``registry``."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "cim_http_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self.latency_s = Histogram(
            "cim_http_request_duration_seconds",
            "Time to the end of an answer.",
            ("route",),
            buckets=_LATENCY_S,
            registry=self.registry,
        )
        self.open_requests = Gauge("cim_http_requests_open", "Requests being answered.", registry=self.registry)
        self.live_clients = Gauge("cim_live_clients", "WebSocket connections open.", registry=self.registry)

    def route(self) -> PlainRoute:
        """Return the route that shows them."""

        async def show(_request: Request) -> Response:
            return Response(
                generate_latest(self.registry),
                headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"},
            )

        answer = {"description": "Metrics", "content": {"text/plain": {"schema": {"type": "string"}}}}
        operation = {
            "tags": ["server"],
            "summary": "What the server has done, for Prometheus",
            "operationId": "getMetrics",
            "responses": {"200": answer},
        }
        return PlainRoute("/metrics", show, operation=operation)


class Measure:
    """Count requests and WebSocket clients; routes are named by their template, so their number is bounded."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the inner application."""
        if scope["type"] == "websocket":
            with self.metrics.live_clients.track_inprogress():
                await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._measured(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _measured(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        method = scope["method"] if scope["method"] in _METHODS else "other"
        started_s = time.perf_counter()
        try:
            with self.metrics.open_requests.track_inprogress():
                await self.app(scope, receive, watch)
        finally:
            route = route_template(scope)
            self.metrics.requests.labels(method, route, str(status)).inc()
            self.metrics.latency_s.labels(route).observe(time.perf_counter() - started_s)


def route_template(scope: Scope) -> str:
    """Return the path template that matched, ``unmatched`` for none."""
    route = scope.get("route")
    template = getattr(route, "path_format", None) or getattr(route, "path", None)
    return str(template) if template else "unmatched"
