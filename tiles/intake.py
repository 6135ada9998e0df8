"""Rows of the store to what is drawn: features, blocks to extrude, bodies that have surfaces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import orjson
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from cim.city.columns import surface_table
from cim.geometry.surfaces import lod_rank
from tiles.facts import NAN, Facts, read_facts
from tiles.outlines import Outlines, joined
from tiles.places import Places, read_places
from tiles.soup import FloatArray, IntArray, Soup, counts, empty_soup, meanings

BUILDING: Final = "Building"
PART: Final = "BuildingPart"
LEVEL_HEIGHT_M: Final = 3.2
"""Storey height where a building has storeys and no height."""
COVERED_SHARE: Final = 0.9
"""Parts that cover this much of a building's outline stand for all of it."""
BLOCK_HEIGHT_M_MIN: Final = 0.1
MEANINGS: Final = {
    "WallSurface": 1, "RoofSurface": 2, "OuterFloorSurface": 2, "GroundSurface": 3, "Window": 4, "Door": 5,
}  # fmt: skip
"""What a surface may be, as it is kept in a soup; 0 is anything else."""
_NUMBERS: Final = (
    "height_m", "storeys_above_ground", "year_of_construction", "ground_m", "min_height_m", "roof_height_m",
)  # fmt: skip
_TEXTS: Final = ("name", "function", "roof_type", "scheme_change")


@dataclass(slots=True)
class Features:
    """What the property table says of each building, one row each.

    ``texts`` and ``numbers`` are columns by the property's name, missing numbers NaN, missing texts ``""``;
    ``ground_m`` (n,) is first what the source states, then where the building stands.
    """

    ids: list[str]
    texts: pa.RecordBatch
    numbers: dict[str, FloatArray]
    ground_m: FloatArray


@dataclass(frozen=True, slots=True)
class Blocks:
    """Prisms to extrude: single polygons, counter-clockwise, in the working CRS.

    ``floor_m`` and ``top_m`` are above the building's own ground; ``roof`` is the source's word for the
    roof's shape, ``roof_height_m`` NaN where not given.
    """

    footprint: Outlines
    owner: IntArray
    floor_m: FloatArray
    top_m: FloatArray
    roof: NDArray[np.object_]
    roof_height_m: FloatArray

    def select(self, rows: IntArray) -> Blocks:
        """Return some blocks."""
        return Blocks(*(getattr(self, name)[rows] for name in self.__slots__))

    def and_also(self, others: Blocks) -> Blocks:
        """Return these blocks and others after them."""
        if not len(others.owner):
            return self
        names = self.__slots__[1:]
        columns = (np.concatenate((getattr(self, name), getattr(others, name))) for name in names)
        return Blocks(joined((self.footprint, others.footprint)), *columns)


@dataclass(slots=True)
class City:
    """Everything that the buildings' tiles are made of, in the working CRS."""

    features: Features
    blocks: Blocks
    bodies: Soup
    quarantined: list[tuple[str, str]]
    parts: dict[int, list[str]] = field(default_factory=dict)
    """The ids of the parts of those features that have any, by the feature's row."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Buildings and parts as they come: ids, places, who has surfaces, and forms by column."""

    ids: list[str]
    kinds: list[str]
    places: Places
    with_body: NDArray[np.bool_]
    floor_m: FloatArray
    top_m: FloatArray
    roof: NDArray[np.object_]
    roof_height_m: FloatArray


@dataclass(slots=True)
class _Draft:
    """What is drawn, while it is gathered: rows with their owners, and outlines' rests (owner, place, top)."""

    blocks: list[tuple[int, int, float]] = field(default_factory=list)
    """Owner, row, top."""
    rests: list[tuple[int, shapely.Geometry, float]] = field(default_factory=list)
    """Owner, place, top."""
    bodies: list[tuple[int, int]] = field(default_factory=list)
    """Owner, row."""


def read_city(objects: pa.Table, geometries: pa.Table) -> City:
    """Choose what is drawn of every building and in which form.

    The parts of a building stand for it where they have geometry; the highest level of detail from
    LoD 1 wins; what has only a place and a height becomes a block.
    """
    types = objects["type"].to_numpy(zero_copy_only=False)
    wanted = np.flatnonzero((types == BUILDING) | (types == PART))
    table = objects.take(pa.array(wanted)) if len(wanted) != len(types) else objects
    facts = read_facts(table["attributes"].to_pylist(), numbers=_NUMBERS, texts=_TEXTS, estimates=("height_m",))
    best = _best_bodies(geometries, table["id"])
    rows = _rows(table, facts, best)
    parents = _parents(rows, table["parent_id"].to_pylist())
    top = _all_but(np.arange(len(rows.ids)), parents)
    features = _features(table, facts, top)
    quarantined: list[tuple[str, str]] = []
    owner_of = np.full(len(rows.ids), -1)
    owner_of[top] = np.arange(len(top))
    children: dict[int, list[int]] = defaultdict(list)
    for child, parent in parents.items():
        children[parent].append(child)
    draft = _Draft()
    for row, parts in children.items():
        _draw_parts(row, int(owner_of[row]), parts, rows, draft)
    whole = _all_but(top, children)
    blocks = _finish_blocks(whole, owner_of, rows, draft, (features.ids, quarantined))
    bodied = whole[rows.with_body[whole]]
    draft.bodies.extend(zip(owner_of[bodied].tolist(), bodied.tolist(), strict=True))
    bodies = _bodies(geometries, [(best[rows.ids[row]], owner) for owner, row in draft.bodies])
    parts_of = {int(owner_of[row]): [rows.ids[part] for part in parts] for row, parts in children.items()}
    return City(features, blocks, bodies, quarantined, parts_of)


def _all_but(rows: IntArray, others: Mapping[int, object]) -> IntArray:
    """Return those rows, ascending, that are no keys of a mapping."""
    return np.setdiff1d(rows, np.array(list(others), dtype=np.int64)) if others else rows


def _rows(table: pa.Table, facts: Facts, best: Mapping[str, int]) -> _Rows:
    ids: list[str] = table["id"].to_pylist()
    height = facts.numbers["height_m"]
    return _Rows(
        ids,
        table["type"].to_pylist(),
        read_places(table["place"]),
        np.array([identifier in best for identifier in ids] if best else np.zeros(len(ids)), dtype=np.bool_),
        np.fmax(facts.numbers["min_height_m"], 0.0),
        np.where(np.isnan(height), facts.numbers["storeys_above_ground"] * LEVEL_HEIGHT_M, height),
        facts.texts["roof_type"],
        facts.numbers["roof_height_m"],
    )


def _features(table: pa.Table, facts: Facts, top: IntArray) -> Features:
    chosen = facts.select(top)
    texts = {name: table[name].combine_chunks().cast(pa.large_string()).take(pa.array(top)) for name in ("id", "type")}
    for name, fact in (("name", "name"), ("use", "function"), ("roof", "roof_type"), ("change", "scheme_change")):
        texts[name] = pa.array(chosen.texts[fact], pa.large_string())
    numbers = {
        "height_m": chosen.numbers["height_m"],
        "storeys": chosen.numbers["storeys_above_ground"],
        "year": chosen.numbers["year_of_construction"],
        "modelled": chosen.modelled["height_m"].astype(np.float64),
    }
    return Features(texts["id"].to_pylist(), pa.RecordBatch.from_pydict(texts), numbers, chosen.numbers["ground_m"])


def _best_bodies(geometries: pa.Table, objects: pa.ChunkedArray) -> dict[str, int]:
    """Return the row of the most detailed geometry of each object that has surfaces."""
    ids = set(objects.to_pylist()) if geometries.num_rows else set()
    best: dict[str, tuple[float, int]] = {}
    columns = (geometries[name].to_pylist() for name in ("object_id", "lod", "kind"))
    for row, (owner, lod, kind) in enumerate(zip(*columns, strict=True)):
        if owner not in ids or kind in {"MultiPoint", "MultiLineString"}:
            continue
        level = lod_rank(lod)
        if level >= 1.0 and level > best.get(owner, (0.0, 0))[0]:
            best[owner] = (level, row)
    return {owner: row for owner, (_, row) in best.items()}


def _parents(rows: _Rows, parent_ids: Sequence[str | None]) -> dict[int, int]:
    """Return the row of the building that each part belongs to, by its parent or by where it lies."""
    below = [row for row, parent_id in enumerate(parent_ids) if parent_id]
    row_of = {identifier: row for row, identifier in enumerate(rows.ids)} if below else {}
    parents: dict[int, int] = {}
    for row in below:
        top, seen = row, {row}
        while (up := row_of.get(parent_ids[top] or "")) is not None and up not in seen:
            seen.add(up)
            top = up
        if top != row:
            parents[row] = top
    orphans = [r for r, kind in enumerate(rows.kinds) if kind == PART and not parent_ids[r]]
    if orphans:
        places = rows.places.shapes(np.arange(len(rows.ids)))
        orphans = [r for r in orphans if places[r] is not None]
        hosts = np.array([r for r, kind in enumerate(rows.kinds) if kind == BUILDING and places[r] is not None], int)
        points = shapely.point_on_surface(places[np.array(orphans, dtype=int)])
        found, host = shapely.STRtree(places[hosts]).query(points, predicate="within")
        for part, at in zip(found.tolist(), host.tolist(), strict=True):
            parents.setdefault(orphans[part], int(hosts[at]))
    return parents


def _draw_parts(row: int, owner: int, parts: Sequence[int], rows: _Rows, draft: _Draft) -> None:
    """Put a building that has parts into the draft: its parts, its body, or its outline."""
    bodied = [part for part in parts if rows.with_body[part]] or [row] * bool(rows.with_body[row])
    if bodied:
        draft.bodies.extend((owner, part) for part in bodied)
        return
    whole = float(rows.top_m[row])
    tops = np.where(np.isnan(rows.top_m[parts]), whole, rows.top_m[parts])
    drawn = rows.places.polygonal(np.array(parts)) & (tops > 0)
    blocks = [(part, top) for part, top, good in zip(parts, tops.tolist(), drawn.tolist(), strict=True) if good]
    draft.blocks.extend((owner, part, top) for part, top in blocks)
    if not rows.places.polygonal(np.array([row]))[0]:
        return
    if not blocks:
        draft.blocks.append((owner, row, whole))
        return
    (outline,) = rows.places.shapes(np.array([row]))
    places = rows.places.shapes(np.array([part for part, _ in blocks]))
    rest = outline.difference(shapely.union_all(places))
    if rest.area > (1.0 - COVERED_SHARE) * outline.area:
        # The outline's height is that of its highest part, so what no part covers takes their mean.
        mean = float(np.average([top for _, top in blocks], weights=shapely.area(places)))
        draft.rests.append((owner, rest, mean if np.isnan(whole) else min(whole, mean)))


def _finish_blocks(
    whole: IntArray, owner_of: IntArray, rows: _Rows, draft: _Draft, named: tuple[list[str], list[tuple[str, str]]]
) -> Blocks:
    """Return the blocks of whole buildings (rows ``whole``) and of the draft, by owner."""
    ids, quarantined = named
    plain = whole[~rows.with_body[whole]]
    plain = plain[rows.places.polygonal(plain)]
    row = np.concatenate((plain, np.array([r for _, r, _ in draft.blocks], dtype=np.int64)))
    top = np.concatenate((rows.top_m[plain], [t for *_, t in draft.blocks], [t for *_, t in draft.rests]))
    owner = np.concatenate((owner_of[plain], np.array([o for o, *_ in (*draft.blocks, *draft.rests)], dtype=np.int64)))
    rests = len(draft.rests)
    outlines, origin = rows.places.outlines(row, np.array([p for _, p, _ in draft.rests], dtype=object))
    floor = np.concatenate((rows.floor_m[row], np.zeros(rests)))
    roof = np.concatenate((rows.roof[row], np.full(rests, "", dtype=object)))
    roof_height = np.concatenate((rows.roof_height_m[row], np.full(rests, NAN)))
    standing = top - floor >= BLOCK_HEIGHT_M_MIN
    quarantined.extend((ids[o], "height-missing") for o in np.sort(owner[~standing]).tolist())
    lost = np.setdiff1d(np.arange(len(owner)), origin)
    quarantined.extend((ids[o], "footprint-empty") for o in np.sort(owner[lost]).tolist())
    kept = np.flatnonzero(standing[origin])
    kept = kept[np.argsort(owner[origin[kept]], kind="stable")]
    of = origin[kept]
    return Blocks(outlines[kept], owner[of], floor[of], top[of], roof[of], roof_height[of])


def _bodies(geometries: pa.Table, drawn: list[tuple[int, int]]) -> Soup:
    """Return the surfaces of geometries, given as (row, owner)."""
    if not drawn:
        return empty_soup()
    chosen, owners = np.array(sorted(drawn), dtype=np.int64).T
    table = geometries.take(pa.array(chosen))
    found = surface_table(table["kind"].to_pylist(), table["surfaces"].to_numpy(zero_copy_only=False))
    return Soup(
        found.coordinates,
        found.ring_ends,
        found.surface_ends,
        np.repeat(owners[found.rows], counts(found.geometry_ends)),
        np.zeros(len(found.coordinates)),
        _meanings(table["structure"].to_pylist(), found.rows, counts(found.geometry_ends)),
    )


def _meanings(structures: list[str | None], rows: IntArray, surfaces: IntArray) -> IntArray:
    """Return what the surfaces of geometries are, by what their structures say; empty where no one says anything."""
    parts: list[tuple[IntArray, int]] = []
    for row, count in zip(rows.tolist(), surfaces.tolist(), strict=True):
        said = np.empty(0, dtype=np.int64)
        semantics = orjson.loads(structures[row] or "{}").get("semantics")
        if semantics is not None and len(semantics["values"]) == count:
            kinds = [MEANINGS.get(str(surface.get("type")), 0) for surface in semantics["surfaces"]]
            said = np.array([0 if at is None or at < 0 else kinds[at] for at in semantics["values"]], dtype=np.int64)
        parts.append((said, count))
    return meanings(parts)
