"""Layers of vector files as Arrow batches: the one place that knows pyogrio (GDAL).

GeoPackage, Shapefile, FlatGeobuf and GeoJSON.  GDAL reads leniently, so what it would pass over in silence is
looked at here: a file that ends early, a layer without a defined coordinate system, rows that are no features.
"""

from __future__ import annotations

import mmap
import sqlite3
import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote

import pyarrow as pa
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError

from cim.errors import CimError, InvalidInput
from ingest.readers.damage import damaged
from ingest.readers.json_scan import UnclosedJson, members
from ingest.readers.limits import FEATURES_PER_BATCH, LAYERS_MAX, check_limit

GEOPACKAGE, SHAPEFILE, FLATGEOBUF, GEOJSON, TOPOJSON = "GeoPackage", "Shapefile", "FlatGeobuf", "GeoJSON", "TopoJSON"
_SQLITE: Final = b"SQLite format 3\x00"
_PACKAGE_MARKS: Final = (b"GPKG", b"GP10", b"GP11")
_SHAPE: Final = b"\x00\x00\x27\x0a"
_FLAT: Final = b"fgb"
_FAULTS: Final = (DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError, pa.ArrowException, OSError)
_VIEW: Final = "It is a view, which the file computes; export what it shows as a table."
_UNDEFINED: Final = ("undefined", "unknown", "unnamed")


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """What a layer says of itself; ``crs`` is WKT or a code, ``None`` where it defines none."""

    name: str
    crs: str | None
    crs_name: str
    kind: str
    columns: tuple[str, ...]
    features: int | None
    keyed: bool
    """Whether the numbers of its features are kept by the file, and are no places in it."""


@dataclass(frozen=True, slots=True)
class LayerBatch:
    """Some features of a layer: WKB or ``None`` each, their numbers, and their columns."""

    shapes: list[bytes | None]
    numbers: list[int]
    columns: dict[str, pa.Array]

    def __len__(self) -> int:
        return len(self.shapes)


class VectorSource(Protocol):
    """A file with layers of features."""

    def layers(self) -> Sequence[LayerInfo]:
        """Return its layers of features."""
        ...

    def left_out(self) -> Sequence[tuple[str, str, str]]:
        """Return name, code and reason of what in it is no layer of features."""
        ...

    def batches(
        self, layer: LayerInfo, columns: Sequence[str] | None = None, encoding: str | None = None
    ) -> Iterator[LayerBatch]:
        """Stream a layer, with some of its columns or all."""
        ...

    def glance(self, layer: LayerInfo, columns: Sequence[str], encoding: str | None = None) -> Iterator[LayerBatch]:
        """Stream a layer for a first look; a feature may come in pieces, and more than once."""
        ...


def format_of(path: Path, head: bytes) -> str | None:
    """Return which of these formats the first bytes show."""
    if head.startswith(_SQLITE):
        named = path.name.lower().endswith(".gpkg")
        return GEOPACKAGE if named or head[68:72] in _PACKAGE_MARKS else None
    for mark, kind in ((_SHAPE, SHAPEFILE), (_FLAT, FLATGEOBUF)):
        if head.startswith(mark):
            return kind
    return _json_kind(path, head)


def _json_kind(path: Path, head: bytes) -> str | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text.startswith(b"{") or b'"CityJSON' in text:
        return None
    tight = b"".join(text.split())
    if b'"type":"Topology"' in tight:
        return TOPOJSON
    if b'"type":"FeatureCollection"' in tight or b'"type":"Feature"' in tight:
        return GEOJSON
    named = path.name.lower().removesuffix(".gz").endswith((".geojson", ".topojson"))
    return GEOJSON if named else None


@contextmanager
def speaking_of(path: Path) -> Iterator[None]:
    """Turn what GDAL and Arrow raise into an error about the file; keep GDAL's warnings from the log."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except CimError:
        raise
    except _FAULTS as error:
        if isinstance(error, MemoryError):
            raise
        raise damaged(path) from error
    except (UnicodeDecodeError, UnicodeEncodeError, ValueError) as error:
        raise damaged(path, "holds names that cannot be read") from error


class OgrSource:
    """A file that GDAL reads."""

    def __init__(self, path: Path, kind: str) -> None:
        """Check what GDAL would not; raises :class:`InvalidInput`."""
        self.path = path
        self.kind = kind
        self._views = _views(path) if kind == GEOPACKAGE else frozenset()
        if kind == SHAPEFILE:
            _check_shapefile(path)
        elif kind in {GEOJSON, TOPOJSON}:
            _check_json(path)
        # A GeoPackage that was cut, or whose tables lie, is found by the count at the end of each layer.

    def layers(self) -> Sequence[LayerInfo]:
        """Return the layers that hold features with geometry."""
        with speaking_of(self.path):
            found = [(str(name), kind) for name, kind in pyogrio.list_layers(self.path).tolist()]
            check_limit("LAYERS_MAX", len(found), LAYERS_MAX, f"The number of layers of {self.path.name}")
            return [self._info(name) for name, kind in found if kind is not None and name not in self._views]

    def left_out(self) -> Sequence[tuple[str, str, str]]:
        """Return tables without geometry, and contents of a GeoPackage that are no features."""
        with speaking_of(self.path):
            plain = [str(name) for name, kind in pyogrio.list_layers(self.path).tolist() if kind is None]
        out = [(name, "layer-no-geometry", "The table has no geometry; it is not taken in.") for name in plain]
        out += [(name, "layer-view", _VIEW) for name in sorted(self._views)]
        if self.kind == GEOPACKAGE:
            out.extend(_coverages(self.path))
        return out

    def _info(self, name: str) -> LayerInfo:
        info = pyogrio.read_info(self.path, layer=name, force_feature_count=self.kind != GEOJSON)
        crs = info["crs"]
        crs_name = str(crs or "")[:200]
        if crs is not None and any(word in crs_name.lower() for word in _UNDEFINED):
            crs = None
        count = int(info["features"])
        return LayerInfo(
            name=name,
            crs=crs,
            crs_name=crs_name,
            kind=str(info["geometry_type"]),
            columns=tuple(str(column) for column in info["fields"]),
            features=count if count >= 0 else None,
            keyed=self.kind == GEOPACKAGE,
        )

    def glance(self, layer: LayerInfo, columns: Sequence[str], encoding: str | None = None) -> Iterator[LayerBatch]:
        """Stream a layer as it is."""
        return self.batches(layer, columns, encoding)

    def batches(
        self, layer: LayerInfo, columns: Sequence[str] | None = None, encoding: str | None = None
    ) -> Iterator[LayerBatch]:
        """Stream a layer; raises :class:`InvalidInput` where it ends before all features have come."""
        seen = 0
        with (
            speaking_of(self.path),
            pyogrio.open_arrow(
                self.path,
                layer=layer.name,
                columns=None if columns is None else list(columns),
                encoding=encoding,
                batch_size=FEATURES_PER_BATCH,
                return_fids=True,
                use_pyarrow=True,
            ) as (meta, stream),
        ):
            for batch in stream:
                seen += batch.num_rows
                yield _batch(batch, meta, layer)
        if layer.features is not None and seen < layer.features:
            raise damaged(self.path, f"ends after {seen:,} of {layer.features:,} features")


def _batch(batch: pa.RecordBatch, meta: dict[str, Any], layer: LayerInfo) -> LayerBatch:
    names = batch.schema.names
    shape = next(name for name in (meta["geometry_name"], "wkb_geometry", "geometry") if name and name in names)
    number = meta["fid_column"] or names[0]
    columns = {name: batch.column(name) for name in names if name in set(layer.columns)}
    return LayerBatch(batch.column(shape).to_pylist(), batch.column(number).to_pylist(), columns)


def _check_shapefile(path: Path) -> None:
    """Compare the length that the header states with the file's, and look for the siblings."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(100)
    stated = struct.unpack(">i", head[24:28])[0] * 2 if len(head) == 100 else -1
    if stated != size:
        raise damaged(path, f"is cut short or damaged: its header states {stated:,} bytes, it has {size:,}")
    beside = {other.name.lower(): other for other in path.parent.iterdir()}
    parts = {ending: beside.get(path.with_suffix(ending).name.lower()) for ending in (".shx", ".dbf")}
    missing = [ending for ending, other in parts.items() if other is None or not other.stat().st_size]
    if missing:
        raise InvalidInput(
            f"{path.name} has no {' and no '.join(missing)} beside it.",
            hint="A shapefile is several files of one name: keep .shp, .shx, .dbf and .prj together, or zip them.",
            code="sibling-missing",
            file=path.name,
        )
    index, table = parts[".shx"], parts[".dbf"]
    assert index is not None
    assert table is not None
    shapes = (index.stat().st_size - 100) // 8
    with table.open("rb") as file:
        head = file.read(12)
    rows, first, width = struct.unpack("<4xIHH", head) if len(head) == 12 else (-1, 0, 0)
    if rows != shapes or table.stat().st_size < first + rows * width:
        raise damaged(path, f"does not fit its table: {shapes:,} shapes, {max(0, rows):,} rows, or a table cut short")


def _check_json(path: Path) -> None:
    """Refuse JSON that ends inside a value; GDAL would take the features before it."""
    closes = True
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        try:
            for _ in members(memoryview(text), 3 if text[:3] == b"\xef\xbb\xbf" else 0):
                pass
        except UnclosedJson:
            # Raised again outside: until then its frames hold the map open.
            closes = False
    if not closes:
        raise damaged(path, "is cut short: its brackets do not close")


def _views(path: Path) -> frozenset[str]:
    """Return the views of a GeoPackage: each is a program of the file's, which need not end."""
    query = "SELECT name FROM sqlite_master WHERE type = 'view'"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)) as database:
            return frozenset(str(name) for (name,) in database.execute(query))
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise damaged(path) from error


def _coverages(path: Path) -> list[tuple[str, str, str]]:
    """Return the pictures and elevation grids of a GeoPackage, which are no features."""
    query = (
        "SELECT c.table_name, c.data_type, s.srs_name, s.organization FROM gpkg_contents c "
        "LEFT JOIN gpkg_spatial_ref_sys s ON c.srs_id = s.srs_id WHERE c.data_type IN ('tiles', '2d-gridded-coverage')"
    )
    rows: list[list[object]] = []
    with suppress(*_FAULTS, ValueError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, table = pyogrio.read_arrow(path, sql=query, read_geometry=False)
        rows = [list(row.values()) for row in table.to_pylist()]
    out = []
    for name, kind, srs, organisation in rows:
        what = "an elevation grid" if kind == "2d-gridded-coverage" else "a picture"
        if str(organisation or "NONE").upper() == "NONE":
            reason = (
                f"The coordinate system of this layer, {str(srs)[:60]!r}, is not defined in the file. Assign it the "
                "right one (gdal_edit -a_srs EPSG:…, or QGIS: Assign projection) and export it as GeoTIFF."
            )
            out.append((str(name), "crs-missing", f"It is {what}. {reason}"))
        else:
            out.append((str(name), "layer-not-vector", f"It is {what}; export it as GeoTIFF to take it in as terrain."))
    return out
