"""Ready forms over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from cim.schemes.massing import FORMS, Form
from cim.web.responses import json_response


def forms_router() -> APIRouter:
    """Return the routes of ready forms."""
    router = APIRouter(prefix="/api/v1", tags=["schemes"])

    @router.get("/massings", summary="The massing library: forms and the numbers that they are made from")
    def list_massings() -> Response:
        return json_response({"items": [massing_json(form) for form in FORMS.values()]})

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
