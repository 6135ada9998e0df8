"""Geometries as meshes of trimesh, which judges whether they are closed and how much they hold."""

from __future__ import annotations

import numpy as np
import trimesh

from cim.geometry.ragged import Rings
from cim.geometry.surfaces import Geometry
from cim.geometry.triangles import cut_surfaces


def mesh_of(geometry: Geometry) -> trimesh.Trimesh:
    ends = (geometry.ring_ends.astype(np.int64), geometry.surface_ends.astype(np.int64))
    every, _ = cut_surfaces(Rings(geometry.coordinates, *ends))
    mesh = trimesh.Trimesh(every.reshape(-1, 3), np.arange(len(every) * 3).reshape(-1, 3), process=False)
    mesh.merge_vertices(digits_vertex=5)
    return mesh
