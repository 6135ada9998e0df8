"""The tiles of a branch: leaves from the buildings in them, inner tiles from what their children hand up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tiles.content import Content, building_content
from tiles.far import far_blocks
from tiles.intake import read_city
from tiles.massing import Massing, Raster, massing_content, merged, pooled
from tiles.placing import PlacedCity, place_city
from tiles.report import Counts
from tiles.site import Site
from tiles.soup import IntArray, ranges
from tiles.tileset import ERROR_GROWTH
from tiles.tree import Branch, Drawn, Members

Keep = Callable[[Content], str]
"""Keeps a content and returns its name."""


@dataclass(slots=True)
class Leaves:
    """Makes leaves from the rows of the buildings that are in them."""

    site: Site
    placed: PlacedCity
    keep: Keep
    counts: Counts = field(default_factory=Counts)
    _row_of: dict[str, int] = field(default_factory=dict)
    _far: Massing | None = None
    _far_starts: IntArray = field(default_factory=lambda: np.zeros(1, dtype=np.int64))

    @classmethod
    def over(cls, objects: pa.Table, geometries: pa.Table, site: Site, keep: Keep) -> Leaves:
        """Return a maker for the buildings among some rows with the columns of ``cim.city.columns``.

        Parts are with the buildings that they stand for, each with its ``parent_id``.
        """
        order = pc.sort_indices(objects["id"])
        city = read_city(objects.take(order), geometries)
        placed = place_city(city, site.frame, site.surface, site.chart)
        maker = cls(site, placed, keep)
        ids = city.features.ids
        maker._row_of = {name: row for row, name in enumerate(ids)}
        every = np.arange(len(ids))
        columns = placed.columns(every)
        flat = site.frame.ground == "flat"
        maker._far, owner = far_blocks(city, placed.outlines, placed.outline_owner, columns, flat=flat)
        maker._far_starts = np.searchsorted(owner, np.arange(len(ids) + 1))
        named = {identifier for identifier, _ in city.quarantined}
        missing = np.flatnonzero(~np.isfinite(placed.box[:, 0])).tolist()
        city.quarantined.extend((ids[row], "no-geometry") for row in missing if ids[row] not in named)
        maker.counts.quarantined = city.quarantined
        maker.counts.sunk_m = placed.sunk_m
        return maker

    def leaf(self, members: Members, above: Raster | None) -> Drawn:
        """Make a leaf; ``above`` is the grid of the tile over it."""
        rows = np.array([self._row_of[name] for name in members.ids if name in self._row_of], dtype=np.int64)
        rows = rows[np.isfinite(self.placed.box[rows, 0])]
        content = None
        if len(rows):
            placed = self.placed
            content = building_content(placed.drawing(rows), placed.skirt(rows), placed.columns(rows))
        self.counts.add(content, len(rows))
        assert self._far is not None
        first = self._far_starts[rows]
        items = self._far.select(ranges(first, self._far_starts[rows + 1] - first))
        return drawn(content, 0.0, [], items if above is None else merged(items, above), self.keep)


def make(branch: Branch, above: Raster | None, site: Site, keep: Keep, leaves: Leaves | None) -> None:
    """Make all tiles of a branch that are not made yet; ``above`` is the grid of the tile over it."""
    if branch.drawn is not None:
        return
    if branch.members is not None:
        assert leaves is not None
        branch.drawn = leaves.leaf(branch.members, above)
        return
    own = Raster.over(branch.cell) if branch.has_tile else above
    assert own is not None
    for kid in branch.kids:
        make(kid, own, site, keep, leaves)
    branch.drawn = inner(branch, own, above, site, keep)


def inner(branch: Branch, own: Raster, above: Raster | None, site: Site, keep: Keep) -> Drawn:
    """Return the tile of a branch whose kids are made."""
    kids = [kid.drawn for kid in branch.kids if kid.drawn is not None]
    items = pooled([kid.massing for kid in kids])
    if not branch.has_tile:
        return Drawn(None, *_bounds(None, kids), max(kid.error_m for kid in kids), items)
    content, error_m = massing_content(items, own, site.chart) if len(items) else (None, 0.0)
    return drawn(content, error_m, kids, items if above is None else merged(items, above), keep)


def drawn(content: Content | None, error_m: float, kids: list[Drawn], massing: Massing, keep: Keep) -> Drawn:
    """Return a tile with its content kept, its bounds and its error grown over those of its kids."""
    error_m = max([error_m, *(kid.error_m * ERROR_GROWTH for kid in kids)])
    return Drawn(None if content is None else keep(content), *_bounds(content, kids), round(error_m, 3), massing)


def _bounds(content: Content | None, kids: list[Drawn]) -> tuple[list[float], list[float]]:
    lows = [kid.low for kid in kids if len(kid.low)] + ([] if content is None else [content.low.tolist()])
    highs = [kid.high for kid in kids if len(kid.high)] + ([] if content is None else [content.high.tolist()])
    return (np.min(lows, axis=0).tolist(), np.max(highs, axis=0).tolist()) if lows else ([], [])
