"""Compress JSON answers that were made in one piece; streams and files have their own way."""

from __future__ import annotations

from typing import Final

from anyio.to_thread import run_sync
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cim.web.encodings import choose_coding, encode, is_compressible

BYTES_MIN: Final = 1_024
IN_LOOP_BYTES_MAX: Final = 64 * 1_024
"""Larger bodies are compressed in a thread: the loop has others to serve."""

_QUALITY: Final = 4


class Compress:
    """Compress what is worth it and was not compressed before."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the inner application; hold its head back until the first piece of its body."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        accept = Headers(scope=scope).get("accept-encoding", "")
        head: Message | None = None

        async def compressing(message: Message) -> None:
            nonlocal head
            if message["type"] == "http.response.start" and _may_compress(message):
                head = message
                return
            if head is not None:
                held, head = head, None
                message = await _compressed(held, message, accept)
                await send(held)
            await send(message)

        await self.app(scope, receive, compressing)


def _may_compress(head: Message) -> bool:
    """Tell by the head; that of an event stream must not wait for the first event."""
    headers = MutableHeaders(scope=head)
    return is_compressible(headers.get("content-type", "")) and "content-encoding" not in headers


async def _compressed(head: Message, message: Message, accept: str) -> Message:
    """Return the body to send; ``head`` is changed to fit it."""
    headers = MutableHeaders(scope=head)
    if "accept-encoding" not in headers.get("vary", "").lower():
        headers.add_vary_header("Accept-Encoding")
    body = message.get("body", b"")
    coding = choose_coding(accept)
    if coding is None or message.get("more_body") or len(body) < BYTES_MIN:
        return message
    if len(body) > IN_LOOP_BYTES_MAX:
        encoded = await run_sync(encode, body, coding, _QUALITY)
    else:
        encoded = encode(body, coding, _QUALITY)
    headers["Content-Encoding"] = coding
    headers["Content-Length"] = str(len(encoded))
    etag = headers.get("etag")
    if etag and not etag.startswith("W/"):
        headers["ETag"] = f"W/{etag}"
    return {**message, "body": encoded}
