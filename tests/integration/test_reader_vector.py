"""Vector files: the same features come out of every format; what is wrong is said, by feature or by layer."""

import sqlite3
from collections import Counter

import numpy as np
import orjson
import pytest
import shapely

from cim.city.model import CityObject, Quarantined
from cim.city.rows import ObjectRows
from cim.errors import CimError
from cim.findings import Finding
from cim.geometry.crs import transformer
from ingest.readers.registry import reader_for
from ingest.records import LayerNote, ReadContext, SourceHeader
from tests.support.made_vector import MIDDLE, polygon, squares, write_geojson, write_layer


def read(path, mapping=None, **context):
    options = {"mapping": orjson.dumps(mapping).decode()} if mapping else {}
    options |= context.pop("options", {})
    return list(reader_for(path).read(path, ReadContext("test", options=options, **context)))


def objects(records):
    out = {}
    for record in records:
        assert not isinstance(record, CityObject)
        if isinstance(record, ObjectRows):
            members = [orjson.loads(text) for text in record.attributes]
            out |= dict(zip(record.ids, zip(record.types, record.places, members, strict=True), strict=True))
    return out


def of(records, kind):
    return [record for record in records if isinstance(record, kind)]


def refused(path, mapping=None, **context):
    with pytest.raises(CimError) as caught:
        read(path, mapping, **context)
    assert caught.value.hint
    return caught.value


COLUMNS = {"bldg_id": ["a", "b", "c"], "height_ft": [100.0, None, None], "floors": [8, 3, None], "use": ["o", "o", "o"]}


@pytest.mark.parametrize("ending", [".gpkg", ".shp", ".fgb", ".geojson", ".parquet"])
def test_each_format_gives_the_same_buildings(tmp_path, ending):
    shapes = squares(3)
    path = write_layer(tmp_path / f"buildings{ending}", shapes, COLUMNS)
    records = read(path)
    header = of(records, SourceHeader)[0]
    assert (header.working_crs, header.ground, header.vertical_datum) == ("EPSG:32635", "flat", None)
    found = dict(sorted(objects(records).items()))
    assert list(found) == ["test:a", "test:b", "test:c"]
    assert {type_ for type_, _, _ in found.values()} == {"Building"}
    way = transformer("OGC:CRS84", "EPSG:32635")
    for (_, place, _), shape in zip(found.values(), shapes, strict=True):
        expected = shapely.transform(shape, lambda xy: np.column_stack(way.transform(xy[:, 0], xy[:, 1])))
        assert shapely.hausdorff_distance(place, expected) < 1e-6
    heights = [members["height_m"] for _, _, members in found.values()]
    assert heights[0] == {"v": 30.48, "u": "m"}
    assert (heights[1]["v"], heights[1]["q"]) == (9.6, "modelled")
    assert heights[2]["q"] == "modelled"
    assert heights[2]["i"][0] < heights[2]["v"] < heights[2]["i"][1]
    assert found["test:a"][2]["function"] == {"v": "o"}


def test_a_height_nobody_recorded_is_that_of_the_neighbours(tmp_path):
    floors = [2, 2, 3, 4, 4, None]
    found = objects(read(write_layer(tmp_path / "buildings.fgb", squares(6), {"id": list("abcdef"), "floors": floors})))
    last = found["test:f"][2]
    assert last["storeys_above_ground"]["v"] == 3
    assert last["height_m"]["v"] == pytest.approx(9.6)
    assert "nearest" in last["height_m"]["m"]


def test_units_types_and_other_columns_by_mapping(tmp_path):
    columns = {"key": ["x", "y"], "h": [1000.0, -9999.0], "kind": ["tree", "weed"], "note": ["n", None]}
    path = write_layer(tmp_path / "things.gpkg", [shapely.Point(MIDDLE), shapely.Point(MIDDLE)], columns)
    mapping = {
        "type": {"column": "kind", "values": {"tree": "SolitaryVegetationObject"}, "default": "CityFurniture"},
        "id": "key",
        "attributes": {"height_m": {"column": "h", "unit": "cm"}, "remark": "note"},
    }
    records = read(path, mapping)
    found = objects(records)
    tree, furniture = found["test:x"], found["test:y"]
    assert (tree[0], furniture[0]) == ("SolitaryVegetationObject", "CityFurniture")
    assert tree[2]["height_m"] == {"v": 10.0, "u": "m"}
    assert tree[2]["crown_diameter_m"]["q"] == "modelled"
    assert tree[2]["remark"] == {"v": "n"}
    # What is no length stays as the source said it, and is counted.
    assert furniture[2]["h"] == {"v": -9999.0}
    assert [(one.rule, one.measured) for one in of(records, Finding)] == [("attribute-unusable-height_m", 1.0)]


def test_each_layer_has_its_own_mapping(tmp_path):
    path = tmp_path / "city.gpkg"
    write_layer(path, squares(2), {"floors": [1, 2]}, layer="Gebäude")
    write_layer(path, [shapely.LineString([MIDDLE, (24.95, 60.18)])], {"name": ["a"]}, layer="roads", append=True)
    write_layer(path, [shapely.Point(MIDDLE)], {"art": ["oak"]}, layer="Bäume", append=True)
    write_layer(path, squares(1), {"x": [1]}, layer="drafts", append=True)
    records = read(path, {"layers": {"dra*": {"type": "skip"}}}, options={"preview": True})
    assert Counter(type_ for type_, _, _ in objects(records).values()) == {
        "Building": 2, "Road": 1, "SolitaryVegetationObject": 1,
    }  # fmt: skip
    assert "test:Gebäude/1" in objects(records)
    assert [note.layer for note in of(records, LayerNote)] == ["Gebäude", "roads", "Bäume"]


def test_a_layer_without_crs_is_refused_alone(tmp_path):
    path = tmp_path / "city.gpkg"
    write_layer(path, squares(2), layer="buildings")
    write_layer(path, squares(2), layer="lost", append=True, crs=None)
    records = read(path)
    (fault,) = of(records, Quarantined)
    assert (fault.feature, fault.code) == ("lost", "crs-missing")
    assert "--crs" in fault.reason
    assert len(objects(records)) == 2
    # --crs fills in what is missing, and leaves alone what is said.
    assert len(objects(read(path, source_crs="EPSG:4326"))) == 4


def test_a_file_whose_only_layer_has_no_crs_is_refused(tmp_path):
    path = write_layer(tmp_path / "lost.shp", squares(2), crs=None)
    error = refused(path)
    assert error.problem_code == "crs-missing"
    assert "--crs" in error.hint
    assert len(objects(read(path, source_crs="EPSG:4326"))) == 2


def test_an_undefined_crs_is_a_missing_one(tmp_path):
    path = write_layer(tmp_path / "lost.gpkg", squares(2))
    with sqlite3.connect(path) as database:
        for table in ("gpkg_contents", "gpkg_geometry_columns"):
            database.execute(f"UPDATE {table} SET srs_id = -1")
    assert refused(path).problem_code == "crs-missing"


def ring(*points):
    return [[MIDDLE[0] + x / 1e4, MIDDLE[1] + y / 1e4] for x, y in points]


BOW = ring((0, 0), (4, 4), (4, 0), (0, 4), (0, 0))


def test_what_can_be_mended_is_marked_and_counted(tmp_path):
    faulty = [
        (polygon(ring((0, 0), (4, 0), (4, 4), (0, 4))), {"id": "open"}),
        (polygon(BOW), {"id": "bow"}),
        (polygon(ring((9, 0), (12, 0), (12, 4), (9, 0))), {"id": "sound"}),
    ]
    path = write_geojson(tmp_path / "buildings.geojson", faulty)
    records = read(path)
    found = objects(records)
    marks = {name: members.get("geometry_repaired", {}).get("v") for name, (_, _, members) in found.items()}
    assert marks == {"test:open": "ring-not-closed", "test:bow": "self-intersection", "test:sound": None}
    assert all(place.is_valid for _, place, _ in found.values())
    assert {one.rule: one.measured for one in of(records, Finding)} == {
        "geometry-repaired-ring-not-closed": 1.0, "geometry-repaired-self-intersection": 1.0,
    }  # fmt: skip
    strict = read(path, options={"invalid": "quarantine"})
    assert list(objects(strict)) == ["test:sound"]
    assert {fault.feature: fault.code for fault in of(strict, Quarantined)} == {
        "buildings: open": "ring-not-closed", "buildings: bow": "self-intersection",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("geometry", "code"),
    [
        (None, "geometry-missing"),
        (polygon(), "geometry-empty"),
        (polygon([*ring((0, 0), (4, 0), (4, 4)), [3000.0, 60.0]]), "coordinate-absurd"),
        (polygon([[2.3, 48.8], [2.4, 48.8], [2.4, 48.9], [2.3, 48.8]]), "outside-crs-area"),
        ({"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": MIDDLE}]}, "geometry-kind"),
        ({"type": "Point", "coordinates": MIDDLE}, "building-no-footprint"),
    ],
)
def test_what_is_wrong_with_one_feature_keeps_it_out(tmp_path, geometry, code):
    sound = polygon(ring((9, 0), (12, 0), (12, 4), (9, 0)))
    path = write_geojson(tmp_path / "buildings.geojson", [(geometry, {"id": "wrong"}), (sound, {"id": "sound"})])
    records = read(path, {"type": "Building", "id": "id"}, working_crs="EPSG:3067" if code[0] == "o" else None)
    (fault,) = of(records, Quarantined)
    assert (fault.feature, fault.code) == ("buildings: wrong", code)
    assert list(objects(records)) == ["test:sound"]


def test_swapped_axes_are_refused_and_can_be_declared(tmp_path):
    turned = [shapely.transform(shape, lambda xy: xy[:, ::-1]) for shape in squares(5, at=(139.7, 35.6))]
    path = write_layer(tmp_path / "buildings.geojson", turned)
    error = refused(path)
    assert error.problem_code == "axes-swapped"
    assert "swap_axes" in error.hint
    found = objects(read(path, {"swap_axes": True}))
    assert len(found) == 5
    expected = transformer("OGC:CRS84", "EPSG:32654").transform(139.7, 35.6)
    assert next(iter(found.values()))[1].distance(shapely.Point(expected)) < 1e-6


def test_ids_do_not_depend_on_the_order(tmp_path):
    shapes = squares(4)
    first = set(objects(read(write_layer(tmp_path / "a.fgb", shapes, {"x": [1, 1, 1, 1]}))))
    again = set(objects(read(write_layer(tmp_path / "b.fgb", shapes[::-1], {"x": [1, 1, 1, 1]}))))
    assert len(first) == 4
    assert first == again


@pytest.mark.parametrize("ending", [".gpkg", ".shp", ".fgb", ".geojson", ".parquet"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_a_truncated_file_is_refused(tmp_path, ending, share):
    path = write_layer(tmp_path / f"buildings{ending}", squares(300), {"name": [f"n{i}" for i in range(300)]})
    data = path.read_bytes()
    path = path.rename(path.with_suffix(".geoparquet")) if ending == ".parquet" else path
    path.write_bytes(data[: int(len(data) * share)])
    assert refused(path).problem_code == "file-damaged"


def test_the_crs_of_a_parquet_table(tmp_path):
    unknown = write_layer(tmp_path / "a.parquet", squares(2), crs=None)
    assert refused(unknown).problem_code == "crs-missing"
    projected = [shapely.box(385000 + 9 * i, 6672000, 385008 + 9 * i, 6672008) for i in range(3)]
    records = read(write_layer(tmp_path / "b.parquet", projected, crs="EPSG:3067"))
    assert of(records, SourceHeader)[0].working_crs == "EPSG:3067"
    assert next(place.bounds[:2] for _, place, _ in objects(records).values()) == (385000.0, 6672000.0)


def test_a_shapefile_without_its_siblings(tmp_path):
    path = write_layer(tmp_path / "a.shp", squares(2))
    path.with_suffix(".shx").unlink()
    assert refused(path).problem_code == "sibling-missing"


def test_texts_in_another_encoding(tmp_path):
    path = write_layer(tmp_path / "a.shp", squares(2), {"name": ["建筑", "b"]}, encoding="GBK")
    assert objects(read(path)).popitem()[0]
    path.with_suffix(".cpg").unlink()
    found = objects(read(path, {"encoding": "GBK", "type": "Building"}))
    assert [members["name"]["v"] for _, _, members in found.values()] == ["建筑", "b"]


def test_a_mapping_that_names_no_column(tmp_path):
    path = write_layer(tmp_path / "a.fgb", squares(2), {"floors": [1, 2]})
    error = refused(path, {"attributes": {"height_m": "hoehe"}})
    assert error.problem_code == "mapping-column"
    assert "floors" in error.hint


@pytest.mark.reference
def test_bubenec(reference):
    records = read(reference / "bubenec" / "bubenec.gpkg")
    assert of(records, SourceHeader)[0].working_crs == "EPSG:32633"
    assert Counter(type_ for type_, _, _ in objects(records).values()) == {
        "Building": 144, "LandUse": 144, "+Parcel": 407, "Road": 35,
    }  # fmt: skip
    (fault,) = of(records, Quarantined)
    assert (fault.feature, fault.code) == ("dtm", "crs-missing")


@pytest.mark.reference
def test_the_footprints_of_boston(reference):
    path = reference / "boston" / "footprints_2003" / "boston_footprints_merged.geojson.gz"
    records = read(path)
    repaired = {one.rule: one.measured for one in of(records, Finding)}
    assert repaired["geometry-repaired-ring-not-closed"] > 22_000
    assert Counter(fault.code for fault in of(records, Quarantined)) == {"coordinate-absurd": 47, "geometry-empty": 2}
