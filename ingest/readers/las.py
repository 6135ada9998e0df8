"""LAS and LAZ point clouds: their ground as terrain (ASPRS LAS 1.4 R15; LAZ through lazrs).

The points of class 2 (ground) are averaged in cells of a metre or more, what buildings and trees cover is filled
from around, and the raster goes the way of any other (:mod:`ingest.readers.geotiff`).  The points themselves
become a tileset of their own: ``cim tiles points``.  Memory: two numbers per cell, and a million points.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cim.city.model import HEIGHT_M_MAX
from cim.errors import InvalidInput
from cim.findings import Finding, Severity, Verdict
from cim.geometry.crs import parse_crs
from ingest.readers.damage import damaged
from ingest.readers.geotiff import GeoTiffReader
from ingest.readers.limits import check_file_size, check_limit
from ingest.readers.source_crs import SourceCrs, source_crs
from ingest.records import Progress, ReadContext, Record, SourceHeader

FloatArray = NDArray[np.float64]

GROUND_CLASS: Final = 2
CELL_M: Final = 1.0
CELLS_MAX: Final = 64_000_000
"""Cells of the ground of one cloud; of a larger area the cells are larger."""

CELLS_FEW: Final = 1_000_000
"""Cells that any cloud may have; beyond it there are no more cells than points."""

BOX_SHARE_MIN: Final = 0.01
"""Part of the header's box in which the ground has to lie where the box is too large for cells of a metre."""

POINTS_MAX: Final = 20_000_000_000
FILLED_M: Final = 100.0
"""How far from a ground point the ground is still filled in: half of a large building."""

CHUNK_POINTS: Final = 1_000_000
_MARK: Final = b"LASF"
_OLD_HEADER_BYTES, _HEADER_BYTES = 227, 375
_RECORD_BYTES, _EXTENDED_BYTES, _POINT_BYTES_MIN = 54, 60, 20
_PACKED: Final = 0x80
"""The bit of the point format that says LAZ."""


class LasReader:
    """Reads the ground of a LAS or LAZ file."""

    name = "las"
    version = "1"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002 -- the bytes say enough
        """Tell by the first bytes."""
        return head.startswith(_MARK)

    def read(self, path: Path, context: ReadContext) -> Iterator[Record]:
        """Yield the header, then the terrain in pieces."""
        check_file_size(path)
        with tempfile.TemporaryDirectory(prefix="cim-las-") as folder:
            raster = Path(folder) / "ground.tif"
            source = yield from self._rasterise(path, raster, context)
            for record in GeoTiffReader().read(raster, replace(context, source_crs=source.horizontal)):
                if isinstance(record, SourceHeader):
                    yield replace(
                        record,
                        title=path.name,
                        reader=self.name,
                        reader_version=self.version,
                        vertical_datum=source.vertical_datum,
                    )
                else:
                    yield record

    def _rasterise(self, path: Path, raster: Path, context: ReadContext) -> Generator[Record, None, SourceCrs]:
        """Write the ground as a raster; returns the CRS of the cloud."""
        import laspy  # noqa: PLC0415 -- only this format needs it

        check_header(path)
        try:
            with laspy.open(path) as cloud:
                source = source_crs(None, context.source_crs or _stated(cloud.header))
                check_limit("POINTS_MAX", int(cloud.header.point_count), POINTS_MAX, "The number of points")
                grid = _Grid.over(cloud.header, source, path)
                for number, points in enumerate(cloud.chunk_iterator(CHUNK_POINTS), 1):
                    grid.add(points)
                    yield Progress(
                        min(number * CHUNK_POINTS, cloud.header.point_count), cloud.header.point_count, "points"
                    )
        except InvalidInput:
            raise
        except (laspy.LaspyException, ValueError, OverflowError, EOFError, OSError, MemoryError, IndexError, TypeError,
                AssertionError, RuntimeError) as error:  # fmt: skip
            # What a damaged file makes the library say is not told by one kind of error.
            raise damaged(path) from error
        grid.check(path)
        if grid.outside:
            yield Finding(
                "las-points-outside",
                "points outside of the box in the header",
                Verdict.DISCUSS,
                Severity.DISCUSS,
                measured=float(grid.outside),
                limit=0.0,
            )
        grid.write(raster, source)
        return source


def _stated(header: Any) -> str | None:
    """Return what the file says of its CRS."""
    try:
        crs = header.parse_crs()
    except Exception:  # noqa: BLE001 -- keys that name no CRS are a file that says none
        return None
    return None if crs is None else str(crs.to_wkt())


@dataclass(slots=True)
class _Grid:
    """Sums and counts of the heights of ground points, cell by cell, the first row in the north."""

    west: float
    north: float
    cell: float
    total: FloatArray
    count: NDArray[np.int32]
    unit_m: float
    unit_x_m: float
    outside: int = 0

    @classmethod
    def over(cls, header: Any, source: SourceCrs, path: Path) -> _Grid:
        """Return the grid over the box of a cloud."""
        low, high = np.array(header.mins[:2], dtype=np.float64), np.array(header.maxs[:2], dtype=np.float64)
        size = high - low
        if not (np.isfinite(size).all() and (size >= 0).all() and (np.abs([low, high]) < 1e8).all()):
            raise damaged(path)
        if source.is_geographic:
            raise InvalidInput(
                "The points are in degrees.",
                hint="Project the cloud to metres first, for example with PDAL.",
                code="las-degrees",
            )
        unit_m = float(parse_crs(source.horizontal).axis_info[0].unit_conversion_factor)
        cells = min(CELLS_MAX, max(CELLS_FEW, int(header.point_count)))
        cell = max(CELL_M / unit_m, float(np.sqrt(np.prod(size) / cells)), float(size.max()) / 60_000)
        columns, rows = (np.floor(size / cell).astype(int) + 2).tolist()
        return cls(
            west=float(low[0]),
            north=float(high[1]),
            cell=cell,
            total=np.zeros((rows, columns)),
            count=np.zeros((rows, columns), dtype=np.int32),
            unit_m=source.height_unit_m,
            unit_x_m=unit_m,
        )

    def add(self, points: Any) -> None:
        """Add the ground among some points."""
        ground = np.asarray(points.classification) == GROUND_CLASS
        if not ground.any():
            return
        x, y, z = (np.asarray(axis, dtype=np.float64)[ground] for axis in (points.x, points.y, points.z))
        z = z * self.unit_m
        with np.errstate(invalid="ignore"):
            column = np.floor((x - self.west) / self.cell)
            row = np.floor((self.north - y) / self.cell)
            rows, columns = self.total.shape
            inside = (column >= 0) & (row >= 0) & (column < columns) & (row < rows) & (np.abs(z) < HEIGHT_M_MAX)
        self.outside += int((~inside).sum())
        cells = row[inside].astype(np.int64) * columns + column[inside].astype(np.int64)
        # In place: a temporary of the whole grid for each chunk would double the memory.
        np.add.at(self.total.reshape(-1), cells, z[inside])
        np.add.at(self.count.reshape(-1), cells, 1)

    def check(self, path: Path) -> None:
        """Raise :class:`InvalidInput` where there is no ground, or where the header's box is no box of it."""
        known = self.count > 0
        if not known.any() and not self.outside:
            raise InvalidInput(
                f"{path.name} has no ground: no point is of class 2. The city is unchanged.",
                hint="Classify the ground first. The points alone: cim tiles points FILE OUT",
                code="las-no-ground",
            )
        if known.any():
            rows, columns = (np.ptp(np.flatnonzero(known.any(axis=axis))) + 1 for axis in (1, 0))
            if self.cell * self.unit_x_m <= CELL_M or rows * columns >= BOX_SHARE_MIN * known.size:
                return
        raise InvalidInput(
            f"The ground of {path.name} does not lie in the box that its header states, or in very little of it, "
            "or at no height on Earth. The city is unchanged.",
            hint="Write the header anew, for example with PDAL or las2las.",
            code="las-box",
            file=path.name,
        )

    def write(self, raster: Path, source: SourceCrs) -> None:
        """Write the mean heights, gaps filled, in metres."""
        import rasterio  # noqa: PLC0415 -- heavy, and only this step needs it
        from rasterio.fill import fillnodata  # noqa: PLC0415
        from rasterio.transform import Affine  # noqa: PLC0415

        known = self.count > 0
        heights = np.where(known, self.total / np.maximum(self.count, 1), 0.0).astype(np.float32)
        reach = FILLED_M / (self.cell * self.unit_x_m)
        filled = fillnodata(heights, known.astype(np.uint8), max_search_distance=max(1.0, reach))
        near = _within(known, int(np.ceil(reach)))
        filled[~near] = np.nan
        with rasterio.open(
            raster, "w", driver="GTiff", width=filled.shape[1], height=filled.shape[0], count=1, dtype="float32",
            crs=source.horizontal, transform=Affine(self.cell, 0.0, self.west, 0.0, -self.cell, self.north),
            nodata=np.nan, tiled=True, blockxsize=256, blockysize=256,
        ) as out:  # fmt: skip
            out.write(filled, 1)
            out.units = ("m",)


def _within(known: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Return the cells that are within some cells of a known one, in the metric of a square."""
    from scipy.ndimage import maximum_filter  # noqa: PLC0415 -- heavy, and only this step needs it

    near: NDArray[np.bool_] = maximum_filter(known.astype(np.uint8), size=2 * reach + 1, mode="constant") > 0
    return near


def check_header(path: Path) -> None:
    """Refuse a header whose counts the file is too short for: the library would believe them."""
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    size = path.stat().st_size
    if len(head) < _OLD_HEADER_BYTES:
        raise damaged(path)
    own, start, records, form, length, count = struct.unpack_from("<HIIBHI", head, 94)
    extended, points = 0, count
    if head[25] >= 4:
        if len(head) < _HEADER_BYTES:
            raise damaged(path)
        extended, points = struct.unpack_from("<IQ", head, 243)
    packed = form & _PACKED
    whole = start <= size and own <= start and records * _RECORD_BYTES <= start - own and length >= _POINT_BYTES_MIN
    if not whole or extended * _EXTENDED_BYTES > size or (not packed and start + points * length > size):
        raise damaged(path)
