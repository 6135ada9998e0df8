"""Routes outside of the framework's own: they name themselves in the scope, which the metrics read."""

from __future__ import annotations

from starlette.routing import Route
from starlette.types import Receive, Scope, Send


class PlainRoute(Route):
    """A Starlette route that says which it is, as FastAPI's routes do."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the endpoint."""
        scope["route"] = self
        await super().handle(scope, receive, send)
