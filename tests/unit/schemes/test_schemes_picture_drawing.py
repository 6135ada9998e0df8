"""Generated pictures of schemes: what is filled, what stands in front, and that the PNG is one."""

from __future__ import annotations

import io

import numpy as np
import pytest
import shapely
from PIL import Image

from cim.schemes.pictures.canvas import Canvas
from cim.schemes.pictures.drawing import HEIGHT_PX, WIDTH_PX, Block, Change, Cover, Sight, draw
from cim.schemes.pictures.png import check_picture


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def test_the_inside_of_rings_is_filled_and_holes_are_not() -> None:
    canvas = Canvas(40, 30, (1.0, 1.0, 1.0))
    outer = np.array([[5, 5], [35, 5], [35, 25], [5, 25]], dtype=np.float64)
    hole = np.array([[15, 10], [25, 10], [25, 20], [15, 20]], dtype=np.float64)
    canvas.fill([outer, hole], (0.0, 0.0, 0.0))
    dark = pixels(canvas.png())[..., 0] < 128
    assert dark.sum() == 30 * 20 - 10 * 10
    assert dark[6, 6]
    assert not dark[15, 20]


@pytest.mark.parametrize("seed", range(8))
def test_filling_agrees_with_shapely(seed: int) -> None:
    random = np.random.default_rng(seed)
    ring = random.uniform(-10, 70, (9, 2))
    shape = shapely.make_valid(shapely.Polygon(ring))
    canvas = Canvas(60, 50, (1.0, 1.0, 1.0))
    canvas.fill([ring], (0.0, 0.0, 0.0))
    covered = 1.0 - pixels(canvas.png())[..., 0] / 255
    x, y = np.meshgrid(np.arange(60), np.arange(50))
    exact = shapely.area(shapely.intersection(shapely.box(x, y, x + 1, y + 1), shape))
    # Four samples a pixel: each pixel to within half of its area, the whole to a hundredth.
    assert np.abs(covered - exact).max() <= 0.55
    assert covered.sum() == pytest.approx(exact.sum(), rel=0.02, abs=4)


def test_what_lies_outside_or_has_no_area_changes_nothing() -> None:
    canvas = Canvas(10, 10, (0.5, 0.5, 0.5))
    canvas.fill([np.array([[20.0, 20.0], [30.0, 20.0], [30.0, 30.0]])], (0.0, 0.0, 0.0))
    canvas.fill([np.array([[1.0, 1.0], [5.0, 5.0], [1.0, 1.0]])], (0.0, 0.0, 0.0))
    assert len(np.unique(pixels(canvas.png()))) == 1


def _sight(*blocks: Block) -> Sight:
    return Sight((0, 0, 40, 40), blocks, [Cover(shapely.box(-40, -40, 0, 80), "green")], 1)


def block(x: float, y: float, top_m: float, change: Change = "base") -> Block:
    return Block(shapely.box(x, y, x + 12, y + 12), 5.0, 5.0 + top_m, change)


def test_a_picture_is_one_that_a_link_may_have() -> None:
    content = draw(_sight(block(0, 0, 10), block(20, 20, 40, "added"), block(0, 24, 9, "demolished")))
    assert check_picture(content) == (WIDTH_PX, HEIGHT_PX)
    assert pixels(content).shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert draw(_sight(block(0, 0, 10))) == draw(_sight(block(0, 0, 10)))


def test_each_change_has_its_colour_and_height_shows() -> None:
    colours = {
        change: {
            tuple(one) for one in np.unique(pixels(draw(_sight(block(10, 10, 20, change)))).reshape(-1, 3), axis=0)
        }
        for change in ("base", "added", "changed")
    }
    assert (79, 168, 159) in colours["added"]
    assert (224, 176, 74) in colours["changed"]
    assert not {(79, 168, 159), (224, 176, 74)} & colours["base"]
    low, high = (_rows(draw(_sight(block(10, 10, top_m, "added")))) for top_m in (10.0, 40.0))
    assert high.min() < low.min() - 20


def test_the_nearer_building_hides_the_farther() -> None:
    alone = (pixels(draw(_sight(block(10, 30, 15, "added"))))[..., 1] == 168).sum()
    behind = (pixels(draw(_sight(block(10, 30, 15, "added"), block(18, 12, 60))))[..., 1] == 168).sum()
    assert behind < alone / 2


def _rows(content: bytes) -> np.ndarray:
    return np.flatnonzero((pixels(content) == [79, 168, 159]).all(axis=2).any(axis=1))
