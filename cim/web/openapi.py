"""The description of the API: problems as the errors of every operation, served to our own page at /docs."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from cim.web.problems import PROBLEM_JSON
from cim.web.routes import PlainRoute

PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "RFC 9457 problem. `code` is stable; clients word it from `code` and `params`.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "hint": {"type": "string"},
        "params": {"type": "object", "additionalProperties": True},
    },
}

_METHODS: Final = frozenset({"get", "put", "post", "delete", "patch", "head", "options"})


def problem_answer(description: str) -> dict[str, Any]:
    """Return the description of a problem answer."""
    return {
        "description": description,
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def describe(app: FastAPI) -> None:
    """Make ``/openapi.json`` say that errors are problems, in place of the framework's own shape."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, routes=app.routes)
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            for own in ("HTTPValidationError", "ValidationError"):
                schemas.pop(own, None)
            schemas["Problem"] = PROBLEM_SCHEMA
            paths = document.setdefault("paths", {})
            paths |= {route.path_format: {"get": deepcopy(route.operation)} for route in _plain(app.routes)}
            for path in paths.values():
                for method, operation in path.items():
                    if method in _METHODS:
                        _describe_errors(operation["responses"])
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _plain(routes: Iterable[BaseRoute]) -> list[PlainRoute]:
    """Return the routes outside of the framework's own that say what they are."""
    return [route for route in routes if isinstance(route, PlainRoute) and route.operation is not None]


def _describe_errors(answers: dict[str, Any]) -> None:
    if "422" in answers:
        answers["422"] = problem_answer("A part of the request is missing or is not what it should be.")
    answers["default"] = problem_answer("What went wrong.")
