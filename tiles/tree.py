"""The spatial tree: features are split in four by medians until a tile is small enough."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from tiles.soup import FloatArray, IntArray

LEAF_FEATURES_MAX: Final = 384
LEAF_VERTICES_MAX: Final = 48_000
"""Keeps indices in 16 bits: a leaf of several features stays below 65,535 vertices, edges and skirt apart."""
DEPTH_MAX: Final = 24


@dataclass(slots=True)
class Node:
    """Rows of the features under a node; a leaf has no children."""

    rows: IntArray
    depth: int
    children: list[Node] = field(default_factory=list)

    def leaves(self) -> list[Node]:
        """Return the leaves from left to right."""
        return [self] if not self.children else [leaf for child in self.children for leaf in child.leaves()]


def split(centres: FloatArray, weight: FloatArray, rows: IntArray | None = None, depth: int = 0) -> Node:
    """Build the tree over ``centres`` (n, 2) metres; ``weight`` (n,) is each feature's vertices."""
    rows = np.arange(len(centres)) if rows is None else rows
    node = Node(rows, depth)
    small = len(rows) <= LEAF_FEATURES_MAX and float(weight[rows].sum()) <= LEAF_VERTICES_MAX
    if small or len(rows) < 2 or depth >= DEPTH_MAX:
        return node
    for half in _halves(centres, weight, rows, axis=_long_axis(centres[rows])):
        axis = _long_axis(centres[half]) if len(half) else 0
        quarters = _halves(centres, weight, half, axis=axis)
        node.children.extend(
            split(centres, weight, np.sort(quarter), depth + 1) for quarter in quarters if len(quarter)
        )
    return node


def _long_axis(points: FloatArray) -> int:
    return int(np.argmax([np.ptp(column) for column in points.T]))


def _halves(centres: FloatArray, weight: FloatArray, rows: IntArray, *, axis: int) -> tuple[IntArray, IntArray]:
    """Split rows where half of the weight lies on either side; both sides have a row if there are two."""
    if len(rows) < 2:
        return rows, rows[:0]
    rows = np.sort(rows)
    order = rows[np.argsort(centres[rows, axis], kind="stable")]
    gathered = np.cumsum(weight[order])
    at = int(np.searchsorted(gathered, gathered[-1] / 2)) + 1
    at = min(max(at, 1), len(order) - 1)
    return order[:at], order[at:]
