"""The drawing of a model: its edges, and what a viewer of glTF makes of it."""

from __future__ import annotations

import io

import numpy as np
import pytest
import trimesh

from cim.schemes.forms.glb import crease_edges, model_glb


def test_a_box_has_twelve_edges_and_no_diagonals() -> None:
    box = trimesh.creation.box([4, 6, 8])
    edges = crease_edges(box.vertices, box.faces.astype(np.uint32))
    lengths = np.linalg.norm(box.vertices[edges[:, 0]] - box.vertices[edges[:, 1]], axis=1)
    assert sorted(lengths.round(6)) == [4.0] * 4 + [6.0] * 4 + [8.0] * 4


def test_a_bend_is_an_edge_and_a_smooth_wall_is_not() -> None:
    drum = trimesh.creation.cylinder(5.0, 10.0, sections=64)
    edges = crease_edges(drum.vertices, drum.faces.astype(np.uint32))
    assert len(edges) == 2 * 64


def test_faces_turned_over_are_still_one_plane() -> None:
    places = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=np.float64)
    faces = np.array([[0, 1, 2], [0, 3, 2]], dtype=np.uint32)
    assert len(crease_edges(places, faces)) == 4


def test_the_drawing_is_the_model_with_y_up() -> None:
    box = trimesh.creation.box([4, 6, 8])
    box.apply_translation([10, 20, 4])
    again = trimesh.load(io.BytesIO(model_glb(box.triangles)), file_type="glb", force="scene").to_geometry()
    assert again.is_watertight
    assert again.volume == pytest.approx(4 * 6 * 8)
    assert again.bounds.tolist() == [[8, 0, -23], [12, 8, -17]]


def test_a_sliver_is_left_out_and_one_face_has_its_rim() -> None:
    face = np.array([[[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[5, 5, 0], [5, 5, 0], [6, 6, 0]]], dtype=np.float64)
    drawn = trimesh.load(io.BytesIO(model_glb(face)), file_type="glb", force="scene")
    meshes = [one for one in drawn.geometry.values() if isinstance(one, trimesh.Trimesh)]
    assert sum(len(one.faces) for one in meshes) == 1
