"""What a preview picture may be (pure)."""

from __future__ import annotations

import struct
from typing import Final

from cim.errors import InvalidInput, LimitExceeded

PICTURE_BYTES_MAX: Final = 1_000_000
SIDE_PX_MIN: Final = 200
SIDE_PX_MAX: Final = 2_400

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_END: Final = b"IEND\xaeB`\x82"
_HEAD: Final = struct.Struct(">I4sII")


def check_picture(content: bytes) -> tuple[int, int]:
    """Return width and height in pixels of a PNG that may be kept.

    Raises :class:`LimitExceeded` for more bytes or pixels than a preview needs, :class:`InvalidInput` for
    what is no PNG.  Only the frame of the file is read: the pixels are for browsers, which take care.
    """
    if len(content) > PICTURE_BYTES_MAX:
        raise LimitExceeded(
            "The picture is too large.", code="picture-bytes", limit=PICTURE_BYTES_MAX, measured=len(content)
        )
    framed = content.startswith(_SIGNATURE) and content.endswith(_END) and len(content) >= len(_SIGNATURE) + _HEAD.size
    length, kind, width, height = _HEAD.unpack_from(content, len(_SIGNATURE)) if framed else (0, b"", 0, 0)
    if kind != b"IHDR" or length != 13:
        raise InvalidInput("The picture is not a PNG.", hint="Send image/png.", code="picture-format")
    if not all(SIDE_PX_MIN <= side <= SIDE_PX_MAX for side in (width, height)):
        raise LimitExceeded("The picture is too large or too small.", code="picture-size", limit=SIDE_PX_MAX)
    return width, height
