"""One building as a row of whole numbers: floor areas by use, footprint, height; pure.

Areas are whole square centimetres and heights whole centimetres, so that sums are exact: whatever
order buildings are added and taken away in, the total is the same to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.city.model import CityObject
from cim.impact.uses import FLOOR_USES, HIGHER_EDUCATION, OPEN_STRUCTURES, UNKNOWN, USES, floor_use

CM2_PER_M2: Final = 10_000
CM_PER_M: Final = 100

STOREY_M: Final = 3.2
"""Floor to floor, where a height is known and the storeys are not; docs/methods/heights.md."""
STOREY_HIGH_M: Final = 4.2
STOREY_LOW_M: Final = 2.8
HEIGHT_M_MAX: Final = 1_000.0
STOREYS_MAX: Final = 300

COLUMNS: Final = (
    *(f"floor_{use}" for use in FLOOR_USES),
    "upper_unknown",
    "pupil_floor",
    "floor_low",
    "floor_high",
    "footprint",
    "count",
    "height_area",
    "solar",
)
"""Columns of a tally, cm² where nothing else is said: floor areas by use; floors above the ground floor of unknown use;
floors of schools without universities; the least and the most floor area that modelled storeys allow; footprint; the
number of buildings; height × footprint, cm³; roof under solar panels."""
COLUMN: Final = {name: index for index, name in enumerate(COLUMNS)}
FLOOR_COLUMNS: Final = slice(0, len(FLOOR_USES))

Tally = NDArray[np.int64]
"""Shape (len(COLUMNS),)."""

Members = Mapping[str, Mapping[str, Any]]
"""Attributes by name as the store's JSON has them: value ``v``, interval ``i``."""


class BuildingRow(NamedTuple):
    """A building's numbers: its tally, height in cm, and storeys above ground."""

    tally: list[int]
    height_cm: int
    storeys: int


def members_of(city_object: CityObject) -> Members:
    """Return an object's attributes in the store's form."""
    return {
        name: {"v": fact.value} if fact.interval is None else {"v": fact.value, "i": fact.interval}
        for name, fact in city_object.attributes.items()
    }


def number(members: Members, name: str) -> float | None:
    """Return an attribute that is a finite number."""
    fact = members.get(name)
    value = None if fact is None else fact.get("v")
    if type(value) is bool or not isinstance(value, int | float) or not np.isfinite(value):
        return None
    return float(value)


def word(members: Members, name: str) -> str:
    """Return an attribute that is a text, ``""`` for none."""
    fact = members.get(name)
    value = None if fact is None else fact.get("v")
    return value if isinstance(value, str) else ""


def area_cm2(place: shapely.Geometry) -> int:
    """Return an area in whole cm²."""
    return round(float(place.area) * CM2_PER_M2)


@dataclass(frozen=True, slots=True)
class _Storeys:
    by_use: dict[str, int]
    least: float
    most: float

    @property
    def count(self) -> int:
        return sum(self.by_use.values())


def building_row(members: Members, footprint_cm2: int) -> BuildingRow:
    """Return the row of a building with a footprint; see docs/methods/floor-area.md for the rule of its storeys."""
    storeys = _drawn(members) or _recorded(members)
    height_m = number(members, "height_m")
    if height_m is None or not 0 < height_m <= HEIGHT_M_MAX:
        height_m = max(1, storeys.count) * STOREY_M
    height_cm = round(min(HEIGHT_M_MAX, max(height_m, number(members, "parts_top_m") or 0.0)) * CM_PER_M)
    tally = [0] * len(COLUMNS)
    for use, count in storeys.by_use.items():
        tally[COLUMN[f"floor_{use}"]] = count * footprint_cm2
    tally[COLUMN["upper_unknown"]] = max(0, storeys.by_use.get(UNKNOWN, 0) - 1) * footprint_cm2
    if word(members, "function").strip().lower() not in HIGHER_EDUCATION:
        tally[COLUMN["pupil_floor"]] = tally[COLUMN["floor_school"]]
    tally[COLUMN["floor_low"]] = round(storeys.least * footprint_cm2)
    tally[COLUMN["floor_high"]] = round(storeys.most * footprint_cm2)
    tally[COLUMN["footprint"]] = footprint_cm2
    tally[COLUMN["count"]] = 1
    tally[COLUMN["height_area"]] = height_cm * footprint_cm2
    solar = number(members, "solar_share") or 0.0
    tally[COLUMN["solar"]] = round(min(1.0, max(0.0, solar)) * footprint_cm2)
    return BuildingRow(tally, height_cm, storeys.count)


def _drawn(members: Members) -> _Storeys | None:
    """Return the storeys that a scheme states one by one: ``storeys`` = [[height_m, use], …]."""
    fact = members.get("storeys")
    stack = None if fact is None else fact.get("v")
    if not isinstance(stack, list | tuple):
        return None
    # A building of the baseline whose use nobody knows is drawn with storeys of other use: they stay unknown.
    of_other = UNKNOWN if floor_use(word(members, "function")) == UNKNOWN and "function" in members else "other"
    by_use: dict[str, int] = {}
    for storey in stack[:STOREYS_MAX]:
        use = storey[1] if isinstance(storey, list | tuple) and len(storey) > 1 else "other"
        use = use if use in USES and use != "other" else of_other
        by_use[use] = by_use.get(use, 0) + 1
    count = sum(by_use.values())
    return _Storeys(by_use, count, count)


def _recorded(members: Members) -> _Storeys:
    function = word(members, "function").strip().lower()
    if function in OPEN_STRUCTURES:
        return _Storeys({}, 0, 0)
    count, least, most = _count(members)
    return _Storeys({floor_use(function): count}, least, most)


def _count(members: Members) -> tuple[int, float, float]:
    levels, height_m = number(members, "storeys_above_ground"), number(members, "height_m")
    if levels is not None and 0 < levels <= STOREYS_MAX:
        count = max(1, round(levels))
        low, high = _interval(members, "storeys_above_ground") or (count, count)
        return count, min(count, max(1.0, low)), max(count, high)
    if height_m is not None and 0 < height_m <= HEIGHT_M_MAX:
        count = max(1, round(height_m / STOREY_M))
        low, high = _interval(members, "height_m") or (height_m, height_m)
        return count, min(count, max(1.0, low / STOREY_HIGH_M)), max(count, high / STOREY_LOW_M)
    return 1, 1.0, 1.0


def _interval(members: Members, name: str) -> tuple[float, float] | None:
    pair = members[name].get("i")
    return None if pair is None else (float(pair[0]), float(pair[1]))


@dataclass(frozen=True, slots=True)
class Rows:
    """Buildings as columns.

    ``tallies`` (n, len(COLUMNS)), ``height_cm`` (n,), ``storeys`` (n,), ``points`` (n,) shapely points on the
    footprints; ``names`` of those that have one, by row.
    """

    tallies: NDArray[np.int64]
    height_cm: NDArray[np.int64]
    storeys: NDArray[np.int64]
    points: NDArray[np.object_]
    names: Mapping[int, str]


def gather_rows(footprints: NDArray[np.object_], facts: Iterable[Members]) -> Rows:
    """Return the columns of some buildings."""
    areas = np.rint(shapely.area(footprints) * CM2_PER_M2).astype(np.int64).tolist()
    names: dict[int, str] = {}
    made = []
    for row, (members, area) in enumerate(zip(facts, areas, strict=True)):
        made.append(building_row(members, area))
        if name := word(members, "name"):
            names[row] = name
    return Rows(
        np.array([item.tally for item in made], dtype=np.int64).reshape(-1, len(COLUMNS)),
        np.array([item.height_cm for item in made], dtype=np.int64),
        np.array([item.storeys for item in made], dtype=np.int64),
        np.asarray(shapely.point_on_surface(footprints), dtype=object),
        names,
    )
