from __future__ import annotations

import orjson
import pytest

from cim.live.filter import SubjectFacts
from cim.live.limits import CloseCode, LiveLimits
from cim.live.protocol import Board, ClientSession
from cim.live.requests import read_request
from cim.live.topic import Change, TopicKind

AT = "2026-11-22T12:00:00.000Z"


class Talk:
    """A session with a clock of its own."""

    def __init__(self, **limits: float) -> None:
        self.board = Board("e1", LiveLimits(**limits))  # type: ignore[arg-type]
        self.topic = self.board.open("observations")
        self.topic.describe({"a": SubjectFacts(24.9, 60.1, "flow"), "b": SubjectFacts(24.9, 60.1, "voltage")})
        self.board.open("jobs")
        self.board.open("tiles", TopicKind.EVENTS)
        self.now_s = 100.0
        self.session = ClientSession(self.board, self.now_s)

    def say(self, **frame: object) -> Talk:
        self.session.receive(orjson.dumps(frame), self.now_s, AT)
        return self

    def put(self, **values: float) -> Talk:
        self.topic.publish([Change(k, orjson.dumps({"id": k, "v": v})) for k, v in values.items()], AT)
        return self

    def hear(self, after_s: float = 0.0) -> list[dict]:
        self.now_s += after_s
        return [orjson.loads(frame.text) for frame in self.session.take(self.now_s, lambda: AT)]


def test_a_topic_is_subscribed_once_and_the_last_filter_counts():
    talk = Talk().put(a=1, b=1).say(op="subscribe", topic="observations")
    talk.say(op="subscribe", topic="observations", filter={"observed_property": ["flow"]})
    (frame,) = talk.hear()
    assert [item["id"] for item in frame["state"]] == ["a"]
    assert talk.put(a=2, b=2).hear()[0]["changes"] == [{"id": "a", "v": 2}]


def test_unsubscribed_is_silent():
    talk = Talk().say(op="subscribe", topic="observations")
    talk.hear()
    assert talk.put(a=1).say(op="unsubscribe", topic="observations").hear() == []


def test_what_the_filter_holds_back_never_shows_as_a_gap():
    talk = Talk().say(op="subscribe", topic="observations", filter={"observed_property": ["flow"]})
    talk.hear()
    for value in range(5):
        assert talk.put(b=value).hear() == []
    (frame,) = talk.put(a=1).hear()
    assert (frame["from"], frame["offset"]) == (0, 6)
    (frame,) = talk.put(a=2).hear()
    assert (frame["from"], frame["offset"]) == (6, 7)


def test_a_filter_that_holds_back_longer_than_the_ring_needs_no_snapshot():
    talk = Talk(ring_deltas_max=3).say(op="subscribe", topic="observations", filter={"observed_property": ["flow"]})
    talk.hear()
    for value in range(10):
        assert talk.put(b=value).hear() == []
    (frame,) = talk.put(a=1).hear()
    assert (frame["op"], frame["from"], frame["offset"]) == ("delta", 0, 11)


def test_a_client_behind_the_ring_gets_the_state():
    talk = Talk(ring_deltas_max=3).say(op="subscribe", topic="observations")
    talk.hear()
    for value in range(4):
        talk.put(a=value)
    (frame,) = talk.hear()
    assert (frame["op"], frame["offset"], frame["state"]) == ("snapshot", 4, [{"id": "a", "v": 3}])


def test_a_client_that_was_slow_gets_the_latest_of_each():
    talk = Talk().say(op="subscribe", topic="observations")
    talk.hear()
    for value in range(10):
        talk.put(a=value)
    talk.put(b=1)
    (frame,) = talk.hear()
    assert (frame["from"], frame["offset"]) == (0, 11)
    assert frame["changes"] == [{"id": "a", "v": 9}, {"id": "b", "v": 1}]


def test_rate_is_a_least_time_between_deltas():
    talk = Talk().say(op="subscribe", topic="observations", max_rate_hz=2)
    talk.hear()
    talk.put(a=1)
    assert talk.hear(0.4) == []
    assert talk.session.held_back_until_s == pytest.approx(100.5)
    talk.put(a=2)
    assert [c["v"] for c in talk.hear(0.1)[0]["changes"]] == [2]
    assert talk.put(a=3).hear(0.1) == []


def test_silence_is_filled_only_where_there_is_silence():
    talk = Talk(heartbeat_s=5.0).say(op="subscribe", topic="observations")
    talk.hear()
    assert talk.session.heartbeat_due_s == 105.0
    assert talk.put(a=1).hear(4.9)[0]["op"] == "delta"
    assert talk.hear(4.9) == []
    assert talk.hear(0.2) == [{"op": "heartbeat", "at": AT}]


def test_limits_of_subscriptions_and_topics():
    talk = Talk(subscriptions_max=1).say(op="subscribe", topic="observations").say(op="subscribe", topic="jobs")
    assert talk.hear()[0] | {"detail": "", "hint": ""} == {
        "op": "error",
        "code": "limit-exceeded",
        "detail": "",
        "hint": "",
        "topic": "jobs",
        "params": {"limit": "subscriptions_max", "value": 1},
    }
    assert Talk().say(op="subscribe", topic="sessions/42").hear()[0]["code"] == "unknown-topic"
    assert Talk().say(op="subscribe", topic="jobs", filter={"datastreams": ["a"]}).hear()[0]["code"] == "live-filter"


def test_a_topic_that_is_closed_is_reset():
    talk = Talk().say(op="subscribe", topic="jobs")
    talk.hear()
    talk.board.close("jobs")
    assert talk.hear() == [{"op": "reset", "topic": "jobs", "reason": "topic-closed"}]
    assert talk.hear() == []


def test_a_chatterer_is_stopped_and_time_forgives():
    talk = Talk(frames_burst_max=5, frames_per_s_max=2.0)
    for _ in range(5):
        talk.say(op="ping")
    talk.now_s += 1.0
    talk.say(op="ping").say(op="ping")
    assert talk.session.closing is None
    talk.say(op="ping")
    assert talk.session.closing is CloseCode.REFUSED
    assert [frame["op"] for frame in talk.hear()] == ["pong"] * 7 + ["error"]


def test_answers_that_nobody_reads_are_bounded():
    talk = Talk(replies_max=10, frames_burst_max=1000)
    for _ in range(50):
        talk.say(op="ping")
    assert talk.session.closing is CloseCode.OVERLOAD
    assert len(talk.hear()) == 10


def test_asking_again_and_again_holds_one_answer():
    talk = Talk(frames_burst_max=1000).put(a=1)
    for _ in range(50):
        talk.say(op="subscribe", topic="observations")
    assert len(talk.hear()) == 1


def test_stopping_says_so_last():
    talk = Talk().say(op="subscribe", topic="observations").put(a=1)
    talk.session.stop()
    assert talk.hear() == [{"op": "reset", "reason": "stopping"}]
    assert talk.session.closing is CloseCode.GOING_AWAY
    talk.say(op="ping")
    assert talk.hear() == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "live-json"),
        ("NaN", "live-json"),
        ("\ud800", "live-json"),
        ('"subscribe"', "live-json"),
        ('{"op":null}', "unknown-op"),
        ('{"op":["ping"]}', "unknown-op"),
        ('{"op":"subscribe"}', "live-topic"),
        ('{"op":"subscribe","topic":""}', "live-topic"),
        ('{"op":"subscribe","topic":"' + "x" * 257 + '"}', "live-topic"),
        ('{"op":"subscribe","topic":"t","since":{"epoch":"e"}}', "live-since"),
        ('{"op":"subscribe","topic":"t","since":{"epoch":"e","offset":-1}}', "live-since"),
        ('{"op":"subscribe","topic":"t","since":{"epoch":"e","offset":true}}', "live-since"),
        ('{"op":"subscribe","topic":"t","since":{"epoch":"e","offset":1.0}}', "live-since"),
        ('{"op":"subscribe","topic":"t","since":{"epoch":"e","offset":9007199254740992}}', "live-since"),
        ('{"op":"subscribe","topic":"t","max_rate_hz":"fast"}', "live-rate"),
        ('{"op":"subscribe","topic":"t","max_rate_hz":1000}', "live-rate"),
        ('{"op":"unsubscribe","topic":"t","filter":{}}', "live-member"),
        ('{"op":"ping","x":' + "[" * 9 + "]" * 9 + "}", "live-nesting"),
        ("[" * 60_000, "live-nesting"),
        ('"' + "x" * 70_000 + '"', "limit-exceeded"),
    ],
)
def test_frames_are_read_strictly(text, code):
    with pytest.raises(Exception) as error:
        read_request(text, LiveLimits())
    assert error.value.problem_code == code


def test_brackets_in_text_do_not_nest():
    text = '{"op":"subscribe","topic":"' + "[{" * 50 + '\\"[[[[[[[[["}'
    assert read_request(text, LiveLimits()).topic.startswith("[{[{")
