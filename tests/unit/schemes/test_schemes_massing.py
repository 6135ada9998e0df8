"""The massing library: forms that can be built, areas by hand, numbers that are refused."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from cim.errors import InvalidInput, NotFound
from cim.schemes.massing import FORMS, GROUND_STOREY_M, STOREY_M, Form, Place, build_massing

SITE = shapely.box(0, 0, 90, 70)
PLACE = Place((1000.0, 2000.0), 30.0, SITE)


def _area(form: str, **numbers: float) -> float:
    return math.fsum(volume.footprint.area for volume in build_massing(form, numbers, PLACE, "residential"))


@pytest.mark.parametrize(
    ("form", "numbers", "area_m2"),
    [
        ("slab", {"length_m": 40, "depth_m": 12}, 480.0),
        ("tower", {"width_m": 20, "depth_m": 25}, 500.0),
        ("l-shape", {"length_m": 40, "width_m": 30, "depth_m": 10}, 40 * 30 - 30 * 20),
        ("u-shape", {"length_m": 50, "width_m": 30, "depth_m": 10}, 50 * 30 - 30 * 20),
        # A ring of 54 x 48 less its court of 30 x 24, less the way in of 6 x 12.
        ("courtyard", {"length_m": 54, "width_m": 48, "depth_m": 12}, 54 * 48 - 30 * 24 - 6 * 12),
        ("podium-tower", {"length_m": 50, "width_m": 40, "tower_m": 20}, 50 * 40),
        ("row-houses", {"houses": 6, "width_m": 6, "depth_m": 10}, 360.0),
        # 84 x 64 inside the setback, less 60 x 40, less the way in.
        ("perimeter", {"setback_m": 3, "depth_m": 12}, 84 * 64 - 60 * 40 - 6 * 12),
    ],
)
def test_the_plan_has_the_area_that_a_hand_computes(form: str, numbers: dict[str, float], area_m2: float) -> None:
    assert _area(form, **numbers) == pytest.approx(area_m2, abs=1e-6)


def test_a_form_stands_on_its_anchor_turned_clockwise() -> None:
    (volume,) = build_massing("slab", {"length_m": 40, "depth_m": 10}, Place((100.0, 200.0), 90.0), "office")
    assert volume.footprint.bounds == pytest.approx((95.0, 180.0, 105.0, 220.0))


def test_a_tower_stands_in_its_podium_and_not_on_top_of_another_prism() -> None:
    podium, tower = build_massing("podium-tower", {"podium_storeys": 2, "storeys": 10}, PLACE, "residential")
    assert podium.storeys == ((GROUND_STOREY_M, "retail"),) * 2
    assert tower.storeys == (*podium.storeys, *((STOREY_M, "residential"),) * 10)
    assert tower.footprint.intersection(podium.footprint).area == pytest.approx(0.0, abs=1e-6)


def test_a_courtyard_has_shops_below_homes() -> None:
    volumes = build_massing("courtyard", {"storeys": 3}, PLACE, "residential")
    assert volumes[0].storeys == ((GROUND_STOREY_M, "retail"), (STOREY_M, "residential"), (STOREY_M, "residential"))


@given(form=st.sampled_from(list(FORMS.values())), share=st.floats(0, 1), bearing=st.floats(0, 360))
def test_any_numbers_in_bounds_give_sound_prisms_side_by_side(form: Form, share: float, bearing: float) -> None:
    numbers = {p.name: p.minimum + share * (p.maximum - p.minimum) for p in form.parameters}
    try:
        volumes = build_massing(form.id, numbers, Place((5.0, 5.0), bearing, SITE), "residential")
    except InvalidInput as error:
        assert error.problem_code == "massing-empty"  # noqa: PT017 -- refusing is the other right answer
        return
    for volume in volumes:
        assert volume.footprint.is_valid
        assert volume.footprint.exterior.is_ccw
        assert all(height_m > 0 for height_m, _ in volume.storeys)
    for one, other in combinations(volumes, 2):
        assert one.footprint.intersection(other.footprint).area < 1e-3


@pytest.mark.parametrize("value", [0.5, 5000.0, math.nan, math.inf])
def test_a_number_out_of_bounds_is_refused(value: float) -> None:
    with pytest.raises(InvalidInput) as caught:
        build_massing("slab", {"storeys": value}, PLACE, "residential")
    assert caught.value.problem_code == "massing-bounds"


def test_an_unknown_form_an_unknown_number_and_a_missing_site_are_refused() -> None:
    with pytest.raises(NotFound):
        build_massing("pagoda", {}, PLACE, "residential")
    with pytest.raises(InvalidInput, match="no such number"):
        build_massing("slab", {"wings": 2}, PLACE, "residential")
    with pytest.raises(InvalidInput, match="site"):
        build_massing("perimeter", {}, Place((0.0, 0.0)), "residential")


def test_a_site_too_small_for_its_setback_leaves_nothing() -> None:
    with pytest.raises(InvalidInput) as caught:
        build_massing("perimeter", {"setback_m": 30}, Place((0, 0), 0, shapely.box(0, 0, 50, 50)), "office")
    assert caught.value.problem_code == "massing-empty"
