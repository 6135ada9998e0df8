"""What a scheme tells its followers: topic ``schemes/{id}``, one face for planners and one for the public.

Both have the same name to a client; the planner token in the subscription opens the planners' face,
which shows the draft.  A topic is opened when somebody first asks for it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cim.errors import CimError
from cim.live.hub import LiveHub
from cim.ports import Clock

PREFIX: Final = "schemes/"
PRESENCE_S: Final = 20.0
"""How long somebody counts as present after they were last heard of."""

PRESENT_MAX: Final = 100
EDITS_SHOWN: Final = 200
"""Edits that the state of a topic holds; the log itself has them all."""

Item = Mapping[str, Any]
Send = Callable[[Sequence[Item]], None]
Seed = Callable[[str, bool, Send], None]
"""Sends all items of a scheme as of now, for planners or for the public, while nobody edits it."""

Allowed = Callable[[str, str], bool | None]
"""Tells of a scheme and a token: True for a planner, False for the public, None for nobody."""


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody who looks at a scheme, and what they have selected."""

    who: str
    author: str
    selection: tuple[str, ...]
    at: str
    until_s: float


class SchemeBus:
    """Publishes to whoever follows a scheme; costs nothing where nobody does."""

    def __init__(self, hub: LiveHub, allowed: Allowed, seed: Seed, clock: Clock) -> None:
        self._hub = hub
        self._clock = clock
        self._allowed = allowed
        self._seed = seed
        self._guard = threading.Lock()
        self._present: dict[str, dict[str, Presence]] = {}
        hub.add_door(PREFIX, self._enter)

    def _enter(self, topic: str, token: str) -> str | None:
        """Return the key of the topic that a client is to follow; opens it the first time."""
        scheme_id = topic.removeprefix(PREFIX)
        planner = self._allowed(scheme_id, token)
        if planner is None:
            return None
        key = key_of(scheme_id, planner=planner)
        if self._hub.board.find(key) is None:
            self._hub.open_topic(key, name=topic)
            # Reading a scheme may take a moment, which the loop has not got.
            threading.Thread(target=self._fill, args=(scheme_id, planner), name="cim-scheme-topic", daemon=True).start()
        return key

    def _fill(self, scheme_id: str, planner: bool) -> None:
        try:
            self._seed(scheme_id, planner, lambda items: self.publish(scheme_id, items, planner=planner))
        except CimError as error:
            _log.warning("the topic of a scheme could not be filled: %s", error.problem_code)
        if planner:
            self.publish(scheme_id, self._people(scheme_id))

    def follows(self, scheme_id: str, *, planner: bool = True) -> bool:
        """Whether the topic is open."""
        return self._hub.board.find(key_of(scheme_id, planner=planner)) is not None

    def publish(self, scheme_id: str, items: Sequence[Item], *, planner: bool = True) -> None:
        """Publish items from any thread, in order, without waiting."""
        key = key_of(scheme_id, planner=planner)

        def send() -> None:
            if items and self._hub.board.find(key) is not None:
                self._hub.publish_items(key, items)

        self._hub.call_threadsafe(send)

    def close_public(self, scheme_id: str) -> None:
        """End what the public follows."""
        self._hub.call_threadsafe(lambda: self._hub.close_topic(key_of(scheme_id, planner=False)))

    def meet(self, scheme_id: str, who: str, author: str, selection: Sequence[str]) -> None:
        """Tell that somebody is there and what they have selected."""
        until_s = self._clock.monotonic_s() + PRESENCE_S
        presence = Presence(who, author, tuple(selection), self._hub.now_iso(), until_s)
        with self._guard:
            present = self._present.setdefault(scheme_id, {})
            if presence.who not in present and len(present) >= PRESENT_MAX:
                return
            present[presence.who] = presence
        self.publish(scheme_id, [_presence_item(presence)])

    async def watch(self) -> None:
        """Let go, every now and then, of people and topics that are left; runs until it is cancelled."""
        while True:
            await asyncio.sleep(PRESENCE_S / 4)
            self.expire()
            self._hub.close_unfollowed(PREFIX)

    def expire(self) -> None:
        """Let go of those that were not heard of for ``PRESENCE_S``."""
        now_s = self._clock.monotonic_s()
        with self._guard:
            gone = [
                (scheme_id, presence.who)
                for scheme_id, present in self._present.items()
                for presence in present.values()
                if presence.until_s <= now_s
            ]
            for scheme_id, who in gone:
                del self._present[scheme_id][who]
            self._present = {scheme_id: present for scheme_id, present in self._present.items() if present}
        for scheme_id, who in gone:
            self.publish(scheme_id, [{"id": f"presence/{who}", "removed": True}])

    def _people(self, scheme_id: str) -> list[Item]:
        with self._guard:
            return [_presence_item(presence) for presence in self._present.get(scheme_id, {}).values()]


def _presence_item(presence: Presence) -> Item:
    return {
        "id": f"presence/{presence.who}",
        "author": presence.author,
        "selection": list(presence.selection),
        "at": presence.at,
    }


def key_of(scheme_id: str, *, planner: bool) -> str:
    """Return the board's key of a topic; the public's carries a mark that no topic's name has."""
    return f"{PREFIX}{scheme_id}" if planner else f"{PREFIX}{scheme_id}#public"
