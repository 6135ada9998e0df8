"""One building's model, GLB or CityJSON, to triangles about its own foot; runs in a bounded child process."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cim.city.columns import columns_to_objects
from cim.errors import InvalidInput, LimitExceeded
from cim.geometry.ragged import Rings
from cim.geometry.surfaces import Geometry
from cim.geometry.triangles import cut_surfaces
from ingest.columns import gather
from ingest.prepared import ObjectBatch
from ingest.readers.registry import reader_for
from ingest.records import ReadContext

FloatArray = NDArray[np.float64]

TRIANGLES_MAX: Final = 300_000
SIZE_M_MAX: Final = 2_000.0
HEIGHT_M_LIMITS: Final = (2.0, 1_000.0)
NODES_MAX: Final = 20_000
_MAGIC: Final = b"glTF"
_TYPES: Final = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_TRIANGLES: Final = 4


def read_model_triangles(path: Path) -> FloatArray:
    """Return triangles (n, 3, 3), metres east, north, up, the foot at 0 and the middle of the plan at the origin.

    Raises :class:`InvalidInput` (``model-…``) for what is no model of a building's size, and
    :class:`LimitExceeded` for one of too many triangles.
    """
    with path.open("rb") as file:
        magic = file.read(4)
    try:
        triangles = _glb(path.read_bytes()) if magic == _MAGIC else _cityjson(path)
    except (KeyError, IndexError, TypeError, ValueError, struct.error, RecursionError, OverflowError):
        raise _broken("model-broken") from None
    return settled(triangles)


def settled(triangles: FloatArray) -> FloatArray:
    """Return triangles (n, 3, 3) of metres with their foot at 0 and the middle of their plan at the origin.

    Raises as :func:`read_model_triangles` does.
    """
    if not len(triangles):
        raise _broken("model-empty")
    if len(triangles) > TRIANGLES_MAX:
        raise _too_many()
    if not np.isfinite(triangles).all():
        raise _broken("model-not-finite")
    low, high = triangles.reshape(-1, 3).min(axis=0), triangles.reshape(-1, 3).max(axis=0)
    size = high - low
    if max(size[:2]) > SIZE_M_MAX or not HEIGHT_M_LIMITS[0] <= size[2] <= HEIGHT_M_LIMITS[1] or min(size[:2]) < 0.5:
        raise InvalidInput(
            "The model is not of a building's size.",
            hint="A model is in metres: 0.5 to 2,000 m wide, 2 to 1,000 m high.",
            code="model-size",
            width_m=round(float(max(size[:2])), 3),
            height_m=round(float(size[2]), 3),
        )
    moved: FloatArray = np.round(triangles - np.array([*((low + high) / 2)[:2], low[2]]), 3) + 0.0
    return moved


def _broken(code: str) -> InvalidInput:
    return InvalidInput("That is no model that can be read.", hint="Send GLB (glTF 2.0) or CityJSON.", code=code)


def _too_many() -> LimitExceeded:
    return LimitExceeded("The model has too many triangles.", code="model-triangles", limit=TRIANGLES_MAX)


def _cityjson(path: Path) -> FloatArray:
    """Return the most detailed surfaces of every object of a CityJSON file."""
    found: list[FloatArray] = []
    for piece in gather(reader_for(path).read(path, ReadContext(dataset="model"))):
        if not isinstance(piece, ObjectBatch):
            continue
        tables = (pa.Table.from_batches([batch]) for batch in (piece.objects, piece.geometries))
        for city_object in columns_to_objects(*tables):
            bodies = [geometry for geometry in city_object.geometries if geometry.surface_count]
            if bodies:
                found.append(triangles_of(max(bodies, key=lambda geometry: geometry.lod)))
    return np.concatenate(found) if found else np.empty((0, 3, 3))


def triangles_of(geometry: Geometry) -> FloatArray:
    """Return the triangles of a geometry's surfaces."""
    ends = (geometry.ring_ends.astype(np.int64), geometry.surface_ends.astype(np.int64))
    return cut_surfaces(Rings(geometry.coordinates, *ends))[0]


def _glb(content: bytes) -> FloatArray:
    """Return the triangles of the default scene of a GLB without compression, its y up turned to z up."""
    _, version, total = struct.unpack_from("<4sII", content)
    if version != 2 or total != len(content):
        raise _broken("model-truncated" if total > len(content) else "model-broken")
    json_length = struct.unpack_from("<I", content, 12)[0]
    document = json.loads(content[20 : 20 + json_length])
    start = 20 + json_length + 8
    binary = content[start : start + struct.unpack_from("<I", content, 20 + json_length)[0]]
    if document.get("extensionsRequired"):
        required = [name for name in document["extensionsRequired"] if name != "KHR_mesh_quantization"]
        if required:
            raise InvalidInput(
                "The model is packed in a way that is not read.",
                hint="Export it without compression.",
                code="model-extension",
                extension=str(required[0])[:60],
            )
    scenes = document.get("scenes") or [{"nodes": list(range(len(document.get("nodes", ()))))}]
    waiting = [(node, np.eye(4)) for node in scenes[document.get("scene", 0)].get("nodes", ())]
    found, seen, count = [np.empty((0, 3, 3))], 0, 0
    while waiting:
        seen += 1
        if seen > NODES_MAX:
            raise _broken("model-broken")
        index, above = waiting.pop()
        node = document["nodes"][index]
        matrix = above @ _matrix(node)
        waiting += [(child, matrix) for child in node.get("children", ())]
        if "mesh" not in node:
            continue
        for primitive in document["meshes"][node["mesh"]]["primitives"]:
            if primitive.get("mode", _TRIANGLES) == _TRIANGLES:
                part = _primitive(document, binary, primitive)
                count += len(part)
                if count > TRIANGLES_MAX:
                    raise LimitExceeded(
                        "The model has too many triangles.", code="model-triangles", limit=TRIANGLES_MAX
                    )
                found.append(part @ matrix[:3, :3].T + matrix[:3, 3])
    every = np.concatenate(found)
    turned: FloatArray = np.stack((every[..., 0], -every[..., 2], every[..., 1]), axis=-1)
    return turned


def _primitive(document: dict[str, Any], binary: bytes, primitive: dict[str, Any]) -> FloatArray:
    positions = _accessor(document, binary, primitive["attributes"]["POSITION"], 3).astype(np.float64)
    if "indices" not in primitive:
        return positions[: len(positions) // 3 * 3].reshape(-1, 3, 3)
    indices = _accessor(document, binary, primitive["indices"], 1).reshape(-1).astype(np.int64)
    corners: FloatArray = positions[indices[: len(indices) // 3 * 3]].reshape(-1, 3, 3)
    return corners


def _accessor(document: dict[str, Any], binary: bytes, index: int, width: int) -> NDArray[Any]:
    accessor = document["accessors"][index]
    view = document["bufferViews"][accessor["bufferView"]]
    if view.get("buffer", 0) != 0 or "sparse" in accessor or "uri" in document["buffers"][0]:
        raise _broken("model-broken")
    dtype = np.dtype(_TYPES[accessor["componentType"]])
    count, offset = int(accessor["count"]), int(view.get("byteOffset", 0)) + int(accessor.get("byteOffset", 0))
    stride = int(view.get("byteStride") or dtype.itemsize * width)
    needed = (count - 1) * stride + dtype.itemsize * width
    if count < 1 or offset < 0 or stride < dtype.itemsize * width or offset + needed > len(binary):
        raise _broken("model-truncated")
    raw = np.frombuffer(binary, np.uint8, needed, offset)
    rows = np.lib.stride_tricks.as_strided(raw, (count, dtype.itemsize * width), (stride, 1), writeable=False)
    values: NDArray[Any] = np.ascontiguousarray(rows).view(dtype).reshape(count, width)
    if accessor.get("normalized"):
        values = np.maximum(values / np.iinfo(dtype).max, -1.0)
    return values


def _matrix(node: dict[str, Any]) -> FloatArray:
    if "matrix" in node:
        return np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T
    x, y, z, w = (float(value) for value in node.get("rotation", (0, 0, 0, 1)))
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, :3] *= np.array(node.get("scale", (1, 1, 1)), dtype=np.float64)
    matrix[:3, 3] = node.get("translation", (0, 0, 0))
    return matrix
