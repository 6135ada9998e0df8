"""Preview pictures: kept for a planner, shown to whoever may see the scheme, told in a page's head."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote

from cim.accounts.model import Role
from cim.errors import NotFound
from cim.schemes.model import BASE, Text
from cim.schemes.pictures.drawing import draw
from cim.schemes.pictures.png import check_picture
from cim.schemes.pictures.sight import sight_of
from cim.schemes.pictures.store import PictureStore
from cim.schemes.service import SchemeService, Seen
from cim.web.cards import Card

DRAWN_KEPT_MAX: Final = 24
"""Generated pictures that are remembered."""
DESCRIPTION_MAX: Final = 300
"""Characters: what readers of cards show of a description."""


class PictureService:
    """The pictures of a city's schemes; ``city`` says what the city is called."""

    def __init__(self, schemes: SchemeService, store: PictureStore, city: Callable[[], Text]) -> None:
        self._schemes = schemes
        self._store = store
        self._city = city
        self._guard = threading.Lock()
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()

    def keep(self, scheme_id: str, content: bytes) -> None:
        """Keep a scheme's picture; raises :class:`NotFound`, and what ``check_picture`` raises."""
        self._schemes.seen(scheme_id, Role.PLANNER)
        check_picture(content)
        self._store.write(scheme_id, content)

    def picture(self, scheme_id: str, role: Role) -> bytes:
        """Return the picture of a scheme that may be seen: its own, else one that is drawn from what it builds.

        Raises :class:`NotFound`, also (``picture``) for a scheme that changes nothing yet.
        """
        seen = self._schemes.seen(scheme_id, role)
        content = self._store.read(scheme_id) or self._drawn(seen)
        if content is None:
            raise NotFound("This scheme has no picture.", hint="It gets one when it is published.", code="picture")
        return content

    def _drawn(self, seen: Seen) -> bytes | None:
        """Return a picture of a scheme as somebody sees it; drawn once for each of its states."""
        key = (seen.actor.scheme.id, seen.head)
        with self._guard:
            content = self._kept.get(key)
            if content is None:
                sight = sight_of(seen.state(), seen.actor.scheme.branch.position)
                if sight is None:
                    return None
                content = self._kept[key] = draw(sight)
                while len(self._kept) > DRAWN_KEPT_MAX:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return content

    def card(self, query: Mapping[str, str], base_url: str) -> Card | None:
        """Return what a link to the public page tells of a scheme that it names; ``None`` where that is nothing.

        ``base_url`` is the server's own address as the client wrote it.
        """
        names = [name for name in query.get("schemes", "").split(",") if name and name != BASE]
        if not names:
            return None
        try:
            seen = self._schemes.seen(names[-1], Role.VISITOR)
        except NotFound:
            return None
        words, city = seen.words, self._city()
        chinese = query.get("lang") == "zh"
        name, summary, where = (
            (words.name.zh, words.summary.zh, city.zh) if chinese else (words.name.en, words.summary.en, city.en)
        )
        scheme_id = seen.actor.scheme.id
        image = f"{base_url}/api/v1/schemes/{quote(scheme_id, safe='')}/preview.png"
        return Card(
            title=f"{name} · {where}",
            description=summary[:DESCRIPTION_MAX],
            image=image if self._store.has(scheme_id) or seen.state().targets else None,
            locale="zh_CN" if chinese else "en_GB",
        )
