"""Where a page begins: behind the last feature of the one before, whatever has come or gone meanwhile.  Pure."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

import orjson

from cim.errors import InvalidInput
from cim.features.model_types import Scalar

CURSOR_CHARACTERS_MAX: Final = 4_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last feature that was sent: the state it was of, its id, and its values that the order is by."""

    revision: str
    last_id: str
    values: tuple[Scalar | None, ...] = ()


def cursor_text(cursor: Cursor) -> str:
    """Return a cursor as it stands in an address."""
    packed = orjson.dumps([cursor.revision, cursor.last_id, list(cursor.values)])
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def read_cursor(text: str, sorts: int) -> Cursor:
    """Return the cursor of an address that sorts by so many properties; raises :class:`InvalidInput`."""
    cursor = _unpacked(text) if len(text) <= CURSOR_CHARACTERS_MAX else None
    if cursor is None or len(cursor.values) != sorts:
        raise InvalidInput(
            "The cursor is not one of this server, or not of this order.",
            hint="Follow the link to the next page as it stands.",
            code="parameter",
            parameter="cursor",
        )
    return cursor


def _unpacked(text: str) -> Cursor | None:
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        members = orjson.loads(packed)
    except (ValueError, binascii.Error):
        return None
    if not isinstance(members, list) or len(members) != 3:
        return None
    revision, last_id, values = members
    if not (isinstance(revision, str) and isinstance(last_id, str) and isinstance(values, list)):
        return None
    if not all(value is None or isinstance(value, str | int | float) for value in values):
        return None
    return Cursor(revision, last_id, tuple(values))
