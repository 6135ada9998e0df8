"""Members that a CityJSON object has twice: a parser keeps the last one and says nothing; pure.

Counting comes first: a text has a colon for each member, and those in its strings.  What was parsed is written again,
and has as many where nothing was dropped; that costs a fraction of walking through it.  Only where the counts differ
is the text parsed again with an eye on each pair.
"""

from __future__ import annotations

import json
from typing import Any, Final

import orjson

_COLON: Final = b":"
_COLON_IN_DISGUISE: Final = b"\\u003"
"""How an escaped colon begins: it would be counted in what is written again only."""


class _TwiceError(ValueError):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def member_twice(text: bytes, value: Any) -> str | None:
    """Return a key that an object in ``text`` has twice, ``None`` for none; ``value`` is what was parsed of it."""
    if _all_kept(text, value):
        return None
    try:
        json.loads(text, object_pairs_hook=_pairs)
    except _TwiceError as error:
        return error.key
    except (ValueError, RecursionError):
        # Not for this function to judge: what is nested as deep is refused elsewhere.
        return None
    return None


def _all_kept(text: bytes, value: Any) -> bool:
    """Return whether it is certain that nothing was dropped: members and strings can only become fewer."""
    if b"\\" in text and _COLON_IN_DISGUISE in text:
        return False
    try:
        return text.count(_COLON) == orjson.dumps(_without_numbers(value)).count(_COLON)
    except orjson.JSONEncodeError:
        # It reads deeper than it writes.
        return False


def _without_numbers(value: Any) -> Any:
    """Return a feature or an object without its lists of numbers, which are most of the text and hold no colon."""
    if not isinstance(value, dict):
        return value
    light = _without_boundaries(value)
    if "vertices" in light:
        light = {**light, "vertices": 0}
    appearance = light.get("appearance")
    if isinstance(appearance, dict) and "vertices-texture" in appearance:
        light = {**light, "appearance": {**appearance, "vertices-texture": 0}}
    objects = light.get("CityObjects")
    if isinstance(objects, dict):
        light = {**light, "CityObjects": {key: _without_boundaries(body) for key, body in objects.items()}}
    return light


def _without_boundaries(body: Any) -> Any:
    geometry = body.get("geometry") if isinstance(body, dict) else None
    if not isinstance(geometry, list):
        return body
    return {**body, "geometry": [_without_indices(shape) for shape in geometry]}


def _without_indices(shape: Any) -> Any:
    if not isinstance(shape, dict) or "boundaries" not in shape:
        return shape
    light = {**shape, "boundaries": 0}
    texture = light.get("texture")
    if isinstance(texture, dict):
        light["texture"] = {
            theme: {**one, "values": 0} if isinstance(one, dict) and "values" in one else one
            for theme, one in texture.items()
        }
    return light


def _pairs(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _TwiceError(key)
        seen.add(key)
