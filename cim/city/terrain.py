"""The terrain that a city brings: the triangles of its relief objects; pure."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cim.city.columns import surface_table
from cim.geometry.ragged import Rings
from cim.geometry.surfaces import lod_rank
from cim.geometry.triangles import cut_surfaces

TERRAIN_TYPE: Final = "TINRelief"
TERRAIN_GROUND: Final = "terrain"
"""What the frame of a city says where its ground is that of its relief."""


def terrain_triangles(objects: pa.Table, geometries: pa.Table) -> NDArray[np.float64]:
    """Return the triangles, shape (t, 3, 3), metres of the working CRS, of all reliefs at their finest level.

    ``objects`` and ``geometries`` have the columns of :mod:`cim.city.columns`.
    """
    types = objects["type"].to_numpy(zero_copy_only=False)
    ids = set(objects["id"].filter(pa.array(types == TERRAIN_TYPE)).to_pylist())
    if not ids:
        return np.empty((0, 3, 3))
    best: dict[str, tuple[float, int]] = {}
    columns = (geometries[name].to_pylist() for name in ("object_id", "lod", "kind"))
    for row, (owner, lod, kind) in enumerate(zip(*columns, strict=True)):
        if owner in ids and kind in {"MultiSurface", "CompositeSurface"}:
            level = lod_rank(lod)
            if owner not in best or level > best[owner][0]:
                best[owner] = (level, row)
    chosen = geometries.take(pa.array(sorted(row for _, row in best.values()), pa.int64()))
    if not chosen.num_rows:
        return np.empty((0, 3, 3))
    table = surface_table(chosen["kind"].to_pylist(), chosen["surfaces"].to_numpy(zero_copy_only=False))
    triangles, _ = cut_surfaces(Rings(table.coordinates, table.ring_ends, table.surface_ends))
    return triangles
