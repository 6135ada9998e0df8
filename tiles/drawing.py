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


def split(drawing: Drawing, starts: IntArray) -> list[Drawing]:
    """Return a drawing in pieces: of the owners from one of the ``starts`` to the next, counted from that one."""
    owners = (drawing.vertex_owner, drawing.face_owner, drawing.triangle_owner, drawing.edge_owner)
    bounds = [np.searchsorted(owner, starts).tolist() for owner in owners]
    pieces: list[Drawing] = []
    for at, first in enumerate(starts[:-1].tolist()):
        (v, v_end), (f, f_end), (t, t_end), (e, e_end) = (found[at : at + 2] for found in bounds)
        pieces.append(
            Drawing(
                drawing.positions[v:v_end], drawing.height_m[v:v_end], drawing.normals[f:f_end],
                drawing.triangles[t:t_end] - v, drawing.faces[t:t_end] - f, drawing.triangle_owner[t:t_end] - first,
                drawing.edges[e:e_end] - v, drawing.edge_owner[e:e_end] - first,
                drawing.vertex_owner[v:v_end] - first, drawing.face_owner[f:f_end] - first,
                drawing.meaning[t:t_end],
            )
        )  # fmt: skip
    return pieces


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
