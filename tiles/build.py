"""Objects of the store to a 3D Tiles 1.1 tileset: buildings, ground, and a root that joins them."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely

from cim.errors import InvalidInput
from tiles.content import Content, SkirtMesh, building_content
from tiles.far import FarCity, choose
from tiles.files import ProgressFunction, TileFiles
from tiles.frame import Chart, TileFrame
from tiles.ground import MARGIN_M, GroundShapes, ground_shapes, painted
from tiles.ground_tiles import CELL_M, FAR_SHARE, cut, ground_content, simplified
from tiles.intake import City, read_city
from tiles.placing import PlacedCity, place_city
from tiles.reach import within_reach
from tiles.report import TilesetReport
from tiles.tileset import Tile, root_json, tileset_json
from tiles.tree import Node, split

Bounds = tuple[float, float, float, float]


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
    sheet = _sheet(city, objects)
    placed = place_city(city, frame, sheet)
    report.origin, report.sunk_m = placed.chart.origin, placed.sunk_m
    progress("read", 1, 1)
    buildings = _build_buildings(placed, files, report, progress)
    report.buildings_s = time.perf_counter() - begun
    ground = _build_ground(ground_shapes(objects, sheet=sheet), placed, sheet, files, report, progress)
    _write_documents(files, placed.chart, frame, buildings, ground)
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


def _sheet(city: City, objects: pa.Table) -> Bounds:
    """Return the box of everything that is drawn, grown by the margin."""
    _, _, places, _ = painted(objects)
    boxes = [shapely.bounds(city.blocks.footprint).reshape(-1, 4), shapely.bounds(places).reshape(-1, 4)]
    if len(city.bodies.coordinates):
        x, y, _ = city.bodies.coordinates.T
        boxes.append(np.array([[x.min(), y.min(), x.max(), y.max()]]))
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
) -> Tile | None:
    drawn = np.flatnonzero(np.isfinite(placed.box[:, 0]))
    ids = placed.city.features.ids
    missing = np.flatnonzero(~np.isfinite(placed.box[:, 0]))
    named = {identifier for identifier, _ in placed.city.quarantined}
    placed.city.quarantined.extend((ids[row], "no-geometry") for row in missing.tolist() if ids[row] not in named)
    report.buildings = len(drawn)
    if not len(drawn):
        return None
    centres = (placed.box[:, :2] + placed.box[:, 2:]) / 2
    tree = split(centres, placed.weight, drawn)
    far = placed.far() if tree.children else None
    total = len(tree.leaves())

    def leaf_done() -> None:
        progress("buildings", report.building_tiles, total)

    def make(node: Node) -> Tile:
        children = [make(child) for child in node.children]
        content, error = _near(placed, node), 0.0
        if far is not None and node.children:
            content, error = _far(placed, far, node)
        tile = _tile(content, "buildings", files, error, children)
        if not node.children:
            _count(report, content)
            report.building_tiles += 1
            leaf_done()
        return tile

    return make(tree)


def _near(placed: PlacedCity, node: Node) -> Content | None:
    if node.children:
        return None
    return building_content(placed.drawing(node.rows), placed.skirt(node.rows), placed.columns(node.rows))


def _far(placed: PlacedCity, far: FarCity, node: Node) -> tuple[Content | None, float]:
    under = np.zeros(len(placed.box), dtype=np.bool_)
    under[node.rows] = True
    rows = np.flatnonzero(under[far.blocks.owner])
    box = placed.box[node.rows]
    diagonal = float(np.linalg.norm(box[:, 2:].max(axis=0) - box[:, :2].min(axis=0)))
    blocks, error = choose(far, rows, diagonal)
    owners = np.unique(blocks.owner)
    if not len(owners):
        return None, error
    return building_content(placed.far_drawing(blocks, owners), SkirtMesh(), placed.columns(owners)), error


def _tile(content: Content | None, folder: str, files: TileFiles, error: float, children: list[Tile]) -> Tile:
    if content is None:
        return Tile(None, np.full(3, np.inf), np.full(3, -np.inf), error, children)
    return Tile(files.add_content(folder, content.glb), content.low, content.high, error, children)


def _count(report: TilesetReport, content: Content | None) -> None:
    if content is not None:
        report.triangles += content.triangles
        report.edges += content.edges
        report.vertices += content.vertices


def _leaf_uris(tile: Tile | None) -> list[str]:
    if tile is None:
        return []
    if tile.children:
        return [uri for child in tile.children for uri in _leaf_uris(child)]
    return [tile.uri] if tile.uri else []


def _build_ground(
    shapes: GroundShapes,
    placed: PlacedCity,
    sheet: Bounds,
    files: TileFiles,
    report: TilesetReport,
    progress: ProgressFunction,
) -> Tile:
    report.ground_features = len(set(shapes.ids.tolist()) - {""})
    side = max(sheet[2] - sheet[0], sheet[3] - sheet[1])
    levels = max(0, int(np.ceil(np.log2(side / CELL_M))))
    leaf_side = side / 2**levels
    columns, rows = (int(np.ceil((sheet[i + 2] - sheet[i]) / leaf_side)) for i in (0, 1))
    total = columns * rows

    def make(cell: Bounds, inside: GroundShapes, level: int) -> Tile | None:
        here = cut(inside, cell)
        width = cell[2] - cell[0]
        if level == levels:
            content = ground_content(here, placed.chart, placed.surface, width)
            report.ground_tiles += 1
            progress("ground", min(report.ground_tiles, total), total)
            return None if content is None else _tile(content, "ground", files, 0.0, [])
        children = [tile for quarter in _quarters(cell) if (tile := make(quarter, here, level + 1)) is not None]
        if not children:
            return None
        tolerance = width * FAR_SHARE
        content = ground_content(simplified(here, tolerance), placed.chart, placed.surface, width)
        return _tile(content, "ground", files, 2 * tolerance, children)

    root = make((sheet[0], sheet[1], sheet[0] + side, sheet[1] + side), shapes, 0)
    assert root is not None
    return root


def _quarters(cell: Bounds) -> list[Bounds]:
    xmin, ymin, xmax, ymax = cell
    x, y = (xmin + xmax) / 2, (ymin + ymax) / 2
    return [(xmin, ymin, x, y), (x, ymin, xmax, y), (xmin, y, x, ymax), (x, y, xmax, ymax)]


def _write_documents(files: TileFiles, chart: Chart, frame: TileFrame, buildings: Tile | None, ground: Tile) -> None:
    external: list[tuple[str, Tile]] = []
    empty = Tile(None, ground.low.copy(), ground.high.copy(), 0.0)
    for name, tile in (("buildings", buildings or empty), ("ground", ground)):
        files.add_json(
            f"{name}/tileset.json",
            tileset_json(tile, chart, title=frame.title, baseline_version=frame.baseline_version),
        )
        external.append((f"{name}/tileset.json", tile))
    files.add_json(
        "tileset.json", root_json(external, chart, title=frame.title, baseline_version=frame.baseline_version)
    )
