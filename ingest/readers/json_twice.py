"""Members that a JSON object has twice: a parser keeps the last one and says nothing; pure.

Counting comes first: each member of a parsed value stands in the text as a quote and a colon, so that equal counts
mean that nothing was dropped.  Only where they differ is the text parsed again with an eye on each pair.
"""

from __future__ import annotations

import json
from typing import Any, Final

_NUMBERS_ONLY: Final = frozenset({"boundaries", "vertices", "values", "transformationMatrix"})
"""Members of CityJSON that hold no objects."""

_GAPS: Final = (b" :", b"\t:", b"\n:", b"\r:")
"""White space before a colon, which the count would pass over."""

_NESTS: Final = frozenset({dict, list})


class _TwiceError(ValueError):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def member_twice(text: bytes, value: Any) -> str | None:
    """Return a key that an object in ``text`` has twice, ``None`` for none; ``value`` is what was parsed of it."""
    if text.count(b'":') == count_members(value) and not any(gap in text for gap in _GAPS):
        return None
    try:
        json.loads(text, object_pairs_hook=_pairs)
    except _TwiceError as error:
        return error.key
    except (ValueError, RecursionError):
        # Not for this function to judge: what is nested as deep is refused elsewhere.
        return None
    return None


def count_members(value: Any) -> int:
    """Return how many members all objects in a value have, but for those inside lists of numbers."""
    count = 0
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            count += len(one)
            if not _NESTS.isdisjoint(map(type, one.values())):
                waiting.extend(v for k, v in one.items() if type(v) in _NESTS and k not in _NUMBERS_ONLY)
        elif isinstance(one, list):
            waiting.extend(inner for inner in one if type(inner) in _NESTS)
    return count


def _pairs(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _TwiceError(key)
        seen.add(key)
