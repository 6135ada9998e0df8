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

HEAD = """ISO-10303-21;
HEADER;
FILE_DESCRIPTION(('ViewDefinition [CoordinationView]'),'2;1');
FILE_NAME('house.ifc','2026-01-01T00:00:00',(''),(''),'','','');
FILE_SCHEMA(('IFC4'));
ENDSEC;
DATA;
#1=IFCSIUNIT(*,.LENGTHUNIT.,.MILLI.,.METRE.);
#2=IFCSIUNIT(*,.PLANEANGLEUNIT.,$,.RADIAN.);
#3=IFCUNITASSIGNMENT((#1,#2));
#4=IFCCARTESIANPOINT((0.,0.,0.));
#5=IFCAXIS2PLACEMENT3D(#4,$,$);
#6=IFCDIRECTION(({north}));
#7=IFCGEOMETRICREPRESENTATIONCONTEXT($,'Model',3,1.E-05,#5,#6);
#8=IFCPROJECT('0000000000000000000001',$,'House',$,$,$,$,(#7),#3);
#9=IFCLOCALPLACEMENT($,#5);
#10=IFCSITE('0000000000000000000002',$,'Site',$,$,#9,$,$,.ELEMENT.,{site},$,$);
#11=IFCBUILDING('0000000000000000000003',$,'B1',$,$,#9,$,'Town house',.ELEMENT.,$,$,$);
#12=IFCBUILDINGSTOREY('0000000000000000000004',$,'Ground floor',$,$,#9,$,$,.ELEMENT.,0.);
#13=IFCBUILDINGSTOREY('0000000000000000000005',$,'First floor',$,$,#9,$,$,.ELEMENT.,3000.);
#14=IFCBUILDINGSTOREY('0000000000000000000006',$,'Cellar',$,$,#9,$,$,.ELEMENT.,-2800.);
#15=IFCRELAGGREGATES('0000000000000000000007',$,$,$,#8,(#10));
#16=IFCRELAGGREGATES('0000000000000000000008',$,$,$,#10,(#11));
#17=IFCRELAGGREGATES('0000000000000000000009',$,$,$,#11,(#13,#12,#14));
#20=IFCDIRECTION((0.,0.,1.));
#21=IFCCARTESIANPOINT((0.,0.));
#22=IFCAXIS2PLACEMENT2D(#21,$);
"""
TAIL = "ENDSEC;\nEND-ISO-10303-21;\n"
CONVERSION = (
    "#90=IFCPROJECTEDCRS('EPSG:25832',$,'ETRS89','DHHN2016',$,$,$);\n"
    "#91=IFCMAPCONVERSION(#7,#90,500000.,5300000.,250.,{axis},{scale});\n"
)


def box(number, kind, centre, size, more="$"):
    """An element that is a box of millimetres, its foot at the centre's height."""
    n = number * 20
    x, y, z = (float(one) for one in centre)
    return (
        f"#{n}=IFCCARTESIANPOINT(({x},{y},{z}));\n#{n + 1}=IFCAXIS2PLACEMENT3D(#{n},$,$);\n"
        f"#{n + 2}=IFCLOCALPLACEMENT(#9,#{n + 1});\n"
        f"#{n + 3}=IFCRECTANGLEPROFILEDEF(.AREA.,$,#22,{float(size[0])},{float(size[1])});\n"
        f"#{n + 4}=IFCEXTRUDEDAREASOLID(#{n + 3},#5,#20,{float(size[2])});\n"
        f"#{n + 5}=IFCSHAPEREPRESENTATION(#7,'Body','SweptSolid',(#{n + 4}));\n"
        f"#{n + 6}=IFCPRODUCTDEFINITIONSHAPE($,$,(#{n + 5}));\n"
        f"#{n + 7}={kind}('00000000000000000001{number:02}',$,'x',$,$,#{n + 2},#{n + 6},$,{more});\n"
    )


WALL = box(10, "IFCWALL", (5000, 2000, 0), (10_000, 4000, 6000), ".SOLIDWALL.")
ROOF = box(11, "IFCSLAB", (5000, 2000, 6000), (11_000, 5000, 500), ".ROOF.")
LOST = box(12, "IFCWALL", (0, 0, 0), (1000, 1000, 1000), "$")
INSIDE = "#400=IFCRELCONTAINEDINSPATIALSTRUCTURE('0000000000000000000020',$,$,$,(#207,#227),#12);\n"


def house(tmp_path, *parts, site="$,$,$", north="0.,1.", body=(WALL, ROOF, INSIDE)):
    path = tmp_path / "house.ifc"
    path.write_text(HEAD.format(site=site, north=north) + "".join((*body, *parts)) + TAIL)
    return path


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
