"""Columns of a layer as the values of attributes: lengths in metres, counts, years, texts, all else as it is; pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cim.city.model import HEIGHT_M_MAX
from ingest.mapping import COUNTS, LENGTHS, TARGETS, YEARS, FieldRule
from ingest.readers.osm_tags import LENGTH_M_MAX, LEVELS_MAX, length_m, level_count

YEAR_RANGE: Final = (1000, 2100)
TEXT_LENGTH_MAX: Final = 4_000
"""Characters of one attribute's text that are kept."""
BELOW_MAX: Final = 50
LANES_MAX: Final = 16

Values = list[Any]


def plain_values(column: pa.Array) -> tuple[Values, set[int]]:
    """Return a column as JSON values, and the rows whose text is in another encoding than the file says."""
    broken: set[int] = set()
    try:
        values = column.to_pylist()
    except (UnicodeDecodeError, pa.ArrowInvalid):
        values = []
        for row, blob in enumerate(column.cast(pa.large_binary() if _is_large(column) else pa.binary()).to_pylist()):
            text = None if blob is None else blob.decode("utf-8", "replace")
            if text is not None and "\ufffd" in text:
                broken.add(row)
            values.append(text)
    except (ValueError, OverflowError):
        # Dates outside of what Python can say.
        values = column.cast(pa.string()).to_pylist()
    return [_json(value) for value in values], broken


def _is_large(column: pa.Array) -> bool:
    return bool(pa.types.is_large_string(column.type))


def _json(value: Any) -> Any:
    """Return a value as JSON may say it; bytes and what is not finite become ``None``."""
    if value is None or isinstance(value, bool | int):
        return value
    found: Any = None
    match value:
        case float() | Decimal():
            found = float(value) if math.isfinite(value) else None
        case str():
            found = value[:TEXT_LENGTH_MAX].strip() or None
        case datetime() | date() | time():
            found = value.isoformat()
        case list():
            found = [_json(item) for item in value]
        case dict():
            found = {str(name): _json(item) for name, item in value.items()}
        case bytes():
            pass
        case _:
            found = str(value)[:TEXT_LENGTH_MAX]
    return found


def numbers(target: str, rule: FieldRule, values: Values) -> NDArray[np.float64]:
    """Return the numbers of an attribute in SI units, NaN where there is none or one that cannot be."""
    read = _reading(target, rule.metres)
    return np.array([read(value) for value in values], dtype=np.float64)


def _reading(target: str, metres: float) -> Callable[[Any], float]:
    if target in LENGTHS or target not in TARGETS:
        signed = target not in LENGTHS or target in {"ground_m", "min_height_m"}
        return lambda value: _length(value, metres, signed=signed)
    if target in YEARS:
        return _year
    most = LEVELS_MAX if target == "storeys_above_ground" else LANES_MAX if target == "lanes" else BELOW_MAX
    return lambda value: _count(value, most)


def _length(value: Any, metres: float, *, signed: bool) -> float:
    if isinstance(value, str):
        number = _number(value)
        # A text may carry its own unit: "12.5 m", "40 ft".
        own = length_m(value) if number is None else None
        found = own if own is not None else math.nan if number is None else number * metres
    else:
        found = float(value) * metres if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if signed:
        return found if abs(found) <= HEIGHT_M_MAX else math.nan
    return found if 0 < found <= LENGTH_M_MAX else math.nan


def _count(value: Any, most: float) -> float:
    if isinstance(value, str):
        value = level_count(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value) if 0 < value <= most else math.nan


def _year(value: Any) -> float:
    if isinstance(value, str):
        head = value.strip()[:4]
        value = int(head) if head.isascii() and head.isdigit() and len(head) == 4 else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(int(value)) if YEAR_RANGE[0] <= value <= YEAR_RANGE[1] else math.nan


def _number(text: str) -> float | None:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None


def member_of(target: str, value: float) -> dict[str, Any]:
    """Return a number as a member of the columns' JSON."""
    return {"v": round(value)} if target in COUNTS | YEARS else {"v": round(value, 3), "u": "m"}


def key_of(value: Any) -> str | None:
    """Return the text of an identifying value, ``None`` where it identifies nothing."""
    if value is None or isinstance(value, bool | list | dict):
        return None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value).strip() or None


def texts(values: Values) -> list[str | None]:
    """Return values as texts."""
    return [key_of(value) for value in values]
