"""The documents as plain pages: all that the JSON says, every link a hyperlink (``/req/html/content``).  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import orjson


def page(title: str, document: Mapping[str, Any]) -> bytes:
    """Return an HTML 5 page with the links of a document and the document itself."""
    text = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)
    parts = [
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{escape(title)}</title></head>\n<body>\n<main>\n<h1>{escape(title)}</h1>",
        _links(document),
        *_members(document),
        f"<pre>{escape(text.decode())}</pre>",
        "</main>\n</body>\n</html>\n",
    ]
    return "\n".join(parts).encode()


def _links(document: Mapping[str, Any]) -> str:
    rows = [
        f'<li><a href="{escape(item["href"])}">{escape(item.get("title") or item["href"])}</a> '
        f"({escape(item['rel'])}, {escape(item['type'])})</li>"
        for item in document.get("links", ())
    ]
    return f"<ul>{''.join(rows)}</ul>"


def _members(document: Mapping[str, Any]) -> list[str]:
    """Return the links of what is inside of a list document, under its name."""
    return [f"<h2>{escape(member['title'])}</h2>{_links(member)}" for member in document.get("collections", ())]
