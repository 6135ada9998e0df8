"""Buildings from a folder of Mapbox vector tiles (``zoom/x/y.pbf``), as web maps publish them.

The tiles of the deepest zoom are read with GDAL, unclipped.  A feature that tiles cut, or that comes as several
faces of one roof, has one id in all of them: its pieces are united and stand as one object.  A first look notes
in which tile an id comes last, so that memory holds the pieces of a column of tiles only.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyogrio
import shapely

from cim.errors import InvalidInput
from ingest.readers.damage import damaged
from ingest.readers.limits import FEATURES_PER_BATCH, MEMBERS_MAX, TILE_BYTES_MAX, check_limit
from ingest.readers.mvt_frames import BrokenTile, layers_of
from ingest.readers.vector import VectorReader
from ingest.readers.vector_source import LayerBatch, LayerInfo, VectorSource, speaking_of

WEB_MERCATOR: Final = "EPSG:3857"
ID: Final = "mvt_id"
_AGAIN: Final = "Download or copy the tiles again; tiles packed with gzip have to be unpacked."
_TILE: Final = re.compile(r"(\d{1,2})/(\d{1,8})/(\d{1,8})\.(?:pbf|mvt)")
_LOOKED_AT_MAX: Final = 64


@dataclass(frozen=True, slots=True, order=True)
class _Tile:
    x: int
    y: int
    path: Path


class MvtReader(VectorReader):
    """Reads a folder of vector tiles; the mapping and other options are those of vector files."""

    name = "mvt"
    version = "1"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002 -- a folder has no first bytes
        """Tell by the names of the first files."""
        return path.is_dir() and next(_tile_paths(path, _LOOKED_AT_MAX), None) is not None

    def open(self, path: Path) -> VectorSource:
        """Return the layers of the tiles."""
        return MvtSource(path)


def _tile_paths(folder: Path, looked_at_max: int = MEMBERS_MAX) -> Iterator[tuple[int, _Tile]]:
    """Yield zoom and tile; of a folder that is none only a few names are looked at."""
    for zoom in sorted(one for one in folder.iterdir() if one.name.isdigit() and len(one.name) <= 2 and one.is_dir()):
        for number, file in enumerate(zoom.glob("*/*")):
            if number >= looked_at_max:
                break
            match = _TILE.fullmatch(file.relative_to(folder).as_posix())
            if match is not None and file.is_file() and not file.is_symlink():
                yield int(match[1]), _Tile(int(match[2]), int(match[3]), file)


@dataclass(slots=True)
class _Pieces:
    """The pieces of the ids that have not come for the last time."""

    shapes: dict[int, list[shapely.Geometry]] = field(default_factory=dict)
    rows: dict[int, dict[str, object]] = field(default_factory=dict)


class MvtSource:
    """The layers of a folder of tiles."""

    def __init__(self, path: Path) -> None:
        """Find the tiles of the deepest zoom and check that each is whole."""
        self.path = path
        found = list(_tile_paths(path))
        self.zoom = max((zoom for zoom, _ in found), default=0)
        self.tiles = sorted(tile for zoom, tile in found if zoom == self.zoom)
        self._other = len(found) - len(self.tiles)
        self._counts: dict[str, int] = {}
        self._holding: dict[str, list[_Tile]] = {}
        for tile in self.tiles:
            self._check(tile)
        self._last: dict[str, dict[int, int]] = {}

    def _check(self, tile: _Tile) -> None:
        check_limit("TILE_BYTES_MAX", tile.path.stat().st_size, TILE_BYTES_MAX, f"The size of tile {self._name(tile)}")
        try:
            frames = layers_of(tile.path.read_bytes())
        except BrokenTile:
            raise damaged(self.path, within=f"The tile {self._name(tile)}", hint=_AGAIN) from None
        for frame in frames:
            if frame.features:
                self._counts[frame.name] = self._counts.get(frame.name, 0) + frame.features
                self._holding.setdefault(frame.name, []).append(tile)

    def _name(self, tile: _Tile) -> str:
        return f"{self.zoom}/{tile.x}/{tile.y}"

    def layers(self) -> Sequence[LayerInfo]:
        """Return the layers; the count is that of their pieces."""
        return [
            LayerInfo(name, WEB_MERCATOR, WEB_MERCATOR, "Unknown", self._columns(name), None, keyed=True)
            for name in sorted(self._counts)
        ]

    def _columns(self, name: str) -> tuple[str, ...]:
        with speaking_of(self.path):
            info = pyogrio.read_info(f"MVT:{self._holding[name][0].path}", layer=name)
        return tuple(str(column) for column in info["fields"] if column != ID)

    def left_out(self) -> Sequence[tuple[str, str, str]]:
        """Return the zooms that are not read."""
        if not self._other:
            return []
        reason = f"{self._other:,} tiles of coarser zooms show the same; zoom {self.zoom} is read."
        return [("tiles", "layer-coarser", reason)]

    def glance(self, layer: LayerInfo, columns: Sequence[str], encoding: str | None = None) -> Iterator[LayerBatch]:
        """Yield the pieces tile by tile, and note where each id comes last."""
        del encoding
        last = self._last.setdefault(layer.name, {})
        for number, tile in enumerate(self._holding[layer.name]):
            shapes, table = self._read(tile, layer)
            ids = table[ID].to_pylist()
            last.update(dict.fromkeys(ids, number))
            yield LayerBatch(shapes, ids, {name: _combined(table, name) for name in columns})

    def batches(
        self, layer: LayerInfo, columns: Sequence[str] | None = None, encoding: str | None = None
    ) -> Iterator[LayerBatch]:
        """Yield each feature once, its pieces united, as soon as its last tile was read."""
        del encoding
        names = layer.columns if columns is None else columns
        last = self._last[layer.name]
        waiting = _Pieces()
        ready: list[int] = []
        for number, tile in enumerate(self._holding[layer.name]):
            shapes, table = self._read(tile, layer)
            ids = table[ID].to_pylist()
            rows = table.select([name for name in names if name in table.column_names]).to_pylist()
            decoded = shapely.from_wkb(np.array(shapes, dtype=object), on_invalid="fix").tolist()
            for key, shape, row in zip(ids, decoded, rows, strict=True):
                waiting.shapes.setdefault(key, []).append(shape)
                waiting.rows.setdefault(key, row)
            ready += [key for key in dict.fromkeys(ids) if last[key] == number]
            while len(ready) >= FEATURES_PER_BATCH:
                yield _united(waiting, ready[:FEATURES_PER_BATCH], names)
                ready = ready[FEATURES_PER_BATCH:]
        if ready:
            yield _united(waiting, ready, names)

    def _read(self, tile: _Tile, layer: LayerInfo) -> tuple[list[bytes | None], pa.Table]:
        """Return the shapes of a tile's layer as WKB, Web Mercator metres, and the features' columns."""
        with speaking_of(self.path), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            meta, table = pyogrio.read_arrow(f"MVT:{tile.path}", layer=layer.name, CLIP="NO")
        shape = meta["geometry_name"] or "wkb_geometry"
        if ID not in table.column_names or table[ID].null_count:
            raise InvalidInput(
                f"The features of the tile {self._name(tile)} have no ids, so what the tiles cut cannot be joined.",
                hint="Publish the tiles with ids, or ingest the data that they were made from.",
                code="tile-no-ids",
            )
        return table[shape].to_pylist(), table


def _combined(table: pa.Table, name: str) -> pa.Array:
    """Return a column as one array, of nulls where this tile has none of that name."""
    if name not in table.column_names:
        return pa.nulls(table.num_rows)
    column = table[name].combine_chunks()
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _united(waiting: _Pieces, keys: list[int], names: Sequence[str]) -> LayerBatch:
    shapes = np.empty(len(keys), dtype=object)
    for row, key in enumerate(keys):
        pieces = [piece for piece in waiting.shapes.pop(key) if piece is not None]
        shapes[row] = pieces[0] if len(pieces) == 1 else shapely.union_all(pieces) if pieces else None
    rows = [waiting.rows.pop(key) for key in keys]
    wkb: list[bytes | None] = shapely.to_wkb(shapes).tolist()
    return LayerBatch(wkb, keys, {name: pa.array([row.get(name) for row in rows]) for name in names})
