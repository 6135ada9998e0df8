"""Preview pictures: kept for a planner, shown to whoever may see the scheme, told in a page's head."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote

from cim.accounts.model import Role
from cim.errors import NotFound
from cim.schemes.model import BASE, Text
from cim.schemes.pictures.png import check_picture
from cim.schemes.pictures.store import PictureStore
from cim.schemes.service import SchemeService
from cim.web.cards import Card

DESCRIPTION_MAX: Final = 300
"""Characters: what readers of cards show of a description."""


class PictureService:
    """The pictures of a city's schemes; ``city`` says what the city is called."""

    def __init__(self, schemes: SchemeService, store: PictureStore, city: Callable[[], Text]) -> None:
        self._schemes = schemes
        self._store = store
        self._city = city

    def keep(self, scheme_id: str, content: bytes) -> None:
        """Keep a scheme's picture; raises :class:`NotFound`, and what ``check_picture`` raises."""
        self._schemes.seen(scheme_id, Role.PLANNER)
        check_picture(content)
        self._store.write(scheme_id, content)

    def picture(self, scheme_id: str, role: Role) -> bytes:
        """Return the picture of a scheme that may be seen; raises :class:`NotFound`."""
        self._schemes.seen(scheme_id, role)
        content = self._store.read(scheme_id)
        if content is None:
            raise NotFound("This scheme has no picture.", hint="It gets one when it is published.", code="picture")
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
            image=image if self._store.has(scheme_id) else None,
            locale="zh_CN" if chinese else "en_GB",
        )
