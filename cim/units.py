"""Units: SI inside, conversion at the edge only.

A unit is written as its UCUM code (https://ucum.org), e.g. ``m``, ``m2``, ``m3/s``; the client
chooses what a person reads (``m³/s`` or ``L/s``).
"""

from __future__ import annotations

from typing import Final

US_SURVEY_FOOT_M: Final = 1200 / 3937
"""NIST SP 811, B.6: the U.S. survey foot, metres."""

INTERNATIONAL_FOOT_M: Final = 0.3048
"""ISO 80000-3: the international foot, metres."""

SECONDS_PER_HOUR: Final = 3600.0
SECONDS_PER_DAY: Final = 86_400.0

UNITS: Final[frozenset[str]] = frozenset(
    {
        "1",
        "%",
        "m",
        "m2",
        "m3",
        "m3/s",
        "m/s",
        "km/h",
        "kW",
        "kW.h",
        "V",
        "A",
        "s",
        "min",
        "h",
        "a",
        "deg",
        "Cel",
        "{veh}/h",
        "t",
        "t/a",
        "kW.h/a",
        "CNY",
        "{dwelling}",
        "{person}",
        "{job}",
        "{place}",
        "m2/{person}",
    }
)
"""Every unit that an attribute, an indicator or a datastream may carry."""


def is_unit(code: str) -> bool:
    """Tell whether a UCUM code is one of those that the city uses."""
    return code in UNITS
