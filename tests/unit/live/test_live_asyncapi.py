"""Every frame that the protocol produces or accepts is as the AsyncAPI document says."""

from __future__ import annotations

import os
from pathlib import Path

import jsonschema_rs
import orjson
import pytest

from cim.errors import CimError
from cim.live.asyncapi import CLIENT_FRAMES, SERVER_FRAMES, asyncapi_document, frame_schema
from cim.live.frames import cloud_event
from cim.live.limits import LiveLimits
from cim.live.protocol import Board, ClientSession
from cim.live.requests import read_request
from cim.live.topic import Change, TopicKind
from tests.support.live_server import facts, observation

AT = "2026-11-22T12:00:00.000Z"
SERVER = jsonschema_rs.validator_for(frame_schema(SERVER_FRAMES), validate_formats=True)
CLIENT = jsonschema_rs.validator_for(frame_schema(CLIENT_FRAMES), validate_formats=True)


def conversation() -> list[dict]:
    """Return a conversation in which the server says everything it can say."""
    board = Board("e1", LiveLimits(heartbeat_s=5.0))
    topic = board.open("observations")
    topic.describe(facts(4))
    topic.publish([observation(i, float(i)) for i in range(4)], AT)
    tiles = board.open("tiles", TopicKind.EVENTS)
    board.open("passing")
    session = ClientSession(board, 0.0)
    heard: list[dict] = []

    def turn(now_s: float, *frames: dict) -> None:
        for frame in frames:
            session.receive(orjson.dumps(frame), now_s, AT)
        heard.extend(orjson.loads(frame.text) for frame in session.take(now_s, lambda: AT))

    turn(0.0, {"op": "subscribe", "topic": "observations", "max_rate_hz": 50}, {"op": "subscribe", "topic": "tiles"})
    turn(0.0, {"op": "subscribe", "topic": "passing"}, {"op": "ping"}, {"op": "fly"})
    turn(0.0, {"op": "subscribe", "topic": "nowhere"}, {"op": "subscribe", "topic": "passing", "filter": {"bbox": 1}})
    topic.publish([observation(0, 9.0)], AT)
    event = cloud_event(source="/live/tiles", sequence="e1/1", kind="t", subject="base", at=AT, payload={"a": 1})
    tiles.publish([Change("base", b'{"id":"base"}', event=event)], AT)
    board.close("passing")
    turn(1.0)
    turn(1.0, {"op": "subscribe", "topic": "observations", "since": {"epoch": "e1", "offset": 1}})
    turn(9.0)
    session.stop()
    turn(9.0)
    return heard


def test_every_kind_of_server_frame_is_said_and_as_described():
    heard = conversation()
    assert {frame["op"] for frame in heard} == {name.lower() for name in SERVER_FRAMES}
    for frame in heard:
        assert SERVER.is_valid(frame), (frame, [str(e) for e in SERVER.iter_errors(frame)])


def test_the_description_refuses_what_is_not_a_frame():
    for frame in conversation():
        assert not SERVER.is_valid(frame | {"extra": 1})
        assert not SERVER.is_valid({**frame, "op": "boom"})


def test_observations_are_as_described():
    schema = {
        "$ref": "#/components/schemas/Observation",
        "components": {"schemas": frame_schema(SERVER_FRAMES)["components"]["schemas"]},
    }
    item = jsonschema_rs.validator_for(schema, validate_formats=True)
    assert item.is_valid(orjson.loads(observation(0, 1.5).json))
    assert not item.is_valid({"id": "a", "t": AT, "v": 1.0, "q": "fine"})


@pytest.mark.parametrize(
    "frame",
    [
        {"op": "ping"},
        {"op": "unsubscribe", "topic": "observations"},
        {"op": "subscribe", "topic": "observations"},
        {
            "op": "subscribe",
            "topic": "observations",
            "filter": {"bbox": [24, 60, 25, 61], "datastreams": ["a"], "observed_property": ["flow"]},
            "since": {"epoch": "e", "offset": 3},
            "max_rate_hz": 2.5,
        },
        {"op": "subscribe", "topic": ""},
        {"op": "subscribe", "topic": "t", "max_rate_hz": 0},
        {"op": "subscribe", "topic": "t", "filter": {"near": 1}},
        {"op": "subscribe", "topic": "t", "since": {"epoch": "e", "offset": -1}},
        {"op": "ping", "id": 1},
        {"op": "fly"},
    ],
)
def test_the_reader_accepts_what_the_description_accepts(frame):
    try:
        read_request(orjson.dumps(frame), LiveLimits())
    except CimError:
        accepted = False
    else:
        accepted = True
    assert accepted == CLIENT.is_valid(frame)


def test_every_reference_of_the_document_leads_somewhere():
    document = asyncapi_document()

    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [r for value in node.values() for r in references(value)]
        return [r for value in node for r in references(value)] if isinstance(node, list) else []

    found = references(document)
    assert len(found) > 20
    for reference in found:
        node = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_the_document_in_docs_is_the_one_that_is_served():
    kept = Path(__file__).parents[3] / "docs" / "asyncapi.json"
    fresh = orjson.dumps(asyncapi_document(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if os.environ.get("CIM_BLESS"):
        kept.write_bytes(fresh)
    assert kept.read_bytes() == fresh, "the protocol changed: run this test with CIM_BLESS=1 and look at the difference"
