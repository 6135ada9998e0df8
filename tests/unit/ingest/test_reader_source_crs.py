import numpy as np
import pytest
from pyproj import Transformer

from cim.errors import InvalidInput
from ingest.readers.source_crs import UNSTATED_DATUM, projection, source_crs


@pytest.mark.parametrize(
    "spelling",
    [
        "https://www.opengis.net/def/crs/EPSG/0/7415",
        "http://www.opengis.net/def/crs/EPSG/0/7415",
        "urn:ogc:def:crs:EPSG::7415",
        "urn:ogc:def:crs:EPSG:9.9:7415",
        "EPSG:7415",
        {"epsg": 7415},
    ],
)
def test_every_spelling_of_a_compound_crs(spelling):
    name = "crs" if isinstance(spelling, dict) else "referenceSystem"
    found = source_crs({name: spelling}, None)
    assert (found.horizontal, found.vertical_datum, found.height_unit_m) == ("EPSG:28992", "NAP height", 1.0)


def test_what_was_stated_overrides_the_file():
    found = source_crs({"referenceSystem": "EPSG:7415"}, "EPSG:3067")
    assert (found.horizontal, found.vertical_datum) == ("EPSG:3067", UNSTATED_DATUM)


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        (None, "crs-missing"),
        ({}, "crs-missing"),
        ({"referenceSystem": ""}, "crs-missing"),
        ({"referenceSystem": ["EPSG:28992"]}, "crs-missing"),
        ({"referenceSystem": "EPSG:0"}, "unknown-crs"),
        ({"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/99999"}, "unknown-crs"),
        ({"referenceSystem": "the moon"}, "unknown-crs"),
        ({"referenceSystem": "EPSG:5799"}, "unknown-crs"),
    ],
)
def test_a_missing_or_odd_crs_says_what_to_do(metadata, code):
    with pytest.raises(InvalidInput) as caught:
        source_crs(metadata, None)
    assert caught.value.problem_code == code
    assert "--crs" in caught.value.hint


def test_feet_become_metres_and_degrees_a_utm_zone():
    feet = source_crs(None, "EPSG:2249")
    way = projection(feet, None, (775_000.0, 2_956_000.0))
    assert way.working_crs == "EPSG:32619"
    got = way(np.array([[775_000.0, 2_956_000.0, 100.0]]))
    x, y = Transformer.from_crs(2249, 32619, always_xy=True).transform(775_000.0, 2_956_000.0)
    assert got[0] == pytest.approx([x, y, 100 * 1200 / 3937])
    assert projection(source_crs(None, "EPSG:4326"), None, (24.94, 60.17)).working_crs == "EPSG:32635"
    assert projection(source_crs(None, "EPSG:28992"), "EPSG:25831", (0.0, 0.0)).working_crs == "EPSG:25831"
