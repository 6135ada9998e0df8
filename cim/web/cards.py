"""What a page tells a reader of links before it is opened (Open Graph, https://ogp.me): pure."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Final

_HEAD: Final = "<head>"


@dataclass(frozen=True, slots=True)
class Card:
    """Title, description and picture of a link."""

    title: str
    description: str
    image: str | None
    locale: str = "en_GB"


def with_card(page: str, card: Card) -> str:
    """Return a page with the card in its head; every word is escaped. A page without a head is as it was."""
    tags = {
        "og:type": "website",
        "og:title": card.title,
        "og:description": card.description,
        "og:locale": card.locale,
        **({"og:image": card.image} if card.image is not None else {}),
    }
    lines = "".join(f'<meta property="{name}" content="{escape(text)}">' for name, text in tags.items() if text)
    shown = "summary_large_image" if card.image is not None else "summary"
    lines += f'<meta name="twitter:card" content="{shown}">'
    if card.description:
        lines += f'<meta name="description" content="{escape(card.description)}">'
    return page.replace(_HEAD, _HEAD + lines, 1)
