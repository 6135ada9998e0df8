"""Convex outlines on steps against shapely's hull of the same corners, broad ones and slivers."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import tiles.convex
from tiles.convex import hulls, on_steps
from tiles.outlines import Outlines, leftward

COUNT = 60


def convex(seed: int, size_m: float) -> Outlines:
    """Hulls of a few places each, some of them thin, all over a city."""
    random = np.random.default_rng(seed)
    corners = random.integers(4, 24, COUNT)
    of = np.repeat(np.arange(COUNT), corners)
    spread, middle = random.uniform(0.01, 1.0, (COUNT, 2)) * size_m, random.uniform(0, 9_000, (COUNT, 2))
    return leftward(Outlines.of(hulls(random.normal(size=(len(of), 2)) * spread[of] + middle[of], of)))


def by_shapely(outlines: Outlines, step_m: float) -> np.ndarray:
    moved = np.rint(outlines.coordinates / step_m) * step_m
    found = [shapely.MultiPoint(moved[outlines.vertex_surface == i]).convex_hull for i in range(len(outlines))]
    return np.array([f if f.geom_type == "Polygon" else s for f, s in zip(found, outlines.shapes, strict=True)])


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.3, 60.0), st.sampled_from((0.5, 1.0, 2.4375)))
def test_outlines_on_steps_are_the_hulls_of_their_moved_corners(seed: int, size_m: float, step_m: float) -> None:
    outlines = convex(seed, size_m)
    made = on_steps(outlines, step_m)
    assert shapely.equals_exact(
        shapely.normalize(made.shapes), shapely.normalize(by_shapely(outlines, step_m)), 1e-9
    ).all()
    assert (made.area_m2 > 0).all()


def test_what_turns_back_is_not_scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    # A sliver whose corners come to lie on one line and back: its ends would be taken for dents.
    sliver = Outlines(np.array([(0.0, 0.1), (4.0, 0.3), (9.0, -0.2), (4.4, 0.4)]), np.array([4]), np.array([1]))
    asked: list[int] = []
    monkeypatch.setattr(tiles.convex, "hulls", lambda points, of: (asked.append(len(points)), hulls(points, of))[1])
    # It has no width on the steps, and stays as it is.
    assert (on_steps(sliver, 1.0).coordinates == sliver.coordinates).all()
    assert asked == [4]
    assert len(on_steps(Outlines.of(np.empty(0, dtype=object)), 1.0)) == 0
