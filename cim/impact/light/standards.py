"""Which day, hours and least sun a place counts, and how many hours its homes must have: data, with sources.

``standards.json`` holds one record per rule.  ``evidence`` is ``excerpt`` where only an excerpt of the clause was
seen: to be confirmed against the official text; ``own`` is a choice of this program.  Hours are true solar time
(the sun is in the meridian at 12).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, Final, Literal

import orjson

from cim.errors import InvalidInput
from cim.impact.model import Title

SAMPLE: Final = "sample-equinox"
Evidence = Literal["read", "excerpt", "own"]


@dataclass(frozen=True, slots=True)
class LightStandard:
    """One rule of sunlight: the day by the sun's ecliptic longitude, the hours counted, and its limits."""

    id: str
    jurisdiction: str
    title: Title
    solar_longitude_deg: float
    hours: tuple[float, float]
    elevation_deg_min: float
    homes_h_min: float
    applies: str
    source: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class LightStandards:
    """All rules by id, and which of them a factor set goes with."""

    by_id: Mapping[str, LightStandard]
    default_of: Mapping[str, str]

    def get(self, identifier: str) -> LightStandard:
        """Return one rule; raises :class:`InvalidInput` (``light-standard``) for an id that is not known."""
        found = self.by_id.get(identifier)
        if found is None:
            raise InvalidInput(
                f"There is no sunlight standard {identifier[:80]!r}.", code="light-standard", standard=identifier[:80]
            )
        return found

    def of_factor_set(self, name: str) -> LightStandard:
        """Return the rule that goes with a factor set; the sample's where none does."""
        return self.get(self.default_of.get(name, SAMPLE))


def read_standards(document: bytes) -> LightStandards:
    """Return the rules of a JSON document."""
    members = orjson.loads(document)
    standards = [_standard(record) for record in members["standards"]]
    return LightStandards({standard.id: standard for standard in standards}, members["default_of"])


@lru_cache(maxsize=1)
def light_standards() -> LightStandards:
    """Return the rules that come with the program."""
    return read_standards((resources.files("cim.impact.light") / "standards.json").read_bytes())


def _standard(record: dict[str, Any]) -> LightStandard:
    start, stop = record["hours"]
    return LightStandard(
        id=record["id"],
        jurisdiction=record["jurisdiction"],
        title=Title(record["title"]["en"], record["title"]["zh"]),
        solar_longitude_deg=float(record["solar_longitude_deg"]),
        hours=(float(start), float(stop)),
        elevation_deg_min=float(record["elevation_deg_min"]),
        homes_h_min=float(record["homes_h_min"]),
        applies=record["applies"],
        source=record["source"],
        evidence=record["evidence"],
    )
