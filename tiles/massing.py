"""Buildings as seen from far away: the large ones by themselves, the small ones merged into blocks.

Every tile of the tree hands to the one above what that shows of it: each item is one large block, or a group of
small ones within one cell of the upper tile's grid, whose hull is drawn as high as the group is on average.  Groups
lie within the grid of the tile above, which lies within that of the next: so an upper tile is made from what its
children hand up, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from tiles.content import Content, SkirtMesh, building_contents
from tiles.convex import hulls, on_steps
from tiles.drawing import Drawing, drawing_of, together
from tiles.extrude import extrude
from tiles.footprints import settled, straightened
from tiles.frame import Chart
from tiles.intake import Blocks
from tiles.outlines import Outlines, joined, leftward
from tiles.prisms import are_plain, prism_drawing
from tiles.soup import Bounds, FloatArray, IntArray, Soup

GRID: Final = 20
"""A tile's long side in cells, within each of which small buildings are merged: a multiple of four."""
LARGE_CELLS: Final = 2.0
"""What is longer or higher than this many cells is drawn by itself."""
LARGE_MAX: Final = 256
"""As many of the largest are; the others are merged, however large."""
ERROR_CELLS: Final = 0.5
"""How far a merged block may lie from what it stands for, in cells."""
STEPS: Final = 16
"""Merged blocks are drawn on steps of this part of a cell, and as high in whole steps: small changes go unseen."""
TEXTS: Final = ("id", "type", "name", "use", "roof", "change")


@dataclass(frozen=True, slots=True)
class Massing:
    """Blocks in the working CRS, one row each; of a group, what it comes to as a whole.

    ``top_m`` and ``floor_m`` are above ``ground_m``, ``foot_m`` is where the walls begin; ``error_m`` is what a
    block's flat top hides; ``size_m`` its longest side; ``merged`` says how many blocks it stands for, and
    ``columns`` (one row each) is what is said of the widest of them, ``widest_m2``.
    """

    polygons: Outlines
    floor_m: FloatArray
    top_m: FloatArray
    ground_m: FloatArray
    foot_m: FloatArray
    area_m2: FloatArray
    error_m: FloatArray
    size_m: FloatArray
    widest_m2: FloatArray
    merged: IntArray
    columns: pa.RecordBatch

    def __len__(self) -> int:
        """Return how many blocks there are."""
        return len(self.polygons)

    def select(self, rows: IntArray) -> Massing:
        """Return some blocks."""
        arrays = {name: getattr(self, name)[rows] for name in _ARRAYS}
        return Massing(**arrays, columns=self.columns.take(pa.array(rows)))

    def part(self, first: int, end: int) -> Massing:
        """Return the blocks from one to before another, without a copy."""
        arrays = {name: getattr(self, name)[first:end] for name in _ARRAYS}
        return Massing(**arrays, columns=self.columns.slice(first, end - first))


_ARRAYS: Final = tuple(member.name for member in fields(Massing) if member.name != "columns")
_NUMBERS: Final = tuple(name for name in _ARRAYS if name != "polygons")


def pooled(parts: list[Massing]) -> Massing:
    """Return several as one, each after the other."""
    if len(parts) == 1:
        return parts[0]
    table = pa.Table.from_batches([part.columns for part in parts]).combine_chunks()
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _NUMBERS}
    outlines = joined([part.polygons for part in parts])
    return Massing(outlines, **arrays, columns=table.to_batches()[0] if table.num_rows else parts[0].columns)


@dataclass(frozen=True, slots=True)
class Raster:
    """The grid of a tile: ``low`` (2,) is its corner, ``step`` (2,) a cell's sides, metres."""

    low: FloatArray
    step: FloatArray

    @classmethod
    def over(cls, cell: Bounds) -> Raster:
        """Return the grid of the tile of a cell, whose sides are as one to one or to two."""
        low, size = np.array(cell[:2]), np.array(cell[2:]) - np.array(cell[:2])
        return cls(low, size / np.maximum(np.rint(GRID * size / size.max()), 1.0))

    @property
    def step_m(self) -> float:
        """The longer side of a cell."""
        return float(self.step.max())


def _cells(bounds: FloatArray, low: FloatArray, step: FloatArray) -> IntArray:
    """Return a number for the cell in which the middle of each box lies, on its grid by ``low`` and ``step``."""
    place = np.floor(((bounds[:, :2] + bounds[:, 2:]) / 2 - low) / step).astype(np.int64)
    numbers: IntArray = (place[:, 1] + (1 << 20)) * (1 << 32) + place[:, 0] + (1 << 20)
    return numbers


def merged(massing: Massing, rasters: Sequence[Raster], of: IntArray | None = None) -> list[Massing]:
    """Return what a tile shows: large blocks as they are, those of each cell of its grid that are small as one.

    So for several tiles: ``of`` (blocks,), ascending, is the one of the ``rasters`` that each block is on.
    """
    of = np.zeros(len(massing), dtype=np.int64) if of is None else of
    large = _large(massing, np.array([raster.step_m for raster in rasters])[of], of)
    rows = np.flatnonzero(~large)
    low, step = (np.array([getattr(raster, name) for raster in rasters])[of[rows]] for name in ("low", "step"))
    cells = _cells(massing.polygons.bounds[rows], low, step)
    order = np.lexsort((cells, of[rows]))
    rows, cells = rows[order], cells[order]
    first = np.flatnonzero(np.append(True, (cells[1:] != cells[:-1]) | (np.diff(of[rows]) != 0))[: len(rows)])
    size = np.diff(np.append(first, len(rows)))
    several = np.flatnonzero(size > 1)
    if len(several):
        kept = np.sort(np.concatenate((np.flatnonzero(large), rows[first[size == 1]])))
        outlines, groups, widest = _groups(massing, rows, first[several], size[several])
        of = np.concatenate((of[kept], of[rows[first[several]]]))
        order = np.argsort(of, kind="stable")
        of, said = of[order], np.concatenate((kept, widest))[order]
        arrays = {name: np.concatenate((getattr(massing, name)[kept], groups[name]))[order] for name in _NUMBERS}
        shapes = joined([massing.polygons[kept], outlines])[order]
        massing = Massing(shapes, **arrays, columns=massing.columns.take(pa.array(said)))
    ends = np.searchsorted(of, np.arange(len(rasters) + 1)).tolist()
    return [massing.part(a, b) for a, b in pairwise(ends)]


def _large(massing: Massing, step_m: FloatArray, of: IntArray) -> NDArray[np.bool_]:
    """Tell which blocks are drawn by themselves: the largest on each grid."""
    large: NDArray[np.bool_] = massing.size_m >= LARGE_CELLS * step_m
    for grid in np.flatnonzero(np.bincount(of[large]) > LARGE_MAX).tolist():
        rows = np.flatnonzero(large & (of == grid))
        by_size = rows[np.argsort(-massing.size_m[rows], kind="stable")]
        large[by_size[LARGE_MAX:]] = False
    return large


def _groups(
    massing: Massing, rows: IntArray, first: IntArray, size: IntArray
) -> tuple[Outlines, dict[str, NDArray[Any]], IntArray]:
    """Return groups of blocks as one block each, those at ``rows[first[i] : first[i] + size[i]]``.

    Their hulls, arrays by name, and the row of each group's widest block, of which the columns speak.
    """
    group = np.repeat(np.arange(len(first)), size)
    within = np.arange(len(group)) - np.repeat(np.cumsum(size) - size, size)
    chosen = rows[first[group] + within]
    begin = np.cumsum(size) - size
    polygons = massing.polygons[chosen]
    outlines = leftward(Outlines.of(hulls(polygons.coordinates, group[polygons.vertex_surface])))
    area, top, floor = massing.area_m2[chosen], massing.top_m[chosen], massing.floor_m[chosen]
    ground = massing.ground_m[chosen]
    total = np.add.reduceat(area, begin)

    def mean(values: FloatArray) -> FloatArray:
        result: FloatArray = np.add.reduceat(values * area, begin) / total
        return result

    level, foot = mean(ground), np.minimum.reduceat(massing.foot_m[chosen], begin)
    height = mean(ground + top) - level
    wrong = np.abs(ground + top - (level + height)[group]) + massing.error_m[chosen]
    bounds = outlines.bounds
    widest = np.maximum.reduceat(massing.widest_m2[chosen], begin)
    ahead = np.flatnonzero(massing.widest_m2[chosen] == widest[group])
    _, winner = np.unique(group[ahead], return_index=True)
    spans = np.column_stack((bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1], height))
    arrays = {
        "floor_m": np.minimum.reduceat(floor, begin),
        "top_m": height,
        "ground_m": level,
        "foot_m": foot,
        "area_m2": total,
        "error_m": np.maximum.reduceat(wrong, begin),
        "size_m": spans.max(axis=1),
        "widest_m2": widest,
        "merged": np.add.reduceat(massing.merged[chosen], begin),
    }
    return outlines, arrays, chosen[ahead[winner]]


def massing_content(massing: Massing, raster: Raster, chart: Chart) -> tuple[Content | None, float]:
    """Return what an inner tile draws, and how far that lies from the whole, metres."""
    (shown,) = merged(massing, [raster])
    step_m = raster.step_m / STEPS
    error_m = max(ERROR_CELLS * raster.step_m, float(shown.error_m.max(initial=0.0)))
    polygons, top = _coarse(shown, step_m), shown.top_m.copy()
    several = shown.merged > 1
    top[several] = np.maximum(np.rint(top[several] / step_m), 1.0) * step_m
    ids = shown.columns.column(0)
    names, place = np.unique(np.array(ids.to_pylist(), dtype=object), return_inverse=True)
    first = np.full(len(names), len(shown))
    np.minimum.at(first, place, np.arange(len(shown)))
    order = np.argsort(place, kind="stable")
    ground, foot = shown.ground_m.copy(), shown.foot_m.copy()
    ground[several], foot[several] = (np.floor(level[several] / step_m) * step_m for level in (ground, foot))
    blocks = Blocks(
        polygons, place, shown.floor_m, top, np.full(len(shown), "", dtype=object), np.full(len(shown), np.nan)
    ).select(order)
    columns = {name: shown.columns.column(name).take(pa.array(first)) for name in TEXTS}
    numbers = {
        n: shown.columns.column(n).to_numpy(zero_copy_only=False)[first]
        for n in shown.columns.schema.names
        if n not in TEXTS
    }
    drawing = _drawn(blocks, ground[order], foot[order], chart)
    (content,) = building_contents(drawing, np.array((0, len(names))), SkirtMesh.none(1), {**columns, **numbers})
    return content, error_m


def _coarse(shown: Massing, step_m: float) -> Outlines:
    """Return outlines with fewer corners: those of groups on steps, single ones as near as a step."""
    several, single = np.flatnonzero(shown.merged > 1), np.flatnonzero(shown.merged <= 1)
    merged_ones = on_steps(shown.polygons[several], step_m)
    place = np.empty(len(shown), dtype=np.int64)
    place[several], place[single] = np.arange(len(several)), len(several) + np.arange(len(single))
    return joined([merged_ones, _coarser(shown.polygons[single], step_m)])[place]


def _coarser(outlines: Outlines, tolerance_m: float) -> Outlines:
    """Return outlines with fewer corners: fast, and with care for those that the fast way breaks."""
    bent = np.flatnonzero(~settled((outlines.coordinates, outlines.ring_ends, outlines.surface_ends), tolerance_m))
    polygons = outlines[bent].shapes
    simple = shapely.simplify(polygons, tolerance_m, preserve_topology=False)
    whole = (shapely.get_type_id(simple) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(simple)
    broken = np.flatnonzero(~(whole & shapely.is_valid(simple)))
    simple[broken] = straightened(polygons[broken], tolerance_m)
    return outlines.put(bent, shapely.orient_polygons(simple))


def _drawn(blocks: Blocks, ground_m: FloatArray, foot_m: FloatArray, chart: Chart) -> Drawing:
    """Return how blocks are drawn; ``ground_m`` and ``foot_m`` are of each block."""
    plain = are_plain(blocks, np.empty(0, dtype=np.int64))
    short, long = np.flatnonzero(plain), np.flatnonzero(~plain)
    drawings: list[Drawing] = []
    if len(short):
        drawings.append(prism_drawing(blocks.select(short), ground_m[short], foot_m[short], chart))
    if len(long) or not drawings:
        ground = np.zeros(int(blocks.owner.max(initial=0)) + 1)
        ground[blocks.owner] = ground_m
        soup = extrude(blocks.select(long), ground, foot_m[long])
        drawings.append(drawing_of(_charted(soup, chart)))
    return together(drawings)


def _charted(soup: Soup, chart: Chart) -> Soup:
    if not soup.surface_count:
        return soup
    return Soup(chart.to_local(soup.coordinates), soup.ring_ends, soup.surface_ends, soup.owner, soup.height_m)


def to_batch(massing: Massing) -> pa.RecordBatch:
    """Return a massing as one batch of columns, for keeping."""
    arrays = {name: pa.array(getattr(massing, name)) for name in _NUMBERS}
    said = dict(zip(massing.columns.schema.names, massing.columns.columns, strict=True))
    outlines = massing.polygons
    x, y = (pa.array(np.ascontiguousarray(column)) for column in outlines.coordinates.T)
    rings = pa.ListArray.from_arrays(_offsets(outlines.ring_ends), pa.StructArray.from_arrays((x, y), ("x", "y")))
    kept = {"outline": pa.ListArray.from_arrays(_offsets(outlines.surface_ends), rings)}
    return pa.RecordBatch.from_pydict({**kept, **arrays, **{f"p_{n}": c for n, c in said.items()}})


def from_batch(batch: pa.RecordBatch) -> Massing:
    """Return the massing that was kept as a batch."""
    arrays = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in _NUMBERS}
    said = {name[2:]: batch.column(name) for name in batch.schema.names if name.startswith("p_")}
    surfaces = batch.column("outline")
    rings = surfaces.values
    x, y = (rings.values.field(axis).to_numpy() for axis in ("x", "y"))
    ring_ends, surface_ends = (lists.offsets.to_numpy()[1:].astype(np.int64) for lists in (rings, surfaces))
    return Massing(
        Outlines(np.column_stack((x, y)), ring_ends, surface_ends), columns=pa.RecordBatch.from_pydict(said), **arrays
    )


def _offsets(ends: IntArray) -> pa.Array:
    return pa.array(np.append(0, ends), pa.int32())
