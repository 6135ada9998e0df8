"""Geometries as meshes of trimesh, which judges whether they are closed and how much they hold."""

from __future__ import annotations

import numpy as np
import trimesh

from cim.geometry.surfaces import Geometry
from cim.geometry.triangles import cut_surface, newell


def mesh_of(geometry: Geometry) -> trimesh.Trimesh:
    ring_start = 0
    vertex_ends = [0, *geometry.ring_ends.tolist()]
    triangles = []
    for ring_end in geometry.surface_ends.tolist():
        rings = [geometry.coordinates[vertex_ends[i] : vertex_ends[i + 1]] for i in range(ring_start, ring_end)]
        ring_start = ring_end
        cut = cut_surface(rings, normal := newell(rings[0]))
        # One surface is cut with one turn; slivers on a straight edge have no sign of their own.
        up = np.cross(cut[:, 1] - cut[:, 0], cut[:, 2] - cut[:, 0]).sum(axis=0) @ normal
        triangles.append(cut if up > 0 else cut[:, ::-1])
    every = np.concatenate(triangles)
    mesh = trimesh.Trimesh(every.reshape(-1, 3), np.arange(len(every) * 3).reshape(-1, 3), process=False)
    mesh.merge_vertices(digits_vertex=5)
    return mesh
