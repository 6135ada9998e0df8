"""Errors as RFC 9457 problems: one table from error classes to status codes.

No exception's own text reaches a client: a :class:`CimError` is worded on purpose, everything else
becomes ``internal`` with an incident id that is also in the log.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cim import errors

PROBLEM_JSON: Final = "application/problem+json"

STATUS: Final[Mapping[type[errors.CimError], int]] = {
    errors.InvalidInput: 400,
    errors.UnsupportedFormat: 415,
    errors.NotFound: 404,
    errors.Gone: 410,
    errors.Conflict: 409,
    errors.DirectoryInUse: 409,
    errors.LimitExceeded: 413,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.StorageFull: 507,
    errors.NewerSchema: 503,
    errors.Unavailable: 503,
    errors.Cancelled: 409,
    errors.IntegrityError: 500,
}
"""The status of each class; a subclass without a row has its parent's."""

STATUS_OF_CODE: Final[Mapping[str, int]] = {
    "url-length": 414,
    "header-count": 431,
    "header-bytes": 431,
    "rate": 429,
    "host": 421,
    "edit-refused": 422,
}
"""Codes whose status is more exact than that of their class."""

_CODE_OF_STATUS: Final[Mapping[int, str]] = {
    400: "invalid-input",
    401: "unauthorized",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "limit-exceeded",
    415: "unsupported-format",
    503: "unavailable",
}

_INVALID_FIELDS_MAX: Final = 20

log = structlog.get_logger("cim.web")


def status_of(error: errors.CimError) -> int:
    """Return the HTTP status of an error: by its code, else by the nearest class in the table."""
    if error.problem_code in STATUS_OF_CODE:
        return STATUS_OF_CODE[error.problem_code]
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def problem_response(status: int, problem: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Response:
    """Return a problem document; ``title`` is the status's own phrase."""
    body = {"status": status, "title": HTTPStatus(status).phrase, **problem}
    return Response(
        orjson.dumps(body),
        status_code=status,
        media_type=PROBLEM_JSON,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def error_response(error: errors.CimError) -> Response:
    """Return the problem of an error that was raised on purpose."""
    status = status_of(error)
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    retry_after_s = error.params.get("retry_after_s")
    if isinstance(retry_after_s, (int, float)):
        headers["Retry-After"] = str(max(1, round(retry_after_s)))
    return problem_response(status, error.as_problem(), headers)


def internal_response() -> tuple[Response, str]:
    """Return the problem of a fault of ours and its incident id."""
    incident = secrets.token_hex(6)
    problem = {
        "type": "urn:cim:problem:internal",
        "code": "internal",
        "detail": "The server failed to answer. Nothing was changed by this request unless it was acknowledged.",
        "hint": "Try again; if it stays, look for the incident in the server's log.",
        "params": {"incident": incident},
    }
    return problem_response(500, problem), incident


async def _on_cim_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.CimError)
    if status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("refused", code=error.problem_code, **error.params)
    return error_response(error)


async def _on_validation(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    fields = [
        {"at": ".".join(str(step) for step in item["loc"]), "rule": item["type"]}
        for item in error.errors()[:_INVALID_FIELDS_MAX]
    ]
    problem = {
        "type": "urn:cim:problem:invalid-input",
        "code": "invalid-input",
        "detail": "A part of the request is missing or is not what it should be.",
        "hint": "See /docs for what each part may be.",
        "params": {"fields": fields},
    }
    return problem_response(422, problem)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODE_OF_STATUS.get(error.status_code, f"http-{error.status_code}")
    problem: dict[str, Any] = {"type": f"urn:cim:problem:{code}", "code": code}
    if error.status_code == HTTPStatus.NOT_FOUND:
        problem["detail"] = "Nothing has this address."
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        problem["detail"] = f"{request.method[:16]} is not offered here."
    else:
        problem["detail"] = HTTPStatus(error.status_code).description or HTTPStatus(error.status_code).phrase
    return problem_response(error.status_code, problem, error.headers)


async def _on_too_large(_request: Request, error: Exception) -> Response:
    assert isinstance(error, BodyTooLarge)
    return error_response(error.reason)


class BodyTooLarge(HTTPException):
    """Raised while a body is read; an :class:`HTTPException`, since FastAPI swallows any other there."""

    def __init__(self, reason: errors.LimitExceeded) -> None:
        super().__init__(413)
        self.reason = reason


class UnexpectedErrors:
    """Answer ``internal`` for what nobody expected, and log it with its incident id.

    Starlette's own last resort answers outside of every middleware, without our headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the inner application."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception:
            response, incident = internal_response()
            log.exception("internal", incident=incident, method=scope["method"], path=scope["path"])
            if started:
                raise
            await response(scope, receive, send)


def install_problems(app: FastAPI) -> None:
    """Make every error of ``app`` a problem document."""
    app.add_exception_handler(errors.CimError, _on_cim_error)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(BodyTooLarge, _on_too_large)
    app.add_exception_handler(HTTPException, _on_http)
