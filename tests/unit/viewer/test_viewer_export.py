"""The exported page as an HTML parser reads it: what runs, what is data, what may be asked for."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from cim.errors import LimitExceeded
from viewer import export
from viewer.export import Bundle, ExportedView, export_html

NASTY = "const a = '</script><script>alert(1)</script>', b = `<!-- </SCRIPT >`, c = /<\\/x/;\r\nrun(a, b, '中');"
STYLE = "p::after { content: '</style><b>'; color: red }\r\n"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Parsed(HTMLParser):
    """Elements with their attributes and raw text; the standard library's parser, not ours."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], str]] = []
        self._inside = False
        self.feed(page.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), ""))
        self._inside = True

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            tag, attributes, text = self.elements[-1]
            self.elements[-1] = (tag, attributes, text + data)

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attributes, text) for name, attributes, text in self.elements if name == tag]

    def policy(self) -> dict[str, list[str]]:
        (content,) = [a["content"] for a, _ in self.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
        assert content is not None
        return {part.split()[0]: part.split()[1:] for part in content.split(";")}


def exported(**changes: Any) -> ExportedView:
    given: dict[str, Any] = {
        "view": "explore",
        "exported_at": NOW,
        "spec": {"layers": [{"id": "ground", "data": "/tiles/base/ground/tileset.json"}]},
        "city": {"title": {"en": "A <b>city</b> & its </script>", "zh": "城"}},
        "datastreams": [{"id": "s1", "latest": {"result": 1.5}}],
        "files": {
            "/tiles/base/ground/tileset.json": b'{"root":{}}',
            "/tiles/base/ground/a.glb": bytes(range(256)) * 4,
            '/ogc/collections/x/items?limit=1&n="<>': b'{"features":[]}',
        },
    }
    return ExportedView(**{**given, **changes})


def parsed(script: str = NASTY, style: str = STYLE, **changes: Any) -> Parsed:
    return Parsed(export_html(exported(**changes), Bundle(script, style)))


def runs(page: Parsed) -> list[str]:
    return [text for attributes, text in page.all("script") if "type" not in attributes]


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_one_script_runs_and_it_is_whole() -> None:
    (script,) = runs(parsed())
    assert script.endswith("run(a, b, '中');")
    # What JavaScript reads is what was built: the two escapes mean the same inside strings.
    assert script.replace("<\\/", "</").replace("\\x3c", "<") == NASTY.replace("\r\n", "\n").replace("<\\/x", "</x")


def test_nothing_in_the_script_can_change_where_it_ends() -> None:
    (script,) = runs(parsed())
    assert not re.search(r"</script|<!--", script, re.IGNORECASE)


def test_the_policy_names_the_digests_of_what_stands_in_the_page() -> None:
    page = parsed()
    ((_, style),) = page.all("style")
    assert page.policy() == {
        "default-src": ["'none'"],
        "script-src": [digest(runs(page)[0])],
        "style-src": [digest(style)],
        "img-src": ["data:", "blob:"],
        "connect-src": ["data:", "blob:"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }


def test_the_policy_comes_before_all_that_it_rules() -> None:
    first = [tag for tag, _, _ in parsed().elements if tag not in {"html", "head"}][:2]
    assert first == ["meta", "meta"]
    assert parsed().elements[3][1].get("http-equiv") == "Content-Security-Policy"


def test_data_stays_data() -> None:
    page = parsed()
    (text,) = [text for a, text in page.all("script") if a.get("id") == "cim-export"]
    assert "<" not in text
    document = json.loads(text)
    assert document["city"]["title"]["en"] == "A <b>city</b> & its </script>"
    assert document["exported_at"] == "2026-11-22T12:00:00+00:00"
    assert document["datastreams"] == [{"id": "s1", "latest": {"result": 1.5}}]
    assert [tag for tag, _, _ in page.elements if tag in {"b", "img", "iframe"}] == []


def test_every_file_can_be_read_back_under_its_path() -> None:
    given = exported().files
    held = {
        a["data-path"]: (a["type"], a["data-media"], gzip.decompress(base64.b64decode(text)))
        for a, text in parsed().all("script")
        if "data-path" in a
    }
    assert {path: content for path, (_, _, content) in held.items()} == given
    assert {kind for kind, _, _ in held.values()} == {"application/octet-stream"}
    assert sorted(media for _, media, _ in held.values()) == [
        "application/geo+json", "application/json", "model/gltf-binary",
    ]  # fmt: skip


def test_nothing_is_asked_for() -> None:
    page = parsed()
    addresses = [a[name] for _, a, _ in page.elements for name in ("src", "href", "srcset", "action") if name in a]
    assert addresses == ["data:,"]


def test_the_same_city_gives_the_same_bytes() -> None:
    assert export_html(exported(), Bundle(NASTY, STYLE)) == export_html(exported(), Bundle(NASTY, STYLE))


def test_too_large_a_city_is_refused_with_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    size = sum(len(content) for content in exported().files.values())
    monkeypatch.setattr(export, "EXPORT_BYTES_MAX", size)
    export_html(exported(), Bundle("", ""))
    monkeypatch.setattr(export, "EXPORT_BYTES_MAX", size - 1)
    with pytest.raises(LimitExceeded) as refused:
        export_html(exported(), Bundle("", ""))
    assert refused.value.params == {"limit": "export_bytes_max", "value": size - 1, "size_bytes": size}


def test_the_limit_is_64_mb() -> None:
    export.check_size(64_000_000)
    with pytest.raises(LimitExceeded, match="64 MB"):
        export.check_size(64_000_001)


def test_what_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        export_html(exported(datastreams=[{"latest": float("nan")}]), Bundle("", ""))
