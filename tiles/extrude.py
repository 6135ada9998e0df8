"""Footprint, floor, top and roof shape to surfaces: walls, roofs, and undersides of what hangs."""

from __future__ import annotations

from typing import Final

import numpy as np

from tiles.footprints import turned
from tiles.intake import Blocks
from tiles.roofs import ShapedRoofs, shape_roofs
from tiles.soup import FloatArray, IntArray, Soup, counts, equal_faces, join, next_in_rings

HANGING_M: Final = 0.5
"""A block whose floor is higher than this above the ground shows its underside."""


def extrude(blocks: Blocks, ground_m: FloatArray, foot_m: FloatArray) -> Soup:
    """Return the surfaces of blocks, in the working CRS, one after the other block.

    ``ground_m`` (features,) is each building's own ground; ``foot_m`` (blocks,) is where the walls of a
    block that stands on the ground begin, at or below that.
    """
    if not len(blocks.owner):
        return join([])
    shaped = shape_roofs(blocks)
    own_ground = ground_m[blocks.owner]
    floor = np.where(blocks.floor_m > HANGING_M, own_ground + blocks.floor_m, foot_m)
    eaves = own_ground + np.where(shaped.rise_m > 0, blocks.top_m - shaped.rise_m, blocks.top_m)
    outlines = shaped.footprint
    xy, ring_ends, polygon_ends = outlines.coordinates, outlines.ring_ends, outlines.surface_ends
    block = np.repeat(np.arange(len(polygon_ends)), counts(polygon_ends))[
        np.repeat(np.arange(len(ring_ends)), counts(ring_ends))
    ]
    walls = _walls(xy, ring_ends, block, floor, eaves)
    layout = (xy, ring_ends, polygon_ends, block)
    flat = np.flatnonzero(shaped.rise_m <= 0)
    hanging = np.flatnonzero(blocks.floor_m > HANGING_M)
    pieces = [walls, _caps(layout, flat, eaves, down=False), _caps(layout, hanging, floor, down=True)]
    soup = join([*pieces, _pitched(shaped, eaves)])
    order = np.argsort(soup.owner, kind="stable")
    soup = soup.select(order)
    owner = blocks.owner[soup.owner]
    height = soup.coordinates[:, 2] - ground_m[owner][soup.vertex_surface]
    return Soup(soup.coordinates, soup.ring_ends, soup.surface_ends, owner, height)


def _walls(xy: FloatArray, ring_ends: IntArray, block: IntArray, floor: FloatArray, eaves: FloatArray) -> Soup:
    following = next_in_rings(ring_ends)
    corners = np.empty((len(xy), 4, 3))
    corners[:, 0, :2] = corners[:, 3, :2] = xy
    corners[:, 1, :2] = corners[:, 2, :2] = xy[following]
    corners[:, :2, 2] = floor[block][:, None]
    corners[:, 2:, 2] = eaves[block][:, None]
    real = eaves[block] - floor[block] > 0.01
    return equal_faces(corners[real], block[real], np.zeros((int(real.sum()), 4)))


def _caps(
    layout: tuple[FloatArray, IntArray, IntArray, IntArray], chosen: IntArray, level: FloatArray, *, down: bool
) -> Soup:
    xy, ring_ends, polygon_ends, block = layout
    coordinates = np.column_stack((xy, level[block]))
    if down:
        coordinates = coordinates[turned(ring_ends)]
    every = Soup(coordinates, ring_ends, polygon_ends, np.arange(len(polygon_ends)), np.zeros(len(xy)))
    return every if len(chosen) == len(polygon_ends) else every.select(chosen)


def _pitched(shaped: ShapedRoofs, eaves: FloatArray) -> Soup:
    """Lift the roofs, whose heights are above the eaves, onto their blocks."""
    roofs = shaped.surfaces
    if not roofs.surface_count:
        return roofs
    coordinates = roofs.coordinates.copy()
    coordinates[:, 2] += eaves[roofs.owner][roofs.vertex_surface]
    return roofs.moved_to(coordinates)
