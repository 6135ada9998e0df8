"""Where something that was moved and turned without being bent now stands (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cim.geometry.surfaces import Geometry

Points: TypeAlias = NDArray[np.float64]

BENT_M: Final = 0.02
"""Corners that miss their places by more than this were not only moved: twenty times what rounding does."""


@dataclass(frozen=True, slots=True)
class Motion:
    """A turn about ``pivot``, by a matrix (2, 2), and then a way, metres in the working CRS."""

    pivot: Points
    turn: Points
    way: Points

    def of(self, xy: Points) -> Points:
        """Return where places (n, 2) come to."""
        moved: Points = (xy - self.pivot) @ self.turn.T + self.pivot + self.way
        return moved


def motion_between(
    before: Sequence[Sequence[Sequence[float]]], after: Sequence[Sequence[Sequence[float]]]
) -> Motion | None:
    """Return the motion that carries rings onto rings, ``None`` where no rigid one does.

    Both have the same corners in the same order.  The best turn in the least-squares sense: W. Kabsch (1976),
    in the plane an angle.
    """
    if [len(ring) for ring in before] != [len(ring) for ring in after]:
        return None
    start, stop = (np.concatenate([np.asarray(ring, dtype=np.float64) for ring in rings]) for rings in (before, after))
    pivot, middle = start.mean(axis=0), stop.mean(axis=0)
    from_pivot, from_middle = start - pivot, stop - middle
    cosine = float((from_pivot * from_middle).sum())
    sine = float((from_pivot[:, 0] * from_middle[:, 1] - from_pivot[:, 1] * from_middle[:, 0]).sum())
    size = float(np.hypot(cosine, sine))
    if size <= 0.0:
        return None
    turn = np.array([[cosine, -sine], [sine, cosine]]) / size
    motion = Motion(pivot, turn, middle - pivot)
    return motion if float(np.abs(motion.of(start) - stop).max()) <= BENT_M else None


def moved(geometry: Geometry, motion: Motion, up_m: float) -> Geometry:
    """Return a geometry carried by a motion and raised by ``up_m``."""
    coordinates = np.column_stack((motion.of(geometry.coordinates[:, :2]), geometry.coordinates[:, 2] + up_m))
    return replace(geometry, coordinates=coordinates)
