"""CityJSON as cjio counts it, and what only a hand-made file can show."""

import json
from collections import Counter

import numpy as np
import orjson
import pytest
import shapely

from cim.city.model import Quarantined, check_object
from cim.findings import Quality
from ingest.readers.registry import reader_for
from ingest.records import ReadContext, SourceHeader
from tests.support.city_records import objects_of
from tests.support.cjio_oracle import cjio_cityjson
from tests.support.made_cityjson import write_document, write_stream


def read(path, **context):
    return list(reader_for(path).read(path, ReadContext("test", **context)))


@pytest.mark.reference
def test_rotterdam_is_as_cjio_has_it(reference):
    path = reference / "rotterdam" / "3-20-DELFSHAVEN.city.json"
    records = read(path)
    with path.open() as file:
        oracle = cjio_cityjson().reader(file)
    oracle.decompress()
    vertices = np.array(oracle.j["vertices"])
    got = objects_of(records)
    assert records[0].working_crs == "EPSG:28992"
    assert records[0].ground == "interpolated"
    assert not [record for record in records if isinstance(record, Quarantined)]
    assert len(got) == len(oracle.j["CityObjects"]) == 853
    for name, body in oracle.j["CityObjects"].items():
        one = got[f"test:{name}"]
        check_object(one)
        (shape,), (geometry,) = body["geometry"], one.geometries
        rings = [ring for surface in shape["boundaries"] for ring in surface]
        # A ring that repeats its first vertex is opened, unless only a sliver would remain.
        opened = [r[:-1] if len(r) > 3 and (vertices[r[0]] == vertices[r[-1]]).all() else r for r in rings]
        np.testing.assert_allclose(geometry.coordinates, vertices[np.concatenate(opened)], atol=1e-9)
        values = shape["semantics"]["values"]
        assert geometry.semantics.values.tolist() == values
        ground = [s for s, v in zip(shape["boundaries"], values, strict=True) if v == 1]
        area = shapely.union_all(
            [
                shapely.make_valid(shapely.Polygon(vertices[s[0]][:, :2], [vertices[r][:, :2] for r in s[1:]]))
                for s in ground
            ]
        ).area
        assert one.place.area == pytest.approx(area, rel=1e-6)
        assert one.attributes["ground_m"].value == body["attributes"]["TerrainHeight"]
        assert one.attributes["height_m"].quality is Quality.MODELLED


def test_a_document_and_a_stream_of_the_same_city_are_the_same(tmp_path):
    write_document(tmp_path / "a.city.json", 700)
    write_stream(tmp_path / "a.city.jsonl", 700)
    one, other = (objects_of(read(tmp_path / name)) for name in ("a.city.json", "a.city.jsonl"))
    assert list(one) == list(other)
    for name, left in one.items():
        right = other[name]
        assert left.attributes == right.attributes
        np.testing.assert_array_equal(left.geometries[0].coordinates, right.geometries[0].coordinates)
        assert left.place.equals(right.place)
    first = one["test:b0"]
    assert first.place.area == pytest.approx(12 * 9 + 4 * 8 + 6 * 3 - 0, abs=40)
    assert first.attributes["year_of_construction"].value == 1900
    assert first.attributes["yearOfConstruction"].value == 1900


def test_gzip_is_read_too(tmp_path):
    import gzip

    write_document(tmp_path / "a.city.json", 3)
    packed = tmp_path / "a.city.json.gz"
    packed.write_bytes(gzip.compress((tmp_path / "a.city.json").read_bytes()))
    assert list(objects_of(read(packed))) == ["test:b0", "test:b1", "test:b2"]


CUBE = [[0, 0, 0], [10, 0, 0], [10, 10, 0], [0, 10, 0], [0, 0, 5], [10, 0, 5], [10, 10, 5], [0, 10, 5]]
SHELL = [[[0, 3, 2, 1]], [[4, 5, 6, 7]], [[0, 1, 5, 4]], [[1, 2, 6, 5]], [[2, 3, 7, 6]], [[3, 0, 4, 7]]]


def document(objects, *, version="2.0", crs="urn:ogc:def:crs:EPSG::28992", vertices=CUBE, **more):
    out = {"type": "CityJSON", "version": version, "CityObjects": objects, "vertices": vertices, **more}
    if version != "1.0":
        out.setdefault("transform", {"scale": [1, 1, 1], "translate": [90000, 435000, 2]})
    if crs:
        out["metadata"] = {"referenceSystem": crs}
    return out


def solid(**more):
    return {"type": "Building", "geometry": [{"type": "Solid", "lod": "1", "boundaries": [SHELL]}], **more}


def put(tmp_path, content, name="made.city.json"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))
    return path


@pytest.mark.parametrize("version", ["1.0", "1.0.1", "1.1", "2.0", "2.0.1"])
def test_every_version(tmp_path, version):
    vertices = [[x + 90000, y + 435000, z + 2.0] for x, y, z in CUBE] if version == "1.0" else CUBE
    content = document({"a": solid()}, version=version, vertices=vertices)
    content["CityObjects"]["a"]["geometry"][0]["lod"] = 1 if version.startswith("1.0") else "1"
    if version == "1.0.1":
        content["transform"] = {"scale": [1, 1, 1], "translate": [90000, 435000, 2]}
    (one,) = objects_of(read(put(tmp_path, content))).values()
    assert one.geometries[0].lod == "1"
    assert one.geometries[0].bounds() == (90000, 435000, 2, 90010, 435010, 7)
    # No semantics: the footprint is the face that looks down.
    assert one.place.area == pytest.approx(100)
    assert (one.attributes["ground_m"].value, one.attributes["height_m"].value) == (2, 5)


def test_no_crs_is_refused_with_the_fix_and_stated_it_is_read(tmp_path):
    path = put(tmp_path, document({"a": solid()}, crs=None))
    from cim.errors import InvalidInput

    with pytest.raises(InvalidInput) as caught:
        read(path)
    assert (caught.value.problem_code, "--crs" in caught.value.hint) == ("crs-missing", True)
    assert read(path, source_crs="EPSG:7415")[0].vertical_datum == "NAP height"


def test_templates_are_placed_by_their_matrix(tmp_path):
    templates = {
        "templates": [{"type": "MultiSurface", "lod": "2", "boundaries": [[[0, 1, 2]]]}],
        "vertices-templates": [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
    }
    matrix = [0, -2, 0, 0, 2, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 1]
    instance = {"type": "GeometryInstance", "template": 0, "boundaries": [1], "transformationMatrix": matrix}
    tree = {"type": "SolitaryVegetationObject", "geometry": [instance]}
    both = document({"t": tree, "a": solid(), "u": tree}, **{"geometry-templates": templates})
    got = objects_of(read(put(tmp_path, both)))
    want = [[90010, 435000, 3], [90010, 435002, 3], [90008, 435000, 3]]
    for name in ("t", "u"):
        np.testing.assert_allclose(got[f"test:{name}"].geometries[0].coordinates, want)
    assert got["test:a"].geometries[0].bounds()[5] == 7


@pytest.mark.parametrize("order", [["p", "c1", "c2"], ["c1", "p", "c2"], ["c1", "c2", "p"]])
def test_a_parent_without_geometry_stands_where_its_parts_stand(tmp_path, order):
    members = {
        "p": {"type": "Building", "children": ["c1", "c2"], "attributes": {"oorspronkelijkbouwjaar": 1932}},
        "c1": solid(parents=["p"]) | {"type": "BuildingPart"},
        "c2": solid(parents=["p"]) | {"type": "BuildingPart"},
    }
    got = objects_of(read(put(tmp_path, document({name: members[name] for name in order}))))
    parent = got["test:p"]
    assert parent.place.area == pytest.approx(100)
    assert parent.attributes["height_m"].value == 5
    assert parent.attributes["year_of_construction"].value == 1932
    assert {got[f"test:c{n}"].parent_id for n in (1, 2)} == {"test:p"}


def test_many_levels_of_detail_and_the_footprint_of_level_0(tmp_path):
    flat = {"type": "MultiSurface", "lod": "0", "boundaries": [[[0, 1, 2]]]}
    one = solid()
    one["geometry"].insert(0, flat)
    (got,) = objects_of(read(put(tmp_path, document({"a": one})))).values()
    assert [geometry.lod for geometry in got.geometries] == ["0", "1"]
    assert got.place.area == pytest.approx(50)


def faults(records):
    return {record.feature: record.code for record in records if isinstance(record, Quarantined)}


def bad_geometry(boundaries, kind="MultiSurface", **more):
    return {"type": "Building", "geometry": [{"type": kind, "lod": "2", "boundaries": boundaries, **more}]}


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (bad_geometry([[[0, 1, 99]]]), "vertex-missing"),
        (bad_geometry([[[0, 1, -1]]]), "vertex-missing"),
        (bad_geometry([[[0, 1]]]), "ring-too-short"),
        (bad_geometry([[[]]]), "geometry-empty"),
        (bad_geometry([[[0, 1, 2]], [[]]]), "ring-too-short"),
        (bad_geometry([[]]), "geometry-structure"),
        (bad_geometry([]), "geometry-structure"),
        (bad_geometry([[[0, 1, 1.5]]]), "geometry-structure"),
        (bad_geometry([[[0, 1, "2"]]]), "geometry-structure"),
        (bad_geometry([[0, 1, 2]]), "structure"),
        (bad_geometry(None), "structure"),
        (bad_geometry([[[0, 1, 2]]], kind="Sphere"), "geometry-structure"),
        (bad_geometry([[[0, 1, 8]]]), "coordinate-absurd"),
        (bad_geometry([[[0, 1, 9]]]), "coordinate-absurd"),
        (bad_geometry([[[0, 1, 10]]]), "height-absurd"),
        (bad_geometry([[[0, 1, 2]]], semantics={"surfaces": [], "values": [0]}), "geometry-structure"),
        (bad_geometry([[[0, 1, 2]]], semantics={"surfaces": [{"type": "X"}], "values": [0, 0]}), "geometry-structure"),
        ({"type": "Building", "geometry": [{"type": "GeometryInstance", "template": 3}]}, "structure"),
        ({"type": "Building", "attributes": [1]}, "attributes-damaged"),
        ({"type": 7}, "structure"),
        ({"type": "building"}, "structure"),
        ({}, "structure"),
        ([], "structure"),
        (None, "structure"),
    ],
)
def test_what_is_wrong_with_one_object_keeps_out_that_one_only(tmp_path, bad, code):
    members = {f"good{number}": solid() for number in range(20)}
    members = {**dict(list(members.items())[:11]), "bad": bad, **dict(list(members.items())[11:])}
    vertices = [*CUBE, [1e12, 0, 0], [None, 0, 0], [0, 0, 1e6]]
    records = read(put(tmp_path, document(members, vertices=vertices)))
    assert faults(records) == {"bad": code}
    assert len(objects_of(records)) == 20


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"null", b'"x"'])
def test_a_vertex_that_is_no_number_keeps_out_who_uses_it(tmp_path, number):
    members = {"good": solid(), "bad": bad_geometry([[[0, 1, 8]]])}
    text = orjson.dumps(document(members, vertices=[*CUBE, [123456, 0, 0]])).replace(b"123456", number)
    records = read(put(tmp_path, text))
    assert faults(records) == {"bad": "coordinate-absurd"}
    assert list(objects_of(records)) == ["test:good"]


@pytest.mark.parametrize("poison", [b"NaN", b"1e999", b'"\\ud800"', DEEP])
def test_json_that_is_none_inside_an_object_keeps_out_that_object(tmp_path, poison):
    members = {"good": solid(), "bad": solid(attributes={"x": 123456})}
    text = orjson.dumps(document(members)).replace(b"123456", poison)
    records = read(put(tmp_path, text))
    assert faults(records) == {"bad": "json-damaged"}
    assert list(objects_of(records)) == ["test:good"]


def test_an_id_twice_and_attributes_nested_too_deep(tmp_path):
    deep = value = {}
    for _ in range(70):
        value["x"] = {}
        value = value["x"]
    text = orjson.dumps(document({"a": solid(), "bb": solid(), "deep": solid(attributes={"y": deep})}))
    records = read(put(tmp_path, text.replace(b'"bb"', b'"a"')))
    assert faults(records) == {"a": "id-twice", "deep": "nesting-max"}
    assert list(objects_of(records)) == ["test:a"]


@pytest.mark.parametrize(
    "pair", [b'"attributes":{},"attributes":{"x":1}', b'"attributes":{"x":1,"y":"a \\": b","x": 2}']
)
def test_a_member_twice_in_one_object_keeps_that_object_out(tmp_path, pair):
    text = orjson.dumps(document({"a": solid(), "b": solid(attributes={"z": 1})}))
    records = read(put(tmp_path, text.replace(b'"attributes":{"z":1}', pair)))
    assert faults(records) == {"b": "member-twice"}
    assert list(objects_of(records)) == ["test:a"]


def test_an_id_or_a_member_twice_in_one_feature_of_a_stream(tmp_path):
    path = tmp_path / "a.city.jsonl"
    write_stream(path, 4)
    lines = path.read_bytes().splitlines(keepends=True)
    body = orjson.dumps(orjson.loads(lines[2])["CityObjects"]["b1"])
    lines[2] = lines[2].replace(b'"CityObjects":{', b'"CityObjects":{"b1": ' + body + b",")
    lines[3] = lines[3].replace(b'"storeysAboveGround":', b'"status": "","storeysAboveGround":')
    lines[4] = lines[4].replace(b'"type":"Building"', b'"type" : "Building"')
    path.write_bytes(b"".join(lines))
    records = read(path)
    assert faults(records) == {"b1": "id-twice", "line 4": "member-twice"}
    assert list(objects_of(records)) == ["test:b0", "test:b3"]


def test_a_bad_line_of_a_stream_keeps_out_that_line(tmp_path):
    path = tmp_path / "a.city.jsonl"
    write_stream(path, 5)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"vertices":[[', b'"vertices":[[NaN,')
    lines[3] = DEEP + b"\n"
    lines[4] = b'{"type":"Feature"}\n'
    path.write_bytes(b"".join(lines))
    records = read(path)
    assert faults(records) == {"line 3": "json-damaged", "line 4": "json-damaged", "line 5": "structure"}
    assert list(objects_of(records)) == ["test:b0", "test:b4"]


def test_the_header_is_the_first_record_and_progress_ends_at_the_total(tmp_path):
    write_document(tmp_path / "a.city.json", 600)
    records = read(tmp_path / "a.city.json")
    assert isinstance(records[0], SourceHeader)
    assert Counter(type(record).__name__ for record in records)["SourceHeader"] == 1
    assert records[-1].done == records[-1].total


def test_memory_does_not_grow_with_a_stream(tmp_path):
    import tracemalloc

    peaks = []
    for buildings in (2_000, 8_000):
        path = tmp_path / f"{buildings}.city.jsonl"
        write_stream(path, buildings)
        tracemalloc.start()
        for _ in reader_for(path).read(path, ReadContext("test")):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.3


def test_numbers_are_written_in_full_beside_the_oracle():
    cjio_cityjson()
    assert json.dumps([60.17022147257373]) == "[60.17022147257373]"
