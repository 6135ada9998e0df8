"""The live protocol ``cim.v1+json`` without input or output.

A :class:`ClientSession` is told what came in and what time it is, and says which frames are to go
out.  It keeps no backlog: it remembers how far the client was brought in each topic, so what a slow
client is owed is always one frame, the latest per subject.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from cim.errors import CimError, InvalidInput, LimitExceeded, NotFound
from cim.live.filter import Filter
from cim.live.frames import Frame, error_frame, heartbeat_frame, pong_frame, reset_frame
from cim.live.limits import CloseCode, LiveLimits
from cim.live.requests import FrameTooLarge, Ping, Position, RequestRefused, Subscribe, Unsubscribe, read_request
from cim.live.topic import Topic, TopicKind

Door: TypeAlias = Callable[[str, str], str | None]
"""Told a topic's name and a client's token, opens the topic where it must and says under which key it stands;
``None``: for this client there is none."""


class Board:
    """The topics of one run of the server, by key: their name, or what a door says."""

    def __init__(self, epoch: str, limits: LiveLimits | None = None) -> None:
        self.epoch = epoch
        self.limits = limits or LiveLimits()
        self._topics: dict[str, Topic] = {}
        self._doors: dict[str, Door] = {}
        self._ended: dict[str, int] = {}

    def open(self, key: str, kind: TopicKind = TopicKind.STATE, name: str | None = None) -> Topic:
        """Return the topic of that key, new where there is none; ``name`` is what clients call it."""
        topic = self._topics.get(key)
        if topic is None:
            if len(self._topics) >= self.limits.topics_max:
                raise LimitExceeded("There are too many topics.", limit="topics_max", value=self.limits.topics_max)
            topic = self._topics[key] = Topic(name or key, self.epoch, self.limits, kind)
            # A topic that comes back goes on counting: nobody resumes in it from an offset of its former life.
            topic.offset = self._ended.pop(key, -1) + 1
        return topic

    def add_door(self, prefix: str, door: Door) -> None:
        """Have topics whose names begin so opened when they are asked for."""
        self._doors[prefix] = door

    def enter(self, name: str, token: str) -> tuple[str, Topic]:
        """Return the topic that a client means and its key; raises :class:`NotFound` (``unknown-topic``)."""
        for prefix, door in self._doors.items():
            if name.startswith(prefix):
                key = door(name, token)
                if key is None:
                    raise NotFound("There is no such topic.", code="unknown-topic", topic=name)
                return key, self.topic(key)
        return name, self.topic(name)

    def close(self, name: str) -> None:
        """Forget a topic; sessions tell their clients at their next turn."""
        topic = self._topics.pop(name, None)
        if topic is not None:
            self._ended[name] = topic.offset

    def keys(self, prefix: str) -> list[str]:
        """Return the keys of the open topics that begin so."""
        return [key for key in self._topics if key.startswith(prefix)]

    def find(self, name: str) -> Topic | None:
        """Return the topic of that name, or ``None``."""
        return self._topics.get(name)

    def topic(self, name: str) -> Topic:
        """Return the topic of that name; raises :class:`NotFound` (``unknown-topic``)."""
        topic = self._topics.get(name)
        if topic is None:
            raise NotFound("There is no such topic.", code="unknown-topic", topic=name)
        return topic


@dataclass(slots=True)
class _Subscription:
    key: str
    topic: Topic
    filter: Filter
    interval_s: float
    since: Position | None
    begun: bool = False
    seen: int = 0
    sent: int = 0
    due_s: float = 0.0


class ClientSession:
    """One client's side of the protocol; ``now_s`` is any clock that never goes back."""

    def __init__(self, board: Board, now_s: float) -> None:
        self.closing: CloseCode | None = None
        """Set when the connection is to end once the frames taken are sent."""
        self._board = board
        self._limits = board.limits
        self._replies: deque[Frame] = deque()
        self._subscriptions: dict[str, _Subscription] = {}
        self._spoke_s = now_s
        self._refusals = 0
        self._allowance = float(self._limits.frames_burst_max)
        self._heard_s = now_s

    @property
    def topics(self) -> frozenset[str]:
        """Names of the topics that the client is subscribed to."""
        return frozenset(self._subscriptions)

    def follows(self, topic: str) -> bool:
        """Whether a change of the topic of this key concerns the client."""
        return any(subscription.key == topic for subscription in self._subscriptions.values())

    def receive(self, text: str | bytes, now_s: float, at: str) -> None:
        """Take in one frame of the client; ``at`` is the instant in ISO 8601, for a pong."""
        if self.closing is not None:
            return
        if not self._may_speak(now_s):
            self._refuse(_too_fast(self._limits), None)
            self.closing = CloseCode.REFUSED
            return
        topic: str | None = None
        try:
            request = read_request(text, self._limits)
            if isinstance(request, Ping):
                self._reply(pong_frame(at))
                return
            topic = request.topic
            if isinstance(request, Unsubscribe):
                self._subscriptions.pop(topic, None)
            else:
                self.subscribe(request)
        except FrameTooLarge as error:
            self._refuse(error, None)
            self.closing = CloseCode.TOO_LARGE
        except CimError as error:
            self._refuse(error, error.topic if isinstance(error, RequestRefused) else topic)

    def subscribe(self, request: Subscribe) -> None:
        """Begin, resume or change a topic; ``take`` answers by a snapshot or exactly what was missed.

        Raises :class:`NotFound`, :class:`InvalidInput` or :class:`LimitExceeded`.
        """
        key, topic = self._board.enter(request.topic, request.token)
        if not request.filter.lets_all_through and not topic.filterable:
            raise InvalidInput("This topic has no filter.", code="live-filter", member="filter")
        if request.topic not in self._subscriptions and len(self._subscriptions) >= self._limits.subscriptions_max:
            raise LimitExceeded(
                f"A client may follow {self._limits.subscriptions_max} topics.",
                limit="subscriptions_max",
                value=self._limits.subscriptions_max,
            )
        # The answer is made when it can be sent, so that asking again and again holds no memory.
        self._subscriptions[request.topic] = _Subscription(
            key, topic, request.filter, request.interval_s, request.since
        )

    def take(self, now_s: float, at: Callable[[], str]) -> list[Frame]:
        """Return the frames that are to be sent now; they count as sent.  ``at`` gives the instant, for a heartbeat."""
        frames = list(self._replies)
        self._replies.clear()
        if self.closing is None:
            for name, subscription in list(self._subscriptions.items()):
                frames.extend(self._owed(name, subscription, now_s))
            if not frames and now_s - self._spoke_s >= self._limits.heartbeat_s:
                frames.append(heartbeat_frame(at()))
        if frames:
            self._spoke_s = now_s
        return frames

    @property
    def heartbeat_due_s(self) -> float:
        """When ``take`` has something to say at the latest."""
        return self._spoke_s + self._limits.heartbeat_s

    @property
    def held_back_until_s(self) -> float | None:
        """When a delta that only its rate holds back is due, or ``None``."""
        due = [s.due_s for s in self._subscriptions.values() if s.interval_s and s.seen != s.topic.offset]
        return min(due, default=None)

    def stop(self, reason: str = "stopping", code: CloseCode = CloseCode.GOING_AWAY) -> None:
        """End the session: a reset, then the close."""
        if self.closing is None:
            self._subscriptions.clear()
            self._replies.append(reset_frame(reason))
            self.closing = code

    def _owed(self, name: str, subscription: _Subscription, now_s: float) -> tuple[Frame, ...]:
        topic = subscription.topic
        if self._board.find(subscription.key) is not topic:
            del self._subscriptions[name]
            return (reset_frame("topic-closed", name),)
        since = subscription.since
        frames: tuple[Frame, ...] | None = None
        if subscription.begun:
            if subscription.seen == topic.offset or now_s < subscription.due_s:
                return ()
            frames = topic.changes_since(subscription.filter, subscription.seen, subscription.sent)
        elif since is not None and since.epoch == self._board.epoch:
            frames = topic.resume(subscription.filter, since.offset)
            subscription.sent = since.offset
        subscription.begun = True
        if frames is None:
            frames = (topic.snapshot(subscription.filter),)
        subscription.seen = topic.offset
        if frames:
            subscription.sent = topic.offset
            subscription.due_s = now_s + subscription.interval_s
        return frames

    def _may_speak(self, now_s: float) -> bool:
        """Spend one of the frames that the client may send; they grow back with time."""
        grown = (now_s - self._heard_s) * self._limits.frames_per_s_max
        self._allowance = min(float(self._limits.frames_burst_max), self._allowance + grown)
        self._heard_s = now_s
        if self._allowance < 1.0:
            return False
        self._allowance -= 1.0
        return True

    def _reply(self, frame: Frame) -> None:
        self._replies.append(frame)
        if len(self._replies) >= self._limits.replies_max:
            self.closing = CloseCode.OVERLOAD

    def _refuse(self, error: CimError, topic: str | None) -> None:
        self._reply(error_frame(error.problem_code, error.message, topic=topic, hint=error.hint, params=error.params))
        self._refusals += 1
        if self._refusals >= self._limits.refusals_max:
            self.closing = CloseCode.REFUSED


def _too_fast(limits: LiveLimits) -> LimitExceeded:
    return LimitExceeded(
        f"A client may send {limits.frames_per_s_max:g} frames a second.",
        limit="frames_per_s_max",
        value=limits.frames_per_s_max,
    )
