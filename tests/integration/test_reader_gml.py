"""CityGML 2.0 and 3.0 written by hand: every form in which a surface, an attribute or a place may stand."""

# ruff: noqa: E501 -- markup reads better in one piece

from collections import Counter

import numpy as np
import pyproj
import pytest

from cim.city.model import Quarantined
from cim.errors import InvalidInput
from cim.findings import Finding
from ingest.records import SourceHeader
from tests.support.gml_city import (
    FACES,
    HEAD_3,
    X,
    Y,
    Z,
    box,
    building,
    envelope,
    link,
    member,
    multi_surface,
    objects_in,
    of_kind,
    polygon,
    pos_list,
    records,
    solid,
    write,
)


def read(tmp_path, *features, **more):
    context = {name: more.pop(name) for name in ("source_crs", "working_crs") if name in more}
    return records(write(tmp_path / "city.gml", *features, **more), **context)


def only(found, identifier="b"):
    assert of_kind(found, Quarantined) == []
    return objects_in(found)[identifier]


def bounded(kind, inside, identifier=""):
    named = f' gml:id="{identifier}"' if identifier else ""
    return f"<bldg:boundedBy><bldg:{kind}{named}>{inside}</bldg:{kind}></bldg:boundedBy>"


def walls_by_link():
    parts = [
        bounded(
            {"g": "GroundSurface", "r": "RoofSurface"}.get(name[0], "WallSurface"),
            f"<bldg:lod2MultiSurface>{multi_surface(member(polygon(points, f'p-{name}')))}</bldg:lod2MultiSurface>",
            f"s-{name}",
        )
        for name, points in FACES.items()
    ]
    whole = f"<bldg:lod2Solid>{solid(*(link(f'p-{name}') for name in FACES))}</bldg:lod2Solid>"
    return parts, whole


@pytest.mark.parametrize("solid_first", [True, False])
def test_a_solid_that_links_to_its_surfaces_knows_what_they_are(tmp_path, solid_first):
    parts, whole = walls_by_link()
    inside = "".join([whole, *parts] if solid_first else [*parts, whole])
    mine = only(read(tmp_path, building("b", inside)))
    (geometry,) = mine.geometries
    assert (geometry.kind, geometry.lod, geometry.surface_count) == ("Solid", "2", 6)
    assert Counter(geometry.semantics.types()) == {"WallSurface": 4, "RoofSurface": 1, "GroundSurface": 1}
    assert {surface["id"] for surface in geometry.semantics.surfaces} == {f"s-{name}" for name in FACES}
    assert mine.place.area == pytest.approx(100)
    assert mine.attributes["height_m"].value == pytest.approx(8)
    assert mine.attributes["ground_m"].value == pytest.approx(Z)


def test_a_solid_that_repeats_its_surfaces_knows_them_too_and_has_them_once(tmp_path):
    parts = [
        bounded(
            "RoofSurface",
            f"<bldg:lod2MultiSurface>{multi_surface(member(polygon(FACES['roof'])))}</bldg:lod2MultiSurface>",
        ),
        bounded(
            "WallSurface",
            f"<bldg:lod2MultiSurface>{multi_surface(member(polygon(FACES['wall1'])))}</bldg:lod2MultiSurface>",
        ),
    ]
    whole = f"<bldg:lod2Solid>{solid(*(member(polygon(points)) for points in FACES.values()))}</bldg:lod2Solid>"
    (geometry,) = only(read(tmp_path, building("b", "".join(parts) + whole))).geometries
    assert Counter(geometry.semantics.types()) == {"": 4, "RoofSurface": 1, "WallSurface": 1}


def test_surfaces_without_a_solid_and_openings_in_their_wall(tmp_path):
    window = [(X + 2, Y, Z + 2), (X + 4, Y, Z + 2), (X + 4, Y, Z + 4), (X + 2, Y, Z + 4)]
    opening = (
        '<bldg:opening><bldg:Window gml:id="w"><bldg:lod3MultiSurface>'
        f"{multi_surface(member(polygon(window)))}</bldg:lod3MultiSurface></bldg:Window></bldg:opening>"
    )
    wall = bounded(
        "WallSurface",
        f"<bldg:lod3MultiSurface>{multi_surface(member(polygon(FACES['wall0'])))}</bldg:lod3MultiSurface>{opening}",
        "wall",
    )
    (geometry,) = only(read(tmp_path, building("b", wall))).geometries
    assert (geometry.kind, geometry.lod, geometry.semantics.types()) == ("MultiSurface", "3", ["WallSurface", "Window"])
    first, second = geometry.semantics.surfaces
    assert (first["children"], second["parent"], second["id"]) == ([1], 0, "w")


def test_levels_of_detail_0_to_3_stand_beside_each_other(tmp_path):
    inside = (
        f"<bldg:lod0FootPrint>{multi_surface(member(polygon(FACES['ground'])))}</bldg:lod0FootPrint>"
        f"<bldg:lod0RoofEdge>{multi_surface(member(polygon(FACES['roof'])))}</bldg:lod0RoofEdge>"
        f"<bldg:lod1Solid>{solid(*(member(polygon(p)) for p in FACES.values()))}</bldg:lod1Solid>"
        f"<bldg:lod2MultiSurface>{multi_surface(member(polygon(FACES['roof'])))}</bldg:lod2MultiSurface>"
        f"<bldg:lod3MultiSurface>{multi_surface(member(polygon(FACES['wall0'])))}</bldg:lod3MultiSurface>"
    )
    mine = only(read(tmp_path, building("b", inside)))
    assert [(g.lod, g.kind) for g in mine.geometries] == [
        ("0", "MultiSurface"), ("0", "MultiSurface"), ("1", "Solid"), ("2", "MultiSurface"), ("3", "MultiSurface"),
    ]  # fmt: skip
    assert [g.semantics.types() for g in mine.geometries[:2]] == [["GroundSurface"], ["RoofSurface"]]


def test_holes_oriented_surfaces_patches_and_old_coordinates(tmp_path):
    hole = [(X + 2, Y + 2, Z), (X + 2, Y + 4, Z), (X + 4, Y + 4, Z)]
    holed = (
        f"<gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>{pos_list(FACES['roof'])}</gml:posList>"
        "</gml:LinearRing></gml:exterior><gml:interior><gml:LinearRing>"
        + "".join(f"<gml:pos>{' '.join(map(repr, p))}</gml:pos>" for p in [*hole, hole[0]])
        + "</gml:LinearRing></gml:interior></gml:Polygon>"
    )
    turned = f'<gml:OrientableSurface orientation="-"><gml:baseSurface>{polygon(FACES["wall0"])}</gml:baseSurface></gml:OrientableSurface>'
    old = (
        "<gml:Polygon><gml:outerBoundaryIs><gml:LinearRing><gml:coordinates>"
        + " ".join(",".join(map(repr, p)) for p in [*FACES["wall1"], FACES["wall1"][0]])
        + "</gml:coordinates></gml:LinearRing></gml:outerBoundaryIs></gml:Polygon>"
    )
    patch = polygon(FACES["wall2"]).replace("gml:Polygon", "gml:PolygonPatch")
    patched = f"<gml:Surface><gml:patches>{patch}</gml:patches></gml:Surface>"
    inside = (
        f"<bldg:lod2MultiSurface>{multi_surface(*map(member, (holed, turned, old, patched)))}</bldg:lod2MultiSurface>"
    )
    (geometry,) = only(read(tmp_path, building("b", inside))).geometries
    assert geometry.ring_ends.tolist() == [4, 7, 11, 15, 19]
    assert geometry.surface_ends.tolist() == [2, 3, 4, 5]
    np.testing.assert_allclose(geometry.coordinates[4:7], hole)
    np.testing.assert_allclose(geometry.coordinates[7:11], FACES["wall0"][::-1])
    np.testing.assert_allclose(geometry.coordinates[11:15], FACES["wall1"])


def test_solids_in_groups_keep_their_shells(tmp_path):
    inner = box(X + 2, Y + 2, Z + 2, 3, 3)
    hollow = (
        "<gml:Solid><gml:exterior><gml:CompositeSurface>"
        + "".join(member(polygon(p)) for p in FACES.values())
        + "</gml:CompositeSurface></gml:exterior><gml:interior><gml:CompositeSurface>"
        + "".join(member(polygon(p[::-1])) for p in inner.values())
        + "</gml:CompositeSurface></gml:interior></gml:Solid>"
    )
    other = solid(*(member(polygon(p)) for p in box(X + 20, Y, Z).values()))
    group = f"<gml:MultiSolid><gml:solidMember>{hollow}</gml:solidMember><gml:solidMember>{other}</gml:solidMember></gml:MultiSolid>"
    feature = f'<core:cityObjectMember><gen:GenericCityObject gml:id="b"><gen:lod2Geometry>{group}</gen:lod2Geometry></gen:GenericCityObject></core:cityObjectMember>'
    mine = only(read(tmp_path, feature))
    (geometry,) = mine.geometries
    assert (mine.type, geometry.kind) == ("+GenericCityObject", "MultiSolid")
    assert geometry.shell_ends.tolist() == [6, 12, 18]
    assert geometry.solid_ends.tolist() == [2, 3]


def test_generic_attributes_code_lists_units_and_extensions(tmp_path):
    inside = (
        "<gml:name>Town hall</gml:name><gml:name>Rathaus</gml:name>"
        '<gen:stringAttribute name="colour"><gen:value>red</gen:value></gen:stringAttribute>'
        '<gen:intAttribute name="doors"><gen:value>4</gen:value></gen:intAttribute>'
        '<gen:doubleAttribute name="share"><gen:value>0.25</gen:value></gen:doubleAttribute>'
        '<gen:dateAttribute name="seen"><gen:value>2020-02-29</gen:value></gen:dateAttribute>'
        '<gen:measureAttribute name="eaves"><gen:value uom="ft">10</gen:value></gen:measureAttribute>'
        '<gen:measureAttribute name="load"><gen:value uom="kN">2.5</gen:value></gen:measureAttribute>'
        '<gen:genericAttributeSet name="energy"><gen:stringAttribute name="class"><gen:value>B</gen:value></gen:stringAttribute>'
        '<gen:measureAttribute name="need"><gen:value uom="kWh/m2">80</gen:value></gen:measureAttribute></gen:genericAttributeSet>'
        '<bldg:function codeSpace="codes/function.xml">1000</bldg:function><bldg:usage>1</bldg:usage><bldg:usage>2</bldg:usage>'
        "<bldg:yearOfConstruction>1907</bldg:yearOfConstruction><bldg:roofType>1030</bldg:roofType>"
        '<bldg:measuredHeight uom="ft">100</bldg:measuredHeight><bldg:storeysAboveGround>9</bldg:storeysAboveGround>'
        "<uro:extra><uro:Extra><uro:kind>x</uro:kind><uro:area uom='m2'>3</uro:area></uro:Extra></uro:extra>"
        "<uro:flag>true</uro:flag>"
        f"<bldg:lod0FootPrint>{multi_surface(member(polygon(FACES['ground'])))}</bldg:lod0FootPrint>"
    )
    facts = only(read(tmp_path, building("b", inside))).attributes
    plain = {name: fact.value for name, fact in facts.items()}
    assert {name: plain[name] for name in ("colour", "doors", "share", "seen")} == {
        "colour": "red", "doors": 4, "share": 0.25, "seen": "2020-02-29",
    }  # fmt: skip
    assert (plain["eaves"], facts["eaves"].unit) == (pytest.approx(3.048), "m")
    assert (plain["load"], facts["load"].unit) == (2.5, "kN")
    assert plain["energy"] == {"class": "B", "need": 80, "need_uom": "kWh/m2"}
    assert (plain["function"], plain["function_codeSpace"]) == ("1000", "codes/function.xml")
    assert plain["usage"] == ["1", "2"]
    assert (plain["name"], plain["names"]) == ("Town hall", ["Town hall", "Rathaus"])
    assert (plain["year_of_construction"], plain["storeys_above_ground"], plain["roof_type"]) == (1907, 9, "1030")
    assert (plain["height_m"], facts["height_m"].unit) == (pytest.approx(30.48), "m")
    assert plain["extra"] == {"kind": "x", "area": 3, "area_uom": "m2"}
    assert plain["flag"] is True


def test_what_citygml_3_writes_otherwise(tmp_path):
    faces = "".join(
        f"<core:boundary><con:{'RoofSurface' if name == 'roof' else 'WallSurface'} gml:id='s-{name}'>"
        f"<core:lod2MultiSurface>{multi_surface(member(polygon(points, f'p-{name}')))}</core:lod2MultiSurface>"
        f"</con:{'RoofSurface' if name == 'roof' else 'WallSurface'}></core:boundary>"
        for name, points in FACES.items()
    )
    shell = "".join(link(f"p-{name}") for name in FACES)
    inside = (
        "<core:genericAttribute><gen:MeasureAttribute><gen:name>eaves</gen:name><gen:value uom='m'>4</gen:value>"
        "</gen:MeasureAttribute></core:genericAttribute>"
        "<core:genericAttribute><gen:GenericAttributeSet><gen:name>tax</gen:name><gen:genericAttribute><gen:CodeAttribute>"
        "<gen:name>band</gen:name><gen:value codeSpace='bands'>C</gen:value></gen:CodeAttribute></gen:genericAttribute>"
        "</gen:GenericAttributeSet></core:genericAttribute>"
        f"{faces}<core:lod2Solid><gml:Solid><gml:exterior><gml:Shell>{shell}</gml:Shell></gml:exterior></gml:Solid></core:lod2Solid>"
        "<con:height><con:Height><con:highReference>highestRoofEdge</con:highReference>"
        "<con:lowReference>lowestGroundPoint</con:lowReference><con:status>measured</con:status>"
        "<con:value uom='m'>7.5</con:value></con:Height></con:height>"
        "<con:dateOfConstruction>1985-06-01</con:dateOfConstruction>"
        "<bldg:buildingPart><bldg:BuildingPart gml:id='part'><core:lod1Solid>"
        f"{solid(*(member(polygon(p)) for p in box(X + 20, Y, Z).values()))}</core:lod1Solid></bldg:BuildingPart></bldg:buildingPart>"
    )
    objects = objects_in(read(tmp_path, building("b", inside), head=HEAD_3))
    mine, part = objects["b"], objects["part"]
    plain = {name: fact.value for name, fact in mine.attributes.items()}
    assert plain["eaves"] == 4
    assert plain["tax"] == {"band": "C", "band_codeSpace": "bands"}
    assert (plain["height_m"], plain["year_of_construction"]) == (7.5, 1985)
    assert plain["constructionHeights"]["highReference"] == "highestRoofEdge"
    assert (part.type, part.parent_id) == ("BuildingPart", "test:b")
    assert Counter(mine.geometries[0].semantics.types()) == {"WallSurface": 5, "RoofSurface": 1}


def test_roads_of_citygml_3_gather_what_their_spaces_show(tmp_path):
    lane = [(X, Y, Z), (X + 30, Y, Z), (X + 30, Y + 4, Z), (X, Y + 4, Z)]
    feature = (
        '<core:cityObjectMember><tran:Road gml:id="r"><tran:section><tran:Section gml:id="s"><tran:trafficSpace>'
        '<tran:TrafficSpace gml:id="t"><core:boundary><tran:TrafficArea gml:id="a"><core:lod2MultiSurface>'
        f"{multi_surface(member(polygon(lane)))}</core:lod2MultiSurface></tran:TrafficArea></core:boundary>"
        "</tran:TrafficSpace></tran:trafficSpace></tran:Section></tran:section></tran:Road></core:cityObjectMember>"
    )
    mine = only(read(tmp_path, feature, head=HEAD_3), "r")
    assert (mine.type, mine.geometries[0].semantics.types()) == ("Road", ["TrafficArea"])
    assert mine.attributes["ground_kind"].value == "road_street"


@pytest.mark.parametrize(
    ("element", "prop", "type_"),
    [
        ("tran:Road", "tran:lod1MultiSurface", "Road"),
        ("tran:Track", "tran:lod1MultiSurface", "Road"),
        ("tran:Square", "tran:lod1MultiSurface", "TransportSquare"),
        ("tran:Railway", "tran:lod1MultiSurface", "Railway"),
        ("luse:LandUse", "luse:lod1MultiSurface", "LandUse"),
        ("wtr:WaterBody", "wtr:lod1MultiSurface", "WaterBody"),
        ("veg:PlantCover", "veg:lod1MultiSurface", "PlantCover"),
        ("frn:CityFurniture", "frn:lod1Geometry", "CityFurniture"),
        ("brid:Bridge", "brid:lod1MultiSurface", "Bridge"),
        ("uro:Manhole", "uro:lod1Geometry", "+Manhole"),
    ],
)
def test_other_themes_get_the_names_of_cityjson(tmp_path, element, prop, type_):
    shape = multi_surface(member(polygon(FACES["roof"])))
    feature = (
        f'<core:cityObjectMember><{element} gml:id="b"><{prop}>{shape}</{prop}></{element}></core:cityObjectMember>'
    )
    assert only(read(tmp_path, feature)).type == type_


def test_a_tree_that_stands_by_matrix_and_point_and_one_that_borrows_its_form(tmp_path):
    form = polygon([(0, 0, 0), (1, 0, 0), (1, 0, 2)])

    def tree(identifier, shape, matrix, x):
        return (
            f'<core:cityObjectMember><veg:SolitaryVegetationObject gml:id="{identifier}"><veg:lod2ImplicitRepresentation>'
            f"<core:ImplicitGeometry><core:transformationMatrix>{matrix}</core:transformationMatrix>"
            f"<core:relativeGMLGeometry{shape}</core:relativeGMLGeometry>"
            f"<core:referencePoint><gml:Point><gml:pos>{x} {Y} {Z}</gml:pos></gml:Point></core:referencePoint>"
            "</core:ImplicitGeometry></veg:lod2ImplicitRepresentation></veg:SolitaryVegetationObject></core:cityObjectMember>"
        )

    twice = "2 0 0 0 0 2 0 0 0 0 2 1 0 0 0 1"
    turned = "0 -1 0 0 1 0 0 0 0 0 1 0 0 0 0 1"
    shared = multi_surface(member(form)).replace("<gml:MultiSurface>", '<gml:MultiSurface gml:id="form">')
    found = read(tmp_path, tree("late", ' xlink:href="#form">', turned, X + 9), tree("own", f">{shared}", twice, X))
    objects = objects_in(found)
    np.testing.assert_allclose(
        objects["own"].geometries[0].coordinates, [(X, Y, Z + 1), (X + 2, Y, Z + 1), (X + 2, Y, Z + 5)]
    )
    np.testing.assert_allclose(
        objects["late"].geometries[0].coordinates, [(X + 9, Y, Z), (X + 9, Y + 1, Z), (X + 9, Y + 1, Z + 2)]
    )


def test_links_to_other_features_are_followed_however_far_and_in_whichever_order(tmp_path):
    first = building("a", f"<bldg:lod1MultiSurface>{multi_surface(link('middle'))}</bldg:lod1MultiSurface>")
    middle = building(
        "m",
        f"<bldg:lod1MultiSurface><gml:MultiSurface gml:id='middle'>{link('end')}</gml:MultiSurface></bldg:lod1MultiSurface>",
    )
    last = building(
        "z", f"<bldg:lod1MultiSurface>{multi_surface(member(polygon(FACES['roof'], 'end')))}</bldg:lod1MultiSurface>"
    )
    found = read(tmp_path, first, middle, last)
    assert of_kind(found, Quarantined) == []
    objects = objects_in(found)
    for identifier in "amz":
        np.testing.assert_allclose(objects[identifier].geometries[0].coordinates, FACES["roof"])


@pytest.mark.parametrize(
    ("srs", "flat", "numbers"),
    [
        ("http://www.opengis.net/def/crs/EPSG/0/6697", "EPSG:6668", (35.26, 139.74)),
        ("urn:ogc:def:crs:EPSG::4326", "EPSG:4326", (35.26, 139.74)),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "OGC:CRS84", (139.74, 35.26)),
        ("http://www.opengis.net/gml/srs/epsg.xml#6668", "EPSG:6668", (35.26, 139.74)),
        ("EPSG:6677", "EPSG:6677", (-82_092.0, -8_500.0)),  # a plane whose first number goes north
        ("urn:ogc:def:crs,crs:EPSG::32654,crs:EPSG::5773", "EPSG:32654", (385_300.0, 3_902_500.0)),
    ],
)
def test_numbers_stand_in_the_order_of_the_axes(tmp_path, srs, flat, numbers):
    first, second = numbers
    ring = [(first, second, 5.0), (first + 1e-5, second, 5.0), (first, second + 1e-5, 5.0)]
    shape = f"<bldg:lod0FootPrint>{multi_surface(member(polygon(ring)))}</bldg:lod0FootPrint>"
    found = read(tmp_path, building("b", shape), bounds=envelope(srs, ring[0]), working_crs="EPSG:32654")
    mine = only(found).geometries[0].coordinates[0]
    east, north = pyproj.Transformer.from_crs(flat, "EPSG:32654").transform(first, second)
    assert mine == pytest.approx((east, north, 5.0), abs=1e-3)
    assert not [f for f in of_kind(found, Finding) if f.rule == "gml-axis-order"]


def test_numbers_in_the_other_order_than_their_crs_says_are_read_and_said(tmp_path):
    ring = [(139.74, 35.26, 5.0), (139.74001, 35.26, 5.0), (139.74, 35.26001, 5.0)]
    shape = f"<bldg:lod0FootPrint>{multi_surface(member(polygon(ring)))}</bldg:lod0FootPrint>"
    found = read(tmp_path, building("b", shape), bounds=envelope("urn:ogc:def:crs:EPSG::6697", ring[0]))
    assert [f.rule for f in of_kind(found, Finding)] == ["gml-axis-order"]
    assert of_kind(found, SourceHeader)[0].working_crs == "EPSG:32654"
    east, north = pyproj.Transformer.from_crs("EPSG:6668", "EPSG:32654").transform(35.26, 139.74)
    assert only(found).geometries[0].coordinates[0] == pytest.approx((east, north, 5.0), abs=1e-3)


def test_the_crs_comes_from_the_command_from_the_file_or_from_a_geometry(tmp_path):
    shape = f"<bldg:lod0FootPrint>{multi_surface(member(polygon(FACES['ground'])))}</bldg:lod0FootPrint>"
    assert (
        of_kind(read(tmp_path, building("b", shape), source_crs="EPSG:25833"), SourceHeader)[0].working_crs
        == "EPSG:25833"
    )
    with pytest.raises(InvalidInput) as caught:
        read(tmp_path, building("b", shape), bounds=envelope(None))
    assert (caught.value.problem_code, "--crs" in caught.value.hint) == ("crs-missing", True)
    named = shape.replace("<gml:MultiSurface>", '<gml:MultiSurface srsName="EPSG:25832">')
    assert of_kind(read(tmp_path, building("b", named), bounds=""), SourceHeader)[0].working_crs == "EPSG:25832"
    other = shape.replace("<gml:MultiSurface>", '<gml:MultiSurface srsName="EPSG:28992">')
    found = read(tmp_path, building("b", other), building("c", shape))
    assert [(q.feature, q.code) for q in of_kind(found, Quarantined)] == [("b", "crs-mixed")]
    assert set(objects_in(found)) == {"c"}


def test_a_feature_without_an_id_keeps_the_one_it_gets(tmp_path):
    shape = f"<bldg:lod0FootPrint>{multi_surface(member(polygon(FACES['ground'])))}</bldg:lod0FootPrint>"
    nameless = building("b", shape).replace(' gml:id="b"', "")
    first = set(objects_in(read(tmp_path, nameless)))
    second = set(objects_in(read(tmp_path, building("other", shape), nameless))) - {"other"}
    assert first == second
    assert len(first) == 1


def test_a_big_file_of_many_features_comes_in_batches(tmp_path):
    many = [
        building(
            f"b{n}",
            f"<bldg:lod1Solid>{solid(*(member(polygon(p)) for p in box(X + 20 * n, Y, Z).values()))}</bldg:lod1Solid>",
        )
        for n in range(1200)
    ]
    found = read(tmp_path, *many)
    objects = objects_in(found)
    assert len(objects) == 1200
    np.testing.assert_allclose(objects["b1199"].geometries[0].coordinates[0], box(X + 20 * 1199, Y, Z)["ground"][0])
