"""A grid of heights as triangles: no gaps, no cracks, no height further from them than the tolerance."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cim.geometry.rtin import refined


def furthest(heights, triangles):
    """The greatest distance of a node from the triangles over it, each triangle by itself."""
    worst = 0.0
    for (r0, c0), (r1, c1), (r2, c2) in triangles.tolist():
        rows, columns = np.mgrid[min(r0, r1, r2) : max(r0, r1, r2) + 1, min(c0, c1, c2) : max(c0, c1, c2) + 1]
        area = (r1 - r0) * (c2 - c0) - (c1 - c0) * (r2 - r0)
        s = ((rows - r0) * (c2 - c0) - (columns - c0) * (r2 - r0)) / area
        t = ((r1 - r0) * (columns - c0) - (c1 - c0) * (rows - r0)) / area
        inside = (s >= 0) & (t >= 0) & (s + t <= 1)
        z = heights[r0, c0] + s * (heights[r1, c1] - heights[r0, c0]) + t * (heights[r2, c2] - heights[r0, c0])
        worst = max(worst, float(np.nanmax(np.abs(z - heights[rows, columns])[inside], initial=0.0)))
    return worst


def hills(size, seed, rough):
    y, x = np.mgrid[0 : size + 1, 0 : size + 1]
    return 9 * np.sin(x / 7 + seed) + 4 * np.cos(y / 5) + np.random.default_rng(seed).normal(0, rough, x.shape)


@settings(deadline=None, max_examples=100)
@given(
    power=st.integers(0, 5), seed=st.integers(0, 10_000), rough=st.sampled_from([0.0, 0.1, 3.0]),
    tolerance=st.sampled_from([0.0, 0.05, 0.25, 2.0]),
)  # fmt: skip
def test_no_height_is_further_than_the_tolerance_and_nothing_is_left_open(power, seed, rough, tolerance):
    heights = hills(2**power, seed, rough)
    triangles = refined(heights, tolerance)
    assert furthest(heights, triangles) <= tolerance + 1e-9
    polygons = shapely.polygons(triangles.astype(float))
    assert shapely.area(polygons).sum() == pytest.approx(4.0**power)
    assert shapely.coverage_is_valid(polygons)


@settings(deadline=None, max_examples=100)
@given(seed=st.integers(0, 10_000), holes=st.integers(1, 40))
def test_no_triangle_touches_a_node_without_ground_and_every_whole_cell_is_covered(seed, holes):
    heights = hills(16, seed, 0.2)
    chance = np.random.default_rng(seed)
    heights[chance.integers(0, 17, holes), chance.integers(0, 17, holes)] = np.nan
    triangles = refined(heights, 0.25)
    assert not np.isnan(heights[triangles[..., 0], triangles[..., 1]]).any()
    covered = shapely.union_all(shapely.polygons(triangles.astype(float))).buffer(1e-9)
    shapely.prepare(covered)
    known = ~np.isnan(heights)
    whole = np.argwhere(known[:-1, :-1] & known[1:, :-1] & known[:-1, 1:] & known[1:, 1:])
    assert shapely.covers(covered, shapely.box(*whole.T, *(whole.T + 1))).all()


def test_even_ground_needs_no_more_than_its_border():
    few = refined(np.zeros((65, 65)), 0.1)
    assert len(few) < 64 * 4 * 4
    assert len(refined(hills(64, 1, 0.0), 0.25)) < 2 * 64 * 64 / 3


@pytest.mark.parametrize("shape", [(4, 4), (5, 6), (1, 1)])
def test_a_grid_of_another_size_is_refused(shape):
    with pytest.raises(ValueError, match=r"\("):
        refined(np.zeros(shape), 0.1)
