"""Rows of the store as the numpy columns that the checks take; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import shapely

from cim.city.columns import surface_table
from cim.city.rows import GeometryRows, ObjectRows
from cim.geometry.surfaces import KINDS, GeometryKind

OBJECTS_AT_ONCE: Final = 4_000
_KINDS: Final[dict[str, GeometryKind]] = {kind: kind for kind in KINDS}


def batches_of(objects: pa.Table, geometries: pa.Table) -> Iterator[ObjectRows]:
    """Yield all objects of two tables of :mod:`cim.city.columns`, some thousand at a time, without points and lines."""
    ids = objects["id"].to_pylist()
    row_of = {identifier: row for row, identifier in enumerate(ids)}
    owners = np.array([row_of.get(owner, -1) for owner in geometries["object_id"].to_pylist()], dtype=np.int64)
    order = np.argsort(owners, kind="stable")
    order = order[owners[order] >= 0]
    starts = np.searchsorted(owners[order], np.arange(0, len(ids) + OBJECTS_AT_ONCE, OBJECTS_AT_ONCE))
    for number, first in enumerate(range(0, len(ids), OBJECTS_AT_ONCE)):
        own = order[starts[number] : starts[number + 1]]
        yield _rows(objects.slice(first, OBJECTS_AT_ONCE), geometries.take(pa.array(own)), owners[own] - first)


def _rows(objects: pa.Table, geometries: pa.Table, owners: np.ndarray[tuple[int], np.dtype[np.int64]]) -> ObjectRows:
    kinds, lods, structures = (geometries[name].to_pylist() for name in ("kind", "lod", "structure"))
    table = surface_table(kinds, np.array(geometries["surfaces"].to_pylist(), dtype=object))
    rows = table.rows.tolist()
    rings, surfaces = np.diff(table.surface_ends, prepend=0), np.diff(table.geometry_ends, prepend=0)
    vertices = np.diff(table.ring_ends, prepend=0)
    ring_offsets = np.concatenate(([0], table.surface_ends))[np.concatenate(([0], table.geometry_ends))]
    vertex_offsets = np.concatenate(([0], table.ring_ends))[ring_offsets]
    return ObjectRows(
        ids=objects["id"].to_pylist(),
        types=objects["type"].to_pylist(),
        parents=objects["parent_id"].to_pylist(),
        attributes=objects["attributes"].to_pylist(),
        places=shapely.from_wkb(np.array(objects["place"].to_pylist(), dtype=object)),
        geometries=GeometryRows(
            owners=owners[table.rows],
            kinds=[_KINDS[kinds[row]] for row in rows],
            lods=[lods[row] for row in rows],
            structures=[structures[row] for row in rows],
            coordinates=table.coordinates,
            vertices=np.diff(vertex_offsets),
            rings=np.diff(ring_offsets),
            surfaces=surfaces,
            ring_counts=vertices,
            surface_counts=rings,
        ),
    )
