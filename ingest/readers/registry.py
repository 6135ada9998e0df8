"""The list of readers, and which one a file is for: the bytes decide, not the name."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cim.errors import InvalidInput, LimitExceeded, NotFound, UnsupportedFormat
from ingest.readers.cityjson import CityJsonReader
from ingest.readers.cityjson_seq import CityJsonSeqReader
from ingest.readers.damage import damaged
from ingest.readers.epanet import EpanetReader
from ingest.readers.folder import ArchiveReader, FolderReader
from ingest.readers.folder_archive import is_tar, is_zip
from ingest.readers.geotiff import GeoTiffReader
from ingest.readers.gml import GmlReader
from ingest.readers.gtfs import GtfsReader
from ingest.readers.ifc import IfcReader
from ingest.readers.las import LasReader
from ingest.readers.limits import (
    HEAD_BYTES,
    INFLATED_BYTES_MAX,
    INFLATION_FREE_BYTES,
    INFLATION_RATIO_MAX,
    check_file_size,
    check_limit,
)
from ingest.readers.mvt import MvtReader
from ingest.readers.obj import ObjReader
from ingest.readers.obj_source import heads_beside
from ingest.readers.osm import OsmReader
from ingest.readers.series import SeriesReader
from ingest.readers.sumo import SumoReader
from ingest.readers.vector import VectorReader
from ingest.records import ReadContext, Reader, Record

_MODELS: Final = ObjReader()
READERS: Final[tuple[Reader, ...]] = (
    OsmReader(),
    CityJsonSeqReader(),
    CityJsonReader(),
    GmlReader(),
    GeoTiffReader(),
    LasReader(),
    VectorReader(),
    SeriesReader(),
    EpanetReader(),
    GtfsReader(),
    SumoReader(),
    IfcReader(),
    _MODELS,
)

_GZIP: Final = b"\x1f\x8b"
_COPY_BYTES: Final = 1024 * 1024
_LOOKS: Final = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"SQLite format 3", "an SQLite database, perhaps a GeoPackage"),
    (b"glTF", "a binary glTF model"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"ISO-10303-21", "a STEP model"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"PAR1", "a Parquet table"),
)
ACCEPTED: Final = (
    "OpenStreetMap (.osm.pbf), CityJSON (.city.json), CityJSONSeq (.city.jsonl), CityGML (.gml), EPANET (.inp), "
    "heights (.tif), point clouds (.las, .laz), "
    "building models (.ifc), "
    "observations (.csv, .parquet), models (.obj, or a .zip of them), timetables (GTFS .zip), streets (SUMO .net.xml), "
    "GeoPackage (.gpkg), Shapefile (.shp), FlatGeobuf (.fgb), GeoJSON, TopoJSON, GeoParquet; "
    "folders and archives (.zip, .tar, .tar.gz) of these, folders of vector tiles (zoom/x/y.pbf)"
)


class _GzipReader:
    """A reader of the same format, packed with gzip: unpacked to a file, bounded, then read."""

    def __init__(self, inner: Reader) -> None:
        self._inner = inner
        self.name = inner.name
        self.version = inner.version

    def recognises(self, path: Path, head: bytes) -> bool:
        """Tell whether the unpacked bytes are the format."""
        return self._inner.recognises(path, head)

    def read(self, path: Path, context: ReadContext) -> Iterator[Record]:
        """Unpack, then stream the records."""
        with tempfile.TemporaryDirectory(prefix="cim-gzip-") as folder:
            unpacked = Path(folder) / path.name.removesuffix(".gz")
            _inflate(path, unpacked)
            yield from self._inner.read(unpacked, context)


def reader_for(path: Path) -> Reader:
    """Return the reader of a file, a folder or an archive.

    Raises :class:`UnsupportedFormat`, which says what the file looks like, :class:`InvalidInput` for
    an empty file, :class:`LimitExceeded` for one that is too large.
    """
    if path.is_dir():
        return _FOLDER
    if not path.is_file():
        raise NotFound(f"{path.name} is not a file.", hint="Check the path.", code="file-missing", file=path.name)
    if check_file_size(path) == 0:
        raise InvalidInput(
            f"{path.name} is empty.", hint="Download or copy the file again.", code="file-empty", file=path.name
        )
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    packed = head.startswith(_GZIP)
    if packed:
        head = _inflated_head(path)
    for reader in READERS:
        if reader.recognises(path, head) and not (reader is _MODELS and is_zip(head) and _is_mixed(path)):
            return _GzipReader(reader) if packed else reader
    if _ARCHIVE.recognises(path, head):
        return _ARCHIVE
    raise UnsupportedFormat(
        f"{path.name} looks like {looks_like(head)}, which no reader knows.",
        hint=f"These are read, plain or packed with gzip: {ACCEPTED}.",
        file=path.name,
        looks_like=looks_like(head),
    )


_FOLDER: Final = FolderReader(reader_for, MvtReader(), _MODELS)
_ARCHIVE: Final = ArchiveReader(FolderReader(reader_for, MvtReader(), _MODELS, archives=False))


def _is_mixed(path: Path) -> bool:
    """Tell an archive of models with something else in it that is read: a delivery, which is read as a folder is."""
    return any(
        is_zip(head)
        or is_tar(head)
        or any(reader.recognises(Path(name), head) for reader in READERS if reader is not _MODELS)
        for name, head in heads_beside(path)
    )


def looks_like(head: bytes) -> str:
    """Say what the first bytes of a file are, for the message that refuses it."""
    for mark, name in _LOOKS:
        if head.startswith(mark):
            return name
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    lower = text[:4096].lower()
    if lower.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if text.startswith(b"<"):
        return "CityGML or another GML" if b"gml" in lower else "XML"
    if text.startswith((b"{", b"[")):
        return "GeoJSON" if b'"Feature' in text else "JSON of another kind"
    if b"\x00" in head[:1024]:
        return "binary data of an unknown kind"
    return "plain text"


def _inflated_head(path: Path) -> bytes:
    try:
        with gzip.open(path) as file:
            return file.read(HEAD_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(path) from error


def _inflate(path: Path, target: Path) -> None:
    packed = path.stat().st_size
    done = 0
    try:
        with gzip.open(path) as source, target.open("wb") as out:
            while block := source.read(_COPY_BYTES):
                done += len(block)
                check_limit("INFLATED_BYTES_MAX", done, INFLATED_BYTES_MAX, "The unpacked size in bytes")
                if done > INFLATION_FREE_BYTES and done > INFLATION_RATIO_MAX * packed:
                    raise LimitExceeded(
                        f"{path.name} unpacks to more than {INFLATION_RATIO_MAX} times its size.",
                        hint="Unpack it yourself if you trust it, and ingest the file inside.",
                        limit="INFLATION_RATIO_MAX",
                        allowed=INFLATION_RATIO_MAX,
                    )
                out.write(block)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged(path) from error
