"""Terrain as a GeoTIFF of heights: triangles within a stated vertical error (see docs/terrain.md).

The raster is read block by block.  Each block becomes a right-triangulated irregular network
(:mod:`cim.geometry.rtin`) that keeps all nodes along its border, so that blocks fit, and is measured
against the raster that it came from.  The heights are those at the middles of the cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cim.city.model import HEIGHT_M_MAX, Attribute, CityObject
from cim.errors import InvalidInput, UnsupportedFormat
from cim.findings import Quality
from cim.geometry.ground import node_heights
from cim.geometry.rtin import check_vertical_error, refined
from ingest.readers.cityjson_source import LICENCE_UNSTATED
from ingest.readers.damage import damaged
from ingest.readers.limits import RASTER_BLOCK_BYTES_MAX, RASTER_CELLS_MAX, check_file_size, check_limit
from ingest.readers.source_crs import Projection, projection, source_crs
from ingest.readers.terrain_objects import chunk_id, chunk_object, chunks
from ingest.records import Progress, ReadContext, Record, SourceHeader

FloatArray = NDArray[np.float64]

VERTICAL_ERROR_M: Final = 0.25
"""How far the triangles may be from the raster, unless the option ``vertical_error_m`` says otherwise."""
BLOCK_CELLS: Final = 512
"""Cells along a block: it is triangulated on its own."""
METHOD: Final = "right-triangulated irregular network of a raster, greatest distance at its cells"
_MAGIC: Final = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_FEET_M: Final = {"ft": 0.3048, "foot": 0.3048, "feet": 0.3048, "us survey foot": 1200 / 3937, "us-ft": 1200 / 3937}
_METRES: Final = frozenset({"m", "metre", "meter", "metres", "meters"})


class GeoTiffReader:
    """Reads a GeoTIFF of heights."""

    name = "geotiff"
    version = "1"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002 -- the bytes say enough
        """Tell by the first bytes of a TIFF or BigTIFF."""
        return head.startswith(_MAGIC)

    def read(self, path: Path, context: ReadContext) -> Iterator[Record]:
        """Yield the header, then the terrain in pieces."""
        import rasterio  # noqa: PLC0415 -- heavy, and only this format needs it
        from rasterio._err import CPLE_BaseError  # noqa: PLC0415 -- what GDAL says of keys that it cannot read
        from rasterio.errors import CRSError, RasterioError  # noqa: PLC0415

        check_file_size(path)
        tolerance_m = check_vertical_error(context.options.get("vertical_error_m", VERTICAL_ERROR_M))
        env = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_CACHEMAX": 256, "VSI_CACHE": "FALSE"}
        try:
            with rasterio.Env(**env), rasterio.open(path, driver="GTiff") as raster:
                yield from self._read(raster, path, context, tolerance_m)
        except (RasterioError, CRSError, CPLE_BaseError) as error:
            raise damaged(path) from error

    def _read(self, raster: Any, path: Path, context: ReadContext, tolerance_m: float) -> Iterator[Record]:
        _check(raster, path)
        way = _way(raster, path, context)
        yield SourceHeader(
            title=path.name,
            working_crs=way.working_crs,
            vertical_datum=way.source.vertical_datum,
            ground="terrain",
            licence=LICENCE_UNSTATED,
            attribution=str(raster.tags().get("TIFFTAG_COPYRIGHT", ""))[:200],
            reader=self.name,
            reader_version=self.version,
        )
        reading = _Reading(raster, way, _unit_m(raster, way), tolerance_m, context.dataset)
        rows, columns = raster.height, raster.width
        for row in range(0, max(1, rows - 1), BLOCK_CELLS):
            for column in range(0, max(1, columns - 1), BLOCK_CELLS):
                yield from reading.block(row, column)
            yield Progress(min(rows, row + BLOCK_CELLS) * columns, rows * columns, "cells")


def _check(raster: Any, path: Path) -> None:
    """Refuse what is no raster of heights, and what would not fit."""
    if raster.count != 1 or raster.colorinterp[0].name in {"palette", "red"} or raster.dtypes[0].startswith("complex"):
        raise UnsupportedFormat(
            f"{path.name} is a picture of {raster.count} bands; a terrain has one band of heights.",
            hint="Write the heights into a file of one band.",
            file=path.name,
        )
    check_limit("RASTER_CELLS_MAX", raster.width * raster.height, RASTER_CELLS_MAX, "The number of cells")
    high, wide = raster.block_shapes[0]
    size = high * wide * np.dtype(raster.dtypes[0]).itemsize
    check_limit("RASTER_BLOCK_BYTES_MAX", size, RASTER_BLOCK_BYTES_MAX, "A strip or tile of the TIFF in bytes")
    if raster.width < 2 or raster.height < 2:
        raise InvalidInput(
            f"{path.name} has no area.", hint="Export the heights again.", code="raster-empty", file=path.name
        )
    if raster.transform.is_identity or raster.transform.is_degenerate:
        raise InvalidInput(
            f"{path.name} does not say where its cells lie.",
            hint="Write it as a GeoTIFF, for example with gdal_translate -a_ullr.",
            code="raster-unplaced",
            file=path.name,
        )


def _way(raster: Any, path: Path, context: ReadContext) -> Projection:
    stated = context.source_crs or (raster.crs.to_wkt() if raster.crs else None)
    source = source_crs(None, stated)
    east, north = _on_map(raster, np.array([raster.width / 2]), np.array([raster.height / 2]))
    if not np.isfinite((east, north)).all():
        raise InvalidInput(
            f"{path.name} does not say where its cells lie.",
            hint="Export it as a GeoTIFF with its place on the map.",
            code="raster-unplaced",
            file=path.name,
        )
    return projection(source, context.working_crs, (float(east[0]), float(north[0])))


def _on_map(raster: Any, columns: FloatArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the places of columns and rows, counted from the corner of the first cell, in the raster's CRS."""
    a, b, c, d, e, f = (float(value) for value in raster.transform[:6])
    return c + columns * a + rows * b, f + columns * d + rows * e


def _unit_m(raster: Any, way: Projection) -> float:
    """Return metres per unit of height: as the band says, else as its CRS says."""
    said = str(raster.units[0] or "").strip().lower()
    if said in _METRES:
        return 1.0
    return float(_FEET_M.get(said, way.source.height_unit_m))


@dataclass(slots=True)
class _Reading:
    """One raster on its way."""

    raster: Any
    way: Projection
    unit_m: float
    tolerance_m: float
    dataset: str

    def block(self, row: int, column: int) -> Iterator[CityObject]:
        """Yield the terrain of one block, whose first cell is given."""
        heights = self._heights(row, column)
        corners = refined(heights, self.tolerance_m)
        if not len(corners):
            return
        error_m = _measured(heights, corners)
        triangles = self._placed(heights, corners, row, column)
        sound = np.isfinite(triangles).all(axis=(1, 2))
        attributes = {
            "vertical_error_m": Attribute(round(error_m, 4), "m", Quality.MODELLED, (0.0, self.tolerance_m), METHOD)
        }
        name = f"block/{row // BLOCK_CELLS}-{column // BLOCK_CELLS}"
        for number, piece in enumerate(chunks(triangles[sound])):
            yield chunk_object(self.dataset, chunk_id(name, number), piece, "1", attributes)

    def _heights(self, row: int, column: int) -> FloatArray:
        """Return the heights of a block and of the cells along its end, metres, NaN for none: always square."""
        size = BLOCK_CELLS + 1
        rows, columns = min(size, self.raster.height - row), min(size, self.raster.width - column)
        window = ((row, row + rows), (column, column + columns))
        found = self.raster.read(1, window=window, masked=True)
        heights = np.full((size, size), np.nan)
        values = found.astype(np.float64).filled(np.nan) * self.raster.scales[0] + self.raster.offsets[0]
        values *= self.unit_m
        values[~(np.abs(values) < HEIGHT_M_MAX)] = np.nan
        heights[:rows, :columns] = values
        return heights

    def _placed(self, heights: FloatArray, corners: NDArray[np.int64], row: int, column: int) -> FloatArray:
        flat = corners.reshape(-1, 2)
        middles: FloatArray = np.add(flat, (row + 0.5, column + 0.5))
        x, y = _on_map(self.raster, middles[:, 1], middles[:, 0])
        # Heights are metres already; the projection is asked for the map alone.
        on_map = self.way(np.column_stack((x, y, np.zeros(len(flat)))))
        placed = np.column_stack((on_map[:, :2], heights[flat[:, 0], flat[:, 1]]))
        return placed.reshape(-1, 3, 3)


def _measured(heights: FloatArray, corners: NDArray[np.int64]) -> float:
    """Return how far the triangles are from the heights that they cover, at most, metres."""
    levels = heights[corners[..., 0], corners[..., 1]]
    placed: FloatArray = np.concatenate((corners.astype(np.float64), levels[..., None]), axis=2)
    found = node_heights(placed, (0.0, 0.0), 1.0, (heights.shape[0], heights.shape[1]))
    return float(np.nanmax(np.abs(found - heights), initial=0.0))
