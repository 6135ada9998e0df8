"""What all tiles of a city share: the sheet that they lie on, the surface that they stand on, the chart."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import orjson
import pyarrow as pa
import shapely

from cim.errors import InvalidInput
from cim.geometry.ground import Ground, even_ground
from tiles.frame import Chart, TileFrame
from tiles.ground import MARGIN_M, painted
from tiles.soup import Bounds, FloatArray

SNAP_M: Final = 320.0
"""The sheet's sides are multiples of this, so that a house at the border seldom moves them."""


@dataclass(frozen=True, slots=True)
class Site:
    """``sheet`` is xmin, ymin, xmax, ymax in the working CRS; all tiles of one site fit together.

    A site stays from build to build while the city lies within it: a tile then depends on what is in it alone.
    ``terrain`` tells the relief that the surface was measured on from any other.
    """

    frame: TileFrame
    sheet: Bounds
    surface: Ground
    terrain: str = ""

    @property
    def chart(self) -> Chart:
        """The way from the working CRS to east, north, up."""
        return chart_of(self.frame.crs, self.frame.vertical_offset_m, self.frame.origin, self.sheet)

    @property
    def square(self) -> Bounds:
        """The cell of the tree's root."""
        xmin, ymin, xmax, ymax = self.sheet
        side = max(xmax - xmin, ymax - ymin)
        return xmin, ymin, xmin + side, ymin + side

    def covers(self, bounds: Bounds) -> bool:
        """Tell whether a box lies on the sheet."""
        low, high = np.array(self.sheet[:2]), np.array(self.sheet[2:])
        return bool((low <= bounds[:2]).all() and (high >= bounds[2:]).all())

    def digest(self) -> str:
        """Return what tells this site from others; the title and the version of the city are no part of it."""
        frame = {**asdict(self.frame), "title": "", "baseline_version": 0}
        digest = hashlib.sha256(orjson.dumps([frame, self.sheet]))
        surface = self.surface
        digest.update(orjson.dumps([surface.low, surface.cell_m, surface.levels_m.shape]))
        digest.update(np.ascontiguousarray(surface.levels_m).tobytes())
        return digest.hexdigest()


@lru_cache(maxsize=4)
def chart_of(crs: str, vertical_offset_m: float, origin: tuple[float, float] | None, sheet: Bounds) -> Chart:
    """Return the chart over a sheet; the last ones are kept."""
    return Chart(TileFrame(crs, vertical_offset_m=vertical_offset_m, origin=origin), sheet)


def site_over(frame: TileFrame, bounds: Bounds, surface: Ground | None = None) -> Site:
    """Return a new site for a city within a box."""
    low = np.floor((np.array(bounds[:2]) - MARGIN_M) / SNAP_M) * SNAP_M
    high = np.ceil((np.array(bounds[2:]) + MARGIN_M) / SNAP_M) * SNAP_M
    sheet = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    return Site(frame, sheet, surface or even_ground())


def bounds_of(boxes: Sequence[FloatArray]) -> Bounds:
    """Return the box over boxes, each (n, 4); raises :class:`InvalidInput` (``city-empty``) where there is none."""
    every = np.concatenate([box.reshape(-1, 4) for box in boxes])
    every = every[np.isfinite(every).all(axis=1)]
    if not len(every):
        raise InvalidInput(
            "The city has neither buildings nor ground to draw.",
            hint="Ingest a source with buildings first.",
            code="city-empty",
        )
    low, high = every[:, :2].min(axis=0), every[:, 2:].max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def painted_boxes(objects: pa.Table) -> FloatArray:
    """Return the boxes of what is painted on the ground, shape (n, 4)."""
    _, _, places, _ = painted(objects)
    boxes: FloatArray = shapely.bounds(places).reshape(-1, 4)
    return boxes
