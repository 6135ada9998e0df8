"""Massings of the library as edits: buildings with all their fields, sites, refusals."""

from __future__ import annotations

from typing import Any

import pytest
import shapely

from cim.schemes.edits import make_edit
from cim.schemes.faults import EditRefused
from cim.schemes.forms.api import massing_json
from cim.schemes.making import Making
from cim.schemes.massing import FORMS
from cim.schemes.state import State
from tests.support.scheme_base import small_city


def _after(params: dict[str, Any], target: str | None = None) -> tuple[State, list[str]]:
    state = State(small_city())
    made = make_edit(Making(state, "s1", 4, "massing.add", target, params))
    after = state.apply(made.changes)
    return after, [target for target in after.targets if state.base.fields(target) is None]


def test_a_tower_on_a_podium_is_two_buildings_that_share_no_ground() -> None:
    state, made = _after({"form": "podium-tower", "anchor": [200.0, 80.0], "numbers": {"storeys": 9}, "use": "office"})
    assert made == ["s1:b/4", "s1:b/4-2"]
    podium, tower = (state.fields(target) for target in made)
    plans = [shapely.Polygon(fields["footprint"][0], fields["footprint"][1:]) for fields in (podium, tower)]
    assert plans[0].intersection(plans[1]).area == pytest.approx(0.0, abs=1e-3)
    assert plans[0].union(plans[1]).area == pytest.approx(54 * 36, abs=0.1)
    assert [use for _, use in podium["storeys"]] == ["retail"] * 2
    assert [use for _, use in tower["storeys"]] == ["retail"] * 2 + ["office"] * 9
    assert podium["ground_m"] == tower["ground_m"] == 2.0  # what the neighbours stand on


def test_a_parcel_is_the_site_of_a_perimeter_block() -> None:
    state, made = _after({"form": "perimeter", "numbers": {"setback_m": 0, "depth_m": 6}}, "h:p1")
    parcel = shapely.box(0, 0, 40, 30)
    for target in made:
        assert parcel.buffer(1e-3).covers(shapely.Polygon(*[state.fields(target)["footprint"][0]]))


def test_row_houses_have_pitched_roofs() -> None:
    state, made = _after({"form": "row-houses", "anchor": [0, 0], "numbers": {"houses": 3}})
    assert len(made) == 3
    assert {state.fields(target)["roof"]["type"] for target in made} == {"gabled"}
    assert all(state.fields(target)["roof"]["height_m"] > 0 for target in made)


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"form": "pagoda", "anchor": [0, 0]}, EditRefused),
        ({"form": "tower", "anchor": [0, 0], "numbers": {"storeys": float("nan")}}, EditRefused),
        ({"form": "tower", "anchor": [0, 0], "numbers": {"storeys": 10_000}}, EditRefused),
        ({"form": "tower", "anchor": [0, 0], "numbers": [1]}, EditRefused),
        ({"form": "tower"}, EditRefused),
        ({"form": "tower", "anchor": [0]}, EditRefused),
        ({"form": "tower", "anchor": [0, 0], "use": "castle"}, EditRefused),
        ({"form": "tower", "anchor": [0, 0], "bearing_deg": "north"}, EditRefused),
        ({"form": "perimeter", "site": [[[0, 0], [60, 60], [60, 0], [0, 60]]]}, EditRefused),
    ],
)
def test_what_cannot_be_is_refused(params: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        _after(params)


def test_the_library_is_told_with_bounds() -> None:
    tower = massing_json(FORMS["tower"])
    assert tower["title"] == {"en": "Tower", "zh": "塔式"}
    assert {"name": "storeys", "unit": "1", "default": 18, "min": 1, "max": 120} in tower["params"]
