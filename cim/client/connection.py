"""Requests to a city's server, and its problems as exceptions."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import quote

import httpx
import orjson

Json: TypeAlias = Any
"""What a JSON document may be; its members are described where they are read."""

TIMEOUT_S: Final = 30.0
TRIES_MAX: Final = 5
"""How often a request is sent that the server asks to send later, or whose answer got lost."""
PATIENCE_S: Final = 0.5


class CityProblem(Exception):
    """What the server refused: ``status``, a stable ``code``, ``detail``, ``hint``, and all members in ``problem``."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.problem = dict(problem)
        self.code = str(problem.get("code", "unexpected"))
        self.detail = str(problem.get("detail") or problem.get("title") or "The server did not say why.")
        self.hint = str(problem.get("hint", ""))
        super().__init__(f"{self.code}: {self.detail}" + (f" {self.hint}" if self.hint else ""))


class Connection:
    """One server; every write carries a key, so that a repeated one is done once."""

    def __init__(self, address: str, token: str | None, author: str = "", *, http: httpx.Client | None = None) -> None:
        """Connect to ``address`` in somebody's name; ``http`` replaces the client that is made for it."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if author:
            headers["Cim-Author"] = quote(author)
        self._http = http or httpx.Client(base_url=address, timeout=TIMEOUT_S, trust_env=False)
        self._http.headers.update(headers)

    def close(self) -> None:
        """Let the connection go."""
        self._http.close()

    def get(self, path: str, **query: str | float | None) -> Json:
        """Return the document behind a path; raises :class:`CityProblem`."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._ask("GET", path, params=given)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Json:
        """Send a change and return the answer; raises :class:`CityProblem`."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return self._ask("POST", path, json=dict(body or {}), headers=headers)

    def patch(self, path: str, body: Mapping[str, Any]) -> Json:
        """Change members of a resource and return it; raises :class:`CityProblem`."""
        return self._ask("PATCH", path, json=dict(body), headers={"Idempotency-Key": str(uuid.uuid4())})

    def upload(self, path: str, content: bytes, media_type: str) -> Json:
        """Send a file and return the answer; raises :class:`CityProblem`."""
        return self._ask("POST", path, content=content, headers={"Content-Type": media_type})

    def _ask(self, method: str, path: str, **request: Any) -> Json:
        for attempt in range(1, TRIES_MAX + 1):
            try:
                answer = self._http.request(method, path, **request)
            except httpx.TransportError as error:
                if attempt == TRIES_MAX:
                    raise CityProblem(0, {"code": "unreachable", "detail": "The server does not answer."}) from error
                time.sleep(PATIENCE_S)
                continue
            if answer.status_code == httpx.codes.TOO_MANY_REQUESTS and attempt < TRIES_MAX:
                time.sleep(PATIENCE_S)
                continue
            return _body(answer)
        raise AssertionError  # the last attempt returns or raises


def _body(answer: httpx.Response) -> Json:
    try:
        document = orjson.loads(answer.content) if answer.content else None
    except orjson.JSONDecodeError:
        document = None
    if answer.is_success:
        return document
    raise CityProblem(answer.status_code, document if isinstance(document, dict) else {})
