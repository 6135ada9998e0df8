from __future__ import annotations

import orjson
import pytest

from cim.errors import LimitExceeded
from cim.live.filter import EVERYTHING, SubjectFacts, make_filter
from cim.live.limits import LiveLimits
from cim.live.topic import Change, Topic, TopicKind

AT = "2026-11-22T12:00:00.000Z"


def put(subject: str, value: float) -> Change:
    return Change(subject, orjson.dumps({"id": subject, "v": value}))


def said(frames: object) -> dict:
    (frame,) = frames  # type: ignore[misc]
    return orjson.loads(frame.text)


def test_offsets_have_no_gaps_even_for_nothing():
    topic = Topic("t", "e", LiveLimits())
    assert [topic.publish([put("a", i)] if i % 2 else [], AT) for i in range(4)] == [1, 2, 3, 4]


def test_a_removed_subject_leaves_the_state_and_is_told():
    topic = Topic("t", "e", LiveLimits())
    topic.publish([put("a", 1), put("b", 1)], AT)
    topic.publish([Change("a", b'{"id":"a","removed":true}', removed=True)], AT)
    assert [i["id"] for i in orjson.loads(topic.snapshot(EVERYTHING).text)["state"]] == ["b"]
    assert said(topic.changes_since(EVERYTHING, 1, 1))["changes"] == [{"id": "a", "removed": True}]


def test_the_ring_is_bounded_by_publications_and_by_changes():
    topic = Topic("t", "e", LiveLimits(ring_deltas_max=3))
    for i in range(5):
        topic.publish([put("a", i)], AT)
    assert topic.oldest_resumable == 2
    assert topic.resume(EVERYTHING, 1) is None
    assert said(topic.resume(EVERYTHING, 2))["changes"] == [{"id": "a", "v": v} for v in (2, 3, 4)]
    topic = Topic("t", "e", LiveLimits(ring_changes_max=4))
    for i in range(5):
        topic.publish([put("a", i), put("b", i)], AT)
    assert topic.oldest_resumable == 3
    topic.publish([put(str(i), 1) for i in range(9)], AT)
    assert (topic.oldest_resumable, topic.resume(EVERYTHING, 5)) == (6, None)


def test_a_resume_over_its_limit_gives_a_snapshot():
    topic = Topic("t", "e", LiveLimits(resume_changes_max=3))
    for i in range(4):
        topic.publish([put("a", i)], AT)
    assert topic.resume(EVERYTHING, 0) is None
    assert topic.resume(EVERYTHING, 1) is not None


def test_too_many_subjects_change_nothing():
    topic = Topic("t", "e", LiveLimits(subjects_max=2))
    topic.publish([put("a", 1), put("b", 1)], AT)
    with pytest.raises(LimitExceeded) as error:
        topic.publish([put("a", 2), put("c", 1)], AT)
    assert error.value.params["limit"] == "subjects_max"
    assert topic.offset == 1
    assert orjson.loads(topic.snapshot(EVERYTHING).text)["state"][0]["v"] == 1


def test_clients_with_one_filter_share_one_encoding_per_publication():
    topic = Topic("t", "e", LiveLimits())
    topic.describe({f"s{i}": SubjectFacts(float(i), 0.0, "flow") for i in range(10)})
    near = make_filter(bbox=(0.0, -1.0, 4.0, 1.0))
    same = make_filter(bbox=(0.0, -1.0, 4.0, 1.0))
    topic.publish([put(f"s{i}", 1) for i in range(10)], AT)
    texts = {id(topic.changes_since(chosen, 0, 0)[0].text) for chosen in (near, same) for _ in range(100)}
    assert (len(texts), topic.encodings) == (1, 1)
    topic.changes_since(EVERYTHING, 0, 0)
    assert topic.encodings == 2
    topic.publish([put("s0", 2)], AT)
    for _ in range(100):
        topic.changes_since(near, 1, 1)
    assert topic.encodings == 3


def test_a_subject_that_is_described_later_passes_from_then_on():
    topic = Topic("t", "e", LiveLimits())
    topic.describe({})
    flow = make_filter(observed_properties=frozenset({"flow"}))
    topic.publish([put("late", 1)], AT)
    assert orjson.loads(topic.snapshot(flow).text)["state"] == []
    topic.describe({"late": SubjectFacts(0.0, 0.0, "flow")})
    assert len(orjson.loads(topic.snapshot(flow).text)["state"]) == 1


def test_a_filter_by_name_knows_subjects_that_nobody_described():
    topic = Topic("t", "e", LiveLimits())
    topic.describe({})
    chosen = make_filter(datastreams=frozenset({"new"}))
    topic.publish([put("old", 1)], AT)
    assert topic.changes_since(chosen, 0, 0) == ()
    topic.publish([put("new", 1)], AT)
    assert said(topic.changes_since(chosen, 1, 0))["changes"] == [{"id": "new", "v": 1}]


def test_events_are_never_collapsed():
    topic = Topic("t", "e", LiveLimits(), TopicKind.EVENTS)
    for i in range(3):
        topic.publish([Change("base", b'{"id":"base"}', event=orjson.dumps({"n": i}))], AT)
    frames = topic.changes_since(EVERYTHING, 0, 0)
    assert frames is not None
    assert [(orjson.loads(f.text)["event"]["n"], f.offset) for f in frames] == [(0, 1), (1, 2), (2, 3)]
    assert len(orjson.loads(topic.snapshot(EVERYTHING).text)["state"]) == 1
