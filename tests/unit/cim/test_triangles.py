"""Surfaces cut into triangles: the same area, the same side out, and closed where corners lie on straight edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cim.geometry.ragged import rings_of
from cim.geometry.triangles import area_vectors, cut_surfaces


def edges_left_open(triangles, rings):
    """Directed edges of triangles that neither another triangle nor a ring takes."""
    found = [tuple(map(tuple, (t[i], t[(i + 1) % 3]))) for t in triangles.tolist() for i in range(3)]
    outer = {tuple(map(tuple, (ring[i - 1], ring[i]))) for ring in rings for i in range(len(ring))}
    return [edge for edge in found if edge[::-1] not in found and edge not in outer] + [
        e for e in outer if e not in found
    ]


@settings(deadline=None, max_examples=300)
@given(straight=st.lists(st.integers(0, 3), max_size=6), turn=st.floats(0, 6.3), notch=st.booleans())
def test_corners_on_straight_edges_are_corners_of_triangles(straight, turn, notch):
    corners = [(0.0, 0.0), (8.0, 0.0), (8.0, 4.0), (4.0, 1.0) if notch else (4.0, 6.0), (0.0, 4.0)]
    for number, side in enumerate(straight):
        a, b = np.array(corners[side]), np.array(corners[side + 1])
        corners.insert(side + 1, tuple((a + (b - a) * (0.3 + 0.01 * number)).tolist()))
    flat = np.array(corners)
    spun = np.column_stack((flat[:, 0] * np.cos(turn), flat[:, 0] * np.sin(turn), flat[:, 1]))
    ring = np.round(spun, 3)
    surfaces = rings_of([[ring], [np.add(ring, (20.0, 0.0, 0.0))]])
    triangles, surface = cut_surfaces(surfaces)
    areas = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]) / 2
    for row, vector in enumerate(area_vectors(surfaces)):
        assert areas[surface == row].sum(axis=0) == pytest.approx(vector, abs=1e-6)
    assert edges_left_open(triangles[surface == 0], [ring.tolist()]) == []


def test_surfaces_without_area_give_nothing():
    line = np.array([(0.0, 0, 0), (1, 0, 0), (2, 0, 0)])
    square = np.array([(0.0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)])
    triangles, surface = cut_surfaces(rings_of([[line], [square]]))
    assert set(surface.tolist()) == {1}
    assert len(triangles) == 2
    assert cut_surfaces(rings_of([]))[0].shape == (0, 3, 3)
