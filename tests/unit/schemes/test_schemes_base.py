"""What a baseline says of fields: storeys from heights, axes from lines, uses in our words."""

from __future__ import annotations

from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from cim.city.model import Attribute
from cim.schemes.base import Known, read_fields, stack, use_of


def known(type_: str, place: shapely.Geometry | None, foot_m: float = 0.0, **attributes: Any) -> dict[str, Any]:
    facts = {name: Attribute(value) for name, value in attributes.items()}
    return read_fields(Known(type_, place, facts, foot_m))


@given(st.floats(2.0, 400.0), st.none() | st.integers(1, 200), st.sampled_from(("office", "hotel")))
def test_storeys_sum_to_the_height(height_m: float, count: int | None, use: str) -> None:
    storeys = stack(height_m, count, use)
    assert sum(round(storey[0] * 1000) for storey in storeys) == round(height_m * 1000)
    assert max(s[0] for s in storeys) - min(s[0] for s in storeys) < 0.0011
    assert all(2.0 <= storey[0] <= 30.0 for storey in storeys)
    if count is not None and 2.0 <= height_m / count <= 30.0:
        assert len(storeys) == count


def test_a_building_is_read_as_storeys_and_a_roof() -> None:
    fields = known(
        "Building",
        shapely.box(0, 0, 10, 8),
        1.5,
        height_m=15.0,
        roof_type="gabled",
        roof_height_m=3.0,
        storeys_above_ground=4,
        function="apartments",
        name="House",
    )
    assert fields["storeys"] == [[3.0, "residential"]] * 4
    assert fields["roof"] == {"type": "gabled", "height_m": 3.0}
    assert (fields["ground_m"], fields["name"], fields["model"]) == (1.5, "House", None)
    assert shapely.Polygon(fields["footprint"][0]).area == 80.0


def test_what_no_single_outline_can_say_is_left_out() -> None:
    parts = shapely.MultiPolygon([shapely.box(0, 0, 5, 5), shapely.box(9, 9, 12, 12)])
    fields = known("Building", parts, height_m=9.0)
    assert "footprint" not in fields
    assert len(fields["storeys"]) == 3
    assert known("WaterBody", parts) == {"exists": True, "type": "WaterBody"}


def test_a_courtyard_keeps_its_hole() -> None:
    ring = shapely.box(0, 0, 20, 20) - shapely.box(5, 5, 15, 15)
    assert len(known("Building", ring)["footprint"]) == 2


@pytest.mark.parametrize(
    ("said", "direction"),
    [("yes", "forward"), ("-1", "backward"), ("no", "no"), (True, "forward"), (None, "no"), ("reversible", "no")],
)
def test_a_street_says_which_way(said: Any, direction: str) -> None:
    fields = known("Road", shapely.LineString([(0, 0), (9, 0)]), oneway=said, lanes=3)
    assert (fields["oneway"], fields["lanes"], fields["closed"], fields["width_m"]) == (direction, 3, False, 9.75)


def test_a_tree_has_a_size() -> None:
    fields = known("SolitaryVegetationObject", shapely.Point(3, 4), height_m=12.0)
    assert (fields["place"], fields["height_m"], fields["crown_diameter_m"]) == ([3.0, 4.0], 12.0, 5.0)


def test_uses_are_ours() -> None:
    assert [use_of(word) for word in ("apartments", "Office", "hotel", "cathedral", "ruins", None, 7)] == [
        "residential",
        "office",
        "hotel",
        "culture",
        "other",
        "other",
        "other",
    ]
