"""One tile of buildings: triangles, crease edges, contact skirt and property table in one GLB."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tiles.edges import crease_edges
from tiles.glb import LINES, TRIANGLES, GlbWriter
from tiles.mesh import triangulate
from tiles.metadata import CITY_OBJECT, Column, property_table
from tiles.soup import FloatArray, IntArray, Soup

STEPS: Final = 65535
"""Steps of a quantised coordinate."""
STEP_M_MIN: Final = 0.02
"""Finer than this no source is; coarser steps compress better."""
HEIGHT_STEP_M: Final = 1 / 8
"""Heights are rounded to this: exact in a float32 and with empty low bytes, so they compress."""

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
    def over(cls, positions: FloatArray) -> Grid:
        """Return the grid that covers positions, shape (n, 3)."""
        low, high = positions.min(axis=0), positions.max(axis=0)
        # The step goes through JSON and a client's float32; a millionth more keeps the ends inside.
        step = max(float((high - low).max()) / STEPS, STEP_M_MIN)
        return cls(low, high, float(np.float32(step * 1.000001)))

    def quantise(self, positions: FloatArray) -> IntArray:
        """Return steps from the corner, east, north, up."""
        steps: IntArray = np.clip(np.rint((positions - self.low) / self.step_m), 0, STEPS).astype(np.int64)
        return steps

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

    def decoded(self, steps: IntArray) -> FloatArray:
        """Return metres east, north, up of quantised positions."""
        return self.low + steps * self.step_m


def packed_normals(normals: FloatArray) -> NDArray[np.int8]:
    """Return unit normals in steps of 1/127."""
    rounded: NDArray[np.int8] = np.rint(normals * 127).astype("<i1")
    return rounded


def building_content(soup: Soup, skirt: SkirtMesh, columns: dict[str, Column]) -> Content | None:
    """Write one tile; ``soup`` is in the chart and its owners are rows of ``columns``. Nothing to draw: ``None``."""
    mesh = triangulate(soup)
    if not len(mesh.triangles):
        return None
    soup = mesh.soup
    grid = Grid.over(np.concatenate((soup.coordinates, skirt.positions)))
    steps = grid.quantise(soup.coordinates)
    # Corners are written out, not indexed: equal ones compress to almost nothing, ascending indices do not.
    used = without_collapsed(mesh.triangles, steps).reshape(-1)
    surface = soup.vertex_surface()
    pairs, _ = crease_edges(soup, mesh.normals)
    writer = GlbWriter()
    features = {
        "EXT_mesh_features": {"featureIds": [{"featureCount": len(columns["id"]), "attribute": 0, "propertyTable": 0}]}
    }
    height = np.rint(np.maximum(soup.height_m[used], 0.0) / HEIGHT_STEP_M) * HEIGHT_STEP_M
    primitives: list[dict[str, Any]] = [
        {
            "attributes": {
                "POSITION": writer.attribute(steps[used].astype("<u2"), bounded=True),
                "NORMAL": writer.attribute(packed_normals(mesh.normals[surface[used]]), normalized=True),
                "_FEATURE_ID_0": writer.attribute(soup.owner[surface[used]].astype("<f4")),
                "_HEIGHT": writer.attribute(height.astype("<f4")),
            },
            "mode": TRIANGLES,
            "material": 0,
            "extensions": features,
        }
    ]
    primitives.extend(_edge_primitive(writer, soup, steps, pairs, features))
    primitives.extend(_skirt_primitive(writer, grid, skirt))
    document = {
        "asset": {"version": "2.0", "generator": "cim tiles"},
        "extensionsUsed": _EXTENSIONS,
        "extensionsRequired": ["KHR_mesh_quantization"],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, **grid.node()}],
        "meshes": [{"primitives": primitives}],
        "materials": MATERIALS[: max(p["material"] for p in primitives) + 1],
        "extensions": {"EXT_structural_metadata": property_table(writer, "CityObject", CITY_OBJECT, columns)},
    }
    drawn = grid.decoded(np.concatenate((steps[used], grid.quantise(skirt.positions))))
    return Content(
        writer.finish(document), drawn.min(axis=0), drawn.max(axis=0), len(columns["id"]), len(used) // 3, len(pairs),
        len(used),
    )  # fmt: skip


def places(steps: IntArray) -> IntArray:
    """Return one number per quantised position, equal for equal positions."""
    return (steps[:, 0] << 32) | (steps[:, 1] << 16) | steps[:, 2]


def without_collapsed(triangles: IntArray, steps: IntArray) -> IntArray:
    """Drop triangles two of whose corners fell on one step of the grid."""
    place = places(steps)
    a, b, c = (place[triangles[:, i]] for i in range(3))
    same = (a == b) | (b == c) | (c == a)
    kept: IntArray = triangles[~same]
    return kept


def _edge_primitive(
    writer: GlbWriter, soup: Soup, steps: IntArray, pairs: IntArray, features: dict[str, Any]
) -> list[dict[str, Any]]:
    if not len(pairs):
        return []
    owner = soup.owner[soup.vertex_surface()]
    place = places(steps)
    pairs = pairs[place[pairs[:, 0]] != place[pairs[:, 1]]]
    if not len(pairs):
        return []
    ends = pairs.reshape(-1)
    return [
        {
            "attributes": {
                "POSITION": writer.attribute(steps[ends].astype("<u2"), bounded=True),
                "_FEATURE_ID_0": writer.attribute(owner[ends].astype("<f4")),
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
    return [
        {
            "attributes": {
                "POSITION": writer.attribute(grid.quantise(skirt.positions)[corners].astype("<u2"), bounded=True),
                "_ALPHA": writer.attribute(skirt.alpha[corners].astype("<f4")),
            },
            "mode": TRIANGLES,
            "material": 2,
        }
    ]
