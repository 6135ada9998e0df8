"""Faults that checks of geometry have found, as columns; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cim.quality.layout import Floats, Ints


@dataclass(frozen=True, slots=True)
class Marks:
    """One fault a row: ``codes``, the row of the ``geometries``, what was ``measured``, and ``places`` (n, 3)."""

    codes: Ints
    geometries: Ints
    measured: Floats
    places: Floats

    def __len__(self) -> int:
        return len(self.codes)


def marks(code: int, geometries: Ints, measured: Floats, places: Floats) -> Marks:
    """Return faults of one kind."""
    return Marks(np.full(len(geometries), code, dtype=np.int64), geometries, measured, places.reshape(-1, 3))


def joined(parts: Iterable[Marks]) -> Marks:
    """Return all of some faults."""
    found = list(parts)
    none = np.empty(0, dtype=np.int64)
    return Marks(
        np.concatenate([none, *(part.codes for part in found)]),
        np.concatenate([none, *(part.geometries for part in found)]),
        np.concatenate([np.empty(0), *(part.measured for part in found)]),
        np.concatenate([np.empty((0, 3)), *(part.places for part in found)]),
    )
