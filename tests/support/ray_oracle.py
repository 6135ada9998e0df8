"""Exhaustive rays by others: every face of every solid as triangles in trimesh, cast by Embree, one ray a pair."""

from __future__ import annotations

import mapbox_earcut
import numpy as np
import shapely
import trimesh
from trimesh.ray.ray_pyembree import RayMeshIntersector


def prism(footprint: shapely.Polygon, low: float, high: float) -> np.ndarray:
    """The triangles (t, 3, 3) of an upright block, all sides, by trimesh."""
    body = trimesh.creation.extrude_polygon(footprint, high - low, engine="earcut")
    return body.triangles + np.array([0.0, 0.0, low])


def surface(rings: list[np.ndarray]) -> np.ndarray:
    """The triangles (t, 3, 3) of a plane surface, in axes of its own."""
    outer = rings[0]
    following = np.roll(outer, -1, axis=0)
    normal = np.cross(outer - outer[0], following - outer[0]).sum(axis=0)
    if not np.linalg.norm(normal) > 1e-3:
        return np.empty((0, 3, 3))
    normal /= np.linalg.norm(normal)
    across = np.cross(normal, (0.0, 0.0, 1.0) if abs(normal[2]) < 0.9 else (1.0, 0.0, 0.0))
    across /= np.linalg.norm(across)
    vertices = np.concatenate(rings)
    flat = np.column_stack((vertices @ across, vertices @ np.cross(normal, across)))
    ends = np.cumsum([len(ring) for ring in rings]).astype(np.uint32)
    found = mapbox_earcut.triangulate_float64(np.ascontiguousarray(flat - flat[0]), ends)
    return vertices[found.reshape(-1, 3)]


class Exhaustive:
    """Embree over triangles (t, 3, 3) of the working CRS, about a pivot."""

    def __init__(self, triangles: np.ndarray, pivot: np.ndarray) -> None:
        self._pivot = np.append(pivot, 0.0)
        mesh = trimesh.Trimesh(
            (triangles - self._pivot).reshape(-1, 3), np.arange(3 * len(triangles)).reshape(-1, 3), process=False
        )
        self._rays = RayMeshIntersector(mesh)

    def lit(self, places: np.ndarray, normals: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Return (n, s): whether places (n, 3) with normals (n, 2) on the map see directions (s, 3)."""
        lit = np.zeros((len(places), len(directions)), dtype=bool)
        for s, direction in enumerate(directions):
            open_ground = (normals == 0).all(axis=1)
            facing = np.flatnonzero(open_ground | (normals @ direction[:2] > 0))
            hit = self._rays.intersects_any(places[facing] - self._pivot, np.tile(direction, (len(facing), 1)))
            lit[facing, s] = ~hit
        return lit
