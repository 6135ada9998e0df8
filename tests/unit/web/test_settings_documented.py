"""docs/settings.md says what the settings are: each, its default, its words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from cim.config import Settings

PAGE = Path(__file__).parents[3] / "docs/settings.md"


def test_every_setting_is_on_the_page_with_its_default_and_no_other() -> None:
    rows = re.findall(r"^\| `(CIM_\w+)` \| (?:`(.*?)`|none) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    assert [name for name, _, _ in rows] == [f"CIM_{name.upper()}" for name in Settings.model_fields]
    for name, default, words in rows:
        field = Settings.model_fields[name.removeprefix("CIM_").lower()]
        assert words == field.description
        shown = "" if field.default == () else str(field.default).lower().removesuffix(".0")
        assert default == shown


def test_lists_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIM_ALLOWED_HOSTS", "City.Example, other.example,")
    monkeypatch.setenv("CIM_ALLOWED_ORIGINS", "https://maps.example/")
    settings = Settings()
    assert settings.allowed_hosts == ("city.example", "other.example")
    assert settings.allowed_origins == ("https://maps.example",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "70000"),
        ("RATE_PER_S", "-1"),
        ("BODY_BYTES_MAX", "much"),
        ("EMBED_ORIGINS", "https://a.example; script-src *"),
    ],
)
def test_a_wrong_value_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"CIM_{name}", value)
    with pytest.raises(ValidationError):
        Settings()
