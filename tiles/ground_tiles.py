"""Tiles of the ground: shapes cut by a grid of cells, laid on the surface, one GLB per cell."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.geometry.ground import Ground as Surface
from tiles.content import Content
from tiles.drape import Drape
from tiles.footprints import polygon_parts, rings
from tiles.frame import Chart
from tiles.glb import TRIANGLES, GlbWriter
from tiles.grids import STEPS, Grids, corners_of, extents, not_collapsed, packed_normals
from tiles.ground import COLOURS, FAR_KINDS, PAINT_ORDER, GroundShapes
from tiles.mesh import triangulate
from tiles.metadata import GROUND, PropertyRows
from tiles.soup import IntArray, Soup

CELL_M: Final = 640.0
"""Side of a leaf; short enough that the Earth's curve under one triangle stays below a centimetre."""
LIFT_M: Final = 0.02
"""Each kind of ground lies this much above the one painted before it."""
PIECE_M2_MIN: Final = 0.05
FAR_SHARE: Final = 1 / 256
"""From far away the outlines are simplified by this share of a tile's side."""

_EXTENSIONS: Final = ["EXT_mesh_features", "EXT_structural_metadata", "KHR_mesh_quantization"]
_MATERIAL: Final = {
    "name": "ground",
    "doubleSided": True,
    "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 1.0},
}


def cut(shapes: GroundShapes, cell: tuple[float, float, float, float]) -> GroundShapes:
    """Return the shapes inside one cell (xmin, ymin, xmax, ymax)."""
    box = shapely.box(*cell)
    bounds = shapely.bounds(shapes.polygons)
    near = (bounds[:, 0] < cell[2]) & (bounds[:, 2] > cell[0]) & (bounds[:, 1] < cell[3]) & (bounds[:, 3] > cell[1])
    rows = np.flatnonzero(near)
    inside = (
        (bounds[rows, 0] >= cell[0]) & (bounds[rows, 2] <= cell[2])
        & (bounds[rows, 1] >= cell[1]) & (bounds[rows, 3] <= cell[3])
    )  # fmt: skip
    polygons = shapes.polygons[rows]
    polygons[~inside] = shapely.intersection(polygons[~inside], box)
    parts, origin = polygon_parts(polygons)
    keep = shapely.area(parts) > PIECE_M2_MIN
    found = shapes.select(rows[origin[keep]])
    return GroundShapes(shapely.orient_polygons(parts[keep]), found.ids, found.rank)


def cut_polygons(polygons: NDArray[np.object_], cell: tuple[float, float, float, float]) -> NDArray[np.object_]:
    """Return what lies inside one cell of polygons that are no object's."""
    if not len(polygons):
        return polygons
    return cut(
        GroundShapes(polygons, np.full(len(polygons), ""), np.zeros(len(polygons), dtype=np.int64)), cell
    ).polygons


def simplified(shapes: GroundShapes, tolerance_m: float) -> GroundShapes:
    """Return the shapes as seen from far: fewer kinds, fewer vertices, nothing smaller than the tolerance."""
    far = np.isin(np.array(PAINT_ORDER)[shapes.rank], list(FAR_KINDS))
    wide = (shapely.area(shapes.polygons) > tolerance_m**2) | (shapes.rank == 0)
    kept = shapes.select(np.flatnonzero(far & wide))
    simple = shapely.simplify(kept.polygons, tolerance_m, preserve_topology=True)
    return GroundShapes(shapely.orient_polygons(simple), kept.ids, kept.rank)


def ground_content(shapes: GroundShapes, chart: Chart, surface: Surface, drape: Drape) -> Content | None:
    """Write one tile of ground, its triangles in paint order."""
    if not len(shapes.polygons):
        return None
    shapes = _draped(shapes, drape)
    ids, owner = _rows(shapes)
    soup = _laid(shapes, owner, chart, surface, drape)
    mesh = triangulate(soup)
    if not len(mesh.triangles):
        return None
    soup = mesh.soup
    one = np.array((0, len(soup.coordinates)))
    grid = Grids.over((soup.coordinates, one))
    words = grid.quantise(soup.coordinates, one)
    seen = not_collapsed(words[mesh.triangles])
    corners = corners_of(words[mesh.triangles[seen]].reshape(-1))
    (extent,) = extents(words, one, mesh.triangles[seen])
    if extent is None:
        return None
    face = np.repeat(mesh.surface[seen], 3)
    row = soup.owner[face]
    kinds = [kind for _, kind in ids]
    colours = np.array([(*COLOURS[kind], 255) for kind in kinds], dtype="<u1")
    writer = GlbWriter()
    primitive: dict[str, Any] = {
        "attributes": {
            "POSITION": writer.attribute(corners, width=3, extent=extent),
            "NORMAL": writer.attribute(packed_normals(mesh.normals)[face], width=3, normalized=True),
            "COLOR_0": writer.attribute(colours[row], normalized=True),
            "_FEATURE_ID_0": writer.attribute(row.astype("<f4")),
        },
        "mode": TRIANGLES,
        "material": 0,
        "extensions": {
            "EXT_mesh_features": {"featureIds": [{"featureCount": len(ids), "attribute": 0, "propertyTable": 0}]}
        },
    }
    rows = PropertyRows.of("Ground", GROUND, {"id": [identifier for identifier, _ in ids], "kind": kinds})
    document = {
        "asset": {"version": "2.0", "generator": "cim tiles"},
        "extensionsUsed": _EXTENSIONS,
        "extensionsRequired": ["KHR_mesh_quantization"],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, **grid.node(0)}],
        "meshes": [{"primitives": [primitive]}],
        "materials": [_MATERIAL],
        "extensions": {"EXT_structural_metadata": rows.table(writer, 0, len(ids))},
    }
    low, high = grid.decoded(0, [extent])
    return Content(writer.finish(document), low, high, len(ids), len(corners) // 3, 0, len(corners))


def _draped(shapes: GroundShapes, drape: Drape) -> GroundShapes:
    """Return the shapes cut along the pieces of a drape, so that they follow the surface."""
    boxes = drape(shapes)
    if boxes is None:
        return shapes
    shape, box = shapely.STRtree(boxes).query(shapes.polygons, predicate="intersects")
    pieces = boxes[box]
    shapely.prepare(shapes.polygons)
    partial = ~shapely.covers(shapes.polygons[shape], pieces)
    pieces[partial] = shapely.intersection(shapes.polygons[shape[partial]], pieces[partial])
    parts, origin = polygon_parts(pieces)
    keep = shapely.area(parts) > PIECE_M2_MIN
    found = shapes.select(shape[origin[keep]])
    return GroundShapes(shapely.orient_polygons(parts[keep]), found.ids, found.rank)


def _rows(shapes: GroundShapes) -> tuple[list[tuple[str, str]], IntArray]:
    """Return one row per object and kind, in paint order, and the row of each shape."""
    rows: dict[tuple[str, str], int] = {}
    owner = [
        rows.setdefault((identifier, PAINT_ORDER[rank]), len(rows))
        for identifier, rank in zip(shapes.ids.tolist(), shapes.rank.tolist(), strict=True)
    ]
    return list(rows), np.array(owner, dtype=np.int64)


def _laid(shapes: GroundShapes, owner: IntArray, chart: Chart, surface: Surface, drape: Drape) -> Soup:
    lift_m = max(LIFT_M, 3 * drape.side_m / STEPS)
    xy, ring_ends, polygon_ends = rings(shapes.polygons)
    ring = np.repeat(np.arange(len(ring_ends)), np.diff(ring_ends, prepend=0))
    polygon = np.repeat(np.arange(len(polygon_ends)), np.diff(polygon_ends, prepend=0))[ring]
    level = surface.height_m(xy) + shapes.rank[polygon] * lift_m - drape.sunk_m
    placed = chart.to_local(np.column_stack((xy, level)))
    return Soup(placed, ring_ends, polygon_ends, owner, np.zeros(len(xy)))
