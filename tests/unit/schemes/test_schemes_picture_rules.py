"""Preview pictures: what is taken, and what is not."""

from __future__ import annotations

import struct
import zlib

import pytest

from cim.errors import CimError, InvalidInput, LimitExceeded
from cim.schemes.pictures.png import PICTURE_BYTES_MAX, SIDE_PX_MAX, check_picture


def png(width: int, height: int, filler: int = 0) -> bytes:
    """A PNG of one grey, written by the rules of its format."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80" * width) * min(height, 2_500))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"tEXt", b"x" * filler)
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def test_a_picture_is_taken() -> None:
    assert check_picture(png(1200, 630)) == (1200, 630)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", png(1200, 630)[:-1], png(1200, 630)[8:]])
def test_what_is_no_png_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_picture(content)
    assert caught.value.problem_code == "picture-format"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (png(100, 630), "picture-size"),
        (png(1200, SIDE_PX_MAX + 1), "picture-size"),
        (png(1200, 630, filler=PICTURE_BYTES_MAX), "picture-bytes"),
    ],
)
def test_what_is_more_than_a_preview_needs_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        check_picture(content)
    assert isinstance(caught.value, CimError)
    assert caught.value.problem_code == code
