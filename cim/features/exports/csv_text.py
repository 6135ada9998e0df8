"""Features as CSV (RFC 4180) that no spreadsheet takes for formulas.  Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import shapely

from cim.features.model import Collection, Feature

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet begins a formula with, or skips before one; wide forms are taken for the narrow ones."""

PLACE: Final = ("longitude", "latitude")


def guarded(text: str) -> str:
    """Return a text that a spreadsheet shows as it is: an apostrophe stands before what would be a formula."""
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip(" ").startswith(_FORMULA) else text


def header(collection: Collection) -> bytes:
    """Return the first line: id, properties, and a place on the feature in degrees."""
    return _lines([["id", *(guarded(item.name) for item in collection.properties), *PLACE]])


def rows(features: Sequence[Feature], collection: Collection) -> bytes:
    """Return a line a feature; places in degrees, longitude first."""
    places: Any = np.empty(len(features), dtype=object)
    places[:] = [feature.geometry for feature in features]
    points = shapely.point_on_surface(places)
    x, y = np.round(shapely.get_x(points), 7).tolist(), np.round(shapely.get_y(points), 7).tolist()
    lines = [
        [
            guarded(feature.id),
            *(_cell(feature.properties.get(item.name)) for item in collection.properties),
            *(_cell(value) for value in place),
        ]
        for feature, place in zip(features, zip(x, y, strict=True), strict=True)
    ]
    return _lines(lines)


def _cell(value: Any) -> str:
    if value is None or value != value:  # noqa: PLR0124 -- NaN
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else guarded(str(value))


def _lines(lines: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(lines)
    return out.getvalue().encode()
