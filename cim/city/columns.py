"""City objects as Arrow columns: the form in which they cross processes and enter the store.

Surfaces travel as WKB ``MULTIPOLYGON Z`` (lines as ``MULTILINESTRING Z``, points as ``MULTIPOINT Z``),
so that any tool can read a row; what WKB cannot say (which surfaces make a shell, which shells a solid, what
each surface means) stands beside it as JSON.  Encoding and decoding are vectorised over whole
batches: a ragged numpy layout in, a ragged numpy layout out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from cim.city.model import Attribute, CityObject
from cim.city.rows import GeometryRows, ObjectRows, boxes_of, geometry_rows
from cim.findings import Quality
from cim.geometry.surfaces import KINDS, NO_ENDS, Geometry, GeometryKind, Semantics
from cim.geometry.wkb import multipolygons_from_wkb, multipolygons_to_wkb, offsets_of

OBJECT_SCHEMA: Final = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("parent_id", pa.string()),
        pa.field("attributes", pa.string(), nullable=False),
        pa.field("place", pa.binary()),
        *(pa.field(name, pa.float64()) for name in ("xmin", "ymin", "zmin", "xmax", "ymax", "zmax")),
    ]
)
"""One row per object; ``place`` is 2D WKB; the box covers place and geometries, metres."""

GEOMETRY_SCHEMA: Final = pa.schema(
    [
        pa.field("object_id", pa.string(), nullable=False),
        pa.field("lod", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("surfaces", pa.binary(), nullable=False),
        pa.field("structure", pa.string()),
    ]
)
"""One row per geometry; ``surfaces`` is 3D WKB, ``structure`` JSON or null."""


def attributes_to_json(attributes: Mapping[str, Attribute]) -> str:
    """Return attributes as compact JSON, leaving out what has its default."""
    return orjson.dumps({name: _attribute_members(attribute) for name, attribute in attributes.items()}).decode()


def attributes_from_json(text: str) -> dict[str, Attribute]:
    """Return the attributes of a row."""
    return {
        name: Attribute(
            value=members.get("v"),
            unit=members.get("u"),
            quality=Quality(members.get("q", "recorded")),
            interval=tuple(members["i"]) if "i" in members else None,
            method=members.get("m"),
            source=members.get("s", ""),
        )
        for name, members in orjson.loads(text).items()
    }


def _attribute_members(attribute: Attribute) -> dict[str, Any]:
    members: dict[str, Any] = {"v": attribute.value}
    if attribute.unit is not None:
        members["u"] = attribute.unit
    if attribute.quality is not Quality.RECORDED:
        members["q"] = attribute.quality.value
    if attribute.interval is not None:
        members["i"] = list(attribute.interval)
    if attribute.method is not None:
        members["m"] = attribute.method
    if attribute.source:
        members["s"] = attribute.source
    return members


def objects_to_columns(objects: Sequence[CityObject]) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """Return the object rows and the geometry rows of some objects."""
    return rows_to_columns(objects_to_rows(objects))


def objects_to_rows(objects: Sequence[CityObject]) -> ObjectRows:
    """Return some objects as columns of numpy."""
    geometries = [g for o in objects for g in o.geometries]
    owners = [row for row, o in enumerate(objects) for _ in o.geometries]
    return ObjectRows(
        ids=[o.id for o in objects],
        types=[o.type for o in objects],
        parents=[o.parent_id for o in objects],
        attributes=[attributes_to_json(o.attributes) for o in objects],
        places=np.array([o.place for o in objects], dtype=object),
        geometries=geometry_rows(geometries, owners, [_structure_json(g) for g in geometries]),
    )


def rows_to_columns(rows: ObjectRows) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """Return the same rows as Arrow columns."""
    geometries = rows.geometries
    boxes = boxes_of(rows)
    ids = pa.array(rows.ids, pa.string())
    objects = pa.RecordBatch.from_arrays(
        [
            ids,
            pa.array(rows.types, pa.string()),
            pa.array([identifier.partition(":")[0] for identifier in rows.ids], pa.string()),
            pa.array(rows.parents, pa.string()),
            pa.array(rows.attributes, pa.string()),
            pa.array(shapely.to_wkb(rows.places, output_dimension=2).tolist(), pa.binary()),
            *(pa.array(boxes[:, column], pa.float64(), from_pandas=True) for column in range(6)),
        ],
        schema=OBJECT_SCHEMA,
    )
    shapes = pa.RecordBatch.from_arrays(
        [
            ids.take(pa.array(geometries.owners)),
            pa.array(geometries.lods, pa.string()),
            pa.array(geometries.kinds, pa.string()),
            geometries_to_wkb(geometries),
            pa.array(geometries.structures, pa.string()),
        ],
        schema=GEOMETRY_SCHEMA,
    )
    return objects, shapes


def _structure_json(geometry: Geometry) -> str | None:
    meaning = geometry.semantics
    return structure_to_json(
        geometry.shell_ends.tolist(),
        geometry.solid_ends.tolist(),
        None if meaning is None else (meaning.surfaces, meaning.values.tolist()),
    )


def structure_to_json(
    shell_ends: list[int], solid_ends: list[int], semantics: tuple[Sequence[dict[str, Any]], list[int]] | None
) -> str | None:
    """Return what WKB cannot say of a geometry: its shells, its solids, and what its surfaces mean."""
    structure: dict[str, Any] = {}
    if shell_ends:
        structure["shells"] = shell_ends
    if solid_ends:
        structure["solids"] = solid_ends
    if semantics is not None:
        structure["semantics"] = {"surfaces": semantics[0], "values": semantics[1]}
    return orjson.dumps(structure).decode() if structure else None


def geometries_to_wkb(geometries: GeometryRows) -> pa.Array:
    """Return WKB with Z for each geometry: surfaces in one pass, points and lines, which are rare, by GEOS."""
    thick = geometries.surfaces > 0
    # Only rings that belong to surfaces: lines have rings, too.
    in_surface = np.repeat(thick, geometries.rings)
    vertex_kept = np.repeat(thick, geometries.vertices)
    bytes_, offsets = multipolygons_to_wkb(
        geometries.coordinates if thick.all() else geometries.coordinates[vertex_kept],
        geometries.ring_counts[in_surface],
        geometries.surface_counts,
        geometries.surfaces[thick],
    )
    surfaces = pa.Array.from_buffers(
        pa.binary(), int(thick.sum()), [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(bytes_)]
    )
    if thick.all():
        return surfaces
    rows = np.flatnonzero(~thick)
    thin = pa.array(shapely.to_wkb(_thin_shapes(geometries, rows), output_dimension=3).tolist(), pa.binary())
    places = np.empty(len(geometries), dtype=np.int64)
    places[thick] = np.arange(len(surfaces))
    places[rows] = len(surfaces) + np.arange(len(rows))
    return pa.concat_arrays([surfaces, thin]).take(pa.array(places))


def _thin_shapes(geometries: GeometryRows, rows: NDArray[np.int64]) -> NDArray[np.object_]:
    vertices, rings = offsets_of(geometries.vertices), offsets_of(geometries.rings)
    shapes = np.empty(len(rows), dtype=object)
    for item, row in enumerate(rows.tolist()):
        points = geometries.coordinates[vertices[row] : vertices[row + 1]]
        counts = geometries.ring_counts[rings[row] : rings[row + 1]]
        if geometries.kinds[row] == "MultiPoint":
            shapes[item] = shapely.MultiPoint(points)
        else:
            shapes[item] = shapely.MultiLineString(np.split(points, np.cumsum(counts)[:-1]))
    return shapes


@dataclass(frozen=True, slots=True)
class SurfaceTable:
    """All polygonal geometries of a batch in one ragged layout, ready for vectorised work.

    ``coordinates`` (n, 3) metres; rings do not repeat their first vertex; ``geometry_ends[i]`` says
    where the surfaces of ``rows[i]`` (its row in the batch that was decoded) end.
    """

    rows: NDArray[np.int64]
    coordinates: NDArray[np.float64]
    ring_ends: NDArray[np.int64]
    surface_ends: NDArray[np.int64]
    geometry_ends: NDArray[np.int64]


def surface_table(kinds: Sequence[str], wkb: NDArray[np.object_]) -> SurfaceTable:
    """Decode the polygonal rows among ``wkb`` in one pass."""
    rows = np.array(
        [row for row, kind in enumerate(kinds) if kind not in ("MultiPoint", "MultiLineString")], dtype=np.int64
    )
    if not len(rows):
        empty = np.empty(0, dtype=np.int64)
        return SurfaceTable(rows, np.empty((0, 3)), empty, empty, empty)
    found = multipolygons_from_wkb(wkb[rows].tolist())
    if found is not None:
        coordinates, *sizes = found
        ring_ends, surface_ends, geometry_ends = (np.cumsum(size) for size in sizes)
        return SurfaceTable(rows, coordinates, ring_ends, surface_ends, geometry_ends)
    _, closed, offsets = shapely.to_ragged_array(shapely.from_wkb(wkb[rows]), include_z=True)
    ring_offsets, surface_offsets, geometry_offsets = (np.asarray(o, dtype=np.int64) for o in offsets)
    keep = np.ones(len(closed), dtype=bool)
    keep[ring_offsets[1:] - 1] = False
    ring_ends = ring_offsets[1:] - np.arange(1, len(ring_offsets))
    return SurfaceTable(rows, closed[keep], ring_ends, surface_offsets[1:], geometry_offsets[1:])


def columns_to_objects(rows: pa.Table, geometries: pa.Table) -> list[CityObject]:
    """Return the objects of some rows; extra columns are ignored."""
    by_owner: dict[str, list[Geometry]] = {}
    for owner, geometry in zip(geometries["object_id"].to_pylist(), _geometries(geometries), strict=True):
        by_owner.setdefault(owner, []).append(geometry)
    places = shapely.from_wkb(np.array(rows["place"].to_pylist(), dtype=object)).tolist()
    columns = (rows[name].to_pylist() for name in ("id", "type", "parent_id", "attributes"))
    return [
        CityObject(
            id=identifier,
            type=type_,
            place=place,
            geometries=tuple(by_owner.get(identifier, ())),
            attributes=attributes_from_json(attributes),
            parent_id=parent_id,
        )
        for identifier, type_, parent_id, attributes, place in zip(*columns, places, strict=True)
    ]


def _geometries(table: pa.Table) -> list[Geometry]:
    kinds = table["kind"].to_pylist()
    lods = table["lod"].to_pylist()
    structures = [orjson.loads(text) if text else {} for text in table["structure"].to_pylist()]
    wkb = np.array(table["surfaces"].to_pylist(), dtype=object)
    out: list[Geometry | None] = [None] * len(kinds)
    polygonal = surface_table(kinds, wkb)
    for index, row in enumerate(polygonal.rows.tolist()):
        out[row] = _slice(polygonal, index, kinds[row], lods[row], structures[row])
    for row, kind in enumerate(kinds):
        if out[row] is None:
            out[row] = _thin(kind, lods[row], shapely.from_wkb(wkb[row]))
    return [geometry for geometry in out if geometry is not None]


def _slice(table: SurfaceTable, index: int, kind: str, lod: str, structure: dict[str, Any]) -> Geometry:
    first_surface = int(table.geometry_ends[index - 1]) if index else 0
    last_surface = int(table.geometry_ends[index])
    first_ring = int(table.surface_ends[first_surface - 1]) if first_surface else 0
    last_ring = int(table.surface_ends[last_surface - 1])
    first = int(table.ring_ends[first_ring - 1]) if first_ring else 0
    last = int(table.ring_ends[last_ring - 1])
    meaning = structure.get("semantics")
    return Geometry(
        kind=_kind(kind),
        lod=lod,
        coordinates=table.coordinates[first:last],
        ring_ends=(table.ring_ends[first_ring:last_ring] - first).astype(np.int32),
        surface_ends=(table.surface_ends[first_surface:last_surface] - first_ring).astype(np.int32),
        shell_ends=np.array(structure.get("shells", ()), dtype=np.int32),
        solid_ends=np.array(structure.get("solids", ()), dtype=np.int32),
        semantics=None
        if meaning is None
        else Semantics(tuple(meaning["surfaces"]), np.array(meaning["values"], dtype=np.int32)),
    )


def _thin(kind: str, lod: str, geometry: shapely.Geometry) -> Geometry:
    coordinates = shapely.get_coordinates(geometry, include_z=True)
    if kind == "MultiPoint":
        return Geometry(kind="MultiPoint", lod=lod, coordinates=coordinates)
    counts = shapely.get_num_coordinates(shapely.get_parts(geometry))
    ends = np.cumsum(counts).astype(np.int32)
    return Geometry(kind="MultiLineString", lod=lod, coordinates=coordinates, ring_ends=ends, surface_ends=NO_ENDS)


def _kind(text: str) -> GeometryKind:
    for kind in KINDS:
        if kind == text:
            return kind
    raise ValueError(text)
