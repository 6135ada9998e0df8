"""The one ground: through feet, of a relief, and beyond a relief's edge."""

import numpy as np
import pytest
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import Delaunay

from cim.geometry.ground import Ground, ground_of_terrain, ground_through, node_heights

EDGE = 400.0


def plane(x, y):
    return 50.0 + 0.05 * x - 0.03 * y


def relief(count=400, seed=1, height=plane):
    """A triangulation of scattered places that fills a square."""
    chance = np.random.default_rng(seed)
    xy = np.concatenate((chance.uniform(0, EDGE, (count, 2)), [(0, 0), (EDGE, 0), (EDGE, EDGE), (0, EDGE)]))
    corners = np.column_stack((xy, height(xy[:, 0], xy[:, 1])))
    return corners[Delaunay(xy).simplices], corners


def bumpy(x, y):
    return 50 + 9 * np.sin(x / 25) + 7 * np.cos(y / 31)


def test_heights_at_the_nodes_are_those_of_the_triangles():
    triangles, corners = relief(height=bumpy)
    found = node_heights(triangles, (0.0, 0.0), 4.0, (101, 101))
    nodes = np.stack(np.meshgrid(np.arange(101) * 4.0, np.arange(101) * 4.0, indexing="ij"), axis=-1)
    expected = LinearNDInterpolator(Delaunay(corners[:, :2]), corners[:, 2])(nodes)
    known = ~np.isnan(expected)
    assert (~np.isnan(found)).sum() >= known.sum()
    np.testing.assert_allclose(found[known], expected[known], atol=1e-6)


def test_of_triangles_over_each_other_the_highest_counts_and_upright_ones_do_not():
    low = np.array([[(0, 0, 1), (9, 0, 1), (0, 9, 1)]], dtype=float)
    upright = np.array([[(1, 1, 0), (5, 5, 0), (5, 5, 99)]], dtype=float)
    found = node_heights(np.concatenate((low, np.add(low, (0, 0, 4)), upright)), (0.0, 0.0), 1.0, (12, 12))
    assert found[2, 2] == 5
    assert np.isnan(found[11, 11])
    assert np.nanmax(found) == 5


def test_the_ground_of_a_relief_is_the_relief_whatever_the_buildings_say():
    triangles, _ = relief()
    chance = np.random.default_rng(2)
    inside = chance.uniform(10, EDGE - 10, (500, 2))
    feet = np.column_stack((inside[:50], np.full(50, 999.0)))
    ground = ground_of_terrain(triangles, feet)
    assert np.abs(ground.height_m(inside) - plane(*inside.T)).max() < 1e-6


def test_beyond_its_edge_the_ground_goes_through_the_buildings():
    triangles, _ = relief()
    chance = np.random.default_rng(3)
    xy = np.column_stack((chance.uniform(1000, 1600, 300), chance.uniform(0, EDGE, 300)))
    feet = np.column_stack((xy, plane(xy[:, 0], xy[:, 1])))
    ground = ground_of_terrain(triangles, feet, (-50.0, -50.0, 1700.0, EDGE + 50))
    among = np.column_stack((chance.uniform(1050, 1550, 200), chance.uniform(100, EDGE - 100, 200)))
    assert np.abs(ground.height_m(among) - plane(*among.T)).max() < 1.0
    between = ground.height_m(np.column_stack((chance.uniform(EDGE, 1000, 200), chance.uniform(100, 300, 200))))
    assert 38.0 <= between.min() <= between.max() <= plane(1600, 0)
    # No step where the relief ends.
    y = np.full(200, 200.0)
    x = np.linspace(EDGE - 40, EDGE + 40, 200)
    assert np.abs(np.diff(ground.height_m(np.column_stack((x, y))))).max() < 0.2


def test_a_city_without_triangles_has_the_ground_of_its_feet():
    chance = np.random.default_rng(4)
    xy = chance.uniform(0, 500, (100, 2))
    feet = np.column_stack((xy, plane(*xy.T)))
    with_none = ground_of_terrain(np.empty((0, 3, 3)), feet)
    np.testing.assert_array_equal(with_none.levels_m, ground_through(feet).levels_m)
    assert ground_of_terrain(np.empty((0, 3, 3)), np.empty((0, 3))).is_even


def test_a_coarser_ground_has_heights_of_the_finer_one():
    levels = np.arange(100.0).reshape(10, 10)
    coarse = Ground((5.0, 6.0), 2.0, levels).coarsened(30)
    assert coarse.levels_m.size <= 36
    nodes = np.array([[5.0, 6.0], [5.0 + coarse.cell_m, 6.0]])
    assert coarse.height_m(nodes) == pytest.approx(Ground((5.0, 6.0), 2.0, levels).height_m(nodes))
    assert Ground((0.0, 0.0), 2.0, levels).coarsened(100).levels_m is levels
