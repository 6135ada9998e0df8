"""The server's frames as JSON text.

Items come as JSON already: an item is encoded once, when it changes, and joined into as many
frames as there are filters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import orjson


class Frame(NamedTuple):
    """One frame to send; ``topic`` and ``offset`` say where the client stands once it has it."""

    text: str
    topic: str | None = None
    offset: int | None = None


def _head(op: str, **members: object) -> bytes:
    """Return the JSON of a frame's short members, left open for its items."""
    return orjson.dumps({"op": op, **members})[:-1]


def _with_items(head: bytes, name: bytes, items: Iterable[bytes]) -> str:
    return b"".join((head, b',"', name, b'":[', b",".join(items), b"]}")).decode("utf-8")


def snapshot_frame(topic: str, epoch: str, offset: int, items: Iterable[bytes]) -> Frame:
    """Return the whole state of a topic (what the filter lets through) as of ``offset``."""
    return Frame(
        _with_items(_head("snapshot", topic=topic, epoch=epoch, offset=offset), b"state", items), topic, offset
    )


def delta_frame(topic: str, since: int, offset: int, items: Iterable[bytes], at: str | None) -> Frame:
    """Return what changed after offset ``since`` up to ``offset``.

    ``from`` lets a client tell a backlog that was collapsed, or a filter that let nothing through,
    from a frame that was lost.  ``at`` is when it was published; a resumed delta has none.
    """
    head = {"topic": topic, "from": since, "offset": offset}
    if at is not None:
        head["at"] = at
    return Frame(_with_items(_head("delta", **head), b"changes", items), topic, offset)


def event_frame(topic: str, offset: int, event: bytes) -> Frame:
    """Return one event, a CloudEvents 1.0 object in JSON."""
    head = _head("event", topic=topic, offset=offset)
    return Frame(b"".join((head, b',"event":', event, b"}")).decode("utf-8"), topic, offset)


def reset_frame(reason: str, topic: str | None = None) -> Frame:
    """Tell the client to forget what it has, of one topic or of all."""
    members = {"reason": reason} if topic is None else {"topic": topic, "reason": reason}
    return Frame(orjson.dumps({"op": "reset", **members}).decode("utf-8"))


def error_frame(
    code: str, detail: str, *, topic: str | None = None, hint: str = "", params: Mapping[str, object] | None = None
) -> Frame:
    """Say that a frame of the client was not accepted; the connection goes on."""
    members: dict[str, object] = {"op": "error", "code": code, "detail": detail}
    if topic is not None:
        members["topic"] = topic
    if hint:
        members["hint"] = hint
    if params:
        members["params"] = dict(params)
    return Frame(orjson.dumps(members).decode("utf-8"))


def heartbeat_frame(at: str) -> Frame:
    """Say that nothing happened."""
    return Frame(f'{{"op":"heartbeat","at":"{at}"}}')


def pong_frame(at: str) -> Frame:
    """Answer a ping."""
    return Frame(f'{{"op":"pong","at":"{at}"}}')


def cloud_event(
    *, source: str, sequence: str, kind: str, subject: str, at: str, payload: Mapping[str, object]
) -> bytes:
    """Return a CloudEvents 1.0 object as JSON; ``sequence`` makes its id unique in ``source``."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": sequence,
            "source": source,
            "type": kind,
            "subject": subject,
            "time": at,
            "datacontenttype": "application/json",
            "data": payload,
        }
    )
