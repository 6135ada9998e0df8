"""``GET /tiles/{scheme}/{path}``: 3D Tiles of the city as it is (``base``) or as a scheme would have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response

from cim.errors import NotFound
from cim.tilesets.service import TilesetService
from cim.web.files import FileSender
from cim.web.routes import PlainRoute, path_parameter

_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_OPERATION: Final[Mapping[str, Any]] = {
    "tags": ["tiles"],
    "summary": "3D Tiles 1.1: begin with tileset.json, buildings/tileset.json or ground/tileset.json",
    "operationId": "getTile",
    "parameters": [
        path_parameter("scheme", "The id of a published scheme; `base` is the city as it is"),
        path_parameter("path", "What a tileset names, with its slashes"),
    ],
    "responses": {
        "200": {
            "description": "A tileset, or a tile of it",
            "content": {"application/json": {"schema": {"type": "object"}}, "model/gltf-binary": _BINARY},
        }
    },
}


def tileset_routes(service: TilesetService, sender: FileSender) -> list[PlainRoute]:
    """Return the route of the tiles."""

    async def tile(request: Request) -> Response:
        scheme, path = request.path_params["scheme"], request.path_params["path"]
        try:
            entry = await run_sync(service.find, scheme, path)
            return await sender.answer(request, entry)
        except FileNotFoundError:
            # The build was removed between the look and the read.
            raise NotFound("There is no such tile.", code="tile") from None

    return [PlainRoute("/tiles/{scheme}/{path:path}", tile, operation=_OPERATION)]
