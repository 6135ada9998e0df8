"""People, works, carbon, by hand, from the figures of the sample set."""

from __future__ import annotations

import pytest

from cim.impact.graph import Case
from cim.impact.indicators import indicator_graph
from tests.support.impact_city import box, drawn, factor_set, house, stock_of, thing

NODES = indicator_graph().nodes
SET = factor_set()
PER_DWELLING_M2 = 1_000 * 0.09290304
PER_OFFICE_JOB_M2 = 350 * 0.09290304


def outcome(name: str, objects, overlay=None):
    return NODES[name].compute(Case(stock_of(objects).with_changes(overlay or {}), SET))


def homes(storeys: int = 10):
    return house("t:a", box(0, 0, 20, 50), function="apartments", storeys_above_ground=storeys)


def test_dwellings_and_residents() -> None:
    # 10 storeys × 1,000 m² × 0.85 net / 92.9 m² = 91.5 dwellings × 0.94 lived in × 2.25 people = 193.5.
    assert outcome("people.dwellings", [homes()]).value.value == round(10_000 * 0.85 / PER_DWELLING_M2) == 91
    assert outcome("people.residents", [homes()]).value.value == round(91.4933 * 0.94 * 2.25) == 194


def test_their_interval_holds_the_factors_range() -> None:
    value = outcome("people.dwellings", [homes()]).value
    assert value.low == round(10_000 * 0.85 * 0.94 / (PER_DWELLING_M2 * 1.3))
    assert value.high == round(10_000 * 0.85 * 1.06 / (PER_DWELLING_M2 * 0.7))


def test_half_of_what_stands_above_the_shops_of_unknown_buildings_is_homes() -> None:
    mixed = house("t:a", box(0, 0, 20, 50), function="yes", storeys_above_ground=5)
    assert outcome("people.dwellings", [mixed]).value.value == round(4_000 * 0.5 * 0.85 / PER_DWELLING_M2)
    jobs = 2_000 / PER_OFFICE_JOB_M2 + 1_000 / (750 * 0.09290304)
    assert outcome("people.jobs", [mixed]).value.value == round(jobs)


def test_jobs() -> None:
    office = house("t:a", box(0, 0, 20, 50), function="office", storeys_above_ground=3)
    assert outcome("people.jobs", [office]).value.value == round(3_000 / PER_OFFICE_JOB_M2) == 92


def test_school_places_are_offered_less_needed() -> None:
    school = house("t:s", box(100, 0, 20, 30), function="school", storeys_above_ground=2)
    found = outcome("people.school_places", [homes(), school])
    offered, needed = 1_200 * 0.85 / 3.0, 193.508 * 0.1
    assert [(item.key, item.value) for item in found.breakdown] == [("offered", 340.0), ("needed", 19.0)]
    assert found.value.value == round(offered - needed)


def test_open_space_is_counted_once_and_loses_what_is_built() -> None:
    parks = [
        thing("t:k1", "PlantCover", box(100, 0, 50, 40), function="park"),
        thing("t:k2", "PlantCover", box(140, 0, 50, 40), function="garden"),
        thing("t:lawn", "PlantCover", box(300, 0, 50, 40), function="grass"),
    ]
    people = 10_000 * 0.85 / PER_DWELLING_M2 * 0.94 * 2.25
    assert outcome("people.open_space_per_head", [homes(), *parks]).value.value == pytest.approx(3_600 / people)
    kiosk = {"s:b/1": drawn("s:b/1", box(110, 10, 10, 10), [[3.0, "retail"]])}
    assert outcome("people.open_space_per_head", [homes(), *parks], kiosk).value.value == pytest.approx(3_500 / people)


def test_cost_is_that_of_what_is_put_up_by_its_height() -> None:
    tower = {"s:b/1": drawn("s:b/1", box(100, 0, 10, 10), [[3.0, "residential"]] * 20)}
    assert outcome("cost.construction", [homes()]).value.value == 0
    assert outcome("cost.construction", [homes()], tower).value.value == 2_000 * 3_963
    # One storey more on the same plan costs that storey; a move across the street costs a new house.
    raised = {"t:a": drawn("t:a", box(0, 0, 20, 50), [[3.2, "residential"]] * 11)}
    assert outcome("cost.construction", [homes()], raised).value.value == 1_000 * 3_478
    moved = {"t:a": drawn("t:a", box(200, 0, 20, 50), [[3.2, "residential"]] * 10)}
    assert outcome("cost.construction", [homes()], moved).value.value == 10_000 * 3_478


def test_embodied_carbon_and_waste() -> None:
    overlay = {"t:a": None, "s:b/1": drawn("s:b/1", box(100, 0, 10, 10), [[3.0, "office"]] * 5)}
    assert outcome("carbon.embodied", [homes()], overlay).value.value == pytest.approx(500 * 326.75 / 1_000)
    assert outcome("carbon.demolition_waste", [homes()], overlay).value.value == pytest.approx(10_000)
    assert outcome("carbon.demolition_waste", [homes()], overlay).value.interval() == (5_000, 16_000)


def test_operational_carbon_is_electricity_and_heat_less_solar_roofs() -> None:
    office = house("t:o", box(0, 0, 20, 50), function="office", storeys_above_ground=1)
    electricity = 1_000 * 11.07 / 0.09290304 * 0.079158
    heat = 1_000 * 0.16 * 29.3001 / 0.09290304 * 0.06389 * 3.6
    assert outcome("carbon.operational", [office]).value.value == pytest.approx((electricity + heat) / 1_000, rel=1e-4)
    sunny = house("t:o", box(0, 0, 20, 50), function="office", storeys_above_ground=1, solar_share=0.5)
    gain = 500 * 120 * 0.079158
    assert outcome("carbon.operational", [sunny]).value.value == pytest.approx(
        (electricity - gain + heat) / 1_000, rel=1e-4
    )


def test_every_reading_names_the_factors_that_it_used() -> None:
    found = outcome("people.residents", [homes()])
    assert {factor.id for factor in found.factors} == {
        "uf-efficiency",
        "uf-sf-du",
        "own-mixed-homes",
        "uf-hhsize",
        "uf-vacancy",
    }
    assert all(factor.jurisdiction and factor.source for factor in found.factors)
