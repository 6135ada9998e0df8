"""Which buildings there are, where, and how heavy: read from the rows' columns, without a look at any geometry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from tiles.soup import FloatArray, IntArray
from tiles.tree import Members

BUILDING: Final = "Building"
PART: Final = "BuildingPart"
_BYTES_PER_CORNER: Final = 16
_BYTES_PER_VERTEX: Final = 24
_VERTICES_PER_CORNER: Final = 5
BODY_KINDS: Final = ("MultiPoint", "MultiLineString")
"""Kinds of geometry that have no surfaces."""


@dataclass(frozen=True, slots=True)
class Stock:
    """The buildings of a table of rows: those that lie somewhere, and the ids of those that do not.

    ``missing`` are ids of parents that are not among the rows.

    ``rows`` are the rows of all buildings and parts, with the ``parent_id`` of each adopted part filled in.
    """

    members: Members
    nowhere: list[str]
    missing: frozenset[str]
    rows: pa.Table


def read_stock(objects: pa.Table, geometries: pa.Table) -> Stock:
    """Return the buildings among rows with the columns of ``cim.city.columns``."""
    types = objects["type"]
    wanted = pc.is_in(types, pa.array([BUILDING, PART], types.type))
    rows = adopted(objects.filter(wanted) if not pc.all(wanted).as_py() else objects)
    column = rows["id"].combine_chunks()
    if not pc.all(pc.less(column[:-1], column[1:])).as_py():
        rows = rows.take(pc.sort_indices(column))
    ids = rows["id"].to_numpy(zero_copy_only=False)
    box = np.column_stack([_numbers(rows, name) for name in ("xmin", "ymin", "xmax", "ymax")])
    weight = _weights(rows, geometries)
    top_of = _tops(ids, rows["parent_id"])
    below = np.flatnonzero(top_of != np.arange(len(ids)))
    parts: dict[str, list[str]] = {}
    if len(below):
        above = top_of[below]
        for part, top in zip(ids[below].tolist(), ids[above].tolist(), strict=True):
            parts.setdefault(top, []).append(part)
        np.add.at(weight, above, weight[below])
        # A building that has no place of its own lies where its parts do.
        lost = ~np.isfinite(box[above]).all(axis=1)
        for side, reduce in enumerate((np.fmin, np.fmin, np.fmax, np.fmax)):
            reduce.at(box[:, side], above[lost], box[below[lost], side])
    tops = np.flatnonzero(top_of == np.arange(len(ids)))
    placed = np.isfinite(box[tops]).all(axis=1)
    there = tops[placed]
    found = Members(ids[there].tolist(), box[there], weight[there], parts, there)
    parents = pc.unique(rows["parent_id"].combine_chunks())
    missing = parents.filter(pc.invert(pc.is_in(parents, rows["id"].combine_chunks()))).drop_null()
    return Stock(found, ids[tops[~placed]].tolist(), frozenset(missing.to_pylist()), rows)


def _numbers(rows: pa.Table, name: str) -> FloatArray:
    numbers: FloatArray = rows[name].to_numpy(zero_copy_only=False).astype(np.float64)
    return numbers


def _weights(rows: pa.Table, geometries: pa.Table) -> FloatArray:
    """Return about how many vertices each row will need: a whole number, by the lengths of what is stored."""
    place = pc.fill_null(pc.binary_length(rows["place"]), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    weight: IntArray = place // _BYTES_PER_CORNER * _VERTICES_PER_CORNER
    if geometries.num_rows:
        solid = geometries.filter(pc.invert(pc.is_in(geometries["kind"], pa.array(BODY_KINDS, pa.string()))))
        row = pc.index_in(solid["object_id"], rows["id"].combine_chunks()).to_numpy(zero_copy_only=False)
        size = pc.binary_length(solid["surfaces"]).to_numpy(zero_copy_only=False).astype(np.int64)
        known = np.isfinite(row.astype(np.float64))
        np.maximum.at(weight, row[known].astype(np.int64), size[known] // _BYTES_PER_VERTEX)
    result: FloatArray = weight.astype(np.float64)
    return result


def _tops(ids: NDArray[np.object_], parent_ids: pa.ChunkedArray) -> IntArray:
    """Return the row of the building that each row belongs to: its own for one that is no part."""
    top_of = np.arange(len(ids))
    below = np.flatnonzero(parent_ids.is_valid().to_numpy(zero_copy_only=False))
    if not len(below):
        return top_of
    parents = parent_ids.to_pylist()
    row_of = {name: row for row, name in enumerate(ids.tolist())}
    for row in below.tolist():
        top, seen = row, {row}
        while (up := row_of.get(parents[top] or "")) is not None and up not in seen:
            seen.add(up)
            top = up
        top_of[row] = top
    return top_of


def adopted(rows: pa.Table) -> pa.Table:
    """Return rows of buildings and parts in which a part without a parent has the building that it lies in.

    Of several the one with the least id.
    """
    orphan = pc.and_(pc.equal(rows["type"], PART), pc.is_null(rows["parent_id"]))
    if not pc.any(orphan).as_py():
        return rows
    lost = np.flatnonzero(orphan.to_numpy(zero_copy_only=False))
    hosts = np.flatnonzero(pc.equal(rows["type"], BUILDING).to_numpy(zero_copy_only=False))
    hosts = hosts[np.argsort(np.array(rows["id"].take(pa.array(hosts)).to_pylist(), dtype=object), kind="stable")]
    places = shapely.from_wkb(rows["place"].to_numpy(zero_copy_only=False))
    hosts = hosts[~shapely.is_missing(places[hosts])]
    lost = lost[~shapely.is_missing(places[lost])]
    part, host = shapely.STRtree(places[hosts]).query(shapely.point_on_surface(places[lost]), predicate="within")
    parents = rows["parent_id"].to_pylist()
    order = np.lexsort((host, part))
    for row, above in zip(lost[part[order]].tolist()[::-1], hosts[host[order]].tolist()[::-1], strict=True):
        parents[row] = rows["id"][above].as_py()
    at = rows.column_names.index("parent_id")
    return rows.set_column(at, "parent_id", pa.array(parents, rows.schema.field("parent_id").type))
