"""The leaves of the tree, made from the rows of the buildings in them, many leaves at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tiles.content import Content, building_contents
from tiles.far import far_blocks
from tiles.intake import read_city
from tiles.massing import Massing, Raster, merged
from tiles.placing import PlacedCity, place_city
from tiles.report import Counts
from tiles.site import Site
from tiles.soup import Bounds, IntArray, ranges
from tiles.tileset import ERROR_GROWTH
from tiles.tree import Branch, Drawn

Keep = Callable[[Content], str]
"""Keeps a content and returns its name."""
LOT_VERTICES_MAX: Final = 200_000
"""Leaves with about so many vertices are drawn in one go: few calls for many buildings, and bounded memory."""


@dataclass(frozen=True, slots=True)
class _Lot:
    """Some leaves that are drawn, from the ``first`` on: of each its tile, in order, and what the tile above shows."""

    first: int
    contents: Iterator[Content | None]
    features: list[int]
    items: list[Massing]


@dataclass(slots=True)
class Leaves:
    """Makes leaves from the rows of the buildings that are in them; what one comes to depends on no other."""

    site: Site
    placed: PlacedCity
    keep: Keep
    counts: Counts
    _leaves: list[tuple[Branch, Raster | None]]
    _rows: IntArray
    """The features that are drawn, leaf by leaf."""
    _starts: IntArray
    _far: Massing
    _far_starts: IntArray
    _place: dict[Bounds, int] = field(default_factory=dict)
    _lot: _Lot | None = None

    @classmethod
    def over(
        cls, tables: tuple[pa.Table, pa.Table], branch: Branch, above: Raster | None, site: Site, keep: Keep
    ) -> Leaves:
        """Return a maker for those leaves of a branch that are not made; ``above`` is the grid of the tile over it.

        ``tables`` are the rows of their buildings, objects and geometries with the columns of ``cim.city.columns``;
        parts are with the buildings that they stand for, each with its ``parent_id``.
        """
        leaves = list(_unmade(branch, above))
        members = [leaf.members.object_ids() if leaf.members is not None else [] for leaf, _ in leaves]
        names = pa.array([name for found in members for name in found], pa.string())
        # The last is for what is in no leaf.
        leaf_of = np.append(np.repeat(np.arange(len(leaves)), [len(found) for found in members]), len(leaves))
        objects, told = tables[0], _told(tables[0], names, leaves)
        if not told:
            ids = objects["id"].combine_chunks()
            by_id = pc.sort_indices(ids).to_numpy()
            objects = objects.take(pa.array(by_id[np.argsort(leaf_of[_places(ids, names)[by_id]], kind="stable")]))
        city = read_city(objects, tables[1])
        placed = place_city(city, site.frame, site.surface, site.chart)
        count = len(city.features.ids)
        flat = site.frame.ground == "flat"
        said = placed.columns(np.arange(count))
        far, owner = far_blocks(city, placed.outlines, placed.outline_owner, said, flat=flat)
        rows = np.flatnonzero(np.isfinite(placed.box[:, 0]))
        if len(rows) < count:
            named = {identifier for identifier, _ in city.quarantined}
            lost = [city.features.ids[row] for row in np.setdiff1d(np.arange(count), rows).tolist()]
            city.quarantined.extend((name, "no-geometry") for name in lost if name not in named)
        if not told or count < len(names):
            leaf_of = leaf_of[_places(city.features.texts["id"], names)]
        leaf = leaf_of[rows]
        return cls(
            site,
            placed,
            keep,
            Counts(quarantined=city.quarantined, sunk_m=placed.sunk_m),
            leaves,
            rows,
            np.searchsorted(leaf, np.arange(len(leaves) + 1)),
            far,
            np.searchsorted(owner, np.arange(count + 1)),
            {leaf.cell: at for at, (leaf, _) in enumerate(leaves)},
        )

    def finish(self, branch: Branch) -> bool:
        """Make a branch if it is a leaf, and tell whether it is."""
        if branch.members is not None:
            branch.drawn = self.leaf(branch)
        return branch.drawn is not None

    def leaf(self, branch: Branch) -> Drawn:
        """Make a leaf; they come one after the other."""
        at = self._place[branch.cell]
        lot = self._lot
        if lot is None or not lot.first <= at < lot.first + len(lot.items):
            lot = self._lot = self._drawn(at)
        at -= lot.first
        content = next(lot.contents)
        self.counts.add(content, lot.features[at])
        return drawn(content, 0.0, [], lot.items[at], self.keep)

    def _drawn(self, first: int) -> _Lot:
        """Draw the leaves from one on, as many as make a lot."""
        weight = np.cumsum([leaf.weight for leaf, _ in self._leaves[first:]])
        last = first + max(1, int(np.searchsorted(weight, LOT_VERTICES_MAX, side="right")))
        rows = self._rows[self._starts[first] : self._starts[last]]
        starts = self._starts[first : last + 1] - self._starts[first]
        contents: Iterator[Content | None] = iter([None] * (len(starts) - 1))
        if len(rows):
            drawing, skirt = self.placed.drawing(rows, starts), self.placed.skirt(rows, starts)
            contents = building_contents(drawing, starts, skirt, self.placed.columns(rows))
        begin = self._far_starts[rows]
        count = self._far_starts[rows + 1] - begin
        together = ranges(begin, count)
        first_item, items_end = (int(begin[0]), int(begin[-1] + count[-1])) if len(rows) else (0, 0)
        whole = items_end - first_item == len(together)
        items = self._far.part(first_item, items_end) if whole else self._far.select(together)
        leaf = np.repeat(np.searchsorted(starts, np.arange(len(rows)), side="right") - 1, count)
        shown = _merged(items, [above for _, above in self._leaves[first:last]], leaf)
        return _Lot(first, contents, np.diff(starts).tolist(), shown)


def _told(objects: pa.Table, names: pa.Array, leaves: Sequence[tuple[Branch, Raster | None]]) -> bool:
    """Tell whether rows are buildings without parts, in the order of the names of their leaves."""
    parted = any(leaf.members.parts for leaf, _ in leaves if leaf.members is not None)
    return not parted and bool(objects["id"].combine_chunks().equals(names.cast(objects["id"].type)))


def _places(ids: pa.Array, names: pa.Array) -> IntArray:
    """Return where each of some ids is among names, -1 where it is not."""
    found = pc.fill_null(pc.index_in(ids, value_set=names.cast(ids.type)), -1)
    places: IntArray = found.to_numpy(zero_copy_only=False).astype(np.int64)
    return places


def _unmade(branch: Branch, above: Raster | None) -> Iterator[tuple[Branch, Raster | None]]:
    """Yield the leaves that are not made, each with the grid of the tile over it."""
    if branch.drawn is not None:
        return
    if branch.members is not None:
        yield branch, above
    own = Raster.over(branch.cell) if branch.has_tile else above
    for kid in branch.kids:
        yield from _unmade(kid, own)


def _merged(items: Massing, above: Sequence[Raster | None], leaf: IntArray) -> list[Massing]:
    """Return of each leaf what the tile above shows: all of a leaf that has none above it."""
    rasters = [raster for raster in above if raster is not None]
    if len(rasters) < len(above):
        # There is one leaf, and nothing above it.
        return [items]
    return merged(items, rasters, leaf)


def drawn(content: Content | None, error_m: float, kids: list[Drawn], massing: Massing, keep: Keep) -> Drawn:
    """Return a tile with its content kept, its bounds and its error grown over those of its kids."""
    error_m = max([error_m, *(kid.error_m * ERROR_GROWTH for kid in kids)])
    uri = None if content is None else keep(content)
    return Drawn(uri, *bounds_over(content, kids), round(error_m, 3), massing)


def bounds_over(content: Content | None, kids: list[Drawn]) -> tuple[list[float], list[float]]:
    """Return the bounds of a content and of the tiles below it, empty for nothing."""
    lows = [kid.low for kid in kids if len(kid.low)] + ([] if content is None else [content.low.tolist()])
    highs = [kid.high for kid in kids if len(kid.high)] + ([] if content is None else [content.high.tolist()])
    return [min(axis) for axis in zip(*lows, strict=True)], [max(axis) for axis in zip(*highs, strict=True)]
