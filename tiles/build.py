"""Objects of the store to a 3D Tiles 1.1 tileset: buildings, ground, and a root that joins them."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely

from cim.city.terrain import TERRAIN_GROUND, terrain_triangles
from cim.errors import InvalidInput
from tiles.content import Content, SkirtMesh, building_content
from tiles.far import FarCity, choose, coarse
from tiles.files import ProgressFunction, TileFiles
from tiles.frame import Chart, TileFrame
from tiles.ground import MARGIN_M, Ground, ground_shapes, painted
from tiles.ground_tree import Stand, build_ground, planned
from tiles.intake import Blocks, City, read_city
from tiles.placing import PlacedCity, place_city
from tiles.plan import PLAN_NAME, Bounds, Plan, PlanTile
from tiles.reach import within_reach
from tiles.report import TilesetReport
from tiles.soup import FloatArray, IntArray
from tiles.tileset import Tile, drawn_tile, root_json, tileset_json
from tiles.tree import Node, split


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
) -> TilesetReport:
    """Write ``out/tileset.json``, ``out/buildings`` and ``out/ground``, each file with .br and .gz twins.

    ``objects`` and ``geometries`` have the columns of ``cim.city.columns``; ``out`` is an empty directory
    that the caller swaps in when this returns.  ``progress`` gets a step's name, what is done, and of
    how many.  Raises :class:`InvalidInput` if there is nothing to draw (``city-empty``) or the CRS
    cannot carry it.
    """
    begun = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    report, files = TilesetReport(), TileFiles(out)
    progress("read", 0, 1)
    objects, far_away = within_reach(objects)
    city = read_city(objects, geometries)
    city.quarantined.extend(far_away)
    terrain = terrain_triangles(objects, geometries) if frame.ground == TERRAIN_GROUND else None
    sheet = _sheet(city, objects, terrain)
    placed = place_city(city, frame, sheet, terrain=terrain)
    report.origin, report.sunk_m = placed.chart.origin, placed.sunk_m
    progress("read", 1, 1)
    buildings, far = _build_buildings(placed, files, report, progress)
    report.buildings_s = time.perf_counter() - begun
    stand = Stand(placed.chart, placed.surface, sheet)
    ground = _build_ground(ground_shapes(objects, sheet=sheet), stand, files, report, progress)
    write_documents(files, placed.chart, frame, buildings, ground)
    _plan(placed, frame, sheet, far, (buildings, ground)).save(out / PLAN_NAME)
    report.quarantined = sorted(set(city.quarantined))
    report.build_s = time.perf_counter() - begun
    report.buildings_per_s = report.buildings / report.buildings_s if report.buildings_s else 0.0
    if compress:
        files.add_twins(progress)
    files.sync(progress)
    report.bytes_plain, report.bytes_brotli = files.bytes_plain, files.bytes_brotli
    report.bytes_gzip, report.compress_s, report.sync_s = files.bytes_gzip, files.compress_s, files.sync_s
    leaves = sum(files.brotli_of.get(f"buildings/{uri}", 0) for uri in _leaf_uris(buildings))
    report.bytes_per_building = leaves / report.buildings if report.buildings else 0.0
    return report


def _sheet(city: City, objects: pa.Table, terrain: FloatArray | None) -> Bounds:
    """Return the box of everything that is drawn, grown by the margin."""
    _, _, places, _ = painted(objects)
    boxes = [shapely.bounds(city.blocks.footprint).reshape(-1, 4), shapely.bounds(places).reshape(-1, 4)]
    if len(city.bodies.coordinates):
        x, y, _ = city.bodies.coordinates.T
        boxes.append(np.array([[x.min(), y.min(), x.max(), y.max()]]))
    if terrain is not None and len(terrain):
        # Reliefs are painted as far as they reach; there is no margin of ground that nobody measured.
        xy = terrain[..., :2].reshape(-1, 2)
        boxes.append(np.concatenate((xy.min(axis=0) + MARGIN_M, xy.max(axis=0) - MARGIN_M))[None])
    every = np.concatenate(boxes)
    if not len(every):
        raise InvalidInput(
            "The city has neither buildings nor ground to draw.",
            hint="Ingest a source with buildings first.",
            code="city-empty",
        )
    low, high = every[:, :2].min(axis=0) - MARGIN_M, every[:, 2:].max(axis=0) + MARGIN_M
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _build_buildings(
    placed: PlacedCity, files: TileFiles, report: TilesetReport, progress: ProgressFunction
) -> tuple[PlanTile | None, FarCity]:
    drawn = np.flatnonzero(np.isfinite(placed.box[:, 0]))
    ids = placed.city.features.ids
    missing = np.flatnonzero(~np.isfinite(placed.box[:, 0]))
    named = {identifier for identifier, _ in placed.city.quarantined}
    placed.city.quarantined.extend((ids[row], "no-geometry") for row in missing.tolist() if ids[row] not in named)
    report.buildings = len(drawn)
    far = placed.far()
    if not len(drawn):
        return None, far
    centres = (placed.box[:, :2] + placed.box[:, 2:]) / 2
    tree = split(centres, placed.weight, drawn)
    total = len(tree.leaves())

    def keep(content: Content) -> str:
        return files.add_content("buildings", content.glb)

    def make(node: Node) -> PlanTile:
        if node.children:
            children = [make(child) for child in node.children]
            content, error = far_content(placed, far, node.rows)
            return planned(content, keep, error, children=children)
        content = near_content(placed, node.rows)
        _count(report, content)
        report.building_tiles += 1
        progress("buildings", report.building_tiles, total)
        return planned(content, keep, 0.0, rows=node.rows.tolist())

    return make(tree), far


def near_content(placed: PlacedCity, rows: IntArray) -> Content | None:
    """Return what a leaf shows of some features, by their rows, ascending."""
    if not len(rows):
        return None
    return building_content(placed.drawing(rows), placed.skirt(rows), placed.columns(rows))


def far_content(placed: PlacedCity, far: FarCity, rows: IntArray) -> tuple[Content | None, float]:
    """Return what an inner tile over some features shows, and how far that lies from the whole, metres."""
    under = np.zeros(len(placed.box), dtype=np.bool_)
    under[rows] = True
    blocks = np.flatnonzero(under[far.blocks.owner])
    choice = choose(far.size_m[blocks], far.roof_error_m[blocks], diagonal_of(placed.box[rows]))
    return chosen_content(placed, coarse(far.blocks.select(blocks[choice.rows]), choice.tolerance_m)), choice.error_m


def chosen_content(placed: PlacedCity, blocks: Blocks) -> Content | None:
    """Return a tile of blocks as they are seen from far away."""
    owners = np.unique(blocks.owner)
    if not len(owners):
        return None
    return building_content(placed.far_drawing(blocks, owners), SkirtMesh(), placed.columns(owners))


def diagonal_of(boxes: FloatArray) -> float:
    """Return the diagonal of what some boxes (n, 4) cover together, metres."""
    return float(np.linalg.norm(boxes[:, 2:].max(axis=0) - boxes[:, :2].min(axis=0)))


def _count(report: TilesetReport, content: Content | None) -> None:
    if content is not None:
        report.triangles += content.triangles
        report.edges += content.edges
        report.vertices += content.vertices


def _leaf_uris(tile: PlanTile | None) -> list[str]:
    return [] if tile is None else [leaf.uri for leaf in tile.leaves() if leaf.uri]


def _build_ground(
    ground: Ground, stand: Stand, files: TileFiles, report: TilesetReport, progress: ProgressFunction
) -> PlanTile:
    report.ground_features = len(set(ground.shapes.ids.tolist()) - {""})

    def keep(content: Content) -> str:
        return files.add_content("ground", content.glb)

    def told(done: int, total: int) -> None:
        report.ground_tiles = done
        progress("ground", done, total)

    return build_ground(ground, stand, keep, told)


def _plan(
    placed: PlacedCity, frame: TileFrame, sheet: Bounds, far: FarCity, tiles: tuple[PlanTile | None, PlanTile]
) -> Plan:
    features = placed.city.features
    surface = placed.surface
    return Plan(
        frame=asdict(frame),
        sheet=sheet,
        ids=features.ids,
        parts={features.ids[row]: parts for row, parts in placed.city.parts.items()},
        box=placed.box,
        far_owner=far.blocks.owner,
        far_size_m=far.size_m,
        far_roof_error_m=far.roof_error_m,
        far_bodies_from=len(placed.city.blocks.owner),
        grid=(surface.low, surface.cell_m, surface.levels_m) if surface.levels_m.size > 1 else None,
        buildings=tiles[0],
        ground=tiles[1],
    )


def write_documents(
    files: TileFiles,
    chart: Chart,
    frame: TileFrame,
    buildings: PlanTile | None,
    ground: PlanTile,
    *,
    same: Collection[str] = (),
) -> None:
    """Write the documents of both tilesets and of the root that joins them, without those that are the ``same``."""
    external: list[tuple[str, Tile]] = []
    grounds = drawn_tile(ground)
    empty = Tile(None, grounds.low.copy(), grounds.high.copy(), 0.0)
    drawn = empty if buildings is None else drawn_tile(buildings)
    if drawn.uri is None and not drawn.children:
        drawn = empty
    for name, tile in (("buildings", drawn), ("ground", grounds)):
        document = tileset_json(tile, chart, title=frame.title, baseline_version=frame.baseline_version)
        if name not in same:
            files.add_json(f"{name}/tileset.json", document)
        external.append((f"{name}/tileset.json", tile))
    files.add_json(
        "tileset.json", root_json(external, chart, title=frame.title, baseline_version=frame.baseline_version)
    )
