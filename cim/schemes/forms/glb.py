"""A model's triangles as binary glTF (pure)."""

from __future__ import annotations

import struct
from typing import Any, Final, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

Triangles: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.uint32]

CREASE_DEG: Final = 20.0
"""Faces that meet at less than this have no edge drawn between them."""
_SAME_M: Final = 0.001
_ARRAY_BUFFER, _ELEMENT_BUFFER = 34962, 34963
_FLOAT, _UINT32 = 5126, 5125
_LINES, _TRIANGLES = 1, 4


def model_glb(triangles: Triangles) -> bytes:
    """Return triangles (n, 3, 3), metres east, north and up, as one GLB: faces, then the edges between them.

    Corners are shared to a millimetre and there are no normals: glTF 2.0 has such faces shaded flat.
    glTF's y is up, so east, north, up is written x, -z, y.
    """
    keys = np.round(triangles.reshape(-1, 3) / _SAME_M).astype(np.int64)
    corners, inverse = np.unique(keys, axis=0, return_inverse=True)
    faces = inverse.reshape(-1, 3).astype(np.uint32)
    whole = (faces != np.roll(faces, 1, axis=1)).all(axis=1)
    faces = faces[whole]
    places: Triangles = corners.astype(np.float64) * _SAME_M
    points = np.column_stack((places[:, 0], places[:, 2], -places[:, 1])).astype("<f4")
    return _glb(points, faces, crease_edges(places, faces))


def crease_edges(places: Triangles, faces: Indices) -> Indices:
    """Return the edges (m, 2) where faces end or bend, as rows of ``places`` (k, 3)."""
    sides = np.concatenate((faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]))
    owner = np.tile(np.arange(len(faces)), 3)
    ordered = np.sort(sides, axis=1)
    edges, group, count = np.unique(ordered, axis=0, return_inverse=True, return_counts=True)
    a, b, c = (places[faces[:, corner]] for corner in range(3))
    normals = np.cross(b - a, c - a)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    by_edge = owner[np.argsort(group.reshape(-1), kind="stable")]
    first = np.cumsum(count) - count
    two = np.flatnonzero(count == 2)
    bend = (normals[by_edge[first[two]]] * normals[by_edge[first[two] + 1]]).sum(axis=1)
    smooth = np.zeros(len(edges), dtype=bool)
    # Sources do not agree on which side of a face is outside: opposite normals are one plane too.
    smooth[two] = np.abs(bend) > np.cos(np.radians(CREASE_DEG))
    kept: Indices = edges[~smooth].astype(np.uint32)
    return kept


def _glb(points: NDArray[np.float32], faces: Indices, edges: Indices) -> bytes:
    parts = [points.tobytes(), faces.astype("<u4").tobytes(), edges.astype("<u4").tobytes()]
    views, at = [], 0
    for part, target in zip(parts, (_ARRAY_BUFFER, _ELEMENT_BUFFER, _ELEMENT_BUFFER), strict=True):
        views.append({"buffer": 0, "byteOffset": at, "byteLength": len(part), "target": target})
        at += len(part)
    drawn: list[dict[str, Any]] = [{"attributes": {"POSITION": 0}, "indices": 1, "mode": _TRIANGLES}]
    accessors: list[dict[str, Any]] = [
        {
            "bufferView": 0, "componentType": _FLOAT, "count": len(points), "type": "VEC3",
            "min": points.min(axis=0).tolist(), "max": points.max(axis=0).tolist(),
        },
        {"bufferView": 1, "componentType": _UINT32, "count": faces.size, "type": "SCALAR"},
    ]  # fmt: skip
    if len(edges):
        accessors.append({"bufferView": 2, "componentType": _UINT32, "count": edges.size, "type": "SCALAR"})
        drawn.append({"attributes": {"POSITION": 0}, "indices": 2, "mode": _LINES})
    else:
        views.pop()
    document = orjson.dumps(
        {
            "asset": {"version": "2.0", "generator": "cim"},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0}],
            "meshes": [{"primitives": drawn}],
            "accessors": accessors,
            "bufferViews": views,
            "buffers": [{"byteLength": at}],
        }
    )
    document += b" " * (-len(document) % 4)
    content = b"".join(parts)
    head = struct.pack("<4sII", b"glTF", 2, 28 + len(document) + len(content))
    return (
        head + struct.pack("<I4s", len(document), b"JSON") + document + struct.pack("<I4s", len(content), b"BIN\0")
        + content
    )  # fmt: skip
