"""Facts that cannot be: heights, storeys, years and areas outside what there is; pure.

The bounds are wide on purpose: what they find is an error of the file, not a rare building.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from cim.quality.layout import Flags, Floats

TALLEST_M: Final = 830.0
"""No building is taller: Burj Khalifa, 828 m (Council on Tall Buildings and Urban Habitat)."""

STOREY_M: Final = (1.8, 15.0)
"""Metres from floor to floor, low attics and high halls included, the ground under the roof divided by storeys."""

YEAR_MIN: Final = 1000
"""Years before it are codes for an unknown one in most registers."""

DRAWN_SLACK: Final = (3.0, 0.5)
"""Metres, and share of the height, by which what is drawn may differ from what is said; the larger counts."""

CHECKED_TYPES: Final = frozenset({"Building", "BuildingPart"})
_NUMBERS: Final = ("height_m", "storeys_above_ground", "storeys_below_ground", "year_of_construction")
_AREAS: Final = ("floor_area_m2", "gross_floor_area_m2", "footprint_area_m2", "area_m2")

_PLAIN: Final = frozenset({int, float, type(None)})
"""What is a number, or nothing, without looking closer."""

Members = Mapping[str, Any]
Fault = tuple[str, float]
"""The code, and what was measured, in the unit of the check."""


def suspects(types: Sequence[str], attributes: Sequence[Members], drawn_m: Floats, year_now: int | None) -> list[int]:
    """Return the rows in which :func:`check_facts` may find something, in one pass over all.

    Every row in which it would find something is among them; looking at those alone is the same and much faster.
    """
    column: dict[str, Floats] = {}
    odd = np.zeros(len(types), dtype=bool)
    for name in (*_NUMBERS, *_AREAS):
        values = [facts[name].get("v") if name in facts else None for facts in attributes]
        if not _PLAIN.issuperset(map(type, values)):
            odd |= np.array([type(value) not in _PLAIN for value in values])
            values = [value if type(value) in _PLAIN else None for value in values]
        column[name] = np.array(values, dtype=np.float64)
    # Comparisons with NaN, which is where there is no value, are false.
    height, above = column["height_m"], column["storeys_above_ground"]
    room = np.maximum(DRAWN_SLACK[0], DRAWN_SLACK[1] * height)
    odd |= (height <= 0) | (height > TALLEST_M) | ((drawn_m > 0) & (np.abs(height - drawn_m) > room))
    for storeys in (above, column["storeys_below_ground"]):
        odd |= (storeys < 0) | (~np.isnan(storeys) & (np.floor(storeys) != storeys))
    with np.errstate(divide="ignore", invalid="ignore"):
        storey_m = height / above
    odd |= (above >= 1) & ~np.isnan(height) & ~((storey_m >= STOREY_M[0]) & (storey_m <= STOREY_M[1]))
    year = column["year_of_construction"]
    odd |= year < YEAR_MIN
    if year_now is not None:
        odd |= year > year_now
    for name in _AREAS:
        odd |= column[name] < 0
    rows: list[int] = np.flatnonzero(odd & _checked(types)).tolist()
    return rows


def _checked(types: Sequence[str]) -> Flags:
    return np.array([type_ in CHECKED_TYPES for type_ in types], dtype=bool)


def check_facts(type_: str, attributes: Members, drawn_m: float, year_now: int | None) -> Iterator[Fault]:
    """Yield what is wrong with the facts of one object.

    ``attributes`` as in :mod:`cim.city.columns`; ``drawn_m`` how tall its geometry is, NaN without one;
    ``year_now`` the year in which it is read, ``None`` where years are not to be judged.
    """
    if type_ not in CHECKED_TYPES:
        return
    numbers: dict[str, float] = {}
    for name in (*_NUMBERS, *_AREAS):
        found = _number(attributes.get(name))
        if found is not None:
            numbers[name] = found
            if math.isnan(found):
                yield "not-a-number", 1.0
    height_m = numbers.get("height_m")
    storeys = numbers.get("storeys_above_ground")
    if height_m is not None:
        yield from _check_height(height_m, attributes["height_m"], drawn_m)
    yield from _check_storeys(storeys, numbers.get("storeys_below_ground"), height_m)
    year = numbers.get("year_of_construction")
    if year is not None and year_now is not None and year > year_now:
        yield "year-in-future", year
    if year is not None and year < YEAR_MIN:
        yield "year-too-early", year
    for name in _AREAS:
        if numbers.get(name, 0.0) < 0:
            yield "area-negative", numbers[name]


def _check_height(height_m: float, members: Members, drawn_m: float) -> Iterator[Fault]:
    if height_m <= 0:
        yield "height-not-positive", height_m
    elif height_m > TALLEST_M:
        yield "height-beyond-tallest", height_m
    elif drawn_m > 0 and members.get("q", "recorded") == "recorded":
        apart_m = abs(height_m - drawn_m)
        if apart_m > max(DRAWN_SLACK[0], DRAWN_SLACK[1] * height_m):
            yield "height-not-as-drawn", apart_m


def _check_storeys(above: float | None, below: float | None, height_m: float | None) -> Iterator[Fault]:
    for storeys in (above, below):
        if storeys is not None and storeys < 0:
            yield "storeys-negative", storeys
        elif storeys is not None and not storeys.is_integer() and not (storeys * 2).is_integer():
            yield "storeys-not-whole", storeys
    if above is not None and height_m is not None and above >= 1 and 0 < height_m <= TALLEST_M:
        storey_m = height_m / above
        if not STOREY_M[0] <= storey_m <= STOREY_M[1]:
            yield "storey-height-odd", storey_m


def _number(members: Members | None) -> float | None:
    """Return a value as a number, NaN for a text that should be one, ``None`` where there is no value."""
    value = None if members is None else members.get("v")
    if value is None or value == "":
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan
