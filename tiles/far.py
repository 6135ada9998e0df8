"""All blocks that buildings come to when they are seen from far away, before any are merged."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tiles.footprints import clean_footprints
from tiles.intake import Blocks, City
from tiles.massing import Massing
from tiles.metadata import Column
from tiles.outlines import Outlines
from tiles.roofs import SHARE_MAX, kin_of
from tiles.soup import FloatArray, IntArray
from tiles.terrain import SUNK_M

BODY_TOP_QUANTILE: float = 0.8
"""A body is drawn as high as this share of its vertices reach."""


def far_blocks(
    city: City, outlines: Outlines, outline_owner: IntArray, columns: dict[str, Column], *, flat: bool
) -> tuple[Massing, IntArray]:
    """Return blocks for everything, by owner: as they are, and one for each body by its outline; and their owners.

    ``columns`` is what is said of every feature.
    """
    polygons, origin = clean_footprints(outlines.shapes)
    owner = outline_owner[origin]
    low, mean, high = _levels(city, owner)
    bodies = Blocks(
        Outlines.of(polygons), owner, np.zeros(len(owner)), np.maximum(mean - low, 0.5),
        np.full(len(owner), "", dtype=object), np.full(len(owner), np.nan),
    )  # fmt: skip
    blocks = city.blocks.and_also(bodies)
    guessed = (kin_of(city.blocks.roof) != "") * SHARE_MAX * (city.blocks.top_m - city.blocks.floor_m)
    pitched = np.where(city.blocks.roof_height_m > 0, city.blocks.roof_height_m, guessed)
    roof_error = np.concatenate((pitched, high - mean))
    if len(owner):
        order = np.argsort(blocks.owner, kind="stable")
        blocks, roof_error = blocks.select(order), roof_error[order]
    bounds = blocks.footprint.bounds
    spans = np.column_stack((bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1], blocks.top_m - blocks.floor_m))
    area = blocks.footprint.area_m2
    ground = city.features.ground_m[blocks.owner]
    said = pa.RecordBatch.from_pydict({name: pa.array(column) for name, column in columns.items()})
    is_each = len(blocks.owner) == said.num_rows and bool((np.diff(blocks.owner) == 1).all())
    massing = Massing(
        polygons=blocks.footprint,
        floor_m=blocks.floor_m,
        top_m=blocks.top_m,
        ground_m=ground,
        foot_m=ground if flat else ground - SUNK_M,
        area_m2=area,
        error_m=roof_error,
        size_m=spans.max(axis=1),
        widest_m2=area,
        merged=np.ones(len(area), dtype=np.int64),
        columns=said if is_each else said.take(pa.array(blocks.owner)),
    )
    return massing, blocks.owner


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
