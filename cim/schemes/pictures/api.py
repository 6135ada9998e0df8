"""Preview pictures over HTTP."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from cim.accounts.model import Role
from cim.schemes.pictures.service import PictureService
from cim.web.asking import Asking


def pictures_router(pictures: PictureService, asking: Asking) -> APIRouter:
    """Return the routes of preview pictures."""
    router = APIRouter(prefix="/api/v1/schemes", tags=["schemes"])

    @router.get("/{scheme_id}/preview.png", summary="A picture of a scheme, for the card of a shared link")
    def read(scheme_id: str, request: Request, role: Annotated[Role, Depends(asking.role)]) -> Response:
        content = pictures.picture(scheme_id, role)
        headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()[:16]}"', "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="image/png", headers=headers)

    @router.put(
        "/{scheme_id}/preview.png",
        status_code=204,
        dependencies=[Depends(asking.planner)],
        summary="Give a scheme its picture: a PNG of at most 1 MB",
    )
    async def keep(scheme_id: str, request: Request) -> Response:
        await run_in_threadpool(pictures.keep, scheme_id, await request.body())
        return Response(status_code=204)

    return router
