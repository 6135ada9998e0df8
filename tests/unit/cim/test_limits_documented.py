"""docs/limits.md says what is bounded: each limit stands in the code with the same number."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs/limits.md"
UNITS = {"": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
ROWS = re.findall(r"^\| `([\w.]+)` \| ([\d,]+) ?(\w*) \| .+ \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def value_of(dotted: str) -> float:
    """The number behind a name: a module's own, or the default of a field of one of its classes."""
    owner, _, name = dotted.rpartition(".")
    module, _, last = owner.rpartition(".")
    if last[0].isupper():
        return getattr(getattr(importlib.import_module(module), last)(), name)
    return getattr(importlib.import_module(owner), name)


def test_every_row_of_the_page_is_a_limit() -> None:
    assert len(ROWS) == PAGE.read_text(encoding="utf-8").count("| `") > 30


@pytest.mark.parametrize(("dotted", "number", "unit"), ROWS)
def test_the_page_says_what_the_code_does(dotted: str, number: str, unit: str) -> None:
    assert value_of(dotted) == int(number.replace(",", "")) * UNITS[unit]
