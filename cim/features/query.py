"""Read the parameters of a request for items.  Pure.

OGC 17-069r4: ``/req/core/fc-bbox-definition``, ``fc-limit-definition``, ``fc-time-definition``,
``query-param-unknown``, ``query-param-invalid``: what is not known or not valid is 400.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import shapely

from cim.errors import InvalidInput
from cim.features.columns import ID
from cim.features.conditions import Always, AnyOf, Compare, Condition, Constant, Meets, Named
from cim.features.cql2_tree import GEOMETRY, LANGS, read_filter
from cim.features.crs import DEGREE_DECIMALS, LONGITUDE_LATITUDE, FeatureCrs, chosen
from cim.features.model import (
    LIMIT_DEFAULT,
    LIMIT_MAX,
    OFFSET_MAX,
    Collection,
    ItemsQuery,
    Property,
)
from cim.features.model_types import Bbox, Scalar
from cim.features.paging import read_cursor

ITEMS_PARAMETERS: Final = (
    "bbox",
    "bbox-crs",
    "crs",
    "cursor",
    "datetime",
    "f",
    "filter",
    "filter-crs",
    "filter-lang",
    "limit",
    "offset",
    "sortby",
)
FORMATS: Final = ("json", "html")
SORTS_MAX: Final = 4
"""Properties that items are put in order by."""

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


def check_format(values: dict[str, str], formats: Sequence[str] = FORMATS) -> str | None:
    """Return the format that ``f`` asks for, if it does."""
    wanted = values.get("f")
    if wanted is not None and wanted not in formats:
        raise _invalid("f", "That format is not offered.", f"Known: {', '.join(formats)}.")
    return wanted


def named_properties(collection: Collection) -> list[Named]:
    """Return what a filter may name of a collection: its properties and its ids."""
    own = [Named(item.name, item.type) for item in collection.properties]
    return own if any(item.name == ID for item in own) else [Named(ID, "string"), *own]


def read_items_request(
    pairs: Sequence[tuple[str, str]], collection: Collection, formats: Sequence[str] = FORMATS
) -> ItemsRequest:
    """Return what a query string asks of a collection."""
    filterable = {item.name: item for item in collection.properties if item.name not in ITEMS_PARAMETERS}
    values = single_values(pairs, [*ITEMS_PARAMETERS, *filterable])
    check_format(values, formats)
    sortby = _read_sortby(values["sortby"], collection) if "sortby" in values else ()
    if "cursor" in values and "offset" in values:
        raise _invalid("offset", "A page begins at an offset or behind a cursor, not both.")
    query = ItemsQuery(
        limit=min(read_count("limit", values.get("limit"), LIMIT_DEFAULT, least=1), LIMIT_MAX),
        offset=read_count("offset", values.get("offset"), 0, least=0, most=OFFSET_MAX),
        where=tuple(_conditions(values, collection, filterable)),
        sortby=sortby,
        cursor=read_cursor(values["cursor"], len(sortby)) if "cursor" in values else None,
        crs=_system("crs", values, collection),
    )
    return ItemsRequest(query, read_datetime(values["datetime"]) if "datetime" in values else None)


def _system(name: str, values: Mapping[str, str], collection: Collection) -> FeatureCrs:
    return chosen(name, values[name], collection.crs) if name in values else LONGITUDE_LATITUDE


def _conditions(
    values: Mapping[str, str], collection: Collection, filterable: Mapping[str, Property]
) -> Iterator[Condition]:
    bbox_crs, filter_crs = _system("bbox-crs", values, collection), _system("filter-crs", values, collection)
    if "bbox" in values:
        boxes = tuple(Meets(shapely.box(*box), bbox_crs) for box in read_bbox(values["bbox"], bbox_crs))
        yield boxes[0] if len(boxes) == 1 else AnyOf(boxes)
    lang = values.get("filter-lang", LANGS[0])
    if lang not in LANGS:
        raise _invalid("filter-lang", "That language of filters is not offered.", f"Known: {', '.join(LANGS)}.")
    if "filter" in values:
        yield read_filter(values["filter"], lang, named_properties(collection), filter_crs)
    for name, text in values.items():
        if name in filterable:
            value = read_scalar(filterable[name], text)
            named = Named(name, filterable[name].type)
            yield Compare("=", named, Constant(value)) if not isinstance(value, float) else _equal(named, value)


def _equal(named: Named, value: float) -> Condition:
    return Compare("=", named, Constant(value)) if math.isfinite(value) else Always(value=False)


def _read_sortby(text: str, collection: Collection) -> tuple[tuple[str, bool], ...]:
    """Return properties to order by, each with whether the largest comes first (``-name``)."""
    known = {item.name for item in named_properties(collection)}
    sorts = []
    for part in text.split(","):
        # A plus in an address that was not encoded arrives as a space.
        name = part.strip().lstrip("+") if not part.startswith("-") else part[1:]
        if name not in known or name == GEOMETRY:
            raise _invalid("sortby", "sortby names a property that the collection has not.", "+name,-height_m")
        sorts.append((name, part.startswith("-")))
    if len(sorts) > SORTS_MAX:
        raise _invalid("sortby", f"sortby names more than {SORTS_MAX} properties.")
    return tuple(sorts)


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


def read_bbox(text: str, system: FeatureCrs = LONGITUDE_LATITUDE) -> tuple[Bbox, ...]:
    """Return the boxes of a ``bbox`` of 4 or 6 numbers, easting or longitude first.

    The numbers are in the order of the system's axes.  Heights are not compared: the collections are of places on
    the map.  West of more than east crosses the antimeridian and becomes two boxes.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise _invalid("bbox", "bbox holds something that is not a number.") from None
    if len(numbers) not in (4, 6) or not all(math.isfinite(number) for number in numbers):
        raise _invalid("bbox", "bbox is not 4 or 6 finite numbers.", "west,south,east,north")
    half = len(numbers) // 2
    low, high = numbers[:half], numbers[half:]
    if half == 3 and low[2] > high[2]:
        raise _invalid("bbox", "The heights of bbox are the wrong way round.")
    x, y = (1, 0) if system.swapped else (0, 1)
    west, south, east, north = low[x], low[y], high[x], high[y]
    if system.decimals != DEGREE_DECIMALS:
        if west > east or south > north:
            raise _invalid("bbox", "bbox is the wrong way round.", "The lower corner comes first.")
        return ((west, south, east, north),)
    if not (-180.0 <= west <= 180.0 and -180.0 <= east <= 180.0 and -90.0 <= south <= north <= 90.0):
        raise _invalid("bbox", "bbox is not a box on the Earth.", "west,south,east,north in degrees, south first")
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
    if described.type == "boolean" and text in ("true", "false", "1", "0"):
        return text in ("true", "1")
    try:
        if described.type == "integer" and len(text) <= _DIGITS_MAX:
            return int(text)
        if described.type == "number" and math.isfinite(float(text)):
            return float(text)
    except ValueError:
        pass
    raise _invalid(described.name, f"The value is not a {described.type}.")
