"""tileset.json of 3D Tiles 1.1: tiles, boxes, geometric errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from tiles.frame import Chart
from tiles.plan import PlanTile
from tiles.soup import FloatArray
from tiles.tree import Branch

PADDING_M: Final = 0.01
"""Boxes are this much wider than their vertices: a client computes in float32."""
BOX_DIGITS: Final = 3
"""Decimals of a box in the chart: what rounding takes, the padding has added twenty times over."""
ERROR_GROWTH: Final = 1.1
"""A parent is at least this much coarser than its coarsest child that has children of its own."""


@dataclass(slots=True)
class Tile:
    """A tile; ``low`` and ``high`` (3,) bound its own content, metres in the chart.

    ``error_m`` is how far its content lies from the full city: 0 for a leaf.
    """

    uri: str | None
    low: FloatArray
    high: FloatArray
    error_m: float
    children: list[Tile] = field(default_factory=list)

    def settle(self) -> None:
        """Grow every volume over its children, and every error over theirs."""
        for child in self.children:
            child.settle()
            self.low = np.minimum(self.low, child.low)
            self.high = np.maximum(self.high, child.high)
            self.error_m = max(self.error_m, child.error_m * ERROR_GROWTH)


def ground_tile(planned: PlanTile) -> Tile:
    """Return a tile of the ground as it is written; tiles with nothing in them and under them are left out."""
    children = [ground_tile(child) for child in planned.children]
    there = [child for child in children if child.uri is not None or child.children]
    return Tile(planned.uri, *_sides(planned.low, planned.high), planned.error_m, there)


def branch_tile(branch: Branch, *, opened: bool) -> Tile:
    """Return a tile of the buildings as it is written, a unit as the document of its own unless it is ``opened``."""
    drawn = branch.drawn
    assert drawn is not None
    low, high = _sides(drawn.low, drawn.high)
    if branch.document is not None and not opened:
        return Tile(branch.document, low, high, drawn.error_m)
    below = [kid for kid in branch.below() if kid.drawn is not None and len(kid.drawn.low)]
    return Tile(drawn.uri, low, high, drawn.error_m, [branch_tile(kid, opened=False) for kid in below])


def _sides(low: Sequence[float], high: Sequence[float]) -> tuple[FloatArray, FloatArray]:
    if not len(low):
        return np.full(3, np.inf), np.full(3, -np.inf)
    return np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)


def unit_json(branch: Branch) -> dict[str, Any]:
    """Return the document of a unit; it takes the chart from the tileset that leads to it."""
    root = branch_tile(branch, opened=True)
    root.settle()
    return {"asset": _asset(), "geometricError": round(_outer_error(root), 3), "root": _tile(root)}


def tileset_json(root: Tile, chart: Chart, *, title: str, baseline_version: int) -> dict[str, Any]:
    """Return the document of one tileset whose root tile carries the chart to ECEF."""
    root.settle()
    tile = _tile(root)
    return {
        "asset": _asset(),
        "extras": {"cim": {"title": title, "baseline_version": baseline_version}},
        "geometricError": _outer_error(root),
        "root": {"transform": chart.transform(), **tile},
    }


def root_json(external: list[tuple[str, Tile]], chart: Chart, *, title: str, baseline_version: int) -> dict[str, Any]:
    """Return the document that joins tilesets of their own transform; its boxes are in ECEF."""
    low = np.minimum.reduce([tile.low for _, tile in external])
    high = np.maximum.reduce([tile.high for _, tile in external])
    error = max(_outer_error(tile) for _, tile in external)
    return {
        "asset": _asset(),
        "extras": {"cim": {"title": title, "baseline_version": baseline_version}},
        "geometricError": error * ERROR_GROWTH,
        "root": {
            "boundingVolume": {"box": _turned_box(low, high, chart)},
            "geometricError": error,
            "refine": "ADD",
            "children": [
                {
                    "boundingVolume": {"box": _turned_box(tile.low, tile.high, chart)},
                    "geometricError": _outer_error(tile),
                    "content": {"uri": uri},
                }
                for uri, tile in external
            ],
        },
    }


def _asset() -> dict[str, Any]:
    return {"version": "1.1", "generator": "cim tiles"}


def _outer_error(root: Tile) -> float:
    """Return the error of drawing nothing at all: the size of what is not drawn."""
    return max(float(np.linalg.norm(root.high - root.low)), root.error_m * ERROR_GROWTH, 1.0)


def _tile(tile: Tile) -> dict[str, Any]:
    members: dict[str, Any] = {
        "boundingVolume": {"box": _box(tile.low, tile.high)},
        "geometricError": round(tile.error_m, 3),
        "refine": "REPLACE",
    }
    if tile.uri is not None:
        members["content"] = {"uri": tile.uri}
    if tile.children:
        members["children"] = [_tile(child) for child in tile.children]
    return members


def _box(low: FloatArray, high: FloatArray) -> list[float]:
    centre = (low + high) / 2
    half = (high - low) / 2 + PADDING_M
    axes = np.diag(half).reshape(-1)
    rounded: list[float] = np.round([*centre, *axes], BOX_DIGITS).tolist()
    return rounded


def _turned_box(low: FloatArray, high: FloatArray, chart: Chart) -> list[float]:
    centre = (low + high) / 2 @ chart.axes + chart.position
    half = (high - low) / 2 + 2 * PADDING_M
    return [*centre.tolist(), *(half[:, None] * chart.axes).reshape(-1).tolist()]
