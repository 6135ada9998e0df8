"""One HTML file that shows a view of a city from ``file://`` and asks nobody for anything.  Pure.

The file carries the viewer's own bundle, the view's specification, and every file that the
specification leads to, under the path that the server has it at: gzipped, in base64, each in a
``script`` element of a type that never runs.  The bundle (``viewer/web/src/export``) answers its own
``fetch`` from them, so that the same code draws the city as on the server's pages.

A content security policy in the file names the digest of the one script and the one style sheet
(CSP Level 3, ``hash-source``) and allows no connection but to ``data:`` and ``blob:``.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cim.errors import LimitExceeded

EXPORT_BYTES_MAX: Final = 64_000_000
"""Bytes of tiles and features, before compression, that one file may carry: a browser holds them all."""

GZIP_LEVEL: Final = 9

_SCRIPT_END: Final = re.compile(r"</(?=script)", re.IGNORECASE)
_MEDIA: Final = {".glb": "model/gltf-binary", ".json": "application/json"}
_MEDIA_FEATURES: Final = "application/geo+json"


@dataclass(frozen=True, slots=True)
class Bundle:
    """The built viewer of exported pages: one classic script and one style sheet."""

    script: str
    style: str


@dataclass(frozen=True, slots=True)
class ExportedView:
    """What is exported.

    ``spec`` is the view's specification, ``city`` what ``/api/v1/city`` says, ``datastreams`` the
    sensors with their latest values, ``files`` the bytes behind every path in the specification and
    in the tilesets.  ``exported_at`` is timezone-aware.
    """

    view: str
    exported_at: datetime
    spec: Mapping[str, Any]
    city: Mapping[str, Any]
    datastreams: Sequence[Mapping[str, Any]]
    files: Mapping[str, bytes]


def export_html(exported: ExportedView, bundle: Bundle) -> bytes:
    """Return the page, UTF-8; the same input gives the same bytes.

    Raises :class:`LimitExceeded` where the files are more than :data:`EXPORT_BYTES_MAX`.
    """
    check_size(sum(len(content) for content in exported.files.values()))
    return "\n".join(_lines(exported, bundle)).encode()


def check_size(size_bytes: int) -> None:
    """Raise :class:`LimitExceeded` where so many bytes are too many for one file."""
    if size_bytes > EXPORT_BYTES_MAX:
        raise LimitExceeded(
            f"The city has more than {EXPORT_BYTES_MAX // 1_000_000} MB of tiles and features; "
            "one HTML file cannot carry them.",
            hint="Copy the tiles instead: cim tiles export; or serve the city: cim serve.",
            limit="export_bytes_max",
            value=EXPORT_BYTES_MAX,
            size_bytes=size_bytes,
        )


def content_security_policy(script: str, style: str) -> str:
    """Return the policy of a page with this one script and this one style sheet, as they stand in it."""
    return (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "img-src data: blob:; connect-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def script_text(code: str) -> str:
    r"""Return a script that a parser of HTML reads to its end and no further.

    ``</script`` ends the element, ``<!--`` changes what ends it.  In JavaScript both stand in
    strings, templates and regular expressions only, where ``\/`` and ``\x3c`` mean the same.
    """
    unbroken = code.replace("\r\n", "\n").replace("\r", "\n")
    return _SCRIPT_END.sub(r"<\\/", unbroken).replace("<!--", r"\x3c!--")


def style_text(style: str) -> str:
    r"""Return a style sheet that does not end its element; ``\/`` is ``/`` in CSS."""
    return style.replace("\r\n", "\n").replace("\r", "\n").replace("</", "<\\/")


def json_text(document: object) -> str:
    """Return JSON that can stand in a ``script`` element: no ``<`` in it; NaN is refused."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _lines(exported: ExportedView, bundle: Bundle) -> Iterator[str]:
    script, style = script_text(bundle.script), style_text(bundle.style)
    title = exported.city["title"]
    yield "<!doctype html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    # First of all that it rules over.
    yield f'<meta http-equiv="Content-Security-Policy" content="{content_security_policy(script, style)}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">'
    yield '<meta name="color-scheme" content="light dark">'
    yield '<meta name="referrer" content="no-referrer">'
    yield f"<title>{html.escape(title['en'])}</title>"
    yield '<link rel="icon" href="data:,">'
    yield f"<style>{style}</style>"
    yield "</head>"
    yield "<body>"
    yield "<noscript>This page draws the city with JavaScript. 本页以 JavaScript 绘制城市。</noscript>"
    yield f'<script type="application/json" id="cim-export">{json_text(_document(exported))}</script>'
    for path, content in sorted(exported.files.items()):
        media = next((kind for ending, kind in _MEDIA.items() if path.endswith(ending)), _MEDIA_FEATURES)
        packed = base64.b64encode(gzip.compress(content, GZIP_LEVEL, mtime=0)).decode()
        where = f'data-path="{html.escape(path)}" data-media="{media}"'
        yield f'<script type="application/octet-stream" {where}>{packed}</script>'
    yield f"<script>{script}</script>"
    yield "</body>"
    yield "</html>"
    yield ""


def _document(exported: ExportedView) -> dict[str, Any]:
    return {
        "view": exported.view,
        "exported_at": exported.exported_at.isoformat(),
        "spec": exported.spec,
        "city": exported.city,
        "datastreams": list(exported.datastreams),
    }
