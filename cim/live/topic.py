"""A topic: its latest state, its numbered changes, and the encodings that clients share (pure).

Each publication takes the next offset, without gaps.  A ring keeps the last publications, so that
a client that was away gets exactly what it missed; beyond the ring it gets the whole state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from cim.errors import LimitExceeded
from cim.live.filter import Filter, SubjectFacts
from cim.live.frames import Frame, delta_frame, event_frame, snapshot_frame
from cim.live.limits import LiveLimits


class TopicKind(StrEnum):
    """What a topic carries."""

    STATE = "state"
    """Subjects that change: deltas, of which only the latest per subject matters."""
    EVENTS = "events"
    """Things that happen: every one is told, the state is the latest per subject."""


class Change(NamedTuple):
    """A subject's new item as JSON; ``removed`` takes it out of the state.

    In a topic of events ``json`` is what the snapshot says of the subject and ``event`` is told.
    """

    subject: str
    json: bytes
    removed: bool = False
    event: bytes = b""


class _Publication(NamedTuple):
    offset: int
    at: str
    changes: tuple[Change, ...]


class Topic:
    """One topic of one run of the server (``epoch``)."""

    def __init__(self, name: str, epoch: str, limits: LiveLimits, kind: TopicKind = TopicKind.STATE) -> None:
        self.name = name
        self.epoch = epoch
        self.kind = kind
        self.offset = 0
        self.encodings = 0
        """How many frames were encoded: sharing is proven by this number."""
        self._limits = limits
        self._latest: dict[str, bytes] = {}
        self._ring: deque[_Publication] = deque()
        self._ring_changes = 0
        self._facts: dict[str, SubjectFacts] | None = None
        self._passing: dict[str, frozenset[str]] = {}
        self._encoded: dict[tuple[str, int, int, bool], tuple[Frame, ...]] = {}

    @property
    def filterable(self) -> bool:
        """Whether subjects were described, so that a filter can be answered."""
        return self._facts is not None

    @property
    def oldest_resumable(self) -> int:
        """The smallest offset from which a client may resume."""
        return self._ring[0].offset - 1 if self._ring else self.offset

    def describe(self, facts: Mapping[str, SubjectFacts]) -> None:
        """Add or replace what filters may ask of subjects."""
        self._facts = {**(self._facts or {}), **facts}
        self._passing.clear()
        self._encoded.clear()

    def publish(self, changes: Sequence[Change], at: str) -> int:
        """Take the next offset for ``changes`` and return it; ``at`` is the instant in ISO 8601.

        Raises :class:`LimitExceeded` (``subjects_max``) and then nothing has changed.
        """
        fresh = {c.subject for c in changes if not c.removed and c.subject not in self._latest}
        if len(self._latest) + len(fresh) > self._limits.subjects_max:
            raise LimitExceeded(
                "The topic has too many subjects.", limit="subjects_max", value=self._limits.subjects_max
            )
        if fresh:
            self._passing.clear()
        for change in changes:
            if change.removed:
                self._latest.pop(change.subject, None)
            else:
                self._latest[change.subject] = change.json
        self.offset += 1
        self._ring.append(_Publication(self.offset, at, tuple(changes)))
        self._ring_changes += len(changes)
        while len(self._ring) > self._limits.ring_deltas_max or self._ring_changes > self._limits.ring_changes_max:
            self._ring_changes -= len(self._ring.popleft().changes)
        self._encoded.clear()
        return self.offset

    def snapshot(self, wanted: Filter) -> Frame:
        """Return the state as of now."""
        return self._shared((wanted.key, -1, -1, False), lambda: (self._encode_snapshot(wanted),))[0]

    def resume(self, wanted: Filter, since: int) -> tuple[Frame, ...] | None:
        """Return exactly what followed ``since``, in order, or ``None`` where a snapshot is needed.

        A resumed topic of states always answers, with an empty delta where nothing was missed.
        """
        missed = self._since(since)
        if missed is None or sum(len(p.changes) for p in missed) > self._limits.resume_changes_max:
            return None
        if self.kind is TopicKind.EVENTS:
            return self._events(missed)
        passing = self._passes(wanted)
        items = [c.json for p in missed for c in p.changes if passing is None or c.subject in passing]
        self.encodings += 1
        return (delta_frame(self.name, since, self.offset, items, None),)

    def changes_since(self, wanted: Filter, seen: int, sent: int) -> tuple[Frame, ...] | None:
        """Return what a connected client is owed, collapsed to the latest per subject.

        ``seen`` is how far the topic was looked at for this client, ``sent`` how far its last frame
        brought it; they differ while the filter lets nothing through.  ``None``: it fell behind the
        ring and needs a snapshot.
        """
        missed = self._since(seen)
        if missed is None:
            return None
        if self.kind is TopicKind.EVENTS:
            return self._shared(("", seen, sent, True), lambda: self._events(missed))
        return self._shared((wanted.key, seen, sent, True), lambda: self._encode_delta(wanted, missed, sent))

    def _since(self, offset: int) -> list[_Publication] | None:
        if offset == self.offset:
            return []
        if not self.oldest_resumable <= offset < self.offset:
            return None
        count = self.offset - offset
        # The newest are wanted and a deque is slow in its middle: take them from its end.
        tail = [self._ring[-i] for i in range(1, count + 1)]
        tail.reverse()
        return tail

    def _passes(self, wanted: Filter) -> frozenset[str] | None:
        """Return the subjects that a filter lets through; ``None`` for all."""
        if wanted.lets_all_through:
            return None
        passing = self._passing.get(wanted.key)
        if passing is None:
            facts = self._facts or {}
            passing = frozenset(
                subject
                for subject in (facts.keys() | self._latest.keys())
                if wanted.matches(subject, facts.get(subject))
            )
            if len(self._passing) >= self._limits.filters_kept_max:
                self._passing.pop(next(iter(self._passing)))
            self._passing[wanted.key] = passing
        return passing

    def _encode_snapshot(self, wanted: Filter) -> Frame:
        passing = self._passes(wanted)
        items: Iterable[bytes] = self._latest.values()
        if passing is not None:
            items = [item for subject, item in self._latest.items() if subject in passing]
        self.encodings += 1
        return snapshot_frame(self.name, self.epoch, self.offset, items)

    def _encode_delta(self, wanted: Filter, missed: Sequence[_Publication], sent: int) -> tuple[Frame, ...]:
        passing = self._passes(wanted)
        latest: dict[str, bytes] = {}
        for publication in missed:
            for change in publication.changes:
                if passing is None or change.subject in passing:
                    latest.pop(change.subject, None)  # so that the order is that of the last change
                    latest[change.subject] = change.json
        if not latest:
            return ()
        self.encodings += 1
        return (delta_frame(self.name, sent, self.offset, latest.values(), missed[-1].at),)

    def _events(self, missed: Sequence[_Publication]) -> tuple[Frame, ...]:
        return tuple(event_frame(self.name, p.offset, c.event) for p in missed for c in p.changes)

    def _shared(self, key: tuple[str, int, int, bool], encode: Callable[[], tuple[Frame, ...]]) -> tuple[Frame, ...]:
        frames = self._encoded.get(key)
        if frames is None:
            frames = encode()
            if len(self._encoded) < self._limits.encodings_kept_max:
                self._encoded[key] = frames
        return frames
