"""Land, by hand: a block of four parcels of 40 × 40 m."""

from __future__ import annotations

import math

import pytest
import shapely

from cim.city.model import CityObject
from cim.findings import Verdict
from cim.impact.graph import Case
from cim.impact.indicators import indicator_graph
from cim.impact.land import green_of_unit
from tests.support.impact_city import box, drawn, factor_set, house, stock_of, thing

NODES = indicator_graph().nodes


def block() -> list[CityObject]:
    return [
        *(thing(f"t:p{i}", "+Parcel", box(40 * i, 0, 40, 40)) for i in range(4)),
        thing("t:d", "+District", box(0, 0, 160, 40)),
        house("t:a", box(5, 5, 20, 20), function="apartments", storeys_above_ground=4),
        house("t:b", box(45, 5, 10, 20), function="office", storeys_above_ground=8),
        thing("t:g", "PlantCover", box(80, 0, 40, 20), function="grass"),
        thing("t:k", "PlantCover", box(80, 10, 60, 20), function="park"),
    ]


def outcome(name: str, overlay=None, site=None):
    stock = stock_of(block()).with_changes(overlay or {})
    return NODES[name].compute(Case(stock, factor_set(), stock.touched_units if site is None else site))


def share(found, key: str):
    return next(item.value for item in found.breakdown if item.key == key)


def test_floor_area_by_use() -> None:
    found = outcome("land.floor_area")
    assert found.value.value == 4 * 400 + 8 * 200
    assert share(found, "residential") == 1_600
    assert share(found, "office") == 1_600


def test_a_scheme_speaks_of_the_parcels_that_it_touches() -> None:
    tower = drawn("s:b/1", box(85, 5, 10, 10), [[3.0, "residential"]] * 20)
    overlay = {"s:b/1": tower}
    assert outcome("land.floor_area_ratio", overlay).value.value == pytest.approx(2_000 / 1_600)
    assert share(outcome("land.floor_area_ratio", overlay), "city") == pytest.approx(5_200 / 6_400)
    assert outcome("land.building_density", overlay).value.value == 100 / 1_600
    assert outcome("land.height_max", overlay).value.value == 60.0
    assert outcome("land.height_mean", overlay).value.value == 60.0
    assert share(outcome("land.height_mean", overlay), "city") == pytest.approx(
        (12.8 * 400 + 25.6 * 200 + 60.0 * 100) / 700
    )


def test_what_stands_on_no_parcel_is_over_no_parcels_area() -> None:
    overlay = {"s:b/1": drawn("s:b/1", box(300, 5, 10, 10), [[3.0, "residential"]] * 20)}
    for site in (frozenset[int](), frozenset({0})):
        assert share(outcome("land.floor_area_ratio", overlay, site), "city") == pytest.approx(3_200 / 6_400)
        assert share(outcome("land.building_density", overlay, site), "city") == pytest.approx(600 / 6_400)
    assert outcome("land.floor_area_ratio", overlay, frozenset()).value.value == pytest.approx(3_200 / 6_400)
    assert outcome("land.building_density", overlay, frozenset()).value.value == pytest.approx(600 / 6_400)


def test_green_is_counted_once_and_not_where_something_is_built() -> None:
    # On the third parcel: 40 × 20 of grass and 40 × 20 of park share 40 × 10; a tower takes 10 × 10 of it.
    stock = stock_of(block())
    assert green_of_unit(stock, 2) == 1_200 * 10_000
    assert green_of_unit(stock, 3) == 400 * 10_000
    assert outcome("land.green_ratio").value.value == 1_600 / 6_400
    tower = drawn("s:b/1", box(85, 5, 10, 10), [[3.0, "residential"]])
    assert outcome("land.green_ratio", {"s:b/1": tower}).value.value == 1_100 / 1_600


def test_a_parcel_painted_as_green_space_is_green() -> None:
    painted = thing("t:p1", "+Parcel", box(40, 0, 40, 40), land_use="1401")
    assert outcome("land.green_ratio", {"t:p1": painted}).value.value == (1_600 - 200) / 1_600


def test_use_mix_is_entropy_over_the_known_uses() -> None:
    assert outcome("land.use_mix").value.value == pytest.approx(math.log(2) / math.log(12))
    assert outcome("land.use_mix", site=frozenset({0})).value.value == 0.0


def test_intensity_names_parcels_and_districts() -> None:
    found = outcome("land.intensity")
    assert [(item.key, item.value) for item in found.breakdown] == [
        ("t:p0", 1.0),
        ("t:p1", 1.0),
        ("t:d", 3_200 / 6_400),
    ]


def test_a_parcel_over_its_plans_ratio_is_a_finding_on_the_ground() -> None:
    objects = block()
    objects[0] = thing("t:p0", "+Parcel", box(0, 0, 40, 40), floor_area_ratio_max=0.8)
    found = NODES["land.intensity"].compute(Case(stock_of(objects), factor_set()))
    (finding,) = found.findings
    assert (finding.verdict, finding.measured, finding.limit) == (Verdict.FAIL, 1.0, 0.8)
    assert finding.object_id == "t:p0"
    assert shapely.from_wkb(finding.witness_wkb).area == 1_600


def test_the_change_says_how_sure_it_is() -> None:
    """What is drawn is exact; what is demolished is as uncertain as its storeys."""
    change = NODES["land.floor_area"].change
    assert change is not None
    stock = stock_of([*block(), house("t:c", box(125, 5, 10, 10), function="office", height_m=16.0)])
    case = Case(stock.with_changes({"t:c": None}), factor_set())
    assert change(case).value == -500.0
    assert change(case).interval() == (
        pytest.approx(-100 * 16 / 2.8, abs=1e-4),
        pytest.approx(-100 * 16 / 4.2, abs=1e-4),
    )
    drawn_up = {"s:b/1": drawn("s:b/1", box(85, 5, 10, 10), [[3.0, "office"]] * 2)}
    assert change(Case(stock.with_changes(drawn_up), factor_set())).interval() is None
