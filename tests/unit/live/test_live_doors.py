"""Topics that are opened when somebody asks, for those who may follow them."""

from __future__ import annotations

import orjson
import pytest

from cim.errors import NotFound
from cim.live.hub import LiveHub
from cim.live.limits import LiveLimits
from cim.live.protocol import Board, ClientSession
from cim.live.requests import Position, RequestRefused, Subscribe, read_request
from cim.live.topic import Change


def board() -> Board:
    made = Board("e1")

    def door(topic: str, token: str) -> str | None:
        key = topic if token == "sesame" else f"{topic}#public"
        if topic == "rooms/closed" and token != "sesame":
            return None
        made.open(key, name=topic)
        return key

    made.add_door("rooms/", door)
    made.open("jobs")
    return made


def session(on: Board, topic: str, token: str = "") -> ClientSession:
    client = ClientSession(on, 0.0)
    client.subscribe(Subscribe(topic, token=token))
    return client


def told(client: ClientSession) -> list[dict[str, object]]:
    return [orjson.loads(frame.text) for frame in client.take(0.0, lambda: "now")]


def test_two_faces_of_a_topic_have_one_name_and_two_contents() -> None:
    on = board()
    inside, outside = session(on, "rooms/a", "sesame"), session(on, "rooms/a")
    on.topic("rooms/a").publish([Change("x", b'{"id":"x"}')], "now")
    (first,), (second,) = told(inside), told(outside)
    assert first["topic"] == second["topic"] == "rooms/a"
    assert (first["state"], second["state"]) == ([{"id": "x"}], [])
    assert inside.follows("rooms/a")
    assert not outside.follows("rooms/a")
    assert outside.follows("rooms/a#public")


def test_a_door_that_stays_shut_looks_like_no_topic() -> None:
    on = board()
    with pytest.raises(NotFound) as shut:
        session(on, "rooms/closed", "knock")
    assert shut.value.problem_code == "unknown-topic"
    assert told(session(on, "rooms/closed", "sesame"))[0]["op"] == "snapshot"


def test_closing_one_face_leaves_the_other() -> None:
    on = board()
    inside, outside = session(on, "rooms/a", "sesame"), session(on, "rooms/a")
    told(inside), told(outside)
    on.close("rooms/a#public")
    assert told(outside) == [{"op": "reset", "topic": "rooms/a", "reason": "topic-closed"}]
    assert told(inside) == []
    assert inside.topics == {"rooms/a"}


def test_a_token_is_no_part_of_the_filter() -> None:
    frame = {"op": "subscribe", "topic": "observations", "filter": {"token": "t", "bbox": [0, 0, 1, 1]}}
    plain = {"op": "subscribe", "topic": "observations", "filter": {"bbox": [0, 0, 1, 1]}}
    with_token, without = (read_request(orjson.dumps(f), LiveLimits()) for f in (frame, plain))
    assert isinstance(with_token, Subscribe)
    assert isinstance(without, Subscribe)
    assert with_token.filter == without.filter
    assert (with_token.token, without.token) == ("t", "")
    alone = read_request(orjson.dumps({**frame, "filter": {"token": "t"}}), LiveLimits())
    assert isinstance(alone, Subscribe)
    assert alone.filter.lets_all_through
    for bad in (7, None, "x" * 300, ["t"]):
        with pytest.raises(RequestRefused):
            read_request(orjson.dumps({**frame, "filter": {"token": bad}}), LiveLimits())


def test_a_topic_that_comes_back_is_told_whole() -> None:
    on = board()
    on.open("rooms/a").publish([Change("x", b'{"id":"x","n":1}')], "now")
    on.close("rooms/a")
    again = on.open("rooms/a")
    for n in (2, 3):
        again.publish([Change("y", b'{"id":"y"}')], f"at {n}")
    for since in range(4):
        client = ClientSession(on, 0.0)
        client.subscribe(Subscribe("rooms/a", since=Position("e1", since), token="sesame"))
        (frame,) = told(client)
        # Offsets 0 and 1 are of its former life: what was there then says nothing of now.
        assert frame["op"] == ("snapshot" if since <= 1 else "delta"), since


async def test_topics_that_nobody_follows_are_let_go() -> None:
    hub = LiveHub("e1")
    hub.add_door("rooms/", lambda topic, _token: hub.open_topic(topic) or topic)
    hub.open_topic("jobs")
    client = hub.attach()
    client.session.subscribe(Subscribe("rooms/a"))
    hub.open_topic("rooms/b")
    hub.close_unfollowed("rooms/")
    assert hub.board.keys("") == ["jobs", "rooms/a"]
    hub.detach(client)
    hub.close_unfollowed("rooms/")
    assert hub.board.keys("") == ["jobs"]
