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
from tiles.mesh import Mesh, triangulate
from tiles.outlines import Outlines
from tiles.roofs import kin_of
from tiles.soup import FloatArray, IntArray, Soup, counts, length

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
    outlines = blocks.footprint
    xy, ring_ends, size = outlines.coordinates, outlines.ring_ends, counts(outlines.ring_ends)
    block = outlines.vertex_surface
    level, metre = (columns.T for columns in chart.uprights(xy))
    eaves_m = ground_m + blocks.top_m
    foot, top = level + metre * foot_m[block], level + metre * eaves_m[block]
    # A corner's foot and top lie side by side, as do a block's walls and roof: what is one block's is one piece.
    positions, height = np.empty((3, 2 * len(xy))), np.empty((len(xy), 2))
    positions[:, ::2], positions[:, 1::2] = foot, top
    height[:, 0], height[:, 1] = (foot_m - ground_m)[block], (eaves_m - ground_m)[block]
    roof = triangulate(Soup(top.T, ring_ends, np.arange(1, len(size) + 1), blocks.owner, np.empty(len(xy))))
    walls = _wall_normals(foot, top, outlines)
    wall_face, roof_face = np.arange(len(xy)) + block, ring_ends + np.arange(len(size))
    normals = np.empty((3, len(xy) + len(size)))
    normals[:, wall_face], normals[:, roof_face] = walls, roof.normals.T
    triangles, faces = _triangles(outlines, (wall_face, roof_face), roof)
    edges, edge_block = _edges(walls, outlines, block)
    return Drawing(
        positions.T, height.reshape(-1), normals.T,
        triangles, faces, np.repeat(blocks.owner, 2 * size + np.bincount(roof.surface, minlength=len(size))),
        edges, blocks.owner[edge_block], np.repeat(blocks.owner, 2 * size), np.repeat(blocks.owner, size + 1),
    )  # fmt: skip


def _following(columns: FloatArray, outlines: Outlines) -> FloatArray:
    """Return columns (k, n) of the corner that follows each around its ring."""
    found = np.empty_like(columns)
    found[:, :-1] = columns[:, 1:]
    found[:, outlines.ring_ends - 1] = columns[:, outlines.ring_starts]
    return found


def _wall_normals(foot: FloatArray, top: FloatArray, outlines: Outlines) -> FloatArray:
    """Return the unit normals of the walls from each corner to the one that follows; all are columns, (3, n)."""
    along, back = _following(top, outlines) - foot, top - _following(foot, outlines)
    across = np.empty_like(along)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        across[i] = along[j] * back[k] - along[k] * back[j]
    across /= length(across.T)
    return across


def _triangles(outlines: Outlines, face: tuple[IntArray, IntArray], roof: Mesh) -> tuple[IntArray, IntArray]:
    """Return the triangles of walls and roofs and their faces, given those of each wall and each roof.

    Block by block, the walls' first, for so the file compresses better than with walls and roofs apart.
    """
    wall_face, roof_face = face
    size, pieces = counts(outlines.ring_ends), np.bincount(roof.surface, minlength=outlines.surface_count)
    here, total = np.arange(len(wall_face)), 2 * len(wall_face) + len(roof.surface)
    before = np.cumsum(pieces) - pieces
    wall = 2 * here + before[outlines.vertex_surface]
    above = np.arange(len(roof.surface)) + np.repeat(2 * (outlines.ring_starts + size), pieces)
    triangles, faces = np.empty((total, 3), dtype=np.int64), np.empty(total, dtype=np.int64)
    a, b = 2 * here, 2 * outlines.next_vertex
    for row, corners in ((wall, (a, b, b + 1)), (wall + 1, (a, b + 1, a + 1))):
        faces[row] = wall_face
        for column, corner in enumerate(corners):
            triangles[row, column] = corner
    triangles[above], faces[above] = 2 * roof.triangles + 1, roof_face[roof.surface]
    return triangles, faces


def _edges(walls: FloatArray, outlines: Outlines, block: IntArray) -> tuple[IntArray, IntArray]:
    """Return the creases as pairs of vertices, each top after its foot, and their blocks: upright ones and eaves.

    ``walls`` (3, n) are the walls' normals.
    """
    before = np.empty_like(walls)
    before[:, 1:] = walls[:, :-1]
    before[:, outlines.ring_starts] = walls[:, outlines.ring_ends - 1]
    bent = np.asarray(sum(column * other for column, other in zip(walls, before, strict=True)) < CREASE_COSINE)
    top = 2 * np.arange(len(block)) + 1
    pairs = np.empty((len(top), 4), dtype=np.int64)
    pairs[:, 0], pairs[:, 1], pairs[:, 2], pairs[:, 3] = top - 1, top, top, 2 * outlines.next_vertex + 1
    edges, edge_block = pairs.reshape(-1, 2), np.repeat(block, 2)
    if bent.all():
        return edges, edge_block
    drawn = np.stack((bent, np.ones_like(bent)), axis=1).reshape(-1)
    return edges[drawn], edge_block[drawn]
