"""What a tile of buildings draws, before it is put on the tile's grid: triangles and crease edges over vertices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from tiles.edges import crease_edges
from tiles.mesh import triangulate
from tiles.soup import FloatArray, IntArray, Soup, meanings


@dataclass(frozen=True, slots=True)
class Drawing:
    """Triangles and edges of some features, in the chart.

    ``positions`` (n, 3) metres east, north, up; ``height_m`` (n,) is above the feature's own ground; ``triangles``
    (t, 3) and ``edges`` (e, 2) are vertices; ``faces`` (t,) is each triangle's row of ``normals`` (f, 3), unit
    vectors; the owners, (t,) and (e,), are the features' rows; ``meaning`` (t,) is what the source says that each
    triangle is a part of, empty where it says nothing.  All owners ascend; those of vertices and faces, (n,) and (f,),
    say what belongs together.
    """

    positions: FloatArray
    height_m: FloatArray
    normals: FloatArray
    triangles: IntArray
    faces: IntArray
    triangle_owner: IntArray
    edges: IntArray
    edge_owner: IntArray
    vertex_owner: IntArray
    face_owner: IntArray
    meaning: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def drawing_of(soup: Soup) -> Drawing:
    """Return how surfaces of any form are drawn."""
    mesh = triangulate(soup)
    kept = mesh.soup
    edges, edge_owner = crease_edges(kept, mesh.normals)
    return Drawing(
        kept.coordinates, kept.height_m, mesh.normals,
        mesh.triangles, mesh.surface, kept.owner[mesh.surface], edges, edge_owner,
        kept.owner[kept.vertex_surface], kept.owner,
        kept.meaning[mesh.surface] if len(kept.meaning) else kept.meaning,
    )  # fmt: skip


def together(drawings: Sequence[Drawing]) -> Drawing:
    """Return several drawings as one, each after the other."""
    drawn = [drawing for drawing in drawings if len(drawing.triangles)] or list(drawings[:1])
    if len(drawn) == 1:
        return drawn[0]
    vertices = np.cumsum([0, *(len(d.positions) for d in drawn[:-1])])
    faces = np.cumsum([0, *(len(d.normals) for d in drawn[:-1])])
    shift = {"triangles": vertices, "edges": vertices, "faces": faces}
    columns = {}
    for name in (member.name for member in fields(Drawing) if member.name != "meaning"):
        parts = [getattr(d, name) for d in drawn]
        columns[name] = np.concatenate(
            [p + o for p, o in zip(parts, shift[name], strict=True)] if name in shift else parts
        )
    columns["meaning"] = meanings([(d.meaning, len(d.triangles)) for d in drawn])
    return Drawing(**columns)


def by_tile(drawing: Drawing, starts: IntArray) -> Drawing:
    """Return a drawing in the order of tiles, which have the owners from one of the ``starts`` to the next each."""
    of = {
        name: np.searchsorted(starts, owner, side="right")
        for name, owner in (
            ("vertex", drawing.vertex_owner), ("face", drawing.face_owner),
            ("triangle", drawing.triangle_owner), ("edge", drawing.edge_owner),
        )
    }  # fmt: skip
    if all((tile[1:] >= tile[:-1]).all() for tile in of.values()):
        return drawing
    order = {name: np.argsort(tile, kind="stable") for name, tile in of.items()}
    place = {name: np.empty_like(rows) for name, rows in order.items()}
    for name, rows in order.items():
        place[name][rows] = np.arange(len(rows))
    vertex, face, triangle, edge = order.values()
    return Drawing(
        drawing.positions[vertex], drawing.height_m[vertex], drawing.normals[face],
        place["vertex"][drawing.triangles[triangle]], place["face"][drawing.faces[triangle]],
        drawing.triangle_owner[triangle], place["vertex"][drawing.edges[edge]], drawing.edge_owner[edge],
        drawing.vertex_owner[vertex], drawing.face_owner[face],
        drawing.meaning[triangle] if len(drawing.meaning) else drawing.meaning,
    )  # fmt: skip
