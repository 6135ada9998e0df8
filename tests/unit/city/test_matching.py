"""Which buildings of one source are which of another."""

from __future__ import annotations

import random

import numpy as np
import pytest
import shapely

from cim.city.matching import (
    IOU_ALONE_MIN,
    IOU_MIN,
    OVERLAP_MIN,
    PARCEL_DISTANCE_M_MAX,
    Block,
    Doubt,
    Footprints,
    Match,
    match_footprints,
    shared_area,
)

Row = tuple[str, shapely.Geometry | None, tuple[str, ...], str]


def side(*rows: Row) -> Footprints:
    return Footprints(
        [row[0] for row in rows],
        np.array([row[1] for row in rows], dtype=object),
        [(row[0], row[0].partition(":")[2]) for row in rows],
        [row[2] for row in rows],
        [row[3] for row in rows],
    )


def row(identifier: str, *box: float, meant: tuple[str, ...] = (), parcel: str = "") -> Row:
    return (identifier, shapely.box(*box) if box else None, meant, parcel)


def pairs(found: object) -> list[tuple[str, str, str]]:
    return [(one.incoming, one.present, str(one.match)) for one in found.pairs]  # type: ignore[attr-defined]


def test_the_measures_are_those_of_the_definition() -> None:
    shared = shared_area(
        np.array([shapely.box(0, 0, 10, 10)]), np.array([shapely.box(5, 0, 25, 10), shapely.box(10, 0, 11, 1)])
    )
    assert shared.overlap.tolist() == [0.5]
    assert shared.iou.tolist() == [pytest.approx(50 / 250)]


def test_the_measures_agree_with_points_thrown_at_random() -> None:
    ours = shapely.Point(0, 0).buffer(10)
    theirs = shapely.affinity.rotate(shapely.box(-4, -7, 12, 9), 20)
    shared = shared_area(np.array([ours]), np.array([theirs]))
    points = shapely.points(np.random.default_rng(1).uniform(-20, 20, (200_000, 2)))
    mine, other = shapely.contains(ours, points), shapely.contains(theirs, points)
    both, any_ = (mine & other).sum(), (mine | other).sum()
    assert shared.iou[0] == pytest.approx(both / any_, abs=0.01)
    assert shared.overlap[0] == pytest.approx(both / min(mine.sum(), other.sum()), abs=0.01)


def test_half_of_the_union_is_enough_whatever_else_is_touched() -> None:
    present = side(row("a:1", 0, 0, 10, 10), row("a:2", 10, 0, 13, 10))
    found = match_footprints(side(row("b:1", 0, 0, 13, 10)), present)
    assert pairs(found) == [("b:1", "a:1", "overlap")]
    assert found.pairs[0].overlap == 1.0
    assert found.pairs[0].iou == pytest.approx(100 / 130)


def test_a_lonely_pair_needs_less_and_a_kiosk_in_a_block_is_a_doubt() -> None:
    assert pairs(match_footprints(side(row("b:1", 0, 0, 10, 3)), side(row("a:1", 0, 0, 10, 10))))
    found = match_footprints(side(row("b:1", 0, 0, 2, 2)), side(row("a:1", 0, 0, 10, 10)))
    assert not found.pairs
    assert found.doubts == [Doubt("b:1", "a:1", 1.0, 0.04)]


def test_neighbours_that_only_lean_on_each_other_are_nothing_to_each_other() -> None:
    found = match_footprints(side(row("b:1", 9, 0, 19, 10)), side(row("a:1", 0, 0, 10, 10)))
    assert (found.pairs, found.blocks, found.doubts) == ([], [], [])


@pytest.mark.parametrize("flip", [False, True])
def test_one_that_is_several_elsewhere_is_a_block_on_either_side(flip: bool) -> None:
    one = side(row("x:block", 0, 0, 30, 10))
    many = side(*(row(f"y:{n}", 10 * n, 0, 10 * n + 10, 10) for n in range(3)))
    found = match_footprints(many, one) if flip else match_footprints(one, many)
    assert not found.pairs
    expected = Block(("x:block",), ("y:0", "y:1", "y:2"))
    assert found.blocks == [Block(expected.present, expected.incoming) if flip else expected]


def test_an_id_is_believed_wherever_the_footprint_is_and_two_do_not_share_one() -> None:
    incoming = side(row("b:1", 90, 0, 99, 9, meant=("a:7",)), row("b:2", 0, 0, 9, 9, meant=("7",)))
    found = match_footprints(incoming, side(row("a:7", 0, 0, 9, 9)))
    assert pairs(found) == [("b:1", "a:7", "id")]


def test_the_present_side_may_say_it_too() -> None:
    found = match_footprints(side(row("b:1", 90, 0, 99, 9)), side(row("a:7", 0, 0, 9, 9, meant=("b:1",))))
    assert pairs(found) == [("b:1", "a:7", "id")]


def test_a_native_id_in_common_counts_where_it_is_one_and_the_footprints_are_alike() -> None:
    present = side(row("a:NL.0599100000012345", 0, 0, 9, 9), row("a:1", 50, 0, 59, 9))
    incoming = side(row("b:NL.0599100000012345", 1, 0, 10, 9), row("b:1", 90, 0, 99, 9))
    assert pairs(match_footprints(incoming, present)) == [("b:NL.0599100000012345", "a:NL.0599100000012345", "id")]


def test_the_only_buildings_of_a_parcel_are_one_within_reach() -> None:
    present = side(row("a:1", 0, 0, 5, 5, parcel="p"), row("a:2", 100, 0, 105, 5, parcel="q"))
    near, far = 5 + PARCEL_DISTANCE_M_MAX - 1, 105 + PARCEL_DISTANCE_M_MAX + 1
    incoming = side(row("b:1", near, 0, near + 5, 5, parcel="p"), row("b:2", far, 0, far + 5, 5, parcel="q"))
    assert pairs(match_footprints(incoming, present)) == [("b:1", "a:1", "parcel")]


def test_on_a_parcel_with_several_the_best_overlap_counts() -> None:
    present = side(row("a:1", 0, 0, 10, 10, parcel="p"), row("a:2", 10, 0, 20, 10, parcel="p"))
    incoming = side(row("b:1", 5, 0, 13, 10, parcel="p"), row("b:2", 13, 0, 20, 10, parcel="p"))
    assert pairs(match_footprints(incoming, present)) == [("b:1", "a:1", "parcel"), ("b:2", "a:2", "parcel")]


def test_a_footprint_that_crosses_itself_is_mended_and_one_that_is_missing_is_passed_over() -> None:
    bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    incoming = side(("b:1", bow, (), ""), row("b:2"), ("b:3", shapely.LineString([(0, 0), (9, 9)]), (), ""))
    found = match_footprints(incoming, side(row("a:1", 0, 0, 10, 10)))
    assert pairs(found) == [("b:1", "a:1", "overlap")]
    assert found.pairs[0].iou == 0.5


@pytest.mark.parametrize("empty", [0, 1])
def test_nothing_matches_nothing(empty: int) -> None:
    some = side(row("a:1", 0, 0, 1, 1))
    found = match_footprints(*((side(), some) if empty else (some, side())))
    assert (found.pairs, found.blocks, found.doubts) == ([], [], [])


def test_the_result_does_not_depend_on_the_order() -> None:
    chance = random.Random(7)

    def some(source: str) -> list[Row]:
        boxes = [(chance.uniform(0, 60), chance.uniform(0, 60)) for _ in range(60)]
        return [
            row(f"{source}:{n}", x, y, x + chance.uniform(2, 12), y + chance.uniform(2, 12), parcel=str(int(x) // 20))
            for n, (x, y) in enumerate(boxes)
        ]

    ours, theirs = some("b"), some("a")
    first = match_footprints(side(*ours), side(*theirs))
    assert first.pairs
    assert first.blocks
    for _ in range(5):
        chance.shuffle(ours)
        chance.shuffle(theirs)
        again = match_footprints(side(*ours), side(*theirs))
        assert (again.pairs, again.blocks, again.doubts) == (first.pairs, first.blocks, first.doubts)
    for found in (one for one in first.pairs if one.match is Match.OVERLAP):
        assert found.iou >= IOU_MIN or (found.overlap >= OVERLAP_MIN and found.iou >= IOU_ALONE_MIN)
    assert len({one.incoming for one in first.pairs}) == len({one.present for one in first.pairs}) == len(first.pairs)
