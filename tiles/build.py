"""Objects of the store to a 3D Tiles 1.1 tileset: buildings, ground, and a root that joins them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cim.city.terrain import TERRAIN_GROUND, terrain_triangles
from cim.geometry.ground import ground_of_terrain, ground_through
from tiles.content import Content
from tiles.crew import Crew
from tiles.files import ProgressFunction, TileFiles
from tiles.frame import TileFrame
from tiles.ground import MARGIN_M
from tiles.heights import HEIGHTS_NAME, heights_document
from tiles.making import (
    GEOMETRY_COLUMNS,
    OBJECT_COLUMNS,
    PAINTED_COLUMNS,
    FeetJob,
    GroundJob,
    UnitJob,
    batches,
    feet,
    make_ground,
    make_twins,
    make_unit,
    stream,
)
from tiles.plan import PLAN_FOLDER, PLAN_NAME, Plan, PlanTile, is_unit, units_of
from tiles.reach import within_reach
from tiles.report import Counts, TilesetReport
from tiles.site import Site, bounds_of, painted_boxes, site_over
from tiles.soup import Bounds, FloatArray, ranges
from tiles.stock import BUILDING, PART, Stock, read_stock
from tiles.tileset import Tile, branch_tile, ground_tile, root_json, tileset_json
from tiles.tree import Branch, grow
from tiles.unit import make


def silent(_step: str, _done: int, _total: int) -> None:
    """Report progress to nobody."""


def build_tileset(
    objects: pa.Table,
    geometries: pa.Table,
    frame: TileFrame,
    out: Path,
    progress: ProgressFunction = silent,
    *,
    compress: bool = True,
    crew: Crew | None = None,
    before: Path | None = None,
) -> TilesetReport:
    """Write ``out/tileset.json``, ``out/buildings`` and ``out/ground``, each file with .br and .gz twins.

    ``objects`` and ``geometries`` have the columns of ``cim.city.columns``; ``out`` is a directory that the caller
    swaps in when this returns: an empty one, or that of the same build which was ended before it was done.
    ``before`` is an earlier build: its site is kept while the city lies on it, and so is what is still the same.
    ``crew`` are the workers; without them all is done here.  ``progress`` gets a step's name, what is done, and of
    how many.  Raises :class:`InvalidInput` if there is nothing to draw (``city-empty``) or the CRS cannot carry it.
    """
    begun = time.perf_counter()
    (out / PLAN_FOLDER).mkdir(parents=True, exist_ok=True)
    report, files = TilesetReport(), TileFiles(out)
    progress("read", 0, 1)
    objects, far_away = within_reach(objects)
    stock = read_stock(objects, geometries)
    rows = Rows(stock, geometries)
    crew = crew or Crew(1)
    site = choose_site(objects, geometries, rows, frame, before, crew)
    report.origin = site.chart.origin
    progress("read", 1, 1)
    painted = objects.filter(pc.invert(pc.is_in(objects["type"], pa.array([BUILDING, PART]))))
    ground_job = GroundJob(stream(painted.select(PAINTED_COLUMNS)), site, out)
    # The ground is made beside the units; alone, after them.
    ground_made = crew.start(make_ground, ground_job)
    build = _Build(rows, site, out, before, files, crew, progress)
    crown, counts = build.crown(report)
    _count(report, counts)
    report.buildings_s = time.perf_counter() - begun
    report.quarantined = sorted({*far_away, *counts.quarantined, *((name, "no-geometry") for name in stock.nowhere)})
    made = ground_made()
    ground, report.ground_features, report.ground_tiles = made.top, made.features, made.leaves
    files.written |= made.files
    progress("ground", made.leaves, made.leaves)
    write_documents(files, site, crown, ground)
    heights = heights_document(site)
    if heights is not None:
        files.add_json(HEIGHTS_NAME, heights)
    orphans = _orphans(objects, stock)
    Plan(site, crown, ground, out, orphans, stock.missing).save(out, files)
    report.build_s = time.perf_counter() - begun
    report.buildings_per_s = report.buildings / report.buildings_s if report.buildings_s else 0.0
    if compress:
        _add_twins(files, crew, progress)
    files.sync(progress)
    report.bytes_plain, report.bytes_brotli = files.bytes_plain, files.bytes_brotli
    report.bytes_gzip, report.compress_s, report.sync_s = files.bytes_gzip, files.compress_s, files.sync_s
    leaves = sum(files.brotli_of.get(f"buildings/{uri}", 0) for uri in build.leaves)
    report.bytes_per_building = leaves / report.buildings if report.buildings else 0.0
    return report


class Rows:
    """The rows that each building is drawn from, found by its id."""

    def __init__(self, stock: Stock, geometries: pa.Table) -> None:
        self.stock = stock
        self._objects = stock.rows.select(OBJECT_COLUMNS)
        order = pc.sort_indices(geometries, sort_keys=[("object_id", "ascending"), ("lod", "ascending")])
        self._geometries = geometries.select(GEOMETRY_COLUMNS).take(order)
        self._ids = self._objects["id"].combine_chunks()
        owner = pc.index_in(self._geometries["object_id"], self._ids)
        known = owner.is_valid()
        if not pc.all(known).as_py():
            self._geometries, owner = self._geometries.filter(known), owner.filter(known)
        numbers = owner.to_numpy(zero_copy_only=False).astype(np.int64)
        # Both are in the order of their ids, so those of one object lie together.
        self._starts = np.searchsorted(numbers, np.arange(len(self._ids) + 1))

    def along(self, branches: Sequence[Branch]) -> Iterator[tuple[bytes, bytes]]:
        """Yield the objects and geometries of all buildings in each branch, leaf by leaf, as Arrow streams."""
        members = [[leaf.members for leaf in branch.leaves() if leaf.members] for branch in branches]
        known = [some.rows for lot in members for some in lot if some.rows is not None and not some.parts]
        if len(known) == sum(map(len, members)):
            row = np.concatenate([np.empty(0, dtype=np.int64), *known])
            sizes = [sum(len(some.ids) for some in lot) for lot in members]
        else:
            names = [[name for some in lot for name in some.object_ids()] for lot in members]
            # All are looked up in one go, for each look-up reads every id of the city.
            every = pa.array(chain.from_iterable(names), self._ids.type)
            row, sizes = pc.index_in(every, self._ids).to_numpy().astype(np.int64), list(map(len, names))
        ends = np.cumsum([0, *sizes])
        for begin, end in pairwise(ends.tolist()):
            first, last = self._starts[row[begin:end]], self._starts[row[begin:end] + 1]
            shapes = ranges(first, last - first)
            objects, geometries = self._objects.take(pa.array(row[begin:end])), self._geometries
            yield stream(objects), stream(geometries.take(pa.array(shapes)))


def choose_site(
    objects: pa.Table, geometries: pa.Table, rows: Rows, frame: TileFrame, before: Path | None, crew: Crew
) -> Site:
    """Return the site of the build before, if the city still lies on it, or a new one.

    The surface through the buildings' feet stays with the site, that of a relief until the relief is another.
    """
    boxes = [rows.stock.members.box, painted_boxes(objects)]
    terrain = terrain_triangles(objects, geometries) if frame.ground == TERRAIN_GROUND else None
    if terrain is not None and len(terrain):
        # Reliefs are painted as far as they reach; there is no margin of ground that nobody measured.
        xy = terrain[..., :2].reshape(-1, 2)
        boxes.append(np.concatenate((xy.min(axis=0) + MARGIN_M, xy.max(axis=0) - MARGIN_M))[None])
    bounds = bounds_of(boxes)
    known = None if before is None else _site_of(before)
    kept = known is not None and known.covers(bounds) and _is_same(known.frame, frame)
    relief = "" if terrain is None else hashlib.sha256(np.ascontiguousarray(terrain).tobytes()).hexdigest()
    if kept and known is not None and known.terrain == relief:
        return Site(frame, known.sheet, known.surface, relief)
    site = site_over(frame, bounds)
    if frame.ground == "flat":
        return site
    given = _feet(rows, site, crew)
    surface = ground_through(given, site.sheet) if terrain is None else ground_of_terrain(terrain, given, site.sheet)
    return Site(frame, site.sheet, surface, relief)


def _is_same(known: TileFrame, frame: TileFrame) -> bool:
    """Tell whether two frames place a city alike, whatever it is called and of which version."""
    return replace(known, title=frame.title, baseline_version=frame.baseline_version) == frame


def _site_of(before: Path) -> Site | None:
    try:
        return Plan.load(before / PLAN_NAME).site
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _feet(rows: Rows, site: Site, crew: Crew) -> FloatArray:
    """Return places (n, 3) where buildings meet the ground: their bodies' feet, or else what is stated of blocks."""
    found: list[tuple[FloatArray, FloatArray]] = []
    if len(rows.stock.members.ids):
        units = list(units_of(grow(rows.stock.members, site.square)))
        found = list(crew.run(feet, map(FeetJob, rows.along(units)), several=len(units) > 1))
    for which in (0, 1):
        every: FloatArray = np.concatenate([np.empty((0, 3)), *(one[which] for one in found)])
        if len(every):
            return every
    return np.empty((0, 3))


class _Build:
    """The buildings' half of a build."""

    def __init__(
        self,
        rows: Rows,
        site: Site,
        out: Path,
        before: Path | None,
        files: TileFiles,
        crew: Crew,
        progress: ProgressFunction,
    ) -> None:
        self._rows = rows
        self._site = site
        self._out = out
        self._before = before
        self._files = files
        self._crew = crew
        self._progress = progress
        self.leaves: list[str] = []

    def crown(self, report: TilesetReport) -> tuple[Branch | None, Counts]:
        """Make all units, then the tiles above them."""
        counts = Counts()
        members = self._rows.stock.members
        if not len(members.ids):
            return None, counts
        top = grow(members, self._site.square)
        places = list(_with_above(top, None))
        total, done = sum(1 for _ in top.leaves()), 0
        jobs = (
            UnitJob(unit, above, self._site, rows, self._out, self._before, unit is top)
            for (unit, above), rows in zip(places, self._rows.along([unit for unit, _ in places]), strict=True)
        )
        made_units = self._crew.run(make_unit, jobs, several=len(places) > 1)

        def finish(unit: Branch) -> bool:
            """Take the next unit from the workers, who go on with others while the tiles above it are made."""
            nonlocal done
            if not is_unit(unit):
                return False
            made = next(made_units)
            unit.drawn, unit.unit, unit.document = made.branch.drawn, made.branch.unit, made.branch.document
            unit.members, unit.kids = made.branch.members, made.branch.kids
            if unit is not top:
                unit.members, unit.kids = None, []
            counts.join(made.counts)
            self._files.written |= made.files
            self.leaves.extend(made.leaves)
            report.units += 1
            report.units_reused += made.reused
            done += made.counts.tiles
            self._progress("buildings", done, total)
            return True

        def keep(content: Content) -> str:
            return self._files.add_content("buildings", content.glb)

        make(top, None, self._site, keep, finish)
        return top, counts


def _with_above(branch: Branch, above: Bounds | None) -> Iterator[tuple[Branch, Bounds | None]]:
    """Yield the units under a branch, each with the cell of the tile over it."""
    if is_unit(branch):
        yield branch, above
        return
    for kid in branch.kids:
        yield from _with_above(kid, branch.cell if branch.has_tile else above)


def _count(report: TilesetReport, counts: Counts) -> None:
    report.buildings, report.building_tiles = counts.buildings, counts.tiles
    report.triangles, report.edges, report.vertices = counts.triangles, counts.edges, counts.vertices
    report.sunk_m = counts.sunk_m


def _orphans(objects: pa.Table, stock: Stock) -> dict[str, str]:
    """Return which building has taken which part that states none."""
    lost = objects.filter(pc.and_(pc.equal(objects["type"], "BuildingPart"), pc.is_null(objects["parent_id"])))
    if not lost.num_rows:
        return {}
    taken = stock.rows.filter(pc.is_in(stock.rows["id"], lost["id"].combine_chunks()))
    pairs = zip(taken["id"].to_pylist(), taken["parent_id"].to_pylist(), strict=True)
    return {part: whole for part, whole in pairs if whole is not None}


def _add_twins(files: TileFiles, crew: Crew, progress: ProgressFunction) -> None:
    """Compress everything written so far; timed apart from building."""
    begun = time.perf_counter()
    done = 0
    for brotli_of, bytes_gzip, count in crew.run(make_twins, batches(files.written, files.directory)):
        files.brotli_of |= brotli_of
        files.bytes_gzip += bytes_gzip
        done += count
        progress("compress", done, len(files.written))
    files.compress_s = time.perf_counter() - begun


def write_documents(files: TileFiles, site: Site, crown: Branch | None, ground: PlanTile) -> None:
    """Write the documents of both tilesets and of the root that joins them."""
    grounds, frame = ground_tile(ground), site.frame
    drawn = Tile(None, grounds.low.copy(), grounds.high.copy(), 0.0)
    if crown is not None and crown.drawn is not None and len(crown.drawn.low):
        drawn = branch_tile(crown, opened=True)
    external: list[tuple[str, Tile]] = []
    for name, tile in (("buildings", drawn), ("ground", grounds)):
        document = tileset_json(tile, site.chart, title=frame.title, baseline_version=frame.baseline_version)
        files.add_json(f"{name}/tileset.json", document)
        external.append((f"{name}/tileset.json", tile))
    document = root_json(external, site.chart, title=frame.title, baseline_version=frame.baseline_version)
    files.add_json("tileset.json", document, shared=False)
