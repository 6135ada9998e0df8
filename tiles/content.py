"""One tile of buildings: triangles, crease edges, contact skirt and property table in one GLB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tiles.drawing import Drawing
from tiles.glb import LINES, TRIANGLES, GlbWriter
from tiles.metadata import CHANGE, CITY_OBJECT, Column, has_text, property_table
from tiles.soup import FloatArray, IntArray

STEPS: Final = 65535
"""Steps of a quantised coordinate."""
STEP_M_MIN: Final = 0.02
"""Finer than this no source is; coarser steps compress better."""
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

Words = NDArray[np.uint64]
"""Quantised positions, one word each."""
Steps = Sequence[Sequence[int]]

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
    """A skirt in the chart: ``positions`` (n, 3), ``alpha`` (n,), ``triangles`` (t, 3)."""

    positions: FloatArray = field(default_factory=lambda: np.empty((0, 3)))
    alpha: FloatArray = field(default_factory=lambda: np.empty(0))
    triangles: IntArray = field(default_factory=lambda: np.empty((0, 3), dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Grid:
    """Quantisation of one tile: ``low`` (3,) is the corner, ``step_m`` the same along every axis.

    One step for all axes keeps normals right under the node's scale.
    """

    low: FloatArray
    high: FloatArray
    step_m: float

    @classmethod
    def over(cls, *positions: FloatArray) -> Grid:
        """Return the grid that covers positions, each of shape (n, 3)."""
        filled = [p for p in positions if len(p)]
        low = np.array([min(p[:, axis].min() for p in filled) for axis in range(3)])
        high = np.array([max(p[:, axis].max() for p in filled) for axis in range(3)])
        # The step goes through JSON and a client's float32; a millionth more keeps the ends inside.
        step = max(float((high - low).max()) / STEPS, STEP_M_MIN)
        return cls(low, high, float(np.float32(step * 1.000001)))

    def quantise(self, positions: FloatArray) -> Words:
        """Return steps from the corner: east, north, up in 16 bits each of one word, as they lie in the file."""
        east, north, up = (
            np.rint((positions[:, axis] - self.low[axis]) / self.step_m).astype(np.uint64) for axis in range(3)
        )
        words: Words = east | north << np.uint64(16) | up << np.uint64(32)
        return words

    def node(self) -> dict[str, Any]:
        """Return the members of the node that undo the quantisation and turn east, north, up to glTF's y up.

        Turning in the node keeps the two map coordinates of a vertex side by side in the file, where
        those of a wall's foot and top are the same four bytes and compress away.
        """
        return {
            "translation": [float(self.low[0]), float(self.low[2]), -float(self.low[1])],
            "rotation": [-float(np.sqrt(0.5)), 0.0, 0.0, float(np.sqrt(0.5))],
            "scale": [self.step_m] * 3,
        }

    def decoded(self, low: Steps, high: Steps) -> tuple[FloatArray, FloatArray]:
        """Return the bounds, metres east, north, up, of what lies between steps, each a row of three."""
        least, most = np.min(low, axis=0), np.max(high, axis=0)
        return self.low + least * self.step_m, self.low + most * self.step_m


def corners_of(words: Words) -> NDArray[np.uint16]:
    """Return quantised positions as a table, shape (n, 4): east, north, up, nothing."""
    return words.astype("<u8").view("<u2").reshape(-1, 4)


def packed_normals(normals: FloatArray) -> NDArray[np.int8]:
    """Return unit normals in steps of 1/127, shape (n, 4), the last nothing."""
    packed = np.zeros((len(normals), 4), dtype="<i1")
    np.rint(normals * 127, out=packed[:, :3], casting="unsafe")
    return packed


def building_content(drawing: Drawing, skirt: SkirtMesh, columns: dict[str, Column]) -> Content | None:
    """Write one tile; the owners in ``drawing`` are rows of ``columns``. Nothing to draw: ``None``."""
    if not len(drawing.triangles):
        return None
    grid = Grid.over(drawing.positions, skirt.positions)
    words = grid.quantise(drawing.positions)
    writer = GlbWriter()
    features = {
        "EXT_mesh_features": {"featureIds": [{"featureCount": len(columns["id"]), "attribute": 0, "propertyTable": 0}]}
    }
    faces = _face_primitive(writer, drawing, words, features)
    edges = _edge_primitive(writer, drawing, words, features)
    primitives = [faces, *edges, *_skirt_primitive(writer, grid, skirt)]
    properties = (*CITY_OBJECT, CHANGE) if has_text(columns[CHANGE.name]) else CITY_OBJECT
    document = {
        "asset": {"version": "2.0", "generator": "cim tiles"},
        "extensionsUsed": _EXTENSIONS,
        "extensionsRequired": ["KHR_mesh_quantization"],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, **grid.node()}],
        "meshes": [{"primitives": primitives}],
        "materials": MATERIALS[: max(p["material"] for p in primitives) + 1],
        "extensions": {"EXT_structural_metadata": property_table(writer, "CityObject", properties, columns)},
    }
    bounds = [writer.accessors[p["attributes"]["POSITION"]] for p in primitives]
    low, high = grid.decoded([b["min"] for b in bounds], [b["max"] for b in bounds])
    vertices = writer.accessors[faces["attributes"]["POSITION"]]["count"]
    return Content(
        writer.finish(document), low, high, len(columns["id"]), vertices // 3, len(drawing.edges), vertices,
    )  # fmt: skip


def not_collapsed(corners: Words) -> NDArray[np.bool_]:
    """Tell which triangles (t, 3) keep three corners apart on the steps of the grid."""
    a, b, c = corners.T
    apart: NDArray[np.bool_] = (a != b) & (b != c) & (c != a)
    return apart


def _face_primitive(writer: GlbWriter, drawing: Drawing, words: Words, features: dict[str, Any]) -> dict[str, Any]:
    # Corners are written out, not indexed: equal ones compress to almost nothing, ascending indices do not.
    corners = words[drawing.triangles]
    vertices, faces, owner = drawing.triangles, drawing.faces, drawing.triangle_owner
    seen = not_collapsed(corners)
    if not seen.all():
        corners, vertices, faces, owner = corners[seen], vertices[seen], faces[seen], owner[seen]
    meaning = drawing.meaning if seen.all() or not len(drawing.meaning) else drawing.meaning[seen]
    height = np.rint(np.maximum(drawing.height_m, 0.0) / HEIGHT_STEP_M) * HEIGHT_STEP_M
    normals = packed_normals(drawing.normals).view("<u4").reshape(-1)
    return {
        "attributes": {
            "POSITION": writer.attribute(corners_of(corners.reshape(-1)), width=3, bounded=True),
            "NORMAL": writer.attribute(
                np.repeat(normals[faces], 3).view("<i1").reshape(-1, 4), width=3, normalized=True
            ),
            "_FEATURE_ID_0": writer.attribute(np.repeat(owner.astype("<f4"), 3)),
            "_HEIGHT": writer.attribute(height.astype("<f4")[vertices.reshape(-1)]),
            **({"COLOR_0": writer.attribute(TINTS[np.repeat(meaning, 3)], normalized=True)} if meaning.any() else {}),
        },
        "mode": TRIANGLES,
        "material": 0,
        "extensions": features,
    }


def _edge_primitive(
    writer: GlbWriter, drawing: Drawing, words: Words, features: dict[str, Any]
) -> list[dict[str, Any]]:
    ends = words[drawing.edges]
    apart = ends[:, 0] != ends[:, 1]
    if not apart.any():
        return []
    return [
        {
            "attributes": {
                "POSITION": writer.attribute(corners_of(ends[apart].reshape(-1)), width=3, bounded=True),
                "_FEATURE_ID_0": writer.attribute(np.repeat(drawing.edge_owner[apart].astype("<f4"), 2)),
            },
            "mode": LINES,
            "material": 1,
            "extensions": features,
        }
    ]


def _skirt_primitive(writer: GlbWriter, grid: Grid, skirt: SkirtMesh) -> list[dict[str, Any]]:
    if not len(skirt.triangles):
        return []
    corners = skirt.triangles.reshape(-1)
    words = grid.quantise(skirt.positions)
    return [
        {
            "attributes": {
                "POSITION": writer.attribute(corners_of(words[corners]), width=3, bounded=True),
                "_ALPHA": writer.attribute(skirt.alpha.astype("<f4")[corners]),
            },
            "mode": TRIANGLES,
            "material": 2,
        }
    ]
