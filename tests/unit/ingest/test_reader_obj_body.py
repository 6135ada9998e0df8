"""OBJ text and meshes: what the standard allows, what is closed, what faces where."""

import numpy as np
import pytest

from cim.errors import InvalidInput
from ingest.readers.obj_body import body_of
from ingest.readers.obj_text import ObjMesh, looks_like_obj, parse_obj

BOX = b"""# a box of 2 x 3 x 4
v 0 0 0
v 2 0 0
v 2 3 0
v 0 3 0
v 0 0 4
v 2 0 4
v 2 3 4
v 0 3 4
vt 0 0
vn 0 0 1
o box
g walls
f 4 3 2 1
f 5/1 6/1 7/1 8/1
f 1//1 2//1 6//1 5//1
f -7 -6 -2 -3
f 3/1/1 4/1/1 8/1/1 7/1/1
f 4 1 5 \\
  8
"""


def test_quads_slashes_negative_indices_and_a_line_that_goes_on():
    mesh = parse_obj(BOX)
    assert mesh.counts.tolist() == [4] * 6
    assert mesh.corners.reshape(6, 4)[3].tolist() == [1, 2, 6, 5]


def test_a_box_is_a_solid_with_a_roof_a_ground_and_walls():
    body = body_of(parse_obj(BOX), "1")
    assert body.closed
    assert body.geometry.kind == "Solid"
    assert sorted(body.geometry.semantics.types()) == ["GroundSurface", "RoofSurface", *["WallSurface"] * 4]
    assert body.geometry.semantics.types()[:2] == ["GroundSurface", "RoofSurface"]
    assert body.is_plan.tolist() == [True, False, False, False, False, False]


def test_a_box_inside_out_is_turned():
    mesh = parse_obj(BOX)
    turned = ObjMesh(mesh.vertices, mesh.corners.reshape(6, 4)[:, ::-1].reshape(-1), mesh.counts)
    body = body_of(turned, "1")
    assert body.geometry.semantics.types()[:2] == ["GroundSurface", "RoofSurface"]
    top = body.geometry.coordinates.reshape(6, 4, 3)[1, :, :2]
    x, y = top.T
    assert float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) > 0  # counter-clockwise from above


@pytest.mark.parametrize("lost", range(6))
def test_a_box_without_a_side_is_no_solid(lost):
    mesh = parse_obj(BOX)
    kept = [face for face in range(6) if face != lost]
    body = body_of(ObjMesh(mesh.vertices, mesh.corners.reshape(6, 4)[kept].reshape(-1), mesh.counts[kept]), "1")
    assert not body.closed
    assert body.geometry.kind == "MultiSurface"


def test_vertices_that_are_written_twice_are_one():
    lines = [line for line in BOX.decode().replace("\\\n", " ").splitlines() if line[:2] in {"v ", "f "}]
    vertices = [line for line in lines if line.startswith("v ")]
    faces = parse_obj(BOX).corners.reshape(6, 4)
    own = [vertices[corner] for face in faces for corner in face]
    text = "\n".join(own + [f"f {4 * n + 1} {4 * n + 2} {4 * n + 3} {4 * n + 4}" for n in range(6)])
    assert body_of(parse_obj(text.encode()), "1").closed


def test_faces_that_come_twice_to_a_vertex_lose_it_or_go():
    text = b"v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 2 3\nf 1 2 1\nf 1 2 1 2\nf 1 2 3 4\n"
    body = body_of(parse_obj(text), "1")
    assert body.dropped == 2
    assert np.diff(body.geometry.ring_ends, prepend=0).tolist() == [3, 4]


def test_a_mesh_without_area_is_none():
    assert body_of(parse_obj(b"v 0 0 0\nv 1 0 0\nf 1 2 1\n"), "1") is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "obj-empty"),
        (b"v 1 2 3\n", "obj-empty"),
        (b"f 1 2 3\n", "obj-empty"),
        (b"v 0 0 0\nv 1 0 0\nf 1 2\n", "obj-face-short"),
        (b"v 0 0 0\nv 1 0 0\nv 1 1 0\nf 1 2 4\n", "obj-index"),
        (b"v 0 0 0\nv 1 0 0\nv 1 1 0\nf 1 2 0\n", "obj-index"),
        (b"v 0 0 0\nv 1 0 0\nv 1 1 0\nf 1 2 -4\n", "obj-index"),
        (b"v 0 0 nan\nv 1 0 0\nv 1 1 0\nf 1 2 3\n", "obj-not-finite"),
        (b"v 0 0 1e999\nv 1 0 0\nv 1 1 0\nf 1 2 3\n", "obj-not-finite"),
        (b"v 0 0\nv 1 0 0\nv 1 1 0\nf 1 2 3\n", "obj-line"),
        (b"v 0 0 0\nv 1 0 0\nv 1 1 0\nf 1 2 x\n", "obj-line"),
        (b"v a b c\nf 1 2 3\n", "obj-line"),
        (b"v 0 0 0\nv 1 0 0\nv 1 1 0\nf 1 2 99999999999999999999999\n", "obj-line"),
    ],
)
def test_what_is_wrong_is_said(text, code):
    with pytest.raises(InvalidInput) as caught:
        parse_obj(text)
    assert caught.value.problem_code == code


def test_looks():
    assert looks_like_obj(BOX)
    assert not looks_like_obj(b"hello\nv 1 2 3\n")
    assert not looks_like_obj(b"# only words\n")
    assert not looks_like_obj(b"\x00\x01\x02")
