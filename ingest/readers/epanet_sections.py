"""The sections of an EPANET input file as rows of words."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Final, TypeAlias

from ingest.readers.limits import LINE_BYTES_MAX, NETWORK_ELEMENTS_MAX, check_limit

Row: TypeAlias = tuple[int, list[str]]
"""Line number, from 1, and the words of the line."""

_READ: Final = (
    "JUNCTIONS", "RESERVOIRS", "TANKS", "PIPES", "PUMPS", "VALVES", "DEMANDS", "STATUS", "OPTIONS", "COORDINATES",
    "VERTICES", "TITLE", "PATTERNS", "CURVES", "CONTROLS", "RULES", "ENERGY", "EMITTERS", "QUALITY", "SOURCES",
    "REACTIONS", "MIXING", "TIMES",
)  # fmt: skip


def read_sections(path: Path) -> dict[str, list[Row]]:
    """Return the rows of the sections that say what a network is and how it is run; without comments.

    Section names may be shortened to four letters and be in any case, as EPANET allows.
    """
    sections: dict[str, list[Row]] = defaultdict(list)
    current = ""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LINE_BYTES_MAX + 1):
            number += 1
            check_limit("LINE_BYTES_MAX", len(line), LINE_BYTES_MAX, f"The length of line {number} in bytes")
            text = _text(line).partition(";")[0].strip()
            if text.startswith("["):
                current = _section(text)
                if current == "END":
                    break
            elif text and current:
                sections[current].append((number, text.split()))
                check_limit("NETWORK_ELEMENTS_MAX", len(sections[current]), NETWORK_ELEMENTS_MAX, "The number of rows")
    return sections


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _section(text: str) -> str:
    name = text[1:].partition("]")[0].strip().upper()
    if name.startswith("END"):
        return "END"
    return next((full for full in _READ if name[:4] == full[:4]), "")
