from __future__ import annotations

from datetime import UTC, datetime

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from cim.errors import InvalidInput
from cim.features.model import LIMIT_MAX, Collection, Property
from cim.features.query import intersects, read_bbox, read_datetime, read_items_request

COLLECTION = Collection(
    "buildings",
    "Buildings",
    properties=(
        Property("name", "string"),
        Property("height_m", "number"),
        Property("storeys", "integer"),
        Property("generated", "boolean"),
        Property("limit", "integer"),
    ),
)
JAN, FEB, MAR = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3))


def ask(query: str):
    pairs = [tuple(part.split("=", 1)) for part in query.split("&") if part]
    return read_items_request(pairs, COLLECTION)


def test_defaults() -> None:
    asked = ask("")
    assert (asked.query.limit, asked.query.offset, asked.query.where, asked.when) == (10, 0, (), None)


def test_filters_have_the_type_of_their_property() -> None:
    asked = ask("name=3&height_m=3&storeys=3&generated=true")
    values = {one.left.name: one.right.value for one in asked.query.where}
    assert values == {"name": "3", "height_m": 3.0, "storeys": 3, "generated": True}
    assert {name: type(value) for name, value in values.items()}["height_m"] is float


def test_a_property_named_like_a_parameter_is_not_a_filter() -> None:
    asked = ask("limit=5")
    assert (asked.query.limit, asked.query.where) == (5, ())


def test_a_limit_over_the_maximum_is_capped() -> None:
    assert ask("limit=999999").query.limit == LIMIT_MAX


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=1.5", "limit=", "limit=ten", "limit=١", "limit=" + "9" * 40, "offset=-1",
     "offset=99999999999", "limit=1&limit=2", "colour=red", "height_m=tall", "height_m=nan", "height_m=inf",
     "storeys=3.5", "storeys=" + "9" * 30, "generated=yes", "bbox=1,2,3", "bbox=1,2,3,x", "bbox=", "bbox=1,2,3,4,5",
     "bbox=nan,0,1,1", "bbox=0,0,inf,1", "bbox=0,1,1,0", "bbox=-181,0,1,1", "bbox=0,-91,1,1", "bbox=0,0,5,1,1,0",
     "bbox=0,0,1,1,1,1,1", "bbox-crs=EPSG:3879", "crs=EPSG:4326", "datetime=yesterday", "datetime=", "f=xml",
     "datetime=2026-02-01T00:00:00Z/2026-01-01T00:00:00Z", "datetime=2026-01-01/2026-02-01/2026-03-01",
     "datetime=2026-13-01", "datetime=20260101"],
)  # fmt: skip
def test_what_is_not_valid_is_refused(query: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        ask(query)
    assert caught.value.problem_code == "parameter"
    assert caught.value.params["parameter"] == query.partition("=")[0]


def test_a_box_with_heights_is_the_box_on_the_map() -> None:
    assert read_bbox("1,2,-5,3,4,100") == ((1.0, 2.0, 3.0, 4.0),)


def test_a_box_over_the_antimeridian_is_two() -> None:
    assert read_bbox("170,-20,-170,0") == ((170.0, -20.0, 180.0, 0.0), (-180.0, -20.0, -170.0, 0.0))


@given(st.floats(-180, 180), st.floats(-180, 180), st.floats(-180, 180))
def test_boxes_hold_a_place_as_the_circle_of_longitudes_has_it(west: float, east: float, lon: float) -> None:
    boxes = read_bbox(f"{west!r},-10,{east!r},10")
    inside = any(shapely.box(*box).intersects(shapely.Point(lon, 0)) for box in boxes)
    assert inside is ((west <= lon <= east) if west <= east else (lon >= west or lon <= east))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01T00:00:00Z", (JAN, JAN)),
        ("2026-01-01", (JAN, JAN)),
        ("2026-01-01t02:00:00+02:00", (JAN, JAN)),
        ("2026-01-01T00:00:00Z/2026-02-01T00:00:00Z", (JAN, FEB)),
        ("../2026-02-01", (None, FEB)),
        ("2026-01-01/", (JAN, None)),
        ("../..", (None, None)),
    ],
)
def test_instants_and_intervals(text: str, expected: tuple[datetime | None, datetime | None]) -> None:
    assert read_datetime(text) == expected


@pytest.mark.parametrize(
    ("interval", "when", "expected"),
    [
        ((FEB, None), (JAN, JAN), False),
        ((FEB, None), (MAR, MAR), True),
        ((FEB, None), (None, FEB), True),
        ((JAN, FEB), (MAR, None), False),
        ((None, None), (JAN, JAN), True),
        ((JAN, FEB), (FEB, MAR), True),
    ],
)
def test_intervals_meet(interval: object, when: object, expected: bool) -> None:
    assert intersects(interval, when) is expected
