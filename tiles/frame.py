"""Where a tileset stands: the working CRS of the city and its flat chart at a local origin.

Tiles hold metres east, north and up of one local origin (ENU); the root transform carries them to
Earth-centred coordinates (ECEF, EPSG:4978).  The way from the working CRS to that chart bends with
the grid convergence, the scale of the projection and the curve of the Earth, all very smooth over a
city, so it is fitted once by a polynomial and then evaluated over millions of vertices by numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from cim.errors import InvalidInput
from cim.geometry.crs import epsg_code, is_metric_projected, transformer

FloatArray = NDArray[np.float64]
GroundForm = Literal["flat", "interpolated", "terrain"]

CHART_ERROR_M_MAX: Final = 0.005
"""A fitted chart is refused beyond this distance from the exact transformation, metres."""

_LONLAT_HEIGHT: Final = "EPSG:4979"
_ECEF: Final = "EPSG:4978"
_DEGREES: Final = ((2, 0.001), (3, CHART_ERROR_M_MAX), (5, CHART_ERROR_M_MAX), (7, CHART_ERROR_M_MAX))
"""Of the polynomials that are tried, each with the error that it may have at most, metres."""
_SAMPLES: Final = 17


@dataclass(frozen=True, slots=True)
class TileFrame:
    """What the tiles must know of the city.

    ``ground`` is ``flat`` (heights are above an even ground at 0 m), ``interpolated`` (absolute
    heights over a surface through the buildings' feet) or ``terrain`` (absolute heights over the
    city's reliefs).  ``vertical_offset_m`` is added to every height on the way to the ellipsoid.
    ``origin`` is the chart's longitude and latitude; without it the middle of the city is taken.
    """

    crs: str
    ground: GroundForm = "flat"
    title: str = ""
    baseline_version: int = 0
    vertical_datum: str | None = None
    vertical_offset_m: float = 0.0
    origin: tuple[float, float] | None = None


class Chart:
    """The fitted way from the working CRS to local east, north, up."""

    def __init__(self, frame: TileFrame, bounds: tuple[float, float, float, float]) -> None:
        """Fit the chart over ``bounds`` (xmin, ymin, xmax, ymax, metres in the working CRS).

        Raises :class:`InvalidInput` unless the CRS is projected, metric and smooth over the bounds.
        """
        if not is_metric_projected(frame.crs):
            raise InvalidInput(
                f"{frame.crs[:80]!r} is not a projected coordinate system in metres.",
                code="working-crs",
                crs=frame.crs[:80],
            )
        self._offset_m = frame.vertical_offset_m
        self._centre = np.array([(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2])
        self._reach = max(bounds[2] - bounds[0], bounds[3] - bounds[1], 200.0) / 2
        out = transformer(epsg_code(frame.crs), _LONLAT_HEIGHT)
        lon, lat = frame.origin or tuple(float(v) for v in out.transform(*self._centre)[:2])
        self.origin: tuple[float, float] = (lon, lat)
        self.axes, self.position = _east_north_up(lon, lat)
        self._to_lonlat = out
        self._fit()

    def exact(self, coordinates: FloatArray) -> FloatArray:
        """Transform by pyproj, vertex by vertex: the definition that the fit follows. Shapes (n, 3)."""
        lon, lat = self._to_lonlat.transform(coordinates[:, 0], coordinates[:, 1])
        ecef = np.column_stack(
            transformer(_LONLAT_HEIGHT, _ECEF).transform(lon, lat, coordinates[:, 2] + self._offset_m)
        )
        local: FloatArray = (ecef - self.position) @ self.axes.T
        return local

    def to_local(self, coordinates: FloatArray) -> FloatArray:
        """Return east, north, up, metres, shape (n, 3), for coordinates of the working CRS, shape (n, 3)."""
        level, metre = self.uprights(coordinates[:, :2])
        # Column after column in memory, for all that follows works on columns.
        local: FloatArray = level.T + metre.T * coordinates[:, 2]
        return local.T

    def uprights(self, xy: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return where places (n, 2) lie at height 0, and what a metre of height adds, shape (n, 3) each."""
        # Term by term: a product of matrices may round otherwise when other places are asked for in one go.
        terms, part = self._terms(xy), np.empty(len(xy))
        both = np.empty((6, len(xy)))
        for columns, factors in ((both[:3], self._ground.tolist()), (both[3:], self._up.tolist())):
            # The first term is 1.
            columns[:] = np.array(factors[0])[:, None]
            for term, row in zip(terms[1:], factors[1:], strict=False):
                for column, factor in zip(columns, row, strict=True):
                    np.add(column, np.multiply(term, factor, out=part), out=column)
        return both[:3].T, both[3:].T

    def transform(self) -> list[float]:
        """Return the 4 x 4 matrix from the chart to ECEF, column by column."""
        columns = [[*axis.tolist(), 0.0] for axis in self.axes]
        return [value for column in [*columns, [*self.position.tolist(), 1.0]] for value in column]

    def _fit(self) -> None:
        nodes = np.cos(np.pi * (np.arange(_SAMPLES) + 0.5) / _SAMPLES)
        grid = np.stack(np.meshgrid(nodes, nodes), axis=-1).reshape(-1, 2)
        low = np.column_stack((self._centre + grid * self._reach, np.zeros(len(grid))))
        high = np.add(low, (0.0, 0.0, 1000.0))
        low_local, high_local = self.exact(low), self.exact(high)
        check = np.column_stack((self._centre + grid[:, ::-1] * (0.97, 0.83) * self._reach, np.full(len(grid), 100.0)))
        for degree, error_m_max in _DEGREES:
            self._powers = [(total - j, j) for total in range(degree + 1) for j in range(total + 1)]
            terms = self._terms(low[:, :2]).T
            self._ground = np.linalg.lstsq(terms, low_local, rcond=None)[0]
            # Which way is up changes less from place to place than the place does: one degree less says it.
            lower = degree * (degree + 1) // 2
            self._up = np.linalg.lstsq(terms[:, :lower], (high_local - low_local) / 1000.0, rcond=None)[0]
            error_m = float(np.abs(self.to_local(check) - self.exact(check)).max())
            if error_m < error_m_max:
                return
        raise InvalidInput(
            f"The city is too wide for its coordinate system: the chart is {error_m:.3f} m off.",
            code="chart-error",
            error_m=error_m,
            limit=CHART_ERROR_M_MAX,
        )

    def _terms(self, xy: FloatArray) -> FloatArray:
        """Return the polynomial's terms at places (n, 2), shape (terms, n)."""
        x, y = ((xy[:, i] - self._centre[i]) / self._reach for i in (0, 1))
        row_of = {powers: row for row, powers in enumerate(self._powers)}
        terms = np.empty((len(row_of), len(xy)))
        for row, (i, j) in enumerate(self._powers):
            if i + j == 0:
                terms[row] = 1.0
            elif j:
                np.multiply(terms[row_of[i, j - 1]], y, out=terms[row])
            else:
                np.multiply(terms[row_of[i - 1, j]], x, out=terms[row])
        return terms


def _east_north_up(lon: float, lat: float) -> tuple[FloatArray, FloatArray]:
    """Return the rows east, north, up in ECEF, shape (3, 3), and the origin on the ellipsoid, shape (3,)."""
    position = np.array(transformer(_LONLAT_HEIGHT, _ECEF).transform(lon, lat, 0.0))
    lam, phi = np.radians((lon, lat))
    axes = np.array(
        [
            [-np.sin(lam), np.cos(lam), 0.0],
            [-np.sin(phi) * np.cos(lam), -np.sin(phi) * np.sin(lam), np.cos(phi)],
            [np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)],
        ]
    )
    return axes, position
