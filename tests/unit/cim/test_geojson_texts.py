"""What is written is held to shapely's own mapping, which passes through Python floats and no text."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from cim.geometry.geojson import geometry_document, geometry_texts

_number = st.floats(-1e6, 1e6)
_position = st.tuples(_number, _number)
_line = st.lists(_position, min_size=2, max_size=5)
_ring = st.lists(_position, min_size=3, max_size=5)
_polygon = st.builds(shapely.Polygon, _ring, st.lists(_ring, max_size=2))
_simple = st.one_of(
    st.builds(shapely.Point, _number, _number),
    st.builds(shapely.LineString, _line),
    _polygon,
    st.builds(shapely.MultiPoint, st.lists(_position, min_size=1, max_size=4)),
    st.builds(shapely.MultiLineString, st.lists(_line, min_size=1, max_size=3)),
    st.builds(shapely.MultiPolygon, st.lists(_polygon, min_size=1, max_size=3)),
)
_any = st.one_of(_simple, st.builds(shapely.GeometryCollection, st.lists(_simple, min_size=1, max_size=3)), st.none())


def rounded(value: Any, decimals: int) -> Any:
    if isinstance(value, dict):
        return {name: rounded(member, decimals) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(member, decimals) for member in value]
    return round(value, decimals) if isinstance(value, float) else value


def near(got: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return got.keys() == wanted.keys() and all(near(got[name], wanted[name]) for name in wanted)
    if isinstance(wanted, list):
        return len(got) == len(wanted) and all(map(near, got, wanted))
    return got == (pytest.approx(wanted, abs=1.01e-7, rel=0) if isinstance(wanted, float) else wanted)


@given(st.lists(_any, max_size=6))
def test_every_shape_is_written_in_its_place(shapes: list[shapely.Geometry | None]) -> None:
    got = [None if text is None else orjson.loads(text) for text in geometry_texts(shapes, 7)]
    wanted = [None if shape is None else rounded(shapely.geometry.mapping(shape), 7) for shape in shapes]
    assert len(got) == len(wanted)
    assert all(map(near, got, wanted))


def test_all_the_digits_that_are_asked_for_are_written() -> None:
    assert geometry_texts([shapely.Point(24.12345674, 60.1)], 7) == ['{"type":"Point","coordinates":[24.1234567,60.1]}']
    assert geometry_texts([shapely.Point(24.123456784, -60)], 8) == [
        '{"type":"Point","coordinates":[24.12345678,-60.0]}'
    ]


def test_a_zero_has_no_sign() -> None:
    assert geometry_texts([shapely.Point(-1e-12, -0.0)], 7) == ['{"type":"Point","coordinates":[0.0,0.0]}']


def test_heights_are_left_out_and_a_ring_is_a_line() -> None:
    ring = shapely.LinearRing([(0, 0, 1), (1, 0, 2), (1, 1, math.nan)])
    assert geometry_document(ring, 7) == {"type": "LineString", "coordinates": [[0, 0], [1, 0], [1, 1], [0, 0]]}


@pytest.mark.parametrize("shape", [None, shapely.Point(), shapely.Polygon(), shapely.GeometryCollection()])
def test_what_has_no_place_is_none(shape: shapely.Geometry | None) -> None:
    assert geometry_document(shape, 7) is None


def test_a_collection_within_a_collection_stays_one() -> None:
    inner = shapely.GeometryCollection([shapely.Point(1, 2)])
    assert geometry_document(shapely.GeometryCollection([inner, shapely.Point(3, 4)]), 7) == {
        "type": "GeometryCollection",
        "geometries": [
            {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [1.0, 2.0]}]},
            {"type": "Point", "coordinates": [3.0, 4.0]},
        ],
    }
