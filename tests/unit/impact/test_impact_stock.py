"""The stock's rows, by hand."""

from __future__ import annotations

import shapely

from cim.city.model import Attribute, CityObject
from cim.impact.graph import Case
from cim.impact.land import floor_cm2
from cim.impact.rows import COLUMN
from tests.support.impact_city import box, drawn, factor_set, house, stock_of, thing


def tally(*objects, name):
    return int(stock_of(list(objects)).tally()[COLUMN[name]])


def test_a_recorded_building_has_its_outline_times_its_storeys() -> None:
    building = house("t:1", box(0, 0, 10, 20), function="apartments", storeys_above_ground=4)
    assert tally(building, name="floor_residential") == 4 * 200 * 10_000
    assert tally(building, name="footprint") == 200 * 10_000
    assert tally(building, name="height_area") == 4 * 320 * 200 * 10_000


def test_a_height_alone_makes_storeys_of_3_2_m_and_leaves_a_doubt() -> None:
    building = house("t:1", box(0, 0, 10, 10), function="office", height_m=16.0)
    assert tally(building, name="floor_office") == 5 * 100 * 10_000
    # 16 m hold 16 / 4.2 = 3.81 high storeys and 16 / 2.8 = 5.71 low ones.
    assert tally(building, name="floor_low") == round(16 / 4.2 * 1_000_000)
    assert tally(building, name="floor_high") == round(16 / 2.8 * 1_000_000)


def test_drawn_storeys_keep_their_uses() -> None:
    building = drawn("s:b/1", box(0, 0, 10, 10), [[4.5, "retail"], [3.0, "residential"], [3.0, "residential"]])
    assert tally(building, name="floor_retail") == 100 * 10_000
    assert tally(building, name="floor_residential") == 200 * 10_000
    assert tally(building, name="floor_low") == tally(building, name="floor_high") == 300 * 10_000


def test_parts_are_not_counted_twice_but_lift_the_top() -> None:
    church = house("t:1", box(0, 0, 20, 20), function="church", storeys_above_ground=1, height_m=13.0)
    part = CityObject(
        "t:2", "BuildingPart", box(5, 5, 4, 4), (), {"height_m": Attribute(62.0), "function": Attribute("yes")}, "t:1"
    )
    stock = stock_of([church, part])
    assert len(stock.buildings) == 1
    assert floor_cm2(stock.tally()) == 400 * 10_000
    assert stock.column("height_cm").tolist() == [6_200]


def test_open_structures_have_no_floor_and_universities_no_pupils() -> None:
    roof = house("t:1", box(0, 0, 10, 10), function="roof", height_m=5.0)
    university = house("t:2", box(20, 0, 10, 10), function="university", storeys_above_ground=2)
    school = house("t:3", box(40, 0, 10, 10), function="school", storeys_above_ground=1)
    assert tally(roof, university, school, name="floor_school") == 300 * 10_000
    assert tally(roof, university, school, name="pupil_floor") == 100 * 10_000


def test_a_building_of_unknown_use_stays_so_when_a_scheme_raises_it() -> None:
    before = house("t:1", box(0, 0, 10, 10), function="yes", storeys_above_ground=2)
    after = stock_of([before]).with_changes({"t:1": drawn("t:1", box(0, 0, 10, 10), [[3.0, "other"]] * 3)})
    assert int(after.tally()[COLUMN["floor_unknown"]]) == 300 * 10_000
    assert int(after.tally()[COLUMN["upper_unknown"]]) == 200 * 10_000


def test_a_building_belongs_to_the_parcel_that_holds_its_inner_point() -> None:
    parcels = [thing(f"t:p{i}", "+Parcel", box(i * 40, 0, 40, 40)) for i in range(2)]
    building = house("t:1", box(30, 0, 14, 10), function="office", storeys_above_ground=1)
    stock = stock_of([*parcels, building])
    assert stock.units.ids[stock.unit_of[0]] == "t:p0"


def test_a_split_parcel_keeps_its_land_in_the_site() -> None:
    parcel = thing("t:p", "+Parcel", box(0, 0, 40, 40))
    other = thing("t:q", "+Parcel", box(50, 0, 40, 40))
    building = house("t:1", box(25, 5, 10, 10), function="office", storeys_above_ground=3)
    base = stock_of([parcel, other, building])
    halves = {f"s:p/{i}": thing(f"s:p/{i}", "+Parcel", box(20 * i, 0, 20, 40)) for i in range(2)}
    stock = base.with_changes({"t:p": None, **halves})
    case = Case(stock, factor_set(), stock.touched_units)
    assert sorted(stock.units.ids[row] for row in case.site_units) == ["s:p/0", "s:p/1"]
    assert case.site_area_cm2 == case.at_base.site_area_cm2 == 1_600 * 10_000
    assert stock.units.ids[stock.unit_of[0]] == "s:p/1"


def test_a_city_without_parcels_is_cut_into_cells() -> None:
    stock = stock_of([house("t:1", box(0, 0, 10, 10), function="office", storeys_above_ground=1)])
    assert stock.cells
    assert stock.units.ids == ["cell/254960/66720"]
    assert shapely.area(stock.units.places[0]) == 10_000
