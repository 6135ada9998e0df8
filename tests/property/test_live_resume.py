"""However a client is interrupted, it ends with the state of one that never was."""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from cim.live.filter import SubjectFacts
from cim.live.limits import LiveLimits
from cim.live.protocol import Board, ClientSession
from cim.live.topic import Change

AT = "2026-11-22T12:00:00.000Z"
SUBJECTS = ("a", "b", "c", "d")
FACTS = {s: SubjectFacts(float(i), 0.0, "flow" if i % 2 else "voltage") for i, s in enumerate(SUBJECTS)}
FILTERS = st.sampled_from([None, {"observed_property": ["flow"]}, {"bbox": [-0.5, -1, 1.5, 1]}, {"datastreams": ["d"]}])

CHANGES = st.lists(st.tuples(st.sampled_from(SUBJECTS), st.booleans()), max_size=3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), CHANGES),
        st.tuples(st.just("take"), st.floats(0.0, 3.0)),
        st.tuples(st.just("drop"), st.none()),
        st.tuples(st.just("lose"), st.none()),
        st.tuples(st.just("come"), st.booleans()),
        st.tuples(st.just("restart"), st.none()),
    ),
    max_size=40,
)


@dataclass
class Client:
    """Keeps what frames tell it, as a client must, and checks their numbering."""

    session: ClientSession | None = None
    epoch: str = ""
    offset: int = -1
    state: dict[str, int] = field(default_factory=dict)
    told: list[int] = field(default_factory=list)

    def come(self, board: Board, now_s: float, chosen: dict | None, rate: float | None, *, resume: bool) -> None:
        self.session = ClientSession(board, now_s)
        frame: dict[str, object] = {"op": "subscribe", "topic": "t"}
        if chosen:
            frame["filter"] = chosen
        if rate:
            frame["max_rate_hz"] = rate
        if resume and self.offset >= 0:
            frame["since"] = {"epoch": self.epoch, "offset": self.offset}
        self.session.receive(orjson.dumps(frame), now_s, AT)

    def take(self, now_s: float, *, lose: bool = False) -> None:
        if self.session is None:
            return
        for frame in self.session.take(now_s, lambda: AT):
            if not lose:
                self._hear(orjson.loads(frame.text))

    def _hear(self, frame: dict) -> None:
        if frame["op"] == "snapshot":
            self.epoch = frame["epoch"]
            self.state = {item["id"]: item["v"] for item in frame["state"]}
        elif frame["op"] == "delta":
            assert frame["from"] == self.offset
            assert frame["offset"] >= self.offset
            for item in frame["changes"]:
                if item.get("removed"):
                    self.state.pop(item["id"], None)
                else:
                    self.state[item["id"]] = item["v"]
        else:
            assert frame["op"] == "heartbeat"
            return
        self.offset = frame["offset"]


def expected(latest: dict[str, int], chosen: dict | None) -> dict[str, int]:
    """An oracle that shares nothing with the filter: the cases are spelled out."""
    through = {None: "abcd", "observed_property": "bd", "bbox": "ab", "datastreams": "d"}
    return {k: v for k, v in latest.items() if k in through[next(iter(chosen)) if chosen else None]}


@settings(max_examples=300, deadline=None)
@given(STEPS, FILTERS, st.sampled_from([None, 0.5, 10.0]), st.integers(1, 6))
def test_any_interleaving_ends_in_the_same_state(steps, chosen, rate, ring):
    limits = LiveLimits(ring_deltas_max=ring, resume_changes_max=8)
    runs = 1
    board = Board("e1", limits)
    board.open("t").describe(FACTS)
    latest: dict[str, int] = {}
    client = Client()
    value = 0
    now_s = 0.0
    for step, argument in steps:
        topic = board.topic("t")
        if step == "publish":
            changes = []
            for subject, removed in argument:
                value += 1
                item = {"id": subject, "removed": True} if removed else {"id": subject, "v": value}
                changes.append(Change(subject, orjson.dumps(item), removed=removed))
                latest.pop(subject, None) if removed else latest.update({subject: value})
            before = topic.offset
            assert topic.publish(changes, AT) == before + 1
        elif step == "take":
            now_s += argument
            client.take(now_s)
        elif step == "drop":
            client.session = None
        elif step == "lose":
            client.take(now_s, lose=True)  # sent, but the connection broke before it arrived
            client.session = None
        elif step == "come":
            client.come(board, now_s, chosen, rate, resume=argument)
        else:
            runs += 1
            board = Board(f"e{runs}", limits)
            board.open("t").describe(FACTS)
            latest = {}
            client.session = None
    if client.session is None:
        client.come(board, now_s, chosen, rate, resume=True)
    client.take(now_s)
    client.take(now_s + 10.0)
    assert client.epoch == board.epoch
    assert client.state == expected(latest, chosen)


@settings(max_examples=100, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=20), st.data())
def test_a_resume_within_the_ring_repeats_every_change_in_order(publications, data):
    board = Board("e1", LiveLimits())
    topic = board.open("t")
    every: list[list[dict]] = []
    for number, changes in enumerate(publications):
        items = [{"id": subject, "v": number} for subject, _ in changes]
        topic.publish([Change(i["id"], orjson.dumps(i)) for i in items], AT)
        every.append(items)
    since = data.draw(st.integers(0, len(publications)))
    session = ClientSession(board, 0.0)
    session.receive(orjson.dumps({"op": "subscribe", "topic": "t", "since": {"epoch": "e1", "offset": since}}), 0.0, AT)
    (frame,) = session.take(0.0, lambda: AT)
    said = orjson.loads(frame.text)
    assert (said["op"], said["from"], said["offset"]) == ("delta", since, len(publications))
    assert said["changes"] == [item for items in every[since:] for item in items]
