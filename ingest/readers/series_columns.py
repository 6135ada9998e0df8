"""Columns of observations as text or typed values, to arrays with what is wrong set apart; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

EARLIEST: Final = np.datetime64("1900-01-01", "us")
LATEST: Final = np.datetime64("2200-01-01", "us")


@dataclass(frozen=True, slots=True)
class Times:
    """Instants in UTC, ``datetime64[us]``; NaT where ``good`` is false."""

    values: NDArray[np.datetime64]
    good: NDArray[np.bool_]


def to_times(column: pa.Array, zone: ZoneInfo | None) -> Times:
    """Return instants; ``zone`` is that of times that say none, without it those are wrong."""
    if pa.types.is_timestamp(column.type):
        if column.type.tz is None:
            if zone is None:
                return _checked(np.full(len(column), np.datetime64("NaT", "us")))
            column = pc.assume_timezone(column, str(zone), ambiguous="earliest", nonexistent="earliest")
        values = column.cast(pa.timestamp("us", "UTC"), safe=False)
        return _checked(np.asarray(values.to_numpy(zero_copy_only=False), dtype="datetime64[us]"))
    text = column.cast(pa.string())
    try:
        values = text.cast(pa.timestamp("us", "UTC"))
        return _checked(np.asarray(values.to_numpy(zero_copy_only=False), dtype="datetime64[us]"))
    except pa.ArrowInvalid:
        return _checked(np.array([_instant(item, zone) for item in text.to_pylist()], dtype="datetime64[us]"))


def _instant(text: str | None, zone: ZoneInfo | None) -> np.datetime64:
    try:
        moment = datetime.fromisoformat(text.strip()) if text else None
    except ValueError:
        moment = None
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone) if zone is not None else None
    try:
        plain = None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        plain = None
    return np.datetime64("NaT", "us") if plain is None else np.datetime64(plain, "us")


def _checked(values: NDArray[np.datetime64]) -> Times:
    # NaT fails every comparison.
    return Times(values, (values >= EARLIEST) & (values < LATEST))


def to_numbers(column: pa.Array) -> NDArray[np.float64]:
    """Return float64; NaN for what is no finite number."""
    try:
        values: Any = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        values = np.array([_number(item) for item in column.to_pylist()], dtype=np.float64)
    numbers = np.array(values, dtype=np.float64)
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def _number(item: Any) -> float:
    try:
        return float(item)
    except (TypeError, ValueError):
        return float("nan")
