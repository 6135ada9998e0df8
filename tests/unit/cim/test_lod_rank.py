"""Levels of detail as numbers."""

import pytest

from cim.geometry.surfaces import lod_rank


@pytest.mark.parametrize(
    ("lod", "rank"),
    [
        ("0", 0.0),
        ("2.2", 2.2),
        ("3", 3.0),
        ("", -1.0),
        ("LoD2", -1.0),
        ("2,1", -1.0),
        ("nan", -1.0),
        ("inf", -1.0),
        ("1e999", -1.0),
    ],
)
def test_a_level_is_a_number_and_what_is_none_is_below_all(lod: str, rank: float) -> None:
    assert lod_rank(lod) == rank


def test_levels_sort_as_numbers_not_as_texts() -> None:
    assert sorted(["10", "2.2", "x", "1", "2"], key=lod_rank) == ["x", "1", "2", "2.2", "10"]
