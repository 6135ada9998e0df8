"""The AsyncAPI 3.0 description of ``cim.v1+json`` (pure); tests hold every frame against it."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from cim.live.limits import SUBPROTOCOL, LiveLimits

Schema: TypeAlias = dict[str, Any]

_LIMITS: Final = LiveLimits()
_TEXT: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": _LIMITS.text_length_max}
_OFFSET: Final[Schema] = {"type": "integer", "minimum": 0, "description": "Number of the topic's last publication."}
_INSTANT: Final[Schema] = {"type": "string", "format": "date-time"}
_ITEM: Final[Schema] = {"$ref": "#/components/schemas/Item"}


def _object(op: str | None, required: Schema, optional: Schema | None = None, description: str = "") -> Schema:
    members: Schema = {} if op is None else {"op": {"const": op}}
    members |= required
    return {
        "type": "object",
        "description": description,
        "properties": members | (optional or {}),
        "required": list(members),
        "additionalProperties": False,
    }


def _items() -> Schema:
    observation = _object(
        None,
        {
            "id": {"type": "string", "description": "Datastream."},
            "t": _INSTANT | {"description": "Phenomenon time, UTC."},
            "v": {"type": "number", "description": "Result in the datastream's unit."},
            "q": {"enum": ["ok", "limit_min", "limit_max"], "description": "Whether a limit is crossed."},
        },
        description="An item of topic `observations`.",
    )
    item = {
        "type": "object",
        "description": "A subject's latest item; `removed: true` takes it out of the state.",
        "properties": {"id": {"type": "string"}, "removed": {"type": "boolean"}},
        "required": ["id"],
    }
    return {"Observation": observation, "Item": item}


def _client_frames() -> Schema:
    position = _object(None, {"epoch": _TEXT, "offset": _OFFSET}, description="Where the client was.")
    number: Schema = {"type": "number"}
    filters = _object(
        None,
        {},
        {
            "bbox": {"type": "array", "items": number, "minItems": 4, "maxItems": 4, "description": "Degrees, WGS 84."},
            "datastreams": {"type": "array", "items": _TEXT, "maxItems": _LIMITS.filter_datastreams_max},
            "observed_property": {"type": "array", "items": _TEXT, "maxItems": _LIMITS.filter_properties_max},
            "token": {
                "type": "string",
                "maxLength": _LIMITS.text_length_max,
                "description": "The planner token: lets drafts of `schemes/{id}` be followed.",
            },
        },
        "Members are combined by and; only `observations` is filtered.",
    )
    rate = {"type": "number", "minimum": _LIMITS.rate_hz_min, "maximum": _LIMITS.rate_hz_max}
    return {
        "Position": position,
        "Filter": filters,
        "Subscribe": _object(
            "subscribe",
            {"topic": _TEXT},
            {
                "filter": {"$ref": "#/components/schemas/Filter"},
                "since": {"$ref": "#/components/schemas/Position"},
                "max_rate_hz": rate,
            },
            "Begin a topic, resume it from `since`, or change its filter.",
        ),
        "Unsubscribe": _object("unsubscribe", {"topic": _TEXT}, description="End a topic."),
        "Ping": _object("ping", {}, description="Ask for a pong."),
    }


def _server_frames() -> Schema:
    event = {
        "type": "object",
        "description": "CloudEvents 1.0.",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": _TEXT,
            "source": _TEXT,
            "type": _TEXT,
            "subject": _TEXT,
            "time": _INSTANT,
            "datacontenttype": {"const": "application/json"},
            "data": {"type": "object"},
        },
        "required": ["specversion", "id", "source", "type"],
    }
    since = _OFFSET | {"description": "The offset that this delta follows; it may jump where a backlog was collapsed."}
    return {
        "CloudEvent": event,
        "Snapshot": _object(
            "snapshot",
            {"topic": _TEXT, "epoch": _TEXT, "offset": _OFFSET, "state": {"type": "array", "items": _ITEM}},
            description="The whole state; it replaces what the client had. An epoch is one run of the server.",
        ),
        "Delta": _object(
            "delta",
            {"topic": _TEXT, "from": since, "offset": _OFFSET, "changes": {"type": "array", "items": _ITEM}},
            {"at": _INSTANT},
            "What changed after `from` up to `offset`.",
        ),
        "Event": _object(
            "event",
            {"topic": _TEXT, "offset": _OFFSET, "event": {"$ref": "#/components/schemas/CloudEvent"}},
            description="Something that happened.",
        ),
        "Reset": _object("reset", {"reason": _TEXT}, {"topic": _TEXT}, "Forget the topic, or all where none is named."),
        "Error": _object(
            "error",
            {"code": _TEXT, "detail": {"type": "string"}},
            {"topic": {"type": "string"}, "hint": {"type": "string"}, "params": {"type": "object"}},
            "A frame of the client was not accepted; the connection goes on.",
        ),
        "Heartbeat": _object("heartbeat", {"at": _INSTANT}, description="Nothing happened for a while."),
        "Pong": _object("pong", {"at": _INSTANT}, description="Answer to a ping."),
    }


CLIENT_FRAMES: Final = ("Subscribe", "Unsubscribe", "Ping")
SERVER_FRAMES: Final = ("Snapshot", "Delta", "Event", "Reset", "Error", "Heartbeat", "Pong")


def frame_schema(names: tuple[str, ...]) -> Schema:
    """Return a stand-alone JSON schema (2020-12) that accepts exactly the frames named."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in names],
        "components": {"schemas": _schemas()},
    }


def _schemas() -> Schema:
    return {**_items(), **_client_frames(), **_server_frames()}


def asyncapi_document() -> Schema:
    """Return the AsyncAPI document."""
    names = (*CLIENT_FRAMES, *SERVER_FRAMES)
    channel = "#/channels/live"

    def operation(action: str, frames: tuple[str, ...], summary: str) -> Schema:
        return {
            "action": action,
            "channel": {"$ref": channel},
            "summary": summary,
            "messages": [{"$ref": f"{channel}/messages/{name}"} for name in frames],
        }

    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "City Information Model, live",
            "version": "1.0.0",
            "description": (
                f"JSON text frames, WebSocket subprotocol {SUBPROTOCOL}. A topic is a snapshot followed by deltas with"
                " ascending offsets; a client that comes back names its epoch and offset and gets exactly what it"
                " missed, or a fresh snapshot. Topics: observations, jobs, tiles, schemes/{id}. /live/sse sends the"
                " same frames as server-sent events."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "live": {
                "address": "/live",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
            }
        },
        "operations": {
            "hear": operation("receive", CLIENT_FRAMES, "What a client may send."),
            "tell": operation("send", SERVER_FRAMES, "What the server sends."),
        },
        "components": {
            "messages": {name: {"payload": {"$ref": f"#/components/schemas/{name}"}} for name in names},
            "schemas": _schemas(),
        },
    }
