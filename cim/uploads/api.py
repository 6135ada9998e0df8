"""Uploads over HTTP: files as they are, one request each; every route needs the planner token."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from anyio import CancelScope
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect

from cim.errors import NotFound
from cim.jobs.model import as_json
from cim.uploads.model import FILES_MAX, UPLOAD_BYTES_MAX, Said, Upload
from cim.uploads.service import PREVIEW, UploadService
from cim.web.asking import Asking, author_name
from cim.web.responses import json_response

PIECE_BYTES: Final = 1024**2
"""What is gathered before it goes to the disk."""
_CLOSED: Final = 499
"""Nobody reads this answer: the other side has gone."""

Author = Annotated[str, Header(alias="cim-author", max_length=400)]


class SaidBody(BaseModel):
    """What a planner says of an upload."""

    model_config = ConfigDict(extra="forbid")

    crs: Annotated[str | None, Field(max_length=4_000)] = None
    dataset: Annotated[str | None, Field(max_length=40)] = None
    mapping: dict[str, Any] | None = None
    policy: Literal["keep", "quarantine"] | None = None
    vertical_error_m: Annotated[float | None, Field(gt=0, allow_inf_nan=False)] = None
    title: Annotated[str | None, Field(max_length=200)] = None
    title_zh: Annotated[str | None, Field(max_length=200)] = None
    time_zone: Annotated[str | None, Field(max_length=60)] = None
    priority: Annotated[str | None, Field(max_length=2_000)] = None

    def said(self) -> Said:
        """Return it, empty words left out."""
        told = {name: value or None for name, value in self.model_dump().items()}
        return Said(**told)


def uploads_router(uploads: UploadService, asking: Asking) -> APIRouter:  # noqa: C901 -- one short function a route
    """Return the routes of ``/api/v1/uploads``."""
    router = APIRouter(prefix="/api/v1/uploads", tags=["uploads"], dependencies=[Depends(asking.planner)])

    def document(upload: Upload) -> dict[str, Any]:
        job = uploads.job_of(upload.id)
        return {
            "id": upload.id,
            "name": upload.name,
            "files": [{"name": file.name, "bytes": file.size} for file in upload.files],
            "bytes": upload.size,
            "touched_at": upload.touched_at.isoformat().replace("+00:00", "Z"),
            "job": None if job is None else as_json(job),
        }

    @router.get("", summary="What was brought and not taken in yet")
    def list_uploads() -> Response:
        limits = {"bytes": UPLOAD_BYTES_MAX, "files": FILES_MAX}
        return json_response({"items": [document(one) for one in uploads.uploads()], "limits": limits})

    @router.post("", status_code=201, summary="Bring a file, of a new upload or of one that is there")
    async def bring(
        request: Request,
        name: Annotated[str, Query(max_length=2_000)],
        upload: Annotated[str | None, Query(max_length=40)] = None,
    ) -> Response:
        length = request.headers.get("content-length", "")
        incoming = await run_sync(uploads.begin, name, upload, int(length) if length.isdigit() else None)
        try:
            pieces = bytearray()
            async for piece in request.stream():
                pieces += piece
                if len(pieces) >= PIECE_BYTES:
                    await run_sync(incoming.write, bytes(pieces))
                    pieces.clear()
            if pieces:
                await run_sync(incoming.write, bytes(pieces))
            await run_sync(incoming.keep)
        except ClientDisconnect:
            await run_sync(incoming.drop)
            return Response(status_code=_CLOSED)
        except BaseException:
            with CancelScope(shield=True):
                await run_sync(incoming.drop)
            raise
        return json_response(await run_sync(lambda: document(uploads.upload(incoming.upload_id))), status=201)

    @router.get("/{upload_id}", summary="One upload")
    def get_upload(upload_id: str) -> Response:
        return json_response(document(uploads.upload(upload_id)))

    @router.delete("/{upload_id}", status_code=204, summary="Remove an upload")
    def remove(upload_id: str) -> Response:
        uploads.remove(upload_id)
        return Response(status_code=204)

    @router.post("/{upload_id}/preview", status_code=202, summary="Look at what would go in, without storing anything")
    def look(upload_id: str, body: SaidBody, cim_author: Author = "") -> Response:
        return json_response(as_json(uploads.preview(upload_id, body.said(), author_name(cim_author))), status=202)

    @router.get("/{upload_id}/preview", summary="The newest look at an upload, as a job")
    def looked(upload_id: str) -> Response:
        uploads.upload(upload_id)
        job = uploads.job_of(upload_id, PREVIEW)
        if job is None:
            raise NotFound("Nobody has looked at this upload yet.", code="upload-no-job", id=upload_id)
        return json_response(as_json(job))

    @router.post("/{upload_id}/ingest", status_code=202, summary="Take an upload into the city, as a job")
    def ingest(upload_id: str, body: SaidBody, cim_author: Author = "") -> Response:
        return json_response(as_json(uploads.ingest(upload_id, body.said(), author_name(cim_author))), status=202)

    @router.post("/{upload_id}/cancel", summary="Ask the job of an upload to stop")
    def cancel(upload_id: str) -> Response:
        return json_response(as_json(uploads.cancel(upload_id)))

    return router
