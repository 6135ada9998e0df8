"""The city as light sees it: solids, parks and ground of one baseline, or of what a scheme puts in their place.

The most detailed surfaces of an object from LoD 1 count; what has only a place and a height is an upright
block; the parts of a building stand for it.  Trees are left out, as in the rules that count hours of sun.
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

from cim.city.columns import SurfaceTable, objects_to_columns, surface_table
from cim.city.model import CityObject
from cim.city.terrain import terrain_triangles
from cim.geometry.ground import Ground, even_ground, ground_of_terrain, places_apart
from cim.geometry.surfaces import lod_rank
from cim.impact.light.walls import (
    HANGING_M,
    Faces,
    FloatArray,
    IntArray,
    faces_of_bodies,
    faces_of_prisms,
    join_faces,
    undersides,
)
from cim.impact.uses import OPEN_STRUCTURES, PARK_WORDS, UNKNOWN, floor_use

SOLID_TYPES: Final = ("Building", "BuildingPart")
PARK_TYPES: Final = ("PlantCover", "LandUse")
HOME_USES: Final = ("residential", UNKNOWN)
"""Uses that count as homes; a building whose use nobody states counts too, so that no home is missed."""
STOREY_M: Final = 3.2
STOREY_M_LIMITS: Final = (2.5, 6.0)
COVERED_SHARE: Final = 0.9
"""Parts that cover this much of a building's outline stand for all of it."""
BLOCK_M_MIN: Final = 0.1
SUNK_M: Final = 0.05
FOOT_BAND_M: Final = 0.3
RELIEF_M: Final = 1_000.0
"""A relief further than this from all that stands in the city is left out of the light."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Objects in rows: who they are, where they stand, and their faces.

    ``box`` (n, 6): xmin ymin zmin xmax ymax zmax of the solids, NaN where an object has none; ``top_row`` (n,)
    is the building that a part belongs to; ``storey_m`` (n,) floor to floor; ``park`` polygons or ``None``.
    """

    ids: list[str]
    names: list[str]
    row_of: Mapping[str, int]
    top_row: IntArray
    home: NDArray[np.bool_]
    ground_m: FloatArray
    storey_m: FloatArray
    box: FloatArray
    park: NDArray[np.object_]
    faces: Faces
    ground: Ground

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class _Facts:
    """Columns read from the attributes, NaN or ``""`` where missing."""

    height_m: FloatArray
    storeys: FloatArray
    ground_m: FloatArray
    floor_m: FloatArray
    function: NDArray[np.object_]
    name: NDArray[np.object_]
    uses: list[frozenset[str]]
    """Uses of the storeys where they are told one by one, else of the whole."""


def scene_of_objects(objects: Sequence[CityObject], *, ground: Ground | None = None, flat: bool = True) -> Scene:
    """Return the scene of some objects, in the same way as :func:`scene_of_tables`."""
    rows, geometries = objects_to_columns(objects)
    return scene_of_tables(pa.table(rows), pa.table(geometries), ground=ground, flat=flat)


def scene_of_tables(
    objects: pa.Table, geometries: pa.Table, *, ground: Ground | None = None, flat: bool = True
) -> Scene:
    """Return the scene of the store's rows of objects and geometries.

    ``ground`` is that of the base where rows of a scheme are read; else it is even at 0 m (``flat``), or
    that of the city's reliefs, or, where it has none, laid through the feet of the buildings.
    """
    kinds = objects["type"].to_numpy(zero_copy_only=False)
    wanted = pa.array(np.flatnonzero(np.isin(kinds, (*SOLID_TYPES, *PARK_TYPES))))
    table = objects.take(wanted)
    ids: list[str] = table["id"].to_pylist()
    row_of = {identifier: row for row, identifier in enumerate(ids)}
    kinds = table["type"].to_numpy(zero_copy_only=False)
    solid = np.isin(kinds, SOLID_TYPES)
    facts = _read_facts(table["attributes"].to_pylist())
    places = shapely.force_2d(shapely.from_wkb(np.array(table["place"].to_pylist(), dtype=object)))
    bodies, body_owner = _best_bodies(geometries, row_of)
    feet = _feet(bodies, body_owner, len(ids))
    if ground is None:
        known = np.empty((0, 3)) if flat else _ground_places(bodies, body_owner, feet, facts, places)
        relief = np.empty((0, 3, 3)) if flat else _near(terrain_triangles(objects, geometries), places)
        ground = even_ground() if flat else ground_of_terrain(relief, places_apart(known))
    middle = _middles(places)
    stands = np.where(
        np.isfinite(feet), feet, np.where(np.isfinite(facts.ground_m), facts.ground_m, ground.height_m(middle))
    )
    top_row = _top_rows(table["parent_id"].to_pylist(), row_of)
    drawn = np.isin(np.arange(len(ids)), body_owner)
    prisms = _prisms(places, facts, stands, top_row, solid, drawn)
    owner_of_row = np.full(geometries.num_rows if not bodies.rows.size else int(bodies.rows.max()) + 1, -1)
    owner_of_row[bodies.rows] = body_owner
    row_foot = np.zeros(len(owner_of_row))
    row_foot[bodies.rows] = stands[body_owner]
    faces = join_faces([prisms, faces_of_bodies(bodies, owner_of_row, row_foot)])
    words = facts.function
    is_park = (np.isin(words, sorted(PARK_WORDS)) | ((words == "") & (kinds == "PlantCover"))) & _polygonal(places)
    is_park &= np.isin(kinds, PARK_TYPES)
    is_home = np.array([not uses.isdisjoint(HOME_USES) for uses in facts.uses], dtype=bool)
    park = np.full(len(ids), None, dtype=object)
    park[is_park] = shapely.make_valid(places[is_park])
    return Scene(
        ids=ids,
        names=facts.name.tolist(),
        row_of=row_of,
        top_row=top_row,
        home=solid & is_home & ~np.isin(words, sorted(OPEN_STRUCTURES)),
        ground_m=stands,
        storey_m=_storeys(facts),
        box=_boxes(faces, len(ids)),
        park=park,
        faces=faces,
        ground=ground,
    )


def _read_facts(texts: Sequence[str]) -> _Facts:
    members = [orjson.loads(text) for text in texts]

    def numbers(name: str) -> FloatArray:
        return np.array([_number(m.get(name, {}).get("v")) for m in members], dtype=np.float64)

    def words(name: str) -> NDArray[np.object_]:
        found = np.empty(len(members), dtype=object)
        found[:] = [value if isinstance(value := m.get(name, {}).get("v"), str) else "" for m in members]
        return found

    function = words("function")
    function[:] = [word.strip().lower() for word in function]
    storeys = [m.get("storeys", {}).get("v") or () for m in members]
    uses = [
        frozenset(str(use) for _, use in told) or frozenset({floor_use(word)})
        for told, word in zip(storeys, function.tolist(), strict=True)
    ]
    return _Facts(
        numbers("height_m"), numbers("storeys_above_ground"), numbers("ground_m"), numbers("min_height_m"),
        function, words("name"), uses,
    )  # fmt: skip


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else np.nan


def _polygonal(places: NDArray[np.object_]) -> NDArray[np.bool_]:
    kinds = (int(shapely.GeometryType.POLYGON), int(shapely.GeometryType.MULTIPOLYGON))
    found: NDArray[np.bool_] = np.isin(shapely.get_type_id(places), kinds)
    return found


def _middles(places: NDArray[np.object_]) -> FloatArray:
    bounds = np.nan_to_num(shapely.bounds(places).reshape(-1, 4))
    return np.column_stack(((bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2))


def _best_bodies(geometries: pa.Table, row_of: Mapping[str, int]) -> tuple[SurfaceTable, IntArray]:
    """Return the most detailed surfaces of each object, and the object's row for each geometry."""
    best: dict[int, tuple[float, int]] = {}
    columns = (geometries[name].to_pylist() for name in ("object_id", "lod", "kind"))
    for index, (owner, lod, kind) in enumerate(zip(*columns, strict=True)):
        row = row_of.get(owner)
        level = lod_rank(lod)
        if row is None or kind in {"MultiPoint", "MultiLineString"} or level < 1.0:
            continue
        if level > best.get(row, (0.0, 0))[0]:
            best[row] = (level, index)
    chosen = sorted((index, row) for row, (_, index) in best.items())
    taken = geometries.take(pa.array([index for index, _ in chosen], pa.int64()))
    table = surface_table(taken["kind"].to_pylist(), taken["surfaces"].to_numpy(zero_copy_only=False))
    return table, np.array([row for _, row in chosen], dtype=np.int64)


def _vertex_owner(bodies: SurfaceTable, body_owner: IntArray) -> IntArray:
    vertex_ends = bodies.ring_ends[bodies.surface_ends[bodies.geometry_ends - 1] - 1]
    return np.repeat(body_owner, np.diff(vertex_ends, prepend=0))


def _feet(bodies: SurfaceTable, body_owner: IntArray, count: int) -> FloatArray:
    """Return the lowest vertex of each object with surfaces, NaN for the others."""
    feet = np.full(count, np.inf)
    if len(body_owner):
        np.minimum.at(feet, _vertex_owner(bodies, body_owner), bodies.coordinates[:, 2])
    return np.where(np.isfinite(feet), feet, np.nan)


def _ground_places(
    bodies: SurfaceTable, body_owner: IntArray, feet: FloatArray, facts: _Facts, places: NDArray[np.object_]
) -> FloatArray:
    """Return places of known height, shape (n, 3): feet of bodies, and what blocks state of their ground."""
    stated = np.flatnonzero(np.isnan(feet) & np.isfinite(facts.ground_m) & ~shapely.is_missing(places))
    known = np.column_stack((_middles(places[stated]), facts.ground_m[stated]))
    if not len(body_owner):
        return known
    low = bodies.coordinates[:, 2] < feet[_vertex_owner(bodies, body_owner)] + FOOT_BAND_M
    return np.concatenate((known, bodies.coordinates[low]))


def _near(triangles: FloatArray, places: NDArray[np.object_]) -> FloatArray:
    """Return the triangles of a relief whose shade can reach what stands in the city."""
    if not len(triangles) or shapely.is_missing(places).all():
        return triangles
    west, south, east, north = shapely.total_bounds(places)
    low, high = triangles.min(axis=1), triangles.max(axis=1)
    near = (low[:, 0] < east + RELIEF_M) & (high[:, 0] > west - RELIEF_M)
    near &= (low[:, 1] < north + RELIEF_M) & (high[:, 1] > south - RELIEF_M)
    kept: FloatArray = triangles[near]
    return kept


def _top_rows(parents: Sequence[str | None], row_of: Mapping[str, int]) -> IntArray:
    top = np.arange(len(parents))
    for row in [row for row, parent in enumerate(parents) if parent]:
        seen, at = {row}, row
        while (up := row_of.get(parents[at] or "")) is not None and up not in seen:
            seen.add(up)
            top[row] = at = up
    return top


def _prisms(
    places: NDArray[np.object_],
    facts: _Facts,
    stands: FloatArray,
    top_row: IntArray,
    solid: NDArray[np.bool_],
    drawn: NDArray[np.bool_],
) -> Faces:
    """Return blocks of the solids that have a place and a height and no surfaces."""
    height = np.where(np.isnan(facts.height_m), facts.storeys * STOREY_M, facts.height_m)
    floor = np.nan_to_num(facts.floor_m)
    rows = np.flatnonzero(solid & ~drawn & _polygonal(places))
    parts = rows[top_row[rows] != rows]
    height[parts] = np.where(np.isnan(height[parts]), height[top_row[parts]], height[parts])
    shapes = places.copy()
    # Where a building or one of its parts has surfaces, those stand for it.
    bodied = np.unique(top_row[np.flatnonzero(drawn)])
    rows = rows[~np.isin(top_row[rows], bodied)]
    for row in np.unique(top_row[np.intersect1d(rows, parts)]).tolist():
        own = parts[(top_row[parts] == row) & (height[parts] > 0)]
        if len(own) and row in rows:
            _outline_without(row, own, shapes, height)
    rows = rows[(height[rows] - floor[rows] >= BLOCK_M_MIN) & ~shapely.is_empty(shapes[rows])]
    polygons, origin = _single(shapes[rows])
    owner = rows[origin]
    hangs = floor[owner] > HANGING_M
    low = stands[owner] + np.where(hangs, floor[owner], -SUNK_M)
    blocks = faces_of_prisms(polygons, owner, low, stands[owner] + height[owner])
    return join_faces([blocks, undersides(polygons[hangs], owner[hangs], low[hangs])])


def _outline_without(row: int, parts: IntArray, shapes: NDArray[np.object_], height: FloatArray) -> None:
    """Leave of a building's outline only what its parts do not cover, as high as they are in the mean."""
    rest = shapely.make_valid(shapes[row]).difference(shapely.union_all(shapely.make_valid(shapes[parts])))
    if rest.area <= (1.0 - COVERED_SHARE) * shapes[row].area:
        shapes[row] = shapely.Polygon()
        return
    shapes[row] = rest
    mean = float(np.average(height[parts], weights=shapely.area(shapes[parts])))
    height[row] = mean if np.isnan(height[row]) else min(float(height[row]), mean)


def _single(places: NDArray[np.object_]) -> tuple[NDArray[np.object_], IntArray]:
    """Return valid single polygons, counter-clockwise, and the row that each comes from."""
    parts, origin = shapely.get_parts(shapely.make_valid(places), return_index=True)
    again, inner = shapely.get_parts(parts, return_index=True)
    keep = shapely.get_type_id(again) == int(shapely.GeometryType.POLYGON)
    rows: IntArray = origin[inner][keep].astype(np.int64)
    return shapely.orient_polygons(again[keep]), rows


def _storeys(facts: _Facts) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        each = facts.height_m / facts.storeys
    least, most = STOREY_M_LIMITS
    storeys: FloatArray = np.where(np.isfinite(each), np.clip(each, least, most), STOREY_M)
    return storeys


def _boxes(faces: Faces, count: int) -> FloatArray:
    """Return the box of each object's faces, shape (count, 6), NaN where it has none."""
    box: FloatArray = np.repeat([[np.inf] * 3 + [-np.inf] * 3], count, axis=0)
    walls, slopes = faces.walls.reshape(-1, 2, 4), faces.slopes.reshape(-1, 3, 3)
    for owner, x, y, low, high in (
        (faces.wall_owner, walls[:, :, 0], walls[:, :, 1], walls[:, :, 2], walls[:, :, 3]),
        (faces.slope_owner, slopes[:, :, 0], slopes[:, :, 1], slopes[:, :, 2], slopes[:, :, 2]),
    ):
        for column, values in enumerate((x, y, low)):
            np.minimum.at(box[:, column], owner, values.min(axis=1))
        for column, values in enumerate((x, y, high)):
            np.maximum.at(box[:, column + 3], owner, values.max(axis=1))
    box[~np.isfinite(box).all(axis=1)] = np.nan
    return box
