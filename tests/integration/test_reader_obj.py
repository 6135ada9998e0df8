"""Collections of models: archives, folders, catalogues, offsets in feet, and what can be wrong with them."""

import json
import random
import zipfile

import numpy as np
import pyproj
import pytest

from cim.city.model import Quarantined, check_object
from cim.errors import CimError, InvalidInput, NotFound
from cim.findings import Finding, Quality
from ingest.readers import obj_source
from ingest.readers.registry import reader_for
from ingest.records import ReadContext, SourceHeader
from tests.support.city_records import objects_of
from tests.unit.ingest.test_reader_obj_body import BOX

FOOT_M = 1200 / 3937
OFFSET = (700_000.0, 2_900_000.0)


def mapping(**more):
    said = {
        "catalogue": "list.csv",
        "offset": list(OFFSET),
        "crs": "EPSG:2249",
        "vertical_datum": "NAVD88",
        "id": "id",
        "type": {"column": "kind", "values": {"B": "Building", "W": "OtherConstruction"}, "default": "Building"},
        "status": {"column": "status", "leaving": ["to go"], "proposed": ["to come"], "gone": ["was"]},
        "lod": "lod",
        "attributes": {
            "name": "name",
            "year_of_construction": "built",
            "height_m": {"column": "height", "unit": "ftUS"},
        },
    }
    return {"licence": "CC0-1.0", "attribution": "the surveyor", "collection": {**said, **more}}


ROWS = """id,kind,status,lod,name,built,height,lon,lat
a,B,now,1,Town hall,19650101,13.1,,
b,B,to go,0,,1907,-5,,
c,W,now,1.5,,,,,
d,B,to come,3,Tower,,100,,
e,B,was,1,,,,,
f,B,now,x,,3100,4,,
lost,B,now,1,,,,,
a,B,now,1,again,,,,
"""


def box_at(x, y):
    lines = []
    for line in BOX.decode().replace("\\\n", " ").splitlines():
        words = line.split()
        moved = f"v {float(words[1]) + x} {float(words[2]) + y} {float(words[3]) + 8.5}" if line[:2] == "v " else line
        lines.append(moved)
    return "\n".join(lines).encode()


def collection(tmp_path, rows=ROWS, models="abcdef", name="models.zip"):
    path = tmp_path / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, key in enumerate(models):
            archive.writestr(f"inside/{key}.obj", box_at(50_000 + 100 * number, 40_000))
        archive.writestr("inside/a_info.json", "{}")
    if rows is not None:
        (tmp_path / "list.csv").write_text(rows, "utf-8-sig")
    return path


def read(path, declared=None, **context):
    options = {} if declared is None else {"mapping": json.dumps(declared)}
    return list(reader_for(path).read(path, ReadContext("test", options=options, **context)))


def test_a_collection_with_its_catalogue(tmp_path):
    records = read(collection(tmp_path), mapping(), working_crs="EPSG:26986")
    header = records[0]
    assert isinstance(header, SourceHeader)
    assert (header.licence, header.attribution) == ("CC0-1.0", "the surveyor")
    assert (header.working_crs, header.vertical_datum, header.ground) == ("EPSG:26986", "NAVD88", "interpolated")
    found = objects_of(records)
    for one in found.values():
        check_object(one)
    assert {key: one.type for key, one in found.items()} == {
        "test:a": "Building", "test:b": "Building", "test:c": "OtherConstruction", "test:d": "+Proposal",
        "test:f": "Building",
    }  # fmt: skip
    assert [one.geometries[0].lod for one in found.values()] == ["1", "1", "1.5", "3", "1"]
    a = found["test:a"].attributes
    assert a["year_of_construction"].value == 1965
    assert a["height_m"].value == pytest.approx(13.1 * FOOT_M, abs=1e-4)
    assert a["height_m"].quality is Quality.RECORDED
    b = found["test:b"].attributes
    assert b["height_m"].value == pytest.approx(4 * FOOT_M, abs=1e-4)  # the catalogue's cannot be: the model's own
    assert b["height_m"].quality is Quality.MODELLED
    assert b["surface_semantics"].quality is Quality.MODELLED
    assert b["year_of_construction"].value == 1907
    put_aside = {(one.feature, one.code) for one in records if isinstance(one, Quarantined)}
    assert put_aside == {
        ("e", "catalogue-gone"),
        ("a", "catalogue-twice"),
        ("lost", "catalogue-no-model"),
    }
    odd = {one.rule: one.measured for one in records if isinstance(one, Finding)}
    assert odd == {"catalogue-value-height_m": 1.0, "catalogue-value-year_of_construction": 1.0}


def test_models_stand_where_their_offset_says_in_feet(tmp_path):
    one = objects_of(read(collection(tmp_path), mapping(), working_crs="EPSG:26986"))["test:b"]
    x, y = pyproj.Transformer.from_crs(2249, 26986, always_xy=True).transform(OFFSET[0] + 50_100, OFFSET[1] + 40_000)
    low = np.array([x, y, 8.5 * FOOT_M])
    np.testing.assert_allclose(one.geometries[0].bounds()[:3], low, atol=1e-6)
    np.testing.assert_allclose(np.array(one.geometries[0].bounds()[3:]) - low, np.array([2, 3, 4]) * FOOT_M, atol=1e-3)
    assert one.place.area == pytest.approx(6 * FOOT_M**2, rel=1e-4)


def test_a_folder_and_one_file_and_a_catalogue_inside(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "b.obj").write_bytes(box_at(0, 0))
    (folder / "a.OBJ").write_bytes(box_at(10, 0))
    (folder / "list.csv").write_text(ROWS)
    from ingest.readers.obj import ObjReader

    context = ReadContext("t", options={"mapping": json.dumps(mapping())})
    assert list(objects_of(ObjReader().read(folder, context))) == ["t:a", "t:b"]
    packed = tmp_path / "all.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(folder / "b.obj", "b.obj")
        archive.write(folder / "list.csv", "list.csv")
    assert list(objects_of(read(packed, mapping()))) == ["test:b"]
    records = read(folder / "b.obj", source_crs="EPSG:25832")
    assert records[0].working_crs == "EPSG:25832"
    assert objects_of(records)["test:b"].attributes["height_m"].value == 4.0


def test_a_drawing_program_turns_y_up(tmp_path):
    path = tmp_path / "a.obj"
    path.write_bytes(BOX)
    one = objects_of(read(path, {"collection": {"up": "y", "crs": "EPSG:25832", "offset": [500_000, 5_800_000]}}))[
        "test:a"
    ]
    assert one.geometries[0].bounds() == (500_000.0, 5_799_996.0, 0.0, 500_002.0, 5_800_000.0, 3.0)
    assert one.geometries[0].kind == "Solid"


def test_bad_models_are_put_aside_and_the_rest_goes_in(tmp_path):
    path = collection(tmp_path, ROWS + "g,B,now,1,,,,,\nh,B,now,1,,,,,\n")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("g.obj", b"v 0 0 nan\nv 1 0 0\nv 1 1 0\nf 1 2 3\n")
        archive.writestr("h.obj", b"not a model")
        archive.writestr("../../../i.obj", box_at(0, 0))
        archive.writestr("j.obj", b"v 1 1 1\n" + b" " * 20_000_000)
    records = read(path, mapping())
    put_aside = {one.feature: one.code for one in records if isinstance(one, Quarantined)}
    assert put_aside["g"] == "obj-not-finite"
    assert put_aside["h"] == "obj-empty"
    assert put_aside["i"] == "catalogue-no-row"
    assert put_aside["j"] == "inflation-ratio-max"
    assert len(objects_of(records)) == 5
    assert not (tmp_path.parent / "i.obj").exists()


def test_models_that_are_far_from_their_catalogued_places_are_refused_with_the_way(tmp_path):
    keys = [f"m{number:02}" for number in range(30)]
    lon, lat = pyproj.Transformer.from_crs(2249, 4326, always_xy=True).transform(OFFSET[0] + 51_500, OFFSET[1] + 40_000)
    rows = "id,kind,status,lod,name,built,height,lon,lat\n" + "".join(f"{k},B,now,1,,,,{lon},{lat}\n" for k in keys)
    path = collection(tmp_path, rows, keys)
    astray = mapping(position=["lon", "lat"])
    good = [one for one in read(path, astray) if isinstance(one, Finding)]
    assert good[0].rule == "models-where-catalogued"
    assert good[0].params["models"] == 30
    del astray["collection"]["offset"]
    with pytest.raises(InvalidInput) as caught:
        read(path, astray)
    assert caught.value.problem_code == "collection-astray"
    assert caught.value.params["east_m"] > 100_000


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"crs": None}, "crs-missing"),
        ({"crs": "EPSG:999999"}, "unknown-crs"),
        ({"catalogue": "../list.csv"}, "catalogue-name"),
        ({"catalogue": "/etc/passwd"}, "catalogue-name"),
        ({"catalogue": "no.csv"}, "catalogue-missing"),
        ({"offset": [1]}, "mapping"),
        ({"offset": ["a", "b"]}, "mapping"),
        ({"offset": [1e400, 0]}, "mapping"),
        ({"up": "sideways"}, "mapping"),
        ({"id": None}, "mapping"),
        ({"id": "nobody"}, "catalogue-column"),
        ({"attributes": {"name": "nobody"}}, "catalogue-column"),
        ({"attributes": {"height_m": {"column": "height", "unit": "furlong"}}}, "mapping-unit"),
        ({"attributes": {"height_m": 3}}, "mapping"),
        ({"status": "status"}, "mapping"),
        ({"position": "lon"}, "mapping"),
    ],
)
def test_what_is_wrong_with_the_whole_is_refused(tmp_path, change, code):
    path = collection(tmp_path)
    with pytest.raises((InvalidInput, NotFound)) as caught:
        read(path, mapping(**change))
    assert caught.value.problem_code == code
    assert caught.value.hint


def test_a_catalogue_that_is_none(tmp_path):
    path = collection(tmp_path)
    for content in (b"\xff\xfe\x00i\x00d", b'id,kind,status,lod,name,built,height\n"a,B', b"", b"\x00" * 100):
        (tmp_path / "list.csv").write_bytes(content)
        with pytest.raises(InvalidInput) as caught:
            read(path, mapping())
        assert caught.value.problem_code in {"catalogue-damaged", "catalogue-column"}


def test_limits(tmp_path, monkeypatch):
    path = collection(tmp_path)
    monkeypatch.setattr(obj_source, "MODEL_BYTES_MAX", 100)
    with pytest.raises(InvalidInput):  # every model is too large
        read(path, mapping())
    monkeypatch.setattr(obj_source, "MODELS_MAX", 3)
    with pytest.raises(CimError) as caught:
        read(path, mapping())
    assert caught.value.params["limit"] == "MODELS_MAX"


def test_damaged_archives_are_refused_or_lose_a_model(tmp_path):
    whole = collection(tmp_path).read_bytes()
    chance = random.Random(11)
    path = tmp_path / "broken.zip"
    for number in range(120):
        bad = bytearray(whole)
        if number % 2:
            bad = bad[: chance.randrange(30, len(bad))]
        else:
            for _ in range(8):
                bad[chance.randrange(4, len(bad))] = chance.randrange(256)
        path.write_bytes(bad)
        try:
            found, hint = objects_of(read(path, mapping())), "none needed"
        except CimError as error:
            found, hint = {}, error.hint
        assert len(found) <= 6
        assert hint
