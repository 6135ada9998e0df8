"""Our own checks of a finished tileset: what validators do not notice, and what would make tiles vanish."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from tiles.reading import BrokenTile, parse_glb
from tiles.tree import LEAF_FEATURES_MAX
from tiles.verify_glb import check_glb

VOLUME_TOLERANCE_M: Final = 0.005
DOCUMENT_BYTES_MAX: Final = 1_000_000
"""A larger document of tiles should have been cut into several."""
CONTENT_BYTES_MAX: Final = 8_000_000
"""A larger tile of several buildings should have been cut into several."""
INNER_FEATURES_MAX: Final = 1_024
"""What is seen from far away is made of fewer blocks."""
NESTED_MAX: Final = 4
"""Tilesets within each other."""
_AXES: Final = 12


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: a stable code, the file, and what exactly."""

    code: str
    where: str
    detail: str = ""


@dataclass(slots=True)
class _Walk:
    directory: Path
    faults: list[Fault] = field(default_factory=list)
    leaf_ids: list[str] = field(default_factory=list)
    nested: int = 0

    def add(self, code: str, where: str, detail: str = "") -> None:
        self.faults.append(Fault(code, where, detail))


def verify_tileset(directory: Path, expected_ids: Collection[str] | None = None) -> list[Fault]:
    """Check ``directory/tileset.json`` and all it refers to; no fault found gives an empty list.

    ``expected_ids``: the ids of the buildings that must be in the leaves, each once; not checked
    when ``None``.
    """
    walk = _Walk(directory)
    for name in ("tileset.json", "buildings/tileset.json", "ground/tileset.json"):
        _check_document(walk, name)
    for identifier in sorted(i for i, times in Counter(walk.leaf_ids).items() if times > 1):
        walk.add("id-twice", "buildings", identifier)
    if expected_ids is not None:
        found, wanted = set(walk.leaf_ids), set(expected_ids)
        for identifier in sorted(wanted - found):
            walk.add("id-missing", "buildings", identifier)
        for identifier in sorted(found - wanted):
            walk.add("id-foreign", "buildings", identifier)
    return walk.faults


def _check_document(walk: _Walk, name: str, outer: dict[str, Any] | None = None) -> None:
    """Check a document; ``outer`` is the tile that leads to it."""
    try:
        content = (walk.directory / name).read_bytes()
        document = orjson.loads(content)
    except (OSError, orjson.JSONDecodeError):
        walk.add("tileset-json", name)
        return
    if len(content) > DOCUMENT_BYTES_MAX:
        walk.add("budget-document", name, str(len(content)))
    _check_tileset(walk, name, document)
    root = document.get("root")
    if outer is None or not isinstance(root, dict) or "transform" in root:
        return
    # Without a transform of its own it lies in the space of the tile that leads to it.
    mine, theirs = _box(outer), _box(root)
    if mine is not None and theirs is not None and not _inside(mine, _corners(theirs)):
        walk.add("volume-nesting", name, "root")
    errors = (root.get("geometricError"), outer.get("geometricError"))
    if all(map(_is_error, errors)) and root["geometricError"] > outer["geometricError"]:
        walk.add("geometric-error-order", name, "root")


def _check_tileset(walk: _Walk, name: str, document: dict[str, Any]) -> None:
    if document.get("asset", {}).get("version") != "1.1":
        walk.add("asset-version", name)
    root = document.get("root")
    if not isinstance(root, dict):
        walk.add("tile-root", name)
        return
    outer = document.get("geometricError")
    if not _is_error(outer) or not _is_error(root.get("geometricError")) or outer < root["geometricError"]:
        walk.add("geometric-error", name, "outer")
    _check_transform(walk, name, root.get("transform"))
    _check_tile(walk, name, root, "root")


def _is_error(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and bool(np.isfinite(value)) and value >= 0


def _check_transform(walk: _Walk, name: str, transform: list[float] | None) -> None:
    if transform is None:
        return
    if len(transform) != 16 or transform[3::4] != [0.0, 0.0, 0.0, 1.0]:
        walk.add("transform", name)
        return
    axes = np.array(transform).reshape(4, 4)[:3, :3]
    if not np.allclose(axes @ axes.T, np.eye(3), atol=1e-9) or np.linalg.det(axes) < 0:
        walk.add("transform", name, "not a rotation")


def _box(tile: dict[str, Any]) -> NDArray[np.float64] | None:
    """Return a box as centre and three half axes, shape (4, 3); nothing unless it is one."""
    box = tile.get("boundingVolume", {}).get("box")
    if not isinstance(box, list) or len(box) != _AXES:
        return None
    rows = np.array(box, dtype=np.float64).reshape(4, 3)
    return rows if np.isfinite(rows).all() else None


def _inside(box: NDArray[np.float64], points: NDArray[np.float64]) -> bool:
    half = np.linalg.norm(box[1:], axis=1)
    along = (points - box[0]) @ (box[1:] / np.maximum(half, 1e-12)[:, None]).T
    return bool((np.abs(along) <= half + VOLUME_TOLERANCE_M).all())


def _corners(box: NDArray[np.float64]) -> NDArray[np.float64]:
    signs = np.stack(np.meshgrid([-1, 1], [-1, 1], [-1, 1]), axis=-1).reshape(-1, 3)
    corners: NDArray[np.float64] = box[0] + signs @ box[1:]
    return corners


def _check_tile(walk: _Walk, name: str, tile: dict[str, Any], where: str) -> None:
    at = f"{name} {where}"
    box = _box(tile)
    if box is None:
        walk.add("volume", at)
    if not _is_error(tile.get("geometricError")):
        walk.add("geometric-error", at)
    if where == "root" and "refine" not in tile:
        walk.add("refine", at)
    if tile.get("refine", "ADD") not in {"ADD", "REPLACE"}:
        walk.add("refine", at)
    children = tile.get("children")
    if children == []:
        walk.add("children-empty", at)
    for index, child in enumerate(children or []):
        child_box = _box(child)
        if box is not None and child_box is not None and not _inside(box, _corners(child_box)):
            walk.add("volume-nesting", at, str(index))
        mine, theirs = tile.get("geometricError"), child.get("geometricError")
        if _is_error(mine) and _is_error(theirs) and theirs > mine:
            walk.add("geometric-error-order", at, str(index))
        _check_tile(walk, name, child, f"{where}/{index}")
    content = tile.get("content")
    if content is not None:
        _check_content(walk, name, at, content, tile)


def _check_content(walk: _Walk, name: str, at: str, content: dict[str, Any], tile: dict[str, Any]) -> None:
    uri = content.get("uri")
    if not isinstance(uri, str):
        walk.add("content-uri", at)
        return
    path = walk.directory / Path(name).parent / uri
    if not path.is_file():
        walk.add("content-missing", at, uri)
        return
    if path.suffix == ".json" and name != "tileset.json":
        walk.nested += 1
        if walk.nested > NESTED_MAX:
            walk.add("tileset-nesting", at, uri)
        else:
            _check_document(walk, (Path(name).parent / uri).as_posix(), tile)
        walk.nested -= 1
    if path.suffix != ".glb":
        return
    try:
        leaf = not tile.get("children") and name.startswith("buildings")
        _check_file(walk, path, f"{at} {uri}", _box(tile), leaf=leaf)
    except BrokenTile as broken:
        walk.add(str(broken), f"{at} {uri}")
    except (KeyError, IndexError, TypeError, ValueError):
        walk.add("glb-structure", f"{at} {uri}")


def _check_file(walk: _Walk, path: Path, where: str, box: NDArray[np.float64] | None, *, leaf: bool) -> None:
    content = path.read_bytes()
    glb = parse_glb(content)
    for code, detail in check_glb(glb):
        walk.add(code, where, detail)
    for primitive in glb.primitives():
        if box is not None and not _inside(box, glb.up_positions(primitive)):
            walk.add("geometry-outside", where)
    rows = sum(int(table["count"]) for table, _ in glb.tables())
    if where.startswith("buildings"):
        if len(content) > CONTENT_BYTES_MAX and rows > 1:
            walk.add("budget-content", where, str(len(content)))
        if rows > (LEAF_FEATURES_MAX if leaf else INNER_FEATURES_MAX):
            walk.add("budget-features", where, str(rows))
    if leaf:
        for table, _ in glb.tables():
            walk.leaf_ids.extend(glb.texts(table["properties"]["id"], table["count"]))
