"""A delivery lists sources and what they cannot say themselves; what is wrong with it is named."""

import json
from pathlib import Path

import pytest

from cim.delivery import DELIVERY_BYTES_MAX, read_delivery, sources_of
from cim.errors import InvalidInput

TEXT = b"""
folder = "files"
title = "Town"
title_zh = "\xe9\x95\x87"
working_crs = "EPSG:25832"
time_zone = "Europe/Berlin"
first_view = [9.0, 48.0, 15, 50, 0]
[[source]]
path = "models.zip"
crs = "EPSG:2249"
[source.mapping.collection]
offset = [1, 2]
[[source]]
path = "Trees 2020.geojson"
within = [9, 48, 10, 49]
where = { class = ["tree"] }
priority = "town"
"""


def test_each_source_gets_its_own_and_the_citys():
    models, trees = read_delivery(TEXT, Path("/x/town.toml"))
    assert models.params == {
        "path": "/x/files/models.zip",
        "dataset": "models",
        "title_en": "Town",
        "title_zh": "镇",
        "working_crs": "EPSG:25832",
        "time_zone": "Europe/Berlin",
        "first_view": [9.0, 48.0, 15, 50, 0],
        "source_crs": "EPSG:2249",
        "more": True,
        "mapping": '{"collection":{"offset":[1,2]}}',
    }
    assert trees.params["dataset"] == "trees-2020"
    assert trees.params["more"] is False
    assert trees.params["priority"] == "town"
    assert json.loads(trees.params["selection"]) == {"within": [9, 48, 10, 49], "where": {"class": ["tree"]}}


def test_a_source_may_say_how_far_its_terrain_may_be_from_the_raster():
    (source,) = read_delivery(b"[[source]]\npath = 'dem.tif'\nvertical_error_m = 0.5\n", Path("/x/town.toml"))
    assert source.params["vertical_error_m"] == 0.5
    for wrong in (b"'half'", b"true", b"[1]"):
        with pytest.raises(InvalidInput, match="vertical_error_m"):
            read_delivery(b"[[source]]\npath = 'dem.tif'\nvertical_error_m = " + wrong, Path("/x/town.toml"))


def test_the_delivery_in_the_docs_can_be_read():
    path = Path(__file__).parents[3] / "docs/boston.toml"
    sources = read_delivery(path.read_bytes(), path)
    assert sources[0].params["dataset"] == "boston"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"title = ",
        b"source = 3",
        b"source = [3]",
        b"source = []",
        b"nobody = 1\n[[source]]\npath = 'a'",
        b"[[source]]\nfile = 'a'",
        b"[[source]]\ndataset = 'a'",
        b"[[source]]\npath = 3",
        b"[[source]]\npath = 'a\\u0000b'",
        b'[[source]]\npath = "a\\u0000b"',
        b"[[source]]\npath = 'a'\ncrs = 2249",
        b"[[source]]\npath = 'a'\nmapping = {at = 10:00:00+01:00}",
        b"#" * (DELIVERY_BYTES_MAX + 1),
        b"[[source]]\npath = 'a'\n" * 1001,
    ],
)
def test_what_is_wrong_is_said(text):
    if text == b"[[source]]\npath = 'a\\u0000b'":
        assert read_delivery(text, Path("d.toml"))[0].path.name == "a\\u0000b"  # a literal string knows no escapes
        return
    with pytest.raises(InvalidInput) as caught:
        read_delivery(text, Path("d.toml"))
    assert caught.value.problem_code == "delivery"
    assert "d.toml" in caught.value.message


def test_a_file_stands_for_itself_and_a_delivery_for_its_sources(tmp_path):
    plain, listed = tmp_path / "Town.city.json", tmp_path / "d.toml"
    plain.write_text("{}")
    listed.write_bytes(TEXT)
    (one,) = sources_of(plain, {"dataset": None, "source_crs": "EPSG:25832"})
    assert one.params == {"dataset": "town", "source_crs": "EPSG:25832", "path": str(plain)}
    assert len(sources_of(listed, {"dataset": None})) == 2
    with pytest.raises(InvalidInput) as caught:
        sources_of(listed, {"dataset": "x"})
    assert caught.value.problem_code == "usage"
    with pytest.raises(InvalidInput) as caught:
        sources_of(tmp_path / "nobody.toml", {})
    assert caught.value.problem_code == "no-file"
