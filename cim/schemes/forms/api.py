"""Ready forms over HTTP."""

from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Request, Response

from cim.errors import LimitExceeded
from cim.schemes.forms.service import MODEL_BYTES_MAX, ModelService
from cim.schemes.massing import FORMS, Form
from cim.web.asking import Asking
from cim.web.responses import json_response


def forms_router(models: ModelService, asking: Asking) -> APIRouter:
    """Return the routes of ready forms."""
    router = APIRouter(prefix="/api/v1", tags=["schemes"])

    @router.get("/massings", summary="The massing library: forms and the numbers that they are made from")
    def list_massings() -> Response:
        return json_response({"items": [massing_json(form) for form in FORMS.values()]})

    @router.post(
        "/models", status_code=201, dependencies=[Depends(asking.planner)], summary="Bring a model: GLB or CityJSON"
    )
    async def upload(request: Request) -> Response:
        content = bytearray()
        async for piece in request.stream():
            content += piece
            if len(content) > MODEL_BYTES_MAX:
                raise LimitExceeded("The model is too large.", code="model-bytes", limit=MODEL_BYTES_MAX)
        return json_response(await run_sync(models.upload, bytes(content)), status=201)

    @router.get("/models/{digest}.glb", summary="The triangles of a model, about its own origin")
    def read(digest: str, request: Request) -> Response:
        # Named by the hash of what was uploaded: what it names never changes.
        headers = {"ETag": f'"{digest}"', "Cache-Control": "public, max-age=31536000, immutable"}
        content = models.drawing(digest)
        if digest in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="model/gltf-binary", headers=headers)

    return router


def massing_json(form: Form) -> dict[str, Any]:
    """Return a form of the library as it is sent."""
    return {
        "id": form.id,
        "title": {"en": form.title_en, "zh": form.title_zh},
        "needs_site": form.needs_site,
        "params": [
            {"name": one.name, "unit": one.unit, "default": one.default, "min": one.minimum, "max": one.maximum}
            for one in form.parameters
        ],
    }
