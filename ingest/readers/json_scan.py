"""Where the members of a JSON object lie in a text, without parsing their values; pure.

A vectorised scan over brackets and quotes, a chunk at a time, so that a document of any size is cut into
slices that a strict parser reads one by one.  Memory: a chunk, about thirty times over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

CHUNK_BYTES: Final = 1024 * 1024
_QUOTE, _BACKSLASH, _END = 0x22, 0x5C, 0x7D
_STEP: Final = np.zeros(256, dtype=np.int8)
for _char in b"{[":
    _STEP[_char] = 1
for _char in b"}]":
    _STEP[_char] = -1
_MARKS: Final = _STEP != 0
_MARKS[_QUOTE] = True

Text: TypeAlias = "bytes | memoryview"


class UnclosedJson(ValueError):
    """The text ends inside a value, or closes what it never opened."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its key, and where its value starts and stops in the text (white space and comma included)."""

    key: str
    start: int
    stop: int

    def value(self, text: Text) -> bytes:
        """Return the bytes of the value."""
        return bytes(text[self.start : self.stop]).rstrip(b" \t\r\n,")


@dataclass(slots=True)
class _State:
    depth: int = 0
    in_string: bool = False
    escaped: bool = False


def members(text: Text, start: int = 0, stop: int | None = None) -> Iterator[Member]:
    """Yield the members of the object that starts at ``start`` and ends before ``stop``.

    Raises :class:`UnclosedJson` where the object does not end, or where something follows it.
    Values are not checked: whoever parses them does that.
    """
    end = len(text) if stop is None else stop
    if not bytes(text[start:end][:64]).lstrip().startswith(b"{"):
        raise UnclosedJson
    before: tuple[str, int] | None = None
    for key, key_start, value_start in _keys(text, start, end):
        if before is not None:
            yield Member(*before, key_start)
        before = (key, value_start)


def _keys(text: Text, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Yield each key, where it starts and where its value starts; last, an empty one at the closing bracket."""
    value_start = string_start = -1
    closed = False
    for position, char, depth in _shallow(text, start, end):
        if closed or (depth == 0 and char != _END):
            raise UnclosedJson
        if depth == 0:
            closed = True
            yield "", position, position
        elif char == _QUOTE and string_start < 0:
            string_start = position
        elif char == _QUOTE:
            if value_start < 0 or not _is_blank(text, value_start, string_start):
                key, value_start = _key(text, string_start, position + 1, end)
                yield key, string_start, value_start
            string_start = -1
    if not closed:
        raise UnclosedJson


def _is_blank(text: Text, start: int, stop: int) -> bool:
    """Tell whether nothing but white space lies between two places; a string right behind a colon is a value."""
    if bytes(text[start : min(start + 64, stop)]).strip():
        return False
    return not bytes(text[start:stop]).strip()


def _key(text: Text, start: int, stop: int, end: int) -> tuple[str, int]:
    """Return the key that lies in ``text[start:stop]`` and the place behind its colon."""
    gap = bytes(text[stop : min(stop + 64, end)])
    colon = gap.find(b":")
    if colon < 0 or gap[:colon].strip():
        raise UnclosedJson
    try:
        return str(orjson.loads(bytes(text[start:stop]))), stop + colon + 1
    except orjson.JSONDecodeError as error:
        raise UnclosedJson from error


def _shallow(text: Text, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Yield position, byte and depth after it, of brackets that leave depth at most 1, and quotes at depth 1."""
    state = _State()
    for at in range(start, stop, CHUNK_BYTES):
        chunk = np.frombuffer(text, dtype=np.uint8, count=min(CHUNK_BYTES, stop - at), offset=at)
        positions, chars, depths = _events(chunk, state)
        keep = depths <= 1
        yield from zip((positions[keep] + at).tolist(), chars[keep].tolist(), depths[keep].tolist(), strict=True)
        if len(depths) and int(depths.min()) < 0:
            raise UnclosedJson
    if state.in_string or state.depth:
        raise UnclosedJson


def _events(chunk: NDArray[np.uint8], state: _State) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64]]:
    """Return the brackets and quotes outside strings of a chunk, and move the state past it."""
    positions = np.flatnonzero(_MARKS[chunk])
    chars = chunk[positions]
    quotes = chars == _QUOTE
    real = _unescaped(chunk, positions, quotes, state)
    positions, chars, quotes = positions[real], chars[real], quotes[real]
    # A quote that ends a string counts as outside, like the one that starts it.
    inside = (np.cumsum(quotes) - quotes + state.in_string) % 2 == 1
    outside = ~inside | quotes
    state.in_string = bool((int(quotes.sum()) + state.in_string) % 2)
    positions, chars = positions[outside], chars[outside]
    depths = state.depth + np.cumsum(_STEP[chars], dtype=np.int64)
    if len(depths):
        state.depth = int(depths[-1])
    return positions, chars, depths


def _unescaped(
    chunk: NDArray[np.uint8], positions: NDArray[np.int64], quotes: NDArray[np.bool_], state: _State
) -> NDArray[np.bool_]:
    """Tell which marks are not quotes behind an odd number of backslashes; remember a run that ends the chunk."""
    real = np.ones(len(positions), dtype=bool)
    backslashes = np.flatnonzero(chunk == _BACKSLASH)
    carried = state.escaped
    state.escaped = False
    if not len(backslashes) and not carried:
        return real
    # Length of the run of backslashes that ends at each backslash.
    new_run = np.concatenate(([True], np.diff(backslashes) != 1)) if len(backslashes) else np.empty(0, dtype=bool)
    run_start = backslashes[np.maximum.accumulate(np.where(new_run, np.arange(len(backslashes)), 0))]
    length = backslashes - run_start + 1
    if carried:
        length = length + (run_start == 0)
    odd = backslashes[length % 2 == 1]
    escaped = np.zeros(len(chunk) + 1, dtype=bool)
    escaped[odd + 1] = True
    if carried and (not len(backslashes) or backslashes[0] != 0):
        escaped[0] = True
    state.escaped = bool(escaped[len(chunk)])
    real[quotes & escaped[positions]] = False
    return real
