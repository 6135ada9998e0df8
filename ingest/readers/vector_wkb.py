"""Which WKB may be handed to GEOS, which follows collections in collections until its stack ends; pure.

A simple geometry has its rings, a multi geometry has simple ones of its own kind in it, and nothing nests deeper
(OGC 06-103r4, 8.2).  Small blobs cannot nest deep enough to do harm and are not walked through.
"""

from __future__ import annotations

import struct
from typing import Final

DEEP_BYTES_MIN: Final = 16 * 1024
"""A nested collection costs nine bytes: below this the nesting is harmless."""

COLLECTION: Final = 7
_POINT, _LINE, _POLYGON = 1, 2, 3
_MULTI: Final = {4: _POINT, 5: _LINE, 6: _POLYGON}
_EWKB_Z: Final = 0x80000000
_EWKB_M: Final = 0x40000000
_EWKB_SRID: Final = 0x20000000


def kind_of(blob: bytes) -> int:
    """Return the type of a WKB without its flags for height and measure, -1 for what is none."""
    if len(blob) < 5 or blob[0] > 1:
        return -1
    return (int.from_bytes(blob[1:5], "little" if blob[0] else "big") & 0x0FFFFFFF) % 1000


def is_harmless(blob: bytes) -> bool:
    """Tell whether a WKB is a point, a line, a polygon or several of one of these, whole, without nesting."""
    kind = kind_of(blob)
    if kind not in {_POINT, _LINE, _POLYGON, *_MULTI}:
        return False
    if len(blob) < DEEP_BYTES_MIN:
        return True
    try:
        end = _after(blob, 0, kind)
    except struct.error:
        return False
    return end <= len(blob)


def _after(blob: bytes, at: int, kind: int) -> int:
    """Return where a geometry of this type ends; raises :class:`struct.error` where it is another or ends early."""
    order = "<" if blob[at : at + 1] == b"\x01" else ">"
    (code,) = struct.unpack_from(order + "I", blob, at + 1)
    if (code & 0x0FFFFFFF) % 1000 != kind:
        raise struct.error
    # Height and measure: by flags (PostGIS) or by thousands (ISO).
    sides = 2 + bool(code & _EWKB_Z) + bool(code & _EWKB_M) + (0, 1, 1, 2)[(code & 0x0FFFFFFF) // 1000 % 4]
    at += 9 if code & _EWKB_SRID else 5
    if kind == _POINT:
        return at + 8 * sides
    count = int(struct.unpack_from(order + "I", blob, at)[0])
    at += 4
    if kind == _LINE:
        return at + 8 * sides * count
    for _ in range(count):
        if kind == _POLYGON:
            at += 4 + 8 * sides * int(struct.unpack_from(order + "I", blob, at)[0])
        else:
            at = _after(blob, at, _MULTI[kind])
        if at > len(blob):
            raise struct.error
    return at
