"""Rows of the store to what is drawn: features, blocks to extrude, bodies that have surfaces."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from cim.city.columns import surface_table
from tiles.footprints import POLYGONAL, clean_footprints
from tiles.soup import FloatArray, IntArray, Soup, counts, empty_soup

BUILDING: Final = "Building"
PART: Final = "BuildingPart"
LEVEL_HEIGHT_M: Final = 3.2
"""Storey height where a building has storeys and no height."""
COVERED_SHARE: Final = 0.9
"""Parts that cover this much of a building's outline stand for all of it."""
BLOCK_HEIGHT_M_MIN: Final = 0.1
NAN: Final = float("nan")


@dataclass(slots=True)
class Features:
    """One row per building: what the property table says of it. Missing numbers are NaN, texts ``""``."""

    ids: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    uses: list[str] = field(default_factory=list)
    roofs: list[str] = field(default_factory=list)
    height_m: list[float] = field(default_factory=list)
    storeys: list[float] = field(default_factory=list)
    years: list[float] = field(default_factory=list)
    modelled: list[bool] = field(default_factory=list)
    stated_ground_m: list[float] = field(default_factory=list)
    ground_m: FloatArray = field(default_factory=lambda: np.empty(0))

    def add(self, identifier: str, type_: str, facts: Mapping[str, Any]) -> int:
        """Append a feature and return its row."""
        self.ids.append(identifier)
        self.types.append(type_)
        self.names.append(text(facts, "name"))
        self.uses.append(text(facts, "function"))
        self.roofs.append(text(facts, "roof_type"))
        self.storeys.append(number(facts, "storeys_above_ground"))
        self.years.append(number(facts, "year_of_construction"))
        self.modelled.append(modelled(facts, "height_m"))
        self.stated_ground_m.append(number(facts, "ground_m"))
        self.height_m.append(number(facts, "height_m"))
        return len(self.ids) - 1


@dataclass(frozen=True, slots=True)
class Blocks:
    """Prisms to extrude: single polygons, counter-clockwise, in the working CRS.

    ``floor_m`` and ``top_m`` are above the building's own ground; ``roof`` is the source's word for the
    roof's shape, ``roof_height_m`` NaN where not given.
    """

    footprint: NDArray[np.object_]
    owner: IntArray
    floor_m: FloatArray
    top_m: FloatArray
    roof: NDArray[np.object_]
    roof_height_m: FloatArray

    def select(self, rows: IntArray) -> Blocks:
        """Return some blocks."""
        return Blocks(*(getattr(self, name)[rows] for name in self.__slots__))


@dataclass(slots=True)
class City:
    """Everything that the buildings' tiles are made of, in the working CRS."""

    features: Features
    blocks: Blocks
    bodies: Soup
    quarantined: list[tuple[str, str]]


@dataclass(slots=True)
class _Draft:
    """Blocks while they are gathered: owner, place, floor, top, roof, roof height."""

    rows: list[tuple[int, shapely.Geometry, float, float, str, float]] = field(default_factory=list)
    bodies: dict[str, int] = field(default_factory=dict)


def number(facts: Mapping[str, Any], name: str) -> float:
    """Return the finite number of a fact, NaN if there is none."""
    value = facts.get(name)
    if isinstance(value, dict):
        value = value.get("v")
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float)):
        return NAN
    return float(value) if math.isfinite(value) else NAN


def text(facts: Mapping[str, Any], name: str) -> str:
    """Return the text of a fact, ``""`` if there is none."""
    members = facts.get(name)
    value = members.get("v") if isinstance(members, dict) else None
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def modelled(facts: Mapping[str, Any], name: str) -> bool:
    """Tell whether a fact is an estimate."""
    members = facts.get(name)
    return isinstance(members, dict) and members.get("q") in {"modelled", "generated"}


def read_city(objects: pa.Table, geometries: pa.Table) -> City:
    """Choose what is drawn of every building and in which form.

    The parts of a building stand for it where they have geometry; the highest level of detail from
    LoD 1 wins; what has only a place and a height becomes a block.
    """
    types = objects["type"].to_numpy(zero_copy_only=False)
    wanted = np.flatnonzero((types == BUILDING) | (types == PART))
    rows = objects.take(pa.array(wanted)) if len(wanted) != len(types) else objects
    ids: list[str] = rows["id"].to_pylist()
    kinds: list[str] = rows["type"].to_pylist()
    facts = [orjson.loads(attributes) for attributes in rows["attributes"].to_pylist()]
    places = shapely.from_wkb(np.array(rows["place"].to_pylist(), dtype=object))
    with_body, body_rows = _best_bodies(geometries, set(ids))
    parents = _parents(ids, kinds, rows["parent_id"].to_pylist(), places)
    children: dict[int, list[int]] = defaultdict(list)
    for child, parent in parents.items():
        children[parent].append(child)
    features, draft, quarantined = Features(), _Draft(), list[tuple[str, str]]()
    for row, identifier in enumerate(ids):
        if row in parents:
            continue
        owner = features.add(identifier, kinds[row], facts[row])
        _draw(row, owner, children.get(row, []), (ids, facts, places, with_body), draft)
    blocks = _finish_blocks(draft, features, quarantined)
    bodies = _bodies(geometries, body_rows, draft.bodies)
    return City(features, blocks, bodies, quarantined)


def _best_bodies(geometries: pa.Table, ids: set[str]) -> tuple[set[str], dict[str, int]]:
    best: dict[str, tuple[float, int]] = {}
    columns = (geometries[name].to_pylist() for name in ("object_id", "lod", "kind"))
    for row, (owner, lod, kind) in enumerate(zip(*columns, strict=True)):
        if owner not in ids or kind in {"MultiPoint", "MultiLineString"}:
            continue
        level = _level(lod)
        if level >= 1.0 and level > best.get(owner, (0.0, 0))[0]:
            best[owner] = (level, row)
    return set(best), {owner: row for owner, (_, row) in best.items()}


def _level(lod: str) -> float:
    try:
        return float(lod)
    except ValueError:
        return 0.0


def _parents(
    ids: list[str], kinds: list[str], parent_ids: list[str | None], places: NDArray[np.object_]
) -> dict[int, int]:
    """Return the row of the building that each part belongs to, by its parent or by where it lies."""
    row_of = {identifier: row for row, identifier in enumerate(ids)}
    parents: dict[int, int] = {}
    orphans: list[int] = []
    for row, parent_id in enumerate(parent_ids):
        top, seen = row, {row}
        while (up := row_of.get(parent_ids[top] or "")) is not None and up not in seen:
            seen.add(up)
            top = up
        if top != row:
            parents[row] = top
        elif kinds[row] == PART and not parent_id and places[row] is not None:
            orphans.append(row)
    if orphans:
        hosts = np.array([r for r, kind in enumerate(kinds) if kind == BUILDING and places[r] is not None], dtype=int)
        tree = shapely.STRtree(places[hosts])
        points = shapely.point_on_surface(places[np.array(orphans)])
        found, host = tree.query(points, predicate="within")
        for part, at in zip(found.tolist(), host.tolist(), strict=True):
            parents.setdefault(orphans[part], int(hosts[at]))
    return parents


_Rows = tuple[list[str], list[dict[str, Any]], NDArray[np.object_], set[str]]


def _draw(row: int, owner: int, parts: Sequence[int], rows: _Rows, draft: _Draft) -> None:
    """Put the form of one building into the draft: its parts, its body, or its outline."""
    ids, facts, places, with_body = rows
    bodied = [part for part in parts if ids[part] in with_body]
    if bodied:
        for part in bodied:
            draft.bodies[ids[part]] = owner
        return
    if ids[row] in with_body:
        draft.bodies[ids[row]] = owner
        return
    whole = _height(facts[row])
    blocks = [
        (part, places[part], _height(facts[part], whole))
        for part in parts
        if shapely.get_type_id(places[part]) in POLYGONAL and _height(facts[part], whole) > 0
    ]
    for part, place, top in blocks:
        draft.rows.append((owner, place, *_levels(facts[part], top), *_roof(facts[part])))
    outline = places[row]
    if shapely.get_type_id(outline) not in POLYGONAL:
        return
    if not blocks:
        draft.rows.append((owner, outline, *_levels(facts[row], whole), *_roof(facts[row])))
        return
    rest = outline.difference(shapely.union_all([place for _, place, _ in blocks]))
    if rest.area > (1.0 - COVERED_SHARE) * outline.area:
        # The outline's height is that of its highest part, so what no part covers takes their mean.
        weights = np.array([place.area for _, place, _ in blocks])
        mean = float(np.average([top for _, _, top in blocks], weights=weights))
        draft.rows.append((owner, rest, 0.0, mean if np.isnan(whole) else min(whole, mean), "", float("nan")))


def _height(facts: Mapping[str, Any], otherwise: float = float("nan")) -> float:
    height = number(facts, "height_m")
    if np.isnan(height):
        height = number(facts, "storeys_above_ground") * LEVEL_HEIGHT_M
    return otherwise if np.isnan(height) else height


def _levels(facts: Mapping[str, Any], top: float) -> tuple[float, float]:
    floor = number(facts, "min_height_m")
    return (0.0 if np.isnan(floor) else max(floor, 0.0)), top


def _roof(facts: Mapping[str, Any]) -> tuple[str, float]:
    return text(facts, "roof_type"), number(facts, "roof_height_m")


def _finish_blocks(draft: _Draft, features: Features, quarantined: list[tuple[str, str]]) -> Blocks:
    owner = np.array([row[0] for row in draft.rows], dtype=np.int64)
    floor, top, roof_height = (np.array([row[i] for row in draft.rows], dtype=np.float64) for i in (2, 3, 5))
    roof = np.array([row[4] for row in draft.rows], dtype=object)
    standing = top - floor >= BLOCK_HEIGHT_M_MIN
    quarantined.extend((features.ids[owner[row]], "height-missing") for row in np.flatnonzero(~standing).tolist())
    polygons, origin = clean_footprints(np.array([row[1] for row in draft.rows], dtype=object))
    lost = np.setdiff1d(np.arange(len(owner)), origin)
    quarantined.extend((features.ids[owner[row]], "footprint-empty") for row in lost.tolist())
    keep = standing[origin] if len(origin) else np.empty(0, dtype=bool)
    origin, polygons = origin[keep], polygons[keep]
    return Blocks(polygons, owner[origin], floor[origin], top[origin], roof[origin], roof_height[origin])


def _bodies(geometries: pa.Table, body_rows: Mapping[str, int], owners: Mapping[str, int]) -> Soup:
    if not owners:
        return empty_soup()
    names = sorted(owners, key=lambda name: body_rows[name])
    chosen = geometries.take(pa.array([body_rows[name] for name in names]))
    table = surface_table(chosen["kind"].to_pylist(), np.array(chosen["surfaces"].to_pylist(), dtype=object))
    owner = np.array([owners[name] for name in names], dtype=np.int64)[table.rows]
    return Soup(
        table.coordinates,
        table.ring_ends,
        table.surface_ends,
        np.repeat(owner, counts(table.geometry_ends)),
        np.zeros(len(table.coordinates)),
    )
