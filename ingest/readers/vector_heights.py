"""Heights of buildings of vector files, recorded or modelled, a batch at a time; pure.

The rule is that of OpenStreetMap buildings (:mod:`ingest.readers.osm_buildings`): a recorded height; recorded
storeys × 3.2 m; the median storeys of the five nearest known buildings of the same use; five storeys.
Everything but a recorded height is labelled modelled, with an interval.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ingest.readers.osm_buildings import (
    LEVEL_HEIGHT_HIGH_M,
    LEVEL_HEIGHT_LOW_M,
    LEVEL_HEIGHT_M,
    LEVELS_BEYOND,
    LEVELS_DEFAULT,
    LEVELS_DEFAULT_RANGE,
    METHOD_DEFAULT,
    METHOD_LEVELS,
    METHOD_NEIGHBOURS,
    NEIGHBOURS,
    NEIGHBOURS_MIN,
)

FloatArray = NDArray[np.float64]
Member = dict[str, Any]
_MODELLED: Final = "modelled"


@dataclass(slots=True)
class KnownStoreys:
    """Storeys of the buildings that have them, by use; gathered in a first pass, then asked."""

    _uses: dict[str, list[tuple[FloatArray, FloatArray]]] = field(default_factory=dict)
    _trees: dict[str, tuple[KDTree, FloatArray]] = field(default_factory=dict)

    def add(self, uses: list[str], xy: FloatArray, storeys: FloatArray) -> None:
        """Note buildings, ``xy`` (n, 2) in metres; rows with NaN storeys or places are passed over."""
        known = np.isfinite(storeys) & np.isfinite(xy).all(axis=1)
        names = np.array(uses, dtype=object)
        for use in set(names[known].tolist()):
            rows = known & (names == use)
            self._uses.setdefault(use, []).append((xy[rows], storeys[rows]))

    def index(self) -> None:
        """Build one tree a use."""
        for use, pieces in self._uses.items():
            places = np.concatenate([piece[0] for piece in pieces])
            self._trees[use] = (KDTree(places), np.concatenate([piece[1] for piece in pieces]))
        self._uses.clear()

    def nearest(self, use: str, xy: FloatArray) -> FloatArray:
        """Return the storeys of the up to five nearest known buildings of a use, shape (n, k)."""
        if use not in self._trees:
            return np.empty((len(xy), 0))
        tree, storeys = self._trees[use]
        _, rows = tree.query(xy, k=np.arange(1, min(NEIGHBOURS, len(storeys)) + 1))
        found: FloatArray = storeys[rows]
        return found


def height_members(
    height_m: FloatArray, storeys: FloatArray, uses: list[str], xy: FloatArray, known: KnownStoreys
) -> tuple[list[Member], list[Member | None]]:
    """Return ``height_m`` and ``storeys_above_ground`` of each building, as members of the columns' JSON.

    ``height_m`` and ``storeys``: NaN where nothing is recorded.
    """
    heights: list[Member] = [{}] * len(height_m)
    levels: list[Member | None] = [
        None if np.isnan(count) else {"v": round(count) if count >= 1 else 1} for count in storeys.tolist()
    ]
    asked: dict[str, list[int]] = {}
    for row, (height, count) in enumerate(zip(height_m.tolist(), storeys.tolist(), strict=True)):
        if not np.isnan(height):
            heights[row] = {"v": round(height, 2), "u": "m"}
        elif not np.isnan(count):
            heights[row] = _height(count, (count, count), METHOD_LEVELS)
        else:
            asked.setdefault(uses[row], []).append(row)
    for use, rows in asked.items():
        for row, near in zip(rows, known.nearest(use, xy[rows]), strict=True):
            if len(near) >= NEIGHBOURS_MIN:
                count, method = float(np.median(near)), METHOD_NEIGHBOURS
                span = (max(1.0, float(near.min()) - LEVELS_BEYOND), float(near.max()) + LEVELS_BEYOND)
            else:
                count, span, method = LEVELS_DEFAULT, LEVELS_DEFAULT_RANGE, METHOD_DEFAULT
            heights[row] = _height(count, span, method)
            levels[row] = {"v": max(1, round(count)), "q": _MODELLED, "i": list(span), "m": method}
    return heights, levels


def _height(count: float, span: tuple[float, float], method: str) -> Member:
    interval = [round(span[0] * LEVEL_HEIGHT_LOW_M, 2), round(span[1] * LEVEL_HEIGHT_HIGH_M, 2)]
    return {"v": round(count * LEVEL_HEIGHT_M, 2), "u": "m", "q": _MODELLED, "i": interval, "m": method}
