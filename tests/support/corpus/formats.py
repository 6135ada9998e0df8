"""The formats of the corpus: one line each, with a writer of a small good file."""

from __future__ import annotations

import gzip
import random
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import osmium
import pyarrow as pa
import pyarrow.parquet as pq
import rasterio
from rasterio.transform import from_origin

from tests.support import gml_city
from tests.support.corpus import binaries, texts
from tests.support.corpus.model import Case, Format, Make, generic
from tests.support.made_cityjson import write_document, write_stream
from tests.support.made_cloud import cloud
from tests.support.made_ifc import CONVERSION, house
from tests.support.made_sumo import NET
from tests.support.made_tiles import box, tile, write_tiles
from tests.support.made_vector import squares, write_layer

SEED = 20261
BUILDINGS = 40

EPANET = """[TITLE]
Small
[JUNCTIONS]
 J1 100 10
 J2 90 5
 J3 80 5
[RESERVOIRS]
 R1 120
[PIPES]
 P1 R1 J1 1000 12 100 0 Open
 P2 J1 J2 500 8 100 0 Open
 P3 J2 J3 500 8 100 0 Open
[OPTIONS]
 Units LPS
[COORDINATES]
 J1 500000 5000000
 J2 500100 5000000
 J3 500200 5000000
 R1 500300 5000000
[END]
"""
GTFS = {
    "agency": "agency_id,agency_name,agency_url,agency_timezone\nA,City,http://x,Europe/Helsinki\n",
    "stops": "stop_id,stop_name,stop_lat,stop_lon\ns1,Market,60.17,24.94\ns2,Bridge,60.18,24.95\n",
    "routes": "route_id,agency_id,route_short_name,route_type\nr1,A,1,0\n",
    "trips": "route_id,service_id,trip_id\nr1,wk,t1\n",
    "calendar": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
    "wk,1,1,1,1,1,0,0,20260302,20260306\n",
    "stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    "t1,08:00:00,08:00:00,s1,1\nt1,08:05:00,08:06:00,s2,2\n",
}
CUBE = (
    "v 0 0 0\nv 2 0 0\nv 2 3 0\nv 0 3 0\nv 0 0 4\nv 2 0 4\nv 2 3 4\nv 0 3 4\n"
    "f 4 3 2 1\nf 5 6 7 8\nf 1 2 6 5\nf 2 3 7 6\nf 3 4 8 7\nf 4 1 5 8\n"
)


def vector(ending: str) -> Make:
    """Return a writer of buildings in a vector format."""

    def make(folder: Path) -> Path:
        columns = {
            "id": [f"b{i}" for i in range(BUILDINGS)],
            "height": [3.0 + i for i in range(BUILDINGS)],
            "name": [f"建筑 {i}" for i in range(BUILDINGS)],
        }
        return write_layer(folder / f"buildings{ending}", squares(BUILDINGS), columns)

    return make


def topojson(folder: Path) -> Path:
    """Write two buildings that share a wall."""
    path = folder / "buildings.topojson"
    path.write_text(
        '{"type":"Topology","objects":{"buildings":{"type":"GeometryCollection","geometries":['
        '{"type":"Polygon","id":"a","properties":{"floors":2},"arcs":[[0,1]]},'
        '{"type":"Polygon","id":"b","properties":{"floors":3},"arcs":[[-2,2]]}]}},'
        '"arcs":[[[24.94,60.17],[24.94,60.171],[24.941,60.171]],[[24.941,60.171],[24.941,60.17],[24.94,60.17]],'
        "[[24.941,60.171],[24.942,60.17],[24.94,60.17]]]}",
        encoding="utf-8",
    )
    return path


def cityjson(folder: Path) -> Path:
    """Write blocks as a document."""
    write_document(folder / "blocks.city.json", BUILDINGS)
    return folder / "blocks.city.json"


def cityjsonseq(folder: Path) -> Path:
    """Write blocks as a stream."""
    write_stream(folder / "blocks.city.jsonl", BUILDINGS)
    return folder / "blocks.city.jsonl"


def gml(folder: Path) -> Path:
    """Write boxes as CityGML 2.0."""
    x, y, z = gml_city.ORIGIN
    members = []
    for number in range(BUILDINGS):
        faces = gml_city.box(x + 20 * number, y, z)
        surfaces = [gml_city.member(gml_city.polygon(face)) for face in faces.values()]
        inside = f"<bldg:lod1Solid>{gml_city.solid(*surfaces)}</bldg:lod1Solid>"
        members.append(gml_city.building(f"B{number}", inside))
    return gml_city.write(folder / "city.gml", *members)


def geotiff(folder: Path) -> Path:
    """Write a hill."""
    y, x = np.mgrid[0:90, 0:80]
    heights = (100 + 9 * np.sin(x / 9) + 5 * np.cos(y / 7)).astype("float32")
    path = folder / "dem.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=90, width=80, count=1, dtype="float32", crs="EPSG:25832",
        transform=from_origin(500_000, 5_400_000, 2, 2), compress="deflate",
    ) as out:  # fmt: skip
        out.write(heights, 1)
    return path


def osm(folder: Path) -> Path:
    """Write a few houses and a street."""
    path = folder / "small.osm.pbf"
    with osmium.SimpleWriter(str(path)) as out:
        for number in range(60):
            place = (24.94 + number * 1e-4, 60.17 + (number % 2) * 1e-4)
            out.add_node(osmium.osm.mutable.Node(id=number + 1, location=place, version=1))
        for number in range(14):
            refs = [4 * number + 1, 4 * number + 2, 4 * number + 4, 4 * number + 3, 4 * number + 1]
            tags = {"building": "yes", "building:levels": str(1 + number % 5)}
            out.add_way(osmium.osm.mutable.Way(id=number + 1, nodes=refs, tags=tags, version=1))
        street = list(range(1, 60, 2))
        out.add_way(osmium.osm.mutable.Way(id=99, nodes=street, tags={"highway": "residential"}, version=1))
    return path


def epanet(folder: Path) -> Path:
    """Write a small network."""
    path = folder / "net.inp"
    path.write_text(EPANET, encoding="utf-8")
    return path


def series_csv(folder: Path) -> Path:
    """Write observations as CSV."""
    rows = [f"p{i % 3},2026-01-01T{i % 24:02}:00:00Z,{i}.5,24.94,60.17" for i in range(200)]
    path = folder / "series.csv"
    path.write_text("datastream_id,phenomenon_time,result,lon,lat\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def series_parquet(folder: Path) -> Path:
    """Write observations as Parquet."""
    path = folder / "series.parquet"
    times = [f"2026-01-01T{i % 24:02}:00:00Z" for i in range(200)]
    columns = {"datastream_id": ["p"] * 200, "phenomenon_time": times, "result": [float(i) for i in range(200)]}
    table = pa.table({**columns, "lon": [24.94] * 200, "lat": [60.17] * 200})
    pq.write_table(table, path)
    return path


def obj(folder: Path) -> Path:
    """Write one model."""
    path = folder / "house.obj"
    path.write_text(CUBE, encoding="utf-8")
    return path


def obj_zip(folder: Path) -> Path:
    """Write a collection of models."""
    path = folder / "models.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(8):
            archive.writestr(f"m{number}.obj", CUBE.replace("v 0", f"v {number}"))
    return path


def tiles_tar(folder: Path) -> Path:
    """Write vector tiles in a packed archive."""
    write_tiles(folder / "t", {(x, 25802): _tile(x) for x in range(58203, 58206)})
    return _tarred(folder / "t", folder / "tiles.tar.gz")


def tiles(folder: Path) -> Path:
    """Write a folder of one vector tile; what is mutated is the tile."""
    write_tiles(folder, {(58203, 25802): _tile(58203)})
    return folder / "16" / "58203" / "25802.pbf"


def _tile(seed: int) -> bytes:
    chance = random.Random(seed)
    return tile([(seed * 100 + i, 3.0 + i, box(40 * i, chance.randrange(4000), 30, 30)) for i in range(BUILDINGS)])


def shapefile_zip(folder: Path) -> Path:
    """Write a zipped shapefile."""
    (folder / "in").mkdir()
    vector(".shp")(folder / "in")
    path = folder / "buildings.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((folder / "in").iterdir()):
            archive.write(file, file.name)
    return path


def geojson_gz(folder: Path) -> Path:
    """Write GeoJSON packed with gzip."""
    inner = vector(".geojson")(folder)
    path = folder / "buildings.geojson.gz"
    path.write_bytes(gzip.compress(inner.read_bytes(), mtime=0))
    inner.unlink()
    return path


def gtfs(folder: Path) -> Path:
    """Write a timetable of two stops."""
    path = folder / "feed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in GTFS.items():
            archive.writestr(f"{name}.txt", text)
    return path


def las(folder: Path) -> Path:
    """Write a small hill as points."""
    return cloud(folder / "hill.las", size=20.0)


def laz(folder: Path) -> Path:
    """Write a small hill as packed points."""
    return cloud(folder / "hill.laz", size=20.0)


def sumo(folder: Path) -> Path:
    """Write a network of a few streets."""
    path = folder / "town.net.xml"
    sound = [line for line in NET.splitlines(keepends=True) if 'id="D"' not in line and 'id="E"' not in line]
    path.write_text("".join(sound), encoding="utf-8")
    return path


def ifc(folder: Path) -> Path:
    """Write a house that is placed on the map."""
    return house(folder, CONVERSION.format(axis="0.,1.", scale="0.001"))


def mixed_zip(folder: Path) -> Path:
    """Write what an office delivers: a shapefile, models, a relief and notes in one archive."""
    place = folder / "in"
    place.mkdir()
    vector(".shp")(place)
    geotiff(place)
    obj(place)
    (place / "read me.txt").write_text("as agreed", encoding="utf-8")
    path = folder / "delivery.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(place.iterdir()):
            archive.write(file, file.name)
    return path


def _tarred(folder: Path, target: Path) -> Path:
    with tarfile.open(target, "w:gz") as archive:
        archive.add(folder, ".")
    return target


FORMATS = (
    Format("cityjson", cityjson, text=True, special=texts.cityjson_texts),
    Format("cityjsonseq", cityjsonseq, text=True, special=texts.cityjson_texts),
    Format("citygml", gml, text=True, wide_ok=True, special=texts.xml_texts),
    Format("geojson", vector(".geojson"), text=True, special=texts.geojson_texts),
    Format("topojson", topojson, text=True, crs="EPSG:4326", special=texts.json_texts),
    Format("geopackage", vector(".gpkg"), lenient=True, special=binaries.packages),
    Format("shapefile", vector(".shp"), special=binaries.shapefiles),
    Format("flatgeobuf", vector(".fgb")),
    Format("geoparquet", vector(".parquet"), lenient=True, special=binaries.tables),
    Format("vector tile", tiles, up=3, special=binaries.vector_tiles),
    Format("vector tiles", tiles_tar),
    Format("geotiff", geotiff, lenient=True, special=binaries.rasters),
    Format("las", las, lenient=True, special=binaries.clouds),
    Format("laz", laz, special=binaries.packed_clouds),
    Format("ifc", ifc, text=True, lenient=True, special=texts.building_models),
    Format("sumo", sumo, text=True, special=texts.streets),
    Format("osm", osm),
    Format("epanet", epanet, text=True, prefix_ok=True, lenient=True, crs="EPSG:32635", special=texts.networks),
    Format("series csv", series_csv, text=True, prefix_ok=True, special=texts.series),
    Format("series parquet", series_parquet, lenient=True, special=binaries.observations),
    Format("obj", obj, text=True, prefix_ok=True, lenient=True, crs="EPSG:32635", special=texts.models),
    Format("obj zip", obj_zip, crs="EPSG:32635"),
    Format("zip", shapefile_zip, special=binaries.archives),
    Format("mixed zip", mixed_zip),
    Format("gtfs", gtfs, special=binaries.timetables),
    Format("gzip", geojson_gz, special=binaries.gzips),
)
"""A format is one line here."""


def corpus(folder: Path, seed: int = SEED) -> Iterator[Case]:
    """Yield all cases; ``folder`` is for good files that special cases start from."""
    for form in FORMATS:
        yield from generic(form, seed)
        if form.special is not None:
            place = folder / form.name.replace(" ", "-")
            place.mkdir(parents=True)
            yield from form.special(form.good(place))
