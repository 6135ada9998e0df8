"""The vertex list of CityJSON: from text to an array; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from cim.errors import InvalidInput
from ingest.readers.json_scan import Text

PIECE_BYTES: Final = 1024 * 1024
"""Text that is parsed at once: the list of Python numbers never grows beyond it."""

_NO_NUMBER: Final = re.compile(rb"-?(?:NaN|Infinity|inf|nan)|(?<![\d.])-?\d[\d.]*+[eE]\+?\d{3,}")
"""Looks at a run of digits from its first one only, or a number of a megabyte would take its square."""

Vertices = NDArray[np.float64]


def read_vertices(text: Text, start: int, stop: int) -> Vertices:
    """Return the vertices of the list in ``text[start:stop]``, shape (n, 3), as the file has them.

    What is no number (NaN, Infinity, 1e999, null, a vertex of two) becomes NaN, so that it condemns
    only the objects that use it.  Raises :class:`InvalidInput` where the list is no list.
    """
    inside = bytes(text[start : min(start + 64, stop)]).lstrip()
    ends = bytes(text[max(start, stop - 64) : stop]).rstrip(b" \t\r\n,")
    if not inside.startswith(b"[") or not ends.endswith(b"]"):
        raise _no_list()
    pieces = [vertex_array(_loads(piece)) for piece in _pieces(text, start, stop)]
    return np.concatenate(pieces) if pieces else np.empty((0, 3))


def vertex_array(rows: list[Any]) -> Vertices:
    """Return parsed vertices as an array of shape (n, 3); rows that are no vertex become NaN."""
    try:
        if set(map(len, rows)) <= {3}:
            return np.fromiter(chain.from_iterable(rows), np.float64, 3 * len(rows)).reshape(-1, 3)
    except (TypeError, ValueError):
        pass
    return np.array([_row(row) for row in rows], dtype=np.float64).reshape(-1, 3)


def _row(row: Any) -> tuple[float, float, float]:
    nothing = (np.nan, np.nan, np.nan)
    if not isinstance(row, list) or len(row) != 3:
        return nothing
    x, y, z = (value if isinstance(value, int | float) else np.nan for value in row)
    return (float(x), float(y), float(z))


def _pieces(text: Text, start: int, stop: int) -> Iterator[bytes]:
    """Cut the inside of the list at the end of a vertex, about every ``PIECE_BYTES``."""
    at = start + bytes(text[start : min(start + 64, stop)]).index(b"[") + 1
    while at < stop:
        window = bytes(text[at : min(at + PIECE_BYTES, stop)])
        if at + len(window) >= stop:
            last = window.rstrip(b" \t\r\n,")
            yield last[:-1]
            return
        cut = window.rfind(b"]")
        if cut < 0:
            raise _no_list()
        yield window[: cut + 1]
        at += cut + 1
        gap = bytes(text[at : min(at + 64, stop)])
        behind = gap.lstrip()
        if behind.startswith(b","):
            at += len(gap) - len(behind) + 1


def _loads(piece: bytes) -> list[Any]:
    try:
        rows = orjson.loads(b"[" + piece + b"]")
    except orjson.JSONDecodeError:
        try:
            rows = orjson.loads(b"[" + _NO_NUMBER.sub(b"null", piece) + b"]")
        except orjson.JSONDecodeError as error:
            raise _no_list() from error
    assert isinstance(rows, list)
    return rows


def _no_list() -> InvalidInput:
    return InvalidInput(
        "The vertices of the file are not a list of numbers; nothing of it was taken in.",
        hint="Check the file with a CityJSON validator, for example cjval.",
        code="vertices-damaged",
    )
