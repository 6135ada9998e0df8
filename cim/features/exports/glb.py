"""City objects as one glTF 2.0 binary for modelling tools: a mesh and a node an object.  Pure.

Metres; y is up, z is south, as glTF has it.  Positions count from a corner that ``asset.extras.cim`` names in the
working CRS, so that single precision keeps millimetres.  Node names are ids, their extras the attributes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from cim.city.model import CityObject
from cim.errors import InvalidInput
from cim.geometry.ragged import Rings, rings_of
from cim.geometry.surfaces import Geometry, lod_rank
from cim.geometry.triangles import cut_surfaces

OBJECTS_MAX: Final = 5_000
"""Objects of one model: modelling tools take each for a thing of its own."""

_TRIANGLES, _FLOAT, _ARRAY_BUFFER = 4, 5126, 34962


def model(objects: Sequence[CityObject], crs: str) -> bytes:
    """Return a GLB; raises :class:`InvalidInput` where nothing has a shape, or there are too many objects."""
    if len(objects) > OBJECTS_MAX:
        raise InvalidInput(
            f"A model holds {OBJECTS_MAX:,} objects at most; {len(objects):,} were chosen.",
            hint="Choose by bbox or ids, or export cityjsonseq.",
            code="export-limit",
            limit=OBJECTS_MAX,
        )
    shaped = [(one, triangles) for one in objects if len(triangles := _triangles(one))]
    if not shaped:
        raise InvalidInput("Nothing that was chosen has a shape.", code="export-empty")
    corner = np.floor(np.min([triangles.min(axis=(0, 1)) for _, triangles in shaped], axis=0))
    body = bytearray()
    views: list[dict[str, Any]] = []
    accessors: list[dict[str, Any]] = []

    def add(values: NDArray[np.float32]) -> int:
        views.append({"buffer": 0, "byteOffset": len(body), "byteLength": values.nbytes, "target": _ARRAY_BUFFER})
        body.extend(values.tobytes())
        accessors.append(
            {
                "bufferView": len(views) - 1,
                "componentType": _FLOAT,
                "count": len(values),
                "type": "VEC3",
                "min": values.min(axis=0).tolist(),
                "max": values.max(axis=0).tolist(),
            }
        )
        return len(accessors) - 1

    meshes, nodes = [], []
    for one, triangles in shaped:
        local = (triangles - corner)[..., [0, 2, 1]] * [1.0, 1.0, -1.0]
        normals = np.cross(local[:, 1] - local[:, 0], local[:, 2] - local[:, 0])
        size = np.linalg.norm(normals, axis=1)
        sound = size > 0
        local, normals = local[sound], normals[sound] / size[sound][:, None]
        if not len(local):
            continue
        position = add(local.reshape(-1, 3).astype(np.float32))
        normal = add(np.repeat(normals, 3, axis=0).astype(np.float32))
        meshes.append(
            {
                "name": one.id,
                "primitives": [
                    {"attributes": {"POSITION": position, "NORMAL": normal}, "mode": _TRIANGLES, "material": 0}
                ],
            }
        )
        nodes.append({"name": one.id, "mesh": len(meshes) - 1, "extras": _extras(one)})
    document = {
        "asset": {"version": "2.0", "generator": "cim", "extras": {"cim": {"crs": crs, "origin": corner.tolist()}}},
        "scene": 0,
        "scenes": [{"nodes": list(range(len(nodes)))}],
        "nodes": nodes,
        "meshes": meshes,
        "materials": [
            {
                "name": "city",
                "doubleSided": True,
                "pbrMetallicRoughness": {"baseColorFactor": [0.8, 0.78, 0.74, 1.0], "metallicFactor": 0.0},
            }
        ],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(body)}],
    }
    return _glb(orjson.dumps(document), bytes(body))


def _glb(text: bytes, body: bytes) -> bytes:
    text += b" " * (-len(text) % 4)
    body += b"\0" * (-len(body) % 4)
    size = 12 + 8 + len(text) + 8 + len(body)
    head = struct.pack("<4sII", b"glTF", 2, size) + struct.pack("<I4s", len(text), b"JSON")
    return head + text + struct.pack("<I4s", len(body), b"BIN\0") + body


def _extras(one: CityObject) -> dict[str, Any]:
    facts = {name: attribute.value for name, attribute in one.attributes.items()}
    return {"type": one.type, **({"parent": one.parent_id} if one.parent_id else {}), **facts}


def _triangles(one: CityObject) -> NDArray[np.float64]:
    """Return the triangles (n, 3, 3) of the finest geometry, or of a block over the footprint."""
    thick = [geometry for geometry in one.geometries if geometry.surface_count]
    if thick:
        finest: Geometry = max(thick, key=lambda geometry: lod_rank(geometry.lod))
        rings = Rings(finest.coordinates, finest.ring_ends.astype(np.int64), finest.surface_ends.astype(np.int64))
    else:
        height_m, ground_m = _number(one, "height_m"), _number(one, "ground_m")
        if one.place is None or height_m <= 0:
            return np.empty((0, 3, 3))
        rings = _block(one.place, ground_m + _number(one, "min_height_m"), ground_m + height_m)
    triangles: NDArray[np.float64] = cut_surfaces(rings)[0]
    return triangles


def _number(one: CityObject, name: str) -> float:
    attribute = one.attributes.get(name)
    value = None if attribute is None else attribute.value
    return float(value) if isinstance(value, int | float) else 0.0


def _block(place: shapely.Geometry, low_m: float, high_m: float) -> Rings:
    surfaces: list[list[NDArray[np.float64]]] = []
    for polygon in shapely.get_parts(shapely.orient_polygons(place)):
        if polygon.geom_type != "Polygon":
            continue
        flat = [shapely.get_coordinates(ring)[:-1] for ring in (polygon.exterior, *polygon.interiors)]
        surfaces.append([np.column_stack((ring, np.full(len(ring), high_m))) for ring in flat])
        surfaces.append([np.column_stack((ring[::-1], np.full(len(ring), low_m))) for ring in flat])
        for ring in flat:
            following = np.roll(ring, -1, axis=0)
            for (ax, ay), (bx, by) in zip(ring.tolist(), following.tolist(), strict=True):
                surfaces.append([np.array([[ax, ay, low_m], [bx, by, low_m], [bx, by, high_m], [ax, ay, high_m]])])
    return rings_of(surfaces)
