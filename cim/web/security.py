"""Who may ask, and what a browser may do with the answer.

Host: a name that is neither loopback nor configured is refused, so that a foreign page cannot
reach a local server by rebinding its own name.  Origin: a write or a WebSocket from another origin
is refused.  The content security policy allows the server itself and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cim.errors import Forbidden
from cim.web.problems import error_response

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
ANY_HOST: Final = "*"

_HOST = re.compile(r"(?P<name>[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?")
_OPEN_TO_ALL = re.compile(r"/(?:tiles|ogc|s/[^/]+/ogc)(?:/.*)?|/assets/cim-viewer\.js")
EMBEDDED_PAGE: Final = "/embed"
"""The one page that other pages may show in a frame."""
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY_VIOLATION: Final = 1008

FIXED_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), "
        "microphone=(), midi=(), payment=(), usb=()"
    ),
}


def content_security_policy(host: str | None, ancestors: str = "'none'") -> str:
    """Return the policy; ``host`` (checked) is named for WebSockets, which old browsers do not take for self.

    ``ancestors`` are the sources whose pages may show this one in a frame.
    """
    sockets = f" ws://{host} wss://{host}" if host else ""
    return (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        f"connect-src 'self'{sockets}; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; "
        f"frame-ancestors {ancestors}"
    )


def host_name(host: str) -> str | None:
    """Return the name in a Host header, lower case, or ``None`` if it is not one."""
    match = _HOST.fullmatch(host.lower())
    return match["name"] if match else None


def is_allowed_host(host: str, allowed: frozenset[str]) -> bool:
    """Tell whether the server answers to this Host header."""
    name = host_name(host)
    return name is not None and (name in LOOPBACK or name in allowed or ANY_HOST in allowed)


def is_same_origin(origin: str, host: str, allowed: frozenset[str]) -> bool:
    """Tell whether an Origin header is this server's (by its Host) or is configured.

    The scheme is not compared: behind a proxy that ends TLS the server does not know it, and a
    browser writes the same host and port in both headers.
    """
    parts = urlsplit(origin.lower())
    if parts.scheme not in {"http", "https"}:
        return False
    return parts.netloc == host.lower() or f"{parts.scheme}://{parts.netloc}" in allowed


def origin_check(configured: Iterable[str]) -> Callable[[Mapping[str, str]], bool]:
    """Return what tells from a request's headers whether its Origin, if any, may speak to this server."""
    allowed = frozenset(configured)

    def check(headers: Mapping[str, str]) -> bool:
        origin = headers.get("origin")
        return origin is None or is_same_origin(origin, headers.get("host", ""), allowed)

    return check


def is_open_path(path: str) -> bool:
    """Tell whether other origins may read a path: tiles, features, the element that shows a scheme elsewhere."""
    return _OPEN_TO_ALL.fullmatch(path) is not None


class Security:
    """Check Host and Origin, then add the headers to every answer."""

    def __init__(
        self, app: ASGIApp, *, hosts: Iterable[str] = (), origins: Iterable[str] = (), embedders: Iterable[str] = ()
    ) -> None:
        self.app = app
        self.ancestors = " ".join(("'self'", *embedders))
        self.hosts = frozenset(hosts)
        self.origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or run the inner application."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if scope["type"] == "websocket":
            if refusal:
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": refusal.problem_code})
            else:
                await self.app(scope, receive, send)
            return
        host = headers.get("host", "")
        embedded = scope["path"] == EMBEDDED_PAGE
        named = host if is_allowed_host(host, self.hosts) else None
        policy = content_security_policy(named, self.ancestors) if embedded else content_security_policy(named)
        open_path = is_open_path(scope["path"])

        async def add_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                _add(out, policy, open_path=open_path)
                if embedded:
                    # The policy says it better, and an older browser would refuse the frame altogether.
                    del out["X-Frame-Options"]
            await send(message)

        if refusal:
            await error_response(refusal)(scope, receive, add_headers)
        elif open_path and scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, add_headers)
        else:
            await self.app(scope, receive, add_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> Forbidden | None:
        host = headers.get("host", "")
        if not is_allowed_host(host, self.hosts):
            return Forbidden(
                "This server does not answer to that host name.",
                hint="Set CIM_ALLOWED_HOSTS to the names that it has.",
                code="host",
            )
        if scope["type"] == "http" and scope["method"] in _SAFE_METHODS:
            return None
        origin = headers.get("origin")
        site = headers.get("sec-fetch-site", "none")
        foreign = not is_same_origin(origin, host, self.origins) if origin is not None else site not in _OWN_SITES
        if foreign:
            return Forbidden(
                "A page of another origin may not do this.",
                hint="Set CIM_ALLOWED_ORIGINS if that page is yours.",
                code="origin",
            )
        return None


_OWN_SITES: Final = frozenset({"none", "same-origin"})
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, Accept-Language, Content-Type, If-None-Match",
    "Access-Control-Max-Age": "86400",
}


def _add(out: MutableHeaders, policy: str, *, open_path: bool) -> None:
    for name, value in FIXED_HEADERS.items():
        out.setdefault(name, value)
    out["Content-Security-Policy"] = policy
    out["Cross-Origin-Resource-Policy"] = "cross-origin" if open_path else "same-origin"
    if open_path:
        out["Access-Control-Allow-Origin"] = "*"
        out["Access-Control-Expose-Headers"] = "ETag, Link, Content-Crs"
