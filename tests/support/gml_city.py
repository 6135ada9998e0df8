"""CityGML for tests: what a reader made of a file, and small files that are written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from cim.city.columns import columns_to_objects
from cim.city.model import CityObject
from ingest.columns import gather
from ingest.prepared import ObjectBatch
from ingest.readers.registry import reader_for
from ingest.records import ReadContext

HEAD_2 = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<core:CityModel xmlns:core="http://www.opengis.net/citygml/2.0" xmlns:gml="http://www.opengis.net/gml" '
    'xmlns:bldg="http://www.opengis.net/citygml/building/2.0" xmlns:gen="http://www.opengis.net/citygml/generics/2.0" '
    'xmlns:dem="http://www.opengis.net/citygml/relief/2.0" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:tran="http://www.opengis.net/citygml/transportation/2.0" '
    'xmlns:veg="http://www.opengis.net/citygml/vegetation/2.0" '
    'xmlns:luse="http://www.opengis.net/citygml/landuse/2.0" xmlns:wtr="http://www.opengis.net/citygml/waterbody/2.0" '
    'xmlns:frn="http://www.opengis.net/citygml/cityfurniture/2.0" '
    'xmlns:brid="http://www.opengis.net/citygml/bridge/2.0" xmlns:uro="https://www.geospatial.jp/iur/uro/2.0">'
)
HEAD_3 = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<core:CityModel xmlns:core="http://www.opengis.net/citygml/3.0" xmlns:gml="http://www.opengis.net/gml/3.2" '
    'xmlns:bldg="http://www.opengis.net/citygml/building/3.0" '
    'xmlns:con="http://www.opengis.net/citygml/construction/3.0" '
    'xmlns:gen="http://www.opengis.net/citygml/generics/3.0" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:tran="http://www.opengis.net/citygml/transportation/3.0">'
)
TAIL = "</core:CityModel>"
UTM = "urn:ogc:def:crs,crs:EPSG::25832,crs:EPSG::7837"
X, Y, Z = ORIGIN = (500_000.0, 5_400_000.0, 100.0)


def records(path: Path, **context: Any) -> list[Any]:
    return list(gather(reader_for(path).read(path, ReadContext("test", **context))))


def objects_in(found: Iterable[Any]) -> dict[str, CityObject]:
    every: dict[str, CityObject] = {}
    for piece in found:
        if isinstance(piece, ObjectBatch):
            tables = (pa.Table.from_batches([batch]) for batch in (piece.objects, piece.geometries))
            every.update({one.id.removeprefix("test:"): one for one in columns_to_objects(*tables)})
    return every


def of_kind(found: Iterable[Any], kind: type) -> list[Any]:
    return [record for record in found if isinstance(record, kind)]


def envelope(srs: str | None = UTM, low: Sequence[float] = ORIGIN) -> str:
    named = "" if srs is None else f' srsName="{srs}"'
    corner = " ".join(map(repr, low))
    return (
        f'<gml:boundedBy><gml:Envelope{named} srsDimension="3"><gml:lowerCorner>{corner}</gml:lowerCorner>'
        f"<gml:upperCorner>{corner}</gml:upperCorner></gml:Envelope></gml:boundedBy>"
    )


def pos_list(points: Iterable[Sequence[float]], *, closed: bool = True) -> str:
    listed = [tuple(point) for point in points]
    if closed:
        listed.append(listed[0])
    return " ".join(repr(float(value)) for point in listed for value in point)


def polygon(points: Iterable[Sequence[float]], identifier: str = "", *, closed: bool = True) -> str:
    named = f' gml:id="{identifier}"' if identifier else ""
    return (
        f"<gml:Polygon{named}><gml:exterior><gml:LinearRing><gml:posList>{pos_list(points, closed=closed)}"
        "</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>"
    )


def member(surface: str) -> str:
    return f"<gml:surfaceMember>{surface}</gml:surfaceMember>"


def link(identifier: str) -> str:
    return f'<gml:surfaceMember xlink:href="#{identifier}"/>'


def multi_surface(*members: str) -> str:
    return f"<gml:MultiSurface>{''.join(members)}</gml:MultiSurface>"


def solid(*members: str) -> str:
    return (
        f"<gml:Solid><gml:exterior><gml:CompositeSurface>{''.join(members)}</gml:CompositeSurface>"
        "</gml:exterior></gml:Solid>"
    )


def box(
    x: float, y: float, z: float, size: float = 10.0, height: float = 8.0
) -> dict[str, list[tuple[float, float, float]]]:
    """The six faces of a box from its low corner, facing out."""
    a, b, c, d = ((x, y), (x + size, y), (x + size, y + size), (x, y + size))
    top = z + height
    low = [(*p, z) for p in (a, b, c, d)]
    high = [(*p, top) for p in (a, b, c, d)]
    faces = {"ground": low[::-1], "roof": high}
    for side in range(4):
        after = (side + 1) % 4
        faces[f"wall{side}"] = [low[side], low[after], high[after], high[side]]
    return faces


FACES = box(X, Y, Z)


def building(identifier: str, inside: str) -> str:
    return (
        f'<core:cityObjectMember><bldg:Building gml:id="{identifier}">{inside}</bldg:Building></core:cityObjectMember>'
    )


def write(path: Path, *features: str, head: str = HEAD_2, bounds: str | None = None) -> Path:
    path.write_text(head + (envelope() if bounds is None else bounds) + "".join(features) + TAIL, encoding="utf-8")
    return path
