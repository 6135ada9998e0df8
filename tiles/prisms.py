"""The short way for what most buildings are: one upright block with a flat roof, standing on the ground.

Walls, their normals and their creases follow from the outline alone, so that neither walls are
triangulated nor edges matched.  It draws the same as ``drawing_of(extrude(…))``, which a test holds.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.drawing import Drawing
from tiles.edges import CREASE_COSINE
from tiles.extrude import HANGING_M
from tiles.footprints import FOOTPRINT_M2_MIN, rings
from tiles.frame import Chart
from tiles.intake import Blocks
from tiles.mesh import triangulate
from tiles.roofs import kin_of
from tiles.soup import FloatArray, IntArray, Soup, counts, cross, length, next_in_rings

SIDE_M_MIN: Final = 0.05
"""An outline with a shorter side takes the general way: its corners may be one to the matching of edges."""


def are_plain(blocks: Blocks, with_body: IntArray) -> NDArray[np.bool_]:
    """Tell which blocks are plain prisms that stand alone for their building; ``with_body`` has bodies' owners."""
    if not len(blocks.owner):
        return np.empty(0, dtype=np.bool_)
    size = np.bincount(blocks.owner, minlength=int(with_body.max(initial=0)) + 1)
    size[with_body] += 1
    alone = size[blocks.owner] == 1
    flat = (kin_of(blocks.roof) == "") & (blocks.floor_m <= HANGING_M)
    solid = shapely.get_num_interior_rings(blocks.footprint) == 0
    wide = shapely.area(blocks.footprint) >= FOOTPRINT_M2_MIN
    plain: NDArray[np.bool_] = alone & flat & solid & wide & _clear_sides(blocks.footprint)
    return plain


def _clear_sides(polygons: NDArray[np.object_]) -> NDArray[np.bool_]:
    closed = shapely.get_coordinates(polygons)
    ends = np.cumsum(shapely.get_num_coordinates(polygons))
    x, y = closed.T
    dx, dy = np.diff(x, append=0.0), np.diff(y, append=0.0)
    long = dx * dx + dy * dy >= SIDE_M_MIN**2
    long[ends - 1] = True
    result: NDArray[np.bool_] = np.logical_and.reduceat(long, np.append(0, ends[:-1]))
    return result


def prism_drawing(blocks: Blocks, ground_m: FloatArray, foot_m: FloatArray, chart: Chart) -> Drawing:
    """Return how plain prisms are drawn; ``ground_m`` and ``foot_m`` (blocks,) metres in the working CRS."""
    xy, ring_ends, _ = rings(blocks.footprint)
    size = counts(ring_ends)
    block = np.repeat(np.arange(len(size)), size)
    level, metre = chart.uprights(xy)
    eaves_m = ground_m + blocks.top_m
    foot, top = ((level.T + metre.T * height[block]).T for height in (foot_m, eaves_m))
    count = len(xy)
    here, following = np.arange(count), next_in_rings(ring_ends)
    cap = Soup(top, ring_ends, np.arange(1, len(size) + 1), blocks.owner, np.empty(count))
    roof = triangulate(cap)
    walls = _wall_normals(foot, top, following)
    triangles = np.concatenate((
        np.stack((here, following, following + count, here, following + count, here + count), axis=1).reshape(-1, 3),
        roof.triangles + count,
    ))  # fmt: skip
    faces = np.concatenate((np.repeat(here, 2), roof.surface + count))
    owner = np.concatenate((np.repeat(block, 2), roof.surface))
    # Block by block the file compresses better than with walls and roofs apart.
    order = np.argsort(owner, kind="stable")
    height = np.concatenate(((foot_m - ground_m)[block], (eaves_m - ground_m)[block]))
    edges, edge_block = _edges(walls, following, block)
    return Drawing(
        np.concatenate((foot.T, top.T), axis=1).T, height, np.concatenate((walls, roof.normals)), triangles[order],
        faces[order], blocks.owner[owner[order]], edges, blocks.owner[edge_block],
    )  # fmt: skip


def _wall_normals(foot: FloatArray, top: FloatArray, following: IntArray) -> FloatArray:
    """Return the unit normals of the walls from each corner to the one that follows, shape (n, 3)."""
    along, back = top.T[:, following] - foot.T, top.T - foot.T[:, following]
    across = cross(along.T, back.T)
    return across / length(across)[:, None]


def _edges(walls: FloatArray, following: IntArray, block: IntArray) -> tuple[IntArray, IntArray]:
    """Return the creases as pairs of vertices, tops after feet, and their blocks: upright ones and eaves."""
    count = len(following)
    here = np.arange(count)
    before = np.empty_like(following)
    before[following] = here
    cosine = sum(column * column[before] for column in walls.T)
    bent = np.asarray(cosine < CREASE_COSINE)
    pairs = np.stack((here, here + count, here + count, following + count), axis=1).reshape(-1, 2)
    drawn = np.stack((bent, np.ones_like(bent)), axis=1).reshape(-1)
    return pairs[drawn], np.repeat(block, 2)[drawn]
