"""What a link tells of itself: whole, escaped, and the page otherwise as it was."""

from __future__ import annotations

from html.parser import HTMLParser

from cim.web.cards import Card, with_card

PAGE = "<!doctype html><html><head><title>x</title></head><body></body></html>"


class Metas(HTMLParser):
    """Every tag of a page, and the content of its metas by name."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.metas: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        named = dict(attrs)
        if tag == "meta":
            self.metas[named.get("property") or named.get("name") or ""] = named.get("content") or ""


def test_a_card_is_in_the_head() -> None:
    card = Card("Mid-rise · Helsinki", "Two blocks.", "https://city.example/p.png")
    found = Metas(with_card(PAGE, card)).metas
    assert found["og:title"] == "Mid-rise · Helsinki"
    assert found["og:description"] == found["description"] == "Two blocks."
    assert found["og:image"] == "https://city.example/p.png"
    assert found["twitter:card"] == "summary_large_image"


def test_words_cannot_leave_their_attribute() -> None:
    wicked = "\"><script>alert(1)</script><meta content='"
    page = Metas(with_card(PAGE, Card(wicked, wicked, None)))
    assert "script" not in page.tags
    assert page.metas["og:title"] == wicked
    assert page.metas["og:description"] == wicked


def test_without_a_picture_none_is_promised() -> None:
    found = Metas(with_card(PAGE, Card("x", "", None))).metas
    assert "og:image" not in found
    assert "og:description" not in found
    assert found["twitter:card"] == "summary"


def test_a_page_without_a_head_stays() -> None:
    assert with_card("<p>x</p>", Card("x", "y", None)) == "<p>x</p>"
