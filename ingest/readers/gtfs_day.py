"""Which day of a GTFS feed stands for all: the one on which most trips run; pure.

GTFS Schedule Reference (gtfs.org): ``calendar.txt`` gives weekdays and a span, ``calendar_dates.txt`` adds (1)
and takes away (2) single dates.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

DAYS_MAX: Final = 3660
"""Days that one service may span: ten years."""

Span = tuple[str, tuple[bool, ...], date, date]
"""A service, the weekdays from Monday on which it runs, its first and its last day."""


def read_date(text: str) -> date | None:
    """Return a date written as YYYYMMDD."""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 and text.isdigit() else None
    except ValueError:
        return None


def busiest_day(
    spans: Iterable[Span], exceptions: Iterable[tuple[str, date, bool]], trips: Counter[str]
) -> tuple[date | None, set[str]]:
    """Return the day with most trips (the first of several) and the services that run on it.

    ``exceptions``: service, date, whether it is added; ``trips`` by service.  A feed without dates gives
    ``None`` and all services.
    """
    running: dict[date, set[str]] = defaultdict(set)
    for service, weekdays, first, last in spans:
        for number in range(min((last - first).days + 1, DAYS_MAX)):
            day = first + timedelta(days=number)
            if weekdays[day.weekday()]:
                running[day].add(service)
    for service, day, added in exceptions:
        if added:
            running[day].add(service)
        else:
            running[day].discard(service)
    if not running:
        return None, set(trips)
    best = min(running, key=lambda day: (-sum(trips[service] for service in running[day]), day))
    return best, running[best]


def read_time_s(text: str) -> int | None:
    """Return seconds after midnight of the service day; hours go beyond 24 for what runs after midnight."""
    parts = text.split(":")
    if len(parts) != 3 or not all(part.isdigit() and len(part) <= 3 for part in parts):
        return None
    hours, minutes, seconds = (int(part) for part in parts)
    return hours * 3600 + minutes * 60 + seconds if minutes < 60 and seconds < 60 else None
