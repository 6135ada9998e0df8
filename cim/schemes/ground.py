"""The height of the ground where something new is to stand (pure)."""

from __future__ import annotations

import math
from typing import Final

import shapely

from cim.schemes.base import Baseline
from cim.schemes.model import Value

REACH_M: Final = 60.0
"""Neighbours within this distance say how high the ground is."""


def ground_under(base: Baseline, footprint: Value) -> float:
    """Return the ground under a footprint, metres over the city's datum: the median of the neighbours' own.

    0 where there are none, or where the rings are none; those are refused where they are checked.
    """
    try:
        box = shapely.Polygon(footprint[0]).bounds
    except (TypeError, ValueError, IndexError, shapely.errors.GEOSException):
        return 0.0
    around = (box[0] - REACH_M, box[1] - REACH_M, box[2] + REACH_M, box[3] + REACH_M)
    if not all(math.isfinite(value) and abs(value) < 1e8 for value in around):
        return 0.0
    known = (base.fields(target) or {} for target in base.near(around))
    heights = sorted(float(fields["ground_m"]) for fields in known if "ground_m" in fields)
    return heights[len(heights) // 2] if heights else 0.0
