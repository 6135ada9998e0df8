"""CityGML and IndoorGML of the reference data, against lxml's own count and pyproj's own transformation."""

import functools
from collections import Counter

import numpy as np
import pyproj
import pytest
from lxml import etree

from ingest.records import SourceHeader
from tests.support.gml_city import objects_in, of_kind, records

pytestmark = pytest.mark.reference
BLDG = "{http://www.opengis.net/citygml/building/2.0}"
GML = "{http://www.opengis.net/gml}"


@pytest.fixture(scope="module")
def folder(reference):
    return reference / "citygml"


@functools.cache
def way_by_authority(crs):
    return pyproj.Transformer.from_crs("EPSG:6668", crs)


def by_hand(ring, crs):
    """Positions of EPSG:6697, latitude first, through pyproj in the order that the authority says."""
    rows = np.array(ring.findtext(f".//{GML}posList").split(), dtype=float).reshape(-1, 3)
    east, north = way_by_authority(crs).transform(rows[:, 0], rows[:, 1])
    return np.column_stack((east, north, rows[:, 2]))


def test_plateau_buildings_are_all_there_and_where_pyproj_puts_them(folder):
    path = folder / "52397519_bldg_6697_op.gml"
    found = records(path)
    header = of_kind(found, SourceHeader)[0]
    assert (header.working_crs, header.vertical_datum) == ("EPSG:32654", "JGD2011 (vertical) height")
    objects = objects_in(found)
    tree = etree.parse(path)
    named = {element.get(f"{GML}id"): element for element in tree.iter(f"{BLDG}Building", f"{BLDG}BuildingPart")}
    assert objects.keys() == named.keys()
    for identifier, element in named.items():
        mine = objects[identifier]
        own = {name: element.findall(f"{BLDG}{name}") for name in ("lod0FootPrint", "lod1Solid", "lod2Solid")}
        assert Counter(g.lod for g in mine.geometries) == Counter(
            lod for lod, name in zip("012", own, strict=True) for _ in own[name]
        )
        for lod, name in (("0", "lod0FootPrint"), ("1", "lod1Solid")):
            rings = [ring for prop in own[name] for ring in prop.iter(f"{GML}LinearRing")]
            if not rings:
                continue
            expected = np.concatenate([by_hand(ring, header.working_crs)[:-1] for ring in rings])
            geometry = next(g for g in mine.geometries if g.lod == lod)
            assert geometry.surface_count == len(rings)
            np.testing.assert_allclose(geometry.coordinates, expected, atol=1e-6)


def test_plateau_solids_know_their_roofs_and_walls(folder):
    path = folder / "52397519_bldg_6697_op.gml"
    tree = etree.parse(path)
    expected = Counter()
    for kind in ("RoofSurface", "WallSurface", "GroundSurface"):
        for surface in tree.iter(f"{BLDG}{kind}"):
            expected[kind] += len(list(surface.iter(f"{GML}Polygon")))
    solids = [g for o in objects_in(records(path)).values() for g in o.geometries if g.lod == "2"]
    assert {g.kind for g in solids} == {"Solid"}
    assert sum((Counter(g.semantics.types()) for g in solids), Counter()) == expected


def test_plateau_attributes_of_the_standard_and_of_the_extension(folder):
    objects = objects_in(records(folder / "52397519_bldg_6697_op.gml"))
    facts = objects["bldg_787d830e-2534-410a-8a2a-a531efeb2533"].attributes
    assert (facts["height_m"].value, facts["height_m"].unit) == (6.0, "m")
    assert facts["storeys_above_ground"].value == 1
    assert facts["name"].value == "横須賀美術館"
    assert (facts["usage"].value, facts["usage_codeSpace"].value) == ("422", "../../codelists/Building_usage.xml")
    assert (facts["１階床面積"].value, facts["１階床面積"].unit) == (42, "m2")
    assert facts["buildingIDAttribute"].value["buildingID"] == "14201-bldg-110968"
    assert facts["buildingDisasterRiskAttribute"].value["type"] == "BuildingLandSlideRiskAttribute"
    assert [pair["key"] for pair in facts["keyValuePairAttribute"].value] == ["104", "105", "106", "107"]
    parts = [o for o in objects.values() if o.type == "BuildingPart"]
    assert {o.parent_id for o in parts} == {"test:bldg_16418b2d-dc75-4731-ae04-90bbef1d66fe"}
    whole = objects["bldg_16418b2d-dc75-4731-ae04-90bbef1d66fe"]
    assert whole.place.covers(parts[0].place.centroid)


def test_plateau_relief_has_every_triangle_where_pyproj_puts_it(folder):
    path = folder / "523965_dem_6697_05_op.gml"
    found = records(path)
    header = of_kind(found, SourceHeader)[0]
    assert header.ground == "terrain"
    objects = objects_in(found)
    assert {o.type for o in objects.values()} == {"TINRelief"}
    for relief in etree.parse(path).iter("{http://www.opengis.net/citygml/relief/2.0}TINRelief"):
        rings = list(relief.iter(f"{GML}LinearRing"))
        geometry = objects[relief.get(f"{GML}id")].geometries[0]
        assert (geometry.kind, geometry.surface_count) == ("CompositeSurface", len(rings))
        mine = geometry.coordinates.reshape(-1, 3, 3)
        expected = np.array([by_hand(ring, header.working_crs)[:3] for ring in rings])
        assert (np.cross(mine[:, 1] - mine[:, 0], mine[:, 2] - mine[:, 0])[:, 2] >= 0).all()
        order = [np.argsort(t[..., 0] * 1e3 + t[..., 1], axis=1)[..., None] for t in (mine, expected)]
        np.testing.assert_allclose(*(np.take_along_axis(t, o, 1) for t, o in zip((mine, expected), order, strict=True)))


def test_dh_1_is_read_whole(folder):
    path = folder / "dh_1.gml"
    found = records(path)
    header = of_kind(found, SourceHeader)[0]
    assert (header.working_crs, header.title) == ("EPSG:28992", "3D Stadtmodell")
    objects = objects_in(found)
    tree = etree.parse(path)
    count = Counter(etree.QName(e).localname for e in tree.iter(etree.Element))
    assert Counter(o.type for o in objects.values()) == {"Building": 1, "BuildingPart": count["BuildingPart"]}
    solids = [g for o in objects.values() for g in o.geometries if g.kind == "Solid"]
    assert len(solids) == count["lod2Solid"]
    assert sum(g.surface_count for g in solids) == count["Polygon"]
    meant = sum((Counter(g.semantics.types()) for g in solids), Counter())
    assert meant == {kind: count[kind] for kind in ("RoofSurface", "WallSurface", "GroundSurface")}
    cuts = [g for o in objects.values() for g in o.geometries if g.kind == "MultiLineString"]
    assert sum(len(g.ring_ends) for g in cuts) == count["LineString"]
    own = [(o, name) for o in objects.values() for name in o.attributes if name.startswith(("Relative", "Absolute"))]
    assert len(own) >= count["doubleAttribute"] - 6 * 6
    assert {o.parent_id for o in objects.values() if o.type == "BuildingPart"} == {
        f"test:{next(i for i, o in objects.items() if o.type == 'Building')}"
    }
    corners = np.array([list(map(float, p.text.split())) for p in tree.iter(f"{GML}pos")])
    mine = np.concatenate([g.coordinates for g in solids])
    assert {tuple(row) for row in mine.tolist()} <= {tuple(row) for row in corners.tolist()}


def test_rooms_of_indoorgml_are_read_whole(folder):
    path = folder / "FZK-Haus_full.gml"
    objects = objects_in(records(path, source_crs="EPSG:25832"))
    tree = etree.parse(path)
    count = Counter(etree.QName(e).localname for e in tree.iter(etree.Element))
    assert Counter(o.type for o in objects.values()) == {"BuildingRoom": count["CellSpace"]}
    solids = [g for o in objects.values() for g in o.geometries]
    assert {g.kind for g in solids} == {"Solid"}
    assert sum(g.surface_count for g in solids) == count["Polygon"]
    assert sum(len(g.ring_ends) for g in solids) == count["LinearRing"]


def test_a_file_without_a_crs_is_refused_with_the_fix(folder):
    from cim.errors import InvalidInput

    with pytest.raises(InvalidInput) as caught:
        records(folder / "FZK-Haus_full.gml")
    assert caught.value.problem_code == "crs-missing"
    assert "--crs" in caught.value.hint
