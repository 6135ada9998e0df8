"""Downloads: ``/api/v1/export/{collection}?format=…``, sent as they are made."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from cim.features.exports.openapi import export_operation
from cim.features.exports.service import Export, ExportService
from cim.features.service import FeatureService, Pairs
from cim.web.routes import PlainRoute


def export_routes(features: FeatureService) -> list[PlainRoute]:
    """Return the route of downloads."""
    service = ExportService(features)

    async def endpoint(request: Request) -> Response:
        asked = service.asked_by(request.headers.get("authorization", ""))
        pairs = request.query_params.multi_items()
        export, parts = await run_sync(_begun, asked, request.path_params["name"], pairs)
        return StreamingResponse(
            parts,
            media_type=export.media_type,
            headers={
                "Content-Disposition": f'attachment; filename="{export.filename}"',
                "Cache-Control": "no-store",
                "Vary": "Authorization",
            },
        )

    return [PlainRoute("/api/v1/export/{name}", endpoint, operation=export_operation())]


def _begun(service: ExportService, name: str, pairs: Pairs) -> tuple[Export, Iterator[bytes]]:
    """Make the first part: what cannot be made is said before anything is sent."""
    export = service.export(name, pairs)
    first = next(export.parts, b"")
    return export, chain((first,), export.parts)
