"""Limits of the readers, all in one place so that an error can name the one that was hit."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cim.errors import LimitExceeded

FILE_BYTES_MAX: Final = 64 * 1024**3
"""Size of a file on disk."""

INFLATED_BYTES_MAX: Final = 16 * 1024**3
"""What a gzip file may unpack to."""

INFLATION_RATIO_MAX: Final = 200
"""Unpacked over packed bytes, once ``INFLATION_FREE_BYTES`` are unpacked; city models reach about 12."""

INFLATION_FREE_BYTES: Final = 64 * 1024**2
"""Unpacked bytes below which the ratio is not looked at."""

FEATURE_BYTES_MAX: Final = 256 * 1024**2
"""JSON text of one feature."""

NESTING_MAX: Final = 64
"""Brackets inside brackets in JSON; a MultiSolid with all its members needs 12."""

XML_FEATURE_BYTES_MAX: Final = 64 * 1024**2
"""XML text of one feature of a GML file; the triangles of a relief are taken one by one."""

XML_DEPTH_MAX: Final = 256
"""Elements inside elements, as libxml2 bounds them."""

XML_TEXT_BYTES_MAX: Final = 10_000_000
"""One text or attribute in XML, as libxml2 bounds it."""

XML_LINKED_BYTES_MAX: Final = 256 * 1024**2
"""XML text of all elements of a GML file that features elsewhere in it refer to."""

XML_NODES_MAX: Final = 500_000
"""Elements that the references of one feature lead to, counted once per way to them."""

RASTER_CELLS_MAX: Final = 250_000_000
"""Cells of one raster of heights."""

RASTER_BLOCK_BYTES_MAX: Final = 256 * 1024**2
"""One strip or tile of a TIFF, which is unpacked as a whole."""

VERTICES_BYTES_MAX: Final = 8 * 1024**3
"""JSON text of the vertex list of one CityJSON document."""

HEAD_BYTES: Final = 64 * 1024
"""How much of a file is looked at to tell what it is."""

NETWORK_ELEMENTS_MAX: Final = 5_000_000
"""Nodes and links of one network, which is one record."""

LINE_BYTES_MAX: Final = 64 * 1024
"""One line of an EPANET file."""

FEATURES_PER_BATCH: Final = 8_192
"""Features of a vector file that are read together."""

LAYERS_MAX: Final = 1_000
"""Layers of one vector file."""

COLUMNS_MAX: Final = 2_000
"""Columns of one layer."""

ROW_GROUP_BYTES_MAX: Final = 2 * 1024**3
"""One row group of a Parquet table, unpacked."""

TILE_BYTES_MAX: Final = 64 * 1024**2
"""One vector tile."""

MEMBERS_MAX: Final = 100_000
"""Files in one archive or folder."""

ARCHIVE_BYTES_MAX: Final = 16 * 1024**3
"""What an archive may unpack to."""

PATH_DEPTH_MAX: Final = 32
"""Folders inside folders."""


def check_limit(name: str, value: int, limit: int, what: str) -> None:
    """Raise :class:`LimitExceeded` that names the limit when ``value`` is above it."""
    if value > limit:
        raise LimitExceeded(
            f"{what} is {value:,}; the limit {name} is {limit:,}.",
            hint="Split the file into smaller ones.",
            limit=name,
            value=value,
            allowed=limit,
        )


def check_file_size(path: Path) -> int:
    """Return the size of a file in bytes, at most ``FILE_BYTES_MAX``."""
    size = path.stat().st_size
    check_limit("FILE_BYTES_MAX", size, FILE_BYTES_MAX, f"The size of {path.name} in bytes")
    return size
