"""The tree of the ground's tiles: cells in four until they are small enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.geometry.ground import Ground as Surface
from tiles.content import Content
from tiles.drape import Drape, even_drape, plain_drape, relief_drape
from tiles.frame import Chart
from tiles.ground import Ground, GroundShapes, cased
from tiles.ground_tiles import CELL_M, FAR_SHARE, cut, cut_polygons, ground_content, simplified
from tiles.plan import Bounds, PlanTile

Keep = Callable[[Content], str]
"""Keeps a content and returns its name."""
Told = Callable[[int, int], None]
"""Is told how many leaves are done, of how many."""

PLAIN_M: Final = 5_120.0
"""Where nothing is painted on even ground one leaf is at most as wide as this: its steps are 8 cm."""
_NO_CASING: Final = np.empty(0, dtype=object)


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the ground lies: the chart, the surface, whether that is a relief's, and the sheet that is painted."""

    chart: Chart
    surface: Surface
    sheet: Bounds
    relief: bool = False

    def drape(self, cell: Bounds) -> Drape:
        """Return how the ground of a cell follows the surface."""
        return relief_drape(self.surface, cell) if self.relief else even_drape(self.surface, cell)


@dataclass(frozen=True, slots=True)
class Again:
    """An earlier build, and the boxes (n, 4) in which the ground is another now: all other tiles stay."""

    plan: PlanTile
    changed: NDArray[np.float64]

    def touches(self, cell: Bounds) -> bool:
        """Tell whether anything has changed in a cell."""
        low, high = self.changed[:, :2], self.changed[:, 2:]
        return bool(((low < cell[2:]) & (high > cell[:2])).all(axis=1).any())

    def tiles(self) -> dict[Bounds, PlanTile]:
        """Return the tiles of the earlier build by their cells."""
        found: dict[Bounds, PlanTile] = {}

        def walk(tile: PlanTile) -> None:
            assert tile.cell is not None
            found[tile.cell] = tile
            for child in tile.children:
                walk(child)

        walk(self.plan)
        return found


def build_ground(ground: Ground, stand: Stand, keep: Keep, told: Told, again: Again | None = None) -> PlanTile:
    """Build the tiles of the ground, or with ``again`` those that have changed since."""
    sheet = stand.sheet
    side = max(sheet[2] - sheet[0], sheet[3] - sheet[1])
    levels = max(0, int(np.ceil(np.log2(side / CELL_M))))
    leaf_side = side / 2**levels
    columns, rows = (int(np.ceil((sheet[i + 2] - sheet[i]) / leaf_side)) for i in (0, 1))
    before = {} if again is None else again.tiles()
    done = 0

    def casing_of(cell: Bounds, level: int) -> NDArray[np.object_]:
        if not len(ground.streets):
            return _NO_CASING
        if level == levels:
            return cut_polygons(ground.casing(cell), cell)
        return _joined([casing_of(quarter, level + 1) for quarter in _quarters(cell)])

    def make(cell: Bounds, inside: GroundShapes, level: int) -> tuple[PlanTile | None, NDArray[np.object_]]:
        nonlocal done
        if again is not None and cell in before and not again.touches(cell):
            return before[cell], casing_of(cell, level)
        here = cut(inside, cell)
        width = cell[2] - cell[0]
        # Of streets beside a cell the casing may reach into it: it is plain only where there are none at all.
        plain = stand.surface.is_even and width <= PLAIN_M and not here.rank.any() and not ground.near(cell)
        if level == levels or plain:
            casing = casing_of(cell, level)
            drape = plain_drape(cell) if plain else stand.drape(cell)
            content = ground_content(cased(here, casing), stand.chart, stand.surface, drape)
            done += 1
            told(min(done, columns * rows), columns * rows)
            return None if content is None else planned(content, keep, 0.0, cell=cell), casing
        made = [make(quarter, here, level + 1) for quarter in _quarters(cell)]
        casing = _joined([part for _, part in made])
        children = [tile for tile, _ in made if tile is not None]
        if not children:
            return None, casing
        tolerance = width * FAR_SHARE
        far = simplified(cased(here, casing), tolerance)
        content = ground_content(far, stand.chart, stand.surface, stand.drape(cell))
        return planned(content, keep, 2 * tolerance, cell=cell, children=children), casing

    root, _ = make((sheet[0], sheet[1], sheet[0] + side, sheet[1] + side), ground.shapes, 0)
    assert root is not None
    return root


def planned(
    content: Content | None,
    keep: Keep,
    error_m: float,
    *,
    rows: list[int] | None = None,
    cell: Bounds | None = None,
    children: list[PlanTile] | None = None,
) -> PlanTile:
    """Return a tile with its content kept."""
    if content is None:
        return PlanTile(None, (), (), error_m, rows or [], cell, children or [])
    low, high = content.low.tolist(), content.high.tolist()
    return PlanTile(keep(content), low, high, error_m, rows or [], cell, children or [])


def _joined(casings: list[NDArray[np.object_]]) -> NDArray[np.object_]:
    every = np.concatenate(casings)
    if not len(every):
        return _NO_CASING
    parts = shapely.get_parts(shapely.union_all(every))
    oriented: NDArray[np.object_] = shapely.orient_polygons(
        parts[shapely.get_type_id(parts) == int(shapely.GeometryType.POLYGON)]
    )
    return oriented


def _quarters(cell: Bounds) -> list[Bounds]:
    xmin, ymin, xmax, ymax = cell
    x, y = (xmin + xmax) / 2, (ymin + ymax) / 2
    return [(xmin, ymin, x, y), (x, ymin, xmax, y), (xmin, y, x, ymax), (x, y, xmax, ymax)]
