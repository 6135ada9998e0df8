"""Whole-file faults: each is one clear error, and says what the file is or what to do."""

import gzip
import random

import orjson
import pytest

from cim.errors import CimError, InvalidInput, LimitExceeded, NotFound, UnsupportedFormat
from ingest.readers import limits, registry
from ingest.readers.registry import looks_like, reader_for
from ingest.records import ReadContext
from tests.integration.test_reader_osm import HELSINKI
from tests.support.made_cityjson import write_document, write_stream


def read(path, **context):
    return list(reader_for(path).read(path, ReadContext("test", **context)))


def refused(path, **context):
    with pytest.raises(CimError) as caught:
        read(path, **context)
    error = caught.value
    assert error.message
    assert error.hint
    assert "Traceback" not in error.message
    return error


@pytest.mark.parametrize("share", [0.0001, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_extract(tmp_path, share):
    whole = HELSINKI.read_bytes()
    path = tmp_path / "cut.osm.pbf"
    path.write_bytes(whole[: max(20, int(len(whole) * share))])
    assert refused(path).problem_code == "file-damaged"


def test_a_damaged_extract(tmp_path):
    chance = random.Random(7)
    for number in range(20):
        damaged = bytearray(HELSINKI.read_bytes())
        for _ in range(50):
            damaged[chance.randrange(100, len(damaged))] = chance.randrange(256)
        path = tmp_path / f"{number}.osm.pbf"
        path.write_bytes(damaged)
        assert isinstance(refused(path), InvalidInput)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.9999])
@pytest.mark.parametrize("write", [write_document, write_stream])
def test_truncated_cityjson(tmp_path, write, share):
    whole = tmp_path / "whole.city.json"
    write(whole, 50)
    path = tmp_path / ("cut.city.jsonl" if write is write_stream else "cut.city.json")
    data = whole.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert refused(path).problem_code == "file-damaged"


def test_an_empty_file_and_none(tmp_path):
    path = tmp_path / "a.city.json"
    path.touch()
    assert refused(path).problem_code == "file-empty"
    assert isinstance(refused(tmp_path / "nothing.json"), NotFound)
    with_nothing_good = refused(tmp_path)
    assert isinstance(with_nothing_good, UnsupportedFormat)
    assert "a.city.json is empty" in with_nothing_good.message


@pytest.mark.parametrize(
    ("name", "content", "looks"),
    [
        ("a.city.json", b"%PDF-1.7", "PDF"),
        ("a.osm.pbf", b"BZh91AY", "bzip2"),
        ("a.osm.pbf", b"\x89PNG\r\n", "PNG"),
        ("a.city.json", b'{"a":1}', "JSON"),
        ("a.inp", b"<!DOCTYPE html><html>", "web page"),
        ("a.city.json", b'<?xml version="1.0"?><CityModel xmlns:gml="x">', "CityGML"),
        ("a.csv", b"a,b\n1,2\n", "plain text"),
        ("a.osm.pbf", b"\x00\x01\x02\x03" * 100, "binary"),
    ],
)
def test_a_file_that_is_not_what_its_name_says(tmp_path, name, content, looks):
    path = tmp_path / name
    path.write_bytes(content)
    error = refused(path)
    assert isinstance(error, UnsupportedFormat)
    assert looks in error.message
    assert looks_like(content) in error.message


@pytest.mark.parametrize(("name", "content"), [("a.osm.pbf", b"PK\x03\x04...."), ("a.gpkg", b"SQLite format 3\x00")])
def test_a_known_format_that_ends_after_its_first_bytes(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert refused(path).problem_code == "file-damaged"


def test_the_bytes_decide_and_not_the_name(tmp_path):
    path = tmp_path / "city.txt"
    write_document(path, 2)
    assert reader_for(path).name == "cityjson"
    write_stream(path, 2)
    assert reader_for(path).name == "cityjsonseq"
    path.write_bytes(HELSINKI.read_bytes())
    assert reader_for(path).name == "osm"


@pytest.mark.parametrize("version", ["0.9", "3.0", "", None, 2.0])
def test_a_version_that_is_not_known(tmp_path, version):
    path = tmp_path / "a.city.json"
    path.write_bytes(orjson.dumps({"type": "CityJSON", "version": version, "CityObjects": {}, "vertices": []}))
    assert isinstance(refused(path), UnsupportedFormat)


def cityjson(**more):
    whole = {
        "type": "CityJSON", "version": "2.0", "CityObjects": {}, "vertices": [],
        "metadata": {"referenceSystem": "EPSG:28992"}, "transform": {"scale": [1, 1, 1], "translate": [0, 0, 0]},
    }  # fmt: skip
    return {name: value for name, value in {**whole, **more}.items() if value != "gone"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (cityjson(metadata="gone"), "crs-missing"),
        (cityjson(metadata={"referenceSystem": "EPSG:999999"}), "unknown-crs"),
        (cityjson(vertices="gone"), "file-damaged"),
        (cityjson(CityObjects="gone"), "file-damaged"),
        (cityjson(CityObjects=[]), "file-damaged"),
        (cityjson(vertices={}), "vertices-damaged"),
        (cityjson(transform={"scale": [0, 1, 1], "translate": [0, 0, 0]}), "transform-damaged"),
        (cityjson(transform={"scale": [1, 1]}), "transform-damaged"),
        (cityjson(**{"geometry-templates": 5}), "templates-damaged"),
    ],
)
def test_cityjson_that_is_wrong_as_a_whole(tmp_path, content, code):
    path = tmp_path / "a.city.json"
    path.write_bytes(orjson.dumps(content))
    with pytest.raises(InvalidInput) as caught:
        read(path)
    assert caught.value.problem_code == code


def test_a_member_twice_and_brackets_without_end(tmp_path):
    path = tmp_path / "a.city.json"
    text = orjson.dumps(cityjson())
    path.write_bytes(text[:-1] + b',"vertices":[[0,0,0]]}')
    assert refused(path).problem_code == "member-twice"
    path.write_bytes(b'{"type":"CityJSON","CityObjects":' + b"[" * 100_000)
    assert refused(path).problem_code == "file-damaged"
    path.write_bytes(text + text)
    assert refused(path).problem_code == "file-damaged"


def test_a_gzip_that_is_cut_or_a_bomb(tmp_path, monkeypatch):
    plain = tmp_path / "a.city.json"
    write_document(plain, 2000)
    packed = gzip.compress(plain.read_bytes())
    cut = tmp_path / "cut.city.json.gz"
    cut.write_bytes(packed[: len(packed) // 2])
    assert refused(cut).problem_code == "file-damaged"
    bomb = tmp_path / "bomb.city.json.gz"
    bomb.write_bytes(gzip.compress(orjson.dumps(cityjson()) + b" " * 200_000_000, compresslevel=1))
    error = refused(bomb)
    assert isinstance(error, LimitExceeded)
    assert error.params["limit"] == "INFLATION_RATIO_MAX"
    monkeypatch.setattr(registry, "INFLATED_BYTES_MAX", 1000)
    whole = tmp_path / "whole.city.json.gz"
    whole.write_bytes(packed)
    assert refused(whole).params["limit"] == "INFLATED_BYTES_MAX"


def test_a_file_that_is_too_large_names_the_limit(tmp_path, monkeypatch):
    path = tmp_path / "a.city.json"
    write_document(path, 5)
    monkeypatch.setattr(limits, "FILE_BYTES_MAX", 100)
    error = refused(path)
    assert isinstance(error, LimitExceeded)
    assert error.params["limit"] == "FILE_BYTES_MAX"


def test_two_streams_in_one_file(tmp_path):
    path = tmp_path / "a.city.jsonl"
    write_stream(path, 3)
    path.write_bytes(path.read_bytes() * 2)
    assert refused(path).problem_code == "stream-twice"
