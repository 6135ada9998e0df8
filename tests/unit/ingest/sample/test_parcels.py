"""Parcels cover their blocks, never overlap, and hold their building."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from cim.findings import Quality
from ingest.sample.parcels import blocks_of, build_parcels, land_of, split_blocks


@pytest.fixture(scope="module")
def made(streets, buildings):
    return build_parcels(streets, buildings, 1, "town-sample")


def test_shares_cover_each_block_without_overlap(streets, buildings):
    blocks = blocks_of(streets, land_of(streets, buildings))
    lots = split_blocks(blocks, [item.place for item in buildings])
    assert len(blocks) >= 30
    for row, block in enumerate(blocks):
        parts = [lots.polygons[i] for i in np.flatnonzero(lots.block == row)]
        assert sum(part.area for part in parts) == pytest.approx(block.area, rel=1e-9)
        assert shapely.union_all(parts).area == pytest.approx(block.area, rel=1e-9)


def test_the_border_lies_half_way_between_two_buildings():
    block = shapely.box(0, 0, 100, 60)
    lots = split_blocks([block], [shapely.box(10, 10, 30, 50), shapely.box(60, 10, 90, 50)])
    left = next(part for part in lots.polygons if part.contains(shapely.Point(20, 30)))
    # Half way between 30 and 60; level with the buildings the border is straight.
    cut = left.intersection(shapely.LineString([(0, 30), (100, 30)]))
    assert cut.bounds[2] == pytest.approx(45.0, abs=0.5)


def test_a_building_stands_on_its_parcel(streets, buildings):
    blocks = blocks_of(streets, land_of(streets, buildings))
    lots = split_blocks(blocks, [item.place for item in buildings])
    holder = {row: i for i, rows in enumerate(lots.buildings) for row in rows}
    assert sorted(holder) == list(range(len(buildings)))
    for row, i in holder.items():
        footprint = buildings[row].place
        assert lots.polygons[i].intersection(footprint).area > 0.97 * footprint.area


def test_all_of_it_is_labelled_generated(made):
    assert {item.type for item in made} == {"+District", "+Parcel"}
    assert len({item.id for item in made}) == len(made)
    for item in made:
        assert item.id.startswith("town-sample:")
        assert {fact.quality for fact in item.attributes.values()} == {Quality.GENERATED}
        assert item.place.is_valid
        assert not item.place.is_empty


def test_districts_part_the_land_and_have_names_in_two_languages(made, streets, buildings):
    districts = [item for item in made if item.type == "+District"]
    land = land_of(streets, buildings)
    assert sum(item.place.area for item in districts) == pytest.approx(land.area, rel=1e-9)
    names = {item.attributes["name_zh"].value for item in districts}
    assert len(names) == len(districts) == 8
    ids = {item.id for item in districts}
    assert {item.attributes["district"].value for item in made if item.type == "+Parcel"} <= ids


def test_floor_area_ratio_by_hand(made, buildings):
    parcel = next(item for item in made if item.type == "+Parcel" and item.attributes["building_density"].value > 0)
    standing = [b for b in buildings if parcel.place.contains(shapely.point_on_surface(b.place))]
    floor = sum(b.place.area * b.attributes["storeys_above_ground"].value for b in standing)
    assert parcel.attributes["floor_area_ratio"].value == pytest.approx(floor / parcel.place.area, abs=1e-3)


def test_water_is_no_land(streets, buildings):
    from cim.city.model import Attribute, CityObject

    ground = CityObject(
        "town:land", "LandUse", shapely.box(900, 1900, 1800, 2900), (), {"ground_kind": Attribute("land")}
    )
    lake = CityObject("town:lake", "WaterBody", shapely.box(1005, 2005, 1110, 2110))
    land = land_of(streets, [*buildings, ground, lake])
    assert land.area == pytest.approx(900 * 1000 - 105 * 105)
