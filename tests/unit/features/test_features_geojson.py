from __future__ import annotations

import math

import orjson
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from cim.features.geojson import encode, feature_documents
from cim.features.model import Feature
from cim.features.pages import page


def one(geometry: shapely.Geometry | None, **properties: object) -> dict:
    return orjson.loads(encode({"features": feature_documents([Feature("a:1", geometry, properties)])}))["features"][0]


def test_outer_rings_go_counter_clockwise_and_holes_clockwise() -> None:
    hole = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)]
    clockwise = shapely.Polygon([(0, 0), (0, 1), (1, 1), (1, 0)], [hole])
    outer, inner = one(clockwise)["geometry"]["coordinates"]
    assert shapely.LinearRing(outer).is_ccw
    assert not shapely.LinearRing(inner).is_ccw


def test_heights_are_left_out_and_missing_ones_do_not_break_the_json() -> None:
    assert one(shapely.Point(1, 2, math.nan))["geometry"] == {"type": "Point", "coordinates": [1.0, 2.0]}
    assert one(shapely.LineString([(0, 0, 5), (1, 1, 6)]))["geometry"]["coordinates"] == [[0.0, 0.0], [1.0, 1.0]]


@pytest.mark.parametrize("geometry", [None, shapely.Point(), shapely.Polygon(), shapely.GeometryCollection()])
def test_no_place_is_null(geometry: shapely.Geometry | None) -> None:
    assert one(geometry)["geometry"] is None


def test_what_json_cannot_say_is_null() -> None:
    assert one(None, height_m=math.nan, width_m=math.inf)["properties"] == {"height_m": None, "width_m": None}


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_a_place_keeps_a_millimetre(lon: float, lat: float) -> None:
    got = one(shapely.Point(lon, lat))["geometry"]["coordinates"]
    assert got == pytest.approx([lon, lat], abs=1e-8)


def test_a_collection_of_geometries_survives() -> None:
    both = shapely.GeometryCollection([shapely.Point(1, 2), shapely.Point(3, 4)])
    assert len(one(both)["geometry"]["geometries"]) == 2


def test_pages_escape_what_the_city_says() -> None:
    text = page(
        "<script>", {"links": [{"href": '/"x', "rel": "self", "type": "a/b"}], "name": "</pre><script>"}
    ).decode()
    assert "<script>" not in text
    assert '"x"' not in text
