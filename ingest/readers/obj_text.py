"""Wavefront OBJ as text: vertices and faces of one model; pure.

Read are ``v`` and ``f`` (triangles, quads, polygons; indices from 1, or negative from the end; texture and
normal indices are passed over).  Groups, objects and materials part one model only for drawing and are
passed over too; curves and free-form surfaces are not read.  Source: Wavefront Advanced Visualizer manual,
appendix B1, "Object files".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cim.errors import InvalidInput

OBJ_VERTICES_MAX: Final = 2_000_000
"""Vertices of one model, and corners of all its faces."""

FACE_CORNERS_MAX: Final = 20_000
"""Corners of one face."""

HINT: Final = "Export the model as an OBJ of polygons."


@dataclass(frozen=True, slots=True)
class ObjMesh:
    """One model: ``vertices`` (n, 3) in the units of the file; face ``i`` has ``counts[i]`` of the ``corners``."""

    vertices: NDArray[np.float64]
    corners: NDArray[np.int64]
    counts: NDArray[np.int64]


def looks_like_obj(head: bytes) -> bool:
    """Tell by the first lines that mean something: vertices, and nothing that OBJ has no word for."""
    words = [line.split(maxsplit=1)[0] for line in head.splitlines()[:-1] or [head] if line.split(maxsplit=1)]
    told = [word for word in words if not word.startswith(b"#")]
    return b"v" in told and set(told) <= _WORDS


_WORDS: Final = frozenset(
    (b"v", b"vt", b"vn", b"vp", b"f", b"l", b"p", b"g", b"o", b"s", b"mg", b"usemtl", b"mtllib", b"usemap", b"maplib")
)


def parse_obj(text: bytes) -> ObjMesh:
    """Return the model of an OBJ file.

    Raises :class:`InvalidInput` (``obj-…``) that names the line for what is not OBJ, has no face, or
    has a face without its vertices.
    """
    vertices: list[list[float]] = []
    corners: list[int] = []
    counts: list[int] = []
    number = 0
    if b"\\" in text:
        text = text.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")
    try:
        for number, line in enumerate(text.splitlines(), 1):  # noqa: B007 -- told when a line is wrong
            words = line.split()
            if not words:
                continue
            if words[0] == b"v":
                vertices.append([float(words[1]), float(words[2]), float(words[3])])
            elif words[0] == b"f":
                face = [int(word.partition(b"/")[0]) for word in words[1:]]
                so_far = len(vertices)
                corners += [index - 1 if index > 0 else index + so_far if index < 0 else -1 for index in face]
                counts.append(len(face))
            if len(vertices) > OBJ_VERTICES_MAX or len(corners) > OBJ_VERTICES_MAX:
                raise _wrong("obj-vertices-max", f"The model has more than {OBJ_VERTICES_MAX:,} vertices.")
        named = np.array(corners, dtype=np.int64)
    except (ValueError, IndexError, OverflowError):
        raise _wrong("obj-line", f"Line {number:,} is no vertex or face of an OBJ model.") from None
    if not vertices or not counts:
        raise _wrong("obj-empty", "The model has no faces.")
    mesh = ObjMesh(np.array(vertices), named, np.array(counts, dtype=np.int64))
    _check(mesh)
    return mesh


def _check(mesh: ObjMesh) -> None:
    if not np.isfinite(mesh.vertices).all():
        raise _wrong("obj-not-finite", "A vertex is not a finite number.")
    if int(mesh.corners.min(initial=0)) < 0 or int(mesh.corners.max(initial=-1)) >= len(mesh.vertices):
        raise _wrong("obj-index", "A face names a vertex that the model does not have.")
    if int(mesh.counts.max()) > FACE_CORNERS_MAX:
        raise _wrong("obj-face-corners-max", f"A face has more than {FACE_CORNERS_MAX:,} corners.")
    if int(mesh.counts.min()) < 3:
        raise _wrong("obj-face-short", "A face has fewer than three corners.")


def _wrong(code: str, message: str) -> InvalidInput:
    return InvalidInput(message, hint=HINT, code=code)
