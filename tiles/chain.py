"""The tiles of a city in which some objects are others, as what differs from an earlier build.

Only the leaves of the objects that changed, the tiles above them and the ground that meets them are made; all
others keep their names, so that one file serves both.  The tree keeps its shape: what is new goes to the
leaf that is nearest, and what is gone leaves its place empty.  A tile depends on the objects under it alone, so a
chain built by itself and a whole tree built anew from the same objects are the same, byte for byte.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely

from cim.geometry.ground import Ground, even_ground
from tiles.build import chosen_content, diagonal_of, near_content, silent, write_documents
from tiles.content import Content
from tiles.far import choose, coarse
from tiles.files import ProgressFunction, TileFiles
from tiles.frame import TileFrame
from tiles.ground import CASING_M, WIDTH_M_MAX, ground_shapes, painted
from tiles.ground_tree import Again, Keep, Stand, build_ground, planned
from tiles.intake import read_city
from tiles.placing import PlacedCity, place_city
from tiles.plan import Plan, PlanTile
from tiles.soup import FloatArray, IntArray

_REACH_M = WIDTH_M_MAX / 2 + CASING_M
"""How far a street's paint reaches from its axis."""


@dataclass(frozen=True, slots=True)
class Altered:
    """What is other than in the planned build.

    ``objects`` and ``geometries`` have the columns of ``cim.city.columns``: the buildings that the chains need
    (:meth:`Plan.needed`) as they are now, in the order of the baseline, those that are new at the end.
    ``ids`` are all that is added, changed or gone.  ``ground`` are all rows of the ground as it is now, ``None``
    where nothing on it has changed; ``ground_boxes`` (n, 4) is where it has.
    """

    objects: pa.Table
    geometries: pa.Table
    ids: Collection[str]
    ground: pa.Table | None = None
    ground_boxes: FloatArray = field(default_factory=lambda: np.empty((0, 4)))


@dataclass(frozen=True, slots=True)
class ChainReport:
    """How many tiles were made anew, of how many, and their bytes."""

    tiles: int
    tiles_of_all: int
    bytes_brotli: int
    quarantined: list[tuple[str, str]]


def boxes_of_ground(rows: pa.Table) -> FloatArray:
    """Return where objects are painted on the ground, shape (n, 4), streets with their width."""
    _, _, places, _ = painted(rows)
    reach = np.array([-_REACH_M, -_REACH_M, _REACH_M, _REACH_M])
    boxes: FloatArray = shapely.bounds(places).reshape(-1, 4) + reach
    return boxes


def build_chains(
    plan: Plan, altered: Altered, out: Path, progress: ProgressFunction = silent, *, everything: bool = False
) -> ChainReport:
    """Write to ``out`` the documents and those contents that the planned build has not.

    With ``everything`` no tile of the plan is trusted: all of its objects have to be given.
    """
    out.mkdir(parents=True, exist_ok=True)
    files = TileFiles(out)
    frame = TileFrame(**{**plan.frame, "origin": plan.frame["origin"] and tuple(plan.frame["origin"])})
    surface = even_ground() if plan.grid is None else Ground(*plan.grid)
    city = read_city(altered.objects, altered.geometries)
    placed = place_city(city, frame, plan.sheet, surface)
    old = set() if everything else _names(plan.buildings) | _names(plan.ground)
    made: list[str] = []

    def keeping(folder: str) -> Keep:
        def keep(content: Content) -> str:
            name = files.name_of(content.glb)
            if name in old:
                return name
            made.append(name)
            return files.add_content(folder, content.glb)

        return keep

    chains = _Chains(plan, placed, altered.ids, everything=everything)
    buildings = chains.build(keeping("buildings"))
    progress("buildings", 1, 1)
    ground = plan.ground
    if altered.ground is not None:
        stand = Stand(placed.chart, placed.surface, plan.sheet)
        again = None if everything else Again(plan.ground, altered.ground_boxes)
        shapes = ground_shapes(altered.ground, sheet=plan.sheet)
        ground = build_ground(shapes, stand, keeping("ground"), lambda *n: progress("ground", *n), again)
    same = [
        n for n, now, was in (("buildings", buildings, plan.buildings), ("ground", ground, plan.ground)) if now is was
    ]
    write_documents(files, placed.chart, frame, buildings, ground, same=same)
    files.pack(progress)
    files.sync(progress)
    count = sum(1 for tile in (buildings, ground) for _ in _walk(tile))
    return ChainReport(len(made), count, files.bytes_brotli, city.quarantined)


@dataclass(frozen=True, slots=True)
class _Blocks:
    """All blocks that inner tiles choose from, in the order in which they do.

    ``order`` says whose each is: the row of a building in the plan, or beyond them that of a new one; ``rank``
    is its number among the blocks of its kind and owner.
    """

    order: IntArray
    kind: IntArray
    rank: IntArray
    size_m: FloatArray
    roof_error_m: FloatArray


class _Chains:
    """The tree of the plan with some of its objects altered.

    Buildings are counted by ``order``: their row in the plan, those that are new after all of them.
    """

    def __init__(self, plan: Plan, placed: PlacedCity, altered: Collection[str], *, everything: bool) -> None:
        self._plan = plan
        self._placed = placed
        self._far = placed.far()
        ids = placed.city.features.ids
        known = {identifier: row for row, identifier in enumerate(plan.ids)}
        new = [row for row, identifier in enumerate(ids) if identifier not in known]
        beyond = {row: len(known) + at for at, row in enumerate(new)}
        self._order = np.array([known.get(i, beyond.get(row, 0)) for row, i in enumerate(ids)], dtype=np.int64)
        self._row_of = {order: row for row, order in enumerate(self._order.tolist())}
        self._everything = everything
        self._touched = {known[identifier] for identifier in altered if identifier in known}
        drawn = np.isfinite(placed.box[:, 0])
        self._box = np.concatenate((plan.box, np.full((len(new), 4), np.nan)))
        fresh = self._order if everything else np.array([o for o in self._order if self._is_fresh(int(o))], dtype=int)
        self._box[list(range(len(known))) if everything else list(self._touched)] = np.nan
        self._box[fresh] = placed.box[[self._row_of[int(order)] for order in fresh]]
        places = [row for row in new if drawn[row]]
        self._guests: dict[int, list[int]] = {}
        for row, home in zip(places, plan.homes([self._middle(row) for row in places]), strict=False):
            self._guests.setdefault(id(home), []).append(int(self._order[row]))
        self._blocks = self._gather()
        self._far_rows: dict[tuple[int, int], list[int]] = {}
        for row, owner in enumerate(self._far.blocks.owner.tolist()):
            key = (int(self._order[owner]), int(row >= len(placed.city.blocks.owner)))
            self._far_rows.setdefault(key, []).append(row)

    def _is_fresh(self, order: int) -> bool:
        return order in self._touched or order >= len(self._plan.ids)

    def _middle(self, row: int) -> tuple[float, float]:
        x, y = ((self._placed.box[row, :2] + self._placed.box[row, 2:]) / 2).tolist()
        return (x, y)

    def _gather(self) -> _Blocks:
        """Return the blocks of what stays as the plan has them, and those of what is altered as they are now."""
        plan, far = self._plan, self._far
        gone = np.zeros(len(plan.ids), dtype=np.bool_)
        gone[list(self._touched)] = True
        stays = np.flatnonzero(~gone[plan.far_owner]) if not self._everything else np.empty(0, dtype=np.int64)
        owner = self._order[far.blocks.owner]
        fresh = np.array([self._everything or self._is_fresh(int(order)) for order in owner], dtype=np.bool_)
        now = np.flatnonzero(fresh)
        order = np.concatenate((plan.far_owner[stays], owner[now]))
        bodies_from = len(self._placed.city.blocks.owner)
        kind = np.concatenate((stays >= plan.far_bodies_from, now >= bodies_from)).astype(np.int64)
        at = np.lexsort((np.concatenate((stays, now)), order, kind))
        order, kind = order[at], kind[at]
        first = np.flatnonzero(np.append(True, (np.diff(order) != 0) | (np.diff(kind) != 0))) if len(at) else at
        rank = np.arange(len(at)) - np.repeat(first, np.diff(np.append(first, len(at))))
        return _Blocks(
            order,
            kind,
            rank,
            np.concatenate((plan.far_size_m[stays], far.size_m[now]))[at],
            np.concatenate((plan.far_roof_error_m[stays], far.roof_error_m[now]))[at],
        )

    def build(self, keep: Keep) -> PlanTile | None:
        """Return the tree with new tiles where something is altered."""
        if self._plan.buildings is not None:
            return self._make(self._plan.buildings, keep)[0]
        rows = np.flatnonzero(np.isfinite(self._placed.box[:, 0]))
        # The first buildings of a city that had none make one leaf.
        return planned(near_content(self._placed, rows), keep, 0.0) if len(rows) else None

    def _make(self, tile: PlanTile, keep: Keep) -> tuple[PlanTile, list[int], bool]:
        """Return a tile as it is now, the buildings under it by order, and whether anything under it is altered."""
        if not tile.children:
            guests = self._guests.get(id(tile), [])
            orders = [order for order in [*tile.rows, *guests] if np.isfinite(self._box[order, 0])]
            if not self._everything and not guests and self._touched.isdisjoint(tile.rows):
                return tile, orders, False
            rows = np.array([self._row_of[order] for order in orders], dtype=np.int64)
            return planned(near_content(self._placed, rows), keep, 0.0), orders, True
        made = [self._make(child, keep) for child in tile.children]
        under = [order for _, orders, _ in made for order in orders]
        if not any(altered for *_, altered in made):
            return tile, under, False
        children = [child for child, *_ in made]
        if not under:
            return planned(None, keep, 0.0, children=children), under, True
        content, error_m = self._inner(np.array(under, dtype=np.int64))
        return planned(content, keep, error_m, children=children), under, True

    def _inner(self, under: IntArray) -> tuple[Content | None, float]:
        here = np.zeros(len(self._box), dtype=np.bool_)
        here[under] = True
        all_blocks = self._blocks
        blocks = np.flatnonzero(here[all_blocks.order])
        choice = choose(all_blocks.size_m[blocks], all_blocks.roof_error_m[blocks], diagonal_of(self._box[under]))
        rows = [
            self._far_rows[int(all_blocks.order[block]), int(all_blocks.kind[block])][int(all_blocks.rank[block])]
            for block in blocks[choice.rows]
        ]
        chosen = coarse(self._far.blocks.select(np.array(rows, dtype=np.int64)), choice.tolerance_m)
        return chosen_content(self._placed, chosen), choice.error_m


def _names(tile: PlanTile | None) -> set[str]:
    return {one.uri for one in _walk(tile) if one.uri is not None}


def _walk(tile: PlanTile | None) -> Iterator[PlanTile]:
    if tile is not None:
        yield tile
        for child in tile.children:
            yield from _walk(child)
