"""Values of OpenStreetMap tags as numbers in SI units; pure.

The forms are those of https://wiki.openstreetmap.org/wiki/Map_features/Units: ``12``, ``12.13 m``,
``40 ft``, ``12'6"``, ``50 mph``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from cim.units import INTERNATIONAL_FOOT_M

INCH_M: Final = 0.0254
MILE_KM: Final = 1.609344
LENGTH_M_MAX: Final = 1000.0
LEVELS_MAX: Final = 200.0
SPEED_KM_H_MAX: Final = 200.0

_METRES = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:m|metres?|meters?)?")
_FEET = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:ft|feet|foot)")
_FEET_INCHES = re.compile(r"(\d+(?:\.\d+)?)\s*['′]\s*(?:(\d+(?:\.\d+)?)\s*(?:\"|″|'')?)?")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_SPEED = re.compile(r"(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph)?")
_YEAR = re.compile(r"(?:~|c\.?\s*)?(\d{4})(?:-\d{2}){0,2}")

Tags = Mapping[str, str]


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def length_m(text: str | None) -> float | None:
    """Return metres, above 0 and at most ``LENGTH_M_MAX``, or ``None`` where the text is no such length."""
    if text is None:
        return None
    text = text.strip().lower()
    value: float | None = None
    if match := _METRES.fullmatch(text):
        value = _number(match[1])
    elif match := _FEET.fullmatch(text):
        value = _number(match[1]) * INTERNATIONAL_FOOT_M
    elif match := _FEET_INCHES.fullmatch(text):
        value = float(match[1]) * INTERNATIONAL_FOOT_M + float(match[2] or 0) * INCH_M
    return value if value is not None and 0 < value <= LENGTH_M_MAX else None


def level_count(text: str | None) -> float | None:
    """Return the levels of a building; of a list or a range (``5;6``, ``3-4``) the largest."""
    if text is None:
        return None
    parts = [part.strip() for part in re.split(r"[;\-]", text)]
    if not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    value = max(_number(part) for part in parts)
    return value if 0 < value <= LEVELS_MAX else None


def speed_km_h(text: str | None) -> float | None:
    """Return a speed limit in km/h, or ``None``."""
    match = _SPEED.fullmatch(text.strip().lower()) if text else None
    if match is None:
        return None
    value = float(match[1]) * (MILE_KM if match[2] == "mph" else 1.0)
    return value if 0 < value <= SPEED_KM_H_MAX else None


def whole_number(text: str | None, *, least: int, most: int) -> int | None:
    """Return a whole number between two limits, or ``None``; of a list the first."""
    first = text.split(";")[0].strip() if text else ""
    if not first.isascii() or not first.isdigit() or len(first) > 9:
        return None
    value = int(first)
    return value if least <= value <= most else None


def year(text: str | None) -> int | None:
    """Return the year of a ``start_date`` such as ``1899``, ``~1899`` or ``1899-05-01``."""
    match = _YEAR.fullmatch(text.strip().lower()) if text else None
    return int(match[1]) if match else None


def address(tags: Tags) -> str | None:
    """Return ``street number`` where a feature has both, or what it has of them."""
    parts = [tags[key] for key in ("addr:street", "addr:housenumber") if key in tags]
    return " ".join(parts) or None


def is_below_ground(tags: Tags) -> bool:
    """Tell whether a feature lies under or inside something, so that it is no part of the ground's picture."""
    if tags.get("tunnel", "no") not in {"no", "building_passage"}:
        return True
    if tags.get("location") in {"underground", "indoor"} or tags.get("indoor", "no") != "no":
        return True
    if tags.get("parking") in {"underground", "multi-storey", "rooftop"}:
        return True
    return tags.get("layer", "0").strip().startswith("-") or tags.get("level", "0").strip().startswith("-")
