"""Files through the readers into tiles, and tiles back to places on the Earth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyproj
from numpy.typing import NDArray

from ingest.columns import gather
from ingest.prepared import ObjectBatch
from ingest.readers.registry import reader_for
from ingest.records import ReadContext
from tests.readers_independent.tile_reader import Tile

EARTH = pyproj.Transformer.from_crs("EPSG:4978", "EPSG:4979")


def tables_of(*sources: tuple[str, Path], working_crs: str) -> tuple[pa.Table, pa.Table]:
    """Objects and geometries of some files, as (dataset, path)."""
    found = [
        piece
        for dataset, path in sources
        for piece in gather(reader_for(path).read(path, ReadContext(dataset, working_crs)))
        if isinstance(piece, ObjectBatch)
    ]
    return (
        pa.Table.from_batches([batch.objects for batch in found]),
        pa.Table.from_batches([batch.geometries for batch in found]),
    )


def tiles_of(folder: Path) -> list[tuple[Tile, NDArray[np.float64]]]:
    """The tiles without children of a tileset and all tilesets that it leads to, each with its way to the Earth."""
    found: list[tuple[Tile, NDArray[np.float64]]] = []

    def walk(tile: dict[str, Any], base: Path, above: NDArray[np.float64]) -> None:
        own = np.array(tile.get("transform", np.eye(4).T.ravel())).reshape(4, 4).T
        here = above @ own
        for child in tile.get("children", ()):
            walk(child, base, here)
        uri = tile.get("content", {}).get("uri", "")
        if uri.endswith(".json"):
            document = json.loads((base / uri).read_text(encoding="utf-8"))
            walk(document["root"], (base / uri).parent, here)
        elif uri and "children" not in tile:
            found.append((Tile(base / uri), here))

    walk(json.loads((folder / "tileset.json").read_text(encoding="utf-8"))["root"], folder, np.eye(4))
    return found


def on_earth(tile: Tile, way: NDArray[np.float64], primitive: int = 0) -> NDArray[np.float64]:
    """Latitude, longitude, height of the vertices that a primitive draws, by pyproj from Earth-centred metres."""
    local = np.array(tile.positions(primitive))
    ecef = np.column_stack((local, np.ones(len(local)))) @ way.T
    return np.column_stack(EARTH.transform(*ecef[:, :3].T))


def heights_on(triangles: NDArray[np.float64], xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Heights of triangles (t, 3, 3) at places, one triangle after the other by hand; NaN beside all of them."""
    found = np.full(len(xy), np.nan)
    for a, b, c in triangles:
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if abs(area) < 1e-12:
            continue
        x, y = xy[:, 0] - a[0], xy[:, 1] - a[1]
        s = (x * (c[1] - a[1]) - y * (c[0] - a[0])) / area
        t = ((b[0] - a[0]) * y - (b[1] - a[1]) * x) / area
        inside = (s >= 0) & (t >= 0) & (s + t <= 1)
        found[inside] = (a[2] + s * (b[2] - a[2]) + t * (c[2] - a[2]))[inside]
    return found
