"""Running the application: a socket of our own, uvicorn on it, a graceful stop."""

from __future__ import annotations

import errno
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from cim.errors import Conflict, InvalidInput

UNREAD_MS_MAX = 30_000
"""How long a client may leave what was sent to it unread, in milliseconds."""


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one.

    Raises :class:`Conflict` (``port-in-use``) or :class:`InvalidInput` (``address``).
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise Conflict(
                f"Port {port} of {host} is in use by another program.",
                hint="Choose another with --port, or --port 0 for any free one.",
                code="port-in-use",
                host=host,
                port=port,
            ) from error
        raise InvalidInput(
            f"This machine cannot listen on {host}, port {port}.",
            hint="Choose an address of this machine with --host and a port above 1023 with --port.",
            code="address",
            host=host,
            port=port,
        ) from error
    except OverflowError as error:
        listening.close()
        raise InvalidInput(f"{port} is not a port.", hint="Ports are 0 to 65535.", code="address", port=port) from error
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # Connections inherit it: what a client does not take is given up.  Without it a client that
        # stops reading keeps its connection, and what is buffered for it, as long as it likes.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS_MAX)
    listening.set_inheritable(False)
    return listening


def is_free(host: str, port: int) -> bool:
    """Tell whether this machine can listen there now."""
    try:
        bind(host, port).close()
    except Conflict:
        return False
    return True


def address_of(listening: socket.socket) -> str:
    """Return the web address that a listening socket is reached at from this machine."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


class _Server(uvicorn.Server):
    """Tells when it is ready, and lets live clients go before it closes connections."""

    def __init__(
        self, config: uvicorn.Config, on_ready: Callable[[], None], before_close: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._before_close = before_close

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._before_close()
        await super().shutdown(sockets)


def run(
    app: FastAPI,
    listening: socket.socket,
    *,
    on_ready: Callable[[], None],
    before_close: Callable[[], Awaitable[None]],
    stop_s_max: float,
) -> bool:
    """Serve until SIGINT or SIGTERM; return whether the application started.

    ``before_close`` is awaited while connections are still open, so that live clients hear of the
    end.
    ``websockets-sansio`` without deflate: half the CPU of the older implementation, and no
    half megabyte of compression state per client.
    """
    config = uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=64 * 1024,
        http="httptools",
        loop="uvloop",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=max(1, round(stop_s_max)),
        backlog=1_024,
    )
    server = _Server(config, on_ready, before_close)
    with _quiet_signals():
        server.run(sockets=[listening])
    return server.started


@contextmanager
def _quiet_signals() -> Iterator[None]:
    """Let a stop be a return: uvicorn stops on a signal, then raises it again under the handler of before.

    Raised again with the default handler, SIGTERM would end the process with the city still open.
    """
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
