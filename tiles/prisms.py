"""The short way for what most buildings are: one upright block with a flat roof, standing on the ground.

Walls, their normals and their creases follow from the outline alone, so that neither walls are
triangulated nor edges matched.  It draws the same as ``drawing_of(extrude(…))``, which a test holds.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiles.drawing import Drawing
from tiles.edges import CREASE_COSINE
from tiles.extrude import HANGING_M
from tiles.footprints import FOOTPRINT_M2_MIN
from tiles.frame import Chart
from tiles.intake import Blocks
from tiles.mesh import triangulate
from tiles.outlines import Outlines
from tiles.roofs import kin_of
from tiles.soup import FloatArray, IntArray, Soup, counts, cross, length

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
    solid = counts(blocks.footprint.surface_ends) == 1
    wide = blocks.footprint.area_m2 >= FOOTPRINT_M2_MIN
    plain: NDArray[np.bool_] = alone & flat & solid & wide & _clear_sides(blocks.footprint)
    return plain


def _clear_sides(outlines: Outlines) -> NDArray[np.bool_]:
    dx, dy = (column[outlines.next_vertex] - column for column in outlines.coordinates.T)
    result: NDArray[np.bool_] = np.logical_and.reduceat(dx * dx + dy * dy >= SIDE_M_MIN**2, outlines.surface_starts)
    return result


def prism_drawing(blocks: Blocks, ground_m: FloatArray, foot_m: FloatArray, chart: Chart) -> Drawing:
    """Return how plain prisms are drawn; ``ground_m`` and ``foot_m`` (blocks,) metres in the working CRS."""
    xy, ring_ends = blocks.footprint.coordinates, blocks.footprint.ring_ends
    size = counts(ring_ends)
    block = np.repeat(np.arange(len(size)), size)
    level, metre = chart.uprights(xy)
    eaves_m = ground_m + blocks.top_m
    # A corner's foot and top, and a block's walls and roof, lie side by side: what is one block's is one piece.
    positions = np.empty((3, 2 * len(xy)))
    for row, axis, rise in zip(positions, level.T, metre.T, strict=True):
        row[::2], row[1::2] = axis + rise * foot_m[block], axis + rise * eaves_m[block]
    foot, top = positions[:, ::2].T, positions[:, 1::2].T
    here, following = np.arange(len(xy)), blocks.footprint.next_vertex
    roof = triangulate(Soup(top, ring_ends, np.arange(1, len(size) + 1), blocks.owner, np.empty(len(xy))))
    walls = _wall_normals(foot, top, following)
    wall_face, roof_face = here + block, ring_ends + np.arange(len(size))
    normals = np.empty((3, len(xy) + len(size)))
    normals[:, wall_face], normals[:, roof_face] = walls.T, roof.normals.T
    a, b = 2 * here, 2 * following
    triangles = np.concatenate((np.stack((a, b, b + 1, a, b + 1, a + 1), 1).reshape(-1, 3), 2 * roof.triangles + 1))
    faces = np.concatenate((np.repeat(wall_face, 2), roof_face[roof.surface]))
    owner = np.concatenate((np.repeat(block, 2), roof.surface))
    # Block by block the file compresses better than with walls and roofs apart.
    order = np.argsort(owner, kind="stable")
    height = np.stack(((foot_m - ground_m)[block], (eaves_m - ground_m)[block]), axis=1).reshape(-1)
    edges, edge_block = _edges(walls, following, block)
    return Drawing(
        positions.T, height, normals.T, triangles[order], faces[order], blocks.owner[owner[order]],
        edges, blocks.owner[edge_block], np.repeat(blocks.owner, 2 * size), np.repeat(blocks.owner, size + 1),
    )  # fmt: skip


def _wall_normals(foot: FloatArray, top: FloatArray, following: IntArray) -> FloatArray:
    """Return the unit normals of the walls from each corner to the one that follows, shape (n, 3)."""
    along, back = top.T[:, following] - foot.T, top.T - foot.T[:, following]
    across = cross(along.T, back.T)
    return across / length(across)[:, None]


def _edges(walls: FloatArray, following: IntArray, block: IntArray) -> tuple[IntArray, IntArray]:
    """Return the creases as pairs of vertices, each top after its foot, and their blocks: upright ones and eaves."""
    here = np.arange(len(following))
    before = np.empty_like(following)
    before[following] = here
    cosine = sum(column * column[before] for column in walls.T)
    bent = np.asarray(cosine < CREASE_COSINE)
    top = 2 * here + 1
    pairs = np.stack((top - 1, top, top, 2 * following + 1), axis=1).reshape(-1, 2)
    drawn = np.stack((bent, np.ones_like(bent)), axis=1).reshape(-1)
    return pairs[drawn], np.repeat(block, 2)[drawn]
