"""GeoParquet (OGC 24-013, versions 1.0 and 1.1): one layer of WKB in a Parquet table, by row groups.

The wheel of GDAL has no Parquet driver, so the table is read with Arrow and the geometry by the metadata's word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from cim.errors import InvalidInput
from ingest.readers.damage import damaged
from ingest.readers.limits import COLUMNS_MAX, FEATURES_PER_BATCH, ROW_GROUP_BYTES_MAX, check_limit
from ingest.readers.vector_source import LayerBatch, LayerInfo, speaking_of

MARK: Final = b"PAR1"
_KEY: Final = b"geo"
_DEFAULT_CRS: Final = "OGC:CRS84"
_WKB: Final = "WKB"


def is_geoparquet(path: Path, head: bytes) -> bool:
    """Tell by the mark, and by the metadata at the file's end; a file cut short is told by its name."""
    if not head.startswith(MARK):
        return False
    try:
        return _KEY in (pq.read_metadata(path).metadata or {})
    except (pa.ArrowException, OSError):
        return path.name.lower().endswith(".geoparquet")


class GeoParquetSource:
    """The layer of a GeoParquet file."""

    def __init__(self, path: Path) -> None:
        """Read the metadata; raises :class:`InvalidInput`."""
        self.path = path
        with speaking_of(path):
            self._file = pq.ParquetFile(path)
            metadata = self._file.metadata
            check_limit("COLUMNS_MAX", metadata.num_columns, COLUMNS_MAX, f"The number of columns of {path.name}")
            for group in range(metadata.num_row_groups):
                size = metadata.row_group(group).total_byte_size
                check_limit("ROW_GROUP_BYTES_MAX", size, ROW_GROUP_BYTES_MAX, f"A row group of {path.name} in bytes")
            self._column, self._said = _geometry(path, metadata.metadata or {}, self._file.schema_arrow)

    def layers(self) -> Sequence[LayerInfo]:
        """Return the one layer."""
        # A crs of null says that nobody knows; none at all means longitude and latitude.
        said = self._said.get("crs", _DEFAULT_CRS)
        crs = orjson.dumps(said).decode() if isinstance(said, dict) else said
        kinds = {str(kind).partition(" ")[0].removeprefix("Multi") for kind in self._said.get("geometry_types") or ()}
        name = str(said.get("name", "")) if isinstance(said, dict) else str(said or "")
        return [
            LayerInfo(
                name=self.path.name.partition(".")[0],
                crs=crs if isinstance(crs, str) else None,
                crs_name=name[:200],
                kind=kinds.pop() if len(kinds) == 1 else "Unknown",
                columns=tuple(one for one in self._file.schema_arrow.names if one not in self._shapes()),
                features=int(self._file.metadata.num_rows),
                keyed=False,
            )
        ]

    def _shapes(self) -> set[str]:
        """Return the columns that are geometry or its boxes."""
        covering = self._said.get("covering")
        boxes = covering.get("bbox", {}) if isinstance(covering, dict) else {}
        named = {str(path[0]) for path in boxes.values() if isinstance(path, list) and path}
        return {self._column, *named}

    def left_out(self) -> Sequence[tuple[str, str, str]]:
        """Return nothing: a table is one layer."""
        return []

    def glance(self, layer: LayerInfo, columns: Sequence[str], encoding: str | None = None) -> Iterator[LayerBatch]:
        """Stream the table as it is."""
        return self.batches(layer, columns, encoding)

    def batches(
        self, layer: LayerInfo, columns: Sequence[str] | None = None, encoding: str | None = None
    ) -> Iterator[LayerBatch]:
        """Stream the table by row groups."""
        del encoding
        names = list(layer.columns if columns is None else columns)
        seen = 0
        with speaking_of(self.path):
            for batch in self._file.iter_batches(FEATURES_PER_BATCH, columns=[self._column, *names]):
                shapes = batch.column(self._column).to_pylist()
                numbers = list(range(seen, seen + batch.num_rows))
                seen += batch.num_rows
                yield LayerBatch(shapes, numbers, {name: batch.column(name) for name in names})


def _geometry(path: Path, metadata: dict[bytes, bytes], schema: pa.Schema) -> tuple[str, dict[str, Any]]:
    """Return the primary geometry column and what the metadata say of it."""
    try:
        said = orjson.loads(metadata.get(_KEY, b""))
        column = said["primary_column"]
        members = said["columns"][column]
        encoding = members["encoding"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise damaged(path, "has no GeoParquet metadata that can be read") from error
    kinds = (pa.types.is_binary, pa.types.is_large_binary)
    if column not in schema.names or not any(kind(schema.field(column).type) for kind in kinds):
        raise damaged(path, "names a geometry column that it does not have, or that holds no bytes")
    if encoding != _WKB:
        raise InvalidInput(
            f"The geometry of {path.name} is encoded as {str(encoding)[:40]!r}, which is not read.",
            hint="Write the file with the encoding WKB.",
            code="geometry-encoding",
            file=path.name,
        )
    return str(column), members
