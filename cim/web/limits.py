"""Limits on what a request may bring, each with a name.

``url-length``, ``header-count``, ``header-bytes``, ``body-bytes``, ``rate``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cim.errors import CimError, InvalidInput, LimitExceeded
from cim.web.problems import BodyTooLarge, error_response

CLIENTS_MAX: Final = 10_000
"""Client addresses whose rate is remembered; the least recent is forgotten first."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may bring; ``rate_per_s`` 0 switches the rate off."""

    body_bytes_max: int = 1_048_576
    uploads: Mapping[str, int] = field(default_factory=dict)
    """Paths that take more, and how much."""
    url_bytes_max: int = 8_192
    headers_max: int = 100
    header_bytes_max: int = 32_768
    rate_per_s: float = 200.0
    rate_burst: int = 1_000


class TokenBuckets:
    """One bucket of tokens for each client: ``burst`` at once, then ``rate_per_s``."""

    def __init__(self, rate_per_s: float, burst: int, clients_max: int = CLIENTS_MAX) -> None:
        self._rate_per_s = rate_per_s
        self._burst = float(burst)
        self._clients_max = clients_max
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, now_s: float) -> float:
        """Take a token; return 0, or the seconds until there is one."""
        tokens, at_s = self._buckets.pop(client, (self._burst, now_s))
        tokens = min(self._burst, tokens + (now_s - at_s) * self._rate_per_s)
        granted = tokens >= 1.0
        self._buckets[client] = (tokens - 1.0 if granted else tokens, now_s)
        if len(self._buckets) > self._clients_max:
            self._buckets.popitem(last=False)
        return 0.0 if granted else (1.0 - tokens) / self._rate_per_s


def check_head(limits: Limits, url_bytes: int, header_count: int, header_bytes: int) -> None:
    """Raise :class:`LimitExceeded` for a request line or header that is too large."""
    for code, measured, limit in (
        ("url-length", url_bytes, limits.url_bytes_max),
        ("header-count", header_count, limits.headers_max),
        ("header-bytes", header_bytes, limits.header_bytes_max),
    ):
        if measured > limit:
            raise LimitExceeded(
                "The request's address or header is too large.", code=code, limit=limit, measured=measured
            )


class LimitRequests:
    """Refuse requests that are over a limit before anything reads them."""

    def __init__(self, app: ASGIApp, *, limits: Limits, monotonic_s: Callable[[], float]) -> None:
        self.app = app
        self.limits = limits
        self._monotonic_s = monotonic_s
        self._buckets = TokenBuckets(limits.rate_per_s, limits.rate_burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or run the inner application."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        try:
            declared = self._check(scope)
        except CimError as error:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008, "reason": error.problem_code})
            else:
                await error_response(error)(scope, receive, send)
            return
        if scope["type"] == "websocket" or declared == 0:
            await self.app(scope, receive, send)
        else:
            await self.app(scope, self._counted(receive, self._body_bytes_max(scope)), send)

    def _check(self, scope: Scope) -> int | None:
        """Return the declared bytes of the body, 0 where there is none, ``None`` where it is not said."""
        headers = scope["headers"]
        url_bytes = len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"])
        check_head(self.limits, url_bytes, len(headers), sum(len(name) + len(value) for name, value in headers))
        if self.limits.rate_per_s > 0:
            client = scope["client"][0] if scope.get("client") else "unknown"
            wait_s = self._buckets.take(client, self._monotonic_s())
            if wait_s > 0:
                raise LimitExceeded(
                    "Too many requests from this address.",
                    code="rate",
                    limit=self.limits.rate_per_s,
                    retry_after_s=round(wait_s, 3),
                )
        fields = dict(headers)
        length = fields.get(b"content-length")
        if length is None:
            return None if b"transfer-encoding" in fields else 0
        if not length.isdigit():
            raise InvalidInput("The Content-Length is not a number.")
        limit = self._body_bytes_max(scope)
        if int(length) > limit:
            raise _too_large(limit)
        return int(length)

    def _body_bytes_max(self, scope: Scope) -> int:
        return max(self.limits.body_bytes_max, self.limits.uploads.get(scope["path"], 0))

    def _counted(self, receive: Receive, limit: int) -> Receive:
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    raise BodyTooLarge(_too_large(limit))
            return message

        return counted


def _too_large(limit: int) -> LimitExceeded:
    return LimitExceeded(f"The request body is over {limit:,} bytes.", code="body-bytes", limit=limit)
