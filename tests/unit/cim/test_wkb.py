"""Well-known binary of whole batches, held against GEOS."""

from itertools import pairwise

import numpy as np
import pytest
import shapely

from cim.geometry.wkb import closed_rings, multipolygons_from_wkb, multipolygons_to_wkb, offsets_of

SQUARE = [(0, 0, 1), (9, 0, 1), (9, 9, 2), (0, 9, 2)]
HOLE = [(2, 2, 1), (2, 4, 1), (4, 4, 1.5)]
GEOMETRIES = [[[SQUARE]], [[SQUARE, HOLE], [HOLE]], [[HOLE, SQUARE, HOLE]]]


def flat(geometries):
    surfaces = [surface for geometry in geometries for surface in geometry]
    rings = [ring for surface in surfaces for ring in surface]
    coordinates = np.array([vertex for ring in rings for vertex in ring], dtype=np.float64).reshape(-1, 3)
    counts = (np.array(list(map(len, level)), dtype=np.int64) for level in (rings, surfaces, geometries))
    return coordinates, *counts


@pytest.mark.parametrize("geometries", [GEOMETRIES, GEOMETRIES[::-1], GEOMETRIES[:1], []])
def test_the_bytes_are_those_of_geos(geometries):
    data, offsets = multipolygons_to_wkb(*flat(geometries))
    rows = [bytes(data[start:stop]) for start, stop in pairwise(offsets)]
    assert rows == [
        shapely.to_wkb(shapely.MultiPolygon([(s[0], s[1:]) for s in geometry]), output_dimension=3)
        for geometry in geometries
    ]


@pytest.mark.parametrize("geometries", [GEOMETRIES, GEOMETRIES[::-1], GEOMETRIES[:1]])
def test_what_geos_writes_is_read_back(geometries):
    shapes = [shapely.MultiPolygon([(s[0], s[1:]) for s in geometry]) for geometry in geometries]
    found = multipolygons_from_wkb(shapely.to_wkb(shapes, output_dimension=3).tolist())
    for mine, given in zip(found, flat(geometries), strict=True):
        np.testing.assert_array_equal(mine, given)


SHAPE = shapely.MultiPolygon([(SQUARE, [HOLE])])


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [shapely.to_wkb(SHAPE, output_dimension=2)],
        [shapely.to_wkb(SHAPE, output_dimension=3), shapely.to_wkb(SHAPE, byte_order=0)],
        [shapely.to_wkb(SHAPE)[:-1]],
        [shapely.to_wkb(SHAPE) + b"0"],
        [shapely.to_wkb(shapely.MultiPolygon())],
        [bytes((1, 6, 0, 0, 128, 0, 0, 0, 0))],
        [shapely.to_wkb(shapely.LineString([(0, 0, 0), (1, 1, 1)]))],
        [b""],
    ],
    ids=["none", "flat", "big-endian", "cut", "longer", "empty", "empty in space", "line", "nothing"],
)
def test_other_layouts_are_left_to_others(rows):
    assert multipolygons_from_wkb(rows) is None


def test_rings_are_closed_with_their_own_first_vertex():
    coordinates, counts, *_ = flat([[[SQUARE, HOLE]]])
    np.testing.assert_array_equal(closed_rings(coordinates, counts), [*SQUARE, SQUARE[0], *HOLE, HOLE[0]])


def test_offsets_end_with_the_total():
    assert offsets_of(np.array([2, 0, 3])).tolist() == [0, 2, 2, 5]
    assert offsets_of(np.empty(0, dtype=np.int64)).tolist() == [0]
