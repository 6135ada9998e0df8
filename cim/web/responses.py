"""JSON answers: encoded once, NaN as null, never cached without asking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.responses import Response

JSON: Final = "application/json"


def json_response(
    content: Any,
    *,
    status: int = 200,
    media_type: str = JSON,
    cache_control: str = "no-cache",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return JSON; numpy scalars and arrays, datetimes and dataclasses are encoded too."""
    body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)
    return Response(body, status, headers={"Cache-Control": cache_control, **(headers or {})}, media_type=media_type)
