"""A scheme in its city, drawn slantwise from footprints and heights (pure): the picture of a scheme that has none.

An axonometry: the ground turned by ``TURN_DEG`` and seen from ``PITCH_DEG`` above the horizon, heights upright.
Colours are those of the light theme of the pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.schemes.pictures.canvas import Canvas, Colour

Points: TypeAlias = NDArray[np.float64]
Change: TypeAlias = Literal["base", "added", "changed", "demolished"]

WIDTH_PX, HEIGHT_PX = 1200, 630
"""What readers of links show without cutting."""
TURN_DEG: Final = 24.0
PITCH_DEG: Final = 38.0
MARGIN_M: Final = 70.0
"""City round the scheme that is drawn at least."""
_SUN: Final = np.array([-0.62, -0.35, 0.7])
_SHADOW: Final = np.array([0.75, 0.32])
"""How far a shadow reaches east and north for a metre of height."""

_GROUND, _GREEN, _WATER, _STREET = "#e9e6df", "#d3e0c6", "#c3d9e6", "#fbfaf7"
_BUILDING, _CHANGED, _DEMOLISHED, _EDGE = "#f6f3ec", "#e0b04a", "#c8502d", "#6c675f"
_MASS: Final = ("#f6f3ec", "#4fa89f", "#b184bb", "#d79a52")
"""Of the city, and of schemes in turn: B, C, D."""


@dataclass(frozen=True, slots=True)
class Block:
    """A building: its footprint in metres, its foot and top over the city's datum."""

    footprint: shapely.Polygon
    foot_m: float
    top_m: float
    change: Change = "base"


@dataclass(frozen=True, slots=True)
class Cover:
    """An area of the ground."""

    area: shapely.Geometry
    kind: Literal["green", "water", "street"]


@dataclass(frozen=True, slots=True)
class Sight:
    """What is drawn: ``site`` is the box of what the scheme changes, xmin, ymin, xmax, ymax."""

    site: tuple[float, float, float, float]
    blocks: Sequence[Block]
    covers: Sequence[Cover]
    colour_index: int


def frame_of(site: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Return the box of the ground that a picture of a site shows at most."""
    x, y = (site[0] + site[2]) / 2, (site[1] + site[3]) / 2
    reach = max(site[2] - site[0], site[3] - site[1]) / 2 + MARGIN_M
    return x - 3.2 * reach, y - 3.2 * reach, x + 3.2 * reach, y + 3.2 * reach


def draw(sight: Sight) -> bytes:
    """Return a PNG of ``WIDTH_PX`` by ``HEIGHT_PX``."""
    canvas = Canvas(WIDTH_PX, HEIGHT_PX, _rgb(_GROUND))
    view = _View(sight.site)
    for kind, colour in (("green", _GREEN), ("water", _WATER), ("street", _STREET)):
        for cover in sight.covers:
            if cover.kind == kind:
                for rings in _areas(cover.area):
                    canvas.fill([view.place(ring, 0.0) for ring in rings], _rgb(colour))
    standing = [block for block in sight.blocks if block.change != "demolished"]
    canvas.shade([area for block in standing for area in _shadow(view, block)], (0.32, 0.36, 0.44), 0.26)
    for block in sorted(sight.blocks, key=lambda one: view.depth(one.footprint), reverse=True):
        _draw_block(canvas, view, block, sight.colour_index)
    return canvas.png()


class _View:
    """From metres to pixels."""

    def __init__(self, site: tuple[float, float, float, float]) -> None:
        turn = np.radians(TURN_DEG)
        self._turn = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        self._rise, self._flat = np.cos(np.radians(PITCH_DEG)), np.sin(np.radians(PITCH_DEG))
        self._middle = np.array([(site[0] + site[2]) / 2, (site[1] + site[3]) / 2])
        reach = max(site[2] - site[0], site[3] - site[1]) / 2 + MARGIN_M
        self._scale = min(WIDTH_PX / (2.6 * reach), HEIGHT_PX / (2.0 * reach * self._flat + 40.0))

    def _turned(self, xy: Points) -> Points:
        turned: Points = (xy - self._middle) @ self._turn.T
        return turned

    def place(self, xy: Points, height_m: float | Points) -> Points:
        """Return where places (n, 2) at a height come to, in pixels."""
        turned = self._turned(xy)
        up = turned[:, 1] * self._flat + height_m * self._rise
        return np.column_stack((WIDTH_PX / 2 + turned[:, 0] * self._scale, HEIGHT_PX * 0.56 - up * self._scale))

    def depth(self, footprint: shapely.Polygon) -> float:
        """Return how far away the nearest corner of a footprint is."""
        return float(self._turned(shapely.get_coordinates(footprint))[:, 1].min())

    def faces(self, normal: Points) -> bool:
        """Tell whether a wall with this outward normal is seen."""
        return bool((self._turn @ normal)[1] < 0)


def _draw_block(canvas: Canvas, view: _View, block: Block, colour_index: int) -> None:
    foot, top = 0.0, block.top_m - block.foot_m
    rings = _rings(block.footprint)
    if block.change == "demolished":
        outline = [view.place(ring, foot) for ring in rings]
        canvas.fill(outline, _rgb(_DEMOLISHED), 0.2)
        _stroke(canvas, outline, _rgb(_DEMOLISHED), 1.6, 1.0)
        return
    colour = _rgb({"base": _BUILDING, "changed": _CHANGED}.get(block.change, _MASS[(colour_index - 1) % 3 + 1]))
    for ring in rings:
        for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            along = b - a
            length = float(np.hypot(*along))
            normal = np.array([along[1], -along[0]]) / max(length, 1e-9)
            if length > 0 and view.faces(normal):
                lit = 0.7 + 0.24 * max(0.0, float(normal @ _SUN[:2]))
                wall = np.vstack((view.place(np.array([a, b]), foot), view.place(np.array([b, a]), top)))
                canvas.fill([wall], _scaled(colour, lit))
    roof = [view.place(ring, top) for ring in rings]
    canvas.fill(roof, colour)
    _stroke(canvas, roof, _rgb(_EDGE), 0.9 if block.change == "base" else 1.5, 0.3 if block.change == "base" else 0.7)


def _shadow(view: _View, block: Block) -> Iterable[list[Points]]:
    """Yield the areas that a block's shadow sweeps over flat ground."""
    way = _SHADOW * (block.top_m - block.foot_m)
    outer = _rings(block.footprint)[0]
    yield [view.place(outer + way, 0.0)]
    for a, b in zip(outer, np.roll(outer, -1, axis=0), strict=True):
        yield [view.place(np.array([a, b, b + way, a + way]), 0.0)]


def _stroke(canvas: Canvas, rings: Sequence[Points], colour: Colour, width_px: float, alpha: float) -> None:
    for ring in rings:
        along = np.roll(ring, -1, axis=0) - ring
        aside = np.column_stack((-along[:, 1], along[:, 0])) / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
        aside *= width_px / 2
        for a, b, off in zip(ring, np.roll(ring, -1, axis=0), aside, strict=True):
            canvas.fill([np.array([a - off, b - off, b + off, a + off])], colour, alpha)


def _areas(shape: shapely.Geometry) -> Iterable[list[Points]]:
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon" and not part.is_empty:
            yield _rings(part)


def _rings(polygon: shapely.Polygon) -> list[Points]:
    """Return rings without their repeated corner, the outer one counter-clockwise and holes clockwise."""
    oriented = shapely.orient_polygons(polygon)
    return [shapely.get_coordinates(ring)[:-1] for ring in (oriented.exterior, *oriented.interiors)]


def _rgb(text: str) -> Colour:
    return int(text[1:3], 16) / 255, int(text[3:5], 16) / 255, int(text[5:7], 16) / 255


def _scaled(colour: Colour, by: float) -> Colour:
    return colour[0] * by, colour[1] * by, colour[2] * by
