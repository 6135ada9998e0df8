"""Along which lines the ground of a tile is cut, so that it follows the surface that it lies on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.geometry.ground import Ground as Surface
from cim.geometry.rtin import refined
from tiles.grids import STEPS
from tiles.ground import GroundShapes
from tiles.soup import Bounds

DRAPE_CELLS: Final = 2
"""Ground that follows a surface is cut this many of the surface's cells apart."""
DRAPES_MAX: Final = 48
"""One tile is cut into at most this many strips either way."""
PLAIN_STEP_M: Final = 1_280.0
"""Even ground is cut at least this often: the Earth curves 6 cm away under it."""
RELIEF_POWER_MAX: Final = 8
"""A relief is looked at in at most two to this many steps along a tile."""
RELIEF_SHARE: Final = 1 / 6_400
"""How far the ground of a tile may be from the relief, as a share of the tile's side: 0.1 m in a leaf of 640 m."""

Pieces = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Drape:
    """How the ground of a tile, ``side_m`` wide, is cut: ``pieces`` gives the polygons for some shapes, or none.

    It is laid ``sunk_m`` below the surface.
    """

    side_m: float
    pieces: Callable[[GroundShapes], Pieces | None]
    sunk_m: float = 0.0

    def __call__(self, shapes: GroundShapes) -> Pieces | None:
        """Return the polygons that shapes are cut along, ``None`` where they stay whole."""
        return self.pieces(shapes)


def even_drape(surface: Surface, cell: Bounds) -> Drape:
    """Cut the ground into squares as fine as the surface."""
    side_m = cell[2] - cell[0]
    step_m = max(surface.straight_m * DRAPE_CELLS, side_m / DRAPES_MAX)

    def pieces(shapes: GroundShapes) -> Pieces | None:
        if not np.isfinite(step_m):
            return None
        low = np.floor(shapely.total_bounds(shapes.polygons)[:2] / step_m)
        high = np.ceil(shapely.total_bounds(shapes.polygons)[2:] / step_m)
        x, y = (np.arange(low[i], high[i]) * step_m for i in (0, 1))
        corner = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
        boxes: Pieces = shapely.box(corner[:, 0], corner[:, 1], corner[:, 0] + step_m, corner[:, 1] + step_m)
        return boxes

    return Drape(side_m, pieces)


def plain_drape(cell: Bounds) -> Drape:
    """Cut even ground into squares that the Earth hardly curves away from.

    The steps of a wide tile are coarse: it is laid half of one lower, so that none rises over what stands on it.
    """
    side_m = cell[2] - cell[0]

    def pieces(_shapes: GroundShapes) -> Pieces | None:
        count = int(np.ceil(side_m / PLAIN_STEP_M))
        if count <= 1:
            return None
        steps = np.linspace(0.0, side_m, count + 1)
        x, y = (axis.reshape(-1) for axis in np.meshgrid(cell[0] + steps[:-1], cell[1] + steps[:-1], indexing="ij"))
        boxes: Pieces = shapely.box(x, y, x + steps[1], y + steps[1])
        return boxes

    return Drape(side_m, pieces, side_m / STEPS / 2)


def relief_drape(surface: Surface, cell: Bounds) -> Drape:
    """Cut the ground into triangles, few where the relief is even and many where it is not.

    Along the border of the cell every step is kept, so that tiles side by side fit.
    """
    side_m = cell[2] - cell[0]

    def pieces(_shapes: GroundShapes) -> Pieces | None:
        if surface.is_even:
            return None
        power = int(np.clip(np.floor(np.log2(side_m / surface.cell_m)), 0, RELIEF_POWER_MAX))
        steps = np.linspace(0.0, side_m, 2**power + 1)
        nodes = np.stack(np.meshgrid(cell[0] + steps, cell[1] + steps, indexing="ij"), axis=-1)
        heights = surface.height_m(nodes.reshape(-1, 2)).reshape(len(steps), len(steps))
        found = refined(heights, side_m * RELIEF_SHARE)
        triangles: Pieces = shapely.polygons(nodes[found[..., 0], found[..., 1]])
        return triangles

    return Drape(side_m, pieces)
