"""The hub: topics that are published to and clients that each go at their own pace (shell).

A client has one writer, which takes what its session owes and awaits only its own socket.  No queue
of frames is kept for it: the session knows how far it came, so a client that does not read costs
nothing but its place, and catches up with one frame when it reads again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC

import orjson

from cim.errors import LimitExceeded, Unavailable
from cim.live.filter import SubjectFacts
from cim.live.frames import Frame, cloud_event
from cim.live.limits import CloseCode, LiveLimits
from cim.live.protocol import Board, ClientSession, Door
from cim.live.topic import Change, TopicKind
from cim.ports import Clock, SystemClock


class LiveClient:
    """A client's session, the bell that wakes its writer, and how long the writer has been waiting."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session
        self.bell = asyncio.Event()
        self.writer: asyncio.Task[None] | None = None
        self.sending_since_s: float | None = None


class LiveHub:
    """All live topics and clients of one run of the server; used in the event loop's thread.

    ``epoch`` is a fresh random text per process.  From another thread only the methods named so.
    """

    def __init__(self, epoch: str, *, clock: Clock | None = None, limits: LiveLimits | None = None) -> None:
        self.limits = limits or LiveLimits()
        self.board = Board(epoch, self.limits)
        self._clock = clock or SystemClock()
        self.monotonic_s = self._clock.monotonic_s
        self._clients: set[LiveClient] = set()
        self._empty = asyncio.Event()
        self._watcher: asyncio.TimerHandle | None = None
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def epoch(self) -> str:
        """The name of this run of the server."""
        return self.board.epoch

    @property
    def clients(self) -> int:
        """How many clients are attached."""
        return len(self._clients)

    def start(self) -> None:
        """Note the running loop, for ``publish_threadsafe``."""
        self._loop = asyncio.get_running_loop()

    def open_topic(self, key: str, kind: TopicKind = TopicKind.STATE, name: str | None = None) -> None:
        """Make a topic known; harmless if it is.  ``name`` is what clients call it, where that is not its key."""
        self.board.open(key, kind, name)

    def add_door(self, prefix: str, door: Door) -> None:
        """Have topics whose names begin so opened when somebody first asks for them."""
        self.board.add_door(prefix, door)

    def close_topic(self, name: str) -> None:
        """Forget a topic; who follows it gets a reset."""
        self.board.close(name)
        self._ring(name)

    def close_unfollowed(self, prefix: str) -> None:
        """Forget the topics of a door that nobody follows any more; they are opened again when asked for."""
        for key in self.board.keys(prefix):
            if not any(client.session.follows(key) for client in self._clients):
                self.board.close(key)

    def describe(self, topic: str, facts: Mapping[str, SubjectFacts]) -> None:
        """Say where subjects are and what they observe, so that filters can be answered."""
        self.board.topic(topic).describe(facts)

    def publish(self, topic: str, changes: Sequence[Change]) -> int:
        """Publish changes of one instant; return the topic's new offset."""
        offset = self.board.topic(topic).publish(changes, self.now_iso())
        self._ring(topic)
        return offset

    def publish_items(self, topic: str, items: Sequence[Mapping[str, object]]) -> int:
        """Publish items by their ``id``; an item with ``removed: true`` leaves the state."""
        return self.publish(
            topic, [Change(str(i["id"]), orjson.dumps(i), removed=bool(i.get("removed"))) for i in items]
        )

    def publish_event(self, topic: str, subject: str, kind: str, payload: Mapping[str, object]) -> int:
        """Publish one CloudEvent; ``payload`` is its data and, with the subject as id, the state."""
        number = self.board.topic(topic).offset + 1
        event = cloud_event(
            source=f"/live/{topic}",
            sequence=f"{self.epoch}/{number}",
            kind=kind,
            subject=subject,
            at=self.now_iso(),
            payload=payload,
        )
        return self.publish(topic, [Change(subject, orjson.dumps({"id": subject, **payload}), event=event)])

    def publish_threadsafe(self, topic: str, items: Sequence[Mapping[str, object]]) -> None:
        """Publish items from another thread; in order, soon, without waiting."""
        self.call_threadsafe(lambda: self.publish_items(topic, items))

    def call_threadsafe(self, function: Callable[[], object]) -> None:
        """Run a plain function in the hub's loop, soon, without waiting; nothing before ``start``."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function)

    def attach(self) -> LiveClient:
        """Take a client in; raises :class:`LimitExceeded` (``clients_max``) or :class:`Unavailable`."""
        if self._stopping:
            raise Unavailable("The server is stopping.", hint="Connect again in a moment.")
        if len(self._clients) >= self.limits.clients_max:
            raise LimitExceeded(
                "Too many clients are connected.",
                hint="Try again in a moment.",
                limit="clients_max",
                value=self.limits.clients_max,
            )
        client = LiveClient(ClientSession(self.board, self.monotonic_s()))
        self._clients.add(client)
        if self._watcher is None:
            self._keep_watching()
        self._empty.clear()
        return client

    def detach(self, client: LiveClient) -> None:
        """Let a client go; harmless if it is gone."""
        self._clients.discard(client)
        if not self._clients:
            self._empty.set()

    def receive(self, client: LiveClient, text: str | bytes) -> None:
        """Hand in a frame that the client sent."""
        client.session.receive(text, self.monotonic_s(), self.now_iso())
        client.bell.set()

    async def pump(self, client: LiveClient, send: Callable[[Frame], Awaitable[None]]) -> None:
        """Send a client its frames until its session ends; ``session.closing`` then says why.

        To be run as a task of its own: it is cancelled where the client does not take a frame
        within ``stalled_s_max``.
        """
        session, bell = client.session, client.bell
        client.writer = asyncio.current_task()
        while True:
            bell.clear()
            closing = session.closing is not None
            for frame in session.take(self.monotonic_s(), self.now_iso):
                client.sending_since_s = self.monotonic_s()
                await send(frame)
            client.sending_since_s = None
            if closing:
                return
            await self._rest(client)

    async def _rest(self, client: LiveClient) -> None:
        """Wait for the bell, or for a delta that is held back by its rate."""
        due_s = client.session.held_back_until_s
        if due_s is None:
            await client.bell.wait()
            return
        delay_s = max(0.0, due_s - self.monotonic_s())
        timer = asyncio.get_running_loop().call_later(delay_s, client.bell.set)
        try:
            await client.bell.wait()
        finally:
            timer.cancel()

    def _watch(self) -> None:
        """Give up clients that do not read and wake those that have long heard nothing."""
        now_s = self.monotonic_s()
        for client in self._clients:
            since_s = client.sending_since_s
            if since_s is None:
                if client.session.heartbeat_due_s <= now_s:
                    client.bell.set()
            elif now_s - since_s > self.limits.stalled_s_max and client.writer is not None:
                client.session.closing = CloseCode.OVERLOAD
                client.writer.cancel()
        self._keep_watching()

    def _keep_watching(self) -> None:
        self._watcher = None
        if self._clients:
            pause_s = min(self.limits.heartbeat_s, self.limits.stalled_s_max) / 10.0
            self._watcher = asyncio.get_running_loop().call_later(pause_s, self._watch)

    async def stop(self) -> None:
        """Send everyone a reset, close with 1001, and wait ``stopping_s_max`` at most.

        To be awaited before the HTTP server closes its connections.
        """
        self._stopping = True
        for client in list(self._clients):
            client.session.stop()
            client.bell.set()
        if self._clients:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.limits.stopping_s_max):
                    await self._empty.wait()

    def now_iso(self) -> str:
        """Return the present instant in ISO 8601, UTC, milliseconds."""
        return self._clock.now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _ring(self, topic: str) -> None:
        for client in self._clients:
            if client.session.follows(topic):
                client.bell.set()
