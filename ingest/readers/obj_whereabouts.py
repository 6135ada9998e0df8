"""Whether the models of a collection stand where its catalogue says: a wrong offset shows here first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cim.errors import InvalidInput
from cim.findings import Finding, Severity, Verdict
from cim.geometry.crs import LONLAT, transformer

OFFSET_M_MAX: Final = 1.5
"""Median distance between the middle of a model's box and its catalogued place, metres."""

ASTRAY_M: Final = 1_000.0
"""A median beyond this is no inaccuracy: the offset or the CRS is wrong."""

TRIED: Final = 25
"""Models after which a wrong offset is told."""


@dataclass(slots=True)
class Whereabouts:
    """Distances from the catalogue's places, metres, in the order of the models."""

    distances_m: list[float] = field(default_factory=list)
    _ways: list[NDArray[np.float64]] = field(default_factory=list)

    def note(self, vertices: NDArray[np.float64], position: tuple[float, float], working_crs: str) -> None:
        """Measure one model, vertices (n, 3) in metres; ``position`` degrees.

        Raises :class:`InvalidInput` (``collection-astray``) when the first models are far from where they should be.
        """
        middle = (vertices[:, :2].min(axis=0) + vertices[:, :2].max(axis=0)) / 2
        way = np.array(transformer(LONLAT, working_crs).transform(*position)) - middle
        self._ways.append(way)
        self.distances_m.append(float(np.hypot(*way)))
        if len(self._ways) == TRIED and float(np.median(self.distances_m)) > ASTRAY_M:
            east, north = np.median(self._ways, axis=0).tolist()
            raise InvalidInput(
                "The models are not where the catalogue says: the offset or the CRS of the collection is wrong.",
                hint=f"They would have to go {east:,.0f} m east and {north:,.0f} m north.",
                code="collection-astray",
                east_m=round(east),
                north_m=round(north),
            )

    def findings(self) -> Iterator[Finding]:
        """Tell the median distance, judged against :data:`OFFSET_M_MAX`."""
        if self.distances_m:
            median = round(float(np.median(self.distances_m)), 3)
            yield Finding(
                "models-where-catalogued",
                "median distance between the middle of a model and its catalogued place",
                Verdict.PASS if median <= OFFSET_M_MAX else Verdict.DISCUSS,
                Severity.DISCUSS,
                measured=median,
                limit=OFFSET_M_MAX,
                margin=round(OFFSET_M_MAX - median, 3),
                unit="m",
                params={"models": len(self.distances_m)},
            )

    @staticmethod
    def odd_values(attribute: str, count: int) -> Finding:
        """Tell that values of the catalogue were left out because they cannot be."""
        return Finding(
            f"catalogue-value-{attribute}",
            "values of the catalogue that cannot be",
            Verdict.DISCUSS,
            Severity.DISCUSS,
            measured=float(count),
            limit=0.0,
            params={"attribute": attribute},
        )
