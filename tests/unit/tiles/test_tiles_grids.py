"""Positions on the steps of tiles: each tile on its own grid, and the far edge of a shade on coarser steps."""

from __future__ import annotations

import numpy as np

from tiles.grids import COARSE_STEPS, STEPS, Grids, coarse, corners_of, extents

POSITIONS = np.array([[0.0, 0.0, 1.0], [300.0, 20.0, 5.0], [-50.0, 7.0, 0.0], [2950.0, 7.0, 40.0], [0.0, 0.0, 0.0]])
STARTS = np.array([0, 2, 2, 5])


def test_each_tile_comes_back_from_its_own_grid():
    grids = Grids.over((POSITIONS, STARTS))
    words = grids.quantise(POSITIONS, STARTS)
    tile = np.repeat([0, 1, 2], np.diff(STARTS))
    decoded = grids.low[tile] + corners_of(words)[:, :3] * grids.step_m[tile][:, None]
    assert (np.abs(decoded - POSITIONS) <= grids.step_m[tile][:, None] / 2 + 1e-9).all()
    assert grids.step_m[2] > 3000 / 65536 > grids.step_m[0] > 0.0199


def test_extents_are_those_of_the_vertices_that_are_drawn():
    words = Grids.over((POSITIONS, STARTS)).quantise(POSITIONS, STARTS)
    first, empty, last = extents(words, STARTS, np.array([0, 1, 2, 4]))
    assert empty is None
    for found, rows in ((first, [0, 1]), (last, [2, 4])):
        steps = corners_of(words)[rows, :3]
        assert found == (steps.min(axis=0).tolist(), steps.max(axis=0).tolist())


def test_coarse_steps_move_a_place_by_half_of_one_and_stay_on_the_grid():
    steps = np.random.default_rng(3).integers(0, STEPS + 1, (500, 3)).astype(np.uint64)
    steps[0], steps[1] = 0, STEPS
    words = steps[:, 0] | steps[:, 1] << np.uint64(16) | steps[:, 2] << np.uint64(32)
    moved = corners_of(coarse(words)).astype(np.int64)
    assert (moved[:, :2] % COARSE_STEPS == 0).all()
    # At the far border of the grid there is no step above.
    off = np.abs(moved[:, :2] - steps[:, :2].astype(np.int64))
    assert (off[steps[:, :2] < STEPS - COARSE_STEPS] <= COARSE_STEPS // 2).all()
    assert off.max() < COARSE_STEPS
    assert (moved[:, 2] == steps[:, 2].astype(np.int64)).all()
