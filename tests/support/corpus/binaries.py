"""What can go wrong with one format of bytes only: databases, tables, tiles, rasters, archives."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rasterio
import shapely
from rasterio.transform import Affine

from tests.support.corpus.model import ANY, NOTICED, REFUSED, Case, bytes_of
from tests.support.made_tiles import field, tile, varint
from tests.support.made_vector import squares

ENDLESS_VIEW = (
    "CREATE VIEW buildings AS WITH RECURSIVE n(fid) AS (SELECT 1 UNION ALL SELECT fid + 1 FROM n) "
    "SELECT n.fid AS fid, geom, id, height, name FROM n JOIN hidden ON hidden.fid = 1 + n.fid % 40"
)


def packages(good: Path) -> Iterator[Case]:
    """GeoPackages whose tables lie."""
    body = good.read_bytes()

    def case(what: str, expect: str, *statements: str) -> Case:
        def make(folder: Path) -> Path:
            path = folder / "b.gpkg"
            path.write_bytes(body)
            with sqlite3.connect(path) as database:
                database.create_function("ST_IsEmpty", 1, lambda _: 0)
                for one in ("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
                    database.create_function(one, 1, lambda _: 0.0)
                for statement in statements:
                    database.execute(statement)
            return path

        return Case(f"geopackage: {what}", expect, make)

    yield case("geometry of noise", NOTICED, "UPDATE buildings SET geom = randomblob(60)")
    yield case("geometry of nothing", NOTICED, "UPDATE buildings SET geom = NULL WHERE fid < 5")
    yield case("geometry of a text", NOTICED, "UPDATE buildings SET geom = 'here' WHERE fid < 5")
    yield case("a table that is gone", REFUSED, "DROP TABLE buildings")
    yield case("no list of contents", REFUSED, "DROP TABLE gpkg_contents")
    yield case("a view that never ends", ANY, "ALTER TABLE buildings RENAME TO hidden", ENDLESS_VIEW)
    yield case("an undefined coordinate system", REFUSED,
               "UPDATE gpkg_contents SET srs_id = -1", "UPDATE gpkg_geometry_columns SET srs_id = -1")  # fmt: skip
    yield case("texts for heights", ANY, "UPDATE buildings SET height = 'tall'")
    yield case("a count that lies", ANY, "UPDATE gpkg_ogr_contents SET feature_count = 4000000000")
    yield case("a name of control characters", NOTICED, "UPDATE buildings SET id = char(7) || fid")


def shapefiles(good: Path) -> Iterator[Case]:
    """Shapefiles without siblings, or whose lengths lie."""
    files = {file.suffix: file.read_bytes() for file in good.parent.iterdir()}

    def case(what: str, expect: str, change: Callable[[dict[str, bytes]], None], ending: str = ".shp") -> Case:
        def make(folder: Path) -> Path:
            now = dict(files)
            change(now)
            for suffix, body in now.items():
                (folder / f"b{suffix}").write_bytes(body)
            return folder / f"b{ending}"

        return Case(f"shapefile: {what}", expect, make)

    def put(suffix: str, at: int, body: bytes) -> Callable[[dict[str, bytes]], None]:
        return lambda now: now.update({suffix: now[suffix][:at] + body + now[suffix][at + len(body) :]})

    for gone, expect in ((".shx", REFUSED), (".dbf", REFUSED), (".prj", REFUSED)):
        yield case(f"no {gone}", expect, lambda now, g=gone: now.pop(g) and None)
        yield case(f"an empty {gone}", REFUSED if gone != ".prj" else NOTICED, lambda now, g=gone: now.update({g: b""}))
    yield case("a header that states more", REFUSED, put(".shp", 24, struct.pack(">i", 2**30)))
    yield case("a record of 2^31 words", ANY, put(".shp", 104, struct.pack(">i", 2**31 - 1)))
    yield case("a record of -1 words", ANY, put(".shp", 104, struct.pack(">i", -1)))
    yield case("10^9 points", NOTICED, put(".shp", 148, struct.pack("<i", 10**9)))
    yield case("-1 parts", NOTICED, put(".shp", 144, struct.pack("<i", -1)))
    yield case("NaN", NOTICED, put(".shp", 156, struct.pack("<d", float("nan"))))
    yield case("a table of 2^31 rows", REFUSED, put(".dbf", 4, struct.pack("<i", 2**31 - 1)))
    yield case("a table without rows", REFUSED, put(".dbf", 4, struct.pack("<i", 0)))
    yield case("another projection file", REFUSED, lambda now: now.update({".prj": b"PROJCS[garbage"}))
    yield case("an encoding that nobody knows", ANY, lambda now: now.update({".cpg": b"KLINGON-8"}))


def tables(_good: Path) -> Iterator[Case]:
    """GeoParquet whose metadata lie."""
    wkb = shapely.to_wkb(np.array(squares(3), dtype=object)).tolist()

    def case(what: str, expect: str, geo: bytes, shapes: list[Any] = wkb) -> Case:
        def make(folder: Path) -> Path:
            table = pa.table({"id": ["a", "b", "c"], "geometry": shapes})
            pq.write_table(table.replace_schema_metadata({"geo": geo}), folder / "b.parquet")
            return folder / "b.parquet"

        return Case(f"geoparquet: {what}", expect, make)

    def geo(**members: Any) -> bytes:
        column = {"encoding": "WKB", "geometry_types": [], **members}
        return json.dumps({"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}).encode()

    yield case("metadata of noise", REFUSED, b"\xff\xfe{")
    yield case("metadata that are a list", REFUSED, b"[]")
    yield case("a column that is not there", REFUSED, geo().replace(b'"geometry"', b'"nowhere"'))
    yield case("another encoding", REFUSED, geo(encoding="point"))
    yield case("a coordinate system of null", REFUSED, geo(crs=None))
    yield case("a coordinate system of noise", REFUSED, geo(crs={"type": "what"}))
    yield case("geometry of noise", NOTICED, geo(), [b"\x01\x03", b"noise", b""])
    yield case("geometry of nothing", NOTICED, geo(), [None, None, None])
    yield case("geometry of texts", REFUSED, geo(), ["here", "there", "where"])
    bomb = struct.pack("<BII", 1, 3, 2**31 - 1)
    yield case("2^31 rings", NOTICED, geo(), [bomb, *wkb[1:]])
    for code in (4, 5, 6, 7):
        deep = struct.pack("<BII", 1, code, 1) * 100_000
        yield case(f"10^5 nested collections of type {code}", NOTICED, geo(), [deep, *wkb[1:]])
    angle = np.tile([0.0, 1.0, 2.0], 100_000)
    again = shapely.to_wkb(shapely.Polygon(np.column_stack((24.9 + angle, 60.1 + angle % 2))))
    yield case("3 x 10^5 vertices at three places", NOTICED, geo(), [again, *wkb[1:]])
    comb = np.column_stack((24.9 + np.arange(60_000) * 1e-6, 60.1 + np.arange(60_000) % 2 * 0.01))
    yield case(
        "a comb that crosses itself",
        NOTICED,
        geo(),
        [shapely.to_wkb(shapely.Polygon([*comb, *comb[::-1, ::1] + 3e-7])), *wkb[1:]],
    )


def observations(good: Path) -> Iterator[Case]:
    """Tables of observations whose columns are missing, or hold something else."""
    table = pq.read_table(good)

    def case(what: str, expect: str, name: str, values: Any = None) -> Case:
        def make(folder: Path) -> Path:
            at = table.column_names.index(name)
            column = None if values is None else pa.array([values] * len(table))
            changed = table.remove_column(at) if column is None else table.set_column(at, name, column)
            pq.write_table(changed, folder / good.name)
            return folder / good.name

        return Case(f"series parquet: {what}", expect, make)

    for name in ("datastream_id", "phenomenon_time", "result"):
        yield case(f"no {name}", REFUSED, name)
    yield case("no position", REFUSED, "lon")
    yield case("texts for numbers", NOTICED, "result", "much")
    yield case("numbers that are none", NOTICED, "result", float("nan"))
    yield case("times that are none", NOTICED, "phenomenon_time", "late")
    yield case("lists for times", NOTICED, "phenomenon_time", [1, 2])
    yield case("a place beyond the pole", NOTICED, "lat", 460.0)


def vector_tiles(_good: Path) -> Iterator[Case]:
    """Tiles whose lengths and commands lie."""

    def case(what: str, expect: str, body: bytes) -> Case:
        def make(folder: Path) -> Path:
            (folder / "16" / "1").mkdir(parents=True)
            (folder / "16" / "1" / "1.pbf").write_bytes(body)
            return folder

        return Case(f"vector tile: {what}", expect, make)

    sound = tile([(1, 3.0, [(0, 0), (9, 0), (9, 9), (0, 9)])])
    yield case("a length of 2^62", REFUSED, b"\x1a" + varint(2**62) + sound)
    yield case("a number that never ends", REFUSED, b"\x1a" + b"\xff" * 100)
    yield case("no ids", REFUSED, tile([(None, 3.0, [(0, 0), (9, 0), (9, 9), (0, 9)])]))
    yield case("no layers", REFUSED, b"")
    feature = field(1, 5) + field(3, 3) + field(4, varint(2**28 << 3 | 1) + varint(3))
    yield case(
        "2^28 commands", NOTICED, field(3, field(15, 2) + field(1, b"bldg") + field(2, feature) + field(5, 4096))
    )
    empty = field(1, 5) + field(3, 3)
    yield case("no geometry", NOTICED, field(3, field(15, 2) + field(1, b"bldg") + field(2, empty) + field(5, 4096)))
    yield case("no name", NOTICED, field(3, field(15, 2) + field(2, empty)))


def rasters(good: Path) -> Iterator[Case]:
    """Rasters that are huge, empty or nowhere."""

    def case(what: str, expect: str, heights: Any, **members: Any) -> Case:
        def make(folder: Path) -> Path:
            said = {"crs": "EPSG:25832", "transform": Affine(2, 0, 5e5, 0, -2, 54e5), **members}
            path = folder / "dem.tif"
            with rasterio.open(
                path, "w", driver="GTiff", height=members.get("height", heights.shape[0]), dtype="float32", count=1,
                width=members.get("width", heights.shape[1]), compress="deflate", sparse_ok=True,
                **{name: value for name, value in said.items() if name not in {"height", "width"}},
            ) as out:  # fmt: skip
                out.write(heights, 1, window=((0, heights.shape[0]), (0, heights.shape[1])))
            return path

        return Case(f"geotiff: {what}", expect, make)

    body = good.read_bytes()
    key = struct.pack("<4H", 3072, 0, 1, 25832)
    for what, said in (("of another kind", (3072, 777, 1, 25832)), ("that nobody knows", (3072, 0, 1, 9))):
        changed = body.replace(key, struct.pack("<4H", *said))
        assert changed != body
        yield Case(f"geotiff: a key of its place {what}", NOTICED, bytes_of(good.name, changed))
    flat = np.full((32, 32), 5, dtype="float32")
    yield case("nothing but NaN", NOTICED, flat * np.nan)
    yield case("nothing but infinity", NOTICED, flat * np.inf)
    yield case("heights beyond all", NOTICED, flat * 1e30)
    yield case("no coordinate system", REFUSED, flat, crs=None)
    yield case("turned", ANY, flat, transform=Affine(2, 1, 5e5, 1, -2, 54e5))
    yield case("no place", NOTICED, flat, transform=Affine.identity())
    yield case("axes swapped", NOTICED, flat, transform=Affine(2, 0, 54e5, 0, -2, 5e5))
    yield case("10^11 cells", REFUSED, flat, height=300_000, width=330_000, tiled=True, BIGTIFF="YES")


def clouds(good: Path) -> Iterator[Case]:
    """Point clouds whose header lies: counts, scales, the box, the coordinate system."""
    body = good.read_bytes()

    def case(what: str, expect: str, at: int, said: bytes, crs: str | None = None) -> Case:
        changed = body[:at] + said + body[at + len(said) :]
        return Case(f"{good.suffix[1:]}: {what}", expect, bytes_of(good.name, changed), crs=crs)

    yield case("2^40 points", REFUSED, 247, struct.pack("<Q", 2**40))
    yield case("2^31 notes in the header", REFUSED, 100, struct.pack("<I", 2**31 - 1))
    yield case("points that start behind the end", REFUSED, 96, struct.pack("<I", 2**31 - 1))
    yield case("a point of no bytes", REFUSED, 105, struct.pack("<H", 0))
    yield case("a format that nobody knows", REFUSED, 104, b"\x3f")
    yield case("a scale of NaN", NOTICED, 131, struct.pack("<d", float("nan")))
    yield case("a scale of 1e300", NOTICED, 131, struct.pack("<d", 1e300))
    yield case("an offset of infinity", NOTICED, 155, struct.pack("<d", float("inf")))
    yield case("a box of NaN", REFUSED, 179, struct.pack("<6d", *[float("nan")] * 6))
    yield case("a box inside out", REFUSED, 179, struct.pack("<4d", 0.0, 1e6, 0.0, 1e6))
    yield case("a box of a continent", NOTICED, 179, struct.pack("<4d", 9e6, -9e6, 9e6, -9e6))
    yield case("a box somewhere else", NOTICED, 179, struct.pack("<4d", 1e5, 0.0, 1e5, 0.0))
    yield case("an unknown coordinate system", REFUSED, 0, b"", crs="EPSG:999999")
    yield case("degrees", REFUSED, 0, b"", crs="EPSG:4326")
    yield case("a coordinate system of noise", REFUSED, body.index(b"LASF_Projection"), b"?" * 15)
    yield case("heights in the orbit", NOTICED, 171, struct.pack("<d", 4e5))


def packed_clouds(good: Path) -> Iterator[Case]:
    """The same, and the table of the pieces."""
    body = good.read_bytes()
    yield from clouds(good)
    (start,) = struct.unpack_from("<I", body, 96)
    for what, value in (("far behind", 2**62), ("before the file", -5)):
        changed = body[:start] + struct.pack("<q", value) + body[start + 8 :]
        yield Case(f"laz: a table of pieces {what}", ANY, bytes_of(good.name, changed))


def timetables(good: Path) -> Iterator[Case]:
    """Timetables that contradict themselves."""
    with zipfile.ZipFile(good) as archive:
        tables = {name: archive.read(name).decode() for name in archive.namelist()}

    def case(what: str, expect: str, table: str, old: str, new: str) -> Case:
        def make(folder: Path) -> Path:
            path = folder / "feed.zip"
            with zipfile.ZipFile(path, "w") as archive:
                for name, text in tables.items():
                    archive.writestr(name, text.replace(old, new) if name == f"{table}.txt" else text)
            return path

        return Case(f"gtfs: {what}", expect, make)

    yield case("a stop beyond the pole", NOTICED, "stops", "60.17", "160.17")
    yield case("axes swapped beyond the pole", NOTICED, "stops", "60.17,24.94", "24.94,260.17")
    yield case("a stop at NaN", NOTICED, "stops", "60.17", "NaN")
    yield case("a stop twice", NOTICED, "stops", "s2,", "s1,")
    yield case("a stop that is nowhere", ANY, "stop_times", "s2", "s9")
    yield case("a time that is none", ANY, "stop_times", "08:05:00", "late")
    yield case("a table without its columns", REFUSED, "stops", "stop_lat", "y")
    yield case("a table of one quote", REFUSED, "stops", "s1", '"s1')


def gzips(_good: Path) -> Iterator[Case]:
    """What unpacks to more than it should."""
    zeros = b'{"type":"FeatureCollection","features":[' + b" " * 90_000_000
    yield Case("gzip: a bomb", REFUSED, bytes_of("b.geojson.gz", gzip.compress(zeros, 9)))
    yield Case("gzip: packed twice", REFUSED, bytes_of("b.geojson.gz", gzip.compress(gzip.compress(zeros[:4000]))))
    yield Case("gzip: a wrong checksum", NOTICED, bytes_of("b.geojson.gz", gzip.compress(zeros[:4000])[:-8] + bytes(8)))


def archives(good: Path) -> Iterator[Case]:
    """Archives that lead out, grow, link or hide."""
    inner = good.read_bytes()

    def packed(what: str, expect: str, *members: tuple[str, bytes], change: Any = None) -> Case:
        def make(folder: Path) -> Path:
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, body in members:
                    archive.writestr(name, body)
            body = out.getvalue()
            return bytes_of("a.zip", body if change is None else change(body))(folder)

        return Case(f"zip: {what}", expect, make)

    def tarred(what: str, expect: str, **members: Any) -> Case:
        def make(folder: Path) -> Path:
            with tarfile.open(folder / "a.tar", "w") as archive:
                info = tarfile.TarInfo("x.geojson")
                for name, value in members.items():
                    setattr(info, name, value)
                archive.addfile(info)
            return folder / "a.tar"

        return Case(f"tar: {what}", expect, make)

    for name in (
        "../out.geojson",
        "/etc/out.geojson",
        "a/../../out.geojson",
        "..\\out",
        "C:\\out",
        "x" * 3000,
        "d/" * 99,
    ):
        yield packed(f"a member called {name[:20]}", REFUSED, (name + "f", b"{}"))
    yield packed("a bomb", REFUSED, *((f"{i}.geojson", b" " * 30_000_000) for i in range(3)))
    yield packed("an archive in an archive", REFUSED, ("inner.zip", inner))
    yield packed("nothing", REFUSED)
    yield packed("nothing that is known", REFUSED, ("readme.txt", b"hello"))
    yield packed("a name twice", ANY, ("a.txt", b"1"), ("A.txt", b"2"))
    yield packed("encrypted", REFUSED, ("b.geojson", b"{}"), change=_encrypted)
    yield packed("a size that lies", REFUSED, ("b.geojson", b"{}" * 99), change=_lying)
    yield tarred("a link", REFUSED, type=tarfile.SYMTYPE, linkname="/etc/passwd")
    yield tarred("a hard link", REFUSED, type=tarfile.LNKTYPE, linkname="../../etc/passwd")
    yield tarred("a device", REFUSED, type=tarfile.CHRTYPE, devmajor=1, devminor=5)
    yield tarred("a pipe", REFUSED, type=tarfile.FIFOTYPE)
    yield tarred("a name that leads out", REFUSED, name="../../x.geojson")
    yield tarred("a size that lies", REFUSED, size=2**40)


def _encrypted(body: bytes) -> bytes:
    """Set the flag of encryption in both headers."""
    out = bytearray(body)
    out[6] |= 1
    out[body.index(b"PK\x01\x02") + 8] |= 1
    return bytes(out)


def _lying(body: bytes) -> bytes:
    """State another size than what comes out."""
    at = body.index(b"PK\x01\x02") + 24
    return body[:at] + struct.pack("<I", 3) + body[at + 4 :]
