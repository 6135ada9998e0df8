"""How use changes over an ordinary working day: shapes of our own, not measurements.

Each row has 24 values at the full hours.  Water rows are scaled to a mean of one; activity rows are
shares of the peak.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.sample.factors import USES
from ingest.sample.states import over_the_day

FloatArray = NDArray[np.float64]

_HOME_WATER = (30, 22, 18, 18, 24, 55, 120, 165, 145, 110, 95, 90, 92, 88, 84, 88, 100, 128, 150, 155, 140, 112, 80, 48)
_DAY_WATER = (12, 10, 10, 10, 14, 30, 70, 130, 185, 200, 198, 205, 215, 205, 198, 190, 165, 110, 62, 40, 28, 22, 18, 14)
_SHOP_WATER = (10, 8, 8, 8, 10, 18, 40, 70, 105, 150, 180, 215, 230, 215, 195, 190, 200, 210, 190, 140, 95, 60, 30, 15)
_HOTEL_WATER = (
    40,
    28,
    24,
    24,
    34,
    80,
    170,
    200,
    165,
    120,
    90,
    78,
    76,
    74,
    76,
    84,
    100,
    125,
    145,
    150,
    140,
    120,
    95,
    62,
)
_MEAL_WATER = (30, 18, 10, 8, 8, 14, 30, 55, 75, 95, 140, 210, 230, 180, 120, 105, 125, 180, 215, 210, 180, 140, 95, 55)

_HOME_POWER = (34, 30, 28, 27, 28, 36, 52, 60, 52, 44, 42, 44, 46, 44, 44, 50, 62, 80, 94, 100, 94, 80, 60, 44)
_DAY_POWER = (22, 21, 21, 21, 23, 30, 48, 72, 92, 98, 100, 99, 94, 97, 98, 95, 86, 66, 46, 36, 31, 28, 25, 23)
_SHOP_POWER = (20, 19, 19, 19, 20, 24, 34, 50, 70, 88, 95, 98, 100, 98, 97, 97, 98, 100, 95, 82, 62, 40, 28, 22)
_HOTEL_POWER = (46, 42, 40, 40, 44, 56, 76, 84, 76, 68, 64, 64, 66, 64, 64, 66, 74, 86, 96, 100, 96, 86, 70, 56)
_MEAL_POWER = (36, 26, 20, 18, 18, 24, 38, 52, 62, 74, 90, 100, 100, 88, 74, 72, 82, 96, 100, 98, 90, 76, 60, 46)

_TRAVEL = (14, 9, 7, 6, 9, 22, 48, 86, 100, 76, 60, 60, 64, 66, 70, 84, 97, 99, 82, 60, 46, 38, 30, 21)

WATER: Final = {
    "multi_res": _HOME_WATER,
    "hotel": _HOTEL_WATER,
    "office": _DAY_WATER,
    "retail": _SHOP_WATER,
    "restaurant": _MEAL_WATER,
    "school": _DAY_WATER,
    "university": _DAY_WATER,
    "museum": _SHOP_WATER,
    "hospital": _HOTEL_WATER,
}
POWER: Final = {
    "multi_res": _HOME_POWER,
    "hotel": _HOTEL_POWER,
    "office": _DAY_POWER,
    "retail": _SHOP_POWER,
    "restaurant": _MEAL_POWER,
    "school": _DAY_POWER,
    "university": _DAY_POWER,
    "museum": _SHOP_POWER,
    "hospital": _HOTEL_POWER,
}


def water_pattern(use: str) -> FloatArray:
    """Return the water use of a use over its daily mean, every quarter of an hour, shape (96,)."""
    pattern = over_the_day(np.array(WATER[use], dtype=np.float64))
    return np.asarray(pattern / pattern.mean(), dtype=np.float64)


def activity() -> FloatArray:
    """Return electricity use by use as a share of the peak, shape (96, u)."""
    return np.column_stack([over_the_day(np.array(POWER[use], dtype=np.float64)) / 100.0 for use in USES])


def travel() -> FloatArray:
    """Return road traffic as a share of the peak hour's, every quarter of an hour, shape (96,)."""
    return over_the_day(np.array(_TRAVEL, dtype=np.float64)) / 100.0
