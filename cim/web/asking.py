"""What a request says of who asks, as dependencies of routes."""

from __future__ import annotations

import hashlib
from typing import Annotated, Final
from urllib.parse import unquote

from fastapi import Header, Request

from cim.accounts.model import Role, Who
from cim.accounts.service import Accounts

AUTHOR_MAX: Final = 80
ANONYMOUS: Final = "planner"

Authorization = Annotated[str, Header(max_length=300)]


class Asking:
    """Dependencies over the accounts of one city."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def role(self, authorization: Authorization = "") -> Role:
        """Return the role that a request shows."""
        return self._accounts.role_in(authorization)

    def planner(self, authorization: Authorization = "") -> None:
        """Refuse whoever is no planner."""
        self._accounts.require_planner(authorization)

    @staticmethod
    async def who(
        request: Request,
        cim_author: Annotated[str, Header(max_length=400)] = "",
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> Who:
        """Return the author of a write, its idempotency key, and the fingerprint of what it says."""
        told = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + await request.body()
        return Who(author_name(cim_author), idempotency_key, hashlib.sha256(told).hexdigest())


def author_name(header: str) -> str:
    """Return who writes, as the page says: percent-encoded UTF-8, since headers are not text."""
    name = "".join(character for character in unquote(header, errors="replace") if character.isprintable()).strip()
    return name[:AUTHOR_MAX] or ANONYMOUS
