"""Tiles of buildings: triangles, crease edges, contact skirt and property table, each tile in one GLB."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tiles.drawing import Drawing
from tiles.glb import LINES, TRIANGLE_STRIP, TRIANGLES, Extent, GlbWriter
from tiles.grids import Grids, Words, coarse, corners_of, extents, not_collapsed, packed_normals
from tiles.metadata import CITY_OBJECT, Column, PropertyRows
from tiles.soup import FloatArray, IntArray

HEIGHT_STEP_M: Final = 1 / 8
"""Heights are rounded to this: exact in a float32 and with empty low bytes, so they compress."""

TINTS: Final = np.array(
    [
        [255, 255, 255, 255], [255, 255, 255, 255], [214, 178, 160, 255], [190, 190, 190, 255], [150, 172, 190, 255],
        [186, 160, 136, 255],
    ],
    dtype="<u1",
)  # fmt: skip
"""The colour of each meaning, times the material's: walls are pale, roofs of tile."""

_EXTENSIONS: Final = ["EXT_mesh_features", "EXT_structural_metadata", "KHR_mesh_quantization"]
_PALE: Final = [0.878, 0.863, 0.827, 1.0]
_INK: Final = [0.23, 0.25, 0.28, 1.0]
_UNSEEN: Final = [0.0, 0.0, 0.0, 0.0]

MATERIALS: Final = [
    {"name": "wall", "pbrMetallicRoughness": {"baseColorFactor": _PALE, "metallicFactor": 0.0, "roughnessFactor": 1.0}},
    {"name": "edge", "pbrMetallicRoughness": {"baseColorFactor": _INK, "metallicFactor": 0.0, "roughnessFactor": 1.0}},
    # Clients that do not know _ALPHA draw nothing of the skirt.
    {
        "name": "contact",
        "alphaMode": "BLEND",
        "pbrMetallicRoughness": {"baseColorFactor": _UNSEEN, "metallicFactor": 0.0, "roughnessFactor": 1.0},
    },
]


@dataclass(frozen=True, slots=True)
class Content:
    """A finished GLB; ``low`` and ``high`` (3,) bound its decoded vertices, metres east, north, up."""

    glb: bytes
    low: FloatArray
    high: FloatArray
    features: int
    triangles: int
    edges: int
    vertices: int


@dataclass(frozen=True, slots=True)
class SkirtMesh:
    """The skirts of some tiles, a strip of triangles each: ``positions`` (n, 3) in the chart, which are ``far`` (n,).

    What is one tile's begins at its place in ``starts`` (tiles + 1,).
    """

    positions: FloatArray
    far: NDArray[np.bool_]
    starts: IntArray

    @classmethod
    def none(cls, tiles: int) -> SkirtMesh:
        """Return no skirts for so many tiles."""
        return cls(np.empty((0, 3)), np.empty(0, dtype=np.bool_), np.zeros(tiles + 1, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class _Attribute:
    """Values of vertices (n, k), of which ``width`` are meant; ``said`` tells in which tiles they say anything."""

    name: str
    values: NDArray[Any]
    width: int | None = None
    normalized: bool = False
    said: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class _Strip:
    """One kind of primitive of all tiles, its vertices as they lie in the file, those of a tile from its start on."""

    mode: int
    material: int
    starts: list[int]
    extents: list[Extent | None]
    attributes: tuple[_Attribute, ...]

    def written(self, writer: GlbWriter, tile: int, features: dict[str, Any]) -> list[dict[str, Any]]:
        """Append a tile's vertices to the buffer; return its primitive, none where it has no vertices."""
        first, end = self.starts[tile : tile + 2]
        if end == first:
            return []
        attributes: dict[str, int] = {}
        for each in self.attributes:
            if each.said is None or each.said[tile]:
                extent = self.extents[tile] if each.name == "POSITION" else None
                attributes[each.name] = writer.attribute(
                    each.values[first:end], width=each.width, extent=extent, normalized=each.normalized
                )
        primitive = {"attributes": attributes, "mode": self.mode, "material": self.material}
        return [{**primitive, "extensions": features} if "_FEATURE_ID_0" in attributes else primitive]


def building_contents(
    drawing: Drawing, starts: IntArray, skirt: SkirtMesh, columns: dict[str, Column]
) -> Iterator[Content | None]:
    """Write tiles, of the owners from one of the ``starts`` (tiles + 1,) to the next each; ``None`` for nothing.

    The owners in ``drawing``, tile after tile, are rows of ``columns``.  What a tile comes to depends on no other.
    """
    vertex, triangle, edge = (
        np.searchsorted(owner, starts) for owner in (drawing.vertex_owner, drawing.triangle_owner, drawing.edge_owner)
    )
    grids = Grids.over((drawing.positions, vertex), (skirt.positions, skirt.starts))
    words = grids.quantise(drawing.positions, vertex)
    faces = _faces(drawing, words, (vertex, triangle, starts))
    strips = (_edges(drawing, words, (vertex, edge, starts)), _skirts(skirt, grids))
    rows = PropertyRows.of("CityObject", CITY_OBJECT, columns)
    for tile, (first, end) in enumerate(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)):
        writer = GlbWriter()
        features = {
            "EXT_mesh_features": {"featureIds": [{"featureCount": end - first, "attribute": 0, "propertyTable": 0}]}
        }
        primitives = faces.written(writer, tile, features)
        if not primitives:
            yield None
            continue
        for strip in strips:
            primitives.extend(strip.written(writer, tile, features))
        document = {
            "asset": {"version": "2.0", "generator": "cim tiles"},
            "extensionsUsed": _EXTENSIONS,
            "extensionsRequired": ["KHR_mesh_quantization"],
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0, **grids.node(tile)}],
            "meshes": [{"primitives": primitives}],
            "materials": MATERIALS[: max(p["material"] for p in primitives) + 1],
            "extensions": {"EXT_structural_metadata": rows.table(writer, first, end)},
        }
        drawn = [extent for strip in (faces, *strips) if (extent := strip.extents[tile]) is not None]
        vertices = faces.starts[tile + 1] - faces.starts[tile]
        yield Content(
            writer.finish(document), *grids.decoded(tile, drawn), end - first,
            vertices // 3, int(edge[tile + 1] - edge[tile]), vertices,
        )  # fmt: skip


def _faces(drawing: Drawing, words: Words, starts: tuple[IntArray, IntArray, IntArray]) -> _Strip:
    """Return the triangles; ``starts`` are the tiles' among vertices, triangles, and owners."""
    vertex, triangle, first = starts
    # Corners are written out, not indexed: equal ones compress to almost nothing, ascending indices do not.
    vertices, normal, owner = drawing.triangles, drawing.faces, drawing.triangle_owner
    meaning = drawing.meaning if len(drawing.meaning) else np.zeros(len(owner), dtype=np.int64)
    corners = words[vertices]
    seen = not_collapsed(corners)
    if not seen.all():
        corners, vertices = corners[seen], vertices[seen]
        normal, owner, meaning = normal[seen], owner[seen], meaning[seen]
        triangle = np.append(0, np.cumsum(seen))[triangle]
    size = np.diff(triangle)
    height = np.rint(np.maximum(drawing.height_m, 0.0) / HEIGHT_STEP_M) * HEIGHT_STEP_M
    normals = packed_normals(drawing.normals).view("<u4").reshape(-1)
    row = (owner - np.repeat(first[:-1], size)).astype("<f4")
    told = np.add.reduceat(np.append(meaning, 0) != 0, triangle[:-1]) > 0
    tinted = told & (size > 0)
    colours = (_Attribute("COLOR_0", TINTS[np.repeat(meaning, 3)], None, True, tinted),) if tinted.any() else ()
    return _Strip(
        TRIANGLES,
        0,
        (3 * triangle).tolist(),
        extents(words, vertex, vertices),
        (
            _Attribute("POSITION", corners_of(corners.reshape(-1)), 3),
            _Attribute("NORMAL", np.repeat(normals[normal], 3).view("<i1").reshape(-1, 4), 3, True),
            _Attribute("_FEATURE_ID_0", np.repeat(row, 3)),
            _Attribute("_HEIGHT", height.astype("<f4")[vertices.reshape(-1)]),
            *colours,
        ),
    )


def _edges(drawing: Drawing, words: Words, starts: tuple[IntArray, IntArray, IntArray]) -> _Strip:
    """Return the creases; ``starts`` are the tiles' among vertices, edges, and owners."""
    vertex, edge, first = starts
    vertices, owner = drawing.edges, drawing.edge_owner
    ends = words[vertices]
    apart = ends[:, 0] != ends[:, 1]
    if not apart.all():
        ends, vertices, owner = ends[apart], vertices[apart], owner[apart]
        edge = np.append(0, np.cumsum(apart))[edge]
    row = (owner - np.repeat(first[:-1], np.diff(edge))).astype("<f4")
    return _Strip(
        LINES,
        1,
        (2 * edge).tolist(),
        extents(words, vertex, vertices),
        (_Attribute("POSITION", corners_of(ends.reshape(-1)), 3), _Attribute("_FEATURE_ID_0", np.repeat(row, 2))),
    )


def _skirts(skirt: SkirtMesh, grids: Grids) -> _Strip:
    words = grids.quantise(skirt.positions, skirt.starts)
    words = np.where(skirt.far, coarse(words), words)
    return _Strip(
        TRIANGLE_STRIP,
        2,
        skirt.starts.tolist(),
        extents(words, skirt.starts, np.arange(len(words))),
        (
            _Attribute("POSITION", corners_of(words), 3),
            _Attribute("_ALPHA", np.where(skirt.far, 0.0, 1.0).astype("<f4")),
        ),
    )
