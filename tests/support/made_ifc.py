"""IFC written by hand: a house of millimetres."""

from __future__ import annotations

from pathlib import Path

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


def box(
    number: int, kind: str, centre: tuple[float, float, float], size: tuple[float, float, float], more: str = "$"
) -> str:
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


def house(
    folder: Path,
    *parts: str,
    site: str = "$,$,$",
    north: str = "0.,1.",
    body: tuple[str, ...] = (WALL, ROOF, INSIDE),
) -> Path:
    """Write a house of a wall and a roof."""
    path = folder / "house.ifc"
    path.write_text(HEAD.format(site=site, north=north) + "".join((*body, *parts)) + TAIL)
    return path
