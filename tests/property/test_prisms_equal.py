"""The short way for plain prisms against the general way: the same triangles, normals, heights, owners and creases."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tiles.content import packed_normals
from tiles.drawing import drawing_of
from tiles.extrude import extrude
from tiles.footprints import clean_footprints
from tiles.frame import Chart, TileFrame
from tiles.intake import Blocks
from tiles.outlines import Outlines
from tiles.prisms import are_plain, prism_drawing
from tiles.soup import Soup

EAST, NORTH = 25_496_000.0, 6_672_000.0
CHART = Chart(TileFrame("EPSG:3879"), (EAST, NORTH, EAST + 4000, NORTH + 4000))
NOBODY = np.empty(0, dtype=np.int64)


def blocks(shapes, heights, floors) -> Blocks:
    """Each shape's largest polygon, one owner each, in a row of 200 m."""
    largest = [max(shapely.get_parts(shape), key=shapely.area) for shape in shapes]
    places = [shapely.affinity.translate(p, EAST + 200 * i, NORTH + 77 * i) for i, p in enumerate(largest)]
    footprint, owner = clean_footprints(np.array(places, dtype=object))
    return Blocks(
        Outlines.of(footprint), owner, np.array(floors)[owner], np.array(heights)[owner],
        np.full(len(owner), "", dtype=object), np.full(len(owner), np.nan),
    )  # fmt: skip


def general(made: Blocks, ground, foot):
    soup = extrude(made, ground, foot)
    placed = CHART.to_local(soup.coordinates)
    return drawing_of(Soup(placed, soup.ring_ends, soup.surface_ends, soup.owner, soup.height_m))


def rows_of(drawing):
    """Triangles turned to begin at their least corner, and edges without a direction: sorted rows of millimetres."""
    corner = np.round(np.column_stack((drawing.positions, drawing.height_m)) * 1000).astype(np.int64)
    ends = corner[drawing.edges]
    triangles = []
    for owner, normal, three in zip(
        drawing.triangle_owner.tolist(), packed_normals(drawing.normals)[drawing.faces].tolist(),
        corner[drawing.triangles].tolist(), strict=True,
    ):  # fmt: skip
        first = three.index(min(three))
        triangles.append((owner, *normal, *three[first], *three[(first + 1) % 3], *three[(first + 2) % 3]))
    edges = [(o, *sorted(map(tuple, pair))) for o, pair in zip(drawing.edge_owner.tolist(), ends.tolist(), strict=True)]
    return sorted(triangles), sorted(edges)


corner = st.tuples(st.integers(0, 12), st.integers(0, 12))
stacked = st.builds(
    lambda corners, turn: shapely.affinity.rotate(
        shapely.union_all([shapely.box(x, y, x + 4, y + 3) for x, y in corners]), turn
    ),
    st.lists(corner, min_size=1, max_size=6),
    st.sampled_from([0.0, 17.0, 45.0, 90.0, 133.7]),
)
round_ones = st.builds(
    lambda radius, segments: shapely.Point(0, 0).buffer(radius, segments), st.integers(3, 20), st.integers(1, 8)
)
starred = st.builds(
    lambda radii: shapely.Polygon(
        [
            (r * np.cos(a), r * np.sin(a))
            for r, a in zip(radii, np.arange(len(radii)) * 2 * np.pi / len(radii), strict=True)
        ]
    ),
    st.lists(st.integers(3, 15), min_size=3, max_size=9),
)
city = st.lists(
    st.tuples(
        stacked | round_ones | starred, st.floats(2.0, 90.0), st.sampled_from([0.0, 0.4, 1.5]), st.floats(-3, 30)
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=120, deadline=None)
@given(city, st.floats(0, 2))
def test_plain_prisms_are_drawn_as_the_general_way_draws_them(shapes, sunk_m):
    made = blocks(*zip(*[(shape, top, floor) for shape, top, floor, _ in shapes], strict=True))
    made = made.select(np.flatnonzero(are_plain(made, NOBODY)))
    ground = np.array([level for *_, level in shapes])
    foot = ground[made.owner] - sunk_m
    drawn = prism_drawing(made, ground[made.owner], foot, CHART) if len(made.owner) else None
    expected = general(made, ground, foot)
    if drawn is None:
        assert not len(expected.triangles)
        return
    assert rows_of(drawn) == rows_of(expected)


def test_only_what_stands_alone_and_flat_on_the_ground_is_plain():
    box, holed = shapely.box(0, 0, 20, 10), shapely.box(0, 0, 20, 20) - shapely.box(5, 5, 9, 9)
    made = blocks([box, box, holed, box, box, box], [10.0] * 6, [0.0, 0.0, 0.0, 3.0, 0.0, 0.0])
    made.roof[1] = "gabled"
    assert are_plain(made, np.array([4])).tolist() == [True, False, False, False, False, True]
    twice = made.select(np.array([0, 5, 5]))
    assert are_plain(twice, NOBODY).tolist() == [True, False, False]
