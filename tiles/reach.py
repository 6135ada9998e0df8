"""Which objects lie so far from the rest that no one tileset holds both."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from tiles.ground import painted
from tiles.intake import BUILDING, PART

REACH_M: Final = 100_000.0
"""An object whose middle lies further than this from the middle of the city is a fault of its source."""


def within_reach(objects: pa.Table) -> tuple[pa.Table, list[tuple[str, str]]]:
    """Return the objects near the city's middle (the median of all), and the ids of drawn ones that are not.

    A place near the origin of the coordinate system, or in another one, would stretch the chart until it fails for
    all; each such object is named with the code ``far-away`` instead.
    """
    low, high = (
        np.column_stack([objects[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in names])
        for names in (("xmin", "ymin"), ("xmax", "ymax"))
    )
    middle = (low + high) / 2
    placed = np.isfinite(middle).all(axis=1)
    if not placed.any():
        return objects, []
    away = middle - np.median(middle[placed], axis=0)
    far = placed & (np.hypot(away[:, 0], away[:, 1]) > REACH_M)
    if not far.any():
        return objects, []
    lost = objects.filter(pa.array(far))
    drawn = [
        *(
            i
            for i, kind in zip(lost["id"].to_pylist(), lost["type"].to_pylist(), strict=True)
            if kind in (BUILDING, PART)
        ),
        *painted(lost)[0].tolist(),
    ]
    return objects.filter(pa.array(~far)), [(identifier, "far-away") for identifier in drawn]
