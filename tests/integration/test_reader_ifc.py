"""IFC: a house of millimetres, placed by a map conversion, by latitude and longitude, or by --crs."""

import random
import subprocess
import sys

import numpy as np
import pyproj
import pytest

from cim.city.model import Quarantined, check_object
from cim.errors import InvalidInput
from ingest.readers import ifc
from ingest.readers.registry import reader_for
from ingest.records import ReadContext
from tests.support.city_records import objects_of
from tests.support.made_ifc import CONVERSION, HEAD, LOST, TAIL, house


def read(path, **context):
    return list(reader_for(path).read(path, ReadContext("t", **context)))


def test_by_map_conversion(tmp_path):
    records = read(house(tmp_path, CONVERSION.format(axis="0.,1.", scale="0.001"), LOST))
    header = records[0]
    assert (header.working_crs, header.vertical_datum, header.title) == ("EPSG:25832", "DHHN2016", "House")
    found = objects_of(records)
    for one in found.values():
        check_object(one)
    building = found["t:0000000000000000000003"]
    # The x axis of the model points north: 10 m along x become 10 m of northing.
    np.testing.assert_allclose(
        building.geometries[0].bounds(), (499_995.5, 5_299_999.5, 250.0, 500_000.5, 5_300_010.5, 256.5), atol=1e-6
    )
    assert building.place.area == pytest.approx(11 * 5, rel=1e-6)
    assert sorted(set(building.geometries[0].semantics.types())) == ["RoofSurface", "WallSurface"]
    assert building.geometries[0].surface_count == 24
    facts = {name: one.value for name, one in building.attributes.items()}
    assert facts == {"height_m": 6.5, "storeys_above_ground": 2, "name": "Town house"}
    storeys = [one for one in found.values() if one.type == "BuildingStorey"]
    assert [(one.attributes["name"].value, one.attributes["elevation_m"].value) for one in storeys] == [
        ("Cellar", -2.8), ("Ground floor", 0.0), ("First floor", 3.0),
    ]  # fmt: skip
    assert {one.parent_id for one in storeys} == {building.id}
    assert [one.code for one in records if isinstance(one, Quarantined)] == ["ifc-no-building"]


@pytest.mark.parametrize("scale", ["$", "1.", "0.001"])
def test_a_scale_that_programs_leave_out(tmp_path, scale):
    found = objects_of(read(house(tmp_path, CONVERSION.format(axis="1.,0.", scale=scale))))
    assert found["t:0000000000000000000003"].geometries[0].bounds()[3] == pytest.approx(500_010.5)


def test_by_latitude_longitude_and_true_north(tmp_path):
    # True north along the model's x axis, as above; 9 degrees 30 minutes east lies off the zone's middle.
    path = house(tmp_path, site="(48,30,0),(9,30,0),400000.", north="1.,0.")
    building = objects_of(read(path))["t:0000000000000000000003"]
    way = pyproj.Transformer.from_crs(32632, 4326, always_xy=True)
    corners = building.geometries[0].coordinates
    lon, lat = way.transform(corners[:, 0], corners[:, 1])
    local = pyproj.Transformer.from_crs(4326, "+proj=aeqd +lat_0=48.5 +lon_0=9.5", always_xy=True)
    east, north = local.transform(lon, lat)
    assert north.max() == pytest.approx(10.5, abs=0.02)
    assert east.min() == pytest.approx(-4.5, abs=0.02)
    assert corners[:, 2].min() == pytest.approx(400.0)


def test_by_crs(tmp_path):
    building = objects_of(read(house(tmp_path), source_crs="EPSG:25832"))["t:0000000000000000000003"]
    assert building.geometries[0].bounds()[3] == pytest.approx(10.5)


@pytest.mark.parametrize(
    ("parts", "options", "code"),
    [
        ((), {}, "ifc-unplaced"),
        ((CONVERSION.replace("EPSG:25832", "EPSG:2249").format(axis="1.,0.", scale="$"),), {}, "ifc-crs"),
        ((CONVERSION.replace("EPSG:25832", "nowhere").format(axis="1.,0.", scale="$"),), {}, "unknown-crs"),
    ],
)
def test_what_is_wrong_is_refused(tmp_path, parts, options, code):
    with pytest.raises(InvalidInput) as caught:
        read(house(tmp_path, *parts, **options))
    assert caught.value.problem_code == code
    assert caught.value.hint


def test_a_model_without_building_or_without_shapes(tmp_path):
    path = tmp_path / "a.ifc"
    path.write_text(HEAD.format(site="$,$,$", north="0.,1.").replace("IFCBUILDING(", "IFCSPACE(")[:600] + TAIL)
    with pytest.raises(InvalidInput) as caught:
        read(path)
    assert caught.value.problem_code in {"source-empty", "file-damaged"}
    records = read(house(tmp_path, body=()), source_crs="EPSG:25832")
    assert [one.code for one in records if isinstance(one, Quarantined)] == ["geometry-empty"]


def test_without_the_package_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    from cim.errors import Unavailable

    monkeypatch.setitem(sys.modules, "ifcopenshell", None)
    with pytest.raises(Unavailable) as caught:
        ifc._library()
    assert "cim-twin[ifc]" in caught.value.hint


def test_damaged_models_are_refused_or_read(tmp_path):
    """In a process of their own, as the product reads them: the library is not ours to make safe."""
    whole = house(tmp_path, CONVERSION.format(axis="0.,1.", scale="0.001")).read_bytes()
    chance = random.Random(2)
    for number in range(40):
        bad = bytearray(whole)
        if number % 2:
            bad = bad[: chance.randrange(200, len(bad))]
        else:
            for _ in range(4):
                bad[chance.randrange(200, len(bad))] = chance.randrange(32, 127)
        (tmp_path / f"bad-{number}.ifc").write_bytes(bad)
    command = [sys.executable, "-c", READ_ALL, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("read ") + done.stdout.count("refused ") == 40


READ_ALL = """
import pathlib, sys
from cim.errors import CimError
from ingest.readers.registry import reader_for
from ingest.records import ReadContext
for path in sorted(pathlib.Path(sys.argv[1]).glob("bad-*.ifc")):
    try:
        print("read", len(list(reader_for(path).read(path, ReadContext("t")))))
    except CimError as error:
        print("refused", error.problem_code, bool(error.hint))
"""
