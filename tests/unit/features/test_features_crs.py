"""Coordinate systems of answers, held against pyproj with the axes of the authority."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely

from cim.errors import InvalidInput
from cim.features.crs import CRS84, OWN_CRS, area_in_working, chosen, feature_crs, offered, places_in
from cim.geometry.crs import WorkingFrame

WORKING = WorkingFrame("EPSG:3879")
PLACE = shapely.Point(25_496_123.456, 6_673_234.567)


@pytest.mark.parametrize("code", ["EPSG:4326", "EPSG:3857", "EPSG:3879", "EPSG:3067", "EPSG:4490"])
def test_a_place_is_as_the_authority_has_it(code: str) -> None:
    northing_first = pyproj.Transformer.from_crs("EPSG:3879", code)
    system = feature_crs(code)
    (place,) = places_in(np.array([PLACE], dtype=object), WORKING, system)
    wanted = northing_first.transform(PLACE.y, PLACE.x)
    assert (place.x, place.y) == pytest.approx(wanted, abs=10**-system.decimals)
    assert system.uri == f"http://www.opengis.net/def/crs/EPSG/0/{code.partition(':')[2]}"


def test_an_area_comes_back_to_where_it_was_asked() -> None:
    box = shapely.box(24.94, 60.16, 24.95, 60.17)
    area = area_in_working(box, feature_crs("OGC:CRS84"), WORKING)
    back = WORKING.to_lonlat(shapely.get_coordinates(area))
    assert (back.min(axis=0), back.max(axis=0)) == (
        pytest.approx([24.94, 60.16], abs=1e-9), pytest.approx([24.95, 60.17], abs=1e-9)
    )  # fmt: skip
    assert area_in_working(shapely.box(0, 0, 1e12, 1e12), feature_crs("EPSG:3857"), WORKING) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (CRS84, "OGC:CRS84"),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", "EPSG:4326"),
        ("https://www.opengis.net/def/crs/EPSG/0/3879", "EPSG:3879"),
        ("urn:ogc:def:crs:EPSG::3857", "EPSG:3857"),
        ("[EPSG:3879]", "EPSG:3879"),
    ],
)
def test_a_system_has_several_names(text: str, code: str) -> None:
    assert chosen("crs", text, offered("EPSG:3879")).code == code


@pytest.mark.parametrize(
    "text", ["", "EPSG:", "EPSG:3067", "EPSG:4326;drop", "http://www.opengis.net/def/crs/EPSG/0/1"]
)
def test_what_is_not_offered_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        chosen("crs", text, offered("EPSG:3879"))


def test_a_system_of_the_citys_own_has_a_name_too() -> None:
    own = "+proj=tmerc +lat_0=39.9 +lon_0=116.4 +k=1 +x_0=500000 +y_0=300000 +ellps=GRS80 +units=m +no_defs"
    systems = offered(own)
    assert (systems[-1].uri, systems[-1].swapped) == (OWN_CRS, False)
    assert chosen("crs", OWN_CRS, systems) is systems[-1]
