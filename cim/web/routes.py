"""Routes outside of the framework's own: they name themselves in the scope, which the metrics read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.routing import Route
from starlette.types import Receive, Scope, Send


class PlainRoute(Route):
    """A Starlette route that says which it is, as FastAPI's routes do.

    ``operation`` is how ``/openapi.json`` describes its GET; without it the route is a page, or is described elsewhere.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], *, operation: Mapping[str, Any] | None = None) -> None:
        super().__init__(path, endpoint)
        self.operation = operation

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the endpoint."""
        scope["route"] = self
        await super().handle(scope, receive, send)


def path_parameter(name: str, description: str) -> dict[str, Any]:
    """Return the description of a part of a path, a text."""
    return {"name": name, "in": "path", "required": True, "description": description, "schema": {"type": "string"}}
