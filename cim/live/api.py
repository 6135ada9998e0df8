"""The live endpoints: a WebSocket and, for where none gets through, server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Header, Query, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from cim.errors import CimError, Forbidden, InvalidInput, LimitExceeded, Unavailable
from cim.live.asyncapi import asyncapi_document
from cim.live.filter import Filter, read_filter
from cim.live.frames import Frame
from cim.live.hub import LiveClient, LiveHub
from cim.live.limits import SUBPROTOCOL, CloseCode, LiveLimits
from cim.live.requests import OFFSET_MAX, Position, Subscribe, interval_of

AllowedOrigin: TypeAlias = Callable[[Mapping[str, str]], bool]
"""Tells from a request's headers whether its Origin (if any) and Host may speak to this server."""

_CLOSE_S = 1.0
_RETRY_MS = 1_000


def live_router(hub: LiveHub, *, allowed_origin: AllowedOrigin) -> APIRouter:
    """Return the routes ``/live``, ``/live/sse`` and ``/asyncapi.json``."""
    router = APIRouter(tags=["live"])

    @router.websocket("/live")
    async def live(websocket: WebSocket) -> None:
        problem = _handshake_problem(websocket, allowed_origin)
        if problem is None:
            try:
                client = hub.attach()
            except (LimitExceeded, Unavailable) as error:
                problem = (503, error)
        if problem is not None:
            await _deny(websocket, *problem)
            return
        try:
            await websocket.accept(subprotocol=SUBPROTOCOL)
            await _converse(hub, client, websocket)
        finally:
            hub.detach(client)

    @router.get("/live/sse", response_class=Response)
    async def live_sse(
        request: Request,
        topic: str,
        bbox: Annotated[str | None, Query(max_length=200)] = None,
        datastreams: Annotated[str | None, Query(max_length=8_000)] = None,
        observed_property: Annotated[str | None, Query(max_length=2_000)] = None,
        max_rate_hz: float | None = None,
        last_event_id: Annotated[str | None, Header(max_length=300)] = None,
        authorization: Annotated[str, Header(max_length=300)] = "",
    ) -> Response:
        """Follow one topic as server-sent events: the WebSocket's frames, resumed by Last-Event-ID."""
        if not allowed_origin(request.headers):
            raise Forbidden("This origin may not follow the city.")
        limits = hub.limits
        wanted = _query_filter(bbox, datastreams, observed_property, limits)
        subscription = Subscribe(
            topic,
            wanted,
            _position(last_event_id, limits),
            interval_of(max_rate_hz, topic, limits),
            authorization.removeprefix("Bearer ").strip(),
        )
        client = hub.attach()
        try:
            client.session.subscribe(subscription)
        except CimError:
            hub.detach(client)
            raise
        return EventStream(hub, client)

    @router.get("/asyncapi.json", include_in_schema=False)
    async def asyncapi() -> JSONResponse:
        return JSONResponse(asyncapi_document())

    return router


def _handshake_problem(websocket: WebSocket, allowed_origin: AllowedOrigin) -> tuple[int, CimError] | None:
    if not allowed_origin(websocket.headers):
        return 403, Forbidden("This origin may not follow the city.")
    if SUBPROTOCOL not in websocket.scope["subprotocols"]:
        return 400, InvalidInput(f"The subprotocol is {SUBPROTOCOL}.", code="live-subprotocol", expected=SUBPROTOCOL)
    return None


async def _deny(websocket: WebSocket, status: int, error: CimError) -> None:
    problem = {**error.as_problem(), "title": error.message, "status": status}
    await websocket.send_denial_response(
        JSONResponse(problem, status_code=status, media_type="application/problem+json")
    )


async def _converse(hub: LiveHub, client: LiveClient, websocket: WebSocket) -> None:
    """Listen and speak until either side ends."""
    reader = asyncio.create_task(_listen(hub, client, websocket))
    writer = asyncio.create_task(hub.pump(client, lambda frame: websocket.send_text(frame.text)))
    try:
        await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
        if writer.done() and client.session.closing is not None:
            # A client that does not read would hold the close frame back: it gets a moment only.
            with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
                async with asyncio.timeout(_CLOSE_S):
                    await websocket.close(client.session.closing)
    finally:
        reader.cancel()
        writer.cancel()
        # The other side may leave at any moment; that is an end like any other.
        for ending in await asyncio.gather(reader, writer, return_exceptions=True):
            if isinstance(ending, Exception) and not isinstance(ending, WebSocketDisconnect | OSError | RuntimeError):
                raise ending


async def _listen(hub: LiveHub, client: LiveClient, websocket: WebSocket) -> None:
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        if text is None:
            client.session.stop("text-only", CloseCode.UNSUPPORTED)
            client.bell.set()
        else:
            hub.receive(client, text)


class EventStream(Response):
    """The frames of one client as ``text/event-stream``; ends with its session or its reader."""

    media_type = "text/event-stream"

    def __init__(self, hub: LiveHub, client: LiveClient) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._hub = hub
        self._client = client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        _ = scope
        writer = asyncio.create_task(self._write(send))
        reader = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            reader.cancel()
            writer.cancel()
            self._hub.detach(self._client)
            for ending in await asyncio.gather(reader, writer, return_exceptions=True):
                if isinstance(ending, Exception) and not isinstance(ending, OSError):
                    raise ending

    async def _write(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": f"retry: {_RETRY_MS}\n\n".encode(), "more_body": True})

        async def send_event(frame: Frame) -> None:
            body = server_sent_event(frame, self._hub.epoch)
            await send({"type": "http.response.body", "body": body, "more_body": True})

        await self._hub.pump(self._client, send_event)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def server_sent_event(frame: Frame, epoch: str) -> bytes:
    """Return a frame as one event; its id is the position to resume from."""
    position = f"id: {epoch}:{frame.offset}\n" if frame.offset is not None else ""
    return f"{position}data: {frame.text}\n\n".encode()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _position(last_event_id: str | None, limits: LiveLimits) -> Position | None:
    """Read ``epoch:offset``; whatever else a client remembers is answered by a snapshot."""
    if last_event_id is None:
        return None
    epoch, _, offset = last_event_id.rpartition(":")
    if not epoch or len(epoch) > limits.text_length_max or not (offset.isascii() and offset.isdigit()):
        return None
    number = int(offset) if len(offset) <= len(str(OFFSET_MAX)) else OFFSET_MAX
    return Position(epoch, min(number, OFFSET_MAX))


def _query_filter(
    bbox: str | None, datastreams: str | None, observed_property: str | None, limits: LiveLimits
) -> Filter:
    said: dict[str, object] = {}
    if bbox is not None:
        try:
            said["bbox"] = [float(part) for part in bbox.split(",")]
        except ValueError:
            raise InvalidInput("bbox is west,south,east,north.", code="live-filter", member="bbox") from None
    if datastreams is not None:
        said["datastreams"] = datastreams.split(",")
    if observed_property is not None:
        said["observed_property"] = observed_property.split(",")
    return read_filter(said or None, limits)
