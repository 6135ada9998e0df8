"""What a client may say, read strictly (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

import orjson

from cim.errors import InvalidInput, LimitExceeded
from cim.live.filter import EVERYTHING, Filter, read_filter
from cim.live.limits import LiveLimits

OFFSET_MAX = 2**53 - 1
"""JSON numbers beyond this are not exact in a browser."""

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
_MEMBERS = {
    "subscribe": frozenset({"op", "topic", "filter", "since", "max_rate_hz"}),
    "unsubscribe": frozenset({"op", "topic"}),
    "ping": frozenset({"op"}),
}


@dataclass(frozen=True, slots=True)
class Position:
    """How far a client came, in which run of the server."""

    epoch: str
    offset: int


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Begin a topic, resume it, or change its filter; a topic is subscribed once per client."""

    topic: str
    filter: Filter = EVERYTHING
    since: Position | None = None
    interval_s: float = 0.0
    """Least time between two deltas, from ``max_rate_hz``; 0 = as they come."""
    token: str = ""
    """What the client shows to be let in, from the filter's ``token``; no part of what it wants."""


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """End a topic."""

    topic: str


@dataclass(frozen=True, slots=True)
class Ping:
    """Ask for a pong."""


Request: TypeAlias = Subscribe | Unsubscribe | Ping


class FrameTooLarge(LimitExceeded):
    """The frame is over ``frame_bytes_max``; the connection ends."""


class RequestRefused(InvalidInput):
    """The frame is not of the protocol; ``topic`` is the one it named, where it named one."""

    def __init__(self, message: str, *, code: str, topic: str | None = None, **params: str | float) -> None:
        super().__init__(message, hint="", code=code, **params)
        self.topic = topic


def read_request(text: str | bytes, limits: LiveLimits) -> Request:
    """Read one client frame.

    Raises :class:`FrameTooLarge`, :class:`RequestRefused`, or the errors of the filter.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(raw) > limits.frame_bytes_max:
        raise FrameTooLarge(
            f"A frame may have {limits.frame_bytes_max} bytes.", limit="frame_bytes_max", value=limits.frame_bytes_max
        )
    if nesting_depth(raw) > limits.nesting_max:
        raise RequestRefused("The frame is nested too deeply.", code="live-nesting", nesting_max=limits.nesting_max)
    try:
        said = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise RequestRefused("The frame is not JSON.", code="live-json") from None
    if not isinstance(said, dict):
        raise RequestRefused("A frame is a JSON object.", code="live-json")
    op = said.get("op")
    allowed = _MEMBERS.get(op) if isinstance(op, str) else None
    if allowed is None:
        raise RequestRefused("The server does not know this op.", code="unknown-op")
    unknown = set(said) - allowed
    if unknown:
        raise RequestRefused(
            "The frame has a member that this op does not have.", code="live-member", member=min(unknown)[:40]
        )
    if op == "ping":
        return Ping()
    topic = said.get("topic")
    if not isinstance(topic, str) or not 0 < len(topic) <= limits.text_length_max:
        raise RequestRefused("The frame names no topic.", code="live-topic")
    if op == "unsubscribe":
        return Unsubscribe(topic)
    wanted, token = _take_token(said.get("filter"), topic, limits)
    return Subscribe(
        topic,
        read_filter(wanted, limits),
        _read_since(said.get("since"), topic, limits),
        interval_of(said.get("max_rate_hz"), topic, limits),
        token,
    )


def _take_token(raw: object, topic: str, limits: LiveLimits) -> tuple[object, str]:
    """Return the filter without its token, and the token: two clients' filters are the same without it."""
    if not isinstance(raw, dict) or "token" not in raw:
        return raw, ""
    token = raw["token"]
    if not isinstance(token, str) or len(token) > limits.text_length_max:
        raise RequestRefused("The token is a text.", code="live-filter", topic=topic, member="token")
    return {name: value for name, value in raw.items() if name != "token"} or None, token


def nesting_depth(raw: bytes) -> int:
    """Return how deep brackets nest outside strings."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", raw)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _read_since(raw: object, topic: str, limits: LiveLimits) -> Position | None:
    if raw is None:
        return None
    if isinstance(raw, dict) and set(raw) == {"epoch", "offset"}:
        epoch, offset = raw["epoch"], raw["offset"]
        is_offset = isinstance(offset, int) and not isinstance(offset, bool) and 0 <= offset <= OFFSET_MAX
        if isinstance(epoch, str) and 0 < len(epoch) <= limits.text_length_max and is_offset:
            return Position(epoch, offset)
    raise RequestRefused("`since` is an epoch and an offset.", code="live-since", topic=topic)


def interval_of(max_rate_hz: object, topic: str, limits: LiveLimits) -> float:
    """Return the least time between two deltas, in seconds, for a rate in hertz."""
    if max_rate_hz is None:
        return 0.0
    is_number = isinstance(max_rate_hz, int | float) and not isinstance(max_rate_hz, bool)
    if isinstance(max_rate_hz, int | float) and is_number and limits.rate_hz_min <= max_rate_hz <= limits.rate_hz_max:
        return 1.0 / float(max_rate_hz)
    raise RequestRefused(
        "`max_rate_hz` is out of range.",
        code="live-rate",
        topic=topic,
        rate_hz_min=limits.rate_hz_min,
        rate_hz_max=limits.rate_hz_max,
    )
