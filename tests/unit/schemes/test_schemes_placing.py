"""Findings on the ground: what stands on others, on water, on a street, in the air, under ground."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pytest
import shapely

from cim.city.model import Attribute, CityObject
from cim.findings import Verdict
from cim.schemes.placing import check_placing


@dataclass(frozen=True)
class Around:
    """A meadow of 200 m by 200 m whose ground rises from 10 m to what ``rise_m`` says."""

    others: tuple[CityObject, ...] = ()
    rise_m: float = 0.0
    before: shapely.Geometry | None = None

    def meeting(self, place: shapely.Geometry) -> Iterable[CityObject]:
        return [o for o in self.others if o.place is not None and shapely.box(*o.place.bounds).intersects(place)]

    def stood(self, identifier: str) -> shapely.Geometry:
        return self.before or shapely.Polygon()

    def ground_m(self, place: shapely.Geometry) -> tuple[float, float]:
        return 10.0, 10.0 + self.rise_m

    def extent(self) -> shapely.Polygon:
        return shapely.box(0, 0, 200, 200)


def _building(place: shapely.Geometry, ground_m: float = 10.0, name: str = "s1:b/1") -> CityObject:
    return CityObject(name, "Building", place, attributes={"ground_m": Attribute(ground_m, "m")})


def _rules(building: CityObject, around: Around) -> dict[str, float | None]:
    findings = check_placing({building.id: building}, around)
    return {finding.rule: finding.measured for finding in findings}


def test_a_building_on_free_ground_has_no_findings() -> None:
    assert check_placing({"s1:b/1": _building(shapely.box(20, 20, 40, 40))}, Around()) == []


def test_what_is_demolished_is_not_judged() -> None:
    assert check_placing({"helsinki:way/1": None}, Around()) == []


def test_a_building_inside_another_shows_the_shared_ground() -> None:
    neighbour = _building(shapely.box(30, 20, 50, 40), name="helsinki:way/7")
    building = _building(shapely.box(20, 20, 40, 40))
    (finding,) = check_placing({building.id: building}, Around((neighbour,)))
    assert finding.rule == "placing.buildings-overlap"
    assert finding.measured == pytest.approx(200.0)
    assert finding.params == {"other": "helsinki:way/7"}
    assert shapely.from_wkb(finding.witness_wkb).bounds == (30.0, 20.0, 40.0, 40.0)


def test_a_common_wall_is_no_overlap() -> None:
    neighbour = _building(shapely.box(40, 20, 60, 40), name="helsinki:way/7")
    assert _rules(_building(shapely.box(20, 20, 40, 40)), Around((neighbour,))) == {}


def test_water_fails_and_a_street_is_to_be_discussed() -> None:
    water = CityObject("helsinki:way/8", "WaterBody", shapely.box(0, 0, 25, 200))
    street = CityObject(
        "helsinki:way/9", "Road", shapely.LineString([(0, 38), (200, 38)]), attributes={"width_m": Attribute(8.0, "m")}
    )
    building = _building(shapely.box(20, 20, 40, 40))
    findings = {f.rule: f for f in check_placing({building.id: building}, Around((water, street)))}
    assert findings["placing.on-water"].measured == pytest.approx(5 * 20)
    assert findings["placing.on-water"].verdict is Verdict.FAIL
    assert findings["placing.on-street"].measured == pytest.approx(20 * 6)
    assert findings["placing.on-street"].verdict is Verdict.DISCUSS


@pytest.mark.parametrize(
    ("ground_m", "rise_m", "rule", "measured"),
    [(22.0, 0.0, "placing.in-the-air", 12.0), (2.0, 0.0, "placing.under-ground", 8.0)],
)
def test_a_building_in_the_air_or_under_ground(ground_m: float, rise_m: float, rule: str, measured: float) -> None:
    building = _building(shapely.box(20, 20, 40, 40), ground_m)
    assert _rules(building, Around(rise_m=rise_m)) == {rule: measured}


def test_a_step_and_one_storey_in_a_slope_are_allowed() -> None:
    building = _building(shapely.box(20, 20, 40, 40), 10.4)
    assert _rules(building, Around(rise_m=3.0)) == {}


def test_beyond_the_land_of_the_city() -> None:
    assert _rules(_building(shapely.box(190, 20, 220, 40)), Around()) == {"placing.outside-the-city": 400.0}


def test_only_ground_that_is_newly_covered_is_judged() -> None:
    """A building over a street's tunnel may get a storey; what it grows over its neighbour is its own doing."""
    street = CityObject(
        "helsinki:way/9", "Road", shapely.LineString([(0, 30), (60, 30)]), attributes={"width_m": Attribute(8.0, "m")}
    )
    neighbour = _building(shapely.box(40, 20, 60, 40), name="helsinki:way/7")
    around = Around((street, neighbour), before=shapely.box(20, 20, 40, 40))
    assert _rules(_building(shapely.box(20, 20, 40, 40)), around) == {}
    grown = _rules(_building(shapely.box(20, 20, 42, 40)), around)
    assert grown == {"placing.buildings-overlap": 40.0, "placing.on-street": 16.0}


@pytest.mark.parametrize("said", [{"function": "cycleway"}, {"function": "subway", "tunnel": "yes"}])
def test_paths_and_tunnels_are_not_in_the_way(said: dict[str, str]) -> None:
    way = CityObject(
        "helsinki:way/9",
        "Road",
        shapely.LineString([(0, 30), (60, 30)]),
        attributes={"width_m": Attribute(3.0, "m"), **{name: Attribute(value) for name, value in said.items()}},
    )
    assert _rules(_building(shapely.box(20, 20, 40, 40)), Around((way,))) == {}
