from __future__ import annotations

import numpy as np
import pytest
import shapely
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from tiles.edges import crease_edges
from tiles.extrude import extrude
from tiles.footprints import clean_footprints, rings, straightened
from tiles.intake import Blocks
from tiles.mesh import triangulate
from tiles.outlines import Outlines
from tiles.soup import Soup, ranges


def blocks(polygons, top=10.0, floor=0.0, roof="", rise=np.nan):
    footprint, owner = clean_footprints(np.array(polygons, dtype=object))
    count = len(footprint)
    return Blocks(
        Outlines.of(footprint), owner, np.full(count, floor), np.full(count, top), np.full(count, roof, dtype=object),
        np.full(count, rise),
    )  # fmt: skip


def flat_soup(polygons) -> Soup:
    xy, ring_ends, polygon_ends = rings(np.array(polygons, dtype=object))
    count = len(polygon_ends)
    return Soup(np.column_stack((xy, np.zeros(len(xy)))), ring_ends, polygon_ends, np.arange(count), np.zeros(len(xy)))


def area_of(mesh) -> float:
    corners = mesh.soup.coordinates[mesh.triangles]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return float(np.linalg.norm(cross, axis=1).sum() / 2)


STAR = shapely.Polygon(
    [(np.cos(a) * r, np.sin(a) * r) for a, r in zip(np.linspace(0, 2 * np.pi, 11)[:-1], [10, 3] * 5, strict=True)]
)
HOLED = shapely.orient_polygons(shapely.box(0, 0, 20, 20) - shapely.box(5, 5, 9, 9) - shapely.box(11, 11, 15, 18))
PENTAGRAM = [(np.cos(a), np.sin(a)) for a in np.arange(5) * 4 * np.pi / 5]


@pytest.mark.parametrize(
    "polygon", [shapely.box(0, 0, 4, 3), STAR, HOLED, shapely.Point(0, 0).buffer(5), shapely.box(0, 0, 9, 9) - STAR]
)
def test_triangles_cover_a_polygon_exactly_and_face_up(polygon):
    parts = shapely.get_parts(shapely.orient_polygons(polygon))
    mesh = triangulate(flat_soup(parts))
    assert area_of(mesh) == pytest.approx(shapely.area(polygon), rel=1e-9)
    corners = mesh.soup.coordinates[mesh.triangles]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (cross[:, 2] > 0).all()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=3, max_size=9), st.integers(0, 3))
def test_any_union_of_boxes_is_covered(corners, turn):
    shape = shapely.union_all([shapely.box(x, y, x + 4, y + 3) for x, y in corners])
    shape = shapely.affinity.rotate(shape, turn * 17.0)
    polygons = shapely.get_parts(shapely.orient_polygons(shape))
    assert area_of(triangulate(flat_soup(polygons))) == pytest.approx(shape.area, rel=1e-6)


def test_a_ring_that_winds_twice_is_not_taken_for_convex():
    soup = flat_soup([shapely.Polygon(PENTAGRAM)])
    # A fan over a pentagram would count its middle twice.
    assert area_of(triangulate(soup)) < 2.2


L_SHAPE = [(0, 0), (12, 0), (12, 4), (5, 4), (5, 9), (0, 9)]


@pytest.mark.parametrize("first", range(6))
def test_a_ring_with_one_notch_is_fanned_from_it_and_needs_no_ear_clipping(first, monkeypatch):
    monkeypatch.setattr("cim.geometry.triangles.mapbox_earcut", None)
    mesh = triangulate(flat_soup([shapely.Polygon(L_SHAPE[first:] + L_SHAPE[:first])]))
    assert area_of(mesh) == pytest.approx(12 * 4 + 5 * 5)
    assert len(mesh.triangles) == 4


@pytest.mark.parametrize("backwards", [False, True])
def test_cleaned_outlines_run_counter_clockwise_and_their_holes_clockwise(backwards):
    wavy = shapely.Polygon([(0, 0), (5, 0.001), (10, 0), (10, 8), (0, 8)])
    given_ways = shapely.orient_polygons(np.array([shapely.box(0, 0, 4, 3), HOLED, wavy]), exterior_cw=backwards)
    cleaned, _ = clean_footprints(given_ways)
    assert shapely.is_ccw(shapely.get_exterior_ring(cleaned)).all()
    assert not shapely.is_ccw(shapely.get_rings(cleaned[1]))[1:].any()
    assert shapely.get_num_coordinates(cleaned).tolist() == [5, 15, 5]


def test_surfaces_without_area_or_with_two_corners_are_dropped():
    line = np.array([[0.0, 0, 0], [5, 0, 0], [10, 0, 0], [0, 0, 0], [4, 0, 0], [4, 4, 0]])
    soup = Soup(line, np.array([3, 6]), np.array([1, 2]), np.array([0, 1]), np.zeros(6))
    mesh = triangulate(soup)
    assert mesh.soup.owner.tolist() == [1]
    assert np.isfinite(mesh.normals).all()


@pytest.mark.parametrize("polygon", [shapely.box(0, 0, 12, 8), STAR, HOLED])
def test_an_extruded_block_is_a_closed_prism(polygon):
    mesh = triangulate(extrude(blocks([polygon], 10.0, 3.0), np.zeros(1), np.zeros(1)))
    prism = trimesh.Trimesh(**trimesh.triangles.to_kwargs(mesh.soup.coordinates[mesh.triangles]))
    prism.merge_vertices()
    assert prism.is_watertight
    assert prism.is_winding_consistent
    assert prism.volume == pytest.approx(shapely.area(polygon) * 7.0, rel=1e-6)


def test_a_block_on_the_ground_has_no_bottom():
    mesh = triangulate(extrude(blocks([shapely.box(0, 0, 12, 8)]), np.zeros(1), np.zeros(1)))
    assert mesh.normals[:, 2].min() > -0.5
    assert area_of(mesh) == pytest.approx(12 * 8 + 10 * 40)


@pytest.mark.parametrize(
    ("roof", "share"),
    [("gabled", 1 / 2), ("skillion", 1 / 2), ("pyramidal", 1 / 3), ("hipped", 0.40), ("dome", 0.62), ("flat", 1.0)],
)
def test_roofs_hold_the_volume_of_their_shape(roof, share):
    """Over a 20 x 10 m floor, 3 m of roof: a gable is half a box, a pyramid a third, a hip and a dome between."""
    soup = extrude(blocks([shapely.box(0, 0, 20, 10)], 10.0, 2.0, roof, 3.0), np.zeros(1), np.zeros(1))
    mesh = triangulate(soup)
    body = trimesh.Trimesh(**trimesh.triangles.to_kwargs(mesh.soup.coordinates[mesh.triangles]))
    expected = 200 * 5 + 200 * 3 * share
    assert body.volume == pytest.approx(expected, rel=0.03)
    assert soup.coordinates[:, 2].max() == pytest.approx(10.0)
    assert soup.coordinates[:, 2].min() == pytest.approx(2.0)


def test_a_ridge_runs_along_the_long_side():
    soup = extrude(blocks([shapely.box(0, 0, 20, 10)], 10.0, 0.0, "gabled", 3.0), np.zeros(1), np.zeros(1))
    ridge = np.unique(np.round(soup.coordinates[soup.coordinates[:, 2] > 9.9], 6), axis=0)
    assert ridge.tolist() == [[0.0, 5.0, 10.0], [20.0, 5.0, 10.0]]


def test_a_gable_needs_four_corners():
    soup = extrude(blocks([STAR], 10.0, 0.0, "gabled", 3.0), np.zeros(1), np.zeros(1))
    tops = soup.coordinates[soup.coordinates[:, 2] > 7.1, 2]
    assert set(tops.tolist()) == {10.0}


def edges_of(soup: Soup):
    mesh = triangulate(soup)
    pairs, _ = crease_edges(mesh.soup, mesh.normals)
    return mesh.soup.coordinates[pairs]


def test_a_box_shows_four_corners_and_its_roof_ring_once():
    drawn = edges_of(extrude(blocks([shapely.box(0, 0, 4, 3)]), np.zeros(1), np.zeros(1)))
    assert len(drawn) == 8
    assert sum(bool(abs(a[2] - b[2]) > 1) for a, b in drawn) == 4


def test_a_round_tower_has_no_corner_edges():
    drawn = edges_of(extrude(blocks([shapely.Point(0, 0).buffer(8, quad_segs=8)]), np.zeros(1), np.zeros(1)))
    assert len(drawn) == 32
    assert all(abs(a[2] - b[2]) < 1e-9 for a, b in drawn)


def test_a_gable_shows_its_ridge_and_no_seam_between_wall_and_gable():
    drawn = edges_of(extrude(blocks([shapely.box(0, 0, 20, 10)], 10.0, 0.0, "gabled", 3.0), np.zeros(1), np.zeros(1)))
    flat = [sorted((tuple(np.round(a, 3)), tuple(np.round(b, 3)))) for a, b in drawn]
    assert [(0.0, 5.0, 10.0), (20.0, 5.0, 10.0)] in flat
    assert [(0.0, 0.0, 7.0), (0.0, 10.0, 7.0)] not in flat
    assert len(flat) == 4 + 2 + 4 + 1  # corners, eaves, verges, ridge


def test_neighbours_with_a_shared_wall_keep_their_own_edges():
    pair = blocks([shapely.box(0, 0, 4, 4), shapely.box(4, 0, 8, 4)])
    drawn = edges_of(extrude(pair, np.zeros(2), np.zeros(2)))
    assert len(drawn) == 16


def test_ranges_counts_within_each_group():
    assert ranges(np.array([5, 9, 2]), np.array([2, 0, 3])).tolist() == [5, 6, 2, 3, 4]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=4, max_size=12), st.sampled_from([0.3, 1.0])
)
def test_an_outline_taken_for_straight_is_one_that_simplification_leaves_alone(corners, tolerance_m):
    turns = np.array(corners, dtype=float) * 0.25
    centre = turns.mean(axis=0)
    order = np.argsort(np.arctan2(*(turns - centre).T))
    polygon = shapely.Polygon(turns[order])
    if not polygon.is_valid or polygon.area == 0:
        return
    kept = shapely.get_coordinates(straightened(np.array([polygon]), tolerance_m))
    simple = shapely.simplify(polygon, tolerance_m)
    expected = simple if simple.is_valid and not simple.is_empty else polygon
    assert np.array_equal(kept, shapely.get_coordinates(expected))
