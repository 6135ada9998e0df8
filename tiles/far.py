"""Buildings as seen from far away: blocks with fewer corners, without the small ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.footprints import clean_footprints, straightened
from tiles.intake import Blocks, City
from tiles.plan import BLOCKS_MAX
from tiles.roofs import SHARE_MAX, kin_of
from tiles.soup import FloatArray, IntArray

TOLERANCE_SHARE: Final = 1 / 400
"""Outlines are simplified by this share of a tile's diagonal."""
TOLERANCE_M_MIN: Final = 1.0
BODY_TOP_QUANTILE: Final = 0.8
"""A body is drawn as high as this share of its vertices reach."""


@dataclass(frozen=True, slots=True)
class FarCity:
    """All blocks of the city; ``size_m`` is a block's longest side, ``roof_error_m`` what its flat top hides."""

    blocks: Blocks
    size_m: FloatArray
    roof_error_m: FloatArray


def far_city(city: City, outlines: NDArray[np.object_], owner: IntArray) -> FarCity:
    """Return blocks for everything: as they are, and one for each body by its outline and owner."""
    polygons, origin = clean_footprints(outlines)
    owner = owner[origin]
    low, mean, high = _levels(city, owner)
    bodies = Blocks(
        polygons, owner, np.zeros(len(owner)), np.maximum(mean - low, 0.5), np.full(len(owner), "", dtype=object),
        np.full(len(owner), np.nan),
    )  # fmt: skip
    blocks = Blocks(*(np.concatenate((getattr(city.blocks, name), getattr(bodies, name))) for name in Blocks.__slots__))
    guessed = (kin_of(city.blocks.roof) != "") * SHARE_MAX * (city.blocks.top_m - city.blocks.floor_m)
    pitched = np.where(city.blocks.roof_height_m > 0, city.blocks.roof_height_m, guessed)
    roof_error = np.concatenate((pitched, high - mean))
    bounds = shapely.bounds(blocks.footprint).reshape(-1, 4)
    spans = np.column_stack((bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1], blocks.top_m - blocks.floor_m))
    return FarCity(blocks, spans.max(axis=1), roof_error)


def _levels(city: City, owner: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the lowest, the usual and the highest level of each owner's body."""
    surface = city.bodies.vertex_surface
    vertex_owner = city.bodies.owner[surface]
    level = city.bodies.coordinates[:, 2]
    order = np.lexsort((level, vertex_owner))
    levels, owners = level[order], vertex_owner[order]
    first = np.searchsorted(owners, owner, side="left")
    last = np.searchsorted(owners, owner, side="right") - 1
    usual = first + np.rint((last - first) * BODY_TOP_QUANTILE).astype(np.int64)
    return levels[first], levels[usual], levels[last]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which blocks an inner tile draws, ascending, how coarsely, and how far they lie from the whole, metres."""

    rows: IntArray
    tolerance_m: float
    error_m: float


def choose(size_m: FloatArray, roof_error_m: FloatArray, diagonal_m: float) -> Choice:
    """Choose among the blocks under an inner tile, by their sizes alone."""
    tolerance = max(TOLERANCE_M_MIN, diagonal_m * TOLERANCE_SHARE)
    by_size = np.argsort(-size_m, kind="stable")
    large = by_size[:BLOCKS_MAX]
    large = large[size_m[large] >= 2 * tolerance]
    dropped = by_size[len(large) :]
    chosen = np.sort(large)
    error = max(
        tolerance,
        float(size_m[dropped].max(initial=0.0)),
        float(roof_error_m[chosen].max(initial=0.0)),
    )
    return Choice(chosen, tolerance, error)


def coarse(blocks: Blocks, tolerance_m: float) -> Blocks:
    """Return blocks as they are seen from far away."""
    simple = _coarser(blocks.footprint, tolerance_m)
    return Blocks(
        shapely.orient_polygons(simple), blocks.owner, blocks.floor_m, blocks.top_m,
        np.full(len(simple), "", dtype=object), blocks.roof_height_m,
    )  # fmt: skip


def _coarser(polygons: NDArray[np.object_], tolerance_m: float) -> NDArray[np.object_]:
    """Return outlines with fewer corners: fast, and with care for those that the fast way breaks."""
    simple: NDArray[np.object_] = shapely.simplify(polygons, tolerance_m, preserve_topology=False)
    changed = np.flatnonzero(shapely.get_num_coordinates(simple) != shapely.get_num_coordinates(polygons))
    made = simple[changed]
    whole = (shapely.get_type_id(made) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(made)
    broken = changed[~(whole & shapely.is_valid(made))]
    simple[broken] = straightened(polygons[broken], tolerance_m)
    return simple
