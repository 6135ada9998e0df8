"""What a scheme changes, as objects: what it leaves alone stays the source's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import shapely

from cim.city.model import Attribute, CityObject
from cim.findings import Quality
from cim.schemes.edits import make_edit
from cim.schemes.making import Making
from cim.schemes.realise import realise
from cim.schemes.solids import solid_of
from cim.schemes.state import State
from tests.support.object_base import ObjectBaseline
from tests.support.solid_mesh import mesh_of

RING = ((100.0, 50.0), (120.0, 50.0), (120.0, 60.0), (100.0, 60.0))
FACTS = {
    "height_m": Attribute(9.0, "m", Quality.MEASURED),
    "storeys_above_ground": Attribute(3),
    "roof_type": Attribute("hipped"),
    "roof_height_m": Attribute(3.0, "m"),
    "function": Attribute("apartments"),
    "year_of_construction": Attribute(1921),
    "ground_m": Attribute(4.0, "m"),
}
HOUSE = CityObject("r:house", "Building", shapely.Polygon(RING), (solid_of((RING,), 4.0, 10.0, "hipped", 3.0),), FACTS)
BLOCK = CityObject("r:block", "Building", shapely.Polygon(RING), (), {"height_m": Attribute(9.6, "m")})
WHOLE = CityObject("r:whole", "Building", shapely.Polygon(RING), (), {"height_m": Attribute(9.6, "m")})
PART = CityObject(
    "r:whole/1", "BuildingPart", shapely.box(100, 50, 110, 60), (), {"height_m": Attribute(6.0, "m")}, "r:whole"
)
ROAD = CityObject(
    "r:road", "Road", shapely.LineString([(0, 0), (90, 0)]), (), {"ground_kind": Attribute("road_arterial")}
)
LOT = CityObject("r:lot", "+Parcel", shapely.box(0, 10, 40, 40), (), {"land_use": Attribute("residential")})
BASE = ObjectBaseline([HOUSE, BLOCK, WHOLE, PART, ROAD, LOT])


def after(*edits: tuple[str, str | None, Mapping[str, Any]]) -> dict[str, CityObject | None]:
    state = State(BASE)
    for sequence, (kind, target, params) in enumerate(edits, 1):
        state = state.apply(make_edit(Making(state, "s1", sequence, kind, target, dict(params))).changes)
    return realise(state, BASE)


def building(found: CityObject | None) -> CityObject:
    assert found is not None
    return found


def test_a_change_of_use_keeps_the_real_roof_and_the_facts() -> None:
    house = building(after(("building.use", "r:house", {"use": "office"}))["r:house"])
    assert house.geometries[0] is HOUSE.geometries[0]
    assert house.attributes["year_of_construction"].value == 1921
    assert house.attributes["function"].value == "office"
    assert house.attributes["scheme_change"].value == "changed"
    assert house.attributes["height_m"].value == pytest.approx(9.0)


def test_a_name_changes_nothing_else() -> None:
    house = building(after(("building.solar", "r:house", {"solar_share": 0.5}))["r:house"])
    assert house.attributes["height_m"] == FACTS["height_m"]
    assert house.attributes["function"].value == "apartments"
    assert "storeys" not in house.attributes


def test_a_higher_house_keeps_its_roof_on_longer_walls() -> None:
    house = building(after(("building.height", "r:house", {"height_m": 12.0}))["r:house"])
    (body,) = house.geometries
    mesh = mesh_of(body)
    assert mesh.is_watertight
    assert mesh.bounds[1][2] == pytest.approx(4.0 + 12.0)
    assert mesh.volume == pytest.approx(mesh_of(HOUSE.geometries[0]).volume + 200 * 3.0)
    assert house.attributes["height_m"].method == "scheme:roof-lifted"
    assert house.attributes["height_m"].value == 12.0


def test_a_house_that_is_only_moved_keeps_its_body() -> None:
    house = building(after(("building.move", "r:house", {"dx_m": 7, "dy_m": -3, "rotation_deg": 30}))["r:house"])
    (body,) = house.geometries
    assert body.surface_count == HOUSE.geometries[0].surface_count
    assert mesh_of(body).volume == pytest.approx(mesh_of(HOUSE.geometries[0]).volume, rel=1e-4)
    assert shapely.Polygon(body.coordinates[:4, :2]).is_valid
    assert house.place.buffer(0.01).covers(shapely.MultiPoint(body.coordinates[:, :2]))
    assert house.attributes["height_m"].method == "scheme:moved"


def test_another_outline_is_a_solid_under_the_same_roof() -> None:
    ring = [[[100, 50], [130, 50], [130, 60], [100, 60]]]
    house = building(after(("building.footprint", "r:house", {"footprint": ring}))["r:house"])
    mesh = mesh_of(house.geometries[0])
    assert mesh.volume == pytest.approx(300 * 6 + (20 * 10 * 3 / 2 + 10 * 10 * 3 / 3), rel=1e-3)
    assert house.attributes["height_m"].method == "scheme:roof"


def test_another_roof_is_built() -> None:
    house = building(after(("building.roof", "r:house", {"type": "gabled", "height_m": 4}))["r:house"])
    assert mesh_of(house.geometries[0]).volume == pytest.approx(200 * 6 + 200 * 4 / 2, rel=1e-3)
    assert house.attributes["roof_type"].value == "gabled"


def test_a_block_without_surfaces_stays_one_until_its_form_changes() -> None:
    assert building(after(("building.use", "r:block", {"use": "office"}))["r:block"]).geometries == ()
    higher = building(after(("building.height", "r:block", {"height_m": 16.0}))["r:block"])
    assert mesh_of(higher.geometries[0]).volume == pytest.approx(200 * 16)
    assert higher.attributes["height_m"].method == "scheme:prism"


def test_the_parts_of_a_building_stand_for_it_until_its_form_changes() -> None:
    same = building(after(("building.use", "r:whole", {"use": "office"}))["r:whole"])
    assert mesh_of(same.geometries[0]).volume == pytest.approx(100 * 6.0)
    higher = building(after(("building.height", "r:whole", {"height_m": 12.8}))["r:whole"])
    assert mesh_of(higher.geometries[0]).volume == pytest.approx(200 * 12.8)


def test_a_building_that_is_only_moved_takes_the_bodies_of_its_parts_along() -> None:
    away = building(after(("building.move", "r:whole", {"dx_m": 7, "dy_m": -3}))["r:whole"])
    (body,) = away.geometries
    assert mesh_of(body).volume == pytest.approx(100 * 6.0)
    assert body.coordinates.min(axis=0)[:2] == pytest.approx([107.0, 47.0])
    assert away.attributes["height_m"].method == "scheme:moved"


def test_what_is_demolished_is_none() -> None:
    assert after(("building.demolish", "r:house", {})) == {"r:house": None}


def test_ground_is_painted_by_what_changes_on_it() -> None:
    found = after(
        ("street.close", "r:road", {}),
        ("parcel.land_use", "r:lot", {"land_use": "1401"}),
        ("park.add", None, {"footprint": [[[0, 50], [20, 50], [20, 70]]]}),
        ("street.add", None, {"axis": [[0, 80], [50, 80]], "lanes": 4}),
        ("tree.add", None, {"place": [5, 5]}),
    )
    kinds = {
        city_object.type: city_object.attributes.get("ground_kind", Attribute(None)).value
        for city_object in found.values()
        if city_object is not None and city_object.id != "s1:r/4"
    }
    assert kinds == {"Road": "road_path", "+Parcel": "green", "PlantCover": "green", "SolitaryVegetationObject": None}
    assert building(found["s1:r/4"]).attributes["ground_kind"].value == "road_arterial"
    closed = building(found["r:road"])
    assert closed.attributes["closed"].value is True
    assert closed.place is ROAD.place


def test_storeys_of_mixed_use_are_told_by_the_use_of_most() -> None:
    params = {
        "footprint": [[[0, 0], [20, 0], [20, 10], [0, 10]]],
        "storeys": [[4.5, "retail"], [3, "office"], [3, "office"]],
    }
    (made,) = after(("building.add", None, {**params, "ground_m": 2.0, "phase_year": 2030})).values()
    found = building(made)
    assert found.attributes["function"].value == "office"
    assert found.attributes["height_m"].value == 10.5
    assert np.ptp(found.geometries[0].coordinates[:, 2]) == pytest.approx(10.5)
    assert found.attributes["scheme_change"].value == "added"
