"""The planner token: its form, and how it is compared (pure)."""

from __future__ import annotations

import hmac
import re
from typing import Final

TOKEN_BYTES: Final = 24
"""Random bytes in a token: 192 bits, 32 characters."""

TOKEN_LENGTH_MAX: Final = 256
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,256}")
_SCHEME: Final = "bearer "


def is_token(text: str) -> bool:
    """Tell whether a text can be a token."""
    return _TOKEN.fullmatch(text) is not None


def same(given: str, token: str) -> bool:
    """Compare in a time that does not tell how much of a guess was right."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode("utf-8"))


def bearer(authorization: str) -> str:
    """Return the token in an ``Authorization`` header, ``""`` where it has none."""
    if authorization[: len(_SCHEME)].lower() != _SCHEME:
        return ""
    return authorization[len(_SCHEME) :].strip()[:TOKEN_LENGTH_MAX]
