"""Read the parameters of a request for items.  Pure.

OGC 17-069r4: ``/req/core/fc-bbox-definition``, ``fc-limit-definition``, ``fc-time-definition``,
``query-param-unknown``, ``query-param-invalid``: what is not known or not valid is 400.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cim.errors import InvalidInput
from cim.features.model import (
    CRS84,
    LIMIT_DEFAULT,
    LIMIT_MAX,
    OFFSET_MAX,
    Bbox,
    Collection,
    ItemsQuery,
    Property,
    Scalar,
)

ITEMS_PARAMETERS: Final = ("bbox", "bbox-crs", "crs", "datetime", "f", "limit", "offset")
FORMATS: Final = ("json", "html")

_CRS84_NAMES: Final = frozenset({CRS84, "http://www.opengis.net/def/crs/OGC/0/CRS84", "OGC:CRS84"})
_OPEN_END: Final = frozenset({"", ".."})
_DIGITS_MAX: Final = 18

Interval = tuple[datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class ItemsRequest:
    """A request for items: the query of the source, and what the service itself decides by."""

    query: ItemsQuery
    when: Interval | None = None


def _invalid(name: str, message: str, hint: str = "") -> InvalidInput:
    return InvalidInput(message, hint=hint, code="parameter", parameter=name[:80])


def single_values(pairs: Iterable[tuple[str, str]], known: Iterable[str]) -> dict[str, str]:
    """Return each parameter once; raises :class:`InvalidInput` for an unknown or a repeated one."""
    names = frozenset(known)
    values: dict[str, str] = {}
    for name, value in pairs:
        if name not in names:
            raise _invalid(name, "There is no such parameter here.", f"Known: {', '.join(sorted(names))}.")
        if name in values:
            raise _invalid(name, "A parameter is given twice.")
        values[name] = value
    return values


def check_format(values: dict[str, str]) -> str | None:
    """Return ``json`` or ``html`` if ``f`` asks for one."""
    wanted = values.get("f")
    if wanted is not None and wanted not in FORMATS:
        raise _invalid("f", "That format is not offered.", f"Known: {', '.join(FORMATS)}.")
    return wanted


def read_items_request(pairs: Sequence[tuple[str, str]], collection: Collection) -> ItemsRequest:
    """Return what a query string asks of a collection."""
    filterable = {item.name for item in collection.properties} - set(ITEMS_PARAMETERS)
    values = single_values(pairs, [*ITEMS_PARAMETERS, *filterable])
    check_format(values)
    for name in ("bbox-crs", "crs"):
        if name in values and values[name] not in _CRS84_NAMES:
            raise _invalid(name, "Only longitude and latitude (CRS84) is offered.", f"Use {CRS84}.")
    filters = {}
    for name, text in values.items():
        described = collection.property_named(name) if name in filterable else None
        if described is not None:
            filters[name] = read_scalar(described, text)
    query = ItemsQuery(
        limit=min(read_count("limit", values.get("limit"), LIMIT_DEFAULT, least=1), LIMIT_MAX),
        offset=read_count("offset", values.get("offset"), 0, least=0, most=OFFSET_MAX),
        boxes=read_bbox(values["bbox"]) if "bbox" in values else (),
        filters=filters,
    )
    return ItemsRequest(query, read_datetime(values["datetime"]) if "datetime" in values else None)


def read_count(name: str, text: str | None, default: int, *, least: int, most: int | None = None) -> int:
    """Return a whole number; a ``limit`` above the maximum is capped by the caller, as the standard has it."""
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS_MAX:
        raise _invalid(name, f"{name} is not a whole number.")
    value = int(text)
    if value < least or (most is not None and value > most):
        raise _invalid(name, f"{name} is out of range.", f"From {least:,}" + (f" to {most:,}." if most else "."))
    return value


def read_bbox(text: str) -> tuple[Bbox, ...]:
    """Return the boxes of a ``bbox`` of 4 or 6 numbers.

    Heights are not compared: the collections are of places on the map.  West of more than east
    crosses the antimeridian and becomes two boxes.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise _invalid("bbox", "bbox holds something that is not a number.") from None
    if len(numbers) not in (4, 6) or not all(math.isfinite(number) for number in numbers):
        raise _invalid("bbox", "bbox is not 4 or 6 finite numbers.", "west,south,east,north")
    half = len(numbers) // 2
    low, high = numbers[:half], numbers[half:]
    west, south, east, north = low[0], low[1], high[0], high[1]
    if not (-180.0 <= west <= 180.0 and -180.0 <= east <= 180.0 and -90.0 <= south <= north <= 90.0):
        raise _invalid("bbox", "bbox is not a box on the Earth.", "west,south,east,north in degrees, south first")
    if half == 3 and low[2] > high[2]:
        raise _invalid("bbox", "The heights of bbox are the wrong way round.")
    if west > east:
        return (west, south, 180.0, north), (-180.0, south, east, north)
    return ((west, south, east, north),)


def read_datetime(text: str) -> Interval:
    """Return the instant or interval of a ``datetime``; ``None`` is an open end.

    RFC 3339, or ``start/end`` with ``..`` or nothing for an open end.
    """
    parts = text.split("/")
    if len(parts) == 1:
        instant = _instant(parts[0])
        return instant, instant
    if len(parts) == 2:
        start, end = (None if part in _OPEN_END else _instant(part) for part in parts)
        if start is None or end is None or start <= end:
            return start, end
    raise _invalid("datetime", "datetime is not an instant or an interval.", "2026-01-01T00:00:00Z/..")


def _instant(text: str) -> datetime:
    try:
        # RFC 3339 section 5.6 allows lower case; Python's parser takes more, hence the length.
        value = datetime.fromisoformat(text.upper())
    except ValueError:
        value = None
    if value is None or len(text) < len("2026-01-01"):
        raise _invalid("datetime", "datetime holds something that is not a time.", "2026-01-01T00:00:00Z")
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def intersects(interval: Interval, when: Interval) -> bool:
    """Tell whether two intervals have an instant in common; ``None`` is an open end."""
    (start, end), (wanted_start, wanted_end) = interval, when
    begins_in_time = start is None or wanted_end is None or start <= wanted_end
    ends_in_time = end is None or wanted_start is None or end >= wanted_start
    return begins_in_time and ends_in_time


def read_scalar(described: Property, text: str) -> Scalar:
    """Return a property's value from its text; raises :class:`InvalidInput` if it is not of its type."""
    if described.type == "string":
        return text
    if described.type == "boolean" and text in ("true", "false"):
        return text == "true"
    try:
        if described.type == "integer" and len(text) <= _DIGITS_MAX:
            return int(text)
        if described.type == "number" and math.isfinite(float(text)):
            return float(text)
    except ValueError:
        pass
    raise _invalid(described.name, f"The value is not a {described.type}.")
