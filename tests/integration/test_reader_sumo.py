"""SUMO networks: streets where they are on Earth, both directions as one, and what can be wrong."""

import random

import numpy as np
import pyproj
import pytest

from cim.city.model import Quarantined, check_object
from cim.errors import CimError, InvalidInput, UnsupportedFormat
from ingest.readers.registry import reader_for
from ingest.records import ReadContext
from tests.support.city_records import objects_of
from tests.support.made_sumo import NET

BERLIN = (390_000.0, 5_820_000.0)


def write(tmp_path, text=NET):
    path = tmp_path / "town.net.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(path, **context):
    return list(reader_for(path).read(path, ReadContext("t", **context)))


def test_streets_where_they_are(tmp_path):
    records = read(write(tmp_path))
    assert records[0].working_crs == "EPSG:32633"
    found = objects_of(records)
    for one in found.values():
        check_object(one)
    assert list(found) == ["t:A", "t:B", "t:-C"]
    a = found["t:A"]
    np.testing.assert_allclose(np.array(a.place.coords), np.array([BERLIN, (390_100.0, 5_820_000.0)]), atol=1e-6)
    facts = {name: one.value for name, one in a.attributes.items()}
    assert facts == {
        "lanes": 3, "oneway": False, "width_m": 12.4, "speed_km_h": 50.0, "name": "Main Street", "highway": "primary",
    }  # fmt: skip
    b = found["t:B"]
    assert b.attributes["oneway"].value is True
    assert b.attributes["highway"].value == "residential"
    np.testing.assert_allclose(np.array(b.place.coords)[1], (390_100.0, 5_820_200.0), atol=1e-6)
    assert "speed_km_h" not in found["t:-C"].attributes
    assert {one.feature for one in records if isinstance(one, Quarantined)} == {"D", "E"}


def test_into_another_frame_and_packed(tmp_path):
    import gzip

    path = tmp_path / "town.net.xml.gz"
    path.write_bytes(gzip.compress(NET.encode()))
    found = objects_of(read(path, working_crs="EPSG:25833"))
    way = pyproj.Transformer.from_crs(32633, 25833, always_xy=True)
    np.testing.assert_allclose(np.array(found["t:A"].place.coords)[0], way.transform(*BERLIN), atol=1e-3)


def test_a_projection_without_a_name_gives_its_utm_zone(tmp_path):
    text = NET.replace("+proj=utm +zone=33 +ellps=WGS84 +datum=WGS84 +units=m +no_defs",
                       "+proj=tmerc +lat_0=52.5 +lon_0=13.4 +x_0=390000 +y_0=5820000 +ellps=WGS84")  # fmt: skip
    records = read(write(tmp_path, text))
    assert records[0].working_crs == "EPSG:32633"
    way = pyproj.Transformer.from_crs("+proj=tmerc +lat_0=52.5 +lon_0=13.4 +x_0=390000 +y_0=5820000 +ellps=WGS84",
                                      32633, always_xy=True)  # fmt: skip
    np.testing.assert_allclose(np.array(objects_of(records)["t:A"].place.coords)[0], way.transform(*BERLIN), atol=1e-3)


def test_a_network_drawn_by_hand_needs_a_crs(tmp_path):
    drawn = write(tmp_path, NET.replace("+proj=utm +zone=33 +ellps=WGS84 +datum=WGS84 +units=m +no_defs", "!"))
    with pytest.raises(InvalidInput) as caught:
        read(drawn)
    assert caught.value.problem_code == "crs-missing"
    assert "--crs" in caught.value.hint
    assert read(drawn, source_crs="EPSG:25833")[0].working_crs == "EPSG:25833"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (NET.replace("-389000.00,-5819000.00", "x,1"), "sumo-offset"),
        (NET.replace("-389000.00,-5819000.00", "1"), "sumo-offset"),
        (NET.replace("-389000.00,-5819000.00", "nan,nan"), "sumo-offset"),
        (NET.replace("+proj=utm", "+proj=nothing"), "unknown-crs"),
        ('<net><location netOffset="0,0" projParameter="+proj=utm +zone=33"/></net>', "source-empty"),
        (NET[:1500], "file-damaged"),
        (NET.replace("Main Street", "\x01"), "file-damaged"),
        (NET.encode("utf-16")[2:], None),
        ('<!DOCTYPE net [<!ENTITY a "b"><!ENTITY c "&a;&a;">]>' + NET[NET.index("<net") :], "xml-doctype"),
    ],
)
def test_what_is_wrong_is_refused(tmp_path, text, code):
    with pytest.raises((InvalidInput, UnsupportedFormat)) as caught:
        read(write(tmp_path, text))
    assert code is None or caught.value.problem_code == code
    assert caught.value.hint


def test_damaged_networks_are_refused_or_read(tmp_path):
    chance = random.Random(5)
    for number in range(150):
        bad = bytearray(NET.encode())
        if number % 2:
            bad = bad[: chance.randrange(30, len(bad))]
        else:
            for _ in range(5):
                bad[chance.randrange(200, len(bad))] = chance.randrange(256)
        try:
            found, hint = objects_of(read(write(tmp_path, bytes(bad)))), "none needed"
        except CimError as error:
            found, hint = {}, error.hint
        assert len(found) <= 6
        assert hint
