"""Holds every triangle of a tileset against the surfaces that it was made from.

It knows the specifications (glTF 2.0, KHR_mesh_quantization, EXT_structural_metadata, 3D Tiles 1.1) and pyproj, and
nothing of the package that wrote the tiles: dequantised corners are carried by the tileset's own transform to
Earth-centred coordinates and by pyproj back to the working CRS, where the source is.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyproj
import shapely
from scipy.spatial.transform import Rotation

SLACK_M = 0.04
"""Outlines may be straightened by 0.03 m; the rest is for the chart. The step of the tile's grid comes on top."""
FOOT_BAND_M = 0.3
"""Corners this close above a body's lowest may be drawn down to the ground."""
DOWN_M = 50.0
SEEN_M2_MIN = 0.01
"""Smaller surfaces need not be there."""
ALONG = 0.9
"""Cosine of the angle within which a triangle faces as its surface does."""

Surfaces = Sequence[Sequence[np.ndarray]]
"""Rings (n, 3) of each surface, open, in the working CRS; the outer one first, counter-clockwise from outside."""


@dataclass(slots=True)
class Checked:
    """``worst_m`` is how far a corner lies from the plane of its surface at most, ``worst_share`` the largest
    difference of an object's area; ``faults`` are what is wrong, in words."""

    triangles: int = 0
    surfaces: int = 0
    objects: set[str] = field(default_factory=set)
    worst_m: float = 0.0
    worst_share: float = 0.0
    faults: list[str] = field(default_factory=list)


def prism(footprint: shapely.Geometry, top_m: float, floor_m: float = 0.0) -> list[list[np.ndarray]]:
    """Return the walls and the roofs of a block; what it stands on is never seen."""
    surfaces = []
    for part in shapely.get_parts(shapely.orient_polygons(footprint)):
        rings = [shapely.get_coordinates(ring)[:-1] for ring in shapely.get_rings(part)]
        for ring in rings:
            for (ax, ay), (bx, by) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
                surfaces.append([np.array([[ax, ay, floor_m], [bx, by, floor_m], [bx, by, top_m], [ax, ay, top_m]])])
        surfaces.append([np.column_stack((ring, np.full(len(ring), top_m))) for ring in rings])
    return surfaces


def check_triangles(out: Path, crs: str, sources: Mapping[str, Surfaces], *, footed: bool = False) -> Checked:
    """Hold the leaves of the buildings under ``out`` against ``sources``, the surfaces by id.

    ``footed`` says that the corners at the foot of a body may be drawn down to the ground.
    """
    result = Checked()
    document = json.loads((out / "buildings" / "tileset.json").read_text())
    to_ecef = np.array(document["root"]["transform"]).reshape(4, 4).T
    back = pyproj.Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True)
    down = pyproj.Transformer.from_crs("EPSG:4979", crs, always_xy=True)
    for path in leaves(out / "buildings" / "tileset.json"):
        ids, corners, row, step_m = _read(path)
        for name in ids:
            if name in result.objects:
                result.faults.append(f"{name} is in two leaves")
        result.objects.update(ids)
        places, at = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)
        ecef = places @ to_ecef[:3, :3].T + to_ecef[:3, 3]
        lon, lat, up = back.transform(*ecef.T)
        metric = np.column_stack((*down.transform(lon, lat), up))[at.reshape(-1)].reshape(-1, 3, 3)
        _check_tile(ids, metric, row, step_m + SLACK_M, sources, result, footed=footed)
    result.faults.extend(f"{name} is in no leaf" for name in sources if name not in result.objects)
    return result


def leaves(tileset: Path) -> Iterator[Path]:
    """Yield the contents of the tiles that have no children, external tilesets followed."""
    stack = [(tileset, json.loads(tileset.read_text())["root"])]
    while stack:
        document, tile = stack.pop()
        stack.extend((document, child) for child in tile.get("children", ()))
        uri = tile.get("content", {}).get("uri", "")
        if uri.endswith(".json"):
            stack.append((document.parent / uri, json.loads((document.parent / uri).read_text())["root"]))
        elif uri and "children" not in tile:
            yield document.parent / uri


def _read(path: Path) -> tuple[list[str], np.ndarray, np.ndarray, float]:
    """Return a tile's ids, its triangles (t, 3, 3) in z-up metres of the tileset, the row of each, and the step."""
    content = path.read_bytes()
    (size,) = struct.unpack_from("<I", content, 12)
    document, binary = json.loads(content[20 : 20 + size]), content[28 + size :]

    def view(index: int) -> bytes:
        found = document["bufferViews"][index]
        return binary[found["byteOffset"] :][: found["byteLength"]]

    table = document["extensions"]["EXT_structural_metadata"]["propertyTables"][0]["properties"]["id"]
    dtype = {"UINT8": "<u1", "UINT16": "<u2"}.get(table.get("stringOffsetType", "UINT32"), "<u4")
    ends, text = np.frombuffer(view(table["stringOffsets"]), dtype).tolist(), view(table["values"])
    attributes = document["meshes"][0]["primitives"][0]["attributes"]
    accessors = document["accessors"]
    steps = np.frombuffer(view(accessors[attributes["POSITION"]]["bufferView"]), "<u2").reshape(-1, 4)[:, :3]
    row = np.frombuffer(view(accessors[attributes["_FEATURE_ID_0"]]["bufferView"]), "<f4").reshape(-1, 3)
    assert (row == row[:, :1]).all(), "a triangle belongs to two features"
    node = document["nodes"][0]
    placed = Rotation.from_quat(node["rotation"]).apply(steps * np.array(node["scale"])) + node["translation"]
    x, y, z = placed.T
    upright = np.column_stack((x, -z, y)).reshape(-1, 3, 3)
    return [text[i:j].decode() for i, j in pairwise(ends)], upright, row[:, 0].astype(int), max(node["scale"])


def _check_tile(
    ids: list[str], triangles: np.ndarray, row: np.ndarray, slack_m: float, sources: Mapping[str, Surfaces],
    result: Checked, *, footed: bool,
) -> None:  # fmt: skip
    order = np.argsort(row, kind="stable")
    triangles, row = triangles[order], row[order]
    first = np.searchsorted(row, np.arange(len(ids) + 1))
    for at, name in enumerate(ids):
        mine = triangles[first[at] : first[at + 1]]
        if name not in sources:
            result.faults.append(f"{name} is in no source")
            continue
        _check_object(name, mine, sources[name], slack_m, result, footed=footed)


def _check_object(
    name: str, triangles: np.ndarray, surfaces: Surfaces, slack_m: float, result: Checked, *, footed: bool
) -> None:
    """Find for each triangle the surface that it lies on, then compare the areas surface by surface."""
    low = min(float(ring[:, 2].min()) for surface in surfaces for ring in surface)
    vectors = np.array([sum(_newell(ring) for ring in surface) for surface in surfaces])
    area = np.linalg.norm(vectors, axis=1)
    normals = vectors / np.maximum(area, 1e-12)[:, None]
    sides = triangles[:, [1, 2, 0]] - triangles
    crossed = _crossed(sides[:, 0], sides[:, 1])
    mine = np.sqrt((crossed**2).sum(axis=1)) / 2
    facing = crossed / np.maximum(mine * 2, 1e-12)[:, None]
    thin = 2 * mine < np.sqrt((sides**2).sum(axis=2).max(axis=1)) * 2 * slack_m
    points = np.array([surface[0][0] for surface in surfaces])
    away = np.abs((triangles @ normals.T) - (points * normals).sum(axis=1)).max(axis=1)
    # What is as thin as the grid's steps faces anywhere once it is rounded.
    fits = (away <= slack_m) & ((facing @ normals.T >= ALONG) | thin[:, None])
    reached = [_lowered(surface, low) if footed else surface for surface in surfaces]
    for at in np.flatnonzero(fits.any(axis=0)).tolist():
        near = np.flatnonzero(fits[:, at])
        fits[near, at] = _covers(reached[at], normals[at], triangles[near], slack_m)
    taken, found = _given(fits, mine, area)
    lost = (taken < 0) & (mine > SEEN_M2_MIN)
    result.faults.extend(f"{name}: triangle {t} lies on no surface of it" for t in np.flatnonzero(lost).tolist())
    on = np.flatnonzero(taken >= 0)
    result.worst_m = max(result.worst_m, float(away[on, taken[on]].max(initial=0.0)))
    middle = np.zeros((len(surfaces), 3))
    np.add.at(middle, taken[on], triangles[on].mean(axis=1) * mine[on, None])
    middle /= np.maximum(found, 1e-12)[:, None]
    _check_areas(name, surfaces, reached, (area, found, middle, normals, low), slack_m, result)
    result.triangles += len(triangles)
    result.surfaces += len(surfaces)


def _given(fits: np.ndarray, mine: np.ndarray, area: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give each triangle to one surface that it lies on: of several in one plane to that which lacks the most."""
    taken, found = np.full(len(mine), -1), np.zeros(len(area))
    choices = fits.sum(axis=1)
    single = np.flatnonzero(choices == 1)
    taken[single] = fits[single].argmax(axis=1)
    np.add.at(found, taken[single], mine[single])
    several = np.flatnonzero(choices > 1)
    for t in several[np.argsort(-mine[several], kind="stable")].tolist():
        among = np.flatnonzero(fits[t])
        taken[t] = among[np.argmax(area[among] - found[among])]
        found[taken[t]] += mine[t]
    return taken, found


def _check_areas(name, surfaces, reached, measured, slack_m, result) -> None:
    """Compare what lies on each surface with its area, and all of them with the whole."""
    area, found, middle, normals, low = measured
    wanted = drawn = 0.0
    for at, (surface, reach) in enumerate(zip(surfaces, reached, strict=True)):
        under = normals[at, 2] < -ALONG and surface[0][:, 2].min() < low + FOOT_BAND_M
        if under:
            continue
        around = sum(
            float(np.sqrt(((ring - ring[np.arange(len(ring)) - 1]) ** 2).sum(axis=1)).sum()) for ring in surface
        )
        slack_m2 = around * (slack_m - SLACK_M) * 1.5 + SEEN_M2_MIN
        most = area[at] if reach is surface else np.inf
        if not area[at] - slack_m2 <= found[at] <= most + slack_m2:
            result.faults.append(f"{name}: surface {at} of {area[at]:.2f} m2 has triangles of {found[at]:.2f} m2")
        elif reach is surface and found[at] > slack_m2:
            # As much as is missing in one place may lie twice in another: then the middles are apart.
            apart = float(np.linalg.norm(middle[at] - _middle(surface, normals[at])))
            if apart > slack_m + around * slack_m2 / (2 * area[at]):
                result.faults.append(f"{name}: the triangles of surface {at} have their middle {apart:.2f} m off")
        if reach is surface:
            wanted, drawn = wanted + float(area[at]), drawn + float(found[at])
    if wanted:
        result.worst_share = max(result.worst_share, abs(drawn - wanted) / wanted)


def _newell(ring: np.ndarray) -> np.ndarray:
    local = ring - ring[0]
    return _crossed(local[:-1], local[1:]).sum(axis=0) / 2


def _middle(surface: Sequence[np.ndarray], normal: np.ndarray) -> np.ndarray:
    """Return the middle of a surface's area: of the triangles, with their signs, from one corner to each side."""
    origin = surface[0][0]
    ends = [(ring - origin, ring[[*range(1, len(ring)), 0]] - origin) for ring in surface]
    signed = [_crossed(a, b) @ normal for a, b in ends]
    total = sum(float(sizes.sum()) for sizes in signed)
    return origin + sum(((a + b) * sizes[:, None]).sum(axis=0) for (a, b), sizes in zip(ends, signed, strict=True)) / (
        3 * total
    )


def _crossed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    (ax, ay, az), (bx, by, bz) = a.T, b.T
    return np.stack((ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx), axis=1)


def _lowered(surface: Sequence[np.ndarray], low: float) -> Sequence[np.ndarray]:
    """Return an upright surface that reaches the foot of its body as far down as it may be drawn; others as given."""
    vector = sum(_newell(ring) for ring in surface)
    at_foot = [ring[:, 2] < low + FOOT_BAND_M for ring in surface]
    if abs(vector[2]) > 0.1 * np.linalg.norm(vector) or not any(foot.any() for foot in at_foot):
        return surface
    return [ring - np.outer(foot, (0.0, 0.0, DOWN_M)) for ring, foot in zip(surface, at_foot, strict=True)]


def _covers(surface: Sequence[np.ndarray], normal: np.ndarray, triangles: np.ndarray, slack_m: float) -> np.ndarray:
    """Tell which triangles (t, 3, 3) in the plane of a surface lie within it, both seen along one axis."""
    axis = int(np.argmax(np.abs(normal)))
    keep = [(axis + 1) % 3, (axis + 2) % 3]
    outer, *holes = [ring[:, keep] for ring in surface]
    corners = triangles[:, :, keep]
    if normal[axis] < 0:
        outer = outer[::-1]
    if not holes and len(outer) == 4:
        dx, dy = (outer[[1, 2, 3, 0]] - outer).T
        if (dx * dy[[1, 2, 3, 0]] > dy * dx[[1, 2, 3, 0]]).all():
            left = np.stack((-dy, dx)) / np.sqrt(dx * dx + dy * dy)
            return (corners @ left - (outer.T * left).sum(axis=0) >= -slack_m).all(axis=(1, 2))
    polygon = shapely.Polygon(outer, holes)
    around = (polygon if polygon.is_valid else polygon.buffer(0)).buffer(slack_m, quad_segs=2)
    shapely.prepare(around)
    return shapely.covers(around, shapely.polygons(corners))
