"""Outlines read from the store's bytes are those that shapely reads and cleans, and are handled as its polygons are."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tiles.footprints import clean_footprints, straightened
from tiles.outlines import Outlines, joined
from tiles.places import read_places
from tiles.skirt import _near

EAST, NORTH = 25_496_000.0, 6_672_000.0
NONE = np.empty(0, dtype=object)

whole = st.integers(-30, 30)
ring = st.lists(st.tuples(whole, whole), min_size=3, max_size=9)
drawn = st.one_of(
    st.builds(lambda w, d, turn: shapely.affinity.rotate(shapely.box(0, 0, w, d), turn), whole.filter(bool),
              whole.filter(bool), st.floats(0, 180)),
    ring.map(shapely.Polygon),
    ring.map(lambda corners: shapely.Polygon(corners).buffer(1.5)),
    st.integers(3, 12).map(lambda size: shapely.box(0, 0, 20, 20) - shapely.box(4, 4, 4 + size, 9)),
    st.floats(0.01, 0.3).map(lambda off: shapely.Polygon([(0, 0), (10, off), (20, 0), (20, 9), (9, 9), (0, 9)])),
    st.floats(0.01, 1.0).map(lambda side: shapely.box(0, 0, side, side)),
    st.just(shapely.MultiPolygon([shapely.box(0, 0, 5, 5), shapely.box(9, 0, 15, 4)])),
    st.just(shapely.Polygon([(0, 0, 4), (8, 0, 4), (8, 8, 4)])),
    st.sampled_from([shapely.Polygon(), shapely.Point(3, 4), shapely.LineString([(0, 0), (9, 9)]), None]),
)  # fmt: skip
shapes = st.lists(st.tuples(drawn, st.booleans()), min_size=1, max_size=12)


def placed(found) -> np.ndarray:
    """Each in its place, some of them turned round."""
    made = [
        None if shape is None else shapely.affinity.translate(shapely.reverse(shape) if back else shape,
                                                              EAST + 70 * i, NORTH)
        for i, (shape, back) in enumerate(found)
    ]  # fmt: skip
    return np.array(made, dtype=object)


def column(places: np.ndarray) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(shapely.to_wkb(places).tolist(), pa.binary())])


@settings(max_examples=150, deadline=None)
@given(shapes, st.booleans())
def test_what_is_read_is_what_shapely_reads_and_cleans(found, cut) -> None:
    places = placed(found)
    stored = column(places)
    # A slice does not begin where its bytes do.
    stored, places = (stored.slice(1), places[1:]) if cut and len(places) > 1 else (stored, places)
    read = read_places(stored)
    every = np.arange(len(places))
    polygonal = read.polygonal(every)
    kinds = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
    assert polygonal.tolist() == [p is not None and p.geom_type.upper() in {k.name for k in kinds} for p in places]
    assert all((a is None and b is None) or shapely.equals_identical(a, b) for a, b in zip(
        read.shapes(every), places, strict=True))  # fmt: skip
    rows = every[polygonal][::-1]
    rest = np.array([shapely.box(EAST, NORTH - 50, EAST + 9, NORTH - 40)], dtype=object)
    mine, origin = read.outlines(rows, rest)
    theirs, expected = clean_footprints(np.append(places[rows], rest))
    assert origin.tolist() == expected.tolist()
    assert shapely.equals_identical(mine.shapes, theirs).all()


@settings(max_examples=60, deadline=None)
@given(shapes, st.randoms(use_true_random=False))
def test_outlines_are_handled_as_polygons_are(found, chance) -> None:
    polygons, _ = clean_footprints(placed(found)[[shape is not None for shape, _ in found]])
    made = Outlines.of(polygons)
    np.testing.assert_allclose(made.area_m2, shapely.area(polygons), rtol=1e-9)
    np.testing.assert_array_equal(made.bounds, shapely.bounds(polygons).reshape(-1, 4))
    rows = np.array([chance.randrange(len(made)) for _ in range(len(made))], dtype=np.int64)
    for some in (rows, np.sort(rows), slice(1, 3), rows > 1, np.arange(len(made))[1:]):
        assert shapely.equals_identical(made[some].shapes, polygons[some]).all()
    again = joined([made[rows], made])
    assert shapely.equals_identical(again.shapes, np.append(polygons[rows], polygons)).all()
    assert shapely.equals_identical(made.straight(0.25).shapes, straightened(polygons, 0.25)).all()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(whole, whole, st.integers(0, 25), st.integers(0, 25), st.integers(0, 3)), max_size=30))
def test_boxes_that_meet_are_found(given_boxes) -> None:
    given_boxes.sort(key=lambda box: box[4])
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h, _ in given_boxes], dtype=float).reshape(-1, 4)
    group = np.array([box[4] for box in given_boxes], dtype=np.int64)
    one, other = _near(boxes, group)
    expected = {
        (i, j)
        for i, a in enumerate(boxes)
        for j, b in enumerate(boxes[:i])
        if group[i] == group[j] and (a[:2] <= b[2:]).all() and (b[:2] <= a[2:]).all()
    }
    assert sorted(zip(other.tolist(), one.tolist(), strict=True)) == sorted(expected)
